"""Build the warehouse without the effect, from which the truth of each spec is computed.

There is one for simulated data alone. It is built in the background while other stages run, since a
build uses one core.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from orchestration.dbt_runner import Dbt, raise_on_failure
from orchestration.home import Home
from orchestration.run import Run
from orchestration.settings import uses_spark
from orchestration.supervision import end_when_parent_ends
from orchestration.unit_workers import n_processes
from warehouse.database import open_build
from warehouse.sql_text import literal

# outcomes of pairs, and series of cities
TARGETS = ("+fct_pair_synchronization", "+fct_city_pair", "+fct_city_year", "+dim_city")


def start(run: Run) -> None:
    """Start to build in a new process, which ends with its work or with this one, unless Spark is
    used or only one process may run: then `wait` builds.
    """
    if not uses_spark() and n_processes() > 1:
        spawned = get_context("spawn")
        builder = ProcessPoolExecutor(1, spawned, end_when_parent_ends, (os.getpid(),))
        run.counterfactual = builder.submit(build, run.home)
        builder.shutdown(wait=False)


def wait(run: Run) -> None:
    """Wait for the build; build here where none was started.

    Raises
    ------
    DbtFailed
        If a model fails.
    """
    if run.counterfactual is None:
        build(run.home)
    else:
        run.counterfactual.result()
    run.stage_lines.done("counterfactual", "the warehouse without the effect is built")


def build(home: Home) -> None:
    """Build the models on the raw rows of `build/counterfactual/`."""
    # dbt writes what it compiles, and the other build does so at the same time
    folder = ("--target-path", str(home.counterfactual / "dbt"))
    options = ("--exclude-resource-type", "unit_test", "test", *folder)
    results = Dbt(home).build_models(
        TARGETS, build=home.counterfactual, options=options, pairs=True, tests=False
    )
    raise_on_failure(results)
    keep_marts_alone(home.counterfactual)


def keep_marts_alone(build: Path) -> None:
    """Write the database anew without the models before the marts, which are more than half of it:
    a file of DuckDB does not become smaller when tables are dropped.
    """
    compact = build / "compact.duckdb"
    compact.unlink(missing_ok=True)
    with open_build(build) as con:
        for schema in ("intermediate", "staging"):
            con.execute(f"drop schema {schema} cascade")
        con.execute(f"attach {literal(compact)} as compact")
        con.execute("copy from database citysync to compact")
    os.replace(compact, build / "citysync.duckdb")
