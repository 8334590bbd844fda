"""What a run depends on, as hashes of content: files, code, seeds, settings and package versions.
Clocks and time stamps never count.

Belongs here: which files, settings and packages a stage depends on. Not here: how they are hashed
(`warehouse/hashing.py`) and what follows from a difference (`plan.py`).
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestration.home import REPO
from warehouse.hashing import code_files, hash_bytes, hash_parts, hash_tree
from warehouse.ingest.errors import FileFault
from warehouse.ingest.snapshot import take_snapshot

CODE_FOLDERS = ("warehouse", "expectations", "estimation", "orchestration")
# The only code of `estimation` that the warehouse runs: the filters of the model int_city_cycles.
FILTERS = (
    "estimation/__init__.py",
    "estimation/measures/__init__.py",
    "estimation/measures/cycles.py",
)
REPORT = "estimation/report/"
SIMULATED = "the simulated landing"
# Variables that say where a run works and how fast, not what it finds.
PLACE_AND_SPEED = frozenset(
    (
        *(
            "CITYSYNC_HOME",
            "CITYSYNC_CACHE",
            "CITYSYNC_BUILD",
            "CITYSYNC_THREADS",
            "CITYSYNC_MEMORY_LIMIT",
            "CITYSYNC_UI_PORT",
        ),
        *("FORCE", "HOME", "PATH", "TMPDIR", "LANDING"),
        *(
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMBA_NUM_THREADS",
            "NUMBA_CACHE_DIR",
        ),
        *(
            "PYTHONHASHSEED",
            "DAGSTER_HOME",
            "DBT_PROFILES_DIR",
            "DBT_PROJECT_DIR",
            "DBT_TARGET_PATH",
        ),
        *(
            "DBT_LOG_PATH",
            "MPLCONFIGDIR",
            "MPLBACKEND",
            "DBT_SEND_ANONYMOUS_USAGE_STATS",
            "DO_NOT_TRACK",
        ),
        *(
            "SPARK_MASTER",
            "SPARK_BIND_ADDRESS",
            "SPARK_DRIVER_HOST",
            "SPARK_DRIVER_MEMORY",
            "SPARK_EXECUTOR_MEMORY",
        ),
        *(
            "SPARK_SHUFFLE_PARTITIONS",
            "SPARK_STORAGE",
            "SPARK_CONF_DIR",
            "SPARK_LOCAL_DIRS",
            "JAVA_HOME",
            "CITYSYNC_SPARK_TABLES",
        ),
        *("GX_ANALYTICS_ENABLED", "DAGSTER_DISABLE_TELEMETRY", "TQDM_DISABLE"),
    )
)
LOCKED_NAME = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
QUOTED_NAME = re.compile(rb"""["']([A-Z][A-Z0-9_]{2,})["']""")


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of everything a stage's result depends on; each holds those before it.

    Attributes
    ----------
    landing : str
        Paths and bytes of the files to read.
    marts, estimates, report : str
    """

    landing: str
    marts: str
    estimates: str
    report: str

    def as_dict(self) -> dict[str, str]:
        """For the record of a run."""
        return asdict(self)


def take_fingerprint(landing: Path | None) -> Fingerprint:
    """Fingerprint of a run that would start now.

    Parameters
    ----------
    landing : Path or None
        Delivered files; None for the simulated landing, which follows from code and settings.

    Raises
    ------
    OSError
        If a file cannot be read; such a run must be made, so that it says what is wrong.
    """
    code = dict(_code_files())
    filters = [path for path in code if path in FILTERS]
    report = [path for path in code if path.startswith(REPORT)]
    estimation = [
        path for path in code if path.startswith("estimation/") and path not in {*filters, *report}
    ]
    base = [path for path in code if path not in {*report, *estimation}]
    settings = _settings_named_in(code.values()) - PLACE_AND_SPEED
    given = [f"{name}={os.environ[name]}" for name in sorted(settings) if os.environ[name]]
    of_landing = hash_parts([SIMULATED]) if landing is None else hash_landing(landing)
    marts = hash_parts([of_landing, *given, *_environment(), *_hashed(code, base)])
    estimates = hash_parts([marts, *_hashed(code, estimation)])
    return Fingerprint(
        of_landing, marts, estimates, hash_parts([estimates, *_hashed(code, report)])
    )


def hash_landing(landing: Path) -> str:
    """Hash over the paths and contents of a landing's files; changes of time stamps alone do not
    count, and what no reader would open counts by what is wrong with it.

    Raises
    ------
    OSError
        If the mount failed, or a folder cannot be listed.
    """
    return hash_parts(part for entry in hash_tree(landing, _content).items() for part in entry)


def _content(path: Path) -> str:
    try:
        return take_snapshot(path)[0].sha256
    except FileFault as fault:
        return str(fault)


def hash_code() -> str:
    """Hash of all code, seeds and settings files of this checkout that a run may read."""
    return hash_parts(part for path, data in _code_files() for part in (path, hash_bytes(data)))


def hash_estimation(without: Collection[str] = ()) -> str:
    """Hash of the code of the estimates (not of the report) but for some files, Python and
    packages.
    """
    files = ((path, data) for path, data in _code_files() if path not in without)
    code = {
        path: data
        for path, data in files
        if path.startswith("estimation/") and not path.startswith(REPORT)
    }
    return hash_parts([*_environment(), *_hashed(code, code)])


def _hashed(code: Mapping[str, bytes], paths: Iterable[str]) -> list[str]:
    return [part for path in paths for part in (path, hash_bytes(code[path]))]


def _code_files() -> Iterator[tuple[str, bytes]]:
    tops = [
        path.name
        for path in sorted(REPO.iterdir())
        if path.is_file() and path.suffix in (".yml", ".toml", ".lock")
    ]
    for path in code_files(REPO, (*tops, *CODE_FOLDERS)):
        yield path.relative_to(REPO).as_posix(), path.read_bytes()


def _settings_named_in(texts: Iterable[bytes]) -> set[str]:
    """Variables of the environment whose name is quoted anywhere in the code, all that a run may
    read; no list can go stale.
    """
    named = {match.decode() for text in texts for match in QUOTED_NAME.findall(text)}
    return named & set(os.environ)


def _environment() -> list[str]:
    """Python, machine, and every installed package of the lock file with its version: what only
    tests need changes no result.
    """
    locked = {
        _normalised(name)
        for name in LOCKED_NAME.findall(
            (REPO / "requirements" / "base.txt").read_text(encoding="utf-8")
        )
    }
    folders = [Path(entry) for entry in sys.path if entry and Path(entry).is_dir()]
    packages = {name.name for folder in folders for name in folder.glob("*.dist-info")}
    return [
        platform.python_version(),
        platform.machine(),
        *sorted(name for name in packages if _normalised(name.split("-")[0]) in locked),
    ]


def _normalised(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
