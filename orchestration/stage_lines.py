"""Print a line at the end of each stage: its number, its seconds, and how long the other stages
will take if they take as long as in the last run.

The seconds of the last complete run of each kind are in `stage_seconds.json` of the home; anyone
may delete it. Times are for people: no result depends on them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from orchestration.home import Home
from orchestration.terminal import detail, progress
from warehouse.whole_files import read_noted, write_noted

FILE = "stage_seconds.json"
#: Names of the lines in the order in which their stages end.
BEFORE_ESTIMATES = ("landing", "staging", "marts")
FROM_ESTIMATES = ("estimates", "report", "publication")
#: Seconds between two lines of a stage that counts.
SECONDS_BETWEEN_LINES = 30.0


class StageLines:
    """Prints the lines of one run's stages. Where `announce` was not called (in a run of the UI),
    they have neither numbers nor expected times.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._kind = ""
        self._path = Path()
        self._last: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._since = self._line = time.monotonic()

    def announce(self, home: Home, *, is_whole: bool, is_simulated: bool) -> None:
        """Print how many stages will run, and how long they took last time.

        Parameters
        ----------
        home : Home
        is_whole : bool
            Whether the marts are built, too, and not those of the last run used.
        is_simulated : bool
            Simulated data have a warehouse without the effect to wait for.
        """
        before = ()
        if is_whole:
            before = BEFORE_ESTIMATES
        if is_whole and is_simulated:
            before = (*BEFORE_ESTIMATES, "counterfactual")
        self._names = (*before, *FROM_ESTIMATES)
        # runs of one kind take about the same time
        scope, data = "estimates", "delivered"
        if is_whole:
            scope = "all"
        if is_simulated:
            data = "simulated"
        self._kind = f"{scope}, {data}"
        self._path = home.root / FILE
        self._last = read_noted(self._path).get(self._kind, {})
        progress(
            f"{len(self._names)} stages{_expected(self._last, self._names, 'as last time')}; "
            f"every line is kept in {home.log}"
        )

    def done(self, name: str, text: str) -> None:
        """Print the line of a stage that ended; the clock of the next one starts."""
        now = time.monotonic()
        seconds = now - self._since
        self._since = self._line = now
        self._took[name] = self._took.get(name, 0.0) + seconds
        if name not in self._names:
            progress(f"{name}: {text}")
            return
        left = [later for later in self._names if later not in self._took]
        progress(
            f"[{self._names.index(name) + 1}/{len(self._names)}] {name}: {text} "
            f"({seconds:.0f} s{_expected(self._last, left, 'to go')})"
        )

    def count(self, done: int, of: int, what: str) -> None:
        """Report how far the running stage is: always in the log, at the terminal at most every
        half minute.
        """
        text = f"  {what}, {done} of {of}"
        now = time.monotonic()
        if now - self._line >= SECONDS_BETWEEN_LINES and done < of:
            self._line = now
            progress(text)
        else:
            detail(text)

    def note_seconds(self) -> None:
        """Write the seconds of a run that published to the file, for the next run of its kind."""
        noted = read_noted(self._path) | {self._kind: self._took}
        with suppress(OSError):
            write_noted(self._path, noted)


def _expected(last: dict[str, float], names: Sequence[str], words: str) -> str:
    """Return in words how long some stages took last time; empty where one of them is unknown."""
    seconds = round(sum(last.get(name, 0.0) for name in names))
    if not names or not set(names) <= set(last):
        return ""
    clock = f"{seconds} s" if seconds < 100 else f"{seconds // 60} min {seconds % 60:02d} s"
    return f", about {clock} {words}"
