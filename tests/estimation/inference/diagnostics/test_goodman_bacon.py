"""What the two-way coefficient averages, against the coefficient itself, literal regressions and
hand-checked figures.
"""

import dataclasses

import numpy as np
import pytest

from estimation.fit import fit_panel
from estimation.inference.diagnostics.goodman_bacon import (
    goodman_bacon,
    minimum_detectable_effect,
    negative_weight_share,
    treatment_weights,
)
from estimation.panel.fit_sample import build_sample
from tests.estimation.panels import diagnostic_of, long_table, random_panel, reference_panel


def _twfe(panel):
    return fit_panel(panel, vcov=(), permutations=0).estimates[0].estimate


@pytest.mark.parametrize("always_treated", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_comparisons_reproduce_the_two_way_coefficient(seed, always_treated):
    panel = random_panel(seed)
    if always_treated:
        panel = dataclasses.replace(
            panel,
            city_cohort=np.where(panel.city_cohort == 2013, 2010, panel.city_cohort),
            cohort=None,
        )
    rows = goodman_bacon(build_sample(panel, (0,), None), 0)
    assert sum(row.weight for row in rows) == pytest.approx(1, abs=1e-12)
    assert min(row.weight for row in rows) > 0
    assert sum(row.weight * row.estimate for row in rows) == pytest.approx(_twfe(panel), abs=1e-11)


def test_each_comparison_is_the_regression_on_its_rows():
    import statsmodels.formula.api as smf

    panel = random_panel(4, n_cities=12, n_pilots=4)
    table = long_table(panel, panel.cohort >= 0)
    for row in goodman_bacon(build_sample(panel, (0,), None), 0):
        a, b = row.treated_cohort, row.control_cohort
        part = table[table["cohort"].isin([a, b])]
        part = part[part["year"] < b] if b > a else part[part["year"] >= b] if b else part
        fit = smf.ols(
            "y ~ own * after",
            part.assign(own=1.0 * (part["cohort"] == a), after=1.0 * (part["year"] >= a)),
        ).fit()
        assert row.estimate == pytest.approx(fit.params["own:after"], abs=1e-10)


@pytest.mark.parametrize("seed", [1, 2])
def test_weights_of_cells_are_the_response_to_a_unit_effect_in_each(seed):
    """The coefficient is linear in the outcome: an effect of 1 in one cell moves it by the cell's
    weight.
    """
    panel = random_panel(seed, n_pilots=12)
    sample = build_sample(panel, (0,), None)
    weights, base = treatment_weights(sample), _twfe(panel)
    for g, cohort in enumerate(sample.group_years, start=1):
        for t, year in enumerate(panel.years):
            effect = (panel.cohort == cohort)[:, None] & (np.arange(len(panel.years)) == t)
            moved = _twfe(dataclasses.replace(panel, y=panel.y[0] + effect, cohort=None)) - base
            assert weights[g, t] == pytest.approx(moved if year >= cohort else 0.0, abs=1e-10)
    assert negative_weight_share(np.array([0.75, 0.5, -0.25])) == pytest.approx(1 / 6)


def test_minimum_detectable_effect():
    # two normal quantiles: 1.95996 + 0.84162
    assert minimum_detectable_effect(2.0, 1e9) == pytest.approx(2 * 2.80158, rel=1e-5)
    # t tables with 20 degrees of freedom: 2.086 + 0.860
    assert minimum_detectable_effect(1.0, 20) == pytest.approx(2.946, abs=1e-3)


def test_a_gap_is_refused_and_the_fit_reports_the_rest():
    with pytest.raises(ValueError, match="balance the panel"):
        goodman_bacon(build_sample(random_panel(1, missing=0.1), (0,), None), 0)
    result = fit_panel(
        dataclasses.replace(reference_panel(), y=reference_panel().y[0]),
        vcov=("city",),
        permutations=0,
    )
    weights = [value for name, _, value in result.diagnostics if name == "goodman_bacon_weight"]
    assert sum(weights) == pytest.approx(1)
    estimates = [value for name, _, value in result.diagnostics if name == "goodman_bacon_estimate"]
    assert np.dot(weights, estimates) == pytest.approx(-0.157431590, abs=1e-9)
    assert 0 <= diagnostic_of(result, "negative_weight_share") < 1
    panel = random_panel(5, n_cities=45, n_pilots=15)
    result = fit_panel(panel, vcov=("city", "province_jackknife"), permutations=0)
    (line,) = [e for e in result.estimates if e.is_default]
    df = diagnostic_of(result, "jackknife_df", "treated")
    assert 2 < df < 14 and diagnostic_of(
        result, "minimum_detectable_effect", "treated"
    ) == pytest.approx(minimum_detectable_effect(line.std_error, df), rel=1e-12)
    for cohort in (2013, 2014, 2016):
        rest = np.where(panel.city_cohort == cohort, np.nan, 0.0)
        y = panel.y[0] + (rest[panel.city_i] + rest[panel.city_j])[:, None]
        expected = _twfe(dataclasses.replace(panel, y=y, cohort=None))
        assert diagnostic_of(result, "estimate_without_cohort", str(cohort)) == pytest.approx(
            expected, abs=1e-10
        )
