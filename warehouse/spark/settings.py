"""Where and how wide Spark runs: names of the settings, what each may be, and what follows from
them. None changes a result.

Imports the standard library alone: the project's environment and Spark's own both read it.
`orchestration/run_settings.py` checks them for every command, so that what arrives here has the
form it may have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[?::1\]?", re.IGNORECASE)
# name: (pattern of the whole text, default, what is expected in words)
SPARK_SETTINGS = {
    "SPARK_MASTER": (
        rf"local\[(?:\*|[1-9][0-9]{{0,2}})\]|spark://{HOST}:[0-9]{{1,5}}(?:,{HOST}:[0-9]{{1,5}}){{0,9}}|yarn",
        "local[2]",
        "local[2], spark://host:7077 (several by comma) or yarn",
    ),
    "SPARK_BIND_ADDRESS": (
        HOST,
        "127.0.0.1",
        "an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    ),
    "SPARK_DRIVER_HOST": (
        HOST,
        "127.0.0.1",
        "the name or address by which the workers reach this machine",
    ),
    "SPARK_DRIVER_MEMORY": (r"[1-9][0-9]{0,5}[mg]", "3g", "an amount of memory such as 512m or 3g"),
    "SPARK_EXECUTOR_MEMORY": (
        r"[1-9][0-9]{0,5}[mg]",
        "1g",
        "an amount of memory such as 512m or 3g",
    ),
    "SPARK_SHUFFLE_PARTITIONS": (
        r"[1-9][0-9]{0,5}",
        "8",
        "a number of partitions such as 8, about three a core",
    ),
    "SPARK_STORAGE": (
        r"/[^\x00-\x1f\x7f*?\[\]{}\\]{0,400}|[a-z][a-z0-9+.-]{1,19}://[^\x00-\x1f\x7f*?\[\]{}\\]{1,400}",
        "",
        (
            "a folder from the root, or an address such as hdfs://host/path or s3a://bucket/path, "
            "that this machine and all workers see"
        ),
    ),
}


@dataclass(frozen=True)
class SparkSettings:
    """One value of each setting, as text; `storage` is empty where the build folder serves."""

    master: str
    bind_address: str
    driver_host: str
    driver_memory: str
    executor_memory: str
    shuffle_partitions: str
    storage: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> SparkSettings:
        """What is set, defaults for the rest."""
        return cls(
            *(environment.get(name) or default for name, (_, default, _) in SPARK_SETTINGS.items())
        )

    def fault(self) -> str:
        """What cannot go together, as a sentence; empty if all can."""
        hosts = [host for host, _ in addresses(self.master)]
        if is_local(self.master) or (hosts and all(LOOPBACK.fullmatch(host) for host in hosts)):
            return ""
        if LOOPBACK.fullmatch(self.driver_host):
            return (
                f"SPARK_DRIVER_HOST is {self.driver_host!r}: expected a name or address of this "
                "machine that the workers of "
                f"{self.master} reach, and SPARK_BIND_ADDRESS that address or 0.0.0.0"
            )
        if not self.storage:
            wanted = SPARK_SETTINGS["SPARK_STORAGE"][2]
            return f"SPARK_STORAGE is not set: with the master {self.master} expected {wanted}"
        return ""


def is_local(master: str) -> bool:
    """Whether Spark runs inside one process of this machine."""
    return master.startswith("local")


def addresses(master: str) -> list[tuple[str, int]]:
    """Host and port of each address of a standalone master; none for other masters."""
    if not master.startswith("spark://"):
        return []
    parts = [part.rpartition(":") for part in master.removeprefix("spark://").split(",")]
    return [(host.strip("[]"), int(port)) for host, _, port in parts]
