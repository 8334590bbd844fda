"""What a run depends on, as hashes of content: files, code, seeds, settings and package versions. Clocks and time stamps never count."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestration.home import REPO

CODE_FOLDERS = ("warehouse", "expectations", "estimation", "orchestration")
# The only code of `estimation` that the warehouse runs: the filters of the model int_city_cycles.
FILTERS = ("estimation/__init__.py", "estimation/measures/__init__.py", "estimation/measures/cycles.py")
REPORT = "estimation/report/"
SIMULATED = "the simulated landing"
# Variables that say where a run works and how fast, not what it finds.
PLACE_AND_SPEED = frozenset(
    (
        *("CITYSYNC_HOME", "CITYSYNC_CACHE", "CITYSYNC_BUILD", "CITYSYNC_THREADS", "CITYSYNC_MEMORY_LIMIT", "CITYSYNC_UI_PORT"),
        *("FORCE", "HOME", "PATH", "TMPDIR", "LANDING"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR"),
        *("PYTHONHASHSEED", "DAGSTER_HOME", "DBT_PROFILES_DIR", "DBT_PROJECT_DIR", "DBT_TARGET_PATH"),
        *("DBT_LOG_PATH", "MPLCONFIGDIR", "MPLBACKEND", "DBT_SEND_ANONYMOUS_USAGE_STATS", "DO_NOT_TRACK"),
        *("GX_ANALYTICS_ENABLED", "DAGSTER_DISABLE_TELEMETRY", "TQDM_DISABLE"),
    )
)
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
    files = {SIMULATED: ""} if landing is None else hash_tree(landing)
    code = dict(_code_files())
    filters = [path for path in code if path in FILTERS]
    report = [path for path in code if path.startswith(REPORT)]
    estimation = [path for path in code if path.startswith("estimation/") and path not in {*filters, *report}]
    base = [path for path in code if path not in {*report, *estimation}]
    settings = _settings_named_in(code.values()) - PLACE_AND_SPEED
    given = [f"{name}={os.environ[name]}" for name in sorted(settings) if os.environ[name]]
    of_landing = _digest([f"{path}\0{digest}" for path, digest in files.items()])
    marts = _digest([of_landing, *given, *_environment(), *(f"{path}\0{_sha256(code[path])}" for path in base)])
    estimates = _digest([marts, *(f"{path}\0{_sha256(code[path])}" for path in estimation)])
    return Fingerprint(of_landing, marts, estimates, _digest([estimates, *(f"{path}\0{_sha256(code[path])}" for path in report)]))


def hash_estimation() -> str:
    """Hash of the code of the estimates (not of the report), Python and packages."""
    code = [f"{path}\0{_sha256(data)}" for path, data in _code_files() if path.startswith("estimation/") and not path.startswith(REPORT)]
    return _digest([*_environment(), *code])


def hash_tree(folder: Path) -> dict[str, str]:
    """Kind and sha256 of everything below a folder, by its path inside; links count by where they lead and what is there.

    Raises
    ------
    OSError
        If something cannot be read.
    """
    found = {}
    for path in _below(folder):
        status = path.lstat()
        name = os.fsencode(path.relative_to(folder)).hex() if not str(path).isprintable() else path.relative_to(folder).as_posix()
        if stat.S_ISLNK(status.st_mode):
            target = path.resolve()
            inside = hash_file(target) if target.is_file() else "-"
            found[name] = f"link {os.readlink(path)} {inside}"
        elif stat.S_ISREG(status.st_mode):
            found[name] = f"file {hash_file(path)}"
        else:
            found[name] = f"other {stat.S_IFMT(status.st_mode)}"
    return found


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _below(folder: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path))
        else:
            yield Path(entry.path)


def _code_files() -> Iterator[tuple[str, bytes]]:
    tops = [path for path in sorted(REPO.iterdir()) if path.is_file() and path.suffix in (".yml", ".toml", ".lock")]
    inside = [
        path for folder in CODE_FOLDERS for path in _below(REPO / folder) if "__pycache__" not in path.parts and path.suffix != ".pyc"
    ]
    for path in [*tops, *inside]:
        yield path.relative_to(REPO).as_posix(), path.read_bytes()


def _settings_named_in(texts: Iterable[bytes]) -> set[str]:
    """Variables of the environment whose name stands in quotes anywhere in the code: what a run may read, without a list to forget."""
    named = {match.decode() for text in texts for match in QUOTED_NAME.findall(text)}
    return named & set(os.environ)


def _environment() -> list[str]:
    """Python, machine, and every installed package with its version."""
    folders = [Path(entry) for entry in sys.path if entry and Path(entry).is_dir()]
    packages = sorted({name.name for folder in folders for name in folder.glob("*.dist-info")})
    return [platform.python_version(), platform.machine(), *packages]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
