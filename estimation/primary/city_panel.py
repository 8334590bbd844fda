"""A panel of cities: growth, admissions and blocks, validated, with what the primary test lacks
said in plain words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .measure import cycle, gap_cap, reference, standardise, synchronization

MINIMUM_YEARS_BEFORE = 3
MINIMUM_BLOCKS = 3
MINIMUM_MOVABLE_PILOTS = 4
# A series that varies by less than this share of its largest value holds nothing but rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class CityPanel:
    """Cities with growth in every year.

    Attributes
    ----------
    growth : (N, T) float array
        Per cent or log points; any unit, because every city is standardised.
    years : (T,) int array
        Ascending.
    cohorts : (C,) int array
        First treated years inside the window, ascending.
    label : (N,) int array
        0 = not admitted inside the window, c = admitted in `cohorts[c - 1]`.
    block : (N,) int array
        Block (province) from 0.
    notes : tuple of str
        What was left out.
    """

    growth: np.ndarray
    years: np.ndarray
    cohorts: np.ndarray
    label: np.ndarray
    block: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[np.ndarray, np.ndarray]:
        """The two series of the family: growth, and growth less its linear trend; each (N, T)."""
        return self.growth, cycle(self.growth, self.years)

    def measured(
        self, series: np.ndarray, *, capped: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z, the reference m, and the measure y of a series, each (N, T)."""
        z = standardise(series)
        m, v = reference(z, self.label == 0, self.block)
        return z, m, synchronization(z, m, v, gap_cap(z, m) if capped else np.inf)

    @cached_property
    def treated(self) -> np.ndarray:
        """(C + 1, T) float array: 1 in the years a cohort is treated; row 0, the never-pilots, is
        0.
        """
        after = (self.years[None, :] >= self.cohorts[:, None]).astype(float)
        return np.vstack([np.zeros((1, len(self.years))), after])

    @cached_property
    def counts(self) -> np.ndarray:
        """Cities by block and label, (B, C + 1) ints; no dealing within blocks changes them."""
        counts = np.zeros((int(self.block.max(initial=-1)) + 1, len(self.treated)), dtype=np.int64)
        np.add.at(counts, (self.block, self.label), 1)
        return counts

    @property
    def share(self) -> np.ndarray:
        """`counts` over the cities of the block."""
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    @property
    def mixed(self) -> np.ndarray:
        """Blocks with both pilots and never-pilots, (B,) bool."""
        return (self.counts[:, 0] > 0) & (self.counts[:, 1:].sum(axis=1) > 0)

    @property
    def movable(self) -> np.ndarray:
        """(N,) bool array: pilots of blocks in which another city was admitted at another time or
        never.
        """
        return (self.label > 0) & ((self.counts > 0).sum(axis=1) > 1)[self.block]


def build_panel(growth, years, cohort, block) -> CityPanel:
    """Check arrays and keep the cities that can be standardised.

    Parameters
    ----------
    growth : (N, T) float array
        NaN where a city has no value; such a city is left out and said so.
    years : (T,) array
        Whole numbers.
    cohort : (N,) array
        First treated year, a whole number, 0 = never. A year after the window counts as never
        inside it.
    block : (N,) array
        Ids of any type; admissions are compared and permuted within blocks.

    Returns
    -------
    CityPanel

    Raises
    ------
    ValueError
        If shapes do not fit, years repeat, a value is infinite, a year or cohort is no whole
        number, or a city has no block.
    """
    growth, block = np.asarray(growth, dtype=np.float64), np.asarray(block)
    years, cohort = _whole("years", years), _whole("cohort", cohort)
    _refuse_shapes(growth, years, cohort, block)
    for place in np.flatnonzero(
        [name is None or (isinstance(name, float) and math.isnan(name)) for name in block.tolist()]
    )[:1]:
        raise ValueError(
            f"block[{place}]: expected the id of a block, found none; give the city's block, or "
            "leave the city out"
        )
    order = np.argsort(years, kind="stable")
    growth, years = growth[:, order], years[order]
    complete = np.isfinite(growth).all(axis=1)
    known = np.where(complete[:, None], growth, 0.0)
    varies = cycle(known, years).std(axis=1) > ROUNDING * np.abs(known).max(axis=1)
    keep = complete & varies
    notes = []
    if not complete.all():
        notes.append(f"{(~complete).sum()} cities without growth in every year are left out.")
    if (complete & ~varies).any():
        notes.append(
            f"{(complete & ~varies).sum()} cities whose growth never changes, or only along a "
            "straight line, are left out: they cannot be standardised."
        )
    cohort = np.where(cohort[keep] > years[-1], 0, cohort[keep])
    cohorts = np.unique(cohort[cohort > 0])
    label = np.where(cohort > 0, np.searchsorted(cohorts, cohort) + 1, 0)
    index = np.unique(block[keep], return_inverse=True)[1].reshape(-1)
    return CityPanel(growth[keep], years, cohorts, label, index, tuple(notes))


