"""A pair panel from a file or a frame to arrays, and exactly what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from .admissions import infer_city_cohorts
from .columns import MISSING
from .pair_columns import CITY_COHORTS, UNIT, PairColumns, ResolvedColumns, named, resolve_columns
from .pair_panel import EXPOSURES, PairPanel, cohorts_of_pairs, within_window
from .panel_error import PanelError
from .panel_table import FIRST_YEAR, NAMED, PanelTable, like_ids, positions
from .row_groups import comparable, group_rows
from .sources import Source, open_source
from .unit_values import (
    blocks_beside,
    cohorts_beside,
    constant_of_units,
    is_beside,
    shown_cohort,
)

ABSORBING = (
    "treatment must be absorbing: give the first treated year of each, and leave a dummy for "
    "'exactly one is a pilot now' out"
)
Result = TypeVar("Result")


@dataclass(frozen=True)
class PairFile:
    """A panel that was read, and what a reader should know of it.

    Attributes
    ----------
    panel : PairPanel or None
        None where an engine does not list the pairs.
    notes : tuple of str
    backend : str
        Kind of the frame it came from; see `Source`.
    """

    panel: PairPanel | None
    notes: tuple[str, ...]
    backend: str = field(default="")


def read_pairs(panel: Any, columns: PairColumns) -> PairFile:
    """Read and check a panel.

    Parameters
    ----------
    panel : path, frame or mapping
        See `open_source`.
    columns : PairColumns

    Returns
    -------
    PairFile

    Raises
    ------
    PanelError
        On any fault of the panel.
    """
    source = open_source(panel)
    if columns.exposure not in EXPOSURES:
        raise PanelError(
            "exposure",
            None,
            None,
            " or ".join(EXPOSURES),
            repr(columns.exposure),
            "choose one of them",
        )
    if len(set(columns.controls)) < len(columns.controls) or columns.outcome in columns.controls:
        raise PanelError(
            source.label,
            None,
            None,
            "each column once",
            "a control that is named twice or is the outcome",
            "name it once",
        )
    return _Reader(source, resolve_columns(source, columns)).build()


@dataclass(frozen=True)
class _Rows:
    """All rows of a panel, or one of each group of `RowGroups`.

    `sides` are the positions of both units, `pair` the position of the pair; (n_rows,) each.
    """

    table: PanelTable
    sides: tuple[np.ndarray, np.ndarray]
    pair: np.ndarray


class _Reader:
    """One panel on its way to arrays."""

    def __init__(self, source: Source, columns: ResolvedColumns) -> None:
        hint = _hint(source, columns)
        self.columns = columns
        self.table = PanelTable(
            source,
            columns.needed,
            texts=columns.texts,
            one_row="one row for a pair in a year",
            hint=hint,
        )
        self.groups = group_rows(self.table, columns.unit)
        self.ids = self.groups.labels.ids
        self.notes: list[str] = like_ids(self.ids) if self.ids.dtype.kind != "i" else []

    def build(self) -> PairFile:
        """The panel and its notes."""
        table, columns, n_ids = self.table, self.columns, len(self.ids)
        first, second = self.groups.labels.codes
        self._refuse_pairs(first, second)
        keys, self.pair_of_group = positions(
            np.minimum(first, second).astype(np.int64) * n_ids + np.maximum(first, second), n_ids**2
        )
        self.n_pairs = len(keys)
        years, cube = self._outcome_and_controls()
        if table.dates is not None and table.dates.note:
            self.notes.append(table.dates.note)
        self._refuse_constant(cube[0])
        self.city_i, self.city_j, self.years = keys // n_ids, keys % n_ids, years
        panel = PairPanel(
            city_i=self.city_i,
            city_j=self.city_j,
            years=years,
            y=cube[0],
            controls=cube[1:] if columns.controls else None,
            city_ids=self.ids,
            weight=self._weights(),
            **self._cohorts(),
            province=self._blocks(),
        )
        return PairFile(panel, tuple(self.notes), table.source.backend)

    @cached_property
    def all_rows(self) -> _Rows:
        """Every row."""
        of_row = self.groups.of_row
        first, second = self.groups.labels.codes
        return _Rows(self.table, (first[of_row], second[of_row]), self.pair_of_group[of_row])

    def _said_of_pairs(self, names: Sequence[str], read: Callable[[_Rows], Result]) -> Result:
        """What columns say of pairs or units: from one row of each group where its rows say the
        same, else from all rows.

        A fault is looked for in all rows, so that the first one is named.
        """
        if all(self.groups.are_same(name) for name in names):
            try:
                return read(
                    _Rows(
                        self.table.at(self.groups.first, names),
                        self.groups.labels.codes,
                        self.pair_of_group,
                    )
                )
            except PanelError:
                pass
        return read(self.all_rows)

    def _refuse_pairs(self, first: np.ndarray, second: np.ndarray) -> None:
        columns = self.columns
        wrong = first >= second if columns.ordered else first == second
        if not wrong.any():
            return
        row = int(np.argmax(wrong[self.groups.of_row]))
        i, j = (self.ids[side[self.groups.of_row[row]]] for side in (first, second))
        names = ", ".join(columns.unit)
        if i == j:
            expected = (
                f"two units ({columns.unit[0]} < {columns.unit[1]})"
                if columns.ordered
                else "two units"
            )
            raise self.table.fail(
                row, names, expected, f"a pair of {i} with itself", "remove the row"
            )
        kind = "as integers" if self.ids.dtype.kind == "i" else "as text"
        expected, found = f"{columns.unit[0]} < {columns.unit[1]} ({kind})", f"{i} > {j}"
        raise self.table.fail(
            row, names, expected, found, "put the smaller id first, one row per pair and year"
        )

    def _outcome_and_controls(self) -> tuple[np.ndarray, np.ndarray]:
        """Years (T,), and the outcome and each control by pair and year (1 + K, P, T)."""
        names = (self.columns.outcome, *self.columns.controls)
        years = self._years_of_every_group()
        if years is not None:
            self.is_calendar = bool(years[-1] >= FIRST_YEAR)
            values = [self.table.numbers(name) for name in names]
            self._note_missing(values)
            grids = [self._by_pair(column) for column in values]
            return years, np.stack(grids) if self.columns.controls else grids[0][None]
        (times,) = self.table.periods((self.columns.time,), may_be_blank=False)
        years, row_year = positions(times, int(times.max()) + 1)
        if len(years) < 2:
            raise self.table.fail(
                None,
                self.columns.time,
                "at least two years",
                f"only {years[0]}",
                "give a panel over time",
            )
        self.is_calendar = bool(years[-1] >= FIRST_YEAR)
        cell = (self.pair_of_group * np.int64(len(years)))[self.groups.of_row] + row_year
        values = [self.table.numbers(name) for name in names]
        n_cells = self.n_pairs * len(years)
        self._settle_duplicates(cell, times, values, n_cells)
        cube = np.full((len(values), n_cells), np.nan)
        for k, column in enumerate(values):
            cube[k, cell] = column
        self._note_missing(values)
        return years, cube.reshape(len(values), self.n_pairs, len(years))

    def _years_of_every_group(self) -> np.ndarray | None:
        """Years (T,) where the rows are a table, pair after pair with the same ascending years in
        each; None where they are not.
        """
        size, times = self.groups.rows_in_each, comparable(self.table, self.columns.time)
        if size < 2 or self.n_pairs < self.groups.n_groups:
            return None
        if not (times[size:] == times[:-size]).all():
            return None
        first = self.table.at(np.arange(size), (self.columns.time,))
        try:
            (years,) = first.periods((self.columns.time,), may_be_blank=False)
        except PanelError:
            return None
        self.table.dates = first.dates
        return years if (np.diff(years) > 0).all() else None

    def _by_pair(self, column: np.ndarray) -> np.ndarray:
        """Values of such a table in the order of the pairs; shape (P, T)."""
        grid = column.reshape(self.n_pairs, -1)
        if (self.pair_of_group == np.arange(self.n_pairs)).all():
            return grid
        ordered = np.empty_like(grid)
        ordered[self.pair_of_group] = grid
        return ordered

    def _settle_duplicates(
        self, cell: np.ndarray, times: np.ndarray, values: list[np.ndarray], n_cells: int
    ) -> None:
        seen = np.zeros(n_cells, dtype=bool)
        seen[cell] = True
        if int(seen.sum()) == len(cell):
            return
        order = np.argsort(cell, kind="stable")
        again = np.flatnonzero(np.diff(cell[order]) == 0)
        for first, second in np.sort(np.stack([order[again], order[again + 1]], axis=1)).tolist():
            i, j = (str(self.ids[side[second]]) for side in self.all_rows.sides)
            same = self.all_rows.sides[0][first] == self.all_rows.sides[0][second]
            unlike = next(
                (
                    k
                    for k, v in enumerate(values)
                    if v[first] != v[second] and not np.isnan([v[first], v[second]]).all()
                ),
                None,
            )
            if same:
                found = (
                    f"pair {i}, {j} in {times[second]} again (first in {self.table.place(first)})"
                )
                raise self.table.fail(
                    second, None, "one row for a pair in a year", found, "remove one of the rows"
                )
            if unlike is not None:
                name = (self.columns.outcome, *self.columns.controls)[unlike]
                found = (
                    f"{values[unlike][second]:g} for {i}, {j} in {times[second]} and "
                    f"{values[unlike][first]:g} for {j}, {i} "
                )
                found += f"(in {self.table.place(first)})"
                remedy = "a pair has no direction: keep one of the two orders, or their mean"
                raise self.table.fail(second, name, "one value for a pair in a year", found, remedy)
        self.notes.append(
            f"{len(again)} rows repeat a pair in the other order with the same values: each is "
            "taken once."
        )

    def _refuse_constant(self, y: np.ndarray) -> None:
        # of numbers alone: NaN only where there is none
        lowest, highest, outcome = (
            np.fmin.reduce(y, axis=None),
            np.fmax.reduce(y, axis=None),
            self.columns.outcome,
        )
        if np.isnan(lowest):
            raise self.table.fail(None, outcome, "numbers", "only blanks", "name another outcome")
        if lowest == highest:
            raise self.table.fail(
                None,
                outcome,
                "an outcome that varies",
                f"{lowest:g} in every row",
                "name another outcome",
            )

    def _note_missing(self, values: list[np.ndarray]) -> None:
        blank = np.isnan(values[0])
        for column in values[1:]:
            blank |= np.isnan(column)
        lacking = np.count_nonzero(blank)
        if lacking:
            names = ", ".join((self.columns.outcome, *self.columns.controls))
            self.notes.append(f"{lacking} rows are left out: {names} blank.")

    def _of_pairs(self, rows: _Rows, values: np.ndarray, column: str, remedy: str) -> np.ndarray:
        """One value for each pair; where it varies the treatment would switch off or move."""
        result = np.zeros(self.n_pairs, dtype=values.dtype)
        result[rows.pair[::-1]] = values[::-1]
        wrong = result[rows.pair] != values
        if wrong.any():
            row = int(np.argmax(wrong))
            found = f"{shown_cohort(values[row])} beside {shown_cohort(result[rows.pair[row]])}"
            raise rows.table.fail(row, column, "one value for all rows of a pair", found, remedy)
        return result

    def _weights(self) -> np.ndarray | None:
        name = self.columns.weights
        if name is None:
            return None

        def read(rows: _Rows) -> np.ndarray:
            values = rows.table.numbers(name, "a positive number")
            wrong = ~(values > 0)
            if wrong.any():
                row = int(np.argmax(wrong))
                raise rows.table.fail(
                    row,
                    name,
                    "a positive number",
                    rows.table.shown(name, row),
                    "correct the cell or remove the pair",
                )
            return self._of_pairs(
                rows, values, name, "give each pair one weight, for example its mean"
            )

        return self._said_of_pairs((name,), read)

    def _cohorts(self) -> dict[str, Any]:
        """What a `PairPanel` is told of treatment."""
        given = self.columns.cohort
        if self.columns.exposure != "one" and isinstance(given, str):
            remedy = "give a column for each unit, or a mapping of units to first treated years"
            raise self.table.fail(
                None,
                given,
                f"first treated years of units (exposure {self.columns.exposure})",
                "one of pairs",
                remedy,
            )
        if isinstance(given, str):
            cohort, city_cohort = self._said_of_pairs(
                (given,), lambda rows: self._cohorts_of_column(rows, given)
            )
            if city_cohort is not None:
                return self._of_cities(city_cohort)
            cohort = within_window(cohort, self.years)
            return (
                self._with_inferred_pilots(cohort)
                if self.columns.pilots is None
                else self._with_named_pilots(cohort)
            )
        if is_beside(given):
            city_cohort, notes = cohorts_beside(given, self.ids, self.is_calendar, self.table.dates)
            self.notes += notes
        else:
            city_cohort = self._city_cohorts(tuple(given))
        return self._of_cities(city_cohort)

    def _of_cities(self, city_cohort: np.ndarray) -> dict[str, Any]:
        self._note_pairs_of_two(self._cohorts_by_cities(city_cohort))
        return {"city_cohort": city_cohort, "exposure": self.columns.exposure}

    def _cohorts_by_cities(self, city_cohort: np.ndarray) -> np.ndarray:
        return cohorts_of_pairs(
            within_window(city_cohort, self.years), self.city_i, self.city_j, self.columns.exposure
        )

    def _cohorts_of_column(
        self, rows: _Rows, column: str
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """First treated years of the pairs (P,), else None; and of the units (N,) where rows in
        both orders say those of one side.
        """
        (values,) = rows.table.periods((column,), may_be_blank=True, calendar=self.is_calendar)
        try:
            return self._of_pairs(rows, values, column, ABSORBING), None
        except PanelError:
            city_cohort = self._of_one_side(rows, values)
            if city_cohort is None:
                raise
            return None, city_cohort

    def _of_one_side(self, rows: _Rows, values: np.ndarray) -> np.ndarray | None:
        """Values of units (N,) where every unit stands on one side of some row and a column is its
        own there; None where it is not so.
        """
        for side in rows.sides:
            result = np.zeros(len(self.ids), dtype=values.dtype)
            result[side] = values
            if len(np.unique(side)) == len(self.ids) and (result[side] == values).all():
                return result
        return None

    def _city_cohorts(self, columns: tuple[str, str]) -> np.ndarray:
        remedy = "make them agree; " + ABSORBING

        def read(rows: _Rows) -> np.ndarray:
            values = np.concatenate(
                rows.table.periods(columns, may_be_blank=True, calendar=self.is_calendar)
            )
            return constant_of_units(
                rows.table,
                values,
                np.concatenate(rows.sides),
                columns,
                self.ids,
                remedy,
                shown_cohort,
            )

        return self._said_of_pairs(columns, read)

    def _note_pairs_of_two(self, cohort: np.ndarray) -> None:
        n_both = int((cohort < 0).sum())
        if n_both:
            self.notes.append(f"{n_both} pairs of two pilots are left out.")

    def _with_inferred_pilots(self, cohort: np.ndarray) -> dict[str, Any]:
        city_cohort, doubtful = infer_city_cohorts(self.city_i, self.city_j, cohort, len(self.ids))
        if doubtful.any():
            names = self.ids[doubtful]
            listed = ", ".join(map(str, names[:NAMED])) + (
                f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            )
            how = "give first treated years of units"
            if self.columns.unit == UNIT:
                how = f"name them in {CITY_COHORTS[0]} and {CITY_COHORTS[1]}"
            self.notes.append(
                f"The pairs do not say which cities are pilots ({listed}); where cities are, {how}."
            )
        return {"city_cohort": city_cohort, "cohort": cohort, "pilots_known": not doubtful.any()}

    def _with_named_pilots(self, cohort: np.ndarray) -> dict[str, Any]:
        city_cohort = self._city_cohorts(self.columns.pilots)
        derived = self._cohorts_by_cities(city_cohort)
        wrong = np.flatnonzero((derived != cohort) & (derived >= 0))
        if len(wrong):
            pair = int(wrong[0])
            i, j = self.ids[self.city_i[pair]], self.ids[self.city_j[pair]]
            found = (
                f"{shown_cohort(cohort[pair])} for pair {i}, {j} whose cities say "
                f"{shown_cohort(derived[pair])}"
            )
            expected = "the year of the pair's only pilot, or blank without a pilot"
            raise self.table.fail(None, self.columns.cohort, expected, found, "make them agree")
        self._note_pairs_of_two(derived)
        return {"city_cohort": city_cohort}

    def _blocks(self) -> np.ndarray | None:
        """Block of each unit (N,); None without blocks."""
        given = self.columns.block
        if given is None:
            return None
        if is_beside(given):
            province, notes = blocks_beside(given, self.ids)
        else:
            names = named(given)
            province, notes = self._said_of_pairs(
                names, lambda rows: self._blocks_of_columns(rows, names)
            )
        self.notes += notes
        if province is not None and self.columns.block_is_asked and len(np.unique(province)) == 1:
            name = ", ".join(named(given)) or "block"
            found = f"{province[0]} for every unit"
            raise self.table.fail(
                None, name, "at least two blocks", found, "give finer blocks, or leave block out"
            )
        return province

    def _blocks_of_columns(
        self, rows: _Rows, names: tuple[str, ...]
    ) -> tuple[np.ndarray | None, list[str]]:
        """Block of each unit (N,), and notes."""
        table, pair = rows.table, names if len(names) == 2 else (names[0], names[0])
        if not self.columns.block_is_asked and any(table.is_blank(name) for name in names):
            return None, [
                (
                    f"Some cells of {pair[0]} or {pair[1]} are blank: the lines that need "
                    "provinces "
                    "are left out."
                )
            ]
        labels = table.labels(names, tokens=MISSING if self.columns.block_is_asked else ("",))
        remedy = "make them agree"
        if len(names) == 1:
            of_side = self._of_one_side(rows, labels.ids[labels.codes[0]])
            if of_side is not None:
                return of_side, []
            remedy = (
                f"{names[0]} is one column: give a column for each unit, block=(first, second), "
                "or a mapping of units to blocks"
            )
        values = labels.ids[np.concatenate([labels.codes[0], labels.codes[-1]])]
        return constant_of_units(
            table, values, np.concatenate(rows.sides), pair, self.ids, remedy
        ), []


def _hint(source: Source, columns: ResolvedColumns) -> str:
    """What to do about a column that is not there; of a cohort also what it holds."""
    if not isinstance(columns.cohort, str) or columns.cohort in source.names:
        return "add the column or name another"
    return (
        f"add the column or name another ({columns.cohort}: the year the pair is first treated, "
        "blank = never; a 0/1 dummy does not do; "
        f"or that of each unit, in two columns such as {columns.cohort}_i and {columns.cohort}_j)"
    )
