"""Weights of cities' shocks in a linear estimate and in its refits without each province: what
`design_df` is computed from.

An estimator gives each outcome y_pt a weight that depends on regressors and numbers of pairs alone.
A shock of city i in year t moves all pairs of the city, so its weight is the sum of theirs. The
weights are linear in the statistics that an estimator sums over pairs anyway, for the pairs of a
city as for the whole sample.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..engines.interface import CitySums, sum_city_groups
from ..panel.fit_sample import FitSample
from ..panel.pair_panel import number_provinces
from .jackknife_df import design_df

# number of the refit, or -1 for the whole sample, to weights (G, d, T, C): how much each of the
# first statistics of a pair counts in the weights of its outcomes
OutcomeWeights = Callable[[int], np.ndarray]


def city_sums_of(
    sample: FitSample, values: np.ndarray, cell: np.ndarray, shape: tuple[int, int]
) -> CitySums:
    """Return sums of the kept pairs' statistics (P, D) by city and cell (P,); without provinces all
    partners are of one. `shape` counts cells and the first statistics, which hold no outcome.
    """
    panel = sample.panel
    province = number_provinces(panel.province, panel.n_cities)
    kept = slice(None) if sample.kept.all() else sample.kept
    return sum_city_groups(
        values[kept], panel.city_i[kept], panel.city_j[kept], cell[kept], province, shape
    )


def province_positions(sample: FitSample, names: np.ndarray) -> np.ndarray:
    """Return positions of provinces in the codes of `city_sums_of`."""
    return np.searchsorted(np.unique(sample.panel.province), names)


def jackknife_df(
    sums: CitySums, provinces: np.ndarray, outcome_weights: OutcomeWeights
) -> np.ndarray | None:
    """Return degrees of freedom by design of every coefficient's province jackknife.

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
    # cities that meet the same numbers of pairs have the same weights
    kinds, count = sums.kinds()
    weights = np.stack([outcome_weights(b) for b in range(-1, len(provinces))])
    whole, without = np.split(kinds.weigh(provinces, weights), [1])
    root = np.sqrt(count)[:, None, None]
    return design_df(root * whole[0], root * (whole - without))
