"""What processes of a test do, in terms that a busy machine does not change: who started whom, and
how much they have worked.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

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
    parents, lines = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parents[int(folder.name)] = int(
                    (folder / "stat").read_text().rpartition(")")[2].split()[1]
                )
                lines[int(folder.name)] = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
    below, found = {pid}, {}
    while new := {child for child, parent in parents.items() if parent in below} - set(found):
        found |= {child: lines[child] for child in new}
        below |= new
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all below it, of those that ended too."""
    total = 0
    for each in (pid, *children_of(pid)):
        try:
            fields = (Path("/proc") / str(each) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # its own, and what those that it has waited for had used: as user, in the kernel
        total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def let_work(process: subprocess.Popen, seconds: float) -> bool:
    """Wait until a process has used so much processor time; False where it ended before."""
    while process.poll() is None:
        if cpu_seconds(process.pid) >= seconds:
            return True
        time.sleep(0.1)
    return False


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within ten seconds; one that nobody has waited for yet has."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1]
        except OSError:
            return True
        if state.split()[0] in "ZX":
            return True
        time.sleep(0.01)
    return False
