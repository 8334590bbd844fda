"""A city panel from a file or a frame to arrays, and exactly what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .columns import MISSING
from .pair_columns import PairColumns
from .panel_table import PanelTable, Rows, like_ids, listed
from .sources import open_source
from .unit_values import blocks_of_units, cohorts_of_units, is_beside, rows_beside

# A table with the first column is the city panel of a publication; the query makes a panel of it.
OF_PUBLICATION = "growth_official_pct"
QUERY = (
    "select city_id, year, growth_official_pct as growth, city_id // 10000 as block_id "
    "from marts.fct_city_year"
)


@dataclass(frozen=True)
class CityFile:
    """Arrays for `fit_primary`.

    Attributes
    ----------
    growth : (N, T) float array
        NaN where the file has no row or a blank.
    years : (T,) int array
    cohort : (N,) int array
        0 = never.
    block : (N,) array
    city_ids : (N,) array
    notes : tuple of str
    backend : str
        Kind of the frame it came from; see `Source`.
    covariates : (N, K) float array
        NaN where a unit has a blank.
    shown : mapping of int to str
        Periods as they were given, where they are dates.
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    city_ids: np.ndarray
    notes: tuple[str, ...] = ()
    backend: str = ""
    covariates: np.ndarray | None = None
    shown: Mapping[int, Any] = field(default_factory=dict)


def read_cities(panel: Any, columns: PairColumns) -> CityFile:
    """Read and check a city panel: one row per city and year.

    Parameters
    ----------
    panel : path, frame or mapping
        See `open_source`.
    columns : PairColumns
        `outcome` is the series whose synchronization is asked for, and `unit` names its one column
        of units twice; `block` is given. Without `cohort` no unit is treated. Other columns are
        not read.

    Returns
    -------
    CityFile
        By year, also where `length` says that a row is the mean of several.

    Raises
    ------
    PanelError
        On any fault of the panel.
    """
    beside = [columns.cohort, columns.block]
    beside = [name for name in beside if name is not None and not is_beside(name)]
    unit = columns.unit[0]
    names = [unit, columns.time, columns.outcome, *beside, *columns.covariates]
    if columns.length is not None:
        names.append(columns.length)
    source = open_source(panel)
    hint = "add the column or name another"
    # without the column's name: words for cities become words for units, and names must stay
    for name, what, holds in (
        (columns.cohort, "cohort", "the year the city is first treated, blank = never"),
        (columns.block, "block", "the group of the city, inside which treatment is compared"),
    ):
        if isinstance(name, str) and name not in source.names:
            hint = f"{hint}; {what} is {holds}"
    if OF_PUBLICATION in source.names:
        hint = f'{hint}. Of a publication: citysync sql -q "{QUERY}" --out growth.csv'
    texts = [unit, *([] if is_beside(columns.block) else [columns.block])]
    table = PanelTable(
        source, names, texts=texts, one_row="one row for a city in a period", hint=hint
    )
    (city,), city_ids = table.labels((unit,), tokens=MISSING)
    (years_of_row,) = table.periods((columns.time,), may_be_blank=False)
    years, year = np.unique(years_of_row, return_inverse=True)
    for first, second in table.repeats(city * np.int64(len(years)) + year).tolist():
        period = table.period_shown(int(years_of_row[second]))
        found = (
            f"unit {city_ids[city[second]]} in {period} again (first in "
            f"{table.source.place} {table.source.line_of(first)})"
        )
        where, expected = f"{unit}, {columns.time}", "one row for a city in a period"
        raise table.fail(second, where, expected, found, "remove one of the rows")
    notes = [table.dates.note] if table.dates is not None and table.dates.note else []
    notes += like_ids(city_ids)

    def rows_of(what: str) -> tuple[Rows, tuple[str, ...]]:
        given = getattr(columns, what)
        if not is_beside(given):
            return Rows(table, (city,)), (given,)
        rows, more = rows_beside(given, what, city_ids, table.dates, table.n_rows)
        notes.extend(more)
        return rows, tuple(rows.table.columns)

    cohort = np.zeros(len(city_ids), dtype=np.int64)
    if columns.cohort is not None:
        cohort = cohorts_of_units(*rows_of("cohort"), city_ids, years)
    block = blocks_of_units(*rows_of("block"), city_ids, MISSING)
    growth = np.full((len(city_ids), len(years)), np.nan)
    growth[city, year] = table.numbers(columns.outcome)
    shown = {} if table.dates is None else table.dates.shown
    if columns.length is not None:
        values = table.numbers(columns.outcome)
        growth, years = _by_year(table, columns.length, city, years_of_row, values)
        _require_whole_periods(table, columns.length, city, years_of_row, cohort, block)
    covariates = _covariates(table, columns.covariates, city, city_ids)
    backend = table.source.backend
    return CityFile(
        growth, years, cohort, block, city_ids, tuple(notes), backend, covariates, shown=shown
    )


