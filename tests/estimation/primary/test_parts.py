"""The effect in parts against regressions on dummies, and the test that parts are equal; Pearson's
correlation before and after admission, by a literal loop.
"""

import numpy as np
import pytest

from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.parts import fit_parts
from estimation.primary.pearson import pearson_before_after
from estimation.primary.permutation import deal
from tests.estimation.panels import beside_dummies

from .economies import draw_panel


def _panel_and_parts(seed=3):
    growth, years, cohort, block = draw_panel(seed)
    panel = build_panel(growth, years, cohort, block)
    since = panel.years[None, :] - np.concatenate([[9999], panel.cohorts])[:, None]
    paths = np.stack([panel.treated * (since < 2), panel.treated * (since >= 2)])
    return panel, paths


def _effect(panel, y):
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    return float((weight * y).sum())


def test_parts_are_one_regression_on_dummies():
    panel, paths = _panel_and_parts()
    y = panel.growth
    found = fit_parts(panel, y, _effect(panel, y), paths, deal(panel.block, 20, 1))
    city, year = np.divmod(np.arange(y.size), y.shape[1])
    d = paths[:, panel.label].reshape(len(paths), -1).T
    estimate, scores = beside_dummies(y.ravel(), d, city, panel.block[city] * 100 + year)
    assert found.estimate == pytest.approx(estimate, abs=1e-9)
    by_block = np.array([scores[panel.block == k].sum(axis=0) for k in np.unique(panel.block)])
    variance = (scores.T @ scores + by_block.T @ by_block) / 2
    # the error is that of the panel less the common effect, whose residuals are the same
    assert found.std_error == pytest.approx(np.sqrt(np.diagonal(variance)), abs=1e-9)
    gap = estimate[0] - estimate[1]
    spread = variance[0, 0] + variance[1, 1] - 2 * variance[0, 1]
    assert found.statistic[0] == pytest.approx(gap**2 / spread, rel=1e-9)


def test_an_effect_that_grows_is_found_and_a_common_one_is_not():
    grows, common = [], []
    for seed in range(40):
        panel, paths = _panel_and_parts(seed)
        dealt = deal(panel.block, 199, seed)
        for effects, found in (((0.0, 2.5), grows), ((2.0, 2.0), common)):
            y = panel.growth + np.tensordot(effects, paths[:, panel.label], axes=1)
            found.append(fit_parts(panel, y, _effect(panel, y), paths, dealt).p_value < 0.05)
    assert np.mean(grows) > 0.8
    assert np.mean(common) < 0.15


def test_parts_that_cannot_be_told_apart_have_no_estimate():
    panel, _ = _panel_and_parts()
    twice = np.stack([panel.treated, panel.treated]) / 2
    assert fit_parts(panel, panel.growth, 0.0, twice, deal(panel.block, 20, 1)) is None


def test_pearson_equals_a_loop_over_pairs():
    growth, years, cohort, block = draw_panel(7)
    panel = build_panel(growth, years, np.where(cohort == 2014, 2015, cohort), block)
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    found = pearson_before_after(panel, panel.growth, weight)
    # ten years: only those admitted in 2015 have five on both sides
    pilots = np.flatnonzero(panel.label == 1)
    assert panel.cohorts.tolist() == [2015, 2017]
    for part, value in ((years < 2015, found[0]), (years >= 2015, found[1])):
        means, shares = [], []
        for i in pilots:
            others = (panel.label == 0) & (panel.block != panel.block[i])
            pairs = [
                np.corrcoef(panel.growth[i, part], panel.growth[j, part])[0, 1]
                for j in np.flatnonzero(others)
            ]
            means.append(np.mean(pairs))
            shares.append(weight[i, years >= 2015].sum())
        assert value == pytest.approx(np.average(means, weights=shares), abs=1e-12)


def test_with_fewer_than_five_years_on_a_side_there_is_none():
    growth, years, cohort, block = draw_panel(7)
    panel = build_panel(growth, years, cohort, block)
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    assert pearson_before_after(panel, panel.growth, weight) == (None, None)
