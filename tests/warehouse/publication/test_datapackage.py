"""The data package's descriptor: every Parquet file with its columns, keys, units and hash, as the
files really are.
"""

import json
from pathlib import Path

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.datapackage import TableContract, describe_package

RUN = {
    "run_id": "20260101T000000.000000Z",
    "started_at": "2026-01-01T00:00:00+00:00",
    "is_simulated": False,
}


def publication(folder: Path) -> Path:
    (folder / "parquet" / "marts" / "pairs" / "year=2010").mkdir(parents=True)
    with duckdb.connect(str(folder / "citysync.duckdb")) as con:
        con.execute(
            "create schema marts; create table marts.city(city_id integer, area_km2 double, name "
            "varchar, tools varchar[], is_new boolean)"
        )
        con.execute(
            "comment on table marts.city is 'A city'; comment on column marts.city.area_km2 is "
            "'Its area'"
        )
        con.execute("insert into marts.city values (1, 2.5, 'a', ['x'], true)")
        con.execute(f"copy marts.city to '{folder}/parquet/marts/city.parquet' (format parquet)")
        con.execute(
            "copy (select 1 as city_i_id, 0.5 as cm) to "
            f"'{folder}/parquet/marts/pairs/year=2010/part.parquet' (format parquet)"
        )
    return folder


def test_every_table_is_described_as_it_is(tmp_path: Path) -> None:
    folder = publication(tmp_path)
    contracts = {"marts.city": TableContract(("city_id",), {"area_km2": "km2"})}
    package = json.loads(describe_package(folder, RUN, contracts))
    city, pairs = package["resources"]
    assert city["path"] == "parquet/marts/city.parquet"
    assert city["hash"] == f"sha256:{hash_file(folder / city['path'])}"
    assert city["description"] == "A city"
    # frictionless 5 knows no bytes of a Parquet file, and would call every file invalid
    assert "bytes" not in city and "bytes" not in pairs
    assert city["schema"] == {
        "fields": [
            {"name": "city_id", "type": "integer"},
            {"name": "area_km2", "type": "number", "description": "Its area", "unit": "km2"},
            {"name": "name", "type": "string"},
            {"name": "tools", "type": "any"},
            {"name": "is_new", "type": "boolean"},
        ],
        "primaryKey": ["city_id"],
    }
    assert pairs["path"] == ["parquet/marts/pairs/year=2010/part.parquet"]
    assert {field["name"]: field["type"] for field in pairs["schema"]["fields"]} == {
        "city_i_id": "integer",
        "cm": "number",
    }


def test_whole_numbers_with_empty_cells_are_numbers(tmp_path: Path) -> None:
    """In any of a table's files: pandas, through which Frictionless reads, has no whole numbers
    beside an empty cell.
    """
    folder = publication(tmp_path)
    (folder / "parquet" / "marts" / "pairs" / "year=2011").mkdir()
    with duckdb.connect() as con:
        of_2011 = f"{folder}/parquet/marts/pairs/year=2011/part.parquet"
        con.execute(
            f"copy (select null::integer as city_i_id, null::double as cm) to '{of_2011}' (format "
            "parquet)"
        )
    _, pairs = json.loads(describe_package(folder, RUN, {}))["resources"]
    assert {field["name"]: field["type"] for field in pairs["schema"]["fields"]} == {
        "city_i_id": "number",
        "cm": "number",
    }
