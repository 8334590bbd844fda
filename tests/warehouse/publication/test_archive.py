"""What every publication said stays, whatever is published, pruned, rolled back or cleaned
afterwards, and a change of it is found.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.commands.clean import clean
from orchestration.commands.publications import rollback, verify
from orchestration.commands.sql_prompt import connect_read_only
from orchestration.home import Home
from tests.warehouse.publication.test_verification import flip_byte
from warehouse.publication.archive import archive_publications, archived_runs, verify_archive
from warehouse.publication.publish import publish
from warehouse.whole_files import remove_any

SPEC = "baseline.cm_growth_official.headline"
MOVED = (
    f"select run_id, estimate from archive.estimates.estimate where spec_id = '{SPEC}' order by "
    "run_id"
)


def run_of(day: int) -> str:
    return f"2026010{day}T000000.000000Z"


def put_out(
    home: Path,
    day: int,
    estimate: float,
    *,
    simulated: bool = False,
    more: str = "",
    kept: int = 3,
    **settings: str,
) -> None:
    """Publish a headline, with as many values as the day says."""
    home.mkdir(exist_ok=True)
    database = home / "build.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute(
            "create schema marts; create schema estimates; create schema quality; create schema "
            "meta"
        )
        con.execute(
            f"create table estimates.estimate as select '{SPEC}' as spec_id, {estimate}::double "
            "as estimate"
        )
        con.execute(
            f"create table meta.run as select '{run_of(day)}' as run_id, {simulated} as "
            "is_simulated"
        )
        columns = (
            "'tidy' as source_id, 'gdp' as indicator_id, 'city' as place_level, 'ok' as "
            "quality_flag, null::text as quality_rule"
        )
        places = f'true as is_current, range as city_id, 2010 as "year" from range({day})'
        con.execute(f"create table marts.fct_indicator_observation as select {columns}, {places}")
        con.execute(
            "create table quality.rejected_value as select 'tidy' as source_id, 'unit' as reason "
            f"from range({day}); {more}"
        )
    for name in ("report", "data_docs"):
        (home / name).mkdir(exist_ok=True)
        (home / name / "index.html").write_text("page", encoding="utf-8")
    manifest = {"run_id": run_of(day), "is_simulated": simulated, "settings": settings}
    publish(
        database,
        home / "published",
        manifest=manifest,
        folders={name: home / name for name in ("report", "data_docs")},
        kept=kept,
    )


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
        put_out(home, day, day / 10, simulated=day == 1, kept=1, **settings)
    return home


@pytest.fixture
def home(five: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    return shutil.copytree(five, tmp_path / "home", symlinks=True)


def test_it_answers_after_pruning_a_rollback_and_a_clean(home: Path) -> None:
    """Publications of the first four days are gone or superseded; what they said is not."""
    assert len(list((home / "publications").iterdir())) == 3
    assert clean() == 0 and rollback(run_of(3)) == 0
    assert answer(home, MOVED) == [(run_of(day), day / 10) for day in range(1, 6)]
    why = (
        "select run_id, sum(n_values), max(n_cities) from archive.quality.value_count group by 1 "
        "order by 1"
    )
    assert answer(home, why) == [(run_of(day), day, day) for day in range(1, 6)]
    assert answer(home, "select run_id, is_simulated from archive.meta.run order by 1 limit 2") == [
        (run_of(1), True),
        (run_of(2), False),
    ]
    assert answer(home, "select count(*), sum(n_rejected) from archive.quality.rejected_count") == [
        (5, 15)
    ]
    manifest = json.loads(
        (home / "archive" / f"run_id={run_of(1)}" / "manifest.json").read_text(encoding="utf-8")
    )
    assert manifest["run_id"] == run_of(1)
    assert verify_archive(home / "archive") == []


def test_tables_of_the_publication_are_found_without_the_archive_s_name(home: Path) -> None:
    assert answer(home, "select estimate from estimates.estimate") == [(0.5,)]


@pytest.mark.parametrize(
    "statement",
    [
        "create table x as select 1",
        "update estimates.estimate set estimate = 0",
        "copy (select 1) to '{home}/archive/x.csv'",
        "copy (select 1) to '{home}/x.csv'",
        "from read_parquet('{home}/archive/*/*.parquet')",
        "attach '{home}/published/citysync.duckdb' as other",
        "set enable_external_access = true",
    ],
)
def test_the_connection_with_the_archive_reads_nothing_else_and_writes_nothing(
    home: Path, statement: str
) -> None:
    before = sorted(path.name for path in home.rglob("*"))
    with connect_read_only(Home(home)) as con, pytest.raises(duckdb.Error):
        con.execute(statement.format(home=home))
    assert sorted(path.name for path in home.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["estimates.estimate.parquet", "meta.run.parquet", "manifest.json"]
)
def test_a_flipped_byte_is_found_and_named(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flip_byte(home / "archive" / f"run_id={run_of(2)}" / name)
    assert verify(None) == 1
    said = capsys.readouterr().out
    assert name in said and run_of(2) in said and "backup" in said


def test_what_is_gone_or_added_is_found(home: Path) -> None:
    archive = home / "archive"
    (archive / f"run_id={run_of(4)}" / "more.parquet").write_bytes(b"x")
    (archive / f"run_id={run_of(4)}" / "meta.run.parquet").unlink()
    faults = verify_archive(archive)
    assert [
        part for part in ("more.parquet", "meta.run.parquet") if not any(part in f for f in faults)
    ] == []
    assert len(faults) == 2


def test_publications_that_have_no_archive_yet_get_theirs(home: Path) -> None:
    """Such as those of a version before the archive, or of a run that was killed in between."""
    remove_any(home / "archive")
    (home / "archive" / ".draft").mkdir(parents=True)
    put_out(home, 6, 0.6)
    assert archived_runs(home / "archive") == [run_of(1), run_of(3), run_of(5), run_of(6)]
    assert verify_archive(home / "archive") == [] and not list((home / "archive").glob(".*"))


def test_a_damaged_publication_stops_no_later_one(home: Path) -> None:
    remove_any(home / "archive")
    path = home / "publications" / run_of(5) / "citysync.duckdb"
    path.chmod(0o644)
    path.write_bytes(b"no database")
    put_out(home, 6, 0.6)
    assert run_of(6) in archived_runs(home / "archive") and run_of(5) not in archived_runs(
        home / "archive"
    )


def test_a_run_that_cannot_be_archived_is_not_published(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "warehouse.publication.archive._archive",
        lambda *_: (_ for _ in ()).throw(duckdb.IOException("No space left on device")),
    )
    with pytest.raises(duckdb.IOException):
        put_out(home, 6, 0.6)
    assert (home / "published").resolve().name == run_of(5)


def test_runs_of_other_versions_are_read_together(home: Path) -> None:
    """One more table and one more column in a later version; the earlier runs have null there."""
    put_out(
        home,
        6,
        0.6,
        more=(
            "alter table estimates.estimate add column df double default 7; create table "
            "estimates.claim as select 'a' as claim"
        ),
    )
    assert answer(
        home, "select run_id, df from archive.estimates.estimate order by 1 desc limit 2"
    ) == [
        (run_of(6), 7.0),
        (run_of(5), None),
    ]
    assert answer(home, "select * from archive.estimates.claim") == [(run_of(6), "a")]


def test_nothing_is_archived_twice(home: Path) -> None:
    assert archive_publications(home / "publications", home / "archive") == []
