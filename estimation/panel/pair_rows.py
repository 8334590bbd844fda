"""The rows of a panel of pairs: its pairs, its years, and outcome and controls as a cube."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .columns import Source
from .pair_columns import ResolvedColumns
from .panel_error import PanelError
from .panel_table import FIRST_YEAR, PanelTable, like_ids, positions
from .row_groups import comparable, group_rows


@dataclass(frozen=True)
class Rows:
    """All rows of a panel, or one of each group of `RowGroups`.

    `sides` are the positions of both units, `pair` the position of the pair; (n_rows,) each.
    """

    table: PanelTable
    sides: tuple[np.ndarray, np.ndarray]
    pair: np.ndarray


class PairRows:
    """One panel, its pairs numbered; what its rows say of years, outcome and controls."""

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

    @cached_property
    def all_rows(self) -> Rows:
        """Every row."""
        of_row = self.groups.of_row
        first, second = self.groups.labels.codes
        return Rows(self.table, (first[of_row], second[of_row]), self.pair_of_group[of_row])

    def refuse_pairs(self, first: np.ndarray, second: np.ndarray) -> None:
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

    def outcome_and_controls(self) -> tuple[np.ndarray, np.ndarray]:
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

    def refuse_constant(self, y: np.ndarray) -> None:
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


def _hint(source: Source, columns: ResolvedColumns) -> str:
    """What to do about a column that is not there; of a cohort also what it holds."""
    if not isinstance(columns.cohort, str) or columns.cohort in source.names:
        return "add the column or name another"
    return (
        f"add the column or name another ({columns.cohort}: the year the pair is first treated, "
        "blank = never; a 0/1 dummy does not do; "
        f"or that of each unit, in two columns such as {columns.cohort}_i and {columns.cohort}_j)"
    )
