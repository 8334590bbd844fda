"""What every publication said stays, whatever is published, pruned, rolled back or cleaned
afterwards; what was done to it by hand or by a disk is found, and harms no other run.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.clean import clean
from orchestration.commands.publications import rollback, verify
from orchestration.commands.sql import connect_read_only, run_sql
from orchestration.home import Home
from orchestration.publication_folders import publications_of
from tests.orchestration.conftest import end_of
from tests.warehouse.publication.small import CREATE_SCHEMAS, put_out, run_of
from tests.warehouse.publication.test_verification import flip_byte
from warehouse.publication.archive import (
    INDEX,
    archive_publications,
    archived_runs,
    load_archive,
    verify_archive,
)
from warehouse.publication.errors import PublishError
from warehouse.whole_files import remove_any

ESTIMATE = "estimates.estimate.parquet"
MOVED = "select run_id, estimate from archive.estimates.estimate order by run_id"


def say(home: Path, day: int, more: str = "", **options: object) -> None:
    """Publish a headline of a tenth of the day, with as many values as the day says."""
    sql = f"""{CREATE_SCHEMAS}
        create table estimates.estimate as
            select 'baseline.headline' as spec_id, {day / 10}::double as estimate;
        create table meta.run as
            select '{run_of(day)}' as run_id, {options.get("simulated", False)} as is_simulated;
        create table marts.fct_indicator_observation as
            select 'tidy' as source_id, 'gdp' as indicator_id, 'city' as place_level,
                'ok' as quality_flag, null::text as quality_rule, true as is_current,
                range as city_id, 2010 as "year" from range({day});
        create table quality.rejected_value as
            select 'tidy' as source_id, 'unit' as reason from range({day}); {more}"""
    put_out(home, run_of(day), sql, **options)


def answer(home: Path, query: str) -> list[tuple]:
    with connect_read_only(Home(home)) as con:
        return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after five publications with changed data; the first was simulated, one had another
    window.
    """
    home = tmp_path_factory.mktemp("five") / "home"
    for day in range(1, 6):
        settings = {"WINDOW_FIRST_YEAR": "2012"} if day == 3 else {}
        say(home, day, simulated=day == 1, kept=1, settings=settings)
    return home


@pytest.fixture
def home(five: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    return shutil.copytree(five, tmp_path / "home", symlinks=True)


def run_folder(home: Path, day: int) -> Path:
    return home / "archive" / f"run_id={run_of(day)}"


def test_it_answers_after_pruning_a_rollback_and_a_clean(home: Path) -> None:
    """Publications of the first four days are gone or superseded; what they said is not."""
    assert len(list((home / "publications").iterdir())) == 3
    assert answer(home, "select estimate from estimates.estimate") == [(0.5,)]
    assert end_of(clean) == 0 and end_of(rollback, run_of(3)) == 0
    assert answer(home, MOVED) == [(run_of(day), day / 10) for day in range(1, 6)]
    why = (
        "select run_id, sum(n_values), max(n_cities) from archive.quality.value_count group by 1 "
        "order by 1"
    )
    assert answer(home, why) == [(run_of(day), day, day) for day in range(1, 6)]
    assert answer(home, "select run_id from archive.meta.run where is_simulated") == [(run_of(1),)]
    assert answer(home, "select count(*), sum(n_rejected) from archive.quality.rejected_count") == [
        (5, 15)
    ]
    assert run_sql("from archive.meta.run") == 0
    manifest = json.loads((run_folder(home, 1) / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["run_id"] == run_of(1)
    assert verify_archive(home / "archive") == []
    assert archive_publications(home / "publications", home / "archive") == []


def test_publications_that_have_no_archive_yet_get_theirs(home: Path) -> None:
    """Such as those of a version before the archive, or of a run that was killed in between; one
    that is damaged stops no other.
    """
    assert len(verify_archive(home / "archive", publications_of(Home(home)))) == 0
    remove_any(home / "archive")
    assert len(verify_archive(home / "archive", publications_of(Home(home)))) == 3
    (home / "archive" / ".draft").mkdir(parents=True)
    say(home, 6)
    assert archived_runs(home / "archive") == [run_of(day) for day in (1, 3, 5, 6)]
    assert verify_archive(home / "archive") == [] and not list((home / "archive").glob(".*"))
    remove_any(home / "archive")
    write(home / "publications" / run_of(5) / "citysync.duckdb", b"no database")
    say(home, 7)
    assert {run_of(5), run_of(7)} & set(archived_runs(home / "archive")) == {run_of(7)}


def test_a_run_that_cannot_be_archived_is_not_published(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "warehouse.publication.archive._archive",
        lambda *_: (_ for _ in ()).throw(duckdb.IOException("No space left on device")),
    )
    with pytest.raises(duckdb.IOException):
        say(home, 6)
    monkeypatch.undo()
    shutil.rmtree(home / "archive")
    (home / "archive").write_text("x", encoding="utf-8")
    with pytest.raises(PublishError, match="move it away"):
        say(home, 7)
    assert (home / "published").resolve().name == run_of(5)


def test_runs_of_other_versions_are_read_together(home: Path) -> None:
    """One more table and one more column in a later version; the earlier runs have null there."""
    say(
        home,
        6,
        "alter table estimates.estimate add column df double default 7; create table "
        "estimates.claim as select 'a' as claim",
    )
    last = "select run_id, df from archive.estimates.estimate order by 1 desc limit 2"
    assert answer(home, last) == [(run_of(6), 7.0), (run_of(5), None)]
    assert answer(home, "select * from archive.estimates.claim") == [(run_of(6), "a")]


def write(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


# What is done, and how many of the five runs are still read.
TAMPERING: dict[str, tuple[Callable[[Path], object], int]] = {
    "a byte of a table": (lambda home: flip_byte(run_folder(home, 2) / "meta.run.parquet"), 5),
    "a byte of the index": (lambda home: flip_byte(run_folder(home, 2) / INDEX), 5),
    "a table gone": (lambda home: (run_folder(home, 2) / "meta.run.parquet").unlink(), 5),
    "the last run gone": (lambda home: shutil.rmtree(run_folder(home, 5)), 4),
    "another file": (lambda home: (run_folder(home, 2) / "more.parquet").write_bytes(b"x"), 5),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_a_change_is_found_and_harms_no_other_run(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper, n_read = TAMPERING[name]
    tamper(home)
    assert end_of(verify, None) == 1 and "archive" in capsys.readouterr().out
    count = "select count(distinct run_id) from archive.estimates.estimate"
    assert answer(home, count) == [(n_read,)]
    say(home, 7)
    assert run_of(7) in archived_runs(home / "archive")


def test_a_table_that_cannot_be_read_is_said_and_the_others_answer(home: Path) -> None:
    write(run_folder(home, 2) / ESTIMATE, b"")
    with duckdb.connect() as con:
        (said,) = load_archive(con, home / "archive")
        assert con.execute("select count(*) from archive.meta.run").fetchone() == (5,)
    assert "estimates.estimate is left out" in said
