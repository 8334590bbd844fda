"""Pair-years that are files of a publication, in the prompt: read like tables."""

import json
from pathlib import Path

import pytest

from orchestration.commands.sql_prompt import connect_read_only, run_sql
from orchestration.home import Home
from tests.warehouse.publication.small import pair_years_as_files, put_out, run_of
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
    with connect_read_only(home) as con:
        assert con.execute(query).fetchone() == (10, 19 / 7, 3)
        assert con.execute("select count(*) from citysync.marts.things").fetchall() == [(3,)]
        assert ("marts.pairs",) in con.execute('select "table" from tables').fetchall()
        described = con.execute("from columns").fetchall()
        assert ("marts.pairs", "city_i_id", "INTEGER", None) in described


@pytest.mark.parametrize("is_link", [False, True])
def test_a_file_that_is_missing_or_a_link_is_refused_by_name(
    home: Home, tmp_path: Path, monkeypatch, capsys, is_link: bool
) -> None:
    file = files_of_tables(home.published.resolve())["marts.pairs"][0]
    file.rename(tmp_path / "elsewhere.parquet")
    if is_link:
        file.symlink_to(tmp_path / "elsewhere.parquet")
    monkeypatch.setenv("CITYSYNC_HOME", str(home.root))
    assert run_sql("select 1") == 2
    said = capsys.readouterr().err
    assert str(file) in said and "found none or a link" in said


def test_a_manifest_that_is_none_of_ours_is_refused(home: Home, monkeypatch, capsys) -> None:
    path = home.published / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["tables"]["marts.pairs"]["parquet"] = "*/*/*/*/*.parquet"
    path.chmod(0o644)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    monkeypatch.setenv("CITYSYNC_HOME", str(home.root))
    assert run_sql("select 1") == 2 and "marts.pairs" in capsys.readouterr().err
