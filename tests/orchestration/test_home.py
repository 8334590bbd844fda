"""A home lies anywhere but where a tool would take its path for a pattern; what stands in the way
of its files is mended; the machine's errors end in a sentence that says what to do.
"""

import errno
import fcntl
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.refresh import refresh
from orchestration.home import Home
from orchestration.lock import hold_lock
from orchestration.machine_faults import explain, explain_text
from tests.conftest import REPO
from tests.orchestration.conftest import end_of


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *((name, "exit 2: CITYSYNC_HOME is ") for name in ("a[1]", "what?", "50%20")),
        ("file", "found a file"),
    ],
)
def test_a_home_that_cannot_be_one_is_refused_at_the_start(
    tmp_path, name, said, monkeypatch, capsys
):
    """A path that is a pattern, and a file."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / name))
    assert end_of(refresh, None) == 2 and not (tmp_path / name).is_dir()
    told = capsys.readouterr().out
    assert said in told and told.count("\n") == 1


def test_a_home_is_its_owner_s_alone(tmp_path):
    Home(tmp_path / "above" / "home").make()
    assert (tmp_path / "above" / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("left", [b'{"pid": 4194304, "since": "2020"}', b"\xff\x00" * 500])
def test_a_lock_that_a_dead_process_left_is_none(tmp_path, left):
    home = Home(tmp_path)
    home.lock.write_bytes(left)
    home.require_usable()
    with open(home.lock, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = try_to_hold(str(tmp_path))
        assert "a program that does not say its name" in said and "4194304" not in said
    with hold_lock(home):
        assert f'"pid": {os.getpid()}' in home.lock.read_text(encoding="utf-8")


OTHER = (
    "import pathlib, sys; from orchestration.home import Home\n"
    "from orchestration.lock import RefreshRunning, hold_lock\n"
    "try:\n    with hold_lock(Home(pathlib.Path(sys.argv[1]))): print('held')\nexcept "
    "RefreshRunning as error: print(error)"
)


def try_to_hold(path: str) -> str:
    """What another process says that asks for the lock of a home."""
    command = [sys.executable, "-c", OTHER, path]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout


def test_one_home_has_one_lock_whatever_its_path(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    home = Home(tmp_path / "home")
    with hold_lock(home):
        said = try_to_hold(f"{tmp_path}/link/../home")
        assert f'"pid": {os.getpid()}' in said and "is at work" in said
    assert try_to_hold(str(home.root)) == "held\n"


HOME = Path("/srv/home")
PYCACHE = sys.pycache_prefix or sys.prefix


def wrapped(error: Exception) -> Exception:
    """As a library hands an error on: raised from it, then met while handling that."""
    step, seen = RuntimeError("a step failed"), ValueError("what the user sees")
    step.__cause__, seen.__context__ = error, step
    return seen


@pytest.mark.parametrize(
    ("error", "place", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/srv/home/build/x"),
            "/srv/home/build/x",
            "make room",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/srv/x"), "/srv/x", "quota"),
        (OSError(errno.EROFS, "Read-only file system", "/srv/x"), "/srv/x", "mount it writable"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/srv/x"),
            "/srv/x",
            "check that the folder can be read and written",
        ),
        (OSError(errno.ENOTDIR, "Not a directory", "/srv/x"), "/srv/x", "another path"),
        (OSError(errno.EMFILE, "Too many open files", "/srv/x"), "/srv/x", "ulimit -n"),
        (OSError(errno.ENFILE, "Too many open files in system"), str(HOME), "ulimit -n"),
        (OSError(errno.EFBIG, "File too large", "/srv/x"), "/srv/x", "ulimit -f"),
        (
            ModuleNotFoundError("No module named 'pandas.core'"),
            sys.prefix,
            "its package pandas.core is gone or damaged",
        ),
        (EOFError("marshal data too short"), PYCACHE, "run `make setup`"),
        (MemoryError(), str(HOME), "memory ran out"),
        (sqlite3.OperationalError("database or disk is full"), str(HOME), "make room"),
        (
            sqlite3.OperationalError("attempt to write a readonly database"),
            str(HOME),
            "mount it writable",
        ),
        (
            sqlite3.OperationalError("database is locked"),
            str(HOME),
            "another program has the database open",
        ),
        (
            sqlite3.OperationalError("unable to open database file"),
            str(HOME),
            "can be read and written",
        ),
        (
            duckdb.IOException(
                'IO Error: Could not set lock on file "/srv/a b/x.duckdb": Conflicting lock is held'
            ),
            "/srv/a b/x.duckdb",
            "close it",
        ),
        (
            duckdb.IOException(
                'IO Error: Could not write file "/srv/x.duckdb": No space left on device'
            ),
            "/srv/x.duckdb",
            "make room",
        ),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block"),
            str(HOME),
            "CITYSYNC_THREADS=1",
        ),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(error: Exception, place: str, words: str) -> None:
    for found in (explain(error, HOME), explain(wrapped(error), HOME)):
        assert found.startswith(f"{place}: ") and words in found and "\n" not in found
    if str(error):
        assert words in explain_text(f"dagster.SomeError: {error}\n", HOME)


def test_other_errors_are_not_explained_away() -> None:
    of_itself = ValueError("x")
    of_itself.__cause__ = RuntimeError("y")
    of_itself.__cause__.__context__ = of_itself
    for error in (
        of_itself,
        KeyError("full"),
        duckdb.CatalogException("Catalog Error: no table"),
        FileNotFoundError(2, "No such file", "x"),
        ModuleNotFoundError("No module named 'warehouse.absent'"),
    ):
        assert explain(error, HOME) == "" == explain_text(str(error), HOME)


CREATE = "create table t as select range as k, random() as x from range(3000000)"


@pytest.mark.parametrize(
    "code",
    [f"duckdb.connect('x.duckdb').execute({CREATE!r})", "open('x', 'wb').write(b'0' * 3_000_000)"],
)
def test_a_real_limit_on_files_is_known(tmp_path: Path, code: str) -> None:
    """A limit on the size of a file stands for a disk that is full; the words are those of the
    versions that are installed.
    """
    script = (
        "import duckdb, pathlib, resource\nfrom orchestration.machine_faults import explain\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\ntry:\n    {code}\n"
        "except Exception as error:\n    print(explain(error, pathlib.Path('/h')) or repr(error))"
    )
    env = {**os.environ, "PYTHONPATH": f"{REPO}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert "ulimit -f" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("words", ["sql -q 'select 1'", "verify"])
def test_a_limit_of_memory_that_is_too_low_is_one_sentence(home: Path, words: str) -> None:
    """OpenBLAS and the C library would end the process with words of their own."""
    command = f"ulimit -v 300000; exec {REPO}/.venv/bin/citysync {words}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 2 and len(said) == 1
    assert said[0].startswith("citysync: exit 2: ulimit -v allows 292 MB")
