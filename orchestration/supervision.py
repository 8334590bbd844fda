"""A command's work runs in a process of its own and the command only watches it: an interrupt ends
it at once, every end has its last line.

What takes time in a refresh are compiled loops and queries, which hear no signal before they
return, and Dagster, which turns a signal into an error of its own. So the work is not asked to
stop, it is killed: a publication is switched in one rename and everything else is made again by the
next run, which is what the tests that kill refreshes show. A work that is killed by somebody else
(by the kernel, because memory ran out) gets its sentence too.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from orchestration.early_signals import ENDING, restore, sentence
from orchestration.faults import explain
from orchestration.terminal import Exit, say

# Linux: the signal that a process gets when its parent is gone
PR_SET_PDEATHSIG = 1
# what an end by a signal means where something can be done about it
HINTS = {
    signal.SIGKILL: (
        "perhaps because memory ran out: see `dmesg`, close other programs or give the machine more"
    ),
    signal.SIGXCPU: "this shell allows it no more processor time (ulimit -t shows it); allow more",
    signal.SIGBUS: (
        "perhaps because the disk is full or a file was cut while it was read (df -h shows the "
        "disk); make room"
    ),
}
_watcher: list[int] = []


def main_pid() -> int:
    """The process that a person would end: the one that watches, where this one is watched."""
    return _watcher[0] if _watcher else os.getpid()


def supervise(command: str, work: Callable[[], int]) -> int:
    """Run `work` in a child process; this returns in both, so the caller does nothing more than end
    with the code.

    Parameters
    ----------
    command : str
        Its name in the last line; `refresh` has none there, as its contract says.
    work : callable
        Returns the exit code; prints its own last line.

    Returns
    -------
    int
        What `work` returned; 128 and the signal (130 for ctrl-c, 143 for `kill`) where this process
        was told to end; 1 where the work was killed by somebody else or raised an error. In these
        cases the last line is printed here. Stopped (ctrl-z), the work stops with it.
    """
    label = "citysync" if command == "refresh" else f"citysync {command}"
    watched = {
        number for number in (*ENDING, signal.SIGTSTP) if signal.getsignal(number) != signal.SIG_IGN
    } | {signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, lambda *_: None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    sys.stdout.flush()
    sys.stderr.flush()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        return _work(label, parent, work, before)
    with suppress(OSError):  # the child does the same: whoever comes first
        os.setpgid(child, child)
    while True:
        number = signal.sigwait(watched)
        if number == signal.SIGTSTP:
            _stop_both(child)
        elif number != signal.SIGCHLD:
            _kill(child)
            say(sentence(command, number))
            return 128 + number
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return _ending(label, os.waitstatus_to_exitcode(status))


def _work(label: str, parent: int, work: Callable[[], int], mask: set[signal.Signals]) -> int:
    """The child's part; what it returns becomes the exit code of the child, which ends as every
    Python process does.
    """
    os.setpgid(0, 0)
    _die_with(parent)
    _watcher[:] = [parent]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    restore()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        return work()
    except Exception as error:
        fault = explain(error, Path(os.environ.get("CITYSYNC_HOME") or "data").absolute())
        if fault:
            say(f"{label}: exit {int(Exit.BAD_INPUT)}: {fault}")
            return Exit.BAD_INPUT
        with suppress(OSError):  # nobody may be there to read it
            # a fault of this code: the whole of it for the developer, and a last line
            traceback.print_exc()
        say(
            f"{label}: exit {int(Exit.FAILED)}: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:600]}"
        )
        return Exit.FAILED


def _die_with(parent: int) -> None:
    """Let the kernel end this process when the one that watches is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(Exit.FAILED)


def _kill(child: int) -> None:
    """End the work and every process that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


def _stop_both(child: int) -> None:
    """Stop the work and this process; `fg`, `bg` and `kill -CONT` let both go on."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.killpg(child, signal.SIGCONT)


def _ending(label: str, code: int) -> int:
    if code >= 0:
        return code
    hint = HINTS.get(-code, "see above")
    say(
        f"{label}: exit {int(Exit.FAILED)}: its process was ended by signal {-code} "
        f"({_name_of(-code)}), {hint}; what was published stands"
    )
    return Exit.FAILED


def _name_of(number: int) -> str:
    """Signals of a program's own choice have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "without a name"
