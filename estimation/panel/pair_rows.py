"""The rows of a panel of pairs: its pairs, its years, and outcome and controls as a cube."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from .columns import Source, positions
from .pair_columns import ResolvedColumns
from .panel_error import plural
from .panel_table import PanelTable, Rows, like_ids, note_few_on_both_sides


class PairRows:
    """One panel, its pairs numbered; what its rows say of years, outcome and controls.

    Rows that follow one another with the same two ids are a run: what is said of a pair in every
    row is read once a run.
    """

    def __init__(self, source: Source, columns: ResolvedColumns) -> None:
        self.columns = columns
        self.table = table = PanelTable(
            source,
            columns.needed,
            texts=columns.texts,
            one_row="one row for a pair in a period",
            hint=_hint(source, columns),
        )
        one, two = (table.columns[name].bits for name in columns.unit)
        self.first = np.append(0, np.flatnonzero((one[1:] != one[:-1]) | (two[1:] != two[:-1])) + 1)
        self.sides, self.ids = table.at(self.first, columns.unit).labels(columns.unit)
        n_ids = len(self.ids)
        self.n_both = sum(len(np.unique(side)) for side in self.sides) - n_ids
        remedy = "give the kinds different ids"
        self.notes = like_ids(self.ids) + note_few_on_both_sides(self.n_both, n_ids, remedy)
        self._refuse_pairs(*self.sides)
        low, high = np.minimum(*self.sides).astype(np.int64), np.maximum(*self.sides)
        keys, self.pair_of_run = positions(low * n_ids + high)
        self.n_pairs = len(keys)
        self.city_i, self.city_j = np.divmod(keys, n_ids)

    def rows_of(self, names: Sequence[str]) -> Rows:
        """Return the first row of each run where all its rows say the same in these columns, else
        every row.
        """
        if all(self._are_same(name) for name in names):
            return Rows(self.table.at(self.first, names), self.sides, self.pair_of_run)
        return self.all_rows

    def _are_same(self, name: str) -> bool:
        cells = self.table.columns[name].bits
        changes = cells[1:] != cells[:-1]
        return np.count_nonzero(changes) == np.count_nonzero(changes[self.first[1:] - 1])

    @cached_property
    def pair_of_row(self) -> np.ndarray:
        """Position of the pair of every row (n_rows,)."""
        return self._of_row(self.pair_of_run)

    @cached_property
    def all_rows(self) -> Rows:
        """Every row."""
        sides = tuple(map(self._of_row, self.sides))
        return Rows(self.table, sides, self.pair_of_row)

    def _of_row(self, of_run: np.ndarray) -> np.ndarray:
        return np.repeat(of_run, np.diff(self.first, append=self.table.n_rows))

    def _refuse_pairs(self, first: np.ndarray, second: np.ndarray) -> None:
        columns = self.columns
        wrong = first >= second if columns.ordered else first == second
        if not wrong.any():
            return
        run = int(np.argmax(wrong))
        row, i, j = int(self.first[run]), self.ids[first[run]], self.ids[second[run]]
        names = ", ".join(columns.unit)
        if i == j:
            found = f"a pair of {i} with itself"
            remedy = "remove the row, or give units of two kinds (bank 1, firm 1) different ids"
            raise self.table.fail(row, names, "two units", found, remedy)
        kind = "as integers" if self.ids.dtype.kind == "i" else "as text"
        expected, found = f"{columns.unit[0]} < {columns.unit[1]} ({kind})", f"{i} > {j}"
        raise self.table.fail(
            row, names, expected, found, "put the smaller id first, one row per pair and year"
        )

    def outcome_and_controls(self) -> tuple[np.ndarray, np.ndarray]:
        """Return years (T,), and the outcome and each control by pair and year (1 + K, P, T)."""
        names = (self.columns.outcome, *self.columns.controls)
        (times,) = self.table.periods((self.columns.time,), may_be_blank=False)
        years, row_year = positions(times)
        if len(years) < 2:
            found, remedy = f"only {years[0]}", "give a panel over time"
            raise self.table.fail(None, self.columns.time, "at least two years", found, remedy)
        for name in names:
            if self.table.columns[name].is_category:
                remedy = "give a 0/1 column for each category but one, or convert it to numbers"
                raise self.table.fail(None, name, "numbers", "categories", remedy)
        values = [self.table.numbers(name) for name in names]
        self._note_missing(dict(zip(names, values, strict=True)))
        cell = self.pair_of_row * np.int64(len(years)) + row_year
        n_cells = self.n_pairs * len(years)
        if np.count_nonzero(np.bincount(cell, minlength=n_cells)) < len(cell):
            self._settle_duplicates(cell, times, values)
        cube = np.full((len(values), n_cells), np.nan)
        for of_name, column in zip(cube, values, strict=True):
            of_name[cell] = column
        return years, cube.reshape(len(values), self.n_pairs, len(years))

    def _settle_duplicates(
        self, cell: np.ndarray, times: np.ndarray, values: list[np.ndarray]
    ) -> None:
        again = self.table.repeats(cell)
        names, (one_side, _) = (self.columns.outcome, *self.columns.controls), self.all_rows.sides
        for first, second in again.tolist():
            i, j = (str(self.ids[side[second]]) for side in self.all_rows.sides)
            row = f"{self.table.source.place} {self.table.source.line_of(first)}"
            period = self.table.period_shown(int(times[second]))
            if one_side[first] == one_side[second]:
                found = f"pair {i}, {j} in {period} again (first in {row})"
                expected, remedy = "one row for a pair in a period", "remove one of the rows"
                raise self.table.fail(second, None, expected, found, remedy)
            for name, column in zip(names, values, strict=True):
                before, after = column[[first, second]]
                if before != after and not np.isnan([before, after]).all():
                    found = f"{after:g} for {i}, {j} in {period} and {before:g} for {j}, {i}"
                    expected = "one value for a pair in a period"
                    remedy = "a pair has no direction: keep one of the two orders, or their mean"
                    raise self.table.fail(second, name, expected, f"{found} (in {row})", remedy)
        rows = f"{len(again)} {plural(len(again), 'rows repeat', 'row repeats')}"
        self.notes.append(
            f"{rows} a pair in the other order with the same values: each is taken once."
        )

    def refuse_constant(self, y: np.ndarray) -> None:
        lowest = np.nanmin(y)
        if lowest == np.nanmax(y):
            expected, found = "an outcome that varies", f"{lowest:g} in every row"
            raise self.table.fail(
                None, self.columns.outcome, expected, found, "name another outcome"
            )

    def _note_missing(self, values: dict[str, np.ndarray]) -> None:
        blank = {name: np.isnan(column) for name, column in values.items()}
        names = [name for name, is_blank in blank.items() if is_blank.any()]
        if names:
            is_left_out = np.any([blank[name] for name in names], axis=0)
            if is_left_out.all():
                expected, remedy = "numbers in the same row", "name other columns"
                found = "a blank in every row"
                raise self.table.fail(None, ", ".join(names), expected, found, remedy)
            lacking = int(is_left_out.sum())
            rows = plural(lacking, "rows are", "row is")
            self.notes.append(f"{lacking} {rows} left out: {', '.join(names)} blank.")


def _hint(source: Source, columns: ResolvedColumns) -> str:
    """Return what to do about a column that is not there; of a cohort also what it holds."""
    if not isinstance(columns.cohort, str) or columns.cohort in source.names:
        return "add the column or name another"
    return (
        "add the column or name another as cohort: the year the pair is first treated, blank = "
        "never (a 0/1 dummy does not do), or that of each unit in two columns such as "
        f"{columns.cohort}_i and {columns.cohort}_j"
    )
