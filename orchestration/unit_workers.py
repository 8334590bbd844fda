"""Units of the study in processes of their own, one per core: the longest are begun first, and the
caller puts their rows in order.

The draws of a worker may use every core (CITYSYNC_THREADS): one unit of the headline takes as long
as all small ones, and so no core waits for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from estimation.inference.permutation.draws import show_progress
from estimation.study.units import Rows, StudyError, Unit
from warehouse.ingest.workers.pool import Pool, Task


class WorkerLost(RuntimeError):
    """A worker was ended from outside; the message says what it was at, and what to do."""


@dataclass(frozen=True)
class UnitJob:
    """A unit, to be run on the marts that the pool shares."""

    unit: Unit

    def run(self, frames: Mapping[str, Any]) -> Rows:
        """Its rows by table."""
        # a bar would write over the parent's lines
        with show_progress(False):
            return self.unit.run(frames)


class _Waiting(Iterator[Task]):
    """Units that wait, the heaviest first; others may come while some are run."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._order, self._heap = count(), []
        self.add(units)

    def add(self, units: Iterable[Unit]) -> None:
        for unit in units:
            heapq.heappush(self._heap, (-unit.weight, next(self._order), unit))

    def __next__(self) -> Task:
        if not self._heap:
            raise StopIteration
        unit = heapq.heappop(self._heap)[-1]
        return Task(UnitJob(unit), note=unit)


def run_in_workers(
    size: int,
    frames: Mapping[str, Any],
    units: Iterable[Unit],
    on_done: Callable[[Unit, Rows], Iterable[Unit]],
) -> None:
    """Run units, and those that `on_done` returns, in `size` processes.

    Raises
    ------
    StudyError
        Of the first unit that failed, with the traceback of its process as a note; the others are
        given up.
    WorkerLost
        Where a process ended without an answer.
    """
    waiting, pool = _Waiting(units), Pool(size, shared=dict(frames))
    try:
        for task, outcome in pool.run(waiting):
            if outcome.ended:
                raise WorkerLost(
                    f"{task.note.name}: a process of the estimates was ended ({outcome.ended}), "
                    "perhaps because memory ran out; close other programs, or set "
                    "CITYSYNC_THREADS=1 for one process alone, then run again"
                )
            if outcome.raised:
                text, trace = outcome.raised
                error = StudyError(text.removeprefix("StudyError: "))
                error.add_note(f"in a process of the estimates:\n{trace}")
                raise error
            waiting.add(on_done(task.note, outcome.value))
    finally:
        pool.close()
