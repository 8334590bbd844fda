"""The stages of a refresh at the terminal: one line each with its place, its seconds, those of the
last run, and what is left after it.

The seconds of the last complete run of each kind lie in `stage_seconds.json` of the home; anyone
may delete it. Times are for people: no result depends on them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from orchestration.home import Home
from orchestration.terminal import detail, is_watched, progress, show_passing
from warehouse.whole_files import write_whole

FILE = "stage_seconds.json"
#: Seconds between two lines of a stage that counts, where nobody watches and lines are kept.
SECONDS_BETWEEN_LINES = 30.0
LONGEST_SECONDS = 1e7
#: Stages of a whole refresh in their order; `counterfactual` and `truth` are of simulated data
#: alone.
ALL_STAGES = (
    "landing",
    "staging",
    "counterfactual",
    "marts",
    "estimates",
    "truth",
    "report",
    "publication",
)
OF_SIMULATED = ("counterfactual", "truth")
LEFT_AFTER = {"all": ALL_STAGES, "estimates": ALL_STAGES[4:], "report": ALL_STAGES[6:]}


class Stages:
    """The stages of one run; without a plan (a run of the UI) lines have neither places nor
    expected times.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._kind = ""
        self._path: Path | None = None
        self._last: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._since = self._started = self._line = time.monotonic()

    def plan(self, home: Home, work: str, *, simulated: bool) -> None:
        """Say which stages are to come.

        Parameters
        ----------
        home : Home
        work : str
            `all`, `estimates` or `report`: where the run starts (`reuse.plan`).
        simulated : bool
        """
        self._names = tuple(
            name for name in LEFT_AFTER[work] if simulated or name not in OF_SIMULATED
        )
        self._kind, self._path = (
            f"{work}, {'simulated' if simulated else 'delivered'}",
            home.root / FILE,
        )
        self._last, self._took = _read(self._path).get(self._kind, {}), {}
        self._since = self._started = self._line = time.monotonic()
        total = sum(self._last.values())
        expected = f", about {_clock(total)} as last time" if total else ""
        progress(f"{len(self._names)} stages{expected}; every line is kept in {home.log}")

    def done(self, name: str, text: str) -> None:
        """End a stage with its line, and begin the next one."""
        now = time.monotonic()
        seconds, self._since, self._line = now - self._since, now, now
        self._took[name] = self._took.get(name, 0.0) + seconds
        if name not in self._names:
            progress(f"{name}: {text}")
            return
        last = f", last time {self._last[name]:.0f} s" if name in self._last else ""
        progress(
            f"[{self._names.index(name) + 1}/{len(self._names)}] {name}: {text} ({seconds:.0f} "
            f"s{last}{self._left(name)})"
        )

    def count(self, done: int, of: int, what: str) -> None:
        """How far the running stage is: always in the log, at a terminal in place of the line
        before, else at most every half minute.
        """
        text = f"{what}, {done} of {of}"
        detail(f"  {text}")
        now = time.monotonic()
        # not from how much is done: what costs most is begun first
        running = next((name for name in self._names if name not in self._took), "")
        remaining = self._last.get(running, 0.0) - (now - self._since)
        left = f", about {_clock(remaining)} to go" if done < of and remaining >= 1 else ""
        if is_watched():
            show_passing(f"{now - self._started:5.0f} s  {text}{left}")
        elif now - self._line >= SECONDS_BETWEEN_LINES and done < of:
            self._line = now
            progress(f"  {text}{left}")

    def keep(self) -> None:
        """Note the seconds of a run that published, for the next one of its kind."""
        if self._path is not None and set(self._names) <= set(self._took):
            noted = _read(self._path) | {
                self._kind: {name: round(self._took[name], 1) for name in self._names}
            }
            with suppress(OSError), write_whole(self._path) as draft:
                draft.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")

    def _left(self, name: str) -> str:
        after = self._names[self._names.index(name) + 1 :]
        if not after or any(later not in self._last for later in after):
            return ""
        return f", about {_clock(sum(self._last[later] for later in after))} to go"


def _clock(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
    )


def _read(path: Path) -> dict[str, dict[str, float]]:
    """Seconds by stage of the last run of each kind; empty where the file is not as this module
    writes it.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        kinds: Sequence = list(found.values())
        if all(
            isinstance(kind, dict) and all(_is_a_time(s) for s in kind.values()) for kind in kinds
        ):
            return found
    except (OSError, ValueError, AttributeError, RecursionError):
        pass
    return {}


def _is_a_time(found: object) -> bool:
    """JSON as Python reads it knows infinity, no number, and numbers of any length."""
    return isinstance(found, int | float) and 0 <= found < LONGEST_SECONDS


#: Of this process.
stages = Stages()
