"""Pair-years that are files of a publication, in the prompt: read like tables, only as they were
published, and never written.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.commands.sql_prompt import connect_read_only, run_sql
from orchestration.home import Home
from tests.warehouse.publication.small import pair_years_as_files, put_out, run_of
from warehouse.publication.errors import PublishError
from warehouse.publication.file_tables import files_of_tables


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose publication has pair-years as two files, and three things in the database."""
    put_out(tmp_path / "home", run_of(1), pair_years_as_files(tmp_path / "home" / "marts.pairs"))
    return Home(tmp_path / "home")


def test_files_are_read_like_tables_beside_those_of_the_database(home: Home) -> None:
    query = (
        "select count(*), max(cm), (select count(*) from marts.things) from marts.pairs where "
        "year = 2011"
    )
    for given in (None, query):
        with connect_read_only(home, query=given, with_archive=given is None) as con:
            assert con.execute(query).fetchone() == (10, 19 / 7, 3)
            assert con.execute("select count(*) from citysync.marts.things").fetchall() == [(3,)]
            assert ("marts.pairs",) in con.execute('select "table" from tables').fetchall()
            assert ("marts.pairs", "city_i_id", "INTEGER", None) in con.execute(
                "from columns"
            ).fetchall()
    # what names none of them needs none of them
    with (
        connect_read_only(home, query="select 1", with_archive=False) as con,
        pytest.raises(duckdb.Error),
    ):
        con.execute(query)


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 1 as i) to '{file}'",
        "copy marts.pairs to '{folder}/out.parquet'",
        "select * from read_parquet('{file}')",
        "insert into marts.pairs values (1, 2, 3)",
        "delete from marts.pairs",
        "use memory; detach files; copy (select 1 as i) to '{file}'",
    ],
)
def test_nothing_else_is_read_and_nothing_written(home: Home, query: str) -> None:
    folder = home.published.resolve()
    file = files_of_tables(folder)["marts.pairs"][0]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with connect_read_only(home) as con, pytest.raises(duckdb.Error):
        con.execute(query.format(file=file, folder=folder)).fetchall()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_file_that_is_not_as_published_is_refused_by_name(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.published.resolve()
    file = files_of_tables(folder)["marts.pairs"][0]
    whole = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(PublishError, match="another sha256"), connect_read_only(home):
        pass
    monkeypatch.setenv("CITYSYNC_HOME", str(home.root))
    assert run_sql("select count(*) from marts.pairs") == 2 and str(file) in capsys.readouterr().err
    assert run_sql("select count(*) from marts.things") == 0
    file.unlink()
    elsewhere = tmp_path / "elsewhere.parquet"
    elsewhere.write_bytes(whole)
    file.symlink_to(elsewhere)
    with pytest.raises(PublishError, match="found none or a link"), connect_read_only(home):
        pass
