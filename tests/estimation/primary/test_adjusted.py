"""The adjusted statistic against regressions on dummies, and orders against their likelihood."""

import numpy as np
import pytest
from scipy.optimize import minimize

from estimation.primary.adjusted import draw_adjusted, within_block_basis
from estimation.primary.adjusted_fit import fit_adjusted
from estimation.primary.city_panel import build_panel
from estimation.primary.fit import fit_primary
from estimation.primary.fitted_order import PENALTY, deal_in_order, fit_order
from estimation.primary.interval import family_p
from estimation.primary.permutation import deal
from tests.estimation.panels import beside_dummies

from .economies import draw_panel


@pytest.fixture
def panel():
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    return build_panel(growth, years, cohort, block)


@pytest.fixture
def covariates(panel):
    rng = np.random.default_rng(5)
    size = rng.normal(size=len(panel.label))
    coastal = (panel.block % 2) * (rng.uniform(size=len(size)) < 0.5)
    return np.column_stack([size, size**2, coastal])


def _by_dummies(y, panel, label, covariates):
    """b and e^2 of least squares on city effects and on block and covariate effects by year."""
    city, year = np.divmod(np.arange(y.size), y.shape[1])
    by_year = [x[city, None] * np.eye(y.shape[1])[year] for x in covariates.T]
    d, cell = panel.treated[label].ravel(), panel.block[city] * 100 + year
    (b,), scores = beside_dummies(y.ravel(), d, city, cell, controls=by_year)
    by_block = [scores[panel.block == k].sum() for k in np.unique(panel.block)]
    return b, ((scores**2).sum() + np.sum(np.square(by_block))) / 2


def test_every_draw_is_a_regression_on_dummies(panel, covariates):
    y = panel.measured(panel.growth)[2]
    capped = panel.measured(panel.growth, capped=True)[2]
    dealt = deal(panel.block, 20, 3)
    basis = within_block_basis(covariates, panel.block)
    found = draw_adjusted([y, capped], panel, basis, dealt)
    for draw in (0, 1, 20):
        label = panel.label[dealt[draw]]
        for values, draws in zip((y, capped), found, strict=True):
            b, error = _by_dummies(values, panel, label, covariates)
            assert draws.estimate[draw] == pytest.approx(b, abs=1e-10)
            assert draws.error[draw, 0] == pytest.approx(error, abs=1e-10)
        # an effect taken out of the cells that are really treated
        freed = y - 0.3 * panel.treated[panel.label]
        b, error = _by_dummies(freed, panel, label, covariates)
        assert found[0].estimate[draw] - 0.3 * found[0].carried[draw] == pytest.approx(b, abs=1e-10)
        assert found[0].variance(0.3)[draw] == pytest.approx(error, abs=1e-10)


def test_the_order_maximises_the_partial_likelihood(panel, covariates):
    x = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)

    def loss(theta):
        found = PENALTY * theta @ theta / 2
        for block in np.unique(panel.block):
            for cohort in range(1, len(panel.cohorts) + 1):
                of_block = panel.block == block
                own = np.flatnonzero(of_block & (panel.label == cohort))
                risk = of_block & ((panel.label == 0) | (panel.label >= cohort))
                total, part = np.exp(x[risk] @ theta).sum(), np.exp(x[own] @ theta).sum()
                for tie in range(len(own)):
                    found += np.log(total - tie / len(own) * part)
                found -= (x[own] @ theta).sum()
        return found

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    assert fit_order(panel, covariates) == pytest.approx(x @ best, abs=1e-4)


def test_orders_keep_the_cohorts_of_a_block_and_follow_the_score(panel):
    score = np.where(np.arange(len(panel.label)) % 6 == 5, np.log(3.0), 0.0)
    dealt = deal_in_order(panel, score, 4000, 1)
    labels = panel.label[dealt]
    for block in np.unique(panel.block):
        own = panel.block == block
        assert (np.sort(labels[:, own], axis=1) == np.sort(panel.label[own])).all()
    first = labels[1:] == 1
    # six cities of a block, of which the last is three times as likely to be the first
    assert first[:, score > 0].mean() == pytest.approx(3 / 8, abs=0.01)
    assert first[:, score == 0].mean() == pytest.approx(1 / 8, abs=0.005)
    again = deal_in_order(panel, score, 4000, 1)
    assert (again == dealt).all()


def test_an_order_that_a_covariate_separates_has_a_fit(panel):
    separates = (panel.label > 0).astype(float)[:, None]
    score = fit_order(panel, separates)
    assert np.isfinite(score).all()
    dealt = deal_in_order(panel, score, 200, 1)
    assert (panel.label[dealt][:, panel.label == 0] == 0).mean() > 0.95


def test_the_fit_judges_by_the_larger_of_both_measures():
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    size = np.random.default_rng(5).normal(size=len(cohort))
    size[3] = np.nan
    x = np.column_stack([size, size**2])
    found = fit_adjusted(
        growth, years, cohort, block, x, dealing="fitted", permutations=199, seed=4
    )
    rest = np.delete(np.arange(len(cohort)), 3)
    panel = build_panel(growth[rest], years, cohort[rest], block[rest])
    kept = x[rest]
    dealt = deal_in_order(panel, fit_order(panel, kept), 199, [4, 0])
    basis = within_block_basis(kept, panel.block)
    sizes = []
    for series in panel.series:
        measures = [panel.measured(series, capped=one)[2] for one in (False, True)]
        draws = draw_adjusted(measures, panel, basis, dealt)
        sizes.append([np.abs(one.statistic()) for one in draws])
    larger = np.array(sizes).max(axis=1)
    assert found.p_value_larger == pytest.approx((larger[0] >= larger[0, 0]).mean())
    assert found.p_value == pytest.approx((sizes[0][0] >= sizes[0][0][0]).mean())
    assert (found.p_value_family, found.cycle.p_value_family) == tuple(family_p(larger))
    assert (found.p_value < 0.05) == (not found.ci_low <= 0 <= found.ci_high)
    assert 0 < found.variation_left < 1
    assert any("1 city without every covariate is" in text for text in found.warnings)
    # without covariates that say anything it is the committed test
    plain = fit_adjusted(growth, years, cohort, block, block[:, None], permutations=199, seed=4)
    committed = fit_primary(growth, years, cohort, block, permutations=199, seed=4)
    for name in ("estimate", "p_value", "ci_low", "ci_high", "weight_negative", "before"):
        assert getattr(plain, name) == pytest.approx(getattr(committed, name), abs=1e-12)
    assert plain.variation_left == 1
