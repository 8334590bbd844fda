"""The city-year tables that the pair-grain models read, as Parquet: the hand-over from DuckDB to
Spark.

`python -m warehouse.spark.inputs BUILD_DATABASE FOLDER --places N`. With fewer places than the
build has, the first N; with more, the build's places again under new ids, moved a little and with
shifted years, so that a county-sized run can be measured before counties are delivered. Such a
panel measures speed and parity; its numbers mean nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

from warehouse.sql_text import literal

TABLES = {
    "seeds": ("city_roster",),
    "intermediate": (
        "int_city_ties",
        "int_city_treatment",
        "int_city_scores",
        "int_city_year_scores",
        "int_study_window",
    ),
}
# read by what the gates ask of pair tables, and by their data tests
ALSO = {"marts": ("fct_city_year", "dim_city")}
# Columns that tell repeated places apart: nobody is at the same spot, and no two cycles are the
# same.
MOVED = {
    "city_roster": "lon_deg + 0.01 * copy as lon_deg, lat_deg + 0.003 * copy as lat_deg",
    "int_city_scores": "z * cos(copy) + 0.1 * sin(copy * city_id % 7) as z",
    "int_city_year_scores": (
        'z_growth_official * cos(copy) + 0.1 * sin(copy * "year") as z_growth_official'
    ),
}
COPY_STEP = 1_000_000


def write_build_inputs(build: Path, folder: Path, *, tests: bool) -> None:
    """Write the tables that the pair models read as they are in a build, one Parquet file a table.

    Parameters
    ----------
    build : Path
        Database of the build.
    folder : Path
    tests : bool
        Whether the tables that data tests and gates compare with are written too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(build), read_only=True) as con:
        for schema, tables in (TABLES | (ALSO if tests else {})).items():
            for table in tables:
                target = literal(folder / f"{schema}.{table}.parquet")
                con.execute(
                    f"copy (from {schema}.{table} order by all) to {target} (format parquet)"
                )


def write_inputs(build: Path, folder: Path, places: int, more_years: int = 0) -> int:
    """Write one Parquet file per table.

    Parameters
    ----------
    build : Path
        Database of a finished build.
    folder : Path
    places : int
    more_years : int
        Years put before the study window as copies of its years.

    Returns
    -------
    int
        Places written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"attach {literal(build)} as build (read_only)")
        con.execute(f"""
            create temp table chosen as
            select city_id, copy from (select distinct city_id
                from build.intermediate.int_city_year_scores)
            cross join (select unnest(range(1000)) as copy) order by copy, city_id
                limit {int(places)}
        """)
        for schema, tables in TABLES.items():
            for table in tables:
                target = literal(folder / f"{schema}.{table}.parquet")
                con.execute(
                    f"copy ({_query(schema, table, more_years)}) to {target} (format parquet)"
                )
        return con.execute("select count(*) from chosen").fetchone()[0]


def _query(schema: str, table: str, more_years: int) -> str:
    source = f"build.{schema}.{table}"
    if table == "int_study_window":
        return (
            f"select * replace (window_first_year - {int(more_years)} as window_first_year) from "
            f"{source}"
        )
    moved = f"replace (cast(source.city_id + chosen.copy * {COPY_STEP} as integer) as city_id"
    moved += ", " + MOVED[table].replace("city_id", "source.city_id") if table in MOVED else ""
    query = f"select source.* {moved}) from {source} as source inner join chosen using (city_id)"
    if more_years and table == "int_city_year_scores":
        query += (
            f' union all by name select * replace ("year" - {int(more_years)} as "year") from '
            f"({query})"
        )
    return query + " order by all"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m warehouse.spark.inputs", description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--places", type=int, required=True)
    parser.add_argument("--more-years", type=int, default=0)
    options = parser.parse_args()
    print(
        f"{write_inputs(options.build, options.folder, options.places, options.more_years)} "
        f"places in {options.folder}"
    )


if __name__ == "__main__":
    main()
