"""Read every number of a public folder that belongs to a city, as somebody would who has only the
folder: from tables in any format, texts of cells, scripts and pages.

This module does not know how the folder was made, which tables it should hold or what was left out.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.publication.untrusted import DATABASE, open_untrusted
from warehouse.sql_text import quote

# Where a value of JSON may begin in a script.
OPENING = re.compile(r"(?:^|[(,=:]\s*)([\[{])")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
# A column holds cities or years if at least this share of its values does.
SHARE_OF_KEYS = 0.9
# A column of texts holds cities if at least this many of its rows are codes of cities.
LEAST_ROWS = 30
# A column with at most this many different whole numbers may be part of a table's key.
FEW_VALUES = 40
# At most this many numbers of one text are read.
NUMBERS_OF_TEXT = 6
Number = tuple[int, int, float, str]


@dataclass(frozen=True)
class Found:
    """The numbers that a folder has of cities, years and pairs, by the name of their column.

    Attributes
    ----------
    tables : dict
        Every table, by its name.
    of_city : frame
        `city`, `year` (0 where the column has no year), `value`, `column`.
    of_pair : dict
        Column, year: frame with `first`, `second` (cities) and `value`.
    """

    tables: dict[str, pd.DataFrame]
    of_city: pd.DataFrame
    of_pair: dict[tuple[str, int], pd.DataFrame]


def read_folder(folder: Path, cities: set[int], years: set[int]) -> Found:
    """Return every number of a folder that has a city, a city and a year, or a pair of cities.

    Parameters
    ----------
    folder : Path
        A public copy, or any folder of CSV, Parquet, DuckDB, JSON, scripts and pages.
    cities : set of int
        Codes of the cities whose values are withheld.
    years : set of int

    Raises
    ------
    PublishError
        If its database is refused by `open_untrusted`.
    """
    tables = dict(read_tables(folder))
    names = names_of_cities(tables, cities)
    # (city, year) of each text that names one of the two
    codes = {str(city): (city, 0) for city in cities} | {str(year): (0, year) for year in years}
    of_pair: dict[tuple[str, int], pd.DataFrame] = {}
    numbers: list[Number] = []
    for name, frame in tables.items():
        found = numbers_of_table(name, frame, cities=cities, years=years, names=names)
        if "first" in found:
            of_pair |= dict(list(found.groupby(["column", "year"])))
        else:
            numbers += found.itertuples(index=False, name=None)
    for path in sorted(folder.rglob("*")):
        where = path.relative_to(folder).as_posix()
        if path.suffix in {".js", ".json"}:
            numbers += walk_script(path, where, codes)
        elif path.suffix == ".html":
            numbers += walk_page(path, where, codes=codes, names=names)
    cells = pd.DataFrame(numbers, columns=["city", "year", "value", "column"])
    cells = cells[np.isfinite(cells.value.astype(float))]
    cells = cells.drop_duplicates(["column", "city", "year"], keep="last")
    return Found(tables, cells, of_pair)


def read_tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield name and rows of each table, numbered from 0; a table in two formats has one name."""
    if (folder / DATABASE).exists():
        with open_untrusted(folder / DATABASE) as con:
            names = con.execute(
                "select schema_name, table_name from system.main.duckdb_tables() order by all"
            ).fetchall()
            for schema, table in names:
                query = f"from {quote(schema)}.{quote(table)}"
                yield f"{schema}.{table}", con.execute(query).df()
    for path in sorted(folder.rglob("*.parquet")):
        name = ".".join(path.with_suffix("").parts[-2:])
        yield name, pd.read_parquet(path).reset_index(drop=True)
    for path in sorted(folder.rglob("*.csv")):
        frame = pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
        yield path.relative_to(folder).as_posix(), frame


def names_of_cities(tables: dict[str, pd.DataFrame], cities: set[int]) -> dict[str, int]:
    """Return the code of each city by every name in a table that has `city_id`."""
    names: dict[str, int] = {}
    for frame in tables.values():
        if "city_id" not in frame:
            continue
        of_cities = frame[frame.city_id.isin(cities)]
        for column in of_cities.filter(regex="^city_name"):
            named = of_cities[[column, "city_id"]].dropna()
            names.update(zip(named[column].astype(str), named.city_id.astype(int), strict=True))
    return names


