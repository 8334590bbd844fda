"""Run units of the study, in several processes where that is faster: one per core. The longest unit
starts first, and the caller puts the rows in order.

The permutations of a unit may use every core (CITYSYNC_THREADS). One unit of the headline takes as
long as all small ones together, and cores without a unit would otherwise wait for it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module

from estimation.inference.permutation.draws import show_progress
from estimation.sample.marts import Marts
from estimation.study.tables import Tables
from estimation.study.units import StudyError, Unit, run_here
from orchestration.home import Home
from warehouse.ingest.workers.pool import Pool, Task

# with fewer, the study takes less time than further processes need to load
PAIR_YEARS_WORTH_PROCESSES = 50_000


class WorkerLost(RuntimeError):
    """A worker was killed from outside; the message names the unit that it ran and what to do."""


@dataclass(frozen=True)
class UnitJob:
    """A unit, to be run on the marts that the pool shares."""

    unit: Unit

    def run(self, marts: Marts) -> Tables:
        """Its rows by table."""
        # a bar would write over the parent's lines
        with show_progress(False):
            return self.unit.run(marts)


def n_processes() -> int:
    """CITYSYNC_THREADS, else the processors of the machine."""
    return int(os.environ.get("CITYSYNC_THREADS") or os.cpu_count() or 1)


def load() -> None:
    """Import packages and compile loops before the first unit; one of the processes compiles for
    all.
    """
    from estimation.api.compiled import compile_loops

    import_module("pyfixest.estimation")
    with open(Home.from_environment().cache / "compiling.lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        # a progress bar would make a semaphore, which is left over if this process is killed
        with show_progress(False):
            compile_loops()


def run_units(marts: Marts, units: Sequence[Unit], on_done: Callable[[Unit, Tables], None]) -> None:
    """Run units in `n_processes` processes; in this one alone where there are few pair-years, or
    where each process would get no more than one unit.
    """
    size = n_processes()
    is_small = len(marts.synchronization) < PAIR_YEARS_WORTH_PROCESSES
    if size == 1 or len(units) <= size or is_small:
        run_here(marts, units, on_done)
    else:
        run_in_workers(size, marts, units, on_done)


def run_in_workers(
    size: int, marts: Marts, units: Iterable[Unit], on_done: Callable[[Unit, Tables], None]
) -> None:
    """Run units in `size` processes.

    Raises
    ------
    StudyError
        Of the first unit that failed, with the traceback of its process as a note; the others are
        given up.
    WorkerLost
        Where a process ended without an answer.
    """
    longest_first = sorted(units, key=lambda unit: -unit.weight)
    tasks = (Task(UnitJob(unit), note=unit) for unit in longest_first)
    with Pool(size, load) as pool:
        for task, outcome in pool.run(tasks, shared=marts):
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
            on_done(task.note, outcome.value)
