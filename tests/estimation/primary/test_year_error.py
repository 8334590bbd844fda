"""The loading channel's error: against one regression a draw, and its size where several national
factors move pilots of another kind.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from benchmarks.primary_test.designs import draw_selected
from benchmarks.primary_test.layout import simulated_cities
from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import LOADING, efficient_contrast
from estimation.primary.interval import drawn_statistics, make_ready
from estimation.primary.permutation import rank_p
from estimation.primary.statistics import gather
from estimation.primary.year_error import year_errors
from tests.estimation.primary.economies import draw_panel


def test_the_error_is_the_residual_of_a_regression_of_the_pilots_mean_path():
    panel = build_panel(*draw_panel(5))
    ready = make_ready(panel, 4, np.random.default_rng(1))
    found = year_errors(ready.z, ready.m, panel.years, panel.design, ready.places, ready.labels)
    means = np.array([ready.z[panel.block == b].mean(axis=0) for b in panel.block])
    time = sm.add_constant(panel.years - panel.years.mean())
    for d in range(5):
        pilots = ready.places[:, d]
        path = np.mean([ready.z[i] - means[i] for i in pilots], axis=0)
        cycles = np.array([sm.OLS(ready.m[i], time).fit().resid for i in pilots])
        treated = np.array([panel.years >= panel.cohorts[label - 1] for label in ready.labels])
        regressors = sm.add_constant(
            np.column_stack([cycles.mean(axis=0), (cycles * treated).mean(axis=0)])
        )
        assert found[d] == pytest.approx(np.sqrt(sm.OLS(path, regressors).fit().mse_resid))


def test_several_factors_do_not_pass_for_a_change_of_loading():
    """Three factors on which large pilots load more: the error across cities rejects too often, the
    error from the years does not.
    """
    cities, rejected = simulated_cities(), {"years": 0, "cities": 0}
    for seed in range(120):
        drawn = draw_selected("three_factors", cities, np.random.default_rng([9, seed]))
        panel = build_panel(drawn.growth, drawn.years, drawn.cohort, drawn.block)
        ready = make_ready(panel, 99, np.random.default_rng([10, seed]))
        args = (ready.z, ready.m, panel, ready.places, ready.labels)
        across = gather(
            efficient_contrast(ready.z, ready.m, panel.years, panel.design, LOADING).terms,
            panel.design,
            *args[3:],
        )
        rejected["years"] += rank_p(drawn_statistics(LOADING, *args)) <= 0.05
        rejected["cities"] += rank_p(across.statistic) <= 0.05
    assert rejected["years"] <= 10 and rejected["cities"] >= 14, rejected


def test_a_change_of_loading_is_found_with_its_sign():
    found = 0
    for seed in range(20):
        growth, years, cohort, block = draw_panel(seed, n_blocks=15)
        factor = growth[cohort == 0].mean(axis=0) - growth[cohort == 0].mean()
        treated = (cohort[:, None] > 0) & (years[None, :] >= cohort[:, None])
        panel = build_panel(growth + 1.5 * treated * factor, years, cohort, block)
        ready = make_ready(panel, 99, np.random.default_rng(3))
        statistic = drawn_statistics(LOADING, ready.z, ready.m, panel, ready.places, ready.labels)
        found += statistic[0] > 0 and rank_p(statistic) <= 0.05
    assert found >= 14
