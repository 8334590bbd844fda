"""Place and year of each row of an unknown sheet, as keys that known values are looked up by
(pure).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warehouse.ingest.cells.cell_values import (
    cell_number,
    cell_text,
    code_text,
    is_blank,
    parse_year,
)
from warehouse.ingest.drafting.sheet_profile import Places, SheetProfile
from warehouse.ingest.drafting.value_matching import PLACE_STEP, cell_key
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.place_names import place_key, six_digit_code

NO_CELL = -1
COUNTRY_ID = 100000
_FULL, _ONCE = 0.2, 0.5


def body_rows(grid: Grid, profile: SheetProfile) -> list[list[object]]:
    """Return rows under the header."""
    return grid.rows[profile.header_row + profile.header_rows :]


def row_places(
    grid: Grid, profile: SheetProfile, places: Places, level: str, title: str | None
) -> list[int | None]:
    """Place of each row, None where it is not known; ``title`` is the name that holds for
    all rows.
    """
    rows = body_rows(grid, profile)
    if level == "country":
        return [COUNTRY_ID] * len(rows)
    if title is not None:
        return [places.by_name[level].get(place_key(title))] * len(rows)
    found, last = [], None
    for row in rows:
        code, name = _cell(row, profile.code_col), _cell(row, profile.name_col)
        if not is_blank(code) or not is_blank(name):
            last = places.by_code[level].get(six_digit_code(cell_text(code))) or places.by_name[
                level
            ].get(place_key(cell_text(name)))
        found.append(last)
    return found


def row_keys(
    grid: Grid,
    profile: SheetProfile,
    level: str,
    place_ids: Sequence[int | None],
    year: int | None = None,
) -> np.ndarray:
    """Return the key of each row: by its year column, or by one year for all; ``NO_CELL`` where
    place or year is not known.
    """
    keys = []
    for row, place_id in zip(body_rows(grid, profile), place_ids, strict=True):
        own = (
            parse_year(code_text(cell_text(_cell(row, profile.year_col))))
            if profile.year_col is not None
            else year
        )
        keys.append(
            cell_key(level, place_id, own) if place_id is not None and own is not None else NO_CELL
        )
    return np.array(keys, np.int64)


def looks_like_panel(keys: np.ndarray) -> bool:
    """Return whether keys are those of a table of statistics: a place has most of the years, and a
    year of a place stands once.

    A list of people, firms or events has places and years as well, but few of all pairs, or many
    rows for one.
    """
    if not len(keys):
        return True
    distinct = np.unique(keys)
    n_pairs = len(np.unique(distinct // PLACE_STEP)) * len(np.unique(distinct % PLACE_STEP))
    return len(distinct) >= _FULL * n_pairs and len(distinct) >= _ONCE * len(keys)


def column_values(grid: Grid, profile: SheetProfile, col: int) -> np.ndarray:
    """Return numbers of a column, NaN where there is none."""
    return np.array([_number(_cell(row, col)) for row in body_rows(grid, profile)], float)


def across_values(
    grid: Grid,
    profile: SheetProfile,
    level: str,
    place_ids: Sequence[int | None],
    rows: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Return keys and numbers of some rows of a sheet whose columns are years."""
    body = body_rows(grid, profile)
    years = {col: parse_year(profile.headers[col].removesuffix(".0")) for col in profile.value_cols}
    keys, values = [], []
    for row in rows:
        if place_ids[row] is None:
            continue
        for col, year in years.items():
            if not year:
                continue
            keys.append(cell_key(level, place_ids[row], year))
            values.append(_number(_cell(body[row], col)))
    return np.array(keys, np.int64), np.array(values, float)


def known(keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return only the cells whose place and year are known."""
    return keys[keys != NO_CELL], values[keys != NO_CELL]


def _cell(row: list[object], col: int | None) -> object:
    return row[col] if col is not None and col < len(row) else ""


def _number(cell: object) -> float:
    number = None if is_blank(cell) else cell_number(cell)
    return float("nan") if number is None else number