def role_of(
    column: str, cells: pd.Series, *, cities: set[int], years: set[int], names: dict[str, int]
) -> tuple[str, pd.Series]:
    """Return the role of a column by its values (city, year, text, few numbers, number or
    nothing), and its numbers.
    """
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    is_text = pd.api.types.is_object_dtype(cells) or pd.api.types.is_string_dtype(cells)
    if is_text and cells.isin(list(names)).mean() >= SHARE_OF_KEYS:
        numbers = cells.map(names).astype(float)
    known = numbers.dropna()
    is_city = known.isin(cities)
    role = "nothing"
    # also a column of terms, some of which are cities
    if is_city.mean() >= SHARE_OF_KEYS or (is_text and is_city.sum() >= LEAST_ROWS):
        role = "city"
        numbers = numbers.where(numbers.isin(cities))
    elif "year" in column and known.isin(years).mean() >= SHARE_OF_KEYS:
        role = "year"
    elif is_text and len(known) < SHARE_OF_KEYS * cells.notna().sum():
        role = "text"
    elif known.nunique() > FEW_VALUES or (known % 1 != 0).any():
        role = "number"
    elif len(known):
        role = "few numbers"
    return role, numbers


def numbers_of_table(
    name: str, frame: pd.DataFrame, *, cities: set[int], years: set[int], names: dict[str, int]
) -> pd.DataFrame:
    """Return one row for each number of a table that belongs to one or two cities. Its name is the
    column's, with the values of other columns that distinguish rows of the same cities and year.
    """
    of: dict[str, dict[str, pd.Series]] = defaultdict(dict)
    for column in map(str, frame.columns):
        role, numbers = role_of(column, frame[column], cities=cities, years=years, names=names)
        of[role][column] = numbers
    of_cities = of["city"]
    values = of["number"] | of["few numbers"]
    for column in of["text"]:
        values |= numbers_of_texts(column, frame[column])
    if not (of_cities and values):
        return pd.DataFrame()
    pair = [column for column in of_cities if column.endswith(("_i_id", "_j_id"))]
    if len(pair) != 2:
        pair = list(of_cities)
    if len(pair) == 2 and not of_cities[pair[0]].equals(of_cities[pair[1]]):
        keys = pd.DataFrame({"first": of_cities[pair[0]], "second": of_cities[pair[1]]})
    else:
        keys = pd.DataFrame({"city": next(iter(of_cities.values()))})
    keys["year"] = of["year"].get("year", next(iter(of["year"].values()), 0.0))
    rows = keys.dropna().assign(column=name)
    # add each column to the key that leaves fewer duplicate rows
    for column in [*of["text"], *of["few numbers"]]:
        texts_of_rows = frame.loc[rows.index, column].astype(str).fillna("")
        finer = rows.assign(column=rows["column"] + "[" + texts_of_rows + "]")
        if finer.duplicated().sum() < rows.duplicated().sum():
            rows = finer
    cells = pd.DataFrame(values).stack().rename("value").rename_axis(["row", "column"])
    numbers = keys.assign(group=rows["column"]).join(cells.reset_index("column")).dropna()
    numbers["column"] = numbers.pop("group") + ": " + numbers["column"]
    return numbers[[*keys, "value", "column"]].astype(dict.fromkeys(keys, int))


def numbers_of_texts(column: str, cells: pd.Series) -> dict[str, pd.Series]:
    """Return the first, second, ... number of the texts of a column, where there is one."""
    found = cells.astype(str).str.extractall(f"({NUMBER.pattern})")[0].astype(float).unstack()
    return {name_in_text(column, place): found[place] for place in list(found)[:NUMBERS_OF_TEXT]}


def name_in_text(column: str, place: int) -> str:
    """Return the name of the numbers that are the first, second, ... of the texts of a column."""
    return f"{column} (number {place + 1} of its text)"


