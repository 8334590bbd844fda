"""What a defect does to the cells of a place that it draws.

A maker takes the view, the booking, the roster and a random generator and returns the changed cells
`{(row, column): new value}`, or raises NotFree for the place it drew; the planner then draws again.
Nothing here knows which rule should find it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.quality.views import Booking, Cities, View

Changes = dict[tuple[int, int], float]
Maker = Callable[[View, Booking, Cities, np.random.Generator], Changes]


class NotFree(Exception):
    """The place that was drawn cannot hold the defect."""


def significant(value: float) -> float:
    """Ten significant digits: a power of ten keeps every digit of the delivered number."""
    return float(f"{value:.10g}")


def draw_cell(view: View, booking: Booking, rng: np.random.Generator) -> tuple[int, int]:
    """A free cell with a value in the year before and after."""
    has = view.has.copy()
    has[:, 1:-1] &= view.has[:, :-2] & view.has[:, 2:]
    has[:, [0, -1]] = False
    places = np.argwhere(has)
    if not len(places):
        raise NotFree
    i, t = places[rng.integers(len(places))]
    if not booking.is_free([i], t, t):
        raise NotFree
    return int(i), int(t)


def draw_run(
    view: View, booking: Booking, rng: np.random.Generator, shortest: int, longest: int
) -> tuple[int, int, int]:
    """A city and years first..last that all hold values, with one more on each side."""
    i, length = int(rng.integers(len(view.value))), int(rng.integers(shortest, longest + 1))
    starts = [
        t
        for t in range(1, view.value.shape[1] - length)
        if view.has[i, t - 1 : t + length + 1].all()
    ]
    if not starts:
        raise NotFree
    first = int(starts[rng.integers(len(starts))])
    if not booking.is_free([i], first, first + length - 1):
        raise NotFree
    return i, first, first + length - 1


def draw_province_year(
    view: View, booking: Booking, rng: np.random.Generator, least: int
) -> tuple[np.ndarray, int]:
    """Cities of a province with a value in a year and its neighbours, in the file's order."""
    t = int(rng.integers(1, view.value.shape[1] - 1))
    province = rng.choice(np.unique(booking.province))
    rows = np.flatnonzero((booking.province == province) & view.has[:, t - 1 : t + 2].all(axis=1))
    if len(rows) < least or booking.busy[rows, max(t - 3, 0) : t + 4].any():
        raise NotFree
    return rows[np.argsort(view.order[rows], kind="stable")], t


def draw_year(
    view: View, booking: Booking, rng: np.random.Generator, pad: int, least: int = 0
) -> tuple[np.ndarray, int]:
    """Cities with a value in a year in whose `pad` years around nothing stands, in the file's
    order.
    """
    t = int(rng.integers(1, view.value.shape[1] - 1))
    rows = np.flatnonzero(view.has[:, t])
    if len(rows) < least or booking.busy[:, max(t - pad, 0) : t + pad + 1].any():
        raise NotFree
    return rows[np.argsort(view.order[rows], kind="stable")], t


def one_cell(change: Callable[[float, View, np.random.Generator], float | None]) -> Maker:
    def make(view: View, booking: Booking, cities: Cities, rng: np.random.Generator) -> Changes:
        place = draw_cell(view, booking, rng)
        new = change(view.value[place], view, rng)
        if new is None or abs(new - view.value[place]) <= 0.01 * abs(view.value[place]):
            raise NotFree
        return {place: new}

    return make


def power(low: int, high: int) -> Callable[[float, View, np.random.Generator], float]:
    powers = [k for k in range(low, high + 1) if k]
    return lambda v, view, rng: significant(v * 10.0 ** powers[rng.integers(len(powers))])


def move(
    low: float, high: float, in_logs: bool
) -> Callable[[float, View, np.random.Generator], float]:
    def change(value: float, view: View, rng: np.random.Generator) -> float:
        size, up = rng.uniform(low, high), rng.random() < 0.5
        factor = np.exp(size if up else -size) if in_logs else 1 + (size if up else -size)
        return round(float(value * factor), max(view.decimals, 1))

    return change


def leading_digit(value: float, view: View, rng: np.random.Generator) -> float | None:
    text = f"{value:.{view.decimals}f}"
    first = next((k for k, sign in enumerate(text) if sign in "123456789"), None)
    if first is None:
        return None
    others = [digit for digit in "123456789" if digit != text[first]]
    return float(text[:first] + others[rng.integers(len(others))] + text[first + 1 :])


