"""The warning that pilots were of another kind: its statistic against a regression, when it is
given, and when it cannot be.
"""

import numpy as np
import pytest
import statsmodels.api as sm

from estimation.inference.diagnostics.pilot_level import level_of_means
from tests.estimation.primary.economies import plain_measure

from .economies import YEARS, draw_economy

N_CITIES = 120


def never_treated_means(growth: np.ndarray, never: np.ndarray) -> np.ndarray:
    """Mean `cm` of each city and year over its never treated partners, (N, T)."""
    return plain_measure(growth, never & ~np.eye(len(never), dtype=bool))


def level_of(seed: int, loadings: tuple[float, float] = (0.5, 0.5)):
    growth, cohort, province = draw_economy(seed, N_CITIES, loadings)
    return level_of_means(never_treated_means(growth, cohort == 0), YEARS, cohort, province)


def test_the_difference_is_least_squares_with_province_effects():
    growth, cohort, province = draw_economy(3, N_CITIES)
    means = never_treated_means(growth, cohort == 0)
    gaps = means - means[cohort == 0].mean(axis=0)
    untreated = (cohort[:, None] == 0) | (YEARS[None, :] < cohort[:, None])
    level = np.array([row[on].mean() for row, on in zip(gaps, untreated, strict=True)])
    dummies = (province[:, None] == np.unique(province)).astype(float)
    expected = sm.OLS(level, np.column_stack([cohort > 0, dummies])).fit().params[0]
    assert level_of(3).difference == pytest.approx(expected)


def test_it_is_given_where_pilots_load_otherwise_and_seldom_elsewhere():
    assert sum(level_of(seed, (1.0, 0.3)).p_value < 0.05 for seed in range(30)) >= 24
    assert sum(level_of(seed).p_value < 0.05 for seed in range(60)) <= 8


def test_there_is_none_with_few_pilots_or_without_peers_or_years_before():
    rng = np.random.default_rng(4)
    means, strata = rng.normal(size=(20, 10)), np.repeat(np.arange(4), 5)
    cohort = np.zeros(20, dtype=np.int64)
    cohort[[0, 5, 10]] = 2015
    assert level_of_means(means, YEARS, cohort, strata) is None
    cohort[[1, 6, 11]] = 2010
    assert level_of_means(means, YEARS, cohort, strata) is None
    cohort[15] = 2015
    assert level_of_means(means, YEARS, cohort, strata) is not None
    whole = np.where(strata < 2, 2015, 0)
    assert level_of_means(means, YEARS, whole, strata) is None
    gap = means.copy()
    gap[0] = np.nan
    assert level_of_means(gap, YEARS, cohort, strata) is None
