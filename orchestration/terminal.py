"""What a command says at the terminal, and the exit codes.

Imports nothing heavy, so that a run without work is over at once.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import TextIO

STARTED = time.monotonic()


class Exit(IntEnum):
    """What the exit code of every command means."""

    DONE = 0
    # a check stopped the refresh, or something is not as it should be
    FAILED = 1
    BAD_INPUT = 2
    # another refresh holds the lock of this home
    RUNNING = 3


#: The file that keeps every line of a refresh, details too.
_log: list[TextIO] = []
#: Of the last command that ended in this process.
_reason = [""]
# a delivered name or a manifest may hold what a terminal obeys (colours, titles, going back over a
# line)
CONTROL = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


def keep_log(path: Path) -> None:
    """Write every line from here on into this file too, in place of what an earlier run
    left there.
    """
    with suppress(OSError):  # a log that cannot be written is no reason to do nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        _log[:] = [open(path, "w", encoding="utf-8")]  # noqa: SIM115 -- open as long as the process


def progress(text: str) -> None:
    """Something that a person should know while it happens, with the seconds since this process
    started.
    """
    say(f"{time.monotonic() - STARTED:5.0f} s  {text}")


def detail(text: str) -> None:
    """A line for the log file alone, with the seconds since this process started."""
    _write_log(f"{time.monotonic() - STARTED:5.0f} s  {text}".translate(CONTROL))


def say(text: str) -> None:
    """One line for the person at the terminal; control characters are shown, not obeyed.

    Where nobody can read it any more (`| head -1`, a closed terminal, a log on a full disk), the
    work goes on without words: what is said is no reason to lose what was computed. The exit code
    still tells how it ended.
    """
    line = text.translate(CONTROL)
    try:
        print(line + "\n", end="", file=sys.stdout, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        # what waits in the buffer goes there too, else the end of Python would try again
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    _write_log(line)


def last_reason() -> str:
    """Why the last command of this process ended."""
    return _reason[0]


def _write_log(line: str) -> None:
    if _log:
        with suppress(OSError, ValueError):
            _log[0].write(line + "\n")
            _log[0].flush()


def end_command(code: int, reason: str, to: TextIO | None = None) -> int:
    """Say how a command ended, in the last line of its output, or of `to`; its exit code."""
    _reason[0] = reason
    line = f"citysync: exit {int(code)}: {reason}"
    if to is None:
        say(line)
    else:
        print(line.translate(CONTROL), file=to)
    return code
