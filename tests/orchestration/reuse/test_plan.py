"""What a refresh may leave out, and that nothing touched is ever built upon; a fingerprint holds
what a stage depends on, by content.
"""

import dataclasses
import os
import shutil

import pytest

from orchestration.home import Home
from orchestration.reuse import fingerprint
from orchestration.reuse.fingerprint import (
    CodeChanged,
    Fingerprint,
    hash_landing,
    note_code,
    require_same_code,
    take_fingerprint,
)
from orchestration.reuse.plan import (
    AFTER_MARTS,
    ALL,
    NOTHING,
    RECORD,
    drop_later_tables,
    forget_record,
    keep_record,
    plan_refresh,
)
from tests.orchestration.conftest import refresh
from warehouse.database import open_build
from warehouse.publication.manifest import hash_files, write_manifest

FINGERPRINT = Fingerprint("l", "m", "p")

RUN = "20260101T000000.000000Z"
OTHER_RUN = "20260102T000000.000000Z"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home after a publication, with its record."""
    monkeypatch.delenv("FORCE", raising=False)
    home = Home(tmp_path)
    run = tmp_path / "publications" / RUN
    for path in (
        run / "report" / "index.html",
        run / "citysync.duckdb",
        home.build / "citysync.duckdb",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as it was")
    entries = {"inputs": [], "packages": {}, "files": hash_files(run), "tables": {}}
    of_run = {"run_id": RUN, "git_commit": "unknown", "is_simulated": False}
    write_manifest(run, of_run | entries)
    home.published.symlink_to(f"publications/{RUN}")
    keep_record(home, FINGERPRINT, FINGERPRINT)
    return home


def _another_publication(home: Home) -> None:
    shutil.copytree(home.root / "publications" / RUN, home.root / "publications" / OTHER_RUN)
    home.published.unlink()
    home.published.symlink_to(f"publications/{OTHER_RUN}")


#: What was touched since, what changed, and what is run.
TOUCHED = [
    # a changed stage and those after it
    (lambda home: None, {}, NOTHING),
    (lambda home: None, {"publication": "x"}, AFTER_MARTS),
    (lambda home: None, {"marts": "x", "publication": "x"}, ALL),
    # a touched publication is published again from the build
    *(
        (touch, {}, AFTER_MARTS)
        for touch in (
            lambda home: (home.published / "citysync.duckdb").write_text("as it wa5"),
            lambda home: (home.published / "report" / "index.html").unlink(),
            lambda home: (home.published / "report" / "more.html").write_text("more"),
            lambda home: (home.published / "manifest.json").write_text("{}"),
            lambda home: home.published.unlink(),
            _another_publication,
        )
    ),
    (lambda home: (home.published.unlink(), home.database.unlink()), {}, ALL),
    # without a sound record everything is run
    *(
        (touch, {}, ALL)
        for touch in (
            lambda home: (home.root / RECORD).unlink(),
            lambda home: (home.root / RECORD).write_text("{"),
            lambda home: (home.root / RECORD).write_text("[1]"),
            lambda home: (home.root / RECORD).write_text('{"fingerprint": []}'),
            lambda home: os.environ.update(FORCE="1"),
        )
    ),
]


@pytest.mark.parametrize(("touch", "changed", "scope"), TOUCHED)
def test_what_was_touched_or_changed_and_what_comes_after_it_is_run(
    home, monkeypatch, touch, changed, scope
):
    monkeypatch.setenv("FORCE", "0")
    touch(home)
    assert plan_refresh(home, dataclasses.replace(FINGERPRINT, **changed)).scope == scope


@pytest.mark.parametrize("after", [None, dataclasses.replace(FINGERPRINT, landing="changed")])
def test_a_run_whose_files_changed_meanwhile_leaves_no_record(home, after):
    forget_record(home)
    keep_record(home, FINGERPRINT, after)
    assert plan_refresh(home, FINGERPRINT).scope == ALL


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
    drop_later_tables(Home(tmp_path))
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


def test_a_fingerprint_follows_content_and_not_clocks(tmp_path, monkeypatch):
    file = tmp_path / "tidy" / "values.csv"
    file.parent.mkdir()
    file.write_text("a")
    first = take_fingerprint(hash_landing(tmp_path))
    os.utime(file, (1, 1))
    monkeypatch.setenv("CITYSYNC_THREADS", "7")
    assert take_fingerprint(hash_landing(tmp_path)) == first
    monkeypatch.setenv("WINDOW_LAST_YEAR", "2018")
    other_window = take_fingerprint(hash_landing(tmp_path))
    assert (other_window.landing, other_window.marts != first.marts) == (first.landing, True)
    monkeypatch.delenv("WINDOW_LAST_YEAR")
    file.write_text("b")
    assert take_fingerprint(hash_landing(tmp_path)).landing != first.landing


@pytest.mark.parametrize(
    ("path", "stages"),
    [
        ("estimation/report/site.py", ["publication"]),
        ("estimation/fit_panel.py", ["publication"]),
        ("estimation/measures/cycles.py", ["marts", "publication"]),
        ("warehouse/seeds/pilot_zones.csv", ["marts", "publication"]),
        ("warehouse/publication/table_comments.yml", ["publication"]),
        ("dbt_project.yml", ["marts", "publication"]),
    ],
)
def test_code_belongs_to_the_stages_that_run_it(monkeypatch, path, stages):
    before, read = take_fingerprint(None), fingerprint.hash_code
    assert path in read()
    monkeypatch.setattr(
        fingerprint,
        "hash_code",
        lambda: {name: data + "#" * (name == path) for name, data in read().items()},
    )
    after = take_fingerprint(None)
    assert [
        name
        for name in ("landing", "marts", "publication")
        if getattr(before, name) != getattr(after, name)
    ] == stages


def test_packages_that_only_tests_need_are_no_part_of_it(tmp_path, monkeypatch):
    """`make test` adds them to the environment; the next refresh has nothing to do all the same."""
    before = take_fingerprint(None)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pytest_of_mine-1.0.dist-info").mkdir()
    assert take_fingerprint(None) == before
    (tmp_path / "Typing.Extensions-99.0.dist-info").mkdir()
    assert take_fingerprint(None).marts != before.marts


def test_a_run_whose_code_changed_publishes_nothing(tmp_path, monkeypatch):
    for name in ("dbt_project.yml", "profiles.yml", "warehouse/a.sql"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("select 1", encoding="utf-8")
    for name in ("expectations", "estimation", "orchestration"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(fingerprint, "REPO", tmp_path)
    code = note_code()
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    require_same_code(code)
    # the second is changed and put back: the run may have read it in between
    for name, texts in (
        ("warehouse/a.sql", ["select 2"]),
        ("warehouse/a.sql", ["select 3", "select 2"]),
        ("warehouse/b.csv", ["a"]),
        ("dbt_project.yml", ["select 2"]),
    ):
        code = note_code()
        for text in texts:
            (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(CodeChanged, match=rf"written while the run worked \({name}\)"):
            require_same_code(code)
