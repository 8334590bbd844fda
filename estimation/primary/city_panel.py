"""A panel of cities: growth, admissions and blocks, validated, with what the primary test lacks
said in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .statistics import Design, make_design

MINIMUM_YEARS_BEFORE = 3
MINIMUM_BLOCKS = 3
MINIMUM_MOVABLE_PILOTS = 4


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
    def treated(self) -> np.ndarray:
        """(C + 1, T) float array: 1 in the years a cohort is treated; row 0, the never-pilots, is
        0.
        """
        after = (self.years[None, :] >= self.cohorts[:, None]).astype(float)
        return np.vstack([np.zeros((1, len(self.years))), after])

    @property
    def design(self) -> Design:
        """Labels by block, which no permutation within blocks changes."""
        return make_design(self.label, self.block, self.treated)

    @property
    def movable(self) -> np.ndarray:
        """(N,) bool array: pilots of blocks that also hold a never-pilot."""
        return (self.label > 0) & mixed_blocks(self.label, self.block)[self.block]

    @property
    def n_mixed_blocks(self) -> int:
        """Blocks with both kinds of city."""
        return int(mixed_blocks(self.label, self.block).sum())


def mixed_blocks(label: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Blocks with both kinds of city, (B,) bool."""
    n_blocks = int(block.max(initial=-1)) + 1
    pilots = np.bincount(block[label > 0], minlength=n_blocks)
    return (pilots > 0) & (np.bincount(block[label == 0], minlength=n_blocks) > 0)


def build_panel(
    growth: np.ndarray, years: np.ndarray, cohort: np.ndarray, block: np.ndarray
) -> CityPanel:
    """Check arrays and keep the cities that can be standardised.

    Parameters
    ----------
    growth : (N, T) float array
        NaN where a city has no value; such a city is left out and said so.
    years : (T,) int array
    cohort : (N,) int array
        First treated year, 0 = never. A year after the window counts as never inside it.
    block : (N,) array
        Ids of any type; admissions are compared and permuted within blocks.

    Returns
    -------
    CityPanel

    Raises
    ------
    ValueError
        If shapes do not fit, years repeat, or a value is infinite.
    """
    growth, years = np.asarray(growth, dtype=np.float64), np.asarray(years, dtype=np.int64)
    cohort, block = np.asarray(cohort, dtype=np.int64), np.asarray(block)
    _refuse_shapes(growth, years, cohort, block)
    order = np.argsort(years, kind="stable")
    growth, years = growth[:, order], years[order]
    complete = np.isfinite(growth).all(axis=1)
    with np.errstate(invalid="ignore"):
        varies = growth.std(axis=1) > 1e-12 * (1 + np.abs(growth).max(axis=1))
    keep = complete & varies
    notes = _notes(int((~complete).sum()), int((complete & ~varies).sum()))
    cohort = np.where(cohort[keep] > years[-1], 0, cohort[keep])
    cohorts = np.unique(cohort[cohort > 0])
    label = np.where(cohort > 0, np.searchsorted(cohorts, cohort) + 1, 0)
    index = np.unique(block[keep], return_inverse=True)[1].reshape(-1)
    return CityPanel(growth[keep], years, cohorts, label, index, notes)


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


def _notes(incomplete: int, constant: int) -> tuple[str, ...]:
    notes = []
    if incomplete:
        notes.append(f"{incomplete} cities without growth in every year are left out.")
    if constant:
        notes.append(
            f"{constant} cities whose growth never changes are left out: they cannot be "
            "standardised."
        )
    return tuple(notes)


def lacking(panel: CityPanel) -> tuple[str, ...]:
    """Why the primary test gives no verdict on this panel, one sentence per reason; empty where it
    does.
    """
    reasons = []
    if len(panel.cohorts) == 0:
        return (
            (
                "No verdict: no city is admitted inside the window; give cohort_year for the "
                "pilots "
                "or a later window."
            ),
        )
    before = int((panel.years < panel.cohorts[0]).sum())
    if before < MINIMUM_YEARS_BEFORE:
        text = (
            f"No verdict: {before} years before the first admission ({panel.cohorts[0]}), at "
            f"least {MINIMUM_YEARS_BEFORE} are needed; "
        )
        reasons.append(text + "give earlier years, or leave out the cities admitted so early.")
    mixed = panel.n_mixed_blocks
    if mixed < MINIMUM_BLOCKS:
        text = (
            f"No verdict: {mixed} blocks hold both pilots and never-pilots, at least "
            f"{MINIMUM_BLOCKS} are needed; "
        )
        reasons.append(
            text + "give more cities, or wider blocks inside which admission may be compared."
        )
    movable = int(panel.movable.sum())
    if movable < MINIMUM_MOVABLE_PILOTS:
        text = (
            f"No verdict: {movable} pilots have a never-pilot in their block, at least "
            f"{MINIMUM_MOVABLE_PILOTS} are needed; "
        )
        reasons.append(text + "give more pilots, or wider blocks.")
    if not reasons and len(np.unique(panel.block[panel.label == 0])) < 2:
        reasons.append(
            "No verdict: never-pilots sit in one block, and the reference of a city is taken "
            "outside its block; give more blocks."
        )
    return tuple(reasons)
