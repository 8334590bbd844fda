"""The data package's descriptor: every Parquet file with its columns, keys, units and hash, as the
files really are.
"""

import json
from pathlib import Path

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.datapackage import ForeignKey, TableContract, describe_package

RUN = {
    "run_id": "20260101T000000.000000Z",
    "started_at": "2026-01-01T00:00:00+00:00",
    "is_simulated": False,
}


def publication(folder: Path) -> Path:
    """One table, and another as a file a year: in the second year its cells are empty."""
    pairs = folder / "parquet" / "marts" / "pairs"
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
        for year, values in ((2010, "1, 0.5, 7"), (2011, "null, null, 8")):
            (pairs / f"year={year}").mkdir(parents=True)
            con.execute(
                f"copy (from (values ({values})) as t(city_i_id, cm, n)) to "
                f"'{pairs}/year={year}/part.parquet' (format parquet)"
            )
        con.execute(f"copy marts.city to '{folder}/parquet/marts/city.parquet' (format parquet)")
    return folder


def test_every_table_is_described_as_it_is(tmp_path: Path) -> None:
    folder = publication(tmp_path)
    keys = [ForeignKey("city_i_id", "marts.city", "city_id"), ForeignKey("n", "marts.gone", "n")]
    contracts = {
        "marts.city": TableContract(("city_id",), units={"area_km2": "km2"}),
        "marts.pairs": TableContract(foreign_keys=keys),
    }
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
    assert pairs["path"] == [f"parquet/marts/pairs/year={y}/part.parquet" for y in (2010, 2011)]
    # pandas, through which Frictionless reads, has no whole numbers beside an empty cell
    types = {field["name"]: field["type"] for field in pairs["schema"]["fields"]}
    assert types == {"city_i_id": "number", "cm": "number", "n": "integer"}
    # a key refers to a table of the package alone
    assert "foreignKeys" not in city["schema"]
    assert pairs["schema"]["foreignKeys"] == [
        {"fields": "city_i_id", "reference": {"resource": "marts.city", "fields": "city_id"}}
    ]
