"""What two-way fixed effects average on a balanced panel without controls: comparisons, weights and
their signs; and power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ...defaults import POWER, TWO_SIDED
from ...panel.fit_sample import FitSample


@dataclass(frozen=True)
class Comparison:
    """One 2x2 comparison: a cohort against another cohort or the never-treated (0), its weight and
    its difference in differences.
    """

    treated_cohort: int
    control_cohort: int
    weight: float
    estimate: float


def goodman_bacon(sample: FitSample, means: tuple[np.ndarray, np.ndarray]) -> list[Comparison]:
    """Decompose the two-way coefficient into its 2x2 comparisons (Goodman-Bacon 2021); weights sum
    to 1 and reproduce it.

    Parameters
    ----------
    sample : FitSample
        Balanced, without controls.
    means : (G + 1,) and (G + 1, T) arrays
        `InfluenceFit.cohort_means`.

    Returns
    -------
    list of Comparison
        Each cohort against the never-treated, against later cohorts before their admission, and
        against earlier ones after theirs.
    """
    count, mean_of_group = means
    n_years = mean_of_group.shape[1]
    start = np.concatenate([[n_years], np.searchsorted(sample.panel.years, sample.group_years)])
    share, treated = count / count.sum(), 1 - start / n_years
    names = np.concatenate([[0], sample.group_years])
    rows = []
    for a in np.flatnonzero(count[1:]) + 1:
        for b in np.flatnonzero(count):
            if a == b:
                continue
            weight, window = _comparison(share, treated, start, int(a), int(b))
            if weight > 0:
                before, after = slice(window[0], start[a]), slice(start[a], window[1])
                both = mean_of_group[[a, b]]
                change = both[:, after].mean(axis=1) - both[:, before].mean(axis=1)
                rows.append((int(names[a]), int(names[b]), weight, float(change[0] - change[1])))
    total = sum(row[2] for row in rows)
    return [Comparison(a, b, weight / total, estimate) for a, b, weight, estimate in rows]


def _comparison(
    share: np.ndarray, treated: np.ndarray, start: np.ndarray, a: int, b: int
) -> tuple[float, tuple[int, int]]:
    """Unscaled weight (shares times the variance of treatment in the comparison) and its years."""
    n_years = int(start[0])
    if start[a] < start[b]:
        return share[a] * share[b] * (treated[a] - treated[b]) * (1 - treated[a]), (
            0,
            int(start[b]),
        )
    return share[a] * share[b] * treated[a] * (treated[b] - treated[a]), (int(start[b]), n_years)


def estimates_without_cohorts(rows: list[Comparison]) -> dict[int, float]:
    """Return two-way coefficient without the pairs of each cohort, by cohort year, from the
    comparisons of `goodman_bacon`; empty with a single cohort.
    """
    found: dict[int, float] = {}
    pairs = [(row.treated_cohort, row.control_cohort) for row in rows]
    cohorts = np.array(pairs).reshape(-1, 2)
    weight, estimate = np.array([(row.weight, row.estimate) for row in rows]).reshape(-1, 2).T
    for year in np.unique(cohorts[cohorts > 0]).tolist():
        # the weights of all other comparisons change alike
        rest = (cohorts != year).all(axis=1)
        if rest.any():
            found[year] = float((weight * estimate)[rest].sum() / weight[rest].sum())
    return found


def treatment_weights(sample: FitSample, count: np.ndarray) -> np.ndarray:
    """Return the weight of each treated cell's effect in the two-way coefficient (de Chaisemartin
    and D'Haultfoeuille 2020).

    Parameters
    ----------
    sample : FitSample
        Balanced, without controls.
    count : (G + 1,) int array
        Kept pairs by cohort.

    Returns
    -------
    (G + 1, T) float array
        Sums to 1 over treated cells, zero elsewhere.
    """
    start = np.concatenate([[np.iinfo(np.int64).max], sample.group_years])
    treated = (sample.panel.years[None] >= start[:, None]).astype(float)
    by_year = (count[:, None] * treated).sum(axis=0) / count.sum()
    residual = treated - treated.mean(axis=1, keepdims=True) - by_year + by_year.mean()
    weights = count[:, None] * treated * residual
    return weights / weights.sum()


def negative_weight_share(weights: np.ndarray) -> float:
    """Return the sum of the absolute negative weights over the sum of all absolute weights."""
    return float(-weights[weights < 0].sum() / np.abs(weights).sum())


def minimum_detectable_effect(std_error: float, df: float) -> float:
    """Return the smallest effect that a two-sided t test of this standard error finds at 5 % in 80
    % of cases (Bloom 1995).
    """
    return float((stdtrit(df, TWO_SIDED) + stdtrit(df, POWER)) * std_error)
