"""Each warning of docs/methods, section 7, appears where it applies and not where it does not; what
the two-way coefficient averages, against the coefficient itself and literal regressions.
"""

import dataclasses

import numpy as np
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from estimation.fit_panel import fit_outcomes, fit_panel
from estimation.inference.diagnostics.goodman_bacon import (
    goodman_bacon,
    minimum_detectable_effect,
    negative_weight_share,
    treatment_weights,
)
from estimation.panel.fit_sample import build_sample
from tests.estimation.panels import (
    VARIANCE_ESTIMATORS,
    diagnostic_of,
    estimates_of,
    long_table,
    random_panel,
)


def _warnings(panel, estimator="twfe", **options):
    options = {"permutations": 99, "vcov": VARIANCE_ESTIMATORS, **options}
    result = fit_outcomes(panel, estimators=(estimator,), **options)[estimator, 0]
    return result, " ".join(result.warnings)


def _wide(**changes):
    panel = random_panel(21, n_cities=45, n_pilots=15)
    return dataclasses.replace(
        panel, cohort=None, **{name: change(panel) for name, change in changes.items()}
    )


def _first_pilots(count):
    def change(panel):
        pilots = np.flatnonzero(panel.city_cohort)[:count]
        return np.where(np.isin(np.arange(panel.n_cities), pilots), panel.city_cohort, 0)

    return change


def _shocked(panel, shock):
    """The outcome with shocks of cities and years added."""
    return panel.y + shock[panel.city_i] + shock[panel.city_j]


def _pilots_together(panel):
    return np.argsort(np.argsort(panel.city_cohort == 0, kind="stable"), kind="stable") // 3


def _shocks_of_provinces(panel):
    shock = np.random.default_rng(3).normal(size=(panel.n_cities, len(panel.years)))
    return _shocked(panel, 5.0 * shock[_pilots_together(panel)])


CASES = {
    "only one pilot": ({"city_cohort": _first_pilots(1)}, "only one pilot identifies the estimate"),
    "two pilots": ({"city_cohort": _first_pilots(2)}, "fewer than 4 pilots identify the estimate"),
    "six pilots": ({"city_cohort": _first_pilots(6)}, "fewer than 10 pilots identify the estimate"),
    "five provinces": (
        {"province": lambda p: np.arange(p.n_cities) % 5},
        "Only 5 provinces can be left out",
    ),
    "pilots in one province": (
        {"province": lambda p: np.where(p.city_cohort > 0, 0, 2 + np.arange(p.n_cities) % 12)},
        "the pilots sit in one province: the jackknife is not the default",
    ),
    "pilots in two provinces": (
        {
            "province": lambda p: np.where(
                p.city_cohort > 0, np.arange(p.n_cities) % 2, 2 + np.arange(p.n_cities) % 12
            )
        },
        "the pilots of 2 provinces leave the jackknife",
    ),
    "pilots in four provinces": (
        {
            "province": lambda p: np.where(
                p.city_cohort > 0, np.arange(p.n_cities) % 4, 4 + np.arange(p.n_cities) % 12
            )
        },
        "the pilots of 4 provinces leave the jackknife",
    ),
    "no provinces": ({"province": lambda p: None}, "Province codes are missing"),
    "pilots alone in their provinces": (
        {
            "province": lambda p: np.where(
                p.city_cohort > 0, 100 + np.arange(p.n_cities), np.arange(p.n_cities) % 3
            )
        },
        "15 pilots (100%) cannot move",
    ),
    "pilots of another kind": (
        {"y": lambda p: _shocked(p, 2.0 * (p.city_cohort > 0)[:, None])},
        "Pilots were of another kind before admission",
    ),
    "shocks of whole provinces": (
        {"province": _pilots_together, "y": _shocks_of_provinces},
        "times the city one",
    ),
    "always treated": (
        {"city_cohort": lambda p: np.where(p.city_cohort == 2013, 2010, p.city_cohort)},
        "no year before admission",
    ),
    "treated in every year that is observed": (
        {
            "y": lambda p: np.where(
                (p.cohort[:, None] > p.years) & (p.cohort == 2013)[:, None], np.nan, p.y
            )
        },
        "no year before admission",
    ),
    "single rows": (
        {
            "y": lambda p: np.where(
                (np.arange(p.n_pairs) < 7)[:, None] & (p.years > 2010), np.nan, p.y
            )
        },
        "7 pairs with a single observed year",
    ),
}


DEFAULTS = {
    "pilots in one province": "permutation",
    "pilots in two provinces": "province_jackknife",
    "no provinces": "city",
}


@pytest.mark.parametrize("case", CASES)
def test_each_warning_where_it_applies_only(case):
    changes, text = CASES[case]
    result, said = _warnings(_wide(**changes))
    assert text in said and text not in _warnings(_wide())[1]
    default = [e.vcov for e in result.estimates if e.is_default]
    assert case not in DEFAULTS or default == [DEFAULTS[case]]


