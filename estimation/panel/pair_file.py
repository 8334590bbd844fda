"""A pair panel from a file or a frame to arrays, and exactly what is wrong with it; which city of
each treated pair is the pilot is read off the pairs alone where the panel does not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .columns import MISSING, Dates
from .pair_columns import CITY_COHORTS, UNIT, PairColumns, resolve_columns
from .pair_panel import PairPanel, cohorts_of_pairs, within_window
from .pair_rows import PairRows
from .panel_error import PanelError, plural
from .panel_table import FIRST_YEAR, Rows, listed
from .sources import open_source
from .unit_values import (
    ABSORBING,
    blocks_of_units,
    cohorts_of_units,
    is_beside,
    named,
    rows_beside,
    shown_cohort,
)

# what a city of a treated pair is
UNKNOWN, NEVER_PILOT, PILOT = 0, 1, 2


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


@dataclass(frozen=True)
class ListedPairs(PairFile):
    """A panel that was read pair by pair."""

    panel: PairPanel


def read_pairs(panel: Any, columns: PairColumns) -> ListedPairs:
    """Read and check a panel.

    Parameters
    ----------
    panel : path, frame or mapping
        See `open_source`.
    columns : PairColumns

    Returns
    -------
    ListedPairs

    Raises
    ------
    PanelError
        On any fault of the panel.
    """
    source = open_source(panel)
    read = [columns.outcome]
    for name in columns.controls:
        if name in read:
            raise source.fail(None, name, "each column once", "it named again", "name it once")
        read.append(name)
    return _Reader(source, resolve_columns(source, columns)).build()


class _Reader(PairRows):
    """One panel on its way to arrays."""

    def build(self) -> ListedPairs:
        """Return the panel and its notes."""
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
        self._note_two_kinds(panel.province)
        return ListedPairs(panel, tuple(self.notes), table.source.backend, table.dates)

    def _of_pairs(self, rows: Rows, values: np.ndarray, column: str, remedy: str) -> np.ndarray:
        """Return one value for each pair; where it varies the treatment would switch off or
        move.
        """
        return rows.table.constant(
            values, rows.pair, self.n_pairs, (column,), "pair", remedy, shown_cohort
        )

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
        """Return what a `PairPanel` is told of treatment."""
        given = self.columns.cohort
        if not isinstance(given, str):
            return self._of_cities(self._city_cohorts(given))
        if self.columns.exposure != "one":
            expected = f"first treated years of units (exposure {self.columns.exposure})"
            remedy = "give a column for each unit, or a mapping of units to first treated years"
            raise self.table.fail(None, given, expected, "one of pairs", remedy)
        rows, calendar = self.rows_of((given,)), bool(self.years[-1] >= FIRST_YEAR)
        (values,) = rows.table.periods((given,), may_be_blank=True, calendar=calendar)
        try:
            cohort = self._of_pairs(rows, values, given, ABSORBING)
        except PanelError:
            # rows in both orders may say the cohort of the unit on one side
            rows = self._of_one_side(rows, given)
            if not rows.sides:
                raise
            cohort = cohorts_of_units(rows, (given,), self.ids, self.years)
            self.notes += note_treated_later(cohort, self.years, self.ids)
            return self._of_cities(cohort)
        self.notes += note_treated_later(cohort, self.years, None)
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

    def _of_one_side(self, rows: Rows, name: str) -> Rows:
        """Return the rows with the side whose own a column is, where each unit stands on that
        side of some row; else without a side.
        """
        cells = rows.table.columns[name].bits
        for side in rows.sides:
            own = np.zeros(len(self.ids), dtype=cells.dtype)
            own[side] = cells
            if len(np.unique(side)) == len(self.ids) and (own[side] == cells).all():
                return replace(rows, sides=(side,))
        return replace(rows, sides=())

    def _city_cohorts(self, given: Any) -> np.ndarray:
        rows, names = self._given(given, "cohort")
        cohort = cohorts_of_units(rows, names, self.ids, self.years)
        self.notes += note_treated_later(cohort, self.years, self.ids)
        return cohort

    def _given(self, given: Any, what: str) -> tuple[Rows, tuple[str, ...]]:
        """Return rows that say something of units, and their columns: those of the panel, or beside
        it.
        """
        if not is_beside(given):
            return self.rows_of(named(given)), named(given)
        rows, notes = rows_beside(given, what, self.ids, self.table.dates, self.table.n_rows)
        self.notes += notes
        return rows, tuple(rows.table.columns)

    def _note_two_kinds(self, province: np.ndarray | None) -> None:
        if self.n_both:
            return
        first, second = (np.unique(side) for side in self.sides)
        if province is None or np.isin(province[first], province[second]).any():
            self.notes.append(
                "No unit is on both sides of a pair. If the sides are of two kinds, such as banks "
                "and firms, give each kind blocks of its own: the permutation moves treatment to "
                "any unit of a block."
            )

    def _note_pairs_of_two(self, cohort: np.ndarray) -> None:
        self.notes += note_pairs_of_two(int((cohort < 0).sum()))

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
        """Return the block of each unit (N,); None without blocks."""
        given, is_asked = self.columns.block, self.columns.block_is_asked
        if given is None:
            return None
        rows, names = self._given(given, "block")
        if len(names) < len(rows.sides):
            rows = self._of_one_side(rows, given)
        if not rows.sides:
            remedy = "give block=(first, second), or a mapping of units to blocks"
            raise self.table.fail(None, given, "a column for each unit", "one column", remedy)
        if not is_asked and any(map(rows.table.is_blank, names)):
            self.notes.append(
                f"Some cells of {' or '.join(names)} are blank: methods that need provinces "
                "are left out."
            )
            return None
        province = blocks_of_units(rows, names, self.ids, MISSING if is_asked else ("",))
        if is_asked and len(np.unique(province)) == 1:
            found, remedy = f"{province[0]} for every unit", "give finer blocks, or leave block out"
            raise rows.table.fail(None, ", ".join(names), "at least two blocks", found, remedy)
        return province


def note_pairs_of_two(n_pairs: int) -> list[str]:
    """Return a note on the pairs that are left out because both of their cities are pilots."""
    pairs = plural(n_pairs, "pairs of two pilots are", "pair of two pilots is")
    return [f"{n_pairs} {pairs} left out."] if n_pairs else []


def note_treated_later(
    cohort: np.ndarray, years: np.ndarray, city_ids: np.ndarray | None
) -> list[str]:
    """Return a note on the cities, or without ids the pairs, that are first treated after the last
    period.
    """
    later = cohort > years[-1]
    n = int(later.sum())
    if not n:
        return []
    which = f"{n} {plural(n, 'pairs', 'pair')}" if city_ids is None else listed(city_ids[later])
    said = plural(n, "are treated only after", "is treated only after")
    return [f"{which} {said} the last period: {plural(n, 'they count', 'it counts')} as never."]


def infer_city_cohorts(
    city_i: np.ndarray, city_j: np.ndarray, cohort: np.ndarray, n_cities: int
) -> tuple[np.ndarray, np.ndarray]:
    """City admission years from pair cohorts.

    A city in any never-treated pair is a never-treated city, its partner in a treated pair is the
    pilot, a pilot's partner in a treated pair is a never-treated city, and so on along the pairs.
    Where no never-treated pair leads, a city whose pairs are first treated in different years is a
    never-treated city: a pilot has one year.

    Parameters
    ----------
    city_i, city_j : (P,) int arrays
    cohort : (P,) int array
        0 = never treated.
    n_cities : int

    Returns
    -------
    city_cohort : (N,) int array
        For a city that stays undetermined a guess that only serves to count: of cities that hang
        together the one with most treated pairs is a pilot.
    doubtful : (N,) bool array
        Cities that stay undetermined, or to which the pairs ascribe two roles or two years.
    """
    treated = cohort > 0
    # every treated pair from either of its sides
    city = np.concatenate([city_i[treated], city_j[treated]])
    partner = np.concatenate([city_j[treated], city_i[treated]])
    year = np.tile(cohort[treated], 2)
    n_pairs, role = np.bincount(city, minlength=n_cities), np.zeros(n_cities, dtype=np.int64)
    first, last = np.full(n_cities, np.iinfo(np.int64).max), np.zeros(n_cities, dtype=np.int64)
    np.minimum.at(first, city, year)
    np.maximum.at(last, city, year)
    role[city_i[cohort == 0]] = role[city_j[cohort == 0]] = NEVER_PILOT
    doubtful = np.zeros(n_cities, dtype=bool)
    while ((role == UNKNOWN) & (n_pairs > 0)).any():
        told = (role[city] != UNKNOWN) & (role[partner] == UNKNOWN)
        if told.any():
            role[partner[told]] = NEVER_PILOT + PILOT - role[city[told]]
            doubtful[partner[told & doubtful[city]]] = True
            continue
        left = np.flatnonzero((role == UNKNOWN) & (n_pairs > 0))
        of_years = left[first[left] < last[left]]
        if len(of_years):
            role[of_years[0]] = NEVER_PILOT
            continue
        guess = left[np.argmax(n_pairs[left])]
        role[guess], doubtful[guess] = PILOT, True
    doubtful[city[role[city] == role[partner]]] = True
    doubtful |= (role == PILOT) & (first < last)
    return np.where(role == PILOT, first, 0), doubtful
