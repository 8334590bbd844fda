"""Where a run reads and writes: the folders under CITYSYNC_HOME, the environment of the tools, and
the lock of a refresh.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.supervision import main_pid
from warehouse.whole_files import remove_any

REPO = Path(__file__).resolve().parent.parent


# what DuckDB takes for a pattern, and SQLite's addresses for a code, in a path
NOT_IN_PATHS = "[]*?%"


class BadHome(Exception):
    """CITYSYNC_HOME is a path that the tools cannot work in; the message says what was expected and
    found.
    """


class RefreshRunning(Exception):
    """Another process holds the lock of this home: a refresh, or a command that must not run beside
    one.
    """


@dataclass(frozen=True)
class Home:
    """Folders of one CITYSYNC_HOME (absolute)."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """CITYSYNC_HOME, else `data/` in the checkout."""
        return cls(Path(os.environ.get("CITYSYNC_HOME") or REPO / "data").absolute())

    def require_usable(self) -> None:
        """Refuse a path that would be read as a pattern, before anything is written.

        Raises
        ------
        BadHome
            Naming the path and what is wrong with it.
        """
        found = sorted(set(NOT_IN_PATHS) & set(str(self.root)))
        if found:
            raise BadHome(
                f"CITYSYNC_HOME is {str(self.root)!r}: expected a path without "
                f"{' '.join(NOT_IN_PATHS)}, found {' '.join(found)}; move it"
            )
        if self.root.exists() and not self.root.is_dir():
            raise BadHome(
                f"CITYSYNC_HOME is {str(self.root)!r}: expected a folder or nothing there, found "
                "a file; give another path"
            )
        # a link would have its target's text replaced by the note of who holds the lock
        if self.lock.is_symlink() or (self.lock.exists() and not self.lock.is_file()):
            found = (
                "a link"
                if self.lock.is_symlink()
                else "a folder"
                if self.lock.is_dir()
                else "a pipe or device"
            )
            expected = "expected the file that commands lock, or nothing there"
            raise BadHome(f"{self.lock}: {expected}, found {found}; move it away, then run again")

    @property
    def lock(self) -> Path:
        """Locked by the command at work, which names itself in it."""
        return self.root / "refresh.lock"

    @property
    def raw(self) -> Path:
        """Cache of raw Parquet, by content."""
        return self.root / "raw"

    @property
    def build(self) -> Path:
        """What one run builds; anyone may delete it."""
        return self.root / "build"

    @property
    def database(self) -> Path:
        """The build's database."""
        return self.build / "citysync.duckdb"

    @property
    def counterfactual(self) -> Path:
        """The second build of a simulated run, from the landing without the effect."""
        return self.build / "counterfactual"

    @property
    def simulated(self) -> Path:
        """The simulated landings, `with_effect/` and `without_effect/`."""
        return self.root / "simulated"

    @property
    def published(self) -> Path:
        """Link to the current publication, a folder of `publications/`."""
        return self.root / "published"

    @property
    def archive(self) -> Path:
        """What every publication said, for good."""
        return self.root / "archive"

    @property
    def cache(self) -> Path:
        """What tools compile (dbt's manifest, numba's kernels), by content; CITYSYNC_CACHE lets
        several homes share it.
        """
        return Path(os.environ.get("CITYSYNC_CACHE") or self.root / "cache").absolute()

    @property
    def dagster(self) -> Path:
        """Dagster's own databases and settings."""
        return self.root / "dagster"

    @property
    def log(self) -> Path:
        """Every line of the last refresh, details too."""
        return self.root / "refresh.log"

    @property
    def dbt_target(self) -> Path:
        """Folder that every run of dbt writes to."""
        return self.cache / "dbt"


def set_tool_environment(home: Home) -> None:
    """Keep every tool inside the home, quiet towards the network, and on one BLAS thread (sums then
    do not depend on the machine).
    """
    folders = {
        "CITYSYNC_HOME": home.root,
        "DAGSTER_HOME": home.dagster,
        "DBT_PROFILES_DIR": REPO,
        "DBT_PROJECT_DIR": REPO,
        "DBT_TARGET_PATH": home.dbt_target,
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
    for folder in (home.root, home.dagster, home.cache):
        folder.mkdir(parents=True, exist_ok=True)
    write_dagster_settings(home)


def write_dagster_settings(home: Home) -> None:
    """The instance's settings: no telemetry and no sign-up dialogue, one run at a time (DuckDB has
    one writer).
    """
    settings = home.dagster / "dagster.yaml"
    text = (
        "telemetry:\n  enabled: false\nnux:\n  enabled: false\nconcurrency:\n  runs:\n    "
        "max_concurrent_runs: 1\n"
    )
    try:
        same = settings.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        same = False
    if not same:
        remove_any(settings)
        settings.write_text(text, encoding="utf-8")


def require_writable(home: Home) -> None:
    """Fail before a tool does, with the folder's name, where a folder of the home is there and
    cannot be written.

    Raises
    ------
    PermissionError
        Naming the folder.
    """
    for folder in (
        home.root,
        home.raw,
        home.build,
        home.dagster,
        home.cache,
        home.root / "publications",
    ):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


# homes whose lock this process holds
_HELD: set[Path] = set()


@contextmanager
def hold_lock(home: Home, work: str = "refresh") -> Iterator[None]:
    """Let one command change a home at a time: refresh, reproduce, rollback, clean or a run of the
    UI.

    Parameters
    ----------
    home : Home
    work : str
        What holds it, in one word; another command that has to wait is told.

    Raises
    ------
    RefreshRunning
        At once when another process holds the lock; the message names it. The kernel holds the
        lock, so a killed process leaves none behind. Inside a command of this process that holds it
        already, a run goes on under the same lock.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    # one home has many paths: through links, and `..`
    place = home.root.resolve()
    if place in _HELD:
        yield
        return
    with (
        open(home.lock, "a+", encoding="utf-8", errors="replace") as file,
        _opened_folder(home.root) as folder,
    ):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _lock_folder(folder)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(200).strip()
            raise RefreshRunning(
                f"{_work_of(holder)} of {home.root} is running ({holder or 'holder unknown'}); "
                "wait for it or stop it"
            ) from None
        file.truncate(0)
        json.dump(
            {
                "pid": main_pid(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
                "work": work,
            },
            file,
        )
        file.flush()
        _HELD.add(place)
        try:
            yield
        finally:
            _HELD.discard(place)


@contextmanager
def _opened_folder(path: Path) -> Iterator[int]:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def _lock_folder(folder: int) -> None:
    """Lock the home itself too: beside a command whose lock file was removed, the next one would
    make a new file, and both would write.
    """
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a disk of the network that locks files alone
        return


def _work_of(holder: str) -> str:
    """What the note in the lock says is running."""
    with suppress(ValueError, AttributeError):
        work = json.loads(holder).get("work", "refresh")
        return "another refresh" if work == "refresh" else f"another command ({work})"
    return "another refresh"


def python_version() -> str:
    """The Python at work as the lock file tells them apart, such as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
