"""What somebody who was given a public copy finds of pairs of cities.

Written from the folder alone, without the code that leaves values out: every table and file is
looked through for numbers of pairs of cities.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd

# facts of the seeds that name two cities: a city and its successor, a change of borders
FACTS = ("dim_city", "dim_boundary_event")


def places_of_pairs(folder: Path) -> set[str]:
    """Return the tables, files and scripts below a folder that hold numbers of pairs of cities."""
    ids = _city_ids(folder)
    found = set(_scripts(folder))
    for name, frame in _tables(folder):
        cities = [column for column in frame if _is_city(frame[column], ids)]
        floats = frame.select_dtypes("floating").dropna(axis=1, how="all")
        numbers = floats.columns.difference(cities)
        if len(cities) > 1 and len(numbers) and not name.removesuffix(".parquet").endswith(FACTS):
            found.add(name)
    return found


def _city_ids(folder: Path) -> set[int]:
    with duckdb.connect(folder / "citysync.duckdb", read_only=True) as con:
        return {row[0] for row in con.execute("select city_id from marts.dim_city").fetchall()}


def _tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    with duckdb.connect(folder / "citysync.duckdb", read_only=True) as con:
        names = con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in names:
            yield f"{schema}.{table}", con.execute(f'from "{schema}"."{table}"').df()
    for path in sorted(folder.rglob("*.parquet")):
        yield path.relative_to(folder).as_posix(), pd.read_parquet(path)
    for path in sorted(folder.rglob("*.csv")):
        yield path.relative_to(folder).as_posix(), pd.read_csv(path, low_memory=False)


def _is_city(column: pd.Series, ids: set[int]) -> bool:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    codes = set(column.dropna().unique())
    return len(codes) > 2 and codes <= ids


def _scripts(folder: Path) -> Iterator[str]:
    """Yield the parts of the cities' scripts that hold a number for each other city, as 16 bits in
    base 64.
    """
    for path in sorted(folder.rglob("[0-9]*.js")):
        text = path.read_text(encoding="utf-8")
        handed_over = json.loads(text[text.index(",") + 1 : text.rindex(")")])
        n_cities = len(list(path.parent.glob("*.js")))
        for part, value in handed_over.items():
            if isinstance(value, str) and len(value) * 3 // 8 >= n_cities:
                yield f"scripts: {part}"
