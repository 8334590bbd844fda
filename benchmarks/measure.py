"""Timing in one process: repetitions, medians, and the peak memory of the fastest run."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
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
    """Largest resident size of this process so far, in MB (a high-water mark: it never falls)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
