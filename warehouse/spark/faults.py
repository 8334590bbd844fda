"""Explain why Spark cannot work in one sentence that says what to do. The words are those of
Java, Spark 4 and Hadoop's file systems.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

from warehouse.errors import Refused

#: What Spark 4 runs on; older ones end with a long text about class files.
OLDEST_JAVA = 17
AS_PACKAGE = "on Debian: apt-get install default-jre-headless"

# in this order: what caused a fault often stands behind what followed from it
MEANINGS = {
    "No space left on device|Disk quota exceeded": "the disk of a worker or of "
    "spark.sql.warehouse.dir is full (df -h there shows it); make room, then run again",
    "InvalidClassException|local class incompatible|StreamCorruptedException": "the master runs "
    "another version of Spark; start it and the workers from the packages of "
    "requirements/spark.txt",
    "UnsupportedClassVersionError|class file version": "the Java of this machine or of a worker is "
    f"too old: Spark needs Java {OLDEST_JAVA} or 21; {AS_PACKAGE}",
    "OutOfMemoryError|GC overhead limit|exitStatus 137|SparkOutOfMemoryError": "memory of Spark "
    "ran out: raise SPARK_EXECUTOR_MEMORY (with a local master SPARK_DRIVER_MEMORY) or "
    "spark.sql.shuffle.partitions",
    "UnknownHostException|UnresolvedAddressException": "a name in the settings of Spark is not "
    "known on this machine or on a worker; give its address",
    "Cannot assign requested address|Can't assign requested address": "spark.driver.bindAddress or "
    "spark.driver.host is no address of this machine: give one of its own (ip addr shows them)",
    "All masters are unresponsive|Failed to connect to master": "the master does not answer: "
    "correct SPARK_MASTER, or start it",
    "No FileSystem for scheme|ClassNotFoundException: Class org.apache.hadoop.fs": "this Spark has "
    "no classes for the kind of storage in spark.sql.warehouse.dir: add its package in "
    "spark-defaults.conf (SPARK_CONF_DIR)",
    "Mkdirs failed to create|AccessControlException|Permission denied": "a worker cannot write to "
    "spark.sql.warehouse.dir: give a folder or an address that this machine and all workers may "
    "write to",
    "SPARK_FILE_NOT_EXIST|FileNotFoundException|PATH_NOT_FOUND|does not exist": "a worker does not "
    "see what another one wrote: set spark.sql.warehouse.dir to a folder or address that this "
    "machine and all workers see",
    "ExecutorLostFailure|Lost executor|executor .* exited|SparkContext was shut down|has been "
    "shutdown|Master removed our application": "Spark lost its workers while it worked and none "
    "came back: look at their logs, start them, then run again",
}


class SparkFault(Refused):
    """Spark cannot do the work; the message is one line that says what to do."""


def explain(text: str) -> str:
    """Return the sentence of an error's text, what Java or Spark said in any number of lines; empty
    for one that is not the cluster's or the machine's.
    """
    found = (meaning for words, meaning in MEANINGS.items() if re.search(words, text))
    return next((f"ENGINE=spark: {meaning}" for meaning in found), "")


def require_java(environment: Mapping[str, str]) -> int:
    """Major version of the Java that Spark will run on.

    Raises
    ------
    SparkFault
        If there is none, it does not start, or it is older than Spark takes.
    """
    home = environment.get("JAVA_HOME", "")
    command = [f"{home}/bin/java" if home else "java", "-version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
    except OSError as error:
        said = str(error)
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    if not found or int(found[1]) < OLDEST_JAVA:
        raise SparkFault(
            f"ENGINE=spark needs Java {OLDEST_JAVA} or 21; `{' '.join(command)}` says "
            f"{said[:80]!r}; {AS_PACKAGE}, or set JAVA_HOME"
        )
    return int(found[1])
