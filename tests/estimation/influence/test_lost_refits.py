"""A province whose deletion loses the coefficient: no jackknife, the permutation by default, and a
warning that names it.
"""

import numpy as np
import pytest

from benchmarks.simulation_study.lost_refits import (
    _variances,
    controls_in_one_province,
    partners_in_one_province,
)
from estimation.fit import fit_panel
from tests.estimation.panels import VARIANCE_ESTIMATORS, random_panel

DESIGNS = {"partners": partners_in_one_province, "controls": controls_in_one_province}


@pytest.mark.parametrize("estimator", ["twfe", "borusyak", "callaway_santanna"])
@pytest.mark.parametrize("design", DESIGNS)
def test_no_jackknife_where_one_province_carries_the_estimate(design, estimator):
    panel = DESIGNS[design](np.random.default_rng(3))
    control_pairs = "never_treated" if design == "partners" else "not_yet_treated"
    result = fit_panel(
        panel,
        estimator=estimator,
        control_pairs=control_pairs,
        vcov=VARIANCE_ESTIMATORS,
        permutations=49,
        shuffle="all",
    )
    lines = {e.vcov: e for e in result.estimates if e.term in ("treated", "att")}
    # pilots sit in eight provinces or nine, and without province 0 nothing is left to compare them
    # with
    assert lines["province_jackknife"].std_error is None
    assert lines["city"].std_error > 0
    if design == "controls" and estimator == "twfe":
        # the earlier pilots alone are of one cohort: year effects take the coefficient
        assert any("not identified without province 0" in text for text in result.warnings)
    assert [name for name, line in lines.items() if line.is_default] == ["permutation"]
    assert any(
        "not identified without province 0" in text and "has in common" in text
        for text in result.warnings
    )


@pytest.mark.parametrize("design", DESIGNS)
def test_a_lost_coefficient_set_to_zero_can_never_be_rejected(design):
    """The generalised inverse adds the estimate's own square to its variance, so its t is at most
    sqrt(R / (R - 1)).
    """
    for seed in range(5):
        b, skipped, inverse, n = _variances(DESIGNS[design](np.random.default_rng(seed)), "twfe")
        assert b**2 / inverse <= n / (n - 1) + 1e-9
        assert skipped < inverse


def test_a_cohort_that_one_province_holds_leaves_the_overall_effect_a_jackknife():
    """Its refit averages the cohorts that remain, so the deviation holds the lost cohort's own
    error.
    """
    panel = random_panel(8, n_cities=45, n_pilots=0)
    cohort = np.where(panel.province == 0, 2014, 0)
    cohort[np.arange(5, 45, 4)] = 2016
    panel = type(panel)(panel.city_i, panel.city_j, panel.years, panel.y, cohort, panel.province)
    for estimator in ("callaway_santanna", "borusyak"):
        result = fit_panel(
            panel, estimator=estimator, vcov=("city", "province_jackknife"), permutations=0
        )
        lines = {(e.vcov, e.event_time): e for e in result.estimates if e.term in ("att", "event")}
        assert lines["province_jackknife", None].std_error > 0
        # only the cohort of province 0 reaches event time 2: three pilots, and nothing without them
        assert lines["province_jackknife", 2].std_error is None
