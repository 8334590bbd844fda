"""The public copy: whole of simulated data, else without what may not be passed on."""

import csv
import json

import duckdb
import pytest

from orchestration.commands.public import public, write_public
from warehouse.errors import Refused


def test_the_copy_of_simulated_data_is_whole_and_every_table_is_described(simulated, tmp_path):
    whole = tmp_path / "o'ut"
    assert write_public((simulated.home / "published").resolve(), whole) == 0
    answer = "select estimate from {} where spec_id like '%official.newest'"
    with duckdb.connect(whole / "citysync.duckdb", read_only=True) as con:
        of_database = con.execute(answer.format("estimates.primary")).fetchall()
    of_file = duckdb.sql(answer.format(f"'{tmp_path}/*/parquet/estimates/primary.parquet'"))
    assert of_database and of_database == of_file.fetchall()
    assert 'id="answer"' in (whole / "report" / "index.html").read_text(encoding="utf-8")
    package = json.loads((whole / "datapackage.json").read_text(encoding="utf-8"))
    described = {resource["path"] for resource in package["resources"]}
    files = {path.relative_to(whole).as_posix() for path in whole.rglob("*.parquet")}
    assert described == {path for path in files if path.startswith("parquet/")}
    assert {"licenses", "sources", "contributors"} <= set(package)
    assert all(
        field["type"] for resource in package["resources"] for field in resource["schema"]["fields"]
    )


def test_no_value_of_a_source_without_a_licence_leaves(six, tmp_path):
    """In the database, the Parquet files, the pages and their files; what is missing is listed."""
    published = (six.run.home / "published").resolve()
    with duckdb.connect(published / "citysync.duckdb", read_only=True) as con:
        values = con.execute(
            "select distinct raw_text from marts.fct_indicator_observation"
        ).fetchall()
    secrets = {text for (text,) in values if len(text) > 8}
    assert len(secrets) > 20
    out = tmp_path / "out"
    assert write_public(published, out) > 3
    rows = list(csv.DictReader((out / "left_out.csv").read_text(encoding="utf-8").splitlines()))
    assert "marts.fct_city_year" in {row["table"] for row in rows}
    with duckdb.connect(out / "citysync.duckdb", read_only=True) as con:
        left = "select count(*) from marts.fct_indicator_observation"
        assert con.execute(left).fetchone() == (0,)
    for path in out.rglob("*"):
        if path.suffix in {".html", ".js", ".csv", ".json", ".md", ".txt"}:
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in secrets if secret in text], path
    with pytest.raises(Refused, match="expected no folder"):
        (tmp_path / "other").mkdir()
        (tmp_path / "other/file").touch()
        public(str(tmp_path / "other"))
