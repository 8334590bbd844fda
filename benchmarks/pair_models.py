"""The pair models as dbt builds them against the same compiled SQL run straight in DuckDB, both
from the same city-year tables.

Seconds are dbt's own `execute` timing of each model (as in run_results.json); the floor is `create
table ... as` in one connection. Ratios are taken in each repetition before their middle, of wall
time and of processor time: on a shared machine the second is the steadier one.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import peak_mb
from orchestration.dbt_runner import QUIET
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
from warehouse.spark.inputs import TABLES, write_inputs
from warehouse.spark.parity import load_inputs

MODELS = "tag:pair_grain"
LIMITS = {"threads": 2, "memory_limit": "3500MB"}
# tables on both sides at any size, or files by year at any size
AS_TABLES, AS_FILES = "1000000000000", "0"


def build_city_years(landing: Path, folder: Path) -> Path:
    """The city-year tables that the pair models read, built from a landing; returns the
    database.
    """
    build = folder / "city_years"
    build.mkdir(parents=True)
    read_landing(landing, folder / "raw", build, layouts=load_layouts(), strict=False)
    wanted = [f"+{table}" for tables in TABLES.values() for table in tables]
    _run_dbt(
        ["build", "--select", *wanted, "--exclude-resource-type", "test", "unit_test"],
        build,
        folder,
        threads=2,
        pair_year_limit=AS_TABLES,
    )
    return build / "citysync.duckdb"


def bench_pair_models(
    city_years: Path, n_cities: int, folder: Path, repetitions: int, *, more_years: int = 0
) -> Iterator[dict[str, Any]]:
    """One line for all pair models together and one for each; `more_years` are put before the study
    window.
    """
    inputs, build = folder / f"inputs_{n_cities}", folder / f"build_{n_cities}"
    write_inputs(city_years, inputs, n_cities, more_years)
    runs = [_measure_once(inputs, build, folder) for _ in range(repetitions)]
    peak = peak_mb()
    with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
        rows = con.execute("select count(*) from marts.fct_pair_synchronization").fetchone()[0]
    yield _line(
        "pair_models", n_cities, rows, peak, [[_total(side) for side in run] for run in runs]
    )
    for name in runs[0][0]:
        yield _line(
            f"pair_models.{name}",
            n_cities,
            rows,
            peak,
            [[side[name] for side in run] for run in runs],
        )
    shutil.rmtree(build)
    shutil.rmtree(inputs)


def bench_files_by_year(
    city_years: Path, n_cities: int, folder: Path, *, more_years: int = 0
) -> Iterator[dict[str, Any]]:
    """Seconds of the same models where pair-years become Parquet files by year, once; the floor of
    a table is no floor of these.
    """
    inputs, build = folder / f"inputs_{n_cities}", folder / f"files_{n_cities}"
    write_inputs(city_years, inputs, n_cities, more_years)
    build.mkdir()
    load_inputs(inputs, build / "citysync.duckdb")
    results = _run_dbt(
        ["run", "--select", MODELS], build, folder, threads=1, pair_year_limit=AS_FILES
    )
    with duckdb.connect(str(build / "citysync.duckdb"), read_only=True) as con:
        rows = con.execute("select count(*) from marts.fct_pair_synchronization").fetchone()[0]
    seconds = {result.node.name: _execute_seconds(result) for result in results}
    size = sum(path.stat().st_size for path in build.rglob("*.parquet"))
    common = {
        "n_cities": n_cities,
        "rows": rows,
        "peak_mb": round(peak_mb(), 1),
        "ratio_to_floor": None,
        "ratio_to_peer": None,
    }
    common |= {"peer": None, "max_abs_difference": None, "files_mb": round(size / 1e6, 1)}
    yield {"name": "pair_models_by_year", "seconds": round(sum(seconds.values()), 4), **common}
    for name, value in seconds.items():
        yield {"name": f"pair_models_by_year.{name}", "seconds": round(value, 4), **common}
    shutil.rmtree(build)
    shutil.rmtree(inputs)


def _measure_once(
    inputs: Path, build: Path, folder: Path
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """(wall, processor) seconds of every model by dbt, and of the same SQL in DuckDB."""
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
    load_inputs(inputs, build / "citysync.duckdb")
    marks: dict[str, float] = {}
    cpu: dict[str, float] = {}

    def watch(event: Any) -> None:
        name = event.info.name
        if name == "NodeExecuting":
            marks[event.data.node_info.node_name] = time.process_time()
        elif name == "NodeFinished" and event.data.node_info.node_name in marks:
            cpu[event.data.node_info.node_name] = (
                time.process_time() - marks[event.data.node_info.node_name]
            )

    results = _run_dbt(
        ["run", "--select", MODELS],
        build,
        folder,
        threads=1,
        pair_year_limit=AS_TABLES,
        callbacks=[watch],
    )
    floor = _measure_floor(
        build / "citysync.duckdb",
        {result.node.name: result.node.compiled_code for result in results},
    )
    return {
        result.node.name: (_execute_seconds(result), cpu[result.node.name]) for result in results
    }, floor


def _execute_seconds(result: Any) -> float:
    return next(
        (timing.completed_at - timing.started_at).total_seconds()
        for timing in result.timing
        if timing.name == "execute"
    )


def _measure_floor(database: Path, compiled: dict[str, str]) -> dict[str, tuple[float, float]]:
    seconds = {}
    with duckdb.connect(str(database), config=LIMITS) as con:
        con.execute("create schema floor")
        for name, sql in compiled.items():
            wall, processor = time.perf_counter(), time.process_time()
            con.execute(f"create table floor.measured as {sql}")
            seconds[name] = (time.perf_counter() - wall, time.process_time() - processor)
            con.execute("drop table floor.measured")
    return seconds


def _run_dbt(
    command: list[str],
    build: Path,
    folder: Path,
    *,
    threads: int,
    pair_year_limit: str,
    callbacks: list | None = None,
) -> list[Any]:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    os.environ.update(
        CITYSYNC_BUILD=str(build),
        DBT_TARGET_PATH=str(folder / "dbt"),
        DBT_LOG_PATH=str(folder / "dbt"),
        DO_NOT_TRACK="1",
    )
    os.environ["CITYSYNC_PAIR_YEAR_LIMIT"] = pair_year_limit
    try:
        outcome = dbtRunner(callbacks=callbacks or []).invoke(
            [*command, "--threads", str(threads), *QUIET]
        )
    finally:
        DuckDBConnectionManager.close_all_connections()
    if not outcome.success:
        errors = [r.message for r in outcome.result if str(r.status) == "error"]
        raise RuntimeError(f"dbt failed: {outcome.exception or errors}")
    return list(outcome.result)


def _total(side: dict[str, tuple[float, float]]) -> tuple[float, float]:
    return sum(wall for wall, _ in side.values()), sum(cpu for _, cpu in side.values())


def _line(
    name: str, n_cities: int, rows: int, peak: float, runs: list[list[tuple[float, float]]]
) -> dict[str, Any]:
    """`runs` holds for each repetition dbt's and the floor's (wall, processor) seconds."""
    return {
        "name": name,
        "n_cities": n_cities,
        "rows": rows,
        "seconds": round(statistics.median(by_dbt[0] for by_dbt, _ in runs), 4),
        "peak_mb": round(peak, 1),
        "ratio_to_floor": round(
            statistics.median(by_dbt[0] / floor[0] for by_dbt, floor in runs), 3
        ),
        "cpu_ratio_to_floor": round(
            statistics.median(by_dbt[1] / floor[1] for by_dbt, floor in runs), 3
        ),
        "ratio_to_peer": None,
        "peer": None,
        "max_abs_difference": None,
        "floor": "the same SQL in DuckDB",
    }
