"""Timing in one process: repetitions, medians, and the peak memory of the fastest run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def median_seconds(run: Callable[[], Any], repetitions: int) -> float:
    """Median wall time of `run` after one warm-up."""
    run()
    return statistics.median(seconds_of(run) for _ in range(repetitions))


def seconds_of(run: Callable[[], Any]) -> float:
    """By the clock."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def peak_mb() -> float:
    """Largest resident size of this program so far, in MB.

    From the kernel's mark of this program's own memory: `ru_maxrss` also counts the process that
    started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
