"""Timing in one process: repetitions, medians, and the peak memory of the fastest run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def median_seconds(run: Callable[[], Any], repetitions: int = 5) -> float:
    """Median wall time of `run` after one warm-up."""
    run()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak_mb() -> float:
    """Largest resident size of this program so far, in MB.

    From the kernel's mark of this program's own memory: `ru_maxrss` also counts the process that
    started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
