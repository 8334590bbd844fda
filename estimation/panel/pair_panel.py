"""The city-pair panel as arrays."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

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
        If there are no pairs or fewer than two years, a value is infinite or there is no such
        exposure.
    """

    city_i: np.ndarray
    city_j: np.ndarray
    years: np.ndarray
    y: np.ndarray
    city_cohort: np.ndarray
    province: np.ndarray | None = None
    # arrays or None; `cohort` and `city_ids` are arrays from `__post_init__` on
    controls: Any = None
    cohort: Any = None
    tie: Any = None
    city_ids: Any = None
    pilots_known: bool = True
    exposure: str = "one"
    weight: np.ndarray | None = None
    n_outcomes: int = field(init=False)
    order: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Sort the pairs, and fill what follows from the rest."""
        city_i, city_j = (
            np.asarray(self.city_i, dtype=np.int64),
            np.asarray(self.city_j, dtype=np.int64),
        )
        order, is_derived = np.lexsort((city_j, city_i)), self.cohort is None
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
            cohorts_of_pairs(self.city_cohort, self.city_i, self.city_j, self.exposure)
            if is_derived
            else within_window(np.asarray(self.cohort)[order], years)
        )
        object.__setattr__(self, "cohort", cohort)

    @property
    def n_cities(self) -> int:
        """Number of cities, with or without a kept pair."""
        return len(self.city_cohort)

    def of_pairs(self, chosen: np.ndarray) -> PairPanel:
        """Return the panel of the chosen pairs (P,) alone; its controls are left out."""
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
        """Return the panel with these controls (K, P, T) in the place of its own."""
        panel = copy(self)
        object.__setattr__(panel, "controls", controls)
        return panel

    @property
    def n_pairs(self) -> int:
        """Number of candidate pairs."""
        return len(self.city_i)


def cohorts_of_pairs(
    city_cohort: np.ndarray, city_i: np.ndarray, city_j: np.ndarray, exposure: str
) -> np.ndarray:
    """Return the first treated year of every pair (P,): the pilot's, 0 for no pilot, -1 for two
    pilots; under exposure ``both`` the later pilot's.
    """
    first, second = city_cohort[city_i], city_cohort[city_j]
    if exposure == "both":
        return np.where((first > 0) & (second > 0), np.maximum(first, second), NEVER)
    return np.where((first > 0) & (second > 0), BOTH, np.maximum(first, second))


def _in_order(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return values (K, P, T) of the pairs in that order; not copied where it is theirs."""
    is_theirs = len(order) == 0 or bool((order == np.arange(len(order))).all())
    return np.ascontiguousarray(values if is_theirs else values[:, order])


def within_window(cohort: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Return the first treated years, with those after the last year of a panel as never."""
    cohort = np.asarray(cohort, dtype=np.int64)
    return np.where(cohort > years[-1], NEVER, cohort)


def number_cohorts(cohort: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cohort years in ascending order (G,), and the group 1..G of each cohort; 0 = never."""
    group_years = np.unique(cohort[cohort > 0])
    return group_years, np.where(cohort > 0, np.searchsorted(group_years, cohort) + 1, 0)


def number_provinces(province: np.ndarray | None, n_cities: int) -> np.ndarray:
    """Return province 0..R-1 of each city, in order of the names; all of them 0 without names."""
    if province is None:
        return np.zeros(n_cities, dtype=np.int64)
    return np.unique(province, return_inverse=True)[1].reshape(-1).astype(np.int64)
