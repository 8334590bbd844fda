"""What a Spark that cannot work says, as one sentence that says what to do. The words are those of
Java, Spark 4 and Hadoop's file systems.

Imports the standard library alone: the project's environment and Spark's own both read it.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from warehouse.errors import Refused
from warehouse.spark.settings import addresses, is_local

#: What Spark 4 runs on; older ones end with a long text about class files.
OLDEST_JAVA = 17
CONNECT_SECONDS = 5.0
AS_PACKAGE = "on Debian: apt-get install default-jre-headless"

# in this order: what caused a fault often stands behind what followed from it
MEANINGS = (
    (
        "No space left on device|Disk quota exceeded",
        (
            "the disk of a Spark worker or of SPARK_STORAGE is full (df -h there shows it); make "
            "room, then run again"
        ),
    ),
    (
        "InvalidClassException|local class incompatible|StreamCorruptedException",
        "{master} runs another version of Spark than this client ({version}); start master and "
        "workers from the packages of "
        "requirements/spark.txt",
    ),
    (
        "UnsupportedClassVersionError|class file version",
        (
            f"the Java of this machine or of a worker is too old: Spark needs Java {OLDEST_JAVA} "
            "or "
            f"21; {AS_PACKAGE}"
        ),
    ),
    (
        "OutOfMemoryError|GC overhead limit|exitStatus 137|SparkOutOfMemoryError",
        (
            "memory of Spark ran out: raise SPARK_EXECUTOR_MEMORY (with a local master "
            "SPARK_DRIVER_MEMORY) or SPARK_SHUFFLE_PARTITIONS"
        ),
    ),
    (
        "UnknownHostException|UnresolvedAddressException",
        (
            "a name in SPARK_MASTER, SPARK_DRIVER_HOST or SPARK_STORAGE is not known on this "
            "machine "
            "or on a worker; give its address"
        ),
    ),
    (
        "Cannot assign requested address|Can't assign requested address",
        (
            "SPARK_BIND_ADDRESS or SPARK_DRIVER_HOST is no address of this machine: give one of "
            "its "
            "own (ip addr shows them)"
        ),
    ),
    (
        (
            "All masters are unresponsive|Failed to connect to master|Exception thrown in "
            "awaitResult.*master"
        ),
        "{master} does not answer as a master of Spark {version}: correct SPARK_MASTER or start it",
    ),
    (
        "No FileSystem for scheme|ClassNotFoundException: Class org.apache.hadoop.fs",
        (
            "SPARK_STORAGE names a kind of storage that this Spark has no classes for: add its "
            "package in spark-defaults.conf (SPARK_CONF_DIR)"
        ),
    ),
    (
        "Mkdirs failed to create|AccessControlException|Permission denied",
        (
            "a Spark worker cannot write to SPARK_STORAGE: give a folder or an address that this "
            "machine and all workers may write to"
        ),
    ),
    (
        r"SPARK_FILE_NOT_EXIST|FileNotFoundException|PATH_NOT_FOUND|does not exist",
        (
            "a Spark worker does not see what another one wrote: give SPARK_STORAGE, a folder or "
            "address that this machine and all workers see"
        ),
    ),
    (
        (
            "ExecutorLostFailure|Lost executor|executor .* exited|SparkContext was shut down|has "
            "been "
            "shutdown|Master removed our application"
        ),
        (
            "Spark lost its workers while it worked and none came back: look at their logs, start "
            "them, then run again"
        ),
    ),
)


class SparkFault(Refused):
    """Spark cannot do the work; the message is one line that says what to do."""


def explain(text: str, master: str, version: str = "of requirements/spark.txt") -> str:
    """The sentence of an error's text; empty for one that is not the cluster's or the machine's.

    Parameters
    ----------
    text : str
        What Java or Spark said, in any number of lines.
    master, version : str
        The master that was asked, and the client's version of Spark.
    """
    for words, meaning in MEANINGS:
        if re.search(words, text):
            return f"ENGINE=spark: {meaning.format(master=master, version=version)}"
    return ""


def require_java(environment: Mapping[str, str]) -> int:
    """Major version of the Java that Spark will run on.

    Raises
    ------
    SparkFault
        If there is none, it does not start, or it is older than Spark takes.
    """
    home = environment.get("JAVA_HOME", "")
    java = (
        str(Path(home) / "bin" / "java")
        if home
        else shutil.which("java", path=environment.get("PATH"))
    )
    wanted = f"Java {OLDEST_JAVA} or 21"
    if not java or not Path(java).is_file():
        place = f"JAVA_HOME={home} holds no bin/java" if home else "no java is on the PATH"
        raise SparkFault(f"ENGINE=spark needs {wanted}, and {place}; {AS_PACKAGE}")
    try:
        said = subprocess.run(  # the user's own Java
            [java, "-version"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SparkFault(
            f"ENGINE=spark needs {wanted}; {java} does not start ({error}); {AS_PACKAGE}"
        ) from None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if said.returncode or not found:
        raise SparkFault(
            f"ENGINE=spark needs {wanted}; {java} -version says "
            f"{(said.stderr + said.stdout)[:80]!r}; {AS_PACKAGE}"
        )
    if int(found[1]) < OLDEST_JAVA:
        raise SparkFault(
            f"ENGINE=spark needs {wanted}; {java} is Java {found[1]}; {AS_PACKAGE}, or set "
            "JAVA_HOME to a newer one"
        )
    return int(found[1])


def require_answer(master: str, seconds: float = CONNECT_SECONDS) -> None:
    """See whether something listens at a standalone master's address, before anything is built.

    Parameters
    ----------
    master : str
        Of several addresses one has to answer; a local master and YARN have none.
    seconds : float
        How long each may take.

    Raises
    ------
    SparkFault
        Naming the master and why it was not reached.
    """
    if is_local(master):
        return
    reasons = []
    for host, port in addresses(master):
        try:
            socket.create_connection((host, port), timeout=seconds).close()
        except OSError as error:
            reasons.append(f"{host}:{port}: {error.strerror or error}")
        else:
            return
    if reasons:
        raise SparkFault(
            f"ENGINE=spark: SPARK_MASTER {master} does not answer ({'; '.join(reasons)}): start "
            "it or correct the address"
        )
