"""`citysync clean`: remove what a run can make again.

Publications, the archive and Dagster's history stay.
"""

from __future__ import annotations

from orchestration.home import Home
from orchestration.lock import hold_lock
from orchestration.terminal import Exit, end_command
from warehouse.whole_files import remove_any

REMOVED = ("build", "cache", "raw", "simulated", "estimates", "units")


def clean() -> int:
    """Remove the folders of REMOVED. Return 0 if they are gone, 2 if one cannot be removed, 3 if
    another command holds the lock.
    """
    home = Home.from_environment()
    if not home.root.is_dir():
        return end_command(Exit.DONE, f"{home.root} does not exist: nothing to remove")
    with hold_lock(home, "clean"):
        gone = [name for name in REMOVED if remove_any(home.root / name)]
    return end_command(
        Exit.DONE,
        f"removed {', '.join(gone) or 'nothing'} in {home.root}; publications and the archive stay",
    )
