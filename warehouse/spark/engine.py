"""The pair models built by Spark in a process of its own: what is handed over, what comes back, and
how every fault ends in one line.

`.venv-spark` has its own lock, so that neither Spark's client nor this project's packages bind the
other's versions.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warehouse.database import open_build
from warehouse.spark.faults import SparkFault, explain, require_java
from warehouse.sql_text import literal
from warehouse.whole_files import remove_any

REPO = Path(__file__).resolve().parents[2]
ENVIRONMENT = REPO / ".venv-spark"
# where warehouse/macros/pair_table.sql finds what Spark built
TABLES = "CITYSYNC_SPARK_TABLES"
# in the build folder: what Java and dbt said
LOG, LOG_TAIL = "spark.log", 200_000
#: The city-year tables that the pair-grain models read.
INPUTS = {
    "seeds": ("city_roster",),
    "intermediate": (
        "int_city_ties",
        "int_city_treatment",
        "int_city_scores",
        "int_city_year_scores",
        "int_study_window",
    ),
}
# read by what the gates check of pair tables, and by their data tests
ALSO = {"marts": ("fct_city_year", "dim_city")}


class SparkFailed(Exception):
    """A model or a data test of our own failed on Spark; the message names it."""


def spark_packages() -> dict[str, str]:
    """Versions of Spark and of dbt's adapter for it, as its environment holds them; for the
    manifest.
    """
    folders = [str(path) for path in ENVIRONMENT.glob("lib/python3*/site-packages")]
    found = {
        each.metadata["Name"]: each.version
        for each in importlib.metadata.distributions(path=folders)
    }
    return {name: found[name] for name in ("dbt-spark", "pyspark") if name in found}


def require_spark() -> dict[str, Any]:
    """See that Spark can be started at all, before a run builds anything.

    Returns
    -------
    dict
        Versions of Java and of Spark's packages.

    Raises
    ------
    SparkFault
        Naming what is missing and what to do.
    """
    if not (ENVIRONMENT / "bin" / "python").exists():
        raise SparkFault(
            f"ENGINE=spark: {ENVIRONMENT} is not there; `make refresh ENGINE=spark` makes it, as "
            "`make spark` does"
        )
    return {"java": require_java(os.environ), **spark_packages()}


@contextmanager
def pair_tables(build: Path, *, tests: bool, on_progress: Callable[[str], None]) -> Iterator[Path]:
    """The pair models of a build, from its city-years, as Parquet folders `<schema>.db/<table>/`
    for as long as the block lasts.

    Parameters
    ----------
    build : Path
        Folder of a build whose other models are there.
    tests : bool
        Whether the models' data tests are run on Spark's tables too.
    on_progress : callable
        Is given a line for each model.

    Yields
    ------
    Path
        The folder; CITYSYNC_SPARK_TABLES names it meanwhile, so that dbt takes the tables from
        there.

    Raises
    ------
    SparkFault
        If Spark cannot work; one line.
    SparkFailed
        If one of our models or tests fails there.
    """
    inputs, work = build / "spark" / "inputs", build / "spark" / "work"
    remove_any(build / "spark")
    _write_inputs(build / "citysync.duckdb", inputs, tests=tests)
    try:
        options = ["--tests"] if tests else []
        os.environ[TABLES] = _run(inputs, work, build / LOG, options, on_progress)
        yield Path(os.environ[TABLES])
    finally:
        os.environ.pop(TABLES, None)
        remove_any(build / "spark")


def _write_inputs(build: Path, folder: Path, *, tests: bool) -> None:
    """The hand-over from DuckDB to Spark: one Parquet file a table, those that data tests and gates
    compare with where these are asked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open_build(build.parent, read_only=True) as con:
        for schema, tables in (INPUTS | (ALSO if tests else {})).items():
            for table in tables:
                target = literal(folder / f"{schema}.{table}.parquet")
                con.execute(
                    f"copy (from {schema}.{table} order by all) to {target} (format parquet)"
                )


def _run(
    inputs: Path, work: Path, log: Path, options: list[str], on_progress: Callable[[str], None]
) -> str:
    """Return the folder of the tables that `warehouse.spark.run` built; progress is handed on as it
    comes.
    """
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "warehouse.spark.run"]
    said: dict[str, str] = {}
    with (
        open(log, "wb") as errors,
        subprocess.Popen(
            [*command, str(inputs), str(work), *options],
            cwd=REPO,
            # `citysync` sets PYTHONSAFEPATH, under which Python does not look in the working folder
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as child,
    ):
        for line in child.stdout:
            said |= json.loads(line)
            if "progress" in said:
                on_progress(said.pop("progress"))
    if "tables" in said:
        return said["tables"]
    # the message of Java is likelier than what was made of it
    last_words = log.read_bytes()[-LOG_TAIL:].decode("utf-8", errors="replace")
    if sentence := explain(said.get("failed") or last_words):
        raise SparkFault(sentence)
    if "failed" in said:
        raise SparkFailed(f"on Spark: {said['failed']}")
    raise SparkFault(
        said.get("fault")
        or f"ENGINE=spark: Spark ended with {child.returncode}; its last words, of {log}: "
        f"{' '.join(last_words.split())[-300:]}"
    )
