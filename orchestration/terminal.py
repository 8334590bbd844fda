"""What a command says at the terminal, and the exit codes. Imports nothing heavy, so that a run without work is over at once."""

from __future__ import annotations

import sys
import time
from enum import IntEnum

STARTED = time.monotonic()


class Exit(IntEnum):
    """What the exit code of every command means."""

    DONE = 0
    # a check stopped the refresh, or something is not as it should be
    FAILED = 1
    BAD_INPUT = 2
    # another refresh holds the lock of this home
    RUNNING = 3


def progress(text: str) -> None:
    """A stage's line, with the seconds since this process started."""
    say(f"{time.monotonic() - STARTED:5.0f} s  {text}")


def say(text: str) -> None:
    """One line of progress for the person at the terminal."""
    print(text, file=sys.stdout, flush=True)
