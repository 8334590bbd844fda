"""Simulated economies: how often errors of a fit of all pairs reject where nothing happened, and
the warning that pilots were of another kind: its statistic, when it is given, when it cannot be.
"""

import numpy as np
import pytest
import statsmodels.api as sm

from estimation.engines.all_pairs import sum_all_pairs
from estimation.engines.interface import Units
from estimation.fit_panel import fit_summed
from estimation.inference.diagnostics.pilot_level import level_of_means
from estimation.options import Options
from tests.estimation.primary.economies import YEARS, plain_measure

N_ECONOMIES, N_CITIES = 200, 120
LINES = ("conventional", "dyadic", "city", "province_jackknife")
CITIES_BY_PROVINCE, CITIES_WITH_A_ZONE = 4, 0.22


def draw_economy(
    seed: int, n_cities: int, loadings: tuple[float, float] = (0.5, 0.5)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return growth (N, T), first treated years (N,) and provinces (N,) without any effect;
    `loadings` are those of treated cities and of the others on the national factor.
    """
    rng = np.random.default_rng([seed, n_cities])
    province = np.arange(n_cities) // CITIES_BY_PROVINCE
    cohort = np.zeros(n_cities, dtype=np.int64)
    treated = rng.choice(n_cities, round(CITIES_WITH_A_ZONE * n_cities), replace=False)
    cohort[treated] = rng.permutation(np.where(np.arange(len(treated)) % 5 < 2, 2016, 2019))
    common = rng.normal(size=(province.max() + 1, len(YEARS)))[province]
    own = np.sqrt(0.3) * common + np.sqrt(0.7) * rng.normal(size=(n_cities, len(YEARS)))
    loading = np.where(cohort > 0, *loadings)[:, None]
    return loading * rng.normal(size=len(YEARS)) + own, cohort, province


def test_default_error_keeps_its_size_and_the_conventional_one_does_not():
    rejects = {"default": 0, "conventional": 0}
    estimates = []
    for seed in range(N_ECONOMIES):
        growth, cohort, province = draw_economy(seed, N_CITIES)
        units = Units(np.arange(N_CITIES), YEARS, cohort, province)
        fit = fit_summed(sum_all_pairs(growth, "cm", units), "twfe", Options(LINES, 0, seed=seed))
        for estimate in fit.estimates:
            if estimate.is_default:
                rejects["default"] += estimate.p_value < 0.05
                estimates.append(estimate.estimate)
            if estimate.vcov == "conventional":
                rejects["conventional"] += estimate.p_value < 0.05
    assert 0.02 <= rejects["default"] / N_ECONOMIES <= 0.09
    assert rejects["conventional"] / N_ECONOMIES > 0.25
    assert abs(np.mean(estimates)) < 4 * np.std(estimates) / np.sqrt(N_ECONOMIES)


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
