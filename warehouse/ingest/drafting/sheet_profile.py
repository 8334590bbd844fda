"""Guess how an unknown sheet is built: header rows, the columns of place and year, years across or
down (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.ingest.cells.cell_values import (
    cell_number,
    cell_text,
    code_text,
    is_blank,
    normal_header,
    parse_year,
)
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.place_names import place_key, six_digit_code
from warehouse.ingest.sheets.finder import join_headers, texts_above

_HEADER_SEARCH = 30
_SAMPLE = 400
_YEAR_HEADER = r"([12][0-9]{3})(?:\.0)?年?"


@dataclass(frozen=True)
class Places:
    """Known places by level (city before province, so that a spelling of both is a city's): by key
    of their spelling, and by code.
    """

    by_name: Mapping[str, Mapping[str, int]]
    by_code: Mapping[str, Mapping[int, int]]


def level_in(known: Mapping[str, Mapping[Any, int]], key: object) -> str | None:
    """Return the first level that knows a spelling or code."""
    return next((level for level, places in known.items() if key in places), None)


@dataclass(frozen=True)
class SheetProfile:
    """What a sheet looks like; rows and columns are 0-based, ``header_rows`` counts the rows of the
    header.
    """

    header_row: int
    header_rows: int
    headers: list[str]
    place_level: str | None = None
    code_col: int | None = None
    name_col: int | None = None
    year_col: int | None = None
    is_by_year_columns: bool = False
    value_cols: list[int] = field(default_factory=list)
    text_cols: list[int] = field(default_factory=list)


def profile_sheet(grid: Grid, places: Places) -> SheetProfile | None:
    """Profile of a sheet, or None where it holds no table (no header above numbers)."""
    across = _years_across(grid)
    found = (across, 1) if across is not None else _text_header(grid)
    if found is None:
        return None
    header_row, header_rows = found
    headers = join_headers(grid, header_row, header_row + header_rows)[0]
    columns = {
        col: _column(grid, header_row + header_rows, col)
        for col, header in enumerate(headers)
        if header
    }
    columns = {col: cells for col, cells in columns.items() if cells}
    code_col, code_level = _best(
        columns, lambda cell: level_in(places.by_code, six_digit_code(cell_text(cell))), 0.6
    )
    name_col, name_level = _best(
        {c: v for c, v in columns.items() if c != code_col},
        lambda cell: level_in(places.by_name, place_key(cell_text(cell))),
        0.5,
    )
    if code_level and name_level and code_level != name_level:
        # a province beside every city says nothing of which city it is
        if code_level == "city":
            name_col = None
        else:
            code_col = None
    used = {code_col, name_col}
    year_col = None if across is not None else _year_column(columns, headers, used)
    others = [col for col in columns if col not in used and col != year_col]
    values = [
        col
        for col in others
        if _share(columns[col], lambda cell: cell_number(cell) is not None) >= 0.5
    ]
    if across is not None:
        values = [col for col in values if re.fullmatch(_YEAR_HEADER, headers[col])]
    texts = [col for col in others if col not in values]
    level = name_level if code_col is None else code_level
    return SheetProfile(
        header_row,
        header_rows,
        headers,
        level,
        code_col,
        name_col,
        year_col,
        across is not None,
        values,
        texts,
    )


def _years_across(grid: Grid) -> int | None:
    """Return the row with at least three different years above numbers, unless the years are in a
    column.
    """
    for row, cells in enumerate(grid.rows[:_HEADER_SEARCH]):
        years = [
            col
            for col, cell in enumerate(cells)
            if not is_blank(cell) and re.fullmatch(_YEAR_HEADER, normal_header(cell_text(cell)))
        ]
        distinct = {parse_year(cell_text(cells[col])) for col in years} - {None}
        if len(distinct) >= 3 and len(distinct) == len(years):
            return row
    return None


def _text_header(grid: Grid) -> tuple[int, int] | None:
    """Return the first row and number of rows of a header: rows of texts without numbers, the last
    of them right above numbers.
    """
    kinds = [_row_kind(cells) for cells in grid.rows[: _HEADER_SEARCH + 1]]
    for row, (n_texts, n_numbers) in enumerate(kinds[:-1]):
        follows = next((kind for kind in kinds[row + 1 :] if sum(kind)), (0, 0))
        if n_texts >= 2 and n_numbers == 0 and follows[1] >= 1:
            first = row
            while first > 0 and kinds[first - 1][0] >= 2 and kinds[first - 1][1] == 0:
                first -= 1
            return first, row - first + 1
    return None


def _row_kind(cells: list[object]) -> tuple[int, int]:
    filled = [cell for cell in cells if not is_blank(cell)]
    numbers = sum(cell_number(cell) is not None for cell in filled)
    return len(filled) - numbers, numbers


def _column(grid: Grid, first: int, col: int) -> list[object]:
    cells = [row[col] for row in grid.rows[first:] if col < len(row) and not is_blank(row[col])]
    return cells[:: max(1, len(cells) // _SAMPLE)]


def _share(cells: list[object], holds: object) -> float:
    return sum(bool(holds(cell)) for cell in cells) / len(cells) if cells else 0.0


def _best(
    columns: dict[int, list[object]], level_of: object, least: float
) -> tuple[int | None, str | None]:
    """Return the column most of whose cells are known places, the first where several are, and the
    commonest level there.
    """
    of_column = {col: _share(cells, level_of) for col, cells in columns.items()}
    shares = {col: share for col, share in of_column.items() if share >= least}
    levels = {col: _commonest_level(columns[col], level_of) for col in shares}
    # the first of equals; a province beside every city is known in every row, and still the cities
    # are meant
    best = max(shares, key=lambda col: (shares[col], -col), default=None)
    finest = max(
        shares, key=lambda col: (_distinct(columns[col]), levels[col] == "city", -col), default=None
    )
    if best is None:
        return None, None
    n_finest = _distinct(columns[finest])
    n_best = _distinct(columns[best])
    is_city_of_province = levels[finest] == "city" and levels[best] == "province"
    if n_finest > 3 * n_best or (is_city_of_province and n_finest > n_best):
        best = finest
    return best, levels[best]


def _commonest_level(cells: list[object], level_of: object) -> str:
    """Return the level of most of a column's places."""
    levels = list(filter(None, map(level_of, cells)))
    return max(sorted(set(levels)), key=levels.count)


def _distinct(cells: list[object]) -> int:
    return len({cell_text(cell) for cell in cells})


def _year_column(
    columns: dict[int, list[object]], headers: list[str], used: set[int | None]
) -> int | None:
    named = re.compile(r"(?i)year|年份|年度|^年$|时间|sgnyea")
    shares = [
        (
            bool(named.search(headers[col])),
            _share(cells, lambda cell: parse_year(code_text(cell_text(cell)))),
            -col,
        )
        for col, cells in columns.items()
        if col not in used
    ]
    good = [entry for entry in shares if entry[1] >= 0.9]
    return -max(good)[2] if good else None


def titled_place(grid: Grid, profile: SheetProfile, places: Places) -> tuple[str, str, str] | None:
    """Return the level of the place that a cell above the header names behind a colon, the pattern
    that finds it, and the name.
    """
    for text in texts_above(grid, profile.header_row):
        label, colon, name = text.rpartition(":")
        level = level_in(places.by_name, place_key(name))
        if colon and level:
            return level, f"^{re.escape(label)}:(.+)$", name
    return None
