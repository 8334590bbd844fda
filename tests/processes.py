"""What processes of a test do, in terms that a busy machine does not change: who started whom, and
how much they have worked.
"""

import signal
import subprocess
import time
from contextlib import suppress

import psutil

from orchestration.supervision import ENDING

#: Against a wait without end; on a machine that eight others use, minutes become hours.
HANG_SECONDS = 4 * 3600


def hear_signals() -> None:
    """For `preexec_fn`: a test run in the background of a shell, or under nohup, ignores some, and
    so would everything that it starts.
    """
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


def children_of(pid: int) -> dict[int, str]:
    """Command lines of every process below one."""
    found = {}
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[child.pid] = " ".join(child.cmdline())
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all below it, of those that ended too."""
    total = 0.0
    for each in (pid, *children_of(pid)):
        with suppress(psutil.NoSuchProcess):
            # its own, and what those that it has waited for had used: as user, in the kernel
            total += sum(psutil.Process(each).cpu_times()[:4])
    return total


def let_work(process: subprocess.Popen, seconds: float) -> bool:
    """Wait until a process has used so much processor time; False where it ended before."""
    while process.poll() is None:
        if cpu_seconds(process.pid) >= seconds:
            return True
        time.sleep(0.1)
    return False


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within ten seconds; one that nobody has waited for yet has."""
    with suppress(psutil.NoSuchProcess):
        for _ in range(1000):
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
            time.sleep(0.01)
        return False
    return True
