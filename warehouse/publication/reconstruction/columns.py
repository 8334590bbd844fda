"""Every number of a public folder that can be laid beside a city, as somebody finds it who has
nothing but the folder: tables in any format, texts of cells, scripts and pages.

Nothing here knows how the folder was made, which table it should hold or what was left out.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.publication.foreign import DATABASE, open_foreign
from warehouse.sql_text import quote

# Where a value of JSON may begin in a script.
OPENING = re.compile(r"(?:^|[(,=:]\s*)([\[{])")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
# A column names cities or years if so many of its values do.
SHARE_OF_KEYS = 0.9
# Rows of a column of texts that are codes of cities, from which on it is taken for one of cities.
LEAST_ROWS = 30
# Whole numbers in so few values may tell the rows of a table apart.
FEW_VALUES = 40
# Numbers of one text that are read.
NUMBERS_OF_TEXT = 6


@dataclass
class Found:
    """What a folder says of cities, years and pairs, by the name of the column that says it.

    Attributes
    ----------
    of_city : dict
        Column: {(city, year): number}; year 0 where the column has no year.
    of_pair : dict
        Column, year: frame with `first`, `second` (cities) and `value`.
    """

    of_city: dict[str, dict[tuple[int, int], float]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    of_pair: dict[tuple[str, int], pd.DataFrame] = field(default_factory=dict)


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
        If its database is refused by `open_foreign`.
    """
    found = Found()
    tables = list(read_tables(folder))
    names = names_of_cities([frame for _, frame in tables], cities)
    for name, frame in tables:
        add_frame(found, name, frame, cities=cities, years=years, names=names)
    for path in sorted(folder.rglob("*")):
        where = path.relative_to(folder).as_posix()
        if path.suffix in {".js", ".json"}:
            found_here = walk_script(path, where, cities=cities, years=years)
        elif path.suffix == ".html":
            found_here = walk_page(path, where, names=names, years=years)
        else:
            continue
        for column, city, year, value in found_here:
            found.of_city[column][city, year] = value
    return found


