"""Draws of two-way fits against refits by the plain code, with the sample rule applied anew."""

import dataclasses

import numpy as np
import pytest

from estimation.engines.arrays import pair_statistics
from estimation.engines.regressors import DESIGNS
from estimation.estimators.two_way import LeastSquaresDraws, fit_least_squares
from estimation.fit import fit_outcomes
from estimation.inference.permutation.assignments import draw_relabellings
from estimation.inference.permutation.permute import permute
from estimation.options import Options
from estimation.panel.fit_sample import build_sample
from tests.estimation.panels import assert_draw_is_fit, diagnostic_of, estimates_of, random_panel

CASES = {
    "balanced": {"n_outcomes": 3},
    "few_gaps": {"missing": 0.02},
    "many_gaps": {"missing": 0.35},
    "controls": {"n_controls": 2, "n_outcomes": 2},
    "gaps_and_controls": {"missing": 0.2, "n_controls": 1},
}
N_DRAWS = 5


def _refit(panel, label_years, estimator, rule):
    """Coefficients, studentised statistics and fit of each outcome under another assignment, by the
    plain code.
    """
    changed = dataclasses.replace(panel, city_cohort=label_years, cohort=None)
    sample = build_sample(changed, tuple(range(panel.n_outcomes)), *rule)
    statistics = pair_statistics(panel.y, panel.controls, sample.observed)
    names = tuple(f"x{k}" for k in range(statistics.layout.n_controls))
    fits = fit_least_squares(
        sample, statistics, DESIGNS[estimator](sample.group_years, panel.years), names
    )
    return sample, fits


# quantile of ties above which pairs are kept, or number of strongest partners
@pytest.mark.parametrize("rule", [(None, None), (0.5, None), (0.3, None), (None, 4)])
@pytest.mark.parametrize("case", CASES)
def test_draws_equal_refits_under_the_drawn_labels(case, rule):
    # 30 cities, ten provinces: the joint test of the leads has degrees of freedom
    panel = random_panel(1, n_cities=30, n_pilots=9, **CASES[case])
    strata = np.arange(30) % 2
    sample = build_sample(panel, tuple(range(panel.n_outcomes)), *rule)
    statistics = pair_statistics(panel.y, panel.controls, sample.observed)
    designs = [DESIGNS[name](sample.group_years, panel.years) for name in ("twfe", "event_study")]
    before = [k for k, (_, _, event) in enumerate(designs[1].terms) if event < 0]
    tested = {"twfe": {"leads": np.array([0])}, "event_study": {"leads": np.array(before[2:])}}
    models = {
        design.estimator: LeastSquaresDraws(statistics, design, tested[design.estimator])
        for design in designs
    }
    draws = permute(sample, models, strata, Options(permutations=N_DRAWS, seed=11))
    labels = draw_relabellings(sample.city_group, strata, N_DRAWS, 11)
    years_of_label = np.concatenate([[0], sample.group_years])
    assert np.isfinite(draws["event_study", 0].tests["leads"]).any()
    for b in range(N_DRAWS):
        for design in designs:
            redrawn, fits = _refit(panel, years_of_label[labels[b]], design.estimator, rule)
            if rule[0] is not None:
                eligible = redrawn.candidate & (redrawn.pair_group >= 0)
                np.testing.assert_array_equal(
                    redrawn.kept,
                    eligible & (panel.tie > np.quantile(panel.tie[eligible], rule[0])),
                )
            for m, fit in enumerate(fits):
                assert_draw_is_fit(draws[design.estimator, m], b, fit, tested[design.estimator])


def test_the_identity_draw_gives_the_observed_statistic():
    panel = random_panel(2, n_cities=8, n_pilots=3)
    result = fit_outcomes(
        panel, estimators=("twfe",), vcov=("permutation",), shuffle="all", tie_quantile=0.5
    )["twfe", 0]
    # 8 cities, three cohorts of one pilot: 8 * 7 * 6 assignments, the observed one among them
    assert diagnostic_of(result, "permutation_draws") == 336
    assert estimates_of(result, "permutation")["treated", None].p_value >= 1 / 336


def test_one_outcome_gives_the_same_alone_and_beside_others():
    panel = random_panel(3, n_outcomes=2, missing=0.1)
    other = panel.y.copy()
    other[1, 0, 0] = np.nan
    together = fit_outcomes(dataclasses.replace(panel, y=other), permutations=200, tie_quantile=0.5)
    for m in (0, 1):
        alone = fit_outcomes(
            dataclasses.replace(panel, y=other[m]), permutations=200, tie_quantile=0.5
        )
        assert alone["twfe", 0] == together["twfe", m]
        assert alone["event_study", 0] == together["event_study", m]
