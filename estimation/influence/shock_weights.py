"""Weights of cities' shocks in a linear estimate and in its refits without each province: what
`design_df` is computed from.

An estimator gives each outcome y_pt a weight that depends on regressors and numbers of pairs alone.
A shock of city i in year t moves all pairs of the city, so its weight is the sum of theirs. The
weights are linear in the statistics that an estimator sums over pairs anyway, for the pairs of a
city as for the whole sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..linear.pair_statistics import bincount_columns
from ..panel.pair_panel import FitSample
from .jackknife_df import design_df

# (number of the refit or -1 for the whole sample, sums (K, D), groups (K,)) to weights (K, T, C) of
# the pairs behind each row of sums
OutcomeWeights = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CitySums:
    """Sums of pair statistics by city and group, K rows in ascending order of both.

    Attributes
    ----------
    city, group : (K,) int arrays
    sums : (K, D) float array
    part_row, part_province : (L,) int arrays
        Row and partners' province, 0..R-1, of each part of a row.
    part_sums : (L, D) float array
    province : (N,) int array
    """

    city: np.ndarray
    group: np.ndarray
    sums: np.ndarray
    part_row: np.ndarray
    part_province: np.ndarray
    part_sums: np.ndarray
    province: np.ndarray

    def first_columns(self, count: int) -> CitySums:
        """The sums of the first statistics alone."""
        return replace(self, sums=self.sums[:, :count], part_sums=self.part_sums[:, :count])

    def without(self, province: int) -> np.ndarray:
        """The sums over pairs without a city in a province; (K, D)."""
        left = self.sums.copy()
        order, start = self._by_province
        parts = order[start[province] : start[province + 1]]
        left[self.part_row[parts]] -= self.part_sums[parts]
        left[self.province[self.city] == province] = 0.0
        return left

    @cached_property
    def _by_province(self) -> tuple[np.ndarray, np.ndarray]:
        """Parts in order of their province, and where each province begins."""
        order = np.argsort(self.part_province, kind="stable")
        return order, np.searchsorted(
            self.part_province[order], np.arange(int(self.province.max()) + 2)
        )

    @cached_property
    def _first_of_city(self) -> np.ndarray:
        """First row of each city."""
        return np.flatnonzero(np.diff(self.city, prepend=-1))

    def by_city(self, weights: np.ndarray) -> np.ndarray:
        """Weights (K, T, C) of the rows added up over the rows of a city; (N, T, C)."""
        first = self._first_of_city
        found = np.zeros((len(self.province), *weights.shape[1:]))
        found[self.city[first]] = np.add.reduceat(weights, first, axis=0)
        return found


def sum_city_groups(
    values: np.ndarray,
    city_i: np.ndarray,
    city_j: np.ndarray,
    group: np.ndarray,
    province: np.ndarray,
    n_groups: int,
) -> CitySums:
    """Sums of the statistics of pairs.

    Parameters
    ----------
    values : (P, D) float array
    city_i, city_j, group : (P,) int arrays
    province : (N,) int array
        0..R-1.
    n_groups : int

    Returns
    -------
    CitySums
    """
    n_provinces = int(province.max()) + 1
    n_keys = len(province) * n_groups * n_provinces
    keys = [
        (city * n_groups + group) * n_provinces + province[partner]
        for city, partner in ((city_i, city_j), (city_j, city_i))
    ]
    present = np.zeros(n_keys, dtype=bool)
    present[keys[0]] = present[keys[1]] = True
    found, place = np.flatnonzero(present), np.cumsum(present) - 1
    parts = sum(bincount_columns(values, place[key], (1, len(found)))[0] for key in keys)
    row_key, part_province = np.divmod(found, n_provinces)
    rows, part_row = np.unique(row_key, return_inverse=True)
    part_row = part_row.reshape(-1)
    sums = bincount_columns(parts, part_row, (1, len(rows)))[0]
    return CitySums(*np.divmod(rows, n_groups), sums, part_row, part_province, parts, province)


def city_sums_of(sample: FitSample, values: np.ndarray) -> CitySums:
    """Sums of the kept pairs' statistics (P, D) by city and cohort group; without provinces all
    partners are of one.
    """
    panel = sample.panel
    province = np.zeros(panel.n_cities, dtype=np.int64)
    if panel.province is not None:
        province = np.unique(panel.province, return_inverse=True)[1].reshape(-1)
    kept = slice(None) if sample.kept.all() else sample.kept
    return sum_city_groups(
        values[kept],
        panel.city_i[kept],
        panel.city_j[kept],
        sample.pair_group[kept],
        province,
        sample.n_groups,
    )


def province_positions(sample: FitSample, names: np.ndarray) -> np.ndarray:
    """Positions of provinces in the codes of `city_sums_of`."""
    return np.searchsorted(np.unique(sample.panel.province), names)


def jackknife_df(
    sums: CitySums, provinces: np.ndarray, outcome_weights: OutcomeWeights
) -> np.ndarray | None:
    """Degrees of freedom by design of every coefficient's province jackknife.

    Parameters
    ----------
    sums : CitySums
    provinces : (R,) int array
        Positions of the provinces that are left out, in the order of the refits.
    outcome_weights : callable

    Returns
    -------
    (C,) float array, or None where no province is left out
    """
    if len(provinces) == 0:
        return None
    whole = sums.by_city(outcome_weights(-1, sums.sums, sums.group))
    deviations = np.empty((len(provinces), *whole.shape))
    for b, r in enumerate(provinces):
        deviations[b] = whole - sums.by_city(outcome_weights(b, sums.without(int(r)), sums.group))
    return design_df(whole, deviations)
