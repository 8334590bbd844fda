"""The warehouse without the effect, of simulated data. A refresh builds it in a process of its own
beside its other stages, since a build keeps one core busy; a run of the UI builds it in its turn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from orchestration.dbt_runner import build_models, raise_on_failure
from orchestration.home import Home
from orchestration.run_settings import uses_spark
from orchestration.supervision import end_with

# what the truth of a spec is made from: outcomes of pairs, and series of cities
TARGETS = ("+fct_pair_synchronization", "+fct_city_pair", "+fct_city_year", "+dim_city")
_processes: list[ProcessPoolExecutor] = []
_begun: list[Future[None]] = []


def build(home: Home) -> None:
    """Build the models on the raw rows that lie in `build/counterfactual/`.

    Raises
    ------
    DbtFailed
        If a model fails.
    """
    # dbt writes what it compiles, and the other build does so at the same time
    folder = ("--target-path", str(home.counterfactual / "dbt"))
    options = ("--exclude-resource-type", "unit_test", "test", *folder)
    raise_on_failure(
        build_models(
            home, TARGETS, build=home.counterfactual, options=options, pairs=True, tests=False
        )
    )


@contextmanager
def in_own_process() -> Iterator[None]:
    """Within it `begin` builds in another process, which has ended when it is left.

    On Linux a copy of this process, which has dbt and the pandas of its models loaded already: 3 s
    of processor time less. Elsewhere what is loaded may not be copied.
    """
    way = get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(1, way, end_with, (os.getpid(),)) as processes:
        _processes.append(processes)
        try:
            yield
        finally:
            _processes.clear()
            _begun.clear()


def begin(home: Home) -> None:
    """Begin to build, where that may be done beside this process: Spark and a single core are
    needed for one build at a time.
    """
    if _processes and not uses_spark() and os.environ.get("CITYSYNC_THREADS") != "1":
        _begun.append(_processes[0].submit(build, home))


def finish(home: Home) -> None:
    """Wait for what was begun, or build now."""
    if _begun:
        _begun.pop().result()
        _processes.pop().shutdown()  # the estimates need its memory
    else:
        build(home)
