"""The adjusted statistic, the effect in parts and panels with gaps against regressions on dummies;
orders against their likelihood, and Pearson's correlation by a literal loop.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import estimation as cs
from estimation.primary.adjusted import draw_adjusted, within_block_basis
from estimation.primary.adjusted_fit import fit_adjusted
from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.effect_by_part import fit_parts
from estimation.primary.fit_primary import fit_primary
from estimation.primary.fitted_order import PENALTY, fit_order, permute_in_order
from estimation.primary.p_values import family_p
from estimation.primary.pearson import pearson_before_after
from estimation.primary.permutation import permute_in_blocks

from .economies import draw_panel, plain_measure, within_blocks
from .test_command import _frame


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
    years = np.eye(y.shape[1])
    by_year = [x[:, None] * of_year for x in covariates.T for of_year in years]
    (b,), scores = within_blocks(y, [panel.treated[label]], panel.block, by_year)
    by_block = [scores[panel.block == k].sum() for k in np.unique(panel.block)]
    return b, ((scores**2).sum() + np.sum(np.square(by_block))) / 2


def test_every_draw_is_a_regression_on_dummies(panel, covariates):
    y = panel.measured(panel.growth)[2]
    capped = panel.measured(panel.growth, capped=True)[2]
    permuted = permute_in_blocks(panel.block, 20, 3)
    basis = within_block_basis(covariates, panel.block)
    found = draw_adjusted([y, capped], panel, basis, permuted)
    for draw in (0, 1, 20):
        label = panel.label[permuted[draw]]
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
    permuted = permute_in_order(panel, score, 4000, 1)
    labels = panel.label[permuted]
    for block in np.unique(panel.block):
        own = panel.block == block
        assert (np.sort(labels[:, own], axis=1) == np.sort(panel.label[own])).all()
    first = labels[1:] == 1
    # six cities of a block, of which the last is three times as likely to be the first
    assert first[:, score > 0].mean() == pytest.approx(3 / 8, abs=0.01)
    assert first[:, score == 0].mean() == pytest.approx(1 / 8, abs=0.005)
    again = permute_in_order(panel, score, 4000, 1)
    assert (again == permuted).all()


def test_an_order_that_a_covariate_separates_has_a_fit(panel):
    separates = (panel.label > 0).astype(float)[:, None]
    score = fit_order(panel, separates)
    assert np.isfinite(score).all()
    permuted = permute_in_order(panel, score, 200, 1)
    assert (panel.label[permuted][:, panel.label == 0] == 0).mean() > 0.95


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
    permuted = permute_in_order(panel, fit_order(panel, kept), 199, [4, 0])
    basis = within_block_basis(kept, panel.block)
    sizes = []
    for series in panel.series:
        measures = [panel.measured(series, capped=one)[2] for one in (False, True)]
        draws = draw_adjusted(measures, panel, basis, permuted)
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
    found = fit_parts(panel, y, _effect(panel, y), paths, permute_in_blocks(panel.block, 20, 1))
    estimate, scores = within_blocks(y, paths[:, panel.label], panel.block)
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
        permuted = permute_in_blocks(panel.block, 199, seed)
        for effects, found in (((0.0, 2.5), grows), ((2.0, 2.0), common)):
            y = panel.growth + np.tensordot(effects, paths[:, panel.label], axes=1)
            found.append(fit_parts(panel, y, _effect(panel, y), paths, permuted).p_value < 0.05)
    assert np.mean(grows) > 0.8
    assert np.mean(common) < 0.15


def test_parts_that_cannot_be_told_apart_have_no_estimate():
    panel, _ = _panel_and_parts()
    twice = np.stack([panel.treated, panel.treated]) / 2
    assert fit_parts(panel, panel.growth, 0.0, twice, permute_in_blocks(panel.block, 20, 1)) is None


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


@pytest.fixture(scope="module")
def gappy() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    rng = np.random.default_rng(1)
    growth[np.arange(len(growth)), rng.integers(0, len(years), len(growth))] = np.nan
    growth[::3, 4] = np.nan
    return growth, years, cohort, block


def test_the_measure_and_the_estimate_are_those_of_the_known_cells(gappy) -> None:
    growth, years, cohort, block = gappy
    panel = build_panel(*gappy, least_share=0.8)
    assert len(panel.growth) == len(growth) and panel.has_gaps
    y = panel.measured(panel.growth)[2]
    known = np.isfinite(growth)
    is_partner = (cohort == 0) & (block != block[:, None])
    np.testing.assert_allclose(y[known], plain_measure(growth, is_partner)[known], rtol=1e-10)
    treated = (cohort[:, None] > 0) & (years >= cohort[:, None])
    (expected,), _ = within_blocks(np.where(known, y, np.nan), [treated], block)
    found = fit_primary(*gappy, permutations=99, least_share=0.8)
    assert found.estimate == pytest.approx(expected, abs=1e-9)
    cycle = np.full_like(growth, np.nan)
    for own, of_city, here in zip(cycle, growth, known, strict=True):
        line = np.polynomial.Polynomial.fit(years[here], of_city[here], 1)
        own[here] = of_city[here] - line(years[here])
    of_cycle = np.where(known, plain_measure(cycle, is_partner), np.nan)
    (expected,), _ = within_blocks(of_cycle, [treated], block)
    assert found.cycle.estimate == pytest.approx(expected, abs=1e-9)
    assert found.channels == ()


def test_means_before_and_after_are_of_known_cells_alone(gappy) -> None:
    growth, years, cohort, block = gappy
    panel = build_panel(*gappy, least_share=0.8)
    known = np.isfinite(growth)
    row, column = np.nonzero(known)
    y = panel.measured(panel.growth)[2][known]
    treated = ((cohort[row] > 0) & (years[column] >= cohort[row])).astype(float)
    dummies = [pd.get_dummies(row), pd.get_dummies(block[row] * len(years) + column)]
    effects = np.hstack([one.to_numpy(float) for one in dummies])
    net = treated - effects @ np.linalg.lstsq(effects, treated)[0]
    weight = net * treated / (net @ treated)
    before = 0.0
    for i in np.unique(row[treated > 0]):
        before += weight[row == i].sum() * y[(row == i) & (treated == 0)].mean()
    found = fit_primary(*gappy, permutations=99, least_share=0.8)
    assert found.after == pytest.approx(weight @ y, abs=1e-9)
    assert found.before == pytest.approx(before, abs=1e-9)
    assert found.n_treated_years == treated.sum()


def test_p_and_interval_with_gaps_are_those_of_a_loop_over_draws(gappy) -> None:
    panel = build_panel(*gappy, least_share=0.8)
    response = panel.response
    permuted = permute_in_blocks(panel.block, 199, [1, 0])
    same_block = (panel.block[:, None] == panel.block).astype(float)

    def net(values: np.ndarray) -> np.ndarray:
        """Values less the means of city and of block and year."""
        values = values - values.mean(axis=1, keepdims=True)
        return values - same_block @ values / same_block.sum(axis=1, keepdims=True)

    def weights(treated: np.ndarray) -> np.ndarray:
        return net(treated) / (net(treated) ** 2).sum()

    added = (weights(panel.treated[panel.label]) * response).sum()
    y, response = (net(x) / added for x in (panel.measured(panel.growth)[2], response))

    def p_value(effect: float) -> float:
        sizes = []
        for order in permuted:
            treated = panel.treated[panel.label[order]]
            weight, free = weights(treated), y - effect * response
            b = (weight * free).sum()
            scores = (weight * (free - b * net(treated))).sum(axis=1)
            sizes.append(b**2 / (scores @ scores + scores @ same_block @ scores))
        return float(np.mean(np.array(sizes) >= sizes[0] * (1 - 1e-9)))

    found = fit_primary(*gappy, permutations=199, least_share=0.8)
    assert found.p_value == pytest.approx(p_value(0.0), abs=1e-12)
    for bound, outward in ((found.ci_low, -1e-8), (found.ci_high, 1e-8)):
        assert p_value(bound - outward) >= 0.05 > p_value(bound + outward)


def test_a_period_that_no_unit_has_is_none_with_rows_and_without() -> None:
    frame = _frame(6)
    absent = frame["year"] == 2012
    found = cs.primary(frame.assign(growth=frame["growth"].mask(absent)), permutations=99)
    assert found == cs.primary(frame[~absent], permutations=99)


def test_without_gaps_nothing_changes_and_by_default_gaps_leave_a_city_out(gappy) -> None:
    complete = draw_panel(5)
    asked = fit_primary(*complete, permutations=99, least_share=0.8)
    assert asked == fit_primary(*complete, permutations=99)
    assert fit_primary(*gappy, permutations=99).verdict == "not_identified"


def test_units_with_few_periods_are_left_out_and_named() -> None:
    frame = _frame(6)
    frame.loc[(frame["city_id"] == 1007) & (frame["year"] < 2012), "growth"] = np.nan
    found = cs.primary(frame, permutations=99)
    assert "Periods are missing for 1 of 48 units" in found.warnings[0]
    assert found.result.n_cities == 48
    found = cs.primary(frame[(frame["city_id"] != 1009) | (frame["year"] > 2012)], permutations=99)
    assert "less than 80% of the periods: 1009." in found.warnings[0]
    assert found.result.n_cities == 47


@pytest.mark.parametrize(
    ("missing", "says_so"),
    [
        ("never", False),
        ("in treated years of treated units", True),
        ("in these years of all other units", True),
        ("at random", False),
    ],
)
def test_cells_that_are_missing_by_treatment_are_said(missing: str, says_so: bool) -> None:
    # p was 0.005 without an effect, and nothing said why
    draw = np.random.default_rng(0)
    years = np.arange(2001, 2016)
    growth = draw.normal(size=15) + 0.02 * draw.normal(size=(24, 15))
    treated = np.arange(24) < 8
    late = np.isin(years, (2011, 2013, 2015))
    holes = {
        "never": np.zeros(growth.shape, dtype=bool),
        "in treated years of treated units": treated[:, None] & late,
        "in these years of all other units": ~treated[:, None] & late,
        "at random": draw.uniform(size=growth.shape) < 0.05,
    }[missing]
    cohort, block = np.where(treated, 2009, 0), np.arange(24) % 4
    given = (np.where(holes, np.nan, growth), years, cohort, block)
    found = fit_primary(*given, permutations=199, least_share=0.8)
    assert any("depends on admission" in text for text in found.warnings) == says_so
    assert found.cycle is not None
    assert found.cycle.warnings == found.warnings


def test_a_period_that_no_unit_has_is_named() -> None:
    names = {"unit": "city_id", "cohort": "cohort_year", "block": "block_id"}
    for kept, is_named in ((_frame(6), False), (_frame(6).query("year != 2012"), True)):
        fit = cs.fit(kept, "cm", series="growth", permutations=0, **names)
        found = cs.primary(kept, permutations=99)
        for warnings in (fit.warnings, found.warnings):
            assert any("2011" in said for said in warnings) == is_named
