"""What a command says at the terminal, and the exit codes. Imports nothing heavy, so that a run without work is over at once."""

from __future__ import annotations

import os
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


# a delivered name or a manifest may hold what a terminal obeys (colours, titles, going back over a line)
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def say(text: str) -> None:
    """One line of progress for the person at the terminal; control characters are shown, not obeyed.

    Where nobody can read it any more (`| head -1`, a closed terminal, a log on a full disk), the work goes on without words: what is said
    is no reason to lose what was computed. The exit code still tells how it ended.
    """
    try:
        print(text.translate(CONTROL), file=sys.stdout, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        # what waits in the buffer goes there too, else the end of Python would try again
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def end_command(command: str, code: Exit, reason: str) -> Exit:
    """Say how a command ended; its exit code. The last line of a refresh names no command, so `command` is empty there."""
    say(f"{' '.join(filter(None, ('citysync', command)))}: exit {code}: {reason}")
    return code
