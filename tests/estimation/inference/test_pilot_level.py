"""The warning that pilots were of another kind: its statistic against a regression, when it is
given, and when it cannot be.
"""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from benchmarks.simulation_study.economies import YEARS, draw_economy
from benchmarks.simulation_study.grid import KINDS
from benchmarks.simulation_study.selection import never_pilot_means
from estimation.inference.diagnostics.pilot_level import level_of_means
from estimation.measures.synchronization import standardise

SETTINGS = {kind.name: replace(kind, n_cities=120) for kind in KINDS}


def of_economy(name: str, seed: int):
    economy = draw_economy(SETTINGS[name], seed)
    means = never_pilot_means(standardise(economy.growth), economy.cohort == 0)
    return level_of_means(means, YEARS, economy.cohort, economy.province)


def test_the_difference_is_least_squares_with_province_effects():
    economy = draw_economy(SETTINGS["province"], 3)
    means = never_pilot_means(standardise(economy.growth), economy.cohort == 0)
    gaps = means - means[economy.cohort == 0].mean(axis=0)
    untreated = (economy.cohort[:, None] == 0) | (YEARS[None, :] < economy.cohort[:, None])
    level = np.array([row[on].mean() for row, on in zip(gaps, untreated, strict=True)])
    dummies = (economy.province[:, None] == np.unique(economy.province)).astype(float)
    expected = sm.OLS(level, np.column_stack([economy.cohort > 0, dummies])).fit().params[0]
    found = level_of_means(means, YEARS, economy.cohort, economy.province)
    assert found.difference == pytest.approx(expected)


def test_it_is_given_where_pilots_load_otherwise_and_seldom_elsewhere():
    assert sum(of_economy("loadings", seed).p_value < 0.05 for seed in range(30)) >= 24
    assert sum(of_economy("province", seed).p_value < 0.05 for seed in range(60)) <= 8


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
