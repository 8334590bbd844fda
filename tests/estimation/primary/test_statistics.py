"""Coefficient, variances and draws against dummies in statsmodels and against literal loops."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from estimation.inference.permutation.assignments import enumerate_relabellings
from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import ALTERNATIVE, PRIMARY, RIDGE, cm_contrast, efficient_contrast
from estimation.primary.permutation import draw_places, observed_places, rank_p
from estimation.primary.scores import (
    cm_scores,
    gap_cut,
    own_shock,
    primary_scores,
    reference,
    standardise,
)
from estimation.primary.statistics import gather

from .economies import draw_panel


def _ready(seed: int = 3, **options):
    growth, years, cohort, block = draw_panel(seed, **options)
    panel = build_panel(growth, years, cohort, block)
    z = standardise(panel.growth)
    return panel, z, reference(z, panel.label, panel.block)


def _dummies(panel, scores: np.ndarray, label: np.ndarray):
    """OLS of scores on pilot x post with city and block x year dummies."""
    n_cities, n_years = scores.shape
    city, year = np.repeat(np.arange(n_cities), n_years), np.tile(np.arange(n_years), n_cities)
    cell = panel.block[city] * n_years + year
    # the first year of each block would repeat the sum of its cities' dummies
    cells = [cell == c for c in range(cell.max() + 1) if c % n_years]
    x = [panel.treated[label].ravel(), *(city == c for c in range(n_cities)), *cells]
    return sm.OLS(scores.ravel(), np.column_stack(x).astype(float)), city


def test_reference_is_the_mean_of_never_pilots_outside_the_block():
    panel, z, m = _ready()
    for i in range(len(z)):
        others = [
            j for j in range(len(z)) if panel.label[j] == 0 and panel.block[j] != panel.block[i]
        ]
        np.testing.assert_allclose(m[i], np.mean([z[j] for j in others], axis=0), atol=1e-12)


def test_own_shock_is_the_residual_of_least_squares_on_the_years_named():
    _, z, m = _ready()
    years = np.arange(10) < 6
    line = sm.OLS(z[4, years], sm.add_constant(m[4, years])).fit()
    np.testing.assert_allclose(
        own_shock(z, m, years)[4], z[4] - line.predict(sm.add_constant(m[4])), atol=1e-12
    )


def test_t3_equals_least_squares_with_dummies_and_both_clustered_variances():
    panel, z, m = _ready()
    places, labels = observed_places(panel.label, panel.block)
    drawn = gather(cm_contrast(z, m, panel.design).terms, panel.design, places[:, None], labels)
    model, city = _dummies(panel, cm_scores(z, m), panel.label)
    by_city = model.fit(cov_type="cluster", cov_kwds={"groups": city, "use_correction": False})
    by_block = model.fit(
        cov_type="cluster", cov_kwds={"groups": panel.block[city], "use_correction": False}
    )
    assert drawn.estimate[0] == pytest.approx(by_city.params[0], abs=1e-10)
    assert drawn.city[0] == pytest.approx(by_city.bse[0] ** 2, rel=1e-8)
    assert drawn.block[0] == pytest.approx(by_block.bse[0] ** 2, rel=1e-8)
    assert drawn.statistic[0] == pytest.approx(
        by_city.params[0] / np.sqrt((by_city.bse[0] ** 2 + by_block.bse[0] ** 2) / 2), rel=1e-8
    )


def test_every_relabelling_of_a_small_panel_equals_a_refit_with_dummies():
    panel, z, m = _ready(n_blocks=3, per_block=3)
    scores = cm_scores(z, m)
    terms, labels = (
        cm_contrast(z, m, panel.design).terms,
        observed_places(panel.label, panel.block)[1],
    )
    relabelled = enumerate_relabellings(panel.label, panel.block)
    assert len(relabelled) == 6**3
    statistics = []
    for label in relabelled[::11]:
        drawn = gather(terms, panel.design, observed_places(label, panel.block)[0][:, None], labels)
        model, city = _dummies(panel, scores, label)
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": city, "use_correction": False})
        assert drawn.estimate[0] == pytest.approx(fit.params[0], abs=1e-10)
        assert drawn.city[0] == pytest.approx(fit.bse[0] ** 2, rel=1e-7)
        statistics.append(drawn.statistic[0])
    together = np.column_stack(
        [observed_places(label, panel.block)[0] for label in relabelled[::11]]
    )
    np.testing.assert_array_equal(gather(terms, panel.design, together, labels).estimate != 0, True)
    np.testing.assert_allclose(
        gather(terms, panel.design, together, labels).statistic, statistics, rtol=1e-12
    )


def test_p_of_many_draws_comes_near_that_of_all_relabellings():
    panel, z, m = _ready(n_blocks=3, per_block=3)
    terms = cm_contrast(z, m, panel.design).terms
    every = np.column_stack(
        [
            observed_places(label, panel.block)[0]
            for label in enumerate_relabellings(panel.label, panel.block)
        ]
    )
    places, labels = draw_places(panel.label, panel.block, 20000, np.random.default_rng(1))
    exact = np.abs(gather(terms, panel.design, every, labels).statistic)
    observed = abs(gather(terms, panel.design, places[:, :1], labels).statistic[0])
    assert rank_p(gather(terms, panel.design, places, labels).statistic) == pytest.approx(
        (exact >= observed * (1 - 1e-9)).mean(), abs=0.015
    )


def test_draws_keep_labels_by_block_and_reach_every_city_alike():
    panel, _, _ = _ready()
    places, labels = draw_places(panel.label, panel.block, 3000, np.random.default_rng(1))
    for draw in places.T[:50]:
        assert len(set(draw.tolist())) == len(draw)
        np.testing.assert_array_equal(panel.block[draw], panel.block[places[:, 0]])
    np.testing.assert_array_equal(panel.label[places[:, 0]], labels)
    share = np.bincount(places[:, 1:].ravel(), minlength=48) / 3000
    np.testing.assert_allclose(share, 1 / 3, atol=0.04)


def test_contrast_weights_equal_a_literal_search():
    panel, z, m = _ready()
    years, cut, design = panel.years, gap_cut(z, m), panel.design
    scores = primary_scores(z, m, cut)
    treated, shift = panel.treated[1], np.zeros(30)
    for i in range(len(z)):
        for fitted in (treated == 0, np.ones(10, dtype=bool)):
            changed = (
                z[i]
                + (np.sqrt(1 - ALTERNATIVE) - 1)
                * own_shock(z[i : i + 1], m[i : i + 1], fitted)[0]
                * treated
            )
            changed = (changed - changed.mean()) / changed.std()
            shift += (primary_scores(changed[None, :], m[i : i + 1], cut)[0] - scores[i]) / (
                2 * len(z)
            )
    net = scores - np.array([scores[panel.block == b].mean(axis=0) for b in panel.block])
    covariance = net.T @ net / len(net)
    spread = np.sqrt(np.diag(covariance))
    covariance = (1 - RIDGE) * covariance + RIDGE * np.diag(spread**2)
    weights = efficient_contrast(z, m, years, design, PRIMARY).weights[1]
    np.testing.assert_allclose(weights.reshape(3, 10).sum(axis=1), 0, atol=1e-9)

    def noise_over_signal(free: np.ndarray) -> float:
        w = free.reshape(3, 10) - free.reshape(3, 10).mean(axis=1, keepdims=True)
        w = w.ravel() / spread
        w = (w.reshape(3, 10) - w.reshape(3, 10).mean(axis=1, keepdims=True)).ravel()
        return float(w @ covariance @ w / (w @ shift) ** 2)

    found = minimize(noise_over_signal, weights * spread, method="BFGS", options={"gtol": 1e-10})
    assert weights @ covariance @ weights / (weights @ shift) ** 2 <= found.fun * (1 + 1e-6)
    start = np.random.default_rng(1).normal(size=30)
    elsewhere = minimize(
        noise_over_signal, start, method="BFGS", options={"gtol": 1e-10, "maxiter": 5000}
    )
    assert elsewhere.fun == pytest.approx(
        weights @ covariance @ weights / (weights @ shift) ** 2, rel=1e-4
    )
