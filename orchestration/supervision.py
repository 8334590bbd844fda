"""A command's work runs in a process of its own and the command only watches it: an interrupt ends
it at once, and every end has its last line.

What takes time in a refresh are compiled loops and queries, which hear no signal before they
return, and Dagster, which turns a signal into an error of its own. So the work is not asked to
stop, it is killed: a publication is switched in one rename and everything else is made again by the
next run. A work that is killed by somebody else (by the kernel, because memory ran out) gets its
sentence too.
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
from typing import TextIO

from orchestration.faults import explain
from orchestration.terminal import Exit, end_command

# the last four are what queues of jobs send before the end of a job's time, and limits of
# processor time
ENDING = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGXCPU),
)
# Linux: the signal that a process gets when its parent is gone
PR_SET_PDEATHSIG = 1
# what an end by a signal means where something can be done about it
HINTS = {
    signal.SIGKILL: "perhaps because memory ran out: see `dmesg`, close other programs or give the "
    "machine more",
    signal.SIGXCPU: "this shell allows it no more processor time (ulimit -t shows it); allow more",
    signal.SIGBUS: "perhaps because the disk is full or a file was cut while it was read (df -h "
    "shows the disk); make room",
}
_watcher: list[int] = []


def main_pid() -> int:
    """The process that a person would end: the one that watches, where this one is watched."""
    return _watcher[0] if _watcher else os.getpid()


def hold_signals() -> None:
    """Keep what would end this process for `supervise`, which says so in the last line; what the
    shell has it ignore (as it does for what it starts in the background) stays ignored.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _heeded())


def _heeded() -> set[signal.Signals]:
    return {number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN}


def supervise(command: str, work: Callable[[], int]) -> int:
    """Run `work` in a child process; this returns in both, so the caller does nothing more than end
    with the code.

    Parameters
    ----------
    command : str
        Its name; a refresh that fails sends its alert from here.
    work : callable
        Returns the exit code; prints its own last line.

    Returns
    -------
    int
        What `work` returned; 128 and the signal (130 for ctrl-c, 143 for `kill`) where this process
        was told to end; 1 where the work was killed by somebody else or raised an error. In these
        cases the last line is printed here.
    """
    if command == "refresh":
        from orchestration import alerts

        alerts.watch()
    watched = _heeded() | {signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # what waits would be written by both
    parent, child = os.getpid(), os.fork()
    if child == 0:
        return _work(parent, work)
    with suppress(OSError):  # the child does the same: whoever comes first
        os.setpgid(child, child)
    while True:
        number = signal.sigwait(watched)
        if number != signal.SIGCHLD:
            _kill(child)
            reason = f"interrupted ({signal.Signals(number).name}); what was published stands"
            return end_command(128 + number, f"{reason}, run it again when you like")
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = _ending(os.waitstatus_to_exitcode(status))
            if command == "refresh" and code != Exit.DONE:
                alerts.send_ending(command, code)
            return code


def _work(parent: int, work: Callable[[], int]) -> int:
    """The child's part; what it returns becomes the exit code of the child, which ends as every
    Python process does.
    """
    os.setpgid(0, 0)
    _die_with(parent)
    _watcher[:] = [parent]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return explained(work)


def explained(work: Callable[[], int], to: TextIO | None = None) -> int:
    """What `work` returns; where it raises, the last line says why, on standard output or `to`."""
    try:
        return work()
    except Exception as error:
        fault = explain(error, Path(os.environ.get("CITYSYNC_HOME") or "data").absolute())
        if fault:
            return end_command(Exit.BAD_INPUT, fault, to)
        with suppress(OSError):  # nobody may be there to read it
            # a fault of this code: the whole of it for the developer, and a last line
            traceback.print_exc()
        found = " ".join(str(error).split())[:600]
        return end_command(Exit.FAILED, f"{type(error).__name__}: {found}", to)


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


def _ending(code: int) -> int:
    if code >= 0:
        return code
    # signals of a program's own choice have no name
    name = signal.Signals(-code).name if -code in set(signal.Signals) else "without a name"
    hint = HINTS.get(-code, "see above")
    return end_command(
        Exit.FAILED,
        f"its process was ended by signal {-code} ({name}), {hint}; what was published stands",
    )
