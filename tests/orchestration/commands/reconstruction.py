"""What somebody who was given a public copy finds of pairs of cities.

Written from the folder alone, without the code that leaves values out: every table and file is
looked through for numbers of pairs of cities.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd

# facts of the seeds that name two cities: a city and its successor, a change of borders
FACTS = ("dim_city", "dim_boundary_event")


def numbers_of_pairs(folder: Path) -> dict[str, pd.DataFrame]:
    """Return every table of numbers of pairs of cities below a folder: columns `i`, `j`, `year`
    where there is one, and the numbers, by the place where it was found.
    """
    ids = _city_ids(folder)
    found = {}
    for name, frame in _tables(folder):
        cities = [column for column in frame if _is_city(frame[column], ids)]
        numbers = list(frame.select_dtypes("floating").dropna(axis=1, how="all"))
        numbers = [column for column in numbers if column not in cities]
        if len(cities) > 1 and numbers and not name.removesuffix(".parquet").endswith(FACTS):
            years = [column for column in frame if column == "year"]
            part = frame[[*cities[:2], *years, *numbers]].dropna(subset=cities[:2])
            found[name] = part.rename(columns=dict(zip(cities[:2], ("i", "j"), strict=True)))
    scripts = _scripts(folder)
    if scripts:
        found["scripts"] = pd.DataFrame(scripts, columns=["city", "part", "numbers of each pair"])
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


def _scripts(folder: Path) -> list[tuple[str, str, int]]:
    """Return the parts of the cities' scripts that hold a number for each other city, as 16 bits in
    base 64.
    """
    paths = sorted(folder.rglob("[0-9]*.js"))
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        handed_over = json.loads(text[text.index(",") + 1 : text.rindex(")")])
        n_cities = len(list(path.parent.glob("*.js")))
        for part, value in handed_over.items():
            if isinstance(value, str) and len(value) * 3 // 8 >= n_cities:
                numbers = len(base64.b64decode(value)) // 2
                found.append((path.stem, part, numbers // n_cities))
    return found
