"""Panels in which every pair is treated at last, and controls that are treated later: against
loops, pyfixest, the package diff-diff with a pair as its unit, and refits.
"""

import dataclasses
import functools

import numpy as np
import pyfixest
import pytest
from diff_diff import ImputationDiD

from estimation.estimators.group_time import fit_group_time
from estimation.fit import fit_outcomes, fit_panel
from estimation.panel.fit_sample import before_last_cohort, build_sample
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.panels import (
    VARIANCE_ESTIMATORS,
    derivative,
    estimates_of,
    long_table,
    points,
    random_panel,
)
from tests.estimation.parity import agrees

LATER = "not_yet_treated"
PANELS = {"never": False, "no never": True}
GAPS = {"balanced": 0.0, "gaps": 0.1}


def _panel(seed, *, without_never, **settings) -> PairPanel:
    panel = random_panel(seed, **settings)
    return panel.of_pairs(panel.cohort > 0) if without_never else panel


def _ours(panel, estimator="callaway_santanna", control_pairs=LATER, vcov=(), permutations=0):
    return fit_panel(
        panel,
        estimator=estimator,
        control_pairs=control_pairs,
        vcov=vcov,
        permutations=permutations,
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("gaps", GAPS)
def test_imputation_without_never_treated_against_diff_diff(gaps):

    panel = _panel(6, without_never=True, missing=GAPS[gaps])
    columns = {"outcome": "y", "unit": "pair", "time": "year", "first_treat": "cohort"}
    peer = ImputationDiD().fit(long_table(panel, panel.cohort >= 0), **columns)
    events = peer.aggregate("event_study").to_dataframe().dropna(subset=["att", "se"])
    theirs = dict(zip(events["event_time"].astype(int), events["att"], strict=True))
    # least squares with a coefficient for each cohort and year imputes by cohort, which differs
    # where rows are missing
    for estimator in ("borusyak", "gardner", *(("etwfe",) if gaps == "balanced" else ())):
        found = points(_ours(panel, estimator))
        ours = {e: value for (term, _, e), value in found.items() if term == "event"}
        ours["att"] = found["att", None, None]
        name = f"`{estimator}`, no pair never treated"
        reference = "{diff-diff}, ImputationDiD"
        agrees(name, reference, ours, theirs | {"att": peer.overall_att}, rel=1e-6)


@pytest.mark.parametrize("gaps", GAPS)
def test_two_way_without_never_treated_against_pyfixest(gaps):
    panel = _panel(5, without_never=True, missing=GAPS[gaps])
    peer = pyfixest.feols(
        "y ~ treated | pair + year",
        data=long_table(panel, panel.cohort >= 0),
        vcov={"CRV1": "pair"},
    )
    result = _ours(panel, "twfe", vcov=VARIANCE_ESTIMATORS, permutations=99)
    name = "`twfe`, no pair never treated"
    agrees(name, "{pyfixest}", result.estimates[0].estimate, peer.coef()["treated"], rel=1e-9)
    assert {e.vcov for e in result.estimates} == set(VARIANCE_ESTIMATORS)
    assert any("already treated" in text for text in result.warnings)


def test_saturated_estimators_equal_the_last_cohort_as_control():
    """Sun and Abraham 2021, section 4: without never-treated units the last cohort is the control,
    in the years before its treatment.
    """
    panel = _panel(8, without_never=True)
    cells = {
        (g, e): v
        for (term, g, e), v in points(_ours(panel, "sun_abraham")).items()
        if term == "group_time" and e >= 0
    }
    last, y = panel.cohort.max(), panel.y[0]
    control = y[panel.cohort == last].mean(axis=0)
    assert {g + e for g, e in cells} == set(range(int(panel.cohort.min()), int(last)))
    for (g, e), value in cells.items():
        t, base = np.searchsorted(panel.years, [g + e, g - 1])
        mean = y[panel.cohort == g].mean(axis=0)
        assert value == pytest.approx(mean[t] - mean[base] - control[t] + control[base], abs=1e-10)


@pytest.mark.parametrize("kind", PANELS)
def test_influence_is_the_derivative_by_a_pairs_weight(kind):
    panel = _panel(9, without_never=PANELS[kind], n_cities=12, n_pilots=6)
    if PANELS[kind]:
        panel = before_last_cohort(build_sample(panel, (0,), None))
    sample = build_sample(panel, (0,), None, control_pairs=LATER)
    (fit,) = fit_group_time(sample, "callaway_santanna")
    y, kept = panel.y[0], np.flatnonzero(sample.kept)
    cells = [c for c, (term, _, e) in enumerate(fit.terms) if term == "group_time" and e >= 0]

    def effect(cohort, e, weight):
        t, base = np.searchsorted(panel.years, [cohort + e, cohort - 1])
        sides = (
            panel.cohort == cohort,
            (panel.cohort == 0) | ((panel.cohort > cohort + e) & (panel.cohort != cohort)),
        )
        means = [np.average((y[:, t] - y[:, base])[side], weights=weight[side]) for side in sides]
        return means[0] - means[1]

    for c in cells:
        of_cell = functools.partial(effect, *fit.terms[c][1:])
        for position in range(0, len(kept), 5):
            moved = derivative(of_cell, panel.n_pairs, kept[position])
            assert fit.psi[position, c] == pytest.approx(moved, abs=1e-7)


def test_all_lines_are_given_and_the_sample_is_described():
    panel = _panel(2, without_never=True, n_cities=60, n_pilots=24)
    for estimator in ("callaway_santanna", "borusyak", "gardner", "sun_abraham", "etwfe"):
        result = _ours(panel, estimator, vcov=VARIANCE_ESTIMATORS, permutations=99)
        lines = {name: estimates_of(result, name)["att", None] for name in VARIANCE_ESTIMATORS}
        assert all(
            line.p_value is not None and line.ci_low < line.ci_high for line in lines.values()
        )
        assert lines["province_jackknife"].is_default
        assert (
            lines["city"].n_pilots
            == (panel.city_cohort > 0).sum() - (panel.city_cohort == 2016).sum()
        )
        assert any("the years after 2015" in text for text in result.warnings)


REFUSED = {
    "one cohort": ({"only": (2014,)}, "twfe", "all are first treated in 2014"),
    "nothing before": ({"only": (2014, 2016), "years": slice(4, None)}, "borusyak", "before 2016"),
    "an event study": ({}, "event_study", "not identified"),
    "never-treated pairs are asked for": (
        {},
        "callaway_santanna",
        "--control-group not_yet_treated",
    ),
    "weights by covariates": ({}, "entropy_balanced", "compares with never-treated pairs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_identifies_is_refused(case):
    changes, estimator, message = REFUSED[case]
    panel = _panel(7, without_never=True)
    if "only" in changes:
        panel = panel.of_pairs(np.isin(panel.cohort, changes["only"]))
    if "years" in changes:
        panel = dataclasses.replace(
            panel,
            years=panel.years[changes["years"]],
            y=panel.y[:, :, changes["years"]],
            cohort=None,
        )
    with pytest.raises(NotEstimable, match=message):
        fit_outcomes(
            panel,
            estimators=(estimator,),
            permutations=0,
            covariates=np.ones((panel.n_cities, 1)),
            covariate_names=("x",),
        )