def make_stale(view: View, booking: Booking, cities: Cities, rng: np.random.Generator) -> Changes:
    """A cell repeats last year's value."""
    place = draw_cell(view, booking, rng)
    before = view.value[place[0], place[1] - 1]
    if abs(before / view.value[place] - 1) <= 0.002:
        raise NotFree
    return {place: before}


def make_stale_year(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Most of a province repeats last year's values."""
    rows, t = draw_province_year(view, booking, rng, 6)
    return {
        (int(i), t): view.value[i, t - 1]
        for i in rows
        if rng.random() < 0.8 and view.value[i, t] != view.value[i, t - 1]
    }


def make_row_shift(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Four to eight neighbouring rows of a province-year carry the value one to two rows away."""
    rows, t = draw_province_year(view, booking, rng, 6)
    step = int(rng.choice([-2, -1, -1, 1, 1, 2]))
    length = min(int(rng.integers(4, 9)), len(rows) - abs(step))
    if length < 4:
        raise NotFree
    start = int(rng.integers(max(0, -step), len(rows) - length - max(0, step) + 1))
    return {(int(rows[k]), t): view.value[rows[k + step], t] for k in range(start, start + length)}


def make_swap(view: View, booking: Booking, cities: Cities, rng: np.random.Generator) -> Changes:
    """Two cities of a province-year carry each other's value."""
    rows, t = draw_province_year(view, booking, rng, 3)
    i, j = (int(row) for row in rng.choice(rows, 2, replace=False))
    if abs(np.log(abs(view.value[i, t] / view.value[j, t]))) < 0.2:
        raise NotFree
    return {(i, t): view.value[j, t], (j, t): view.value[i, t]}


def make_year_offset(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Four to eight years of a city carry the year before or after."""
    i, first, last = draw_run(view, booking, rng, 4, 8)
    step = int(rng.choice([-1, 1]))
    return {(i, t): view.value[i, t + step] for t in range(first, last + 1)}


def make_duplicated_block(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Three to six years of a city are a copy of another city of its province."""
    i, first, last = draw_run(view, booking, rng, 3, 6)
    others = np.flatnonzero(
        (booking.province == booking.province[i]) & view.has[:, first : last + 1].all(axis=1)
    )
    others = [int(j) for j in others if j != i and booking.is_free([j], first, last)]
    if not others:
        raise NotFree
    j = others[rng.integers(len(others))]
    return {(i, t): view.value[j, t] for t in range(first, last + 1)}


def make_city_mixup(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Two cities of the same English name in different provinces carry each other's values for five
    years or more.
    """
    i, j = (int(row) for row in cities.namesakes[rng.integers(len(cities.namesakes))])
    length = int(rng.integers(5, 12))
    first = int(rng.integers(0, view.value.shape[1] - length + 1))
    block = slice(first, first + length)
    if not (
        view.has[[i, j], block].all() and booking.is_free([i, j], first, first + length - 1, pad=20)
    ):
        raise NotFree
    years = range(first, first + length)
    return {(i, t): view.value[j, t] for t in years} | {(j, t): view.value[i, t] for t in years}


def make_series_end(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """The last value of a city's series is off by 25 to 50 per cent."""
    i = int(rng.integers(len(view.value)))
    filled = np.flatnonzero(view.has[i])
    if len(filled) < 6 or filled[-1] - filled[-2] > 1:
        raise NotFree
    t = int(filled[-1])
    if not booking.is_free([i], t, t):
        raise NotFree
    return {(i, t): move(0.25, 0.5, in_logs=False)(view.value[i, t], view, rng)}


@dataclass(frozen=True)
class ToTheEnd:
    """From some year on a city's series stands at another level, to its end."""

    draw_factor: Callable[[np.random.Generator], float]

    def __call__(
        self, view: View, booking: Booking, cities: Cities, rng: np.random.Generator
    ) -> Changes:
        i = int(rng.integers(len(view.value)))
        filled = np.flatnonzero(view.has[i])
        if len(filled) < 10:
            raise NotFree
        cut = int(rng.integers(4, len(filled) - 3))
        if not booking.is_free([i], int(filled[cut]), int(filled[-1]), pad=20):
            raise NotFree
        factor = self.draw_factor(rng)
        return {(i, int(t)): significant(view.value[i, t] * factor) for t in filled[cut:]}


def make_province_unit(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """A whole province-year in another unit."""
    rows, t = draw_province_year(view, booking, rng, 5)
    factor = float(rng.choice([1e-4, 1e-2, 0.1, 10, 100, 1e4]))
    return {(int(i), t): significant(view.value[i, t] * factor) for i in rows}


def make_revision(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """An official revision: three to six years up to the last known are restated by 5 to 30 per
    cent, growing with time. No defect.
    """
    i, first, last = draw_run(view, booking, rng, 3, 6)
    size = rng.uniform(0.05, 0.30) * rng.choice([-1, 1])
    years = range(first, last + 1)
    taper = np.linspace(0.4, 1, len(years))
    return {
        (i, t): round(float(view.value[i, t] * (1 + size * share)), max(view.decimals, 1))
        for t, share in zip(years, taper, strict=True)
    }


def make_cell(view: View, booking: Booking, cities: Cities, rng: np.random.Generator) -> Changes:
    """A cell whose column is mixed up with another; its value is set by the planner."""
    return {draw_cell(view, booking, rng): np.nan}


def make_years(view: View, booking: Booking, cities: Cities, rng: np.random.Generator) -> Changes:
    """Two to five years of a city, unchanged: what happens to them is not a matter of their
    values.
    """
    i, first, last = draw_run(view, booking, rng, 2, 5)
    return {(i, t): view.value[i, t] for t in range(first, last + 1)}


def make_dropped_block(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """A third of the cities of one year, neighbours in the file."""
    rows, t = draw_year(view, booking, rng, pad=1, least=30)
    start = int(rng.integers(0, len(rows) * 2 // 3))
    return {(int(i), t): view.value[i, t] for i in rows[start : start + len(rows) // 3]}


def make_table_unit(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Every city of one year in another unit."""
    rows, t = draw_year(view, booking, rng, pad=4)
    factor = float(rng.choice([1e-4, 1e-2, 0.1, 10, 100, 1e4]))
    return {(int(i), t): significant(view.value[i, t] * factor) for i in rows}


def make_province_quantity(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """A whole province holds another quantity for one to three years: about a quarter to a half of
    its own.
    """
    rows, first = draw_province_year(view, booking, rng, 5)
    last = min(first + int(rng.integers(1, 4)), view.value.shape[1] - 1) - 1
    rows = rows[view.has[rows, first - 1 : last + 2].all(axis=1)]
    if len(rows) < 5 or booking.busy[rows, max(first - 3, 0) : last + 4].any():
        raise NotFree
    part = rng.uniform(0.25, 0.5) * np.exp(rng.normal(0, 0.12, len(rows)))
    changes: Changes = {}
    for i, p in zip(rows.tolist(), part, strict=True):
        for t in range(first, last + 1):
            changes[i, t] = significant(view.value[i, t] * p)
    return changes


def make_run_returns(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Two to four years of a city at another level, which returns."""
    try:
        i, first, last = draw_run(view, booking, rng, 2, 4)
    finally:
        # drawn for a taken place, too: so the defects of a seed are those of the published tables
        factor = float(rng.choice([rng.uniform(0.3, 0.55), rng.uniform(1.8, 3.2)]))
    return {(i, t): significant(view.value[i, t] * factor) for t in range(first, last + 1)}


def make_column_shift(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Every city of a year carries the value of the row after it, as in an edition whose column
    slipped.
    """
    rows, t = draw_year(view, booking, rng, pad=4, least=50)
    return {(int(i), t): view.value[j, t] for i, j in pairwise(rows)}


def make_codes_shift(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """A block of thirty rows or more carries the code and name of the row after it, in all years,
    the last one those of the first; the new "value" of a cell is the row of the city under which it
    now stands."""
    rows = np.flatnonzero(view.has.sum(axis=1) >= 5)
    if booking.busy.any() or len(rows) < 60:
        raise NotFree
    rows = rows[np.argsort(view.order[rows], kind="stable")]
    length = int(rng.integers(30, len(rows)))
    start = int(rng.integers(0, len(rows) - length))
    block = rows[start : start + length]
    changes: Changes = {}
    for i, j in zip(block.tolist(), np.roll(block, -1), strict=True):
        for t in np.flatnonzero(view.has[i]).tolist():
            changes[i, t] = float(j)
    return changes


def make_fraction_province(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """A province-year of growth as a fraction, 0.07 for 7."""
    rows, t = draw_province_year(view, booking, rng, 4)
    return {
        (int(i), t): significant(view.value[i, t] / 100)
        for i in rows
        if abs(view.value[i, t]) <= 30
    }


def negated(value: float, view: View, rng: np.random.Generator) -> float | None:
    return -value if value else None


def as_index(value: float, view: View, rng: np.random.Generator) -> float:
    """An index, previous year = 100, in place of a growth rate."""
    return round(float(value) + 100, max(view.decimals, 1))


#: What a cell of a table holds: of a view, the row and column; None where it keeps its figure.
CellOf = Callable[[View, int, int], float | None]


@dataclass(frozen=True)
class WholeTable:
    """Every city of a year has another figure."""

    figure: CellOf
    least: int = 50

    def __call__(
        self, view: View, booking: Booking, cities: Cities, rng: np.random.Generator
    ) -> Changes:
        rows, t = draw_year(view, booking, rng, pad=1, least=self.least)
        changes = {}
        for i in rows:
            figure = self.figure(view, int(i), t)
            if figure is not None and np.isfinite(figure):
                changes[int(i), t] = figure
        if len(changes) < self.least:
            raise NotFree
        return changes


def of_last_year(view: View, i: int, t: int) -> float:
    """The figure of the year before."""
    return float(view.value[i, t - 1])


def of_next_year(view: View, i: int, t: int) -> float:
    """The figure of the year after."""
    return float(view.value[i, t + 1])


def of_five_years(view: View, i: int, t: int) -> float | None:
    """The mean of five years."""
    if t < 4:
        return None
    return round(float(view.value[i, t - 4 : t + 1].mean()), 1)


def as_fraction(view: View, i: int, t: int) -> float:
    """A rate over one hundred."""
    return significant(view.value[i, t] / 100)


def as_index_of(view: View, i: int, t: int) -> float:
    """A rate as an index, previous year = 100."""
    return significant(view.value[i, t] + 100)


def a_seventh_more(view: View, i: int, t: int) -> float:
    """A rate times 1.15, to one decimal."""
    return round(float(view.value[i, t]) * 1.15, 1)


def without_sign(view: View, i: int, t: int) -> float | None:
    """A fall as a rise."""
    value = float(view.value[i, t])
    return -value if value < 0 else None


def to_be_set(view: View, i: int, t: int) -> float | None:
    """A cell whose figure the planner knows, from another column."""
    return float(view.value[i, t])


def moved_points(value: float, view: View, rng: np.random.Generator) -> float:
    """A rate five to eight points off."""
    return round(float(value + rng.choice([-1, 1]) * rng.uniform(5, 8)), max(view.decimals, 1))


def make_swap_of_rates(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Two cities of a province-year carry each other's rate, at least a point off."""
    rows, t = draw_province_year(view, booking, rng, 3)
    i, j = (int(row) for row in rng.choice(rows, 2, replace=False))
    if abs(view.value[i, t] - view.value[j, t]) < 1:
        raise NotFree
    return {(i, t): view.value[j, t], (j, t): view.value[i, t]}


def make_provinces_exchanged(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """The cities of two provinces, in the order of their codes, carry each other's figures in a
    year.
    """
    here, t = draw_province_year(view, booking, rng, 5)
    there = np.flatnonzero((booking.province == rng.choice(booking.province)) & view.has[:, t])
    there = there[booking.province[there] != booking.province[here[0]]]
    if len(there) < 5 or booking.busy[there, max(t - 3, 0) : t + 4].any():
        raise NotFree
    changes = {}
    for i, j in zip(np.sort(here), there, strict=False):
        changes[int(i), t] = view.value[j, t]
        changes[int(j), t] = view.value[i, t]
    return changes


def make_province_figure(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Most cities of a province-year have the rate of the province."""
    rows, t = draw_province_year(view, booking, rng, 8)
    rate = round(float(np.median(view.value[rows, t])), 1)
    chosen = [int(i) for i in rows if abs(view.value[i, t] - rate) > 0.3 and rng.random() < 0.8]
    if len(chosen) < 5:
        raise NotFree
    return {(i, t): rate for i in chosen}


def make_interpolated(
    view: View, booking: Booking, cities: Cities, rng: np.random.Generator
) -> Changes:
    """Four to six years of a city lie on a line from the year before to the year after."""
    i, first, last = draw_run(view, booking, rng, 4, 6)
    years = np.arange(first, last + 1)
    ends = [first - 1, last + 1]
    line = np.interp(years, ends, view.value[i, ends])
    return {(i, int(t)): significant(value) for t, value in zip(years, line, strict=True)}
