"""The city-year tables that the pair-grain models read, as Parquet: the hand-over from DuckDB to
Spark.
"""

from __future__ import annotations

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