def read_tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield name and rows of each table, rows numbered; a table in two formats once."""
    seen = set()
    for path in sorted(folder.rglob("*.parquet")):
        name = ".".join(path.with_suffix("").parts[-2:])
        seen.add(name)
        yield name, pd.read_parquet(path).reset_index(drop=True)
    if (folder / DATABASE).exists():
        with open_foreign(folder / DATABASE) as con:
            names = con.execute(
                "select schema_name, table_name from system.main.duckdb_tables() order by all"
            ).fetchall()
            for schema, table in names:
                if f"{schema}.{table}" not in seen:
                    yield (
                        f"{schema}.{table}",
                        con.execute(f"from {quote(schema)}.{quote(table)}").df(),
                    )
    for path in sorted(folder.rglob("*.csv")):
        yield (
            path.relative_to(folder).as_posix(),
            pd.read_csv(path, encoding="utf-8-sig", low_memory=False),
        )


def names_of_cities(frames: list[pd.DataFrame], cities: set[int]) -> dict[str, int]:
    """Return the code of each city by every name that a table gives beside `city_id`."""
    names: dict[str, int] = {}
    for frame in frames:
        if "city_id" not in frame:
            continue
        for column in frame.columns:
            if str(column).startswith("city_name"):
                pairs = frame[[column, "city_id"]].dropna().drop_duplicates()
                for name, code in pairs.itertuples(index=False):
                    if int(code) in cities:
                        names[str(name)] = int(code)
    return names


@dataclass
class Roles:
    """What the columns of a table are: keys, numbers, and what tells rows of one key apart."""

    cities: dict[str, pd.Series] = field(default_factory=dict)
    years: dict[str, pd.Series] = field(default_factory=dict)
    values: dict[str, pd.Series] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    few_numbers: list[str] = field(default_factory=list)


def roles_of(
    frame: pd.DataFrame, *, cities: set[int], years: set[int], names: dict[str, int]
) -> Roles:
    """Return what the columns of a table are, by what is in them."""
    roles = Roles()
    for column in map(str, frame.columns):
        cells = frame[column]
        numbers = pd.to_numeric(cells, errors="coerce").astype(float)
        is_text = pd.api.types.is_object_dtype(cells) or pd.api.types.is_string_dtype(cells)
        if is_text and cells.isin(list(names)).mean() >= SHARE_OF_KEYS:
            numbers = cells.map(names).astype(float)
        known = numbers.dropna()
        of_cities = known.isin(cities)
        if len(known) and of_cities.mean() >= SHARE_OF_KEYS:
            roles.cities[column] = numbers
        elif is_text and of_cities.sum() >= LEAST_ROWS:
            # a column of terms, some of which are cities
            roles.cities[column] = numbers.where(numbers.isin(cities))
        elif "year" in column and len(known) and known.isin(years).mean() >= SHARE_OF_KEYS:
            roles.years[column] = numbers
        elif is_text and len(known) < SHARE_OF_KEYS * cells.notna().sum():
            roles.texts.append(column)
        elif len(known):
            roles.values[column] = numbers
            if known.nunique() <= FEW_VALUES and (known % 1 == 0).all():
                roles.few_numbers.append(column)
    return roles


def add_frame(
    found: Found,
    name: str,
    frame: pd.DataFrame,
    *,
    cities: set[int],
    years: set[int],
    names: dict[str, int],
) -> None:
    """Add the columns of one table, apart by whatever else tells its rows apart."""
    roles = roles_of(frame, cities=cities, years=years, names=names)
    if not roles.cities:
        return
    year = pd.Series(0.0, index=frame.index)
    if "year" in roles.years:
        year = roles.years["year"]
    elif roles.years:
        year = next(iter(roles.years.values()))
    for column in roles.texts:
        roles.values.update(numbers_of_texts(column, frame[column]))
    apart = [*roles.texts, *roles.few_numbers]
    pair = [column for column in roles.cities if column.endswith(("_i_id", "_j_id"))]
    if len(pair) != 2:
        pair = list(roles.cities)
    if len(pair) == 2 and not roles.cities[pair[0]].equals(roles.cities[pair[1]]):
        keys = pd.DataFrame(
            {"first": roles.cities[pair[0]], "second": roles.cities[pair[1]], "year": year}
        )
        for group, rows in groups_of(frame, apart, keys):
            add_pairs(found, f"{name}{group}", keys.loc[rows], roles.values)
        return
    keys = pd.DataFrame({"city": next(iter(roles.cities.values())), "year": year})
    for group, rows in groups_of(frame, apart, keys):
        add_cities(found, f"{name}{group}", keys.loc[rows], roles.values)


def add_cities(found: Found, name: str, keys: pd.DataFrame, values: dict[str, pd.Series]) -> None:
    """Add the columns of a table of cities, or of cities and years."""
    keys = keys.dropna()
    cells = list(zip(keys.city.astype(int), keys.year.astype(int), strict=True))
    for column, numbers in values.items():
        one = found.of_city[f"{name}: {column}"]
        for cell, number in zip(cells, numbers.loc[keys.index].to_numpy(), strict=True):
            if np.isfinite(number):
                one[cell] = float(number)


def add_pairs(found: Found, name: str, keys: pd.DataFrame, values: dict[str, pd.Series]) -> None:
    """Add the columns of a table of pairs, by year."""
    for year, rows in keys.dropna().groupby("year"):
        for column, numbers in values.items():
            here = rows[["first", "second"]].astype(int).assign(value=numbers.loc[rows.index])
            here = here.dropna()
            if len(here):
                found.of_pair[f"{name}: {column}", int(year)] = here


def groups_of(
    frame: pd.DataFrame, texts: list[str], keys: pd.DataFrame
) -> Iterator[tuple[str, pd.Index]]:
    """Yield name and rows of each group of a table, so that a group has one row a key.

    Texts are taken as they come, each where it makes fewer rows share a key.
    """
    table = keys.astype(float).fillna(0)
    n_double = int(table.duplicated().sum())
    taken: list[str] = []
    for column in texts:
        if n_double == 0:
            break
        longer = table.assign(**{f"text {column}": frame[column].astype(str)})
        fewer = int(longer.duplicated().sum())
        if fewer < n_double:
            table = longer
            n_double = fewer
            taken.append(column)
    if not taken:
        yield "", frame.index
        return
    for group, rows in frame.groupby([frame[column].astype(str) for column in taken]):
        yield f"[{', '.join(group)}]", rows.index


def numbers_of_texts(column: str, cells: pd.Series) -> dict[str, pd.Series]:
    """Return the first, second, ... number of the texts of a column, where there is one."""
    lists = cells.fillna("").astype(str).map(NUMBER.findall)
    result = {}
    for place in range(min(NUMBERS_OF_TEXT, int(lists.map(len).max()))):
        picked = lists.map(lambda numbers, k=place: float(numbers[k]) if k < len(numbers) else None)
        result[f"{column} (number {place + 1} of its text)"] = picked.astype(float)
    return result


def walk_script(
    path: Path, where: str, *, cities: set[int], years: set[int]
) -> Iterator[tuple[str, int, int, float]]:
    """Yield column, city, year and number of each JSON value in a file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    decoder = json.JSONDecoder()
    city = 0
    if path.stem.isdigit() and int(path.stem) in cities:
        city = int(path.stem)
        where = where.replace(path.stem, "CITY")
    place = 0
    while opening := OPENING.search(text, place):
        try:
            node, place = decoder.raw_decode(text, opening.start(1))
        except ValueError:
            place = opening.end()
            continue
        yield from walk(node, where, city=city, year=0, cities=cities, years=years)


