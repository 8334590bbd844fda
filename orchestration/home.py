"""The folders under CITYSYNC_HOME that a run reads and writes, and the environment of the tools."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from pathlib import Path

from warehouse.errors import Refused

REPO = Path(__file__).resolve().parent.parent


# in a path: what DuckDB takes for a pattern, SQLite for a code, and dbt for the end of the name
NOT_IN_PATHS = "[]*?%#"
# bytes; OpenBLAS and DuckDB need them before the first query
LEAST_MEMORY = 1 << 30


class Home:
    """Folders of one CITYSYNC_HOME (absolute).

    Attributes
    ----------
    root : Path
    lock : Path
        File that the running command locks and names itself in.
    log : Path
        Every line of the last refresh, details too.
    raw : Path
        Cache of raw Parquet, by content.
    build : Path
        What one run builds; anyone may delete it.
    database : Path
        The build's DuckDB file.
    counterfactual : Path
        Second build of a simulated run, from the landing without the effect.
    simulated : Path
        The simulated landings, `with_effect/` and `without_effect/`.
    published : Path
        Link to the current publication, a folder of `publications/`.
    archive : Path
        The main tables of every published run, which no command removes.
    cache : Path
        What tools compile (dbt's manifest, numba's kernels), by content; CITYSYNC_CACHE lets
        several homes share it.
    dagster : Path
        Dagster's own databases and settings.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = root / "refresh.lock"
        self.log = root / "refresh.log"
        self.raw = root / "raw"
        self.build = root / "build"
        self.database = self.build / "citysync.duckdb"
        self.counterfactual = self.build / "counterfactual"
        self.simulated = root / "simulated"
        self.published = root / "published"
        self.archive = root / "archive"
        self.cache = Path(os.environ.get("CITYSYNC_CACHE") or root / "cache").absolute()
        self.dagster = root / "dagster"

    @classmethod
    def from_environment(cls) -> Home:
        """Return CITYSYNC_HOME, else `data/` in the checkout."""
        return cls(Path(os.environ.get("CITYSYNC_HOME") or REPO / "data").absolute())

    def require_usable(self) -> None:
        """Refuse a path with glob characters, and a `ulimit -v` so small that native libraries
        abort with messages of their own, before anything is loaded or written.

        Raises
        ------
        Refused
            Naming what was found and what to do.
        """
        memory = resource.getrlimit(resource.RLIMIT_AS)[0]
        if memory != resource.RLIM_INFINITY and memory < LEAST_MEMORY:
            raise Refused(
                f"ulimit -v allows {memory >> 20:,} MB of memory: expected at least "
                f"{LEAST_MEMORY >> 20:,} MB; allow more (ulimit -v unlimited)"
            )
        found = sorted(set(NOT_IN_PATHS) & set(str(self.root)))
        if found:
            raise Refused(
                f"CITYSYNC_HOME is {str(self.root)!r}: expected a path without "
                f"{' '.join(NOT_IN_PATHS)}, found {' '.join(found)}; move it"
            )
        if self.root.exists() and not self.root.is_dir():
            raise Refused(
                f"CITYSYNC_HOME is {str(self.root)!r}: expected a folder or nothing there, found "
                "a file; give another path"
            )

    def make(self) -> None:
        """Make the folder where there is none, for its owner alone: what is delivered need not be
        everybody's.
        """
        self.root.parent.mkdir(parents=True, exist_ok=True)
        self.root.mkdir(mode=0o700, exist_ok=True)


def set_tool_environment(home: Home) -> None:
    """Keep every tool inside the home, quiet towards the network, and on one BLAS thread (sums then
    do not depend on the machine).
    """
    folders = {
        "CITYSYNC_HOME": home.root,
        "DAGSTER_HOME": home.dagster,
        "DBT_PROFILES_DIR": REPO,
        "DBT_PROJECT_DIR": REPO,
        "DBT_TARGET_PATH": home.cache / "dbt",
        "DBT_LOG_PATH": home.cache / "dbt_logs",
        "MPLCONFIGDIR": home.cache / "matplotlib",
        "NUMBA_CACHE_DIR": home.cache / "numba",
    }
    os.environ.update({name: str(path) for name, path in folders.items()})
    os.environ.setdefault("CITYSYNC_BUILD", str(home.build))
    os.environ.update(
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DO_NOT_TRACK="1",
        GX_ANALYTICS_ENABLED="false",
        DAGSTER_DISABLE_TELEMETRY="1",
        MPLBACKEND="Agg",
    )
    os.environ.setdefault("CITYSYNC_THREADS", str(os.cpu_count() or 1))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    home.make()
    for folder in (home.dagster, home.cache):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPO / "orchestration" / "dagster.yaml", home.dagster / "dagster.yaml")


def python_version() -> str:
    """Return the Python at work as the lock file tells them apart, such as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
