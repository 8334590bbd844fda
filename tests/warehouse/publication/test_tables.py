"""Tables of pairs, which a publication holds in its database alone."""

from pathlib import Path

import duckdb

from warehouse.publication.city_panel import write_pairs
from warehouse.publication.tables import ON_REQUEST, copy_tables


def test_tables_of_pairs_are_parquet_on_request_alone(tmp_path: Path) -> None:
    build, target, parquet = (tmp_path / name for name in ("build.db", "target.db", "parquet"))
    with duckdb.connect(build) as con:
        con.execute("create schema marts; create table marts.dim_city as select 1 as city_id")
        for name in ON_REQUEST:
            con.execute(f"create table {name} as select range as city_i_id from range(3)")
    hashes = copy_tables(build, target, parquet)
    assert {name: entry["rows"] for name, entry in hashes.items()} == {
        "marts.dim_city": 1,
        **dict.fromkeys(ON_REQUEST, 3),
    }
    assert [path.name for path in parquet.rglob("*.parquet")] == ["dim_city.parquet"]
    with duckdb.connect(target) as con:
        write_pairs(con, tmp_path)
    for name in ON_REQUEST:
        path = tmp_path / f"{name.partition('.')[2]}.parquet"
        assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(3,)]