def note_periods_without_rows(cities: CityFile) -> list[str]:
    """Return the note on periods that no unit has, between those that there are."""
    apart = np.diff(cities.years)
    before = cities.years[:-1][apart > min(apart, default=0)]
    if not before.size:
        return []
    shown = [cities.shown.get(year, year) for year in before.tolist()]
    return [f"No unit has a row in the period after {listed(shown)}."]


def _covariates(
    table: PanelTable, names: tuple[str, ...], city: np.ndarray, city_ids: np.ndarray
) -> np.ndarray:
    """Return the covariates of each city, (N, K); one that varies between its rows is an error."""
    found = np.full((len(city_ids), len(names)), np.nan)
    for place, name in enumerate(names):
        values = table.numbers(name)
        # a blank is equal to a blank
        filled = np.where(np.isnan(values), np.inf, values)
        remedy = "give each one value, of before the first treatment"
        of_units = (city, city_ids, (name,), "city", remedy)
        constant = table.constant(filled, *of_units, lambda one: str(one).replace("inf", "blank"))
        found[:, place] = np.where(np.isinf(constant), np.nan, constant)
    return found


def _by_year(
    table: PanelTable, column: str, city: np.ndarray, start: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of rows that cover several years by city and year (N, T), and the years."""
    length = _lengths(table, column)
    years = np.arange(start.min(), (start + length).max())
    rows = np.repeat(np.arange(table.n_rows), length)
    year = (
        start[rows]
        - years[0]
        + np.arange(len(rows))
        - np.repeat(np.cumsum(length) - length, length)
    )
    for _, second in table.repeats(city[rows] * np.int64(len(years)) + year).tolist():
        found = f"two periods of a unit with the year {years[year[second]]}"
        remedy = f"correct {column} in one of the rows"
        raise table.fail(rows[second], column, "periods that do not overlap", found, remedy)
    by_year = np.full((int(city.max()) + 1, len(years)), np.nan)
    by_year[city[rows], year] = values[rows]
    return by_year, years


def _lengths(table: PanelTable, column: str) -> np.ndarray:
    """Return how many years each row covers, (n_rows,)."""
    kind = "a whole number of years from 1"
    given = table.numbers(column, kind)
    wrong = ~((given >= 1) & (given == np.floor(given)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise table.fail(row, column, kind, table.shown(column, row), "correct the cell")
    return given.astype(np.int64)


def _require_whole_periods(
    table: PanelTable,
    column: str,
    city: np.ndarray,
    start: np.ndarray,
    cohort: np.ndarray,
    block: np.ndarray,
) -> None:
    """Refuse a first treated year of a block inside a period of one of its units: the period's mean
    would mix years without and with treatment, in the unit or in a draw that gives it that year.
    """
    end = start + _lengths(table, column)
    of_row = block[city]
    for name in np.unique(block):
        of_block = np.unique(cohort[block == name])
        if len(of_block) == 1:
            # units that were all treated at once say nothing, in whatever periods
            continue
        for first in of_block[of_block > 0].tolist():
            inside = (of_row == name) & (start < first) & (first < end)
            if inside.any():
                row = int(np.argmax(inside))
                found = (
                    f"{start[row]} to {end[row] - 1}, where a unit of the block begins in {first}"
                )
                expected = "periods between first treated years of the block"
                raise table.fail(row, column, expected, found, "give means over shorter periods")
