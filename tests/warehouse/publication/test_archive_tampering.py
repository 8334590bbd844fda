"""What was done to the archive by hand or by a disk is found, other runs are still read, and the
next publication is archived.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.publications import publications_of
from orchestration.home import Home
from tests.warehouse.publication.test_archive import put_out, run_of
from warehouse.publication.archive import INDEX, archived_runs, load_archive, verify_archive
from warehouse.publication.errors import PublishError

ESTIMATE = "estimates.estimate.parquet"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after three publications."""
    home = tmp_path_factory.mktemp("three") / "home"
    for day in range(1, 4):
        put_out(home, day, day / 10)
    return home


@pytest.fixture
def home(three: Path, tmp_path: Path) -> Path:
    return shutil.copytree(three, tmp_path / "home", symlinks=True)


def run_folder(home: Path, day: int) -> Path:
    return home / "archive" / f"run_id={run_of(day)}"


def write(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def exchange(path: Path, put: Callable[[Path], object]) -> None:
    path.unlink()
    put(path)


def change_index(home: Path, day: int, **parts: object) -> None:
    path = run_folder(home, day) / INDEX
    write(path, json.dumps({**json.loads(path.read_text(encoding="utf-8")), **parts}).encode())


def copy_query(home: Path, query: str) -> None:
    path = run_folder(home, 2) / ESTIMATE
    path.chmod(0o644)
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")


def move(home: Path, name: str) -> None:
    run_folder(home, 2).rename(home / "archive" / name)


def exchange_runs(home: Path) -> None:
    run_folder(home, 1).rename(home / "archive" / "t")
    run_folder(home, 2).rename(run_folder(home, 1))
    (home / "archive" / "t").rename(run_folder(home, 2))


# What is done, and how many runs are still read.
TAMPERING: dict[str, tuple[Callable[[Path], object], int]] = {
    "a table of rubbish": (lambda home: write(run_folder(home, 2) / ESTIMATE, b"PAR1xxxx"), 2),
    "an empty table": (lambda home: write(run_folder(home, 2) / ESTIMATE, b""), 2),
    "a table cut": (lambda home: os.truncate(run_folder(home, 2) / ESTIMATE, 100), 2),
    "a folder for a table": (lambda home: exchange(run_folder(home, 2) / ESTIMATE, Path.mkdir), 2),
    "a link for a table": (
        lambda home: exchange(
            run_folder(home, 2) / ESTIMATE, lambda path: path.symlink_to("/etc/passwd")
        ),
        2,
    ),
    "a pipe for a table": (lambda home: exchange(run_folder(home, 2) / ESTIMATE, os.mkfifo), 2),
    "another type in a table": (
        lambda home: copy_query(home, "select 1 as spec_id, 'x' as estimate"),
        3,
    ),
    "a run id inside a table": (
        lambda home: copy_query(home, "select 'z' as run_id, 'a' as spec_id, 0.1 as estimate"),
        3,
    ),
    "a folder for the index": (lambda home: exchange(run_folder(home, 2) / INDEX, Path.mkdir), 3),
    "a pipe for the index": (lambda home: exchange(run_folder(home, 2) / INDEX, os.mkfifo), 3),
    "a list for the index": (lambda home: write(run_folder(home, 2) / INDEX, b"[]"), 3),
    "a deep index": (lambda home: write(run_folder(home, 2) / INDEX, b"[" * 100_000), 3),
    "a number that is a text": (lambda home: change_index(home, 2, number="9"), 3),
    "another number": (lambda home: change_index(home, 3, number=10**30), 3),
    "files that lead out": (
        lambda home: change_index(home, 2, files={"../../../../etc/passwd": "0" * 64}),
        3,
    ),
    "hashes that are numbers": (lambda home: change_index(home, 2, files={"manifest.json": 1}), 3),
    "a run before that is a text": (lambda home: change_index(home, 2, before="ab"), 3),
    "a run before that is a number": (lambda home: change_index(home, 2, before=[1, 2]), 3),
    "a run before that leads out": (lambda home: change_index(home, 2, before=["../../x", "y"]), 3),
    "another name of a run": (lambda home: move(home, "run_id=zzz"), 3),
    "a new line in a name": (lambda home: move(home, "run_id=a\nb"), 2),
    "a quote in a name": (lambda home: move(home, "run_id=a'b"), 2),
    "a pattern for a name": (lambda home: move(home, "run_id=[x]*"), 2),
    "a link for a run": (
        lambda home: (move(home, "../moved"), run_folder(home, 2).symlink_to(home / "moved")),
        2,
    ),
    "a file for a run": (
        lambda home: (shutil.rmtree(run_folder(home, 2)), run_folder(home, 2).write_text("x")),
        2,
    ),
    "the first run gone": (lambda home: shutil.rmtree(run_folder(home, 1)), 2),
    "the last run gone": (lambda home: shutil.rmtree(run_folder(home, 3)), 2),
    "a strange file": (lambda home: (home / "archive" / "notes.txt").write_text("x"), 3),
    "a folder inside a run": (lambda home: (run_folder(home, 2) / "sub").mkdir(), 3),
    "a copy as another run": (
        lambda home: shutil.copytree(run_folder(home, 3), run_folder(home, 9)),
        4,
    ),
    "two runs exchanged": (exchange_runs, 3),
    "a table with a name for SQL": (
        lambda home: shutil.copy(
            run_folder(home, 2) / ESTIMATE, run_folder(home, 2) / 'a.b"; drop.parquet'
        ),
        3,
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_it_is_found_and_harms_no_other_run(home: Path, name: str) -> None:
    tamper, n_read = TAMPERING[name]
    tamper(home)
    assert verify_archive(home / "archive", publications_of(Home(home)))
    with duckdb.connect() as con:
        left_out = load_archive(con, home / "archive")
        assert con.execute(
            "select count(distinct run_id) from archive.estimates.estimate"
        ).fetchone() == (n_read,)
    assert all("cannot be read and is left out" in line for line in left_out)
    put_out(home, 7, 0.7)
    assert run_of(7) in archived_runs(home / "archive")


def test_an_archive_that_is_gone_is_missed_and_made_again_from_what_is_kept(home: Path) -> None:
    shutil.rmtree(home / "archive")
    assert len(verify_archive(home / "archive", publications_of(Home(home)))) == 3
    put_out(home, 7, 0.7)
    assert verify_archive(home / "archive", publications_of(Home(home))) == []


def test_a_file_in_the_archive_s_place_stops_the_publication(home: Path) -> None:
    shutil.rmtree(home / "archive")
    (home / "archive").write_text("x", encoding="utf-8")
    with pytest.raises(PublishError, match="move it away"):
        put_out(home, 7, 0.7)
    assert (home / "published").resolve().name == run_of(3)
