"""The sample of a panel that an estimator sees: groups by cohort, candidate and kept pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..options import CONTROL_PAIRS
from ..results import NotEstimable
from .pair_panel import PairPanel
from .partners import keep_pairs


@dataclass(frozen=True)
class FitSample:
    """What one estimation uses of a panel: groups by cohort, candidate pairs and kept pairs.

    Attributes
    ----------
    panel : PairPanel
    outcomes : tuple of int
        Outcomes that share the pattern of missing rows.
    group_years : (G,) int array
        Cohort years; group 0 is never treated, group g is ``group_years[g - 1]``.
    city_group : (N,) int array
    pair_group : (P,) int array
        -1 for a pair of two pilots.
    observed : (P, T) bool array
        Rows with the outcome and all controls.
    candidate : (P,) bool array
        Pairs that any assignment may use: two observed years at least, and a tie where the rule
        needs one.
    kept : (P,) bool array
        Pairs in the estimation.
    tie_quantile : float or None
    n_partners : int or None
        Pairs are kept where one city is among the other's so many strongest never-treated partners.
    control_pairs : str
        Of `CONTROL_PAIRS`: what `callaway_santanna` compares a cohort with.
    """

    panel: PairPanel
    outcomes: tuple[int, ...]
    group_years: np.ndarray
    city_group: np.ndarray
    pair_group: np.ndarray
    observed: np.ndarray
    candidate: np.ndarray
    kept: np.ndarray
    tie_quantile: float | None
    n_partners: int | None = None
    control_pairs: str = CONTROL_PAIRS[0]

    @property
    def n_groups(self) -> int:
        """Groups with the never-treated one."""
        return len(self.group_years) + 1

    @property
    def n_pairs(self) -> int:
        """Kept pairs."""
        return int(self.kept.sum())

    @property
    def n_obs(self) -> int:
        """Pair-years of the kept pairs."""
        return int(np.count_nonzero(self.observed[self.kept]))

    @property
    def n_single_year(self) -> int:
        """Pairs that are left out because they have one observed year."""
        few = np.flatnonzero(~with_two_years(self.observed) & (self.pair_group >= 0))
        return int(self.observed[few].any(axis=1).sum())

    @property
    def n_always_treated(self) -> int:
        """Pairs of the sample that are treated in every year that they are observed in."""
        before = self.observed & (self.panel.years[None] < self.panel.cohort[:, None])
        always = (self.pair_group > 0) & ~before.any(axis=1) & self.candidate
        if self.tie_quantile is not None:
            always &= self.panel.tie >= self.panel.tie[self.kept].min()
        return int(always.sum())

    @property
    def roles(self) -> np.ndarray:
        """What a permutation moves between cities (N,): their cohort groups; where treatment is by
        pair, a city's place among all pairs.
        """
        known = self.panel.pilots_known
        return self.city_group if known else np.arange(self.panel.n_cities)

    @property
    def has_draws(self) -> bool:
        """Whether roles can move: where treatment is by pair, every two cities must be a pair, so
        that a city that takes another's place finds what its pairs are treated by.
        """
        panel, chosen = self.panel, self.tie_quantile is not None or self.n_partners is not None
        every = panel.n_pairs == panel.n_cities * (panel.n_cities - 1) // 2
        return panel.pilots_known or (every and self.has_never_treated and not chosen)

    @property
    def seen(self) -> np.ndarray:
        """Cities with a candidate pair; shape (N,) bool."""
        return self._cities_of(self.candidate)

    @cached_property
    def is_balanced(self) -> bool:
        """Whether every kept pair has every year."""
        return bool(self.observed[self.kept].all())

    def size_of(self, outcome: int) -> float:
        """Return the largest absolute value of an outcome, at most 1."""
        y = self.panel.y[outcome]
        low, high = np.fmin.reduce(y, axis=None), np.fmax.reduce(y, axis=None)
        return float(min(1.0, max(-low, high)))

    @cached_property
    def holds_kept_pair(self) -> np.ndarray:
        """Cities that hold a kept pair; shape (N,) bool."""
        return self._cities_of(self.kept)

    def _cities_of(self, pairs: np.ndarray) -> np.ndarray:
        held = np.zeros(self.panel.n_cities, dtype=bool)
        held[self.panel.city_i[pairs]] = held[self.panel.city_j[pairs]] = True
        return held

    @cached_property
    def kept_groups(self) -> np.ndarray:
        """Groups of the kept pairs, ascending."""
        return np.unique(self.pair_group[self.kept])

    @property
    def has_never_treated(self) -> bool:
        """Whether a kept pair is never treated."""
        return 0 in self.kept_groups


def build_sample(
    panel: PairPanel,
    outcomes: tuple[int, ...],
    tie_quantile: float | None,
    n_partners: int | None = None,
    control_pairs: str = CONTROL_PAIRS[0],
) -> FitSample:
    """Return groups, candidates and kept pairs of the real assignment.

    Parameters
    ----------
    panel : PairPanel
    outcomes : tuple of int
        Must share one pattern of missing values.
    tie_quantile : float or None
        Keep pairs strictly above this quantile of the ties among pairs with at most one pilot.
    n_partners : int, optional
        Keep pairs in which one city is among the other's so many strongest never-treated partners;
        not together with a quantile.
    control_pairs : str
        Of `CONTROL_PAIRS`.

    Returns
    -------
    FitSample
    """
    observed = np.isfinite(panel.y[outcomes[0]])
    if panel.controls is not None:
        observed = observed & np.isfinite(panel.controls).all(axis=0)
    candidate = with_two_years(observed)
    if tie_quantile is not None or n_partners is not None:
        candidate &= np.isfinite(panel.tie)
    known = panel.city_cohort if panel.pilots_known else panel.cohort
    group_years = np.unique(known[known > 0])
    pair_group = np.where(
        panel.cohort > 0, np.searchsorted(group_years, panel.cohort) + 1, panel.cohort
    )
    city_group = np.where(
        panel.city_cohort > 0, np.searchsorted(group_years, panel.city_cohort) + 1, 0
    )
    eligible = candidate & (pair_group >= 0)
    kept = keep_pairs(
        panel.tie, (panel.city_i, panel.city_j), city_group > 0, eligible, tie_quantile, n_partners
    )
    rules = (tie_quantile, n_partners, control_pairs)
    return FitSample(
        panel, outcomes, group_years, city_group, pair_group, observed, candidate, kept, *rules
    )


def require_contrast(sample: Any, needs_never_treated: bool = True) -> None:
    """Refuse a sample without treated pairs, or without pairs to compare them with.

    Parameters
    ----------
    sample : FitSample or SummedSample
    needs_never_treated : bool
        False where pairs that are treated later will do.

    Raises
    ------
    NotEstimable
    """
    groups = sample.kept_groups
    if not (groups > 0).any():
        raise NotEstimable(_why_none_is_treated(sample))
    if sample.has_never_treated:
        return
    if needs_never_treated:
        raise NotEstimable(
            "no kept pair is never treated: nothing to compare with; give pairs with a blank "
            "cohort_year"
        )
    if len(groups) == 1:
        raise NotEstimable(
            "no kept pair is never treated, and all are first treated in "
            f"{sample.group_years[groups[0] - 1]}: in no year are some pairs "
            "treated and others not, so nothing tells the effect from the year; give pairs with a "
            "blank cohort_year or of another cohort"
        )


def _why_none_is_treated(sample: Any) -> str:
    """Return what leaves a sample without a pair whose treatment begins in its years."""
    panel = sample.panel
    if len(sample.group_years) == 0:
        return (
            "no pair is treated in the years of the panel: every cohort_year is blank or after the "
            "last year; give at least one inside"
        )
    if sample.group_years[-1] <= panel.years[0]:
        return (
            "every treated pair is treated in all years of the panel: give earlier years, or a "
            "cohort_year after the first year"
        )
    if panel.exposure == "both":
        return (
            "no kept pair has two pilots, and exposure 'both' treats no other: give two cities of "
            "a pair a cohort_year inside the years of the panel, or choose exposure 'one'"
        )
    if panel.pilots_known and (panel.city_cohort > 0).all():
        return (
            "no city is without a cohort_year, and a pair of two pilots is in no sample: give "
            "cities that are never treated"
        )
    return (
        "no treated pair is kept: give pairs of a pilot with a never-treated city that have the "
        "outcome and all controls in at least two years"
    )


def before_last_cohort(sample: FitSample) -> PairPanel:
    """Return the panel's years in which some pairs are untreated, of a sample without never-treated
    pairs.

    From the last cohort's first treated year on all pairs are treated. In the years before, its
    pairs are the never-treated ones: a city admitted after the years of a panel counts as never
    admitted.

    Raises
    ------
    NotEstimable
        If no pair is first treated inside those years, so that nothing is left to estimate.
    """
    panel = sample.panel
    cohorts = sample.group_years[sample.kept_groups - 1]
    inside = panel.years < cohorts[-1]
    is_between = (cohorts > panel.years[0]) & (cohorts < cohorts[-1])
    if inside.sum() < 2 or not is_between.any():
        raise NotEstimable(
            f"no kept pair is never treated, and before {cohorts[-1]}, when the last pairs are "
            "treated, none is observed both before and after its own admission: give earlier "
            "years, pairs with a blank cohort_year or pairs of another cohort"
        )
    return replace(
        panel,
        years=panel.years[inside],
        # a row that lacks a control stays left out, whether or not the control does
        y=np.where(sample.observed, panel.y, np.nan)[:, :, inside],
        controls=None if panel.controls is None else panel.controls[:, :, inside],
        cohort=None if panel.pilots_known else panel.cohort,
    )


def with_two_years(observed: np.ndarray) -> np.ndarray:
    """Return pairs (P,) of rows (P, T) with two observed years at least."""
    return observed.sum(axis=1) >= 2


def group_outcomes(panel: PairPanel) -> list[tuple[int, ...]]:
    """Return outcomes that share one pattern of missing values, in order of the first of each."""
    groups: dict[bytes, list[int]] = {}
    for m, y in enumerate(panel.y):
        groups.setdefault(np.isnan(y).tobytes(), []).append(m)
    return [tuple(group) for group in groups.values()]
