"""What a command says at the terminal. Imports nothing heavy, so that a run without work is over at once."""

from __future__ import annotations

import sys
import time

STARTED = time.monotonic()


def progress(text: str) -> None:
    """A stage's line, with the seconds since this process started."""
    say(f"{time.monotonic() - STARTED:5.0f} s  {text}")


def say(text: str) -> None:
    """One line of progress for the person at the terminal."""
    print(text, file=sys.stdout, flush=True)
