"""The same pair-grain models on DuckDB, and the largest difference to what Spark wrote.

`python -m warehouse.spark.parity INPUTS OUTPUTS` prints two JSON objects, timings and parity, and
ends with 1 where a value differs by more than 1e-12 (of its size where that is above 1) or anything
else differs at all.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

from warehouse.sql_text import literal, quote
from warehouse.table_difference import compare_relations

REPO = Path(__file__).resolve().parents[2]
KEYS = {
    "intermediate.int_city_pairs": ("city_i_id", "city_j_id"),
    "marts.fct_city_pair": ("city_i_id", "city_j_id"),
    "marts.fct_pair_synchronization": ("city_i_id", "city_j_id", "year"),
    "marts.panel_pair_year": ("city_i_id", "city_j_id", "year"),
}
TOLERANCE = 1e-12


def build_on_duckdb(inputs: Path, work: Path) -> dict[str, Any]:
    """Load the inputs and build the models of the tag pair_grain with dbt.

    Returns
    -------
    dict
        Seconds by model as dbt reports them, and `floor`: seconds of the same compiled SQL straight
        in DuckDB.

    Raises
    ------
    RuntimeError
        If dbt fails.
    """
    work.mkdir(parents=True, exist_ok=True)
    database = work / "citysync.duckdb"
    database.unlink(missing_ok=True)
    load_inputs(inputs, database)
    os.environ.update(
        CITYSYNC_BUILD=str(work),
        DBT_TARGET_PATH=str(work / "dbt"),
        DBT_LOG_PATH=str(work / "logs"),
        DO_NOT_TRACK="1",
    )
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    places = ["--project-dir", str(REPO), "--profiles-dir", str(REPO)]
    outcome = dbtRunner().invoke(["run", "--select", "tag:pair_grain", "--quiet", *places])
    DuckDBConnectionManager.close_all_connections()
    if not outcome.success:
        raise RuntimeError(
            "dbt on DuckDB failed: "
            f"{outcome.exception or [r.message for r in outcome.result.results]}"
        )
    results = {
        f"{result.node.schema}.{result.node.name}": result for result in outcome.result.results
    }
    return {
        "seconds": {name: round(result.execution_time, 3) for name, result in results.items()},
        "floor": measure_floor(
            database, {name: result.node.compiled_code for name, result in results.items()}
        ),
    }


def load_inputs(inputs: Path, database: Path) -> None:
    """The Parquet inputs as tables of a new database."""
    with duckdb.connect(str(database)) as con:
        for path in sorted(inputs.glob("*.parquet")):
            schema, table, _ = path.name.split(".")
            con.execute(f"create schema if not exists {quote(schema)}")
            con.execute(
                f"create table {quote(schema)}.{quote(table)} as select * from "
                f"read_parquet({literal(path)})"
            )


def measure_floor(database: Path, compiled: dict[str, str]) -> dict[str, float]:
    """Seconds of each model's compiled SQL as a plain `create table`."""
    seconds = {}
    limits = {"threads": 2, "memory_limit": os.environ.get("CITYSYNC_MEMORY_LIMIT", "3500MB")}
    with duckdb.connect(str(database), config=limits) as con:
        con.execute("create schema if not exists floor")
        for name, sql in compiled.items():
            start = time.perf_counter()
            con.execute(f"create or replace table floor.measured as {sql}")
            seconds[name] = round(time.perf_counter() - start, 3)
        con.execute("drop schema floor cascade")
    return seconds


def compare(work: Path, outputs: Path) -> dict[str, dict[str, Any]]:
    """Rows and largest difference of every table: a number where all differences are of rounding,
    else what is wrong.
    """
    report = {}
    with duckdb.connect(str(work / "citysync.duckdb"), read_only=True) as con:
        for name, keys in KEYS.items():
            schema, table = name.split(".")
            files = outputs / "tables" / f"{schema}.db" / table / "*.parquet"
            spark = f"read_parquet({literal(files)})"
            report[name] = compare_relations(con, name, spark, keys)
    return report


def main() -> int:
    """Command line."""
    inputs, outputs = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    work = outputs / "duckdb"
    print(json.dumps({"engine": "duckdb", **build_on_duckdb(inputs, work)}), flush=True)
    report = compare(work, outputs)
    equal = all(
        "fault" not in entry and entry["max_difference"] <= TOLERANCE for entry in report.values()
    )
    print(json.dumps({"parity": report, "equal": equal}))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
