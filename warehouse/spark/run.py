"""The pair-grain models on Spark through dbt's session method; run by `.venv-spark`, so it imports nothing of this project.

`python warehouse/spark/run.py INPUTS OUTPUTS` reads the Parquet of `warehouse.spark.inputs`, builds the models of the tag pair_grain and
writes each as Parquet. The master and memory come from SPARK_MASTER (default local[2]) and SPARK_DRIVER_MEMORY (default 3g).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

REPO = Path(__file__).resolve().parents[2]
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def open_session(work: Path) -> SparkSession:
    """A session that keeps everything below `work`; dbt takes the same one."""
    builder = SparkSession.builder.appName("citysync").master(os.environ.get("SPARK_MASTER", "local[2]"))
    settings = {
        **SETTINGS,
        "spark.sql.warehouse.dir": str(work / "warehouse"),
        "spark.local.dir": str(work / "local"),
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "3g"),
        "spark.sql.shuffle.partitions": os.environ.get("SPARK_SHUFFLE_PARTITIONS", "8"),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def register_inputs(session: SparkSession, inputs: Path) -> None:
    """Each Parquet file `<schema>.<table>.parquet` as that table."""
    for path in sorted(inputs.glob("*.parquet")):
        schema, table, _ = path.name.split(".")
        session.sql(f"create database if not exists {schema}")
        session.sql(f"drop table if exists {schema}.{table}")
        session.read.parquet(str(path)).createOrReplaceTempView("incoming")
        session.sql(f"create table {schema}.{table} using parquet as select * from incoming")


def main() -> int:
    """Build, write, and print seconds by model as JSON."""
    inputs, outputs = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    work = outputs / "spark"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    os.environ.update(DBT_TARGET_PATH=str(work / "dbt"), DBT_LOG_PATH=str(work / "logs"), DO_NOT_TRACK="1")
    session = open_session(work)
    register_inputs(session, inputs)
    places = ["--project-dir", str(REPO), "--profiles-dir", str(REPO)]
    outcome = dbtRunner().invoke(["run", "--target", "spark", "--select", "tag:pair_grain", "--quiet", *places])
    if not outcome.success:
        reasons = outcome.exception or [result.message for result in outcome.result.results if result.status == "error"]
        print(f"dbt on Spark failed: {reasons}", file=sys.stderr)
        return 1
    seconds = {}
    for result in outcome.result.results:
        name = f"{result.node.schema}.{result.node.name}"
        seconds[name] = round(result.execution_time, 2)
        session.table(name).write.mode("overwrite").parquet(str(outputs / f"{name}.parquet"))
    session.stop()
    print(json.dumps({"engine": "spark", "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