def _whole(name: str, values) -> np.ndarray:
    """Whole numbers as ints; another number is refused, not cut off."""
    numbers = np.asarray(values, dtype=np.float64)
    for place in np.argwhere(~(np.isfinite(numbers) & (numbers == np.floor(numbers))))[:1]:
        cell = f"{name}[{', '.join(map(str, place))}]"
        raise ValueError(
            f"{cell}: expected a whole number, found {numbers[tuple(place)]}; give the year, and "
            "0 for a city that is never treated"
        )
    return numbers.astype(np.int64)


def _refuse_shapes(
    growth: np.ndarray, years: np.ndarray, cohort: np.ndarray, block: np.ndarray
) -> None:
    if growth.ndim != 2 or years.shape != growth.shape[1:]:
        raise ValueError(
            f"growth has shape {growth.shape}, years {years.shape}: give one row of growth per "
            "city and one column per year"
        )
    for name, values in (("cohort", cohort), ("block", block)):
        if values.shape != growth.shape[:1]:
            raise ValueError(
                f"{name} has shape {values.shape}, growth {growth.shape}: give one {name} per city"
            )
    if len(np.unique(years)) < len(years):
        raise ValueError("years holds a year twice: give each year one column")
    if np.isinf(growth).any():
        raise ValueError(
            "growth holds an infinite value: give a number, or NaN where there is none"
        )


def lacking(panel: CityPanel) -> tuple[str, ...]:
    """Why the primary test gives no verdict on this panel, one sentence per reason; empty where it
    does.
    """
    if len(panel.cohorts) == 0:
        return (
            "No verdict: no city is admitted inside the window; give cohort_year for the pilots "
            "or a later window.",
        )
    before = int((panel.years < panel.cohorts[0]).sum())
    beside = int(((panel.label > 0) & panel.mixed[panel.block]).sum())
    blocks = int(panel.mixed.sum())
    reasons = {
        f"No verdict: {before} years before the first admission ({panel.cohorts[0]}), at least "
        f"{MINIMUM_YEARS_BEFORE} are needed; give earlier years, or leave out the cities "
        "admitted so early.": before < MINIMUM_YEARS_BEFORE,
        f"No verdict: {blocks} blocks hold both pilots and never-pilots, at least "
        f"{MINIMUM_BLOCKS} are needed; give more cities, or wider blocks inside which "
        "admission may be compared.": blocks < MINIMUM_BLOCKS,
        f"No verdict: {beside} pilots have a never-pilot in their block, at least "
        f"{MINIMUM_MOVABLE_PILOTS} are needed; give more pilots, or wider "
        "blocks.": beside < MINIMUM_MOVABLE_PILOTS,
    }
    if not any(reasons.values()) and len(np.unique(panel.block[panel.label == 0])) < 2:
        return (
            "No verdict: never-pilots sit in one block, and the reference of a city is taken "
            "outside its block; give more blocks.",
        )
    return tuple(text for text, lacks in reasons.items() if lacks)
