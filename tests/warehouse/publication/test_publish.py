"""Publication: hashes independent of order, one switch, read-only files, old ones kept by the rule,
delivered data never replaced.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

import duckdb
import pytest

from warehouse.publication.errors import PublishError
from warehouse.publication.publish import KEPT_PUBLICATIONS, publish, switch
from warehouse.publication.tables import hash_table
from warehouse.publication.verification import verify_publication

ROWS = (
    "(values (1, 'a', 0.1::double + 0.2::double), (2, null, 1e-300), (3, '', 'nan'::double)) t(k, "
    "word, x)"
)


def build(path: Path, rows: str = ROWS) -> Path:
    """A build database with one table of each published schema and one that is not published."""
    with duckdb.connect(str(path)) as con:
        for schema in ("marts", "estimates", "quality", "meta", "staging"):
            con.execute(
                f"create schema {schema}; create table {schema}.things as select * from {rows}"
            )
        con.execute("comment on column marts.things.word is 'it''s a word'")
    return path


def put_out(tmp_path: Path, run_id: str, *, simulated: bool = False) -> Path:
    """Publish a small build and return the link."""
    for name in ("report", "data_docs"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "index.html").write_text("page", encoding="utf-8")
    database = build(tmp_path / f"{run_id}.duckdb")
    manifest = {"run_id": run_id, "is_simulated": simulated}
    publish(
        database,
        tmp_path / "published",
        manifest=manifest,
        folders={name: tmp_path / name for name in ("report", "data_docs")},
    )
    return tmp_path / "published"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (
            (
                "(values (3, '', 'nan'::double), (1, 'a', 0.1::double + 0.2::double), (2, null, "
                "1e-300)) t(k, word, x)"
            ),
            True,
        ),
        ("(values (1, 'a', 0.3), (2, null, 1e-300), (3, '', 'nan'::double)) t(k, word, x)", False),
        (
            (
                "(values (1, 'a', 0.1::double + 0.2::double), (2, '', 1e-300), (3, null, "
                "'nan'::double)) t(k, word, x)"
            ),
            False,
        ),
        (f"(select * from {ROWS} union all select 3, '', 'nan'::double)", False),
        (
            (
                "(values (1, 'a', 0.1::double + 0.2::double), (2, null, 1e-300), (3, '', "
                "'nan'::double)) t(k, label, x)"
            ),
            False,
        ),
    ],
)
def test_a_hash_changes_with_content_not_with_order(other: str, same: bool) -> None:
    with duckdb.connect() as con:
        con.execute(
            f"create table a as select * from {ROWS}; create table b as select * from {other}"
        )
        columns = [[row[0] for row in con.execute(f"describe {t}").fetchall()] for t in ("a", "b")]
        assert (hash_table(con, "a", columns[0]) == hash_table(con, "b", columns[1])) is same


def test_a_publication_is_whole_read_only_and_carries_comments(tmp_path: Path) -> None:
    published = put_out(tmp_path, "20260101T000000.000000Z")
    manifest = json.loads((published / "manifest.json").read_text(encoding="utf-8"))
    assert sorted(manifest["tables"]) == [
        "estimates.things",
        "marts.things",
        "meta.things",
        "quality.things",
    ]
    assert not any(
        path.stat().st_mode & stat.S_IWUSR
        for path in published.resolve().rglob("*")
        if path.is_file()
    )
    with duckdb.connect(str(published / "citysync.duckdb"), read_only=True) as con:
        assert con.execute(
            "select comment from duckdb_columns() where column_name = 'word' and schema_name = "
            "'marts'"
        ).fetchone() == ("it's a word",)
        assert con.execute(
            f"select count(*) from '{published / 'parquet/marts/things.parquet'}'"
        ).fetchone() == (3,)
        assert not con.execute("select * from duckdb_views() where not internal").fetchall()


def test_an_open_reader_keeps_its_file_and_three_publications_stay(tmp_path: Path) -> None:
    published = put_out(tmp_path, "20260101T000000.000000Z")
    with duckdb.connect(str((published / "citysync.duckdb").resolve()), read_only=True) as reader:
        for day in range(2, 7):
            put_out(tmp_path, f"2026010{day}T000000.000000Z")
        assert reader.execute("select count(*) from marts.things").fetchone() == (3,)
    names = sorted(path.name for path in (tmp_path / "publications").iterdir())
    assert names == [f"2026010{day}T000000.000000Z" for day in (4, 5, 6)]
    assert len(names) == KEPT_PUBLICATIONS
    assert published.resolve().name == names[-1]


def test_a_clock_that_goes_back_still_publishes_and_loses_nothing_newer(tmp_path: Path) -> None:
    """Run ids sort by time: the run of an earlier clock becomes current and stays, beside the
    newest of the others.
    """
    for day in (3, 4, 5):
        put_out(tmp_path, f"2026010{day}T000000.000000Z")
    published = put_out(tmp_path, "20260101T000000.000000Z")
    assert published.resolve().name == "20260101T000000.000000Z"
    assert sorted(path.name[:8] for path in (tmp_path / "publications").iterdir()) == [
        "20260101",
        "20260103",
        "20260104",
        "20260105",
    ]


def test_a_simulated_run_never_replaces_delivered_data(tmp_path: Path) -> None:
    put_out(tmp_path, "20260101T000000.000000Z", simulated=True)
    put_out(tmp_path, "20260102T000000.000000Z", simulated=False)
    with pytest.raises(PublishError, match="CITYSYNC_HOME"):
        put_out(tmp_path, "20260103T000000.000000Z", simulated=True)
    assert (tmp_path / "published").resolve().name == "20260102T000000.000000Z"


def test_a_folder_in_the_links_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    with pytest.raises(PublishError, match="move it away"):
        switch(tmp_path / "published", tmp_path)


def test_a_view_of_the_build_is_published_as_its_files_and_verified(tmp_path: Path) -> None:
    """Pair-years beyond the limit: no table of the database, the manifest says where they lie, the
    hash is that of a table.
    """
    for name in ("report", "data_docs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("page", encoding="utf-8")
    database, folder = build(tmp_path / "build.duckdb"), tmp_path / "marts.pairs"
    with duckdb.connect(str(database)) as con:
        con.execute(
            'create table marts.whole as select (i % 2 + 2010)::integer as "year", i::integer as '
            "k, i / 7 as x from range(10) as t(i)"
        )
        con.execute(
            f"copy (from marts.whole) to '{folder}' (format parquet, partition_by (\"year\"), "
            "write_partition_columns)"
        )
        con.execute(
            f"create view marts.pairs as select * from read_parquet('{folder}/*/*.parquet', "
            "hive_partitioning = false)"
        )
    publish(
        database,
        tmp_path / "published",
        manifest={"run_id": "20260101T000000.000000Z", "is_simulated": True},
        folders={name: tmp_path / name for name in ("report", "data_docs")},
    )
    published = tmp_path / "published"
    tables = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["tables"]
    assert tables["marts.pairs"] == {
        **tables["marts.whole"],
        "parquet": "parquet/marts/pairs/*/*.parquet",
    }
    assert len(list(published.glob(tables["marts.pairs"]["parquet"]))) == 2
    with duckdb.connect(str(published / "citysync.duckdb"), read_only=True) as con:
        assert not con.execute("select * from duckdb_views() where not internal").fetchall()
    assert verify_publication(published) == []
    (published / "parquet" / "marts" / "pairs" / "year=2010").rename(
        published.resolve() / "parquet" / "marts" / "pairs" / "year=2012"
    )
    assert "year=2010" in verify_publication(published)[0]


def test_a_view_without_files_is_not_passed_over(tmp_path: Path) -> None:
    database = build(tmp_path / "build.duckdb")
    with duckdb.connect(str(database)) as con:
        con.execute("create view marts.pairs as select 1 as k")
    with pytest.raises(PublishError, match=r"marts\.pairs"):
        publish(
            database,
            tmp_path / "published",
            manifest={"run_id": "r", "is_simulated": True},
            folders={"report": tmp_path},
        )
