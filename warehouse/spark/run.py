"""The pair-grain models on Spark through dbt's session method; runs in `.venv-spark`, with the
checkout as working folder.

`python -m warehouse.spark.run INPUTS WORK` takes the Parquet of `warehouse.spark.inputs`, builds
the models of the tag pair_grain and leaves each as Parquet in `<tables>/<schema>.db/<table>/`.
`--tests` builds what the gates ask of them too, and asks the data tests of all these. `--check`
opens a session, sees that a worker takes work, and ends. Settings: `warehouse/spark/settings.py`.

Every line of standard output is a JSON object with one of the keys `progress` (a text), `client`
(versions), `place` (where tables are written meanwhile), `tables` (the folder of this machine that
holds them, with seconds by model), `failed` (a model or a test of ours), `fault` (why Spark cannot
work, one line).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyspark
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

from warehouse.spark.faults import SparkFault, explain
from warehouse.spark.session import count_workers, open_session
from warehouse.spark.settings import SparkSettings

REPO = Path(__file__).resolve().parents[2]
MODELS = "tag:pair_grain"
BAD_INPUT = 2
_stdout = os.dup(1)


class ModelsFailed(Exception):
    """A model or a data test of our own failed on Spark; the message names it and what
    Spark says.
    """


def tell(**line: Any) -> None:
    """One line for the process that started this one."""
    os.write(_stdout, f"{json.dumps(line)}\n".encode())


def end(sentence: str) -> None:
    """Say why Spark cannot work and end at once, also while another thread waits inside Java."""
    tell(fault=sentence if sentence.startswith("ENGINE=spark") else f"ENGINE=spark: {sentence}")
    os._exit(BAD_INPUT)


def register_inputs(session: SparkSession, inputs: Path) -> list[str]:
    """Each Parquet file `<schema>.<table>.parquet` of this machine as that table of the session;
    their names.

    The driver reads them and hands the rows over: workers need not see this folder.
    """
    names = []
    for path in sorted(inputs.glob("*.parquet")):
        schema, table, _ = path.name.split(".")
        session.sql(f"create database if not exists {schema}")
        session.createDataFrame(pq.read_table(path)).write.mode("overwrite").format(
            "parquet"
        ).saveAsTable(f"{schema}.{table}")
        names.append(f"{schema}.{table}")
    return names


def run_dbt(command: list[str]) -> list[Any]:
    """Results of one dbt command, with a line of progress for each model."""

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


def build_tables(session: SparkSession, inputs: Path, with_tests: bool) -> dict[str, float]:
    """Seconds of every model by `schema.table`.

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
        tests = run_dbt(["test", "--select", models, "--exclude-resource-type", "unit_test"])
        tell(
            progress=(
                f"spark: {sum(str(test.status) == 'pass' for test in tests)} of {len(tests)} data "
                "tests passed"
            )
        )
        _raise_on([test for test in tests if str(test.status) not in ("pass", "warn")])
    return {
        f"{result.node.schema}.{result.node.name}": round(result.execution_time, 2)
        for result in results
    }


def _raise_on(failed: list[Any]) -> None:
    if failed:
        raise ModelsFailed(
            "; ".join(
                f"{result.node.resource_type} {result.node.name}: {result.message}"
                for result in failed
            )
        )


def fetch(session: SparkSession, source: str, target: Path) -> None:
    """Copy the tables from a storage with an address to a folder of this machine, by Hadoop's own
    file systems, and remove them there.
    """
    java = session.sparkContext._jvm
    path = java.org.apache.hadoop.fs.Path(source)
    files = path.getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
    files.copyToLocalFile(False, path, java.org.apache.hadoop.fs.Path(str(target)), True)
    files.delete(path, True)


def work_place(settings: SparkSettings, work: Path) -> str:
    """Where tables are written: the shared storage under a name of this run, else the work
    folder.
    """
    return (
        f"{settings.storage.rstrip('/')}/citysync-{os.getpid()}-{work.parent.name}"
        if settings.storage
        else str(work / "tables")
    )


def work_on(options: argparse.Namespace, settings: SparkSettings) -> None:
    """Everything between the first and the last line."""
    work = options.work.absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    os.environ.update(
        DBT_TARGET_PATH=str(work / "dbt"), DBT_LOG_PATH=str(work / "dbt"), DO_NOT_TRACK="1"
    )
    place = work_place(settings, work)
    with open_session(settings, work / "local", place, end) as session:
        tell(place=place)
        java = session.sparkContext._jvm.java.lang.System.getProperty("java.version")
        tell(client={"spark": session.version, "java": java, "workers": count_workers(session)})
        if options.check:
            session.range(1).count()
            return
        seconds = build_tables(session, options.inputs.absolute(), options.tests)
        if "://" in place:
            fetch(session, place, work / "tables")
            place = str(work / "tables")
    tell(tables=place, seconds=seconds)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m warehouse.spark.run", description=__doc__)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    # what Java and dbt print is for the log
    os.dup2(2, 1)
    settings = SparkSettings.from_environment()
    try:
        work_on(options, settings)
    except ModelsFailed as error:
        sentence = explain(str(error), settings.master, pyspark.__version__)
        tell(**({"fault": sentence} if sentence else {"failed": str(error)[:4000]}))
        return BAD_INPUT if sentence else 1
    except SparkFault as error:
        tell(fault=str(error))
        return BAD_INPUT
    except Exception as error:
        traceback.print_exc()
        sentence = explain(f"{type(error).__name__}: {error}", settings.master, pyspark.__version__)
        tell(
            **(
                {"fault": sentence}
                if sentence
                else {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:1000]}"}
            )
        )
        return BAD_INPUT if sentence else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
