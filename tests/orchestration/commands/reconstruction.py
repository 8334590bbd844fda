"""What somebody who was given a public copy could compute of single cities.

Written from the folder alone, without the code that leaves values out: every table and file is
looked through for numbers of pairs of cities, and from those of a year the standardised series of
each city are solved for.

With z the standardised series of a city, three cities i, j, k of a year give

    products   x_ij = z_i z_j                   z_i^2 = x_ij x_ik / x_jk
    sums       x_ij = 1 - (z_i^2 + z_j^2) / 2   z_i^2 = 1 - x_ij - x_ik + x_jk
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

EXACT = 1e-6
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


def sizes_of_cities(pairs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return |z| of each city and year, where the numbers of a column are products or sums.

    Parameters
    ----------
    pairs : data frame
        As `numbers_of_pairs` gives it, with years.
    column : str

    Returns
    -------
    data frame
        `year`, `city`, `size`; empty where no form reproduces the numbers.
    """
    rows = []
    for year, of_year in pairs.dropna(subset=[column]).groupby("year"):
        cities = sorted({*of_year["i"], *of_year["j"]})
        wide = of_year.pivot(index="i", columns="j", values=column)
        numbers = wide.reindex(index=cities, columns=cities).to_numpy()
        numbers = np.where(np.isnan(numbers), numbers.T, numbers)
        for squares in (_of_products(numbers), _of_sums(numbers)):
            if squares is not None:
                rows += [
                    (year, city, size) for city, size in zip(cities, np.sqrt(squares), strict=True)
                ]
                break
    return pd.DataFrame(rows, columns=["year", "city", "size"])


def _of_products(numbers: np.ndarray) -> np.ndarray | None:
    squares = []
    for i, j, k in _triples(len(numbers)):
        squares.append(numbers[i, j] * numbers[i, k] / numbers[j, k])
    squares = np.array(squares)
    return _if_reproduced(squares, np.abs(numbers), np.sqrt(np.outer(squares, squares).clip(0)))


def _of_sums(numbers: np.ndarray) -> np.ndarray | None:
    squares = []
    for i, j, k in _triples(len(numbers)):
        squares.append(1 - numbers[i, j] - numbers[i, k] + numbers[j, k])
    squares = np.array(squares)
    return _if_reproduced(squares, numbers, 1 - np.add.outer(squares, squares) / 2)


def _triples(n: int) -> Iterator[tuple[int, int, int]]:
    for i in range(n):
        j, k = (other for other in itertools.islice((c for c in range(n) if c != i), 2))
        yield i, j, k


def _if_reproduced(
    squares: np.ndarray, numbers: np.ndarray, again: np.ndarray
) -> np.ndarray | None:
    """Return the squares, where all numbers of the year follow from them."""
    is_pair = ~np.eye(len(squares), dtype=bool) & ~np.isnan(numbers)
    gaps = np.abs(numbers - again)[is_pair]
    is_right = len(squares) > 3 and np.all(squares >= -EXACT) and np.all(gaps < EXACT)
    return squares.clip(0) if is_right else None
