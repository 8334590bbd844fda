"""The machine's errors end in a sentence that says what to do, however they are wrapped."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.faults import FAULTS, explain, explain_text
from tests.orchestration.conftest import REPO

HOME = Path("/srv/home")


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
    for error in (
        ValueError("x"),
        KeyError("full"),
        duckdb.CatalogException("Catalog Error: no table"),
        FileNotFoundError(2, "No such file", "x"),
        ModuleNotFoundError("No module named 'warehouse.absent'"),
    ):
        assert explain(error, HOME) == "" == explain_text(str(error), HOME)


def test_an_error_that_was_raised_from_itself_ends() -> None:
    error = ValueError("x")
    error.__cause__ = other = RuntimeError("y")
    other.__context__ = error
    assert explain(error, HOME) == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            (
                "import duckdb; duckdb.connect('x.duckdb').execute('create table t as select "
                "range as "
                "k, random() as x from range(3000000)')"
            ),
            "ulimit -f",
        ),
        ("open('x', 'wb').write(b'0' * 3_000_000)", "ulimit -f"),
    ],
)
def test_a_real_limit_on_files_is_known(tmp_path: Path, code: str, words: str) -> None:
    """A limit on the size of a file stands for a disk that is full."""
    lines = [
        "from pathlib import Path",
        "from orchestration.faults import explain",
        "try:",
        f"    {code}",
    ]
    script = "\n".join(
        [
            *lines,
            "except Exception as error:",
            "    print(explain(error, Path('/h')) or repr(error))",
        ]
    )
    env = {**os.environ, "PYTHONPATH": f"{REPO}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        check=False,
    )
    assert words in done.stdout, done.stdout + done.stderr


def test_every_fault_says_what_to_do() -> None:
    assert all(";" in fault.meaning and fault.words for fault in FAULTS)
