"""Run a command: handle the signals that end it, and print the last line that reports how it ended.

The work runs in a child process, which the command watches. Compiled loops and queries handle no
signal until they return, and Dagster turns a signal into its own error, so the work is killed, not
interrupted. That is safe: one rename switches a publication, and the next run makes everything
else again. If something else kills the work (the kernel when memory runs out), the last line
reports that, too.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from orchestration import alerts
from orchestration.home import Home
from orchestration.lock import WATCHED_BY, RefreshRunning
from orchestration.machine_faults import explain
from orchestration.settings import setting
from orchestration.terminal import Ended, Exit, end_command, say
from warehouse.errors import Refused

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


def hold_signals() -> None:
    """Block the signals that would end this process until `supervise` waits for them and reports
    them in the last line. Signals that the shell has it ignore (as for processes in the background)
    stay ignored.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _signals_not_ignored())


def _signals_not_ignored() -> set[signal.Signals]:
    return {number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN}


def supervise(command: str, work: Callable[[], int]) -> int:
    """Fork, run `work` in the child, and return its exit code in both processes.

    A caller must exit with this code at once. A refresh that fails sends its alert.

    Parameters
    ----------
    command : str
        Name of the command, such as ``refresh``.
    work : callable
        Prints the last line itself and returns the exit code.

    Returns
    -------
    int
        What `work` returned; 128 plus the signal (130 for ctrl-c, 143 for `kill`) where this
        process got one; 1 where the work was killed by somebody else or raised an error. In these
        cases the last line is printed here.
    """
    watched = _signals_not_ignored() | {signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # what waits would be written by both
    parent = os.getpid()
    scratch = _make_scratch_folder()
    child = os.fork()
    if child == 0:
        _be_watched(parent)
        # what the work and its workers put aside goes with them, however they end
        if scratch:
            os.environ["TMPDIR"] = scratch
            tempfile.tempdir = scratch
        code = exit_code_of(work)
        if command == "refresh" and code != Exit.DONE:
            # `end_command` keeps the text of the last line with the code
            alerts.send(command, code, code.reason if isinstance(code, Ended) else "")
        return code
    with suppress(OSError):  # the child does the same: whoever comes first
        os.setpgid(child, child)
    try:
        return _watch(command, child, watched)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _make_scratch_folder() -> str:
    """Make a folder for the temporary files of one command and return its path; empty where the
    disk is full, since not every command needs one.

    First remove the folders of commands that were killed together with their parent.
    """
    try:
        for path in Path(tempfile.gettempdir()).glob("citysync-of-*-*"):
            process = path.name.split("-")[2]
            if process.isdecimal() and not _is_alive(int(process)):
                shutil.rmtree(path, ignore_errors=True)
        return tempfile.mkdtemp(prefix=f"citysync-of-{os.getpid()}-")
    except OSError:
        return ""


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # another user's
        return True
    return True


def _watch(command: str, child: int, watched: set[signal.Signals]) -> int:
    """Wait for the end of the work, or for a signal that ends it."""
    while True:
        number = signal.sigwait(watched)
        if number != signal.SIGCHLD:
            _kill(child)
            reason = f"interrupted ({signal.Signals(number).name}), run it again when you like"
            published = state_of_publication(Home.from_environment())
            return end_command(128 + number, f"{reason}; {published}")
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _killed(command, -code)


def _be_watched(parent: int) -> None:
    """Move this process into a group of its own, and have the kernel end it when the parent is
    killed.
    """
    os.setpgid(0, 0)
    end_when_parent_ends(parent)
    os.environ[WATCHED_BY] = str(parent)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def end_when_parent_ends(parent: int) -> None:
    """Have the kernel end this process when its parent ends, even if that is killed; end at once
    where it has ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(Exit.FAILED)


def exit_code_of(work: Callable[[], int], to: TextIO | None = None) -> int:
    """Run `work` and return its exit code; where it raises, print why in the last line, on standard
    output or `to`.
    """
    home = Home.from_environment()
    try:
        home.require_usable()
        # libraries read it themselves, wherever they are
        setting("CITYSYNC_THREADS")
        return work()
    except RefreshRunning as error:
        return end_command(Exit.RUNNING, str(error), to)
    except Refused as error:
        first, *others = str(error).splitlines() or [""]
        for line in others:
            say(line)
        return end_command(Exit.BAD_INPUT, first, to)
    except Exception as error:
        if fault := explain(error, home.root):
            return end_command(Exit.BAD_INPUT, fault, to)
        with suppress(OSError):  # nobody may be there to read it
            # a fault of this code: the whole of it for the developer, and a last line
            traceback.print_exc()
        found = " ".join(str(error).split())[:600]
        return end_command(Exit.FAILED, f"{type(error).__name__}: {found}", to)


def state_of_publication(home: Home) -> str:
    """Return a sentence on what is published in a home."""
    if home.published.exists():
        return f"the last publication is still the current one: {home.published}"
    return "there is no publication yet"


def _kill(child: int) -> None:
    """End the work and every process that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


def _killed(command: str, number: int) -> int:
    # signals of a program's own choice have no name
    name = signal.Signals(number).name if number in set(signal.Signals) else "without a name"
    hint = HINTS.get(number, "see above")
    reason = f"its process was ended by signal {number} ({name}), {hint}"
    reason += f"; {state_of_publication(Home.from_environment())}"
    if command == "refresh":
        alerts.send(command, Exit.FAILED, reason)
    return end_command(Exit.FAILED, reason)
