"""One function on many items by several processes. The landing uses it to split policy texts before it reads file after file."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: With fewer items, starting the processes (about a second) costs more than they save.
MIN_ITEMS = 400
CHUNK = 50


def map_on_cores(work: Callable[[Item], Result], items: Sequence[Item], *, processes: int | None = None) -> list[Result]:
    """Results of `work` on every item in their order, by several processes where there are many items and several cores.

    Parameters
    ----------
    work : callable
        A function of a module, or a partial of one; the result must not depend on which process runs it.
    items : sequence
        Picklable.
    processes : int, optional
        Default: CITYSYNC_THREADS, else the number of cores.
    """
    processes = processes or int(os.environ.get("CITYSYNC_THREADS") or os.cpu_count() or 1)
    if processes < 2 or len(items) < MIN_ITEMS:
        return [work(item) for item in items]
    # a fresh interpreter each: the fork of a process with threads may hang
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(work, items, chunksize=CHUNK))
