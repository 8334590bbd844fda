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

from warehouse.spark.faults import SparkFault, explain, require_answer, require_java
from warehouse.spark.inputs import write_build_inputs
from warehouse.spark.settings import SparkSettings, is_local
from warehouse.whole_files import remove_any

REPO = Path(__file__).resolve().parents[2]
ENVIRONMENT = REPO / ".venv-spark"
# where warehouse/macros/table.sql finds what Spark built
TABLES = "CITYSYNC_SPARK_TABLES"
# in the build folder: what Java and dbt said, kept when a run failed
LOG, LOG_TAIL = "spark.log", 200_000


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


def require_spark(build: Path) -> dict[str, Any]:
    """See that Spark can work at all, before a run builds anything.

    Parameters
    ----------
    build : Path
        Folder of the build that will follow.

    Returns
    -------
    dict
        Versions of Spark and Java where a session was opened, which is done on every master but a
        local one; else of Java alone.

    Raises
    ------
    SparkFault
        Naming what is missing and what to do.
    """
    settings = SparkSettings.from_environment()
    if not (ENVIRONMENT / "bin" / "python").exists():
        raise SparkFault(
            f"ENGINE=spark: {ENVIRONMENT} is not there; `make refresh ENGINE=spark` makes it, as "
            "`make spark` does"
        )
    java = require_java(os.environ)
    require_answer(settings.master)
    if is_local(settings.master):
        return {"java": java}
    return _run(build / "spark", build / "spark", build / LOG, ["--check"], lambda _: None)[
        "client"
    ]


@contextmanager
def pair_tables(build: Path, *, tests: bool, on_progress: Callable[[str], None]) -> Iterator[Path]:
    """The pair models of a build, from its city-years, as Parquet folders `<schema>.db/<table>/`
    for as long as the block lasts.

    Parameters
    ----------
    build : Path
        Folder of a build whose other models are there.
    tests : bool
        Whether the models' data tests are asked of Spark's tables too.
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
    write_build_inputs(build / "citysync.duckdb", inputs, tests=tests)
    said: dict[str, Any] = {}
    before = os.environ.get(TABLES)
    try:
        said.update(
            _run(inputs, work, build / LOG, ["--tests"] if tests else [], on_progress, said)
        )
        os.environ[TABLES] = said["tables"]
        yield Path(said["tables"])
    finally:
        if before is None:
            os.environ.pop(TABLES, None)
        else:
            os.environ[TABLES] = before
        if "://" not in said.get("place", "://"):
            remove_any(Path(said["place"]))
        remove_any(build / "spark")


def _run(
    inputs: Path,
    work: Path,
    log: Path,
    options: list[str],
    on_progress: Callable[[str], None],
    said: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What `warehouse.spark.run` said, by key; progress is handed on as it comes."""
    said = {} if said is None else said
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(ENVIRONMENT / "bin" / "python"),
        "-m",
        "warehouse.spark.run",
        str(inputs),
        str(work),
        *options,
    ]
    with open(log, "wb") as errors:
        child = subprocess.Popen(
            command, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )  # our own command
        try:
            for line in child.stdout:
                found = json.loads(line)
                if "progress" in found:
                    on_progress(found["progress"])
                said.update(found)
            child.wait()
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
    if child.returncode == 0:
        return said
    raise _fault(said, child.returncode, _tail(log))


def _fault(said: dict[str, Any], code: int, log: str) -> Exception:
    """The error of a process that ended with a code that is not 0; what stands in the log is
    likelier than what was said of it.
    """
    settings = SparkSettings.from_environment()
    if "failed" in said:
        return SparkFailed(f"on Spark: {said['failed']}")
    cause = (
        explain(log, settings.master)
        if "did not answer" in said.get("fault", "") or "fault" not in said
        else ""
    )
    if cause or "fault" in said:
        return SparkFault(cause or said["fault"])
    last_words = " ".join(log.split())[-300:]
    return SparkFault(
        f"ENGINE=spark: the process of Spark ended with {code} and said nothing; its last words: "
        f"{last_words}"
    )


def _tail(log: Path) -> str:
    """The end of what Java and dbt said."""
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL))
        return file.read().decode("utf-8", errors="replace")