def walk(
    node: object, where: str, *, city: int, year: int, cities: set[int], years: set[int]
) -> Iterator[tuple[str, int, int, float]]:
    """Yield what a JSON value says of cities: by key, by lists beside one of cities, by records."""
    keys = {"cities": cities, "years": years}
    if isinstance(node, dict):
        for deeper, of_city, of_year, value in parts_of(node, where, **keys):
            yield from walk(value, deeper, city=of_city or city, year=of_year or year, **keys)
    elif isinstance(node, list):
        if len(node) > 1 and not year and is_one_of(node[0], years):
            year = int(node[0])
        elif len(node) > 1 and not city and is_one_of(node[0], cities):
            city = int(node[0])
        is_table = all(isinstance(item, list | dict) for item in node)
        for place, item in enumerate(node):
            deeper = where if is_table else f"{where}[{place}]"
            yield from walk(item, deeper, city=city, year=year, **keys)
    elif city and isinstance(node, str):
        for place, number in enumerate(NUMBER.findall(node)[:NUMBERS_OF_TEXT]):
            yield f"{where} (number {place + 1} of its text)", city, year, float(number)
    elif city and isinstance(node, int | float) and not isinstance(node, bool):
        yield where, city, year, float(node)


def parts_of(
    node: dict[str, object], where: str, *, cities: set[int], years: set[int]
) -> Iterator[tuple[str, int, int, object]]:
    """Yield place, city (0: none), year (0: none) and value of the parts of an object."""
    beside_cities = lists_beside(node, cities)
    beside_years = lists_beside(node, years)
    for key, value in node.items():
        if id(value) in beside_cities:
            for code, item in zip(beside_cities[id(value)], value, strict=True):
                yield f"{where}/{key}", code, 0, item
        elif id(value) in beside_years:
            for code, item in zip(beside_years[id(value)], value, strict=True):
                yield f"{where}/{key}", 0, code, item
        elif key.isdigit() and int(key) in cities:
            yield where, int(key), 0, value
        elif key.isdigit() and int(key) in years:
            yield where, 0, int(key), value
        else:
            yield f"{where}/{key}", 0, 0, value


def is_one_of(item: object, keys: set[int]) -> bool:
    """Return whether a JSON value is one of these whole numbers."""
    return isinstance(item, int) and not isinstance(item, bool) and item in keys


def lists_beside(node: dict[str, object], keys: set[int]) -> dict[int, list[int]]:
    """Return, by identity, each list that has an item for every key of a list beside it."""
    result: dict[int, list[int]] = {}
    for codes in node.values():
        if not isinstance(codes, list) or len(codes) < 2:
            continue
        if np.mean([is_one_of(code, keys) for code in codes]) < SHARE_OF_KEYS:
            continue
        for other in node.values():
            if other is not codes and isinstance(other, list) and len(other) == len(codes):
                result[id(other)] = codes
    return result


def walk_page(
    path: Path, where: str, *, names: dict[str, int], years: set[int]
) -> Iterator[tuple[str, int, int, float]]:
    """Yield the numbers in the rows of a page's tables that name a city."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for table, html in enumerate(text.split("<table")[1:]):
        for row in re.findall(r"<tr.*?</tr>", html.split("</table")[0], re.DOTALL):
            cells = [
                re.sub(r"<[^>]*>", "", cell).strip()
                for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)
            ]
            named = [names[cell] for cell in cells if cell in names]
            if not named:
                continue
            year = 0
            for cell in cells:
                if cell.isdigit() and int(cell) in years:
                    year = int(cell)
            for place, cell in enumerate(cells):
                if cell not in names and NUMBER.fullmatch(cell):
                    yield f"{where}: table {table + 1}[{place}]", named[0], year, float(cell)


def by_year(found: Found, cities: list[int]) -> dict[str, np.ndarray]:
    """Return one array over the cities for each column and year, and for logs' yearly changes.

    Cities without a number are missing (nan).
    """
    place = {city: row for row, city in enumerate(cities)}
    result: dict[str, np.ndarray] = {}
    for column, cells in found.of_city.items():
        arrays: dict[int, np.ndarray] = defaultdict(lambda: np.full(len(place), np.nan))
        for (city, year), value in cells.items():
            if city in place:
                arrays[year][place[city]] = value
        for year, array in sorted(arrays.items()):
            result[f"{column} | {year}"] = array
            before = arrays.get(year - 1)
            if before is not None:
                with np.errstate(invalid="ignore", divide="ignore"):
                    change = np.where((array > 0) & (before > 0), np.log(array / before), np.nan)
                result[f"{column} | change of logs {year}"] = change
    return result
