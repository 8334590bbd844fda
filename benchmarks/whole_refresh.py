"""A whole refresh of the default simulated landing, as a person would start it: in a new home, with
the loops compiled.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import seconds_of

REPO = Path(__file__).resolve().parent.parent


def bench_whole_refresh(home: Path) -> dict[str, Any]:
    """Seconds of a refresh in a new home, by the clock and of the processors, and its memory.

    Parameters
    ----------
    home : Path
        A folder that does not exist yet.
    """
    env = {
        **os.environ,
        "CITYSYNC_HOME": str(home),
        "NUMBA_CACHE_DIR": str(home / "cache" / "numba"),
        "FORCE": "1",
    }
    _start(env, "estimation", "compile")
    before = _of_children()
    seconds = seconds_of(lambda: _start(env, "orchestration", "refresh"))
    return {
        "name": "whole_refresh",
        "seconds": round(seconds, 1),
        "cpu_seconds": round(_of_children() - before, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1),
    }


def _of_children() -> float:
    """Processor seconds of the processes that this one started and that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _start(env: dict[str, str], *words: str) -> None:
    """Run a command of our own."""
    command = [sys.executable, "-m", *words]
    subprocess.run(command, cwd=REPO, env=env, check=True, stdout=subprocess.DEVNULL)
