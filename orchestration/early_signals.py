"""From the first line of a command to where its work is watched (`supervision`): an interrupt ends
it with the same sentence.

Imports nothing that Python has not loaded by then: what is not yet imported cannot be interrupted
half-way with a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

# the last four are what queues of jobs send before the end of a job's time, and limits of processor
# time
ENDING = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGXCPU),
)


def sentence(command: str, number: int) -> str:
    """The last line of an interrupted command; that of a refresh names no command."""
    label = "citysync" if command in ("", "refresh") else f"citysync {command}"
    name = signal.Signals(number).name
    return (
        f"{label}: exit {128 + number}: interrupted ({name}); what was published stands, run it "
        "again when you like"
    )


def hold_streams() -> None:
    """Open what of the first three streams is closed (`>&-`).

    Else the first file that is opened, a lock or a database, would be printed to.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def end_on_signals() -> None:
    """Let a signal end this process at once, unless it is ignored (as a shell does for what it
    starts in the background).
    """
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def restore() -> None:
    """Python's own way again, for a prompt, a server and the work of a command."""
    for number in ENDING:
        if signal.getsignal(number) is _end:
            signal.signal(
                number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            )


def _end(number: int, _frame: Any) -> None:
    os.write(1, f"{sentence(' '.join(sys.argv[1:2]), number)}\n".encode())
    os._exit(128 + number)
