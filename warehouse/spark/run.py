"""The pair-grain models on Spark through dbt's session method; runs in `.venv-spark`, with the
checkout as working folder.

`python -m warehouse.spark.run INPUTS WORK` takes the Parquet that `warehouse.spark.engine` hands
over, builds the models of the tag pair_grain and leaves each as Parquet in
`<tables>/<schema>.db/<table>/`.
`--tests` also builds what the gates check of them, and runs the data tests of all these.

Where Spark runs and with how many cores is configured as usual in Spark: `spark-defaults.conf`
(SPARK_CONF_DIR), SPARK_DRIVER_MEMORY, SPARK_EXECUTOR_MEMORY, and here SPARK_MASTER. Nothing of it
changes a result.

Every line of standard output is a JSON object with one of the keys `progress` (a text), `tables`
(the folder of this machine that holds them), `failed` (a model or a test of ours), `fault` (why
Spark cannot work, one line).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from dbt.cli.main import dbtRunner
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from warehouse.spark.faults import SparkFault

REPO = Path(__file__).resolve().parents[2]
MODELS = "tag:pair_grain"
FIRST_WORKER_SECONDS = 60
# where neither spark-defaults.conf nor a variable says otherwise
DEFAULTS = {"MASTER": os.environ.get("SPARK_MASTER") or "local[2]", "SPARK_DRIVER_MEMORY": "3g"}
OURS_UNLESS_SAID = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
}
OURS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_stdout = os.dup(1)


class ModelsFailed(Exception):
    """A model or a data test of our own failed on Spark; the message names it and what
    Spark says.
    """


def tell(**line: Any) -> None:
    """One line for the process that started this one."""
    os.write(_stdout, f"{json.dumps(line)}\n".encode())


@contextmanager
def open_session(work: Path) -> Iterator[tuple[SparkSession, str]]:
    """The session that dbt takes too, closed in the end, and where it writes tables: below
    spark.sql.warehouse.dir where that is set, which workers elsewhere must see, else in `work`.

    Raises
    ------
    SparkFault
        If no worker takes the run; without it Spark would wait for ever.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    SparkContext._ensure_initialized()
    conf = SparkConf().setAppName("citysync")
    for name, value in OURS_UNLESS_SAID.items():
        conf.setIfMissing(name, value)
    shared = conf.get("spark.sql.warehouse.dir")
    place = f"{shared.rstrip('/')}/citysync-{os.getpid()}" if shared else str(work / "tables")
    for name, value in (OURS | {"spark.sql.warehouse.dir": place}).items():
        conf.set(name, value)
    session = SparkSession.builder.config(conf=conf).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        if not session.sparkContext.master.startswith("local"):
            _wait_for_worker(session)
        yield session, place
    finally:
        session.stop()


def _wait_for_worker(session: SparkSession) -> None:
    until = time.monotonic() + FIRST_WORKER_SECONDS
    # the driver's own process is counted too
    while session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > until:
            raise SparkFault(
                f"ENGINE=spark: no worker of {session.sparkContext.master} took this run within "
                f"{FIRST_WORKER_SECONDS} s: start workers, or ask for less than "
                "SPARK_EXECUTOR_MEMORY"
            )
        time.sleep(0.2)


def register_inputs(session: SparkSession, inputs: Path) -> None:
    """Each Parquet file `<schema>.<table>.parquet` of this machine as that table of the session.

    The driver reads them and hands the rows over: workers need not see this folder.
    """
    for path in sorted(inputs.glob("*.parquet")):
        schema, table, _ = path.name.split(".")
        session.sql(f"create database if not exists {schema}")
        session.createDataFrame(pq.read_table(path)).write.mode("overwrite").format(
            "parquet"
        ).saveAsTable(f"{schema}.{table}")


def run_dbt(command: list[str]) -> list[Any]:
    """Return results of one dbt command, with a line of progress for each model."""

    def watch(event: Any) -> None:
        if event.info.name == "NodeFinished" and event.data.node_info.resource_type == "model":
            tell(
                progress=(
                    f"spark: {event.data.node_info.node_name}, "
                    f"{event.data.run_result.execution_time:.1f} s"
                )
            )

    places = ["--project-dir", str(REPO), "--profiles-dir", str(REPO), "--target", "spark"]
    quiet = ["--quiet", "--log-level-file", "none"]
    outcome = dbtRunner(callbacks=[watch]).invoke([*command, *places, *quiet])
    if outcome.exception is not None:
        raise outcome.exception
    return list(outcome.result.results)


def build_tables(session: SparkSession, inputs: Path, with_tests: bool) -> None:
    """Build every model, and run their data tests.

    Raises
    ------
    ModelsFailed
        If dbt fails on a model, or a data test finds rows.
    """
    register_inputs(session, inputs)
    models = f"{MODELS}+" if with_tests else MODELS
    results = run_dbt(["run", "--select", models])
    _raise_on([result for result in results if str(result.status) not in ("success", "pass")])
    if with_tests:
        results = run_dbt(["test", "--select", models, "--exclude-resource-type", "unit_test"])
        # among the results is the hook at the start, which does nothing on Spark
        tests = [result for result in results if result.node.resource_type == "test"]
        tell(
            progress=(
                f"spark: {sum(str(test.status) == 'pass' for test in tests)} of {len(tests)} data "
                "tests passed"
            )
        )
        fine = ("success", "pass", "warn")
        _raise_on([result for result in results if str(result.status) not in fine])


def _raise_on(failed: list[Any]) -> None:
    if failed:
        raise ModelsFailed(
            "; ".join(
                f"{result.node.resource_type} {result.node.name}: {result.message}"
                for result in failed
            )
        )


def fetch(session: SparkSession, source: str, target: Path) -> None:
    """Copy the tables from where the workers wrote them to a folder of this machine, by Hadoop's
    own file systems, and remove them there.
    """
    java = session.sparkContext._jvm
    path = java.org.apache.hadoop.fs.Path(source)
    files = path.getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
    files.copyToLocalFile(False, path, java.org.apache.hadoop.fs.Path(str(target)), True)
    files.delete(path, True)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m warehouse.spark.run", description=__doc__)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--tests", action="store_true")
    options = parser.parse_args()
    # what Java and dbt print is for the log
    os.dup2(2, 1)
    work = options.work.absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH"):
        os.environ[name] = str(work / "dbt")
    try:
        with open_session(work) as (session, place):
            build_tables(session, options.inputs.absolute(), options.tests)
            # a storage with an address, or a folder that the workers see too
            if place != str(work / "tables"):
                fetch(session, place, work / "tables")
        tell(tables=str(work / "tables"))
    except ModelsFailed as error:
        tell(failed=str(error)[:4000])
        return 1
    except SparkFault as error:
        tell(fault=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
