"""Corrections of delivered figures: the seed `value_corrections`, and whether one is borne out by
the delivered cells and its evidence.
"""

from __future__ import annotations

import csv
import math
import re
from difflib import get_close_matches
from pathlib import Path

import duckdb

from warehouse.database import rows_of
from warehouse.errors import Refused
from warehouse.ingest.place_names import place_key, read_place_names
from warehouse.whole_files import write_whole

SEED = Path(__file__).resolve().parent / "seeds" / "value_corrections.csv"
#: What says which delivered number a row of the seed is for, and what else it holds.
KEY = ("source_id", "file_name", "city_id", "year", "indicator_id", "delivered_value")
COLUMNS = (*KEY, "corrected_value", "reason", "evidence")
#: Two figures are one where they differ by less: one of them may be rounded.
SAME = 0.0005
#: A figure that a file holds in single precision, such as 1.02999997138977 for 1.03, is named as it
#: was printed: half a step of single precision is 6e-8 of a figure.
SINGLE_PRECISION = 1e-7
#: From how like a name of a city what a person typed it is offered, as `get_close_matches` counts.
LEAST_LIKENESS = 0.6
LEAST_LIKENESS_CHINESE = 0.5

PLACES = """
select city_id, city_name_zh, city_name_en from marts.dim_city
where cast(city_id as varchar) = $1 or rtrim(city_name_zh, '市') = rtrim($1, '市')
    or lower($1) in (lower(city_name_en), lower(split_part(city_name_en, ' (', 1)))
"""
# what a city may be called, and which cities are called so
NAMES = """
select text, string_agg(city_id || ' ' || city_name_zh || ' (' || city_name_en || ')', ', ')
from (
    select
        *,
        unnest(list_distinct([
            city_id::varchar, city_name_zh, lower(city_name_en),
            lower(split_part(city_name_en, ' (', 1))
        ])) as text
    from marts.dim_city
    order by city_id
)
group by text
"""
CELLS = """
select source_id, file_name, coalesce(sheet_name || '!', '') || cell_ref as cell, value_delivered,
    coalesce(unit_delivered, unit) as unit_delivered, "value", is_current, quality_flag,
    coalesce(quality_rule, '') as quality_rule
from marts.fct_indicator_observation
where city_id = $1 and "year" = $2 and indicator_id = $3
order by priority, source_id, file_name, cell_ref
"""
# canonical per delivered unit, as the column's other cells are converted
FACTOR = """
select median("value" / value_delivered) from marts.fct_indicator_observation
where source_id = $1 and file_name = $2 and indicator_id = $3
    and coalesce(unit_delivered, unit) = $4 and value_delivered <> 0
"""
FILES = "select distinct source_id || '/' || file_name from marts.fct_indicator_observation"
EVIDENCE = """
select cell_ref, city_id, "year", "value" from marts.fct_indicator_observation
where source_id || '/' || file_name = $1 and indicator_id = $2
"""


class NoCorrection(Refused):
    """What was given is no correction of a delivered cell; the message says what was expected."""


def find_city(con: duckdb.DuckDBPyConnection, city: str | None) -> int:
    """Id of a city by its code or one of its names, also a former one or a spelling of a source;
    a province has its code alone.
    """
    text = (city or "").strip()
    found = con.execute(PLACES, [text]).fetchall()
    if not found:
        spellings = read_place_names()
        known = spellings.aliases.get(place_key(text))
        if known is None and re.fullmatch(r"[0-9]{6}", text):
            known = spellings.codes.get(int(text))
        if known is not None:
            found = con.execute(PLACES, [str(known)]).fetchall()
    if len(found) == 1:
        return found[0][0]
    if re.fullmatch(r"[0-9]{6}", text):  # a province has codes, but no row of dim_city
        return int(text)
    if found:
        names = ", ".join(f"{code} {chinese} ({english})" for code, chinese, english in found)
        hint = f"which is {names}: give the code"
    else:
        hint = "which is none: marts.dim_city has them all"
        near = _cities_near(con, text)
        if near:
            hint += f" (near: {', '.join(near)})"
    said = f"{city!r}, {hint}" if city else "none"
    raise NoCorrection(
        f"city: expected the code of six digits or the name of one city; found {said}"
    )