def walk_script(path: Path, where: str, codes: dict[str, tuple[int, int]]) -> Iterator[Number]:
    """Yield city, year, number and column of each JSON value in a file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    decoder = json.JSONDecoder()
    city, _ = codes.get(path.stem, (0, 0))
    if city:
        where = where.replace(path.stem, "CITY")
    place = 0
    while opening := OPENING.search(text, place):
        try:
            node, place = decoder.raw_decode(text, opening.start(1))
        except ValueError:
            place = opening.end()
            continue
        yield from walk(node, where, (city, 0), codes)


def walk(
    node: object, where: str, of: tuple[int, int], codes: dict[str, tuple[int, int]]
) -> Iterator[Number]:
    """Yield the numbers of cities in a JSON value.

    The city of a number is a key above it, the first item of its row, or the item at its place in a
    list of cities of the same length.

    Parameters
    ----------
    node : object
    where : str
        Name of its column.
    of : (int, int)
        Its city and year, as far as they are known (else 0).
    codes : dict
        City and year of each text that names one of the two.
    """
    city, year = of
    if isinstance(node, dict):
        for key, value in by_codes(node, codes).items():
            if key in codes:
                of_city, of_year = codes[key]
                yield from walk(value, where, (of_city or city, of_year or year), codes)
            else:
                yield from walk(value, f"{where}/{key}", of, codes)
    elif isinstance(node, list):
        if len(node) > 1 and isinstance(node[0], int):
            of_city, of_year = codes.get(str(node[0]), of)
            of = (city or of_city, year or of_year)
        is_table = all(isinstance(item, list | dict) for item in node)
        for place, item in enumerate(node):
            deeper = where
            if not is_table:
                deeper = f"{where}[{place}]"
            yield from walk(item, deeper, of, codes)
    elif city and isinstance(node, str):
        for place, number in enumerate(NUMBER.findall(node)[:NUMBERS_OF_TEXT]):
            yield city, year, float(number), name_in_text(where, place)
    elif city and isinstance(node, int | float) and not isinstance(node, bool):
        yield city, year, float(node), where


def by_codes(node: dict[str, object], codes: dict[str, tuple[int, int]]) -> dict[str, object]:
    """Return an object in which each list that is as long as a list of cities or years becomes an
    object with these as keys.
    """
    result = dict(node)
    lists = {key: value for key, value in node.items() if isinstance(value, list)}
    for name, keys in lists.items():
        is_code = [isinstance(key, int) and str(key) in codes for key in keys]
        if len(keys) < 2 or np.mean(is_code) < SHARE_OF_KEYS:
            continue
        for other, items in lists.items():
            if other != name and len(items) == len(keys):
                result[other] = dict(zip(map(str, keys), items, strict=True))
    return result


def walk_page(
    path: Path, where: str, *, codes: dict[str, tuple[int, int]], names: dict[str, int]
) -> Iterator[Number]:
    """Yield the numbers in the rows of a page's tables that name a city."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for table, html in enumerate(text.split("<table")[1:]):
        for row in re.findall(r"<tr.*?</tr>", html.split("</table")[0], re.DOTALL):
            cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in CELL.findall(row)]
            named = [names[cell] for cell in cells if cell in names]
            year = max((codes.get(cell, (0, 0))[1] for cell in cells), default=0)
            for place, cell in enumerate(cells):
                if named and cell not in names and NUMBER.fullmatch(cell):
                    yield named[0], year, float(cell), f"{where}: table {table + 1}[{place}]"


def by_year(found: Found, cities: list[int]) -> dict[str, np.ndarray]:
    """Return one array over the cities for each column and year, and for logs' yearly changes.

    Cities without a number are missing (nan).
    """
    pivoted = found.of_city.pivot(index="city", columns=["column", "year"], values="value")
    numbers = pivoted.reindex(cities).astype(float)
    logs = np.log(numbers.where(numbers > 0))
    changes = logs - logs.rename(columns=lambda year: year + 1, level="year")
    result = {}
    for form, wide in {"": numbers, "change of logs ": changes}.items():
        for (column, year), cells in wide.items():
            result[f"{column} | {form}{year}"] = cells.to_numpy()
    return result
