"""A city panel from a file or a frame to arrays, and exactly what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .columns import MISSING
from .pair_columns import PairColumns
from .panel_table import PanelTable, Rows, like_ids
from .sources import open_source
from .unit_values import blocks_of_units, cohorts_of_units, is_beside, rows_beside


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
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    city_ids: np.ndarray
    notes: tuple[str, ...] = ()
    backend: str = ""
    covariates: np.ndarray | None = None


def read_cities(panel: Any, columns: PairColumns) -> CityFile:
    """Read and check a city panel: one row per city and year.

    Parameters
    ----------
    panel : path, frame or mapping
        See `open_source`.
    columns : PairColumns
        `outcome` is the series whose synchronization is asked for, and `unit` names its one column
        of units twice; `block` is given. Other columns are not read.

    Returns
    -------
    CityFile
        By year, also where `length` says that a row is the mean of several.

    Raises
    ------
    PanelError
        On any fault of the panel.
    """
    beside = [name for name in (columns.cohort, columns.block) if not is_beside(name)]
    unit = columns.unit[0]
    names = [unit, columns.time, columns.outcome, *beside, *columns.covariates]
    if columns.length is not None:
        names.append(columns.length)
    hint = (
        "add the column or name another (cohort_year: the year the city is first treated, blank = "
        "never; block_id: its province)"
    )
    texts = [unit, *([] if is_beside(columns.block) else [columns.block])]
    table = PanelTable(
        open_source(panel), names, texts=texts, one_row="one row for a city in a year", hint=hint
    )
    (city,), city_ids = table.labels((unit,), tokens=MISSING)
    (years_of_row,) = table.periods((columns.time,), may_be_blank=False)
    years, year = np.unique(years_of_row, return_inverse=True)
    for first, second in table.repeats(city * np.int64(len(years)) + year).tolist():
        found = (
            f"city {city_ids[city[second]]} in {years_of_row[second]} again (first in "
            f"{table.source.place} {table.source.line_of(first)})"
        )
        where, expected = f"{unit}, {columns.time}", "one row for a city in a year"
        raise table.fail(second, where, expected, found, "remove one of the rows")
    notes = [table.dates.note] if table.dates is not None and table.dates.note else []
    notes += like_ids(city_ids)

    def rows_of(what: str) -> tuple[Rows, tuple[str, ...]]:
        given = getattr(columns, what)
        if not is_beside(given):
            return Rows(table, (city,)), (given,)
        rows, more = rows_beside(given, what, city_ids, table.dates)
        notes.extend(more)
        return rows, tuple(rows.table.columns)

    cohort = cohorts_of_units(*rows_of("cohort"), city_ids, years)
    block = blocks_of_units(*rows_of("block"), city_ids, MISSING)
    growth = np.full((len(city_ids), len(years)), np.nan)
    growth[city, year] = table.numbers(columns.outcome)
    if columns.length is not None:
        lengths = _lengths(table, columns.length, year, years)
        _require_whole_periods(table, cohort, years, lengths)
        growth = np.repeat(growth, lengths, axis=1)
        starts = np.cumsum(lengths) - lengths
        years = np.repeat(years - starts, lengths) + np.arange(lengths.sum())
    covariates = _covariates(table, columns.covariates, city, city_ids)
    backend = table.source.backend
    return CityFile(growth, years, cohort, block, city_ids, tuple(notes), backend, covariates)


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
        constant = table.constant(filled, city, city_ids, (name,), "city", remedy)
        found[:, place] = np.where(np.isinf(constant), np.nan, constant)
    return found


def _lengths(table: PanelTable, column: str, period: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return how many years each period covers, (T,); periods may not overlap."""
    kind = "a whole number of years from 1"
    given = table.numbers(column, kind)
    wrong = ~((given >= 1) & (given == np.floor(given)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise table.fail(row, column, kind, table.shown(column, row), "correct the cell")
    remedy = "give every unit the same periods"
    lengths = table.constant(given, period, starts, (column,), "period", remedy).astype(np.int64)
    overlaps = starts[:-1] + lengths[:-1] > starts[1:]
    if overlaps.any():
        place = int(np.argmax(overlaps))
        last = starts[place] + lengths[place] - 1
        found = f"{starts[place]} to {last} beside one that begins in {starts[place + 1]}"
        row = int(np.argmax(period == place))
        raise table.fail(row, column, "periods that do not overlap", found, "correct the cell")
    return lengths


def _require_whole_periods(
    table: PanelTable, cohort: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> None:
    """Refuse a first treated year inside a period: its mean would mix years without and with
    treatment.
    """
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        inside = cohort[(cohort > start) & (cohort < start + length)]
        if len(inside):
            found = f"a unit first treated in {inside[0]}"
            expected = f"treatment to begin with a period, not within {start}-{start + length - 1}"
            remedy = "give means over the years between first treated years"
            raise table.fail(None, None, expected, found, remedy)
