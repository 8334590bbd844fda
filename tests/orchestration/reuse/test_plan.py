"""What a refresh may leave out, and that nothing touched is ever built upon."""

import dataclasses
import os
import shutil

import pytest

from orchestration.home import Home
from orchestration.reuse.fingerprint import Fingerprint
from orchestration.reuse.plan import (
    ALL,
    ESTIMATES,
    NOTHING,
    RECORD,
    forget_record,
    keep_record,
    plan_refresh,
    rewind,
)
from tests.orchestration.conftest import refresh
from warehouse.build_database import open_build
from warehouse.hashing import hash_file
from warehouse.publication.manifest import write_manifest

FINGERPRINT = Fingerprint("l", "m", "p")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home after a publication, with its record."""
    monkeypatch.delenv("FORCE", raising=False)
    home = Home(tmp_path)
    run = tmp_path / "publications" / "run-1"
    for path in (
        run / "report" / "index.html",
        run / "citysync.duckdb",
        home.build / "citysync.duckdb",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as it was")
    files = {
        name: {"sha256": hash_file(run / name), "bytes": 9}
        for name in ("report/index.html", "citysync.duckdb")
    }
    write_manifest(run, {"run_id": "run-1", "files": files, "tables": {}})
    home.published.symlink_to("publications/run-1")
    keep_record(home, FINGERPRINT, FINGERPRINT)
    return home


@pytest.mark.parametrize(
    ("changed", "work"),
    [
        ({}, NOTHING),
        ({"publication": "x"}, ESTIMATES),
        ({"marts": "x", "publication": "x"}, ALL),
    ],
)
def test_a_changed_stage_and_those_after_it_are_run(home, changed, work):
    assert plan_refresh(home, dataclasses.replace(FINGERPRINT, **changed)).work == work


def _another_publication(home: Home) -> None:
    shutil.copytree(home.root / "publications" / "run-1", home.root / "publications" / "run-0")
    home.published.unlink()
    home.published.symlink_to("publications/run-0")


@pytest.mark.parametrize(
    "touch",
    [
        lambda home: (home.published / "citysync.duckdb").write_text("as it wa5"),
        lambda home: (home.published / "report" / "index.html").unlink(),
        lambda home: (home.published / "report" / "more.html").write_text("more"),
        lambda home: (home.published / "manifest.json").write_text("{}"),
        lambda home: home.published.unlink(),
        _another_publication,
    ],
)
def test_a_touched_publication_is_published_again_from_the_build(home, touch):
    touch(home)
    assert plan_refresh(home, FINGERPRINT).work == ESTIMATES
    home.database.unlink()
    assert plan_refresh(home, FINGERPRINT).work == ALL


@pytest.mark.parametrize(
    "touch",
    [
        lambda home: (home.root / RECORD).unlink(),
        lambda home: (home.root / RECORD).write_text("{"),
        lambda home: (home.root / RECORD).write_text("[1]"),
        lambda home: (home.root / RECORD).write_text('{"fingerprint": []}'),
        lambda home: os.environ.update(FORCE="1"),
    ],
)
def test_without_a_sound_record_everything_is_run(home, monkeypatch, touch):
    monkeypatch.setenv("FORCE", "0")
    touch(home)
    assert plan_refresh(home, FINGERPRINT).work == ALL
    monkeypatch.setenv("FORCE", "0")
    forget_record(home)
    keep_record(home, FINGERPRINT, FINGERPRINT)
    assert plan_refresh(home, FINGERPRINT).work == NOTHING


@pytest.mark.parametrize("after", [None, dataclasses.replace(FINGERPRINT, landing="changed")])
def test_a_run_whose_files_changed_meanwhile_leaves_no_record(home, after):
    forget_record(home)
    keep_record(home, FINGERPRINT, after)
    assert plan_refresh(home, FINGERPRINT).work == ALL


def test_what_the_remaining_stages_write_is_taken_out_of_the_build_and_nothing_else(
    tmp_path,
):
    tables = ("marts.a", "estimates.b", "meta.c")
    results = ("quality.expectation_result", "quality.expectation_row")
    (tmp_path / "build").mkdir()
    with open_build(tmp_path / "build") as con:
        for name in (*tables, *results):
            con.execute(f"create schema if not exists {name.split('.')[0]}")
            con.execute(f"create table {name} as from (values ('marts'), ('estimates')) t(stage)")
    rewind(Home(tmp_path))
    with open_build(tmp_path / "build", read_only=True) as con:
        left = con.execute("select schema_name || '.' || table_name from duckdb_tables()")
        assert {name for (name,) in left.fetchall()} == {"marts.a", *results}
        for name in results:
            assert con.execute(f"from {name}").fetchall() == [("marts",)]


@pytest.mark.e2e
def test_a_second_refresh_does_nothing(six, home_of_six):
    second = refresh(home_of_six, six.landing)
    assert second.code == 0, second.output
    assert second.last_line.startswith("citysync: exit 0: published")
    assert "unchanged" in second.last_line and second.manifest == six.run.manifest