def _cities_near(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """At most three cities, one of whose names or spellings is like the text."""
    names = dict(con.execute(NAMES).fetchall())
    for spelling, city_id in read_place_names().aliases.items():
        if str(city_id) in names:
            names.setdefault(spelling, names[str(city_id)])
    key = place_key(text)
    # half of a Chinese name of two characters is one of them
    cutoff = LEAST_LIKENESS if key.isascii() else LEAST_LIKENESS_CHINESE
    spellings = get_close_matches(key, names, n=30, cutoff=cutoff)
    return list(dict.fromkeys(names[spelling] for spelling in spellings))[:3]


def named(where: tuple[int, int, str]) -> str:
    """Return a city, year and indicator in words."""
    city_id, year, indicator = where
    return f"{indicator} of city {city_id} for {year}"


def cells_of(con: duckdb.DuckDBPyConnection, where: tuple[int, int, str]) -> list[dict]:
    """Return delivered cells of a city, year and indicator, as columns of `CELLS`."""
    return rows_of(con, CELLS, *where)


def shown(cell: dict) -> str:
    """Describe a cell: its figure, where it is and its flag."""
    state = "current" if cell["is_current"] else "not current"
    flag = " ".join(filter(None, (cell["quality_flag"], cell["quality_rule"])))
    return (
        f"{cell['value_delivered']!r} {cell['unit_delivered']} in "
        f"{cell['source_id']}/{cell['file_name']} {cell['cell']} ({state}, {flag})"
    )


def is_figure(delivered: float, named: float) -> bool:
    """Return whether a delivered figure is the one that a person names, up to single precision."""
    return math.isclose(delivered, named, rel_tol=SINGLE_PRECISION)


def figures_meant(cells: list[dict], named: float) -> list[dict]:
    """Return cells that hold exactly the figure that a person names; where there is none, those
    that hold it in single precision.
    """
    exact = [cell for cell in cells if cell["value_delivered"] == named]
    if exact:
        return exact
    return [cell for cell in cells if is_figure(cell["value_delivered"], named)]


def factor_of(con: duckdb.DuckDBPyConnection, cell: dict, indicator: str | None) -> float:
    """Canonical units per unit of the cell's column."""
    of_column = [cell["source_id"], cell["file_name"], indicator, cell["unit_delivered"]]
    return con.execute(FACTOR, of_column).fetchall()[0][0] or 1.0


def check_evidence(
    con: duckdb.DuckDBPyConnection, evidence: str, indicator: str | None, right: float
) -> None:
    """Where the evidence names a delivered file, one of the cells it names holds the figure."""
    for (path,) in con.execute(FILES).fetchall():
        if path not in evidence:
            continue
        named = set(re.findall(r"\b[A-Z]{1,3}[0-9]+\b", evidence.replace(path, " ")))
        cells = [
            row for row in con.execute(EVIDENCE, [path, indicator]).fetchall() if row[0] in named
        ]
        if not any(math.isclose(row[3], right, rel_tol=SAME) for row in cells):
            found = "; ".join(f"{cell} {value:g}" for cell, _, _, value in cells)
            raise NoCorrection(
                f"evidence: expected a cell of {path} with {indicator} {right:g}; found "
                f"{found or 'none of the cells that it names: ' + ', '.join(sorted(named))}"
            )


def year_of(year: str | None) -> int:
    """Return a calendar year of four digits."""
    if not re.fullmatch("[0-9]{4}", year or ""):
        raise NoCorrection(f"year: expected four digits; found {year or 'none'}")
    return int(year or "")


def number_of(name: str, text: str | None) -> float:
    """Return a finite number."""
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise NoCorrection(
            f"{name}: expected a number in the unit of the file; found {text or 'none'}"
        )
    return value


def key_of(row: dict[str, str]) -> tuple:
    """Return which delivered number a row of the seed is for."""
    return (*(row[name] for name in KEY[:-1]), float(row[KEY[-1]]))


def read_corrections() -> list[dict[str, str]]:
    """Return rows of the seed."""
    with open(SEED, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_corrections(rows: list[dict[str, str]]) -> None:
    """Write the seed whole."""
    with write_whole(Path(SEED)) as path, open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
