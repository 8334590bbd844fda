"""The machine's errors end in a sentence that says what to do, however they are wrapped."""

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.faults import explain, explain_text
from tests.orchestration.conftest import REPO

HOME = Path("/srv/home")
PYCACHE = sys.pycache_prefix or sys.prefix


def wrapped(error: Exception) -> Exception:
    """As a library hands an error on: raised from it, then met while handling that."""
    try:
        try:
            raise error
        except Exception as first:
            raise RuntimeError("a step failed") from first
    except RuntimeError:
        try:
            raise ValueError("what the user sees")
        except ValueError as last:
            return last


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
        "import duckdb, pathlib, resource\nfrom orchestration.faults import explain\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\ntry:\n    {code}\n"
        "except Exception as error:\n    print(explain(error, pathlib.Path('/h')) or repr(error))"
    )
    env = {**os.environ, "PYTHONPATH": f"{REPO}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert "ulimit -f" in done.stdout, done.stdout + done.stderr
