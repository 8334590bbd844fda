"""The effect that an estimator aims at in a sample."""

from __future__ import annotations

import numpy as np

from benchmarks.simulation_study.economies import YEARS, Economy
from estimation.estimators.cohort_weights import COUNT_WEIGHTS, Timing
from estimation.measures.synchronization import standardise


def own_effect(economy: Economy, estimator: str) -> float:
    """The estimator's effect in this very sample: itself applied to the difference that admission
    makes to `cm`.
    """
    return float((cohort_weights(economy.cohort, estimator) * cohort_effects(economy)).sum())


def cohort_weights(cohort: np.ndarray, estimator: str) -> np.ndarray:
    """Weights (G, T) of the cohorts' mean effects of each year in the overall effect, over all
    pairs with at most one pilot.
    """
    years = np.unique(cohort[cohort > 0])
    n_never = (cohort == 0).sum()
    counts = np.array(
        [n_never * (n_never - 1) / 2, *(n_never * (cohort == year).sum() for year in years)]
    )
    start = np.concatenate([[len(YEARS)], np.searchsorted(YEARS, years)])
    weights = COUNT_WEIGHTS[estimator]
    return weights(counts[None, None], Timing(start, len(YEARS)))[0, 0, 1:]


def cohort_effects(economy: Economy) -> np.ndarray:
    """Mean effect of admission on `cm` over the pairs of a pilot of each cohort with a never-pilot,
    by year; (G, T).
    """
    growth, cohort, effects = economy.growth, economy.cohort, []
    never = standardise(growth[cohort == 0])
    for year in np.unique(cohort[cohort > 0]):
        with_effect, without = (
            _mean_cm(standardise(g[cohort == year]), never)
            for g in (growth, economy.growth_without)
        )
        effects.append(with_effect - without)
    return np.array(effects)


def _mean_cm(z: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """Mean of 1 - (z_i - z_j)^2 / 2 over all pairs of two sets of cities; (T,)."""
    return (
        1
        - ((z**2).mean(axis=0) + (partners**2).mean(axis=0)) / 2
        + z.mean(axis=0) * partners.mean(axis=0)
    )
