"""A session of Spark as the settings ask for it, and the watch over it: a cluster that does not
answer ends the run instead of hanging it.

Runs in `.venv-spark`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from warehouse.spark.faults import SparkFault, explain
from warehouse.spark.settings import SparkSettings, is_local

# a master answers in one or two seconds; Spark itself would ask for a minute. On a machine that is
# busy all of it takes longer, which shows in how long Java took to start.
MASTER_SECONDS, OF_A_START = 20, 3
# a worker starts its process for this run in a few seconds; one that was lost may be started again
# by whoever looks after the cluster
FIRST_WORKER_SECONDS, NO_WORKER_SECONDS = 60, 120
LOOK_SECONDS = 2.0


@contextmanager
def open_session(
    settings: SparkSettings, local: Path, warehouse: str, on_end: Callable[[str], None]
) -> Iterator[SparkSession]:
    """The session that dbt takes too, closed in the end.

    Parameters
    ----------
    settings : SparkSettings
    local : Path
        Folder of this machine for what Spark puts aside.
    warehouse : str
        Folder or address where tables are written; this machine and all workers see it.
    on_end : callable
        Is given a sentence, says it and ends this process at once: what waits inside Java hears
        nothing else.

    Yields
    ------
    SparkSession
        With at least one worker.

    Raises
    ------
    SparkFault
        If the master refuses, or no worker takes the run. A master that does not answer in some 20
        s ends the process.
    """
    conf = SparkConf(loadDefaults=True).setAppName("citysync").setMaster(settings.master)
    for name, value in {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": settings.bind_address,
        "spark.driver.host": settings.driver_host,
        "spark.driver.memory": settings.driver_memory,
        "spark.executor.memory": settings.executor_memory,
        "spark.sql.shuffle.partitions": settings.shuffle_partitions,
        "spark.sql.warehouse.dir": warehouse,
        "spark.local.dir": str(local),
        # a lost worker is found by its broken connection, long before this
        "spark.network.timeout": "60s",
        "spark.executor.heartbeatInterval": "5s",
    }.items():
        conf.set(name, value)
    began = time.monotonic()
    SparkContext._ensure_initialized(conf=conf)
    seconds = (
        math.inf
        if is_local(settings.master)
        else MASTER_SECONDS + OF_A_START * (time.monotonic() - began)
    )
    with _limit(seconds, f"{settings.master} did not answer as a master of this Spark", on_end):
        session = _ask_master(settings, conf)
    session.sparkContext.setLogLevel("ERROR")
    if not is_local(settings.master):
        _wait_for_worker(session, settings)
    stop = threading.Event()
    threading.Thread(target=_watch, args=(session, settings, stop, on_end), daemon=True).start()
    try:
        yield session
    finally:
        stop.set()
        session.stop()


def _ask_master(settings: SparkSettings, conf: SparkConf) -> SparkSession:
    """A session; Spark's own errors while it asks say many things that all mean that the master did
    not take this run.
    """
    try:
        return SparkSession.builder.config(conf=conf).getOrCreate()
    except Exception as error:
        sentence = explain(str(error), settings.master, pyspark.__version__)
        if sentence or is_local(settings.master):
            raise SparkFault(
                sentence
                or f"ENGINE=spark: Spark did not start: {' '.join(str(error).split())[:300]}"
            ) from error
        raise SparkFault(
            f"ENGINE=spark: {settings.master} did not answer as a master of this Spark "
            f"({pyspark.__version__}): correct SPARK_MASTER, "
            "start it, or start it from the packages of requirements/spark.txt"
        ) from error


def count_workers(session: SparkSession) -> int:
    """Processes that work for this session besides the driver's own."""
    return session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1


@contextmanager
def _limit(seconds: float, what: str, on_end: Callable[[str], None]) -> Iterator[None]:
    """End the process where the block, which waits inside Java, takes longer."""
    done = threading.Event()

    def end() -> None:
        if not done.wait(None if math.isinf(seconds) else seconds):
            on_end(
                f"{what} within {seconds:.0f} s: correct SPARK_MASTER, or start it from the "
                "packages of requirements/spark.txt"
            )

    threading.Thread(target=end, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _wait_for_worker(session: SparkSession, settings: SparkSettings) -> None:
    until = time.monotonic() + FIRST_WORKER_SECONDS
    while count_workers(session) < 1:
        if time.monotonic() > until:
            raise SparkFault(
                f"ENGINE=spark: no worker of {settings.master} took this run within "
                f"{FIRST_WORKER_SECONDS} s: start workers, or ask "
                f"for less than SPARK_EXECUTOR_MEMORY={settings.executor_memory}, or end another "
                "application there"
            )
        time.sleep(0.2)


def _watch(
    session: SparkSession,
    settings: SparkSettings,
    stop: threading.Event,
    on_end: Callable[[str], None],
) -> None:
    """End the process where whoever started it is gone, or no worker has been there for long."""
    parent, seen = os.getppid(), time.monotonic()
    while not stop.wait(LOOK_SECONDS):
        if os.getppid() != parent:
            os._exit(1)
        try:
            there = is_local(settings.master) or count_workers(session) > 0
        except (
            Exception
        ):  # the session is being closed, or Java is gone: the call that waits for it says so
            return
        seen = time.monotonic() if there else seen
        if time.monotonic() - seen > NO_WORKER_SECONDS:
            on_end(
                f"all workers of {settings.master} were lost and none came back within "
                f"{NO_WORKER_SECONDS} s: look at their logs"
            )
