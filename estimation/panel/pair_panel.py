"""The city-pair panel as arrays, and the sample of it that an estimator sees."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..options import CONTROL_PAIRS
from ..results import NotEstimable
from .partners import keep_pairs

NEVER = 0
BOTH = -1
# when a pair is treated: exactly one of its units ever is, or once both are
EXPOSURES = ("one", "both")


@dataclass(frozen=True)
class PairPanel:
    """City pairs by years, with the admission year of each city.

    Pairs are put in ascending order of ``(city_i, city_j)`` on construction, so that no result
    depends on the order of the rows.

    Attributes
    ----------
    city_i, city_j : (P,) int arrays
        Positions of the pair's cities in 0..N-1, ``city_i < city_j``. Give every candidate pair:
        for a permutation that retakes the sample rule also the pairs of two pilots and those below
        the tie median.
    years : (T,) int array
        Ascending calendar years.
    y : (P, T) or (M, P, T) float array
        One or M outcomes; NaN marks a row that does not exist.
    city_cohort : (N,) int array
        First treated year of a city, 0 = never. Years after the last year of the panel count as
        never.
    province : (N,) array of ints or strings, optional
        Province of a city; None where codes are missing.
    controls : (K, P, T) float array, optional
    cohort : (P,) int array, optional
        First treated year of the pair, 0 = never, -1 = pair of two pilots (never in a sample).
        Derived from ``city_cohort`` when None.
    tie : (P,) float array, optional
        Strength of the tie, for the sample rule of ``tie_quantile``; NaN pairs are left out where
        that rule is used.
    city_ids : (N,) array, optional
        Names of the cities in messages and diagnostics; positions when None.
    exposure : str
        ``one``: a pair is treated from the year of its only pilot on, and a pair of two pilots is
        in no sample. ``both``: a pair is treated from the year on in which both its cities are, and
        every other pair is never treated; the permutation of `twfe` and `event_study` then adds the
        pairs up anew in every draw, other estimators have none.
    weight : (P,) float array, optional
        Positive; how much a pair counts in least squares.
    pilots_known : bool
        False when ``city_cohort`` only counts pilots but may name the wrong side of a pair: no
        `city` line then, and a permutation in which cities trade places (`FitSample.roles`).
    n_outcomes : int
        M.
    order : (P,) int array
        Positions of the panel's pairs among those given, to put other values of the pairs in the
        same order.

    Raises
    ------
    ValueError
        If shapes disagree, a pair occurs twice or is not ordered, a value is infinite or a position
        lies outside the cities.
    """

    city_i: np.ndarray
    city_j: np.ndarray
    years: np.ndarray
    y: np.ndarray
    city_cohort: np.ndarray
    province: np.ndarray | None = None
    controls: np.ndarray | None = None
    cohort: np.ndarray | None = None
    tie: np.ndarray | None = None
    city_ids: np.ndarray | None = None
    pilots_known: bool = True
    exposure: str = "one"
    weight: np.ndarray | None = None
    n_outcomes: int = field(init=False)
    order: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Sort the pairs, fill what follows from the rest and check it."""
        city_i, city_j = (
            np.asarray(self.city_i, dtype=np.int64),
            np.asarray(self.city_j, dtype=np.int64),
        )
        order, is_derived = _order_of_pairs(city_i, city_j), self.cohort is None
        y = np.asarray(self.y, dtype=np.float64)
        y = y[None] if y.ndim == 2 else y
        years = np.asarray(self.years, dtype=np.int64)
        city_cohort = within_window(self.city_cohort, years)
        n_cities = len(city_cohort)
        values = {
            "city_i": city_i[order],
            "city_j": city_j[order],
            "years": years,
            "y": _in_order(y, order),
            "city_cohort": city_cohort,
            "province": None if self.province is None else np.asarray(self.province),
            "controls": None
            if self.controls is None
            else _in_order(np.asarray(self.controls, dtype=np.float64), order),
            "tie": None if self.tie is None else np.asarray(self.tie, dtype=np.float64)[order],
            "weight": None
            if self.weight is None
            else np.asarray(self.weight, dtype=np.float64)[order],
            "city_ids": np.arange(n_cities) if self.city_ids is None else np.asarray(self.city_ids),
            "n_outcomes": y.shape[0],
            "order": order,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        cohort = (
            pair_cohorts(self)
            if is_derived
            else within_window(np.asarray(self.cohort)[order], years)
        )
        object.__setattr__(self, "cohort", cohort)
        if not is_derived and self.pilots_known and not np.array_equal(cohort, pair_cohorts(self)):
            raise ValueError("cohort of a pair differs from what city_cohort says of its cities")
        _check(self)

    @property
    def n_cities(self) -> int:
        """Number of cities, with or without a kept pair."""
        return len(self.city_cohort)

    def of_pairs(self, chosen: np.ndarray) -> PairPanel:
        """The panel of the chosen pairs (P,) alone; its controls are left out."""
        return replace(
            self,
            city_i=self.city_i[chosen],
            city_j=self.city_j[chosen],
            y=self.y[:, chosen],
            controls=None,
            cohort=None if self.pilots_known else self.cohort[chosen],
            tie=None if self.tie is None else self.tie[chosen],
            weight=None if self.weight is None else self.weight[chosen],
        )

    def with_controls(self, controls: np.ndarray | None) -> PairPanel:
        """The panel with these controls (K, P, T) in the place of its own."""
        panel = copy(self)
        object.__setattr__(panel, "controls", controls)
        return panel

    @property
    def n_pairs(self) -> int:
        """Number of candidate pairs."""
        return len(self.city_i)


def pair_cohorts(panel: PairPanel) -> np.ndarray:
    """`cohorts_of_pairs` of a panel."""
    return cohorts_of_pairs(panel.city_cohort, panel.city_i, panel.city_j, panel.exposure)


def cohorts_of_pairs(
    city_cohort: np.ndarray, city_i: np.ndarray, city_j: np.ndarray, exposure: str
) -> np.ndarray:
    """First treated year of every pair (P,): the pilot's, 0 for no pilot, -1 for two pilots; under
    exposure ``both`` the later pilot's.
    """
    first, second = city_cohort[city_i], city_cohort[city_j]
    if exposure == "both":
        return np.where((first > 0) & (second > 0), np.maximum(first, second), NEVER)
    return np.where((first > 0) & (second > 0), BOTH, np.maximum(first, second))


def _order_of_pairs(city_i: np.ndarray, city_j: np.ndarray) -> np.ndarray:
    """Positions of the pairs in ascending order."""
    step = np.diff(city_i)
    if ((step > 0) | ((step == 0) & (np.diff(city_j) >= 0))).all():
        return np.arange(len(city_i))
    return np.lexsort((city_j, city_i))


def _in_order(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Values (K, P, T) of the pairs in that order; not copied where it is theirs."""
    is_theirs = len(order) == 0 or bool((order == np.arange(len(order))).all())
    return np.ascontiguousarray(values if is_theirs else values[:, order])


def within_window(cohort: np.ndarray, years: np.ndarray) -> np.ndarray:
    """First treated years, with those after the last year of a panel as never."""
    cohort = np.asarray(cohort, dtype=np.int64)
    return np.where(cohort > years[-1], NEVER, cohort)


def number_cohorts(cohort: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cohort years in ascending order (G,), and the group 1..G of each cohort; 0 = never."""
    group_years = np.unique(cohort[cohort > 0])
    return group_years, np.where(cohort > 0, np.searchsorted(group_years, cohort) + 1, 0)


def number_provinces(province: np.ndarray | None, n_cities: int) -> np.ndarray:
    """Province 0..R-1 of each city, in order of the names; all of them 0 without names."""
    if province is None:
        return np.zeros(n_cities, dtype=np.int64)
    return np.unique(province, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _check(panel: PairPanel) -> None:
    n_pairs, n_years, n_cities = panel.n_pairs, len(panel.years), panel.n_cities
    shapes = {
        "city_j": (panel.city_j, (n_pairs,)),
        "y": (panel.y, (panel.n_outcomes, n_pairs, n_years)),
        "cohort": (panel.cohort, (n_pairs,)),
        "tie": (panel.tie, (n_pairs,)),
        "weight": (panel.weight, (n_pairs,)),
        "province": (panel.province, (n_cities,)),
        "city_ids": (panel.city_ids, (n_cities,)),
        "controls": (
            panel.controls,
            (0 if panel.controls is None else len(panel.controls), n_pairs, n_years),
        ),
    }
    for name, (value, expected) in shapes.items():
        if value is not None and value.shape != expected:
            raise ValueError(f"{name}: expected shape {expected}, found {value.shape}")
    if n_pairs == 0 or n_years < 2:
        raise ValueError(
            f"a panel needs at least one pair and two years, found {n_pairs} pairs and {n_years} "
            "years"
        )
    if (np.diff(panel.years) <= 0).any():
        raise ValueError("years must be ascending and distinct")
    if (
        panel.city_i.min() < 0
        or panel.city_j.max() >= n_cities
        or (panel.city_i >= panel.city_j).any()
    ):
        raise ValueError(f"pairs must be positions with 0 <= city_i < city_j < {n_cities}")
    same = (np.diff(panel.city_i) == 0) & (np.diff(panel.city_j) == 0)
    if same.any():
        at = int(np.flatnonzero(same)[0])
        raise ValueError(f"pair ({panel.city_i[at]}, {panel.city_j[at]}) occurs more than once")
    for name, value in (("y", panel.y), ("controls", panel.controls), ("tie", panel.tie)):
        if value is not None and np.isinf(value).any():
            raise ValueError(f"{name} holds infinite values")
    if panel.weight is not None and not ((panel.weight > 0) & np.isfinite(panel.weight)).all():
        raise ValueError("weight holds a value that is not a positive number")
    if panel.exposure not in EXPOSURES:
        raise ValueError(f"exposure {panel.exposure}: expected {' or '.join(EXPOSURES)}")


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
        Pairs are kept where one city is among the other's so many strongest never-pilot partners.
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
        return int(np.count_nonzero(self.observed if self.kept.all() else self.observed[self.kept]))

    @property
    def n_single_year(self) -> int:
        """Pairs that are left out because they have one observed year."""
        few = np.flatnonzero(~with_two_years(self.observed) & (self.pair_group >= 0))
        return int(self.observed[few].any(axis=1).sum())

    @property
    def n_always_treated(self) -> int:
        """Pairs of the sample that are treated in every year."""
        always = (self.pair_group > 0) & (self.panel.cohort <= self.panel.years[0]) & self.candidate
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
        seen = np.zeros(self.panel.n_cities, dtype=bool)
        candidate = self.candidate
        seen[self.panel.city_i[candidate]] = seen[self.panel.city_j[candidate]] = True
        return seen

    @cached_property
    def is_balanced(self) -> bool:
        """Whether every kept pair has every year."""
        return bool(self.observed.all() or self.observed[self.kept].all())

    @cached_property
    def holds_kept_pair(self) -> np.ndarray:
        """Cities that hold a kept pair; shape (N,) bool."""
        held = np.zeros(self.panel.n_cities, dtype=bool)
        kept = slice(None) if self.kept.all() else self.kept
        held[self.panel.city_i[kept]] = held[self.panel.city_j[kept]] = True
        return held

    @cached_property
    def kept_groups(self) -> np.ndarray:
        """Groups of the kept pairs, ascending."""
        group = self.pair_group if self.kept.all() else self.pair_group[self.kept]
        # from -1 on
        return np.flatnonzero(np.bincount(group + 1, minlength=1)) - 1

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
    """Groups, candidates and kept pairs of the real assignment.

    Parameters
    ----------
    panel : PairPanel
    outcomes : tuple of int
        Must share one pattern of missing values.
    tie_quantile : float or None
        Keep pairs strictly above this quantile of the ties among pairs with at most one pilot.
    n_partners : int, optional
        Keep pairs in which one city is among the other's so many strongest never-pilot partners;
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
    if tie_quantile is not None and n_partners is not None:
        raise ValueError("give tie_quantile or n_partners, not both")
    if tie_quantile is not None or n_partners is not None:
        if panel.tie is None:
            raise ValueError("a rule of ties needs the tie of every pair: the panel has none")
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


def require_contrast(sample: FitSample, needs_never_treated: bool = True) -> None:
    """Refuse a sample without treated pairs, or without pairs to compare them with.

    Parameters
    ----------
    sample : FitSample
    needs_never_treated : bool
        False where pairs that are treated later will do.

    Raises
    ------
    NotEstimable
    """
    groups = sample.kept_groups
    if not (groups > 0).any():
        raise NotEstimable(
            "no kept pair has exactly one pilot: give at least one cohort_year inside the years "
            "of the panel"
        )
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


def before_last_cohort(sample: FitSample) -> PairPanel:
    """The panel's years in which some pairs are untreated, of a sample without never-treated pairs.

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
            "treated, none is observed both before and "
            "after its own admission: give earlier years, pairs with a blank cohort_year or pairs "
            "of another cohort"
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
    """Pairs (P,) of rows (P, T) with two observed years at least."""
    return (
        np.ones(len(observed), dtype=bool)
        if observed.shape[1] > 1 and observed.all()
        else observed.sum(axis=1) >= 2
    )


def group_outcomes(panel: PairPanel) -> list[tuple[int, ...]]:
    """Outcomes that share one pattern of missing values, in order of the first of each."""
    if panel.n_outcomes == 1:
        return [(0,)]
    groups: list[list[int]] = []
    for m in range(panel.n_outcomes):
        missing = np.isnan(panel.y[m])
        for group in groups:
            if np.array_equal(np.isnan(panel.y[group[0]]), missing):
                group.append(m)
                break
        else:
            groups.append([m])
    return [tuple(group) for group in groups]
