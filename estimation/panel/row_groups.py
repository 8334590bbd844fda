"""Rows of a pair panel that name the same two units: what is said of a pair in every row is read
once a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .panel_error import PanelError
from .panel_table import Labels, PanelTable, positions

# with fewer rows a group a look at the rows themselves is as quick
ROWS_IN_GROUP = 2


@dataclass(frozen=True)
class RowGroups:
    """Rows by the ids in their two columns; a pair that stands in both orders has two groups at
    least.

    Attributes
    ----------
    table : PanelTable
    unit : (str, str)
        Columns of the ids.
    labels : Labels
        Ids of the first row of each group.
    first : (G,) int array
        Where each group begins: its first row.
    group : (n_rows,) int array or None
        Group of each row; None where every group is a run of rows, in ascending order.
    """

    table: PanelTable
    unit: tuple[str, str]
    labels: Labels
    first: np.ndarray
    group: np.ndarray | None

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.first)

    @cached_property
    def of_row(self) -> np.ndarray:
        """Group of each row; shape (n_rows,)."""
        if self.group is not None:
            return self.group
        return np.repeat(
            np.arange(self.n_groups, dtype=np.int32), np.diff(self.first, append=self.table.n_rows)
        )

    @cached_property
    def rows_in_each(self) -> int:
        """Number of rows of every group, where all are runs of one length; else 0."""
        size = self.table.n_rows // self.n_groups
        is_even = self.group is None and size * self.n_groups == self.table.n_rows
        return (
            size if is_even and np.array_equal(self.first, np.arange(self.n_groups) * size) else 0
        )

    def are_same(self, column: str) -> bool:
        """Whether a column has one value in all rows of each group; False also where that cannot be
        told from the cells as they lie.
        """
        cells = comparable(self.table, column)
        if self.group is not None:
            return bool((cells[self._first_of_row] == cells).all())
        changes = cells[1:] != cells[:-1]
        return np.count_nonzero(changes) == np.count_nonzero(changes[self.first[1:] - 1])

    @cached_property
    def _first_of_row(self) -> np.ndarray:
        return self.first[self.of_row]


def group_rows(table: PanelTable, unit: tuple[str, str]) -> RowGroups:
    """The groups of a panel.

    Raises
    ------
    PanelError
        If an id is blank or no id, or the columns mix text and numbers.
    """
    cells = [comparable(table, column) for column in unit]
    new = (cells[0][1:] != cells[0][:-1]) | (cells[1][1:] != cells[1][:-1])
    if ROWS_IN_GROUP * (1 + np.count_nonzero(new)) <= table.n_rows:
        first = np.append(0, np.flatnonzero(new) + 1)
        try:
            return RowGroups(table, unit, table.at(first, unit).labels(unit), first, None)
        except PanelError:
            pass  # found again below, with the number of its row
    labels = table.labels(unit)
    n_ids = len(labels.ids)
    keys, group = positions(labels.codes[0].astype(np.int64) * n_ids + labels.codes[1], n_ids**2)
    first = np.empty(len(keys), dtype=np.int64)
    first[group[::-1]] = np.arange(table.n_rows - 1, -1, -1)
    return RowGroups(
        table, unit, Labels(tuple(codes[first] for codes in labels.codes), labels.ids), first, group
    )


def comparable(table: PanelTable, column: str) -> np.ndarray:
    """Cells (n_rows,) as integers that are equal only where the cells are: not their values.

    Blanks of a column of floats are one value. Two cells that differ here may still mean the same,
    such as 0.0 and -0.0.
    """
    found = table.columns[column]
    if found.numbers is None:
        return found.codes
    if found.numbers.dtype.kind == "f":
        return found.numbers.view(f"i{found.numbers.itemsize}")
    return found.numbers