@pytest.mark.parametrize(
    ("case", "n_provinces"), [("pilots in four provinces", 16), ("five provinces", 5)]
)
def test_p_and_interval_have_the_degrees_of_freedom_that_are_told(case, n_provinces):
    """Few by design where the jackknife is the default; where it is not, the provinces less one."""
    result, text = _warnings(_wide(**CASES[case][0]))
    line = estimates_of(result, "province_jackknife")["treated", None]
    df = diagnostic_of(result, "jackknife_df", "treated")
    ratio, quantile = abs(line.estimate) / line.std_error, stats.t(df).ppf(0.975)
    assert line.p_value == pytest.approx(2 * stats.t(df).sf(ratio), rel=1e-12)
    assert line.ci_high - line.estimate == pytest.approx(quantile * line.std_error, rel=1e-12)
    assert diagnostic_of(result, "p_value_t_provinces", "treated") == pytest.approx(
        2 * stats.t(n_provinces - 1).sf(ratio), rel=1e-12
    )
    if case == "five provinces":
        assert not line.is_default and df == 4
    else:
        assert line.is_default and 3 < df < 7 and f"{df:.1f} degrees of freedom, not 15" in text
        assert f"{quantile / stats.t(15).ppf(0.975):.2f} times as wide" in text


def test_a_coefficient_without_its_default_line_says_so():
    panel = _wide(**CASES["pilots in one province"][0])
    for draws in (0, 99):
        result, text = _warnings(panel, permutations=draws, vcov=None)
        assert ("no method is the default" in text) == (draws == 0)
        assert any(e.is_default for e in result.estimates) == (draws > 0)
    assert "no method is the default" not in _warnings(_wide(), permutations=0, vcov=None)[1]


def test_effects_that_gaps_leave_without_a_comparison_are_counted():
    panel = _wide(
        y=lambda p: np.where((p.cohort == 2013)[:, None] & (p.years == 2012), np.nan, p.y)
    )
    result, text = _warnings(panel, "callaway_santanna")
    there = {e.event_time for e in result.estimates if e.cohort_year == 2013}
    every = range(panel.years[1] - 2013, panel.years[-1] - 2012)
    lost = {-1, *(e for e in every if e >= 0)}
    assert there == {*every} - lost
    assert f"Cohort 2013: {len(lost)} of its {len(every)} effects are left out" in text
    assert "Cohort" not in _warnings(_wide(), "callaway_santanna")[1]


def test_a_city_that_moves_the_estimate_is_named_with_the_estimate_without_it():
    def one_province_moves(p):
        moves = p.province == p.province[p.city_cohort > 0][0]
        return _shocked(p, 20.0 * (moves[:, None] & (p.years >= 2014)))

    result, text = _warnings(_wide(y=one_province_moves))
    estimate = estimates_of(result, "city")["treated", None].estimate
    city, without = (
        diagnostic_of(result, name, "treated")
        for name in ("most_influential_city", "estimate_without_city")
    )
    assert f"without city {city} the estimate is {without:.4g} instead of {estimate:.4g}" in text


def test_a_negative_dyadic_variance_is_shown_as_that_by_pair():
    # noise of pairs without its city-year means: what the pairs of a city share cancels
    panel = random_panel(22, n_cities=12, n_pilots=4)
    cities = np.arange(12)[:, None]
    member = ((panel.city_i == cities) | (panel.city_j == cities)).astype(float).T
    y = panel.y[0] - member @ np.linalg.lstsq(member, panel.y[0], rcond=None)[0]
    result, text = _warnings(dataclasses.replace(panel, y=y, cohort=None))
    assert diagnostic_of(result, "dyadic_variance", "treated") < 0
    assert "dyadic variance came out below that by pair" in text
    by_pair = diagnostic_of(result, "conventional_variance", "treated")
    assert estimates_of(result, "dyadic")["treated", None].std_error == pytest.approx(by_pair**0.5)


def test_an_outcome_that_effects_explain_exactly_gives_no_inference():
    panel = _wide()
    y = panel.city_i[:, None] + 2.0 * panel.years[None] + 0.0 * panel.y[0]
    result, text = _warnings(dataclasses.replace(panel, y=y, cohort=None))
    assert "explain the outcome exactly" in text
    assert all((e.std_error, e.p_value) == (None, None) for e in result.estimates)


def _cohort_means(sample):
    """Kept pairs and their mean outcomes by cohort, the never-treated first."""
    count = np.bincount(sample.pair_group[sample.kept], minlength=sample.n_groups)
    of_cohort = [
        sample.panel.y[0][sample.kept & (sample.pair_group == g)].mean(axis=0)
        if count[g]
        else np.full(len(sample.panel.years), np.nan)
        for g in range(sample.n_groups)
    ]
    return count, np.array(of_cohort)


def _comparisons(panel):
    sample = build_sample(panel, (0,), None)
    return goodman_bacon(sample, _cohort_means(sample))


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
    rows = _comparisons(panel)
    assert sum(row.weight for row in rows) == pytest.approx(1, abs=1e-12)
    assert min(row.weight for row in rows) > 0
    assert sum(row.weight * row.estimate for row in rows) == pytest.approx(_twfe(panel), abs=1e-11)


def test_each_comparison_is_the_regression_on_its_rows():
    panel = random_panel(4, n_cities=12, n_pilots=4)
    table = long_table(panel, panel.cohort >= 0)
    for row in _comparisons(panel):
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
    weights, base = treatment_weights(sample, _cohort_means(sample)[0]), _twfe(panel)
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


def test_the_fit_reports_the_comparisons():
    panel = random_panel(5, n_cities=45, n_pilots=15)
    result = fit_panel(panel, vcov=("city", "province_jackknife"), permutations=0)
    weights, estimates = (
        [value for found, _, value in result.diagnostics if found == f"goodman_bacon_{name}"]
        for name in ("weight", "estimate")
    )
    assert np.dot(weights, estimates) == pytest.approx(_twfe(panel)) and 0 < min(weights) < 1
    assert 0 <= diagnostic_of(result, "negative_weight_share") < 1
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
