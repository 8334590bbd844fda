"""A pair panel from a file or a frame to arrays, and exactly what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .admissions import infer_city_cohorts
from .columns import MISSING, Dates
from .pair_columns import CITY_COHORTS, UNIT, PairColumns, named, resolve_columns
from .pair_panel import EXPOSURES, PairPanel, cohorts_of_pairs, within_window
from .pair_rows import PairRows, Rows
from .panel_error import PanelError
from .panel_table import listed
from .sources import open_source
from .unit_values import (
    blocks_beside,
    cohorts_beside,
    is_beside,
    shown_cohort,
)

ABSORBING = (
    "treatment must be absorbing: give the first treated year of each, and leave a dummy for "
    "'exactly one is a pilot now' out"
)


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
    dates : Dates or None
        What the numbers of its periods stand for.
    """

    panel: PairPanel | None
    notes: tuple[str, ...]
    backend: str = field(default="")
    dates: Dates | None = None


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


class _Reader(PairRows):
    """One panel on its way to arrays."""

    def build(self) -> PairFile:
        """The panel and its notes."""
        table = self.table
        self.years, cube = self.outcome_and_controls()
        if table.dates is not None and table.dates.note:
            self.notes.append(table.dates.note)
        self.refuse_constant(cube[0])
        panel = PairPanel(
            city_i=self.city_i,
            city_j=self.city_j,
            years=self.years,
            y=cube[0],
            controls=cube[1:] if self.columns.controls else None,
            city_ids=self.ids,
            weight=self._weights(),
            **self._cohorts(),
            province=self._blocks(),
        )
        return PairFile(panel, tuple(self.notes), table.source.backend, table.dates)

    def _of_pairs(self, rows: Rows, values: np.ndarray, column: str, remedy: str) -> np.ndarray:
        """One value for each pair; where it varies the treatment would switch off or move."""
        given = (rows.pair, self.n_pairs, (column,), "pair", remedy, shown_cohort)
        return rows.table.constant(values, *given)

    def _weights(self) -> np.ndarray | None:
        name, kind = self.columns.weights, "a positive number"
        if name is None:
            return None
        rows = self.rows_of((name,))
        values = rows.table.numbers(name, kind)
        wrong = ~(values > 0)
        if wrong.any():
            row, remedy = int(np.argmax(wrong)), "correct the cell or remove the pair"
            raise rows.table.fail(row, name, kind, rows.table.shown(name, row), remedy)
        return self._of_pairs(rows, values, name, "give each pair one weight, for example its mean")

    def _cohorts(self) -> dict[str, Any]:
        """What a `PairPanel` is told of treatment."""
        given = self.columns.cohort
        if is_beside(given):
            city_cohort, notes = cohorts_beside(given, self.ids, self.is_calendar, self.table.dates)
            self.notes += notes
            return self._of_cities(city_cohort)
        if not isinstance(given, str):
            return self._of_cities(self._city_cohorts(tuple(given)))
        if self.columns.exposure != "one":
            expected = f"first treated years of units (exposure {self.columns.exposure})"
            remedy = "give a column for each unit, or a mapping of units to first treated years"
            raise self.table.fail(None, given, expected, "one of pairs", remedy)
        cohort, city_cohort = self._cohorts_of_column(self.rows_of((given,)), given)
        if city_cohort is not None:
            return self._of_cities(city_cohort)
        cohort = within_window(cohort, self.years)
        if self.columns.pilots is None:
            return self._with_inferred_pilots(cohort)
        return self._with_named_pilots(cohort)

    def _of_cities(self, city_cohort: np.ndarray) -> dict[str, Any]:
        self._note_pairs_of_two(self._cohorts_by_cities(city_cohort))
        return {"city_cohort": city_cohort, "exposure": self.columns.exposure}

    def _cohorts_by_cities(self, city_cohort: np.ndarray) -> np.ndarray:
        return cohorts_of_pairs(
            within_window(city_cohort, self.years), self.city_i, self.city_j, self.columns.exposure
        )

    def _cohorts_of_column(
        self, rows: Rows, column: str
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

    def _of_one_side(self, rows: Rows, values: np.ndarray) -> np.ndarray | None:
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
        rows = self.rows_of(columns)
        values = np.concatenate(
            rows.table.periods(columns, may_be_blank=True, calendar=self.is_calendar)
        )
        places = np.concatenate(rows.sides)
        return rows.table.constant(values, places, self.ids, columns, "city", remedy, shown_cohort)

    def _note_pairs_of_two(self, cohort: np.ndarray) -> None:
        n_both = int((cohort < 0).sum())
        if n_both:
            self.notes.append(f"{n_both} pairs of two pilots are left out.")

    def _with_inferred_pilots(self, cohort: np.ndarray) -> dict[str, Any]:
        city_cohort, doubtful = infer_city_cohorts(self.city_i, self.city_j, cohort, len(self.ids))
        if doubtful.any():
            how = "give first treated years of units"
            if self.columns.unit == UNIT:
                how = f"name them in {CITY_COHORTS[0]} and {CITY_COHORTS[1]}"
            self.notes.append(
                "The pairs do not say which of their cities are treated "
                f"({listed(self.ids[doubtful])}); where cities are, {how}."
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
            province, notes = self._blocks_of_columns(self.rows_of(names), names)
        self.notes += notes
        if province is not None and self.columns.block_is_asked and len(np.unique(province)) == 1:
            name = ", ".join(named(given)) or "block"
            found = f"{province[0]} for every unit"
            raise self.table.fail(
                None, name, "at least two blocks", found, "give finer blocks, or leave block out"
            )
        return province

    def _blocks_of_columns(
        self, rows: Rows, names: tuple[str, ...]
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
        codes, ids = table.labels(names, tokens=MISSING if self.columns.block_is_asked else ("",))
        remedy = "make them agree"
        if len(names) == 1:
            of_side = self._of_one_side(rows, ids[codes[0]])
            if of_side is not None:
                return of_side, []
            remedy = (
                f"{names[0]} is one column: give a column for each unit, block=(first, second), "
                "or a mapping of units to blocks"
            )
        values = ids[np.concatenate([codes[0], codes[-1]])]
        places = np.concatenate(rows.sides)
        return table.constant(values, places, self.ids, pair, "city", remedy), []
