"""Publication: hashes independent of order, one switch, read-only files, old ones kept by the rule,
delivered data never replaced.
"""

import json
import stat
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.warehouse.publication.small import ROWS, THINGS, pair_years_as_files, put_out, run_of
from warehouse.publication.errors import PublishError
from warehouse.publication.publish import switch
from warehouse.publication.tables import hash_table
from warehouse.publication.verification import verify_publication

THREE = ("(1, 'a', 0.1::double + 0.2::double)", "(2, null, 1e-300)", "(3, '', 'nan'::double)")


@pytest.mark.parametrize(
    ("values", "names", "same"),
    [
        ((THREE[2], THREE[0], THREE[1]), "k, word, x", True),
        (("(1, 'a', 0.3)", *THREE[1:]), "k, word, x", False),
        ((THREE[0], "(2, '', 1e-300)", "(3, null, 'nan'::double)"), "k, word, x", False),
        ((*THREE, THREE[2]), "k, word, x", False),
        (THREE, "k, label, x", False),
    ],
)
def test_a_hash_changes_with_content_not_with_order(
    values: tuple[str, ...], names: str, same: bool
) -> None:
    with duckdb.connect() as con:
        con.execute(f"create table a as select * from {ROWS}")
        con.execute(f"create table b as from (values {', '.join(values)}) t({names})")
        assert (hash_table(con, "a") == hash_table(con, "b")) is same


def test_a_publication_is_whole_read_only_and_carries_comments(tmp_path: Path) -> None:
    published = put_out(tmp_path, run_of(1))
    manifest = json.loads((published / "manifest.json").read_text(encoding="utf-8"))
    assert sorted(manifest["tables"]) == [
        f"{schema}.things" for schema in ("estimates", "marts", "meta", "quality")
    ]
    files = [path for path in published.resolve().rglob("*") if path.is_file()]
    assert files and not any(path.stat().st_mode & stat.S_IWUSR for path in files)
    with duckdb.connect(str(published / "citysync.duckdb"), read_only=True) as con:
        assert con.execute(
            "select comment from duckdb_columns() where column_name = 'word' and schema_name = "
            "'marts'"
        ).fetchone() == ("it's a word",)
        assert con.execute(
            f"select count(*) from '{published / 'parquet/marts/things.parquet'}'"
        ).fetchone() == (3,)
    table = pq.read_table(published / "parquet/marts/things.parquet")
    assert table.schema.field("word").metadata[b"comment"] == b"it's a word"
    assert table.schema.field("k").metadata is None
    assert sorted(table["word"].to_pylist(), key=str) == ["", None, "a"]


def test_what_an_earlier_attempt_left_in_the_draft_is_copied_again(tmp_path: Path) -> None:
    put_out(tmp_path, run_of(1))
    draft = tmp_path / "publications" / f".{run_of(2)}"
    (draft / "parquet").mkdir(parents=True)
    (draft / "citysync.duckdb").write_bytes(b"half a file")
    assert verify_publication(put_out(tmp_path, run_of(2))) == []


OTHER_WINDOW = {"WINDOW_FIRST_YEAR": "2012"}
#: Days of runs with their settings, how many are kept, and the days that stay.
KEPT = {
    # what followed what counts, and no run id
    "a clock that goes back": ([(day, {}) for day in (3, 4, 5, 1)], 3, (1, 4, 5)),
    "the newest of a window": (
        [*((day, {}) for day in (1, 2)), *((day, OTHER_WINDOW) for day in range(3, 8))],
        3,
        (2, 5, 6, 7),
    ),
    "one of each window": (
        [(1, {}), (2, OTHER_WINDOW), (3, OTHER_WINDOW), (4, {})],
        1,
        (3, 4),
    ),
}


@pytest.mark.parametrize(("runs", "kept", "left"), KEPT.values(), ids=KEPT)
def test_the_last_run_is_current_and_the_newest_stay(
    tmp_path: Path, runs: list[tuple[int, dict]], kept: int, left: tuple[int, ...]
) -> None:
    """A reader of the first one keeps its file, also where that is removed."""
    options = [{"run_id": run_of(day), "settings": settings} for day, settings in runs]
    published = put_out(tmp_path, kept=kept, **options[0])
    with duckdb.connect(str((published / "citysync.duckdb").resolve()), read_only=True) as reader:
        for given in options[1:]:
            put_out(tmp_path, kept=kept, **given)
        assert reader.execute("select count(*) from marts.things").fetchone() == (3,)
    assert published.resolve().name == run_of(runs[-1][0])
    names = sorted(path.name for path in (tmp_path / "publications").iterdir())
    assert names == [run_of(day) for day in left]


def test_a_simulated_run_never_replaces_delivered_data(tmp_path: Path) -> None:
    put_out(tmp_path, run_of(1), simulated=True)
    put_out(tmp_path, run_of(2))
    with pytest.raises(PublishError, match="CITYSYNC_HOME"):
        put_out(tmp_path, run_of(3), simulated=True)
    assert (tmp_path / "published").resolve().name == run_of(2)


def test_a_folder_in_the_links_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    with pytest.raises(PublishError, match="move it away"):
        switch(tmp_path / "published", tmp_path)


def test_a_view_of_the_build_is_published_as_its_files_and_verified(tmp_path: Path) -> None:
    """Pair-years beyond the limit: no table of the database, the manifest says where they lie, the
    hash is that of a table.
    """
    published = put_out(tmp_path, run_of(1), pair_years_as_files(tmp_path / "marts.pairs"))
    tables = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["tables"]
    assert tables["marts.pairs"] == {
        **tables["marts.whole"],
        "parquet": "parquet/marts/pairs/*/*.parquet",
    }
    assert len(list(published.glob(tables["marts.pairs"]["parquet"]))) == 2
    with duckdb.connect(str(published / "citysync.duckdb"), read_only=True) as con:
        assert not con.execute("select * from duckdb_views() where not internal").fetchall()
    assert verify_publication(published) == []
    folder = published.resolve() / "parquet" / "marts" / "pairs"
    (folder / "year=2010").rename(folder / "year=2012")
    assert "year=2010" in verify_publication(published)[0]
    with pytest.raises(PublishError, match=r"marts\.bare"):
        put_out(tmp_path, run_of(2), f"{THINGS}; create view marts.bare as select 1 as k")
