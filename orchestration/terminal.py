"""What a command prints, and the exit codes. `say` prints a line, `progress` a line with the
seconds so far, `detail` writes to the log file alone.

Imports nothing heavy, so that a run without work is over at once.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from contextvars import ContextVar
from enum import IntEnum
from pathlib import Path
from typing import TextIO

from estimation.control_characters import visible

STARTED = time.monotonic()


class Exit(IntEnum):
    """What the exit code of every command means."""

    DONE = 0
    # a check stopped the refresh, or something is not as it should be
    FAILED = 1
    BAD_INPUT = 2
    # another refresh holds the lock of this home
    RUNNING = 3


class Ended(int):
    """The exit code with which a command ended, and why.

    Attributes
    ----------
    reason : str
        As printed in the last line.
    """

    reason: str

    def __new__(cls, code: int, reason: str) -> Ended:
        """Make an exit code that keeps its reason."""
        ended = super().__new__(cls, code)
        ended.reason = reason
        return ended


#: The file that keeps every line of a refresh, details too; None outside a refresh.
LOG: ContextVar[TextIO | None] = ContextVar("log", default=None)


def keep_log(path: Path) -> None:
    """Write every line from here on into this file too, in place of what an earlier run left
    there. A file that cannot be written is none, and the refresh goes on.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        LOG.set(open(path, "w", encoding="utf-8"))  # noqa: SIM115 -- open as long as the process
    except OSError as error:
        say(f"  no log is kept: {path} cannot be written ({error.strerror})")


def progress(text: str) -> None:
    """Print a line with the seconds since this process started."""
    say(f"{time.monotonic() - STARTED:5.0f} s  {text}")


def detail(text: str) -> None:
    """Write a line to the log file alone, with the seconds since this process started."""
    _write_log(visible(f"{time.monotonic() - STARTED:5.0f} s  {text}"))


def say(text: str) -> None:
    """Print a line; control characters are shown, not obeyed."""
    line = visible(text)
    put(line)
    _write_log(line)


def put(text: str) -> None:
    """Print a text as it is.

    Where nobody can read it any more (`| head -1`, a closed terminal, a log on a full disk), the
    work goes on silently: a line that is lost is no reason to lose what was computed. The exit code
    still reports how it ended.
    """
    try:
        print(text + "\n", end="", file=sys.stdout, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        # what waits in the buffer goes there too, else the end of Python would try again
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write_log(line: str) -> None:
    log = LOG.get()
    if log is not None:
        # a line that a full disk does not take is no reason to lose what was computed
        with suppress(OSError, ValueError):
            log.write(line + "\n")
            log.flush()


def end_command(code: int, reason: str, to: TextIO | None = None) -> Ended:
    """Print how a command ended, in the last line of its output or of `to`, and return its exit
    code.
    """
    line = f"citysync: exit {int(code)}: {reason}"
    if to is None:
        say(line)
    else:
        print(visible(line), file=to)
    return Ended(code, reason)
