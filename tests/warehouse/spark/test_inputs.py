"""The hand-over to Spark, and that a difference between the engines does not pass for parity."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.spark.inputs import TABLES, write_inputs
from warehouse.spark.parity import KEYS, TOLERANCE, compare


def table_file(outputs: Path, name: str) -> Path:
    """Where Spark leaves the one part of a table."""
    schema, table = name.split(".")
    folder = outputs / "tables" / f"{schema}.db" / table
    folder.mkdir(parents=True)
    return folder / "part.parquet"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build of three places and two years."""
    path = tmp_path / "build.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema seeds; create schema intermediate")
        con.execute(
            "create table seeds.city_roster as select city_id, 110.0 as lon_deg, 30.0 as lat_deg "
            "from range(1, 4) t(city_id)"
        )
        con.execute(
            "create table intermediate.int_study_window as select 2010 as window_first_year, 2011 "
            "as window_last_year"
        )
        for table in ("int_city_ties", "int_city_treatment"):
            con.execute(
                f"create table intermediate.{table} as select city_id from range(1, 4) t(city_id)"
            )
        years = 'range(1, 4) t(city_id), range(2010, 2012) y("year")'
        con.execute(
            'create table intermediate.int_city_scores as select city_id, "year", 0.5 as z from '
            f"{years}"
        )
        con.execute(
            'create table intermediate.int_city_year_scores as select city_id, "year", 0.5 as '
            f"z_growth_official from {years}"
        )
    return path


@pytest.mark.parametrize(("places", "more_years", "expected"), [(2, 0, 4), (7, 0, 14), (7, 2, 28)])
def test_inputs_hold_as_many_places_and_years_as_asked(
    build: Path, tmp_path: Path, places: int, more_years: int, expected: int
) -> None:
    folder = tmp_path / "inputs"
    assert write_inputs(build, folder, places, more_years) == places
    assert {path.name for path in folder.iterdir()} == {
        f"{schema}.{table}.parquet" for schema, tables in TABLES.items() for table in tables
    }
    scores = f"'{folder}/intermediate.int_city_year_scores.parquet'"
    rows, keys, n_places = duckdb.execute(
        f'select count(*), count(distinct (city_id, "year")), count(distinct city_id) from {scores}'
    ).fetchone()
    assert (rows, keys, n_places) == (expected, expected, places)
    spots = duckdb.execute(
        f"select count(distinct (lon_deg, lat_deg)) from '{folder}/seeds.city_roster.parquet'"
    ).fetchone()[0]
    assert spots == -(-places // 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("v", 0.0),
        ("v * (1 + 1e-15)", 1e-15),
        ("v + 1e-9", 1e-9),
        ("nullif(v, 2.0)", None),
        ("cast(v as float)", None),
    ],
)
def test_a_difference_is_found(tmp_path: Path, change: str, expected: float | None) -> None:
    work, outputs = tmp_path / "duckdb", tmp_path / "outputs"
    work.mkdir()
    with duckdb.connect(str(work / "citysync.duckdb")) as con:
        con.execute("create schema intermediate; create schema marts")
        for name, keys in KEYS.items():
            columns = ", ".join(f'k as "{key}"' for key in keys)
            con.execute(
                f"create table {name} as select {columns}, cast(k as double) as v, 'a' as text "
                "from range(4) t(k)"
            )
            target = table_file(outputs, name)
            con.execute(
                f"copy (select * replace ({change} as v) from {name}) to '{target}' (format "
                "parquet)"
            )
    for entry in compare(work, outputs).values():
        if change == "nullif(v, 2.0)":
            assert "null" in entry["fault"]
        elif expected is not None:
            assert entry["rows"] == 4
            assert entry["max_difference"] == pytest.approx(expected, rel=0.6, abs=0.0)
            assert (entry["max_difference"] <= TOLERANCE) == (expected <= TOLERANCE)
