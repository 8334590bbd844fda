"""Refits without a province or a city, of every estimator, against fits of the smaller panel; no
jackknife, and a warning, where one loses the coefficient.
"""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import pytest

from estimation.engines.arrays import pair_statistics
from estimation.engines.regressors import DESIGNS
from estimation.estimators.group_time import comparable_sample, fit_group_time
from estimation.estimators.two_way import fit_least_squares
from estimation.fit import ESTIMATORS, fit_panel
from estimation.influence.influence_fit import InfluenceFit
from estimation.panel.fit_sample import build_sample
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.panels import CASES, VARIANCE_ESTIMATORS, random_panel


def fitted(panel: PairPanel, estimator: str, control_pairs: str = "never_treated") -> InfluenceFit:
    """The fit of one outcome without what stands around it."""
    sample = build_sample(panel, (0,), None, control_pairs=control_pairs)
    if estimator not in DESIGNS:
        return fit_group_time(comparable_sample(sample), estimator)[0]
    statistics = pair_statistics(panel.y, panel.controls, sample.observed)
    names = tuple(f"x{k}" for k in range(statistics.layout.n_controls))
    design = DESIGNS[estimator](sample.group_years, panel.years)
    return fit_least_squares(sample, statistics, design, names)[0]


@pytest.mark.parametrize("estimator", [*ESTIMATORS, "against later pairs"])
@pytest.mark.parametrize("case", CASES)
def test_refits_equal_fits_of_the_smaller_panel(case, estimator):
    given = (estimator,)
    if estimator == "against later pairs":
        given = ("callaway_santanna", "not_yet_treated")
    panel = random_panel(6, **CASES[case])
    if given[0] == "callaway_santanna" and "controls" in case:
        with pytest.raises(NotEstimable, match="takes no controls"):
            fitted(panel, *given)
        return
    fit = fitted(panel, *given)
    for refits, of_city in ((fit.provinces, panel.province), (fit.cities, panel.city_ids)):
        for block in refits.blocks[:3]:
            dropped = (of_city[panel.city_i] == block) | (of_city[panel.city_j] == block)
            y = np.where(dropped[:, None], np.nan, panel.y)
            smaller = fitted(dataclasses.replace(panel, y=y, cohort=None), *given)
            expected = dict(zip(smaller.terms, smaller.estimate, strict=True))
            found = refits.estimates[refits.blocks == block][0]
            np.testing.assert_allclose(
                found, [expected.get(term, np.nan) for term in fit.terms], atol=1e-9
            )


YEARS = np.arange(2010, 2018)
N_PROVINCES, CITIES_EACH, IN_PROVINCE = 12, 6, 0.3
PROVINCE = np.arange(N_PROVINCES * CITIES_EACH) // CITIES_EACH


def _shocks(rng: np.random.Generator) -> np.ndarray:
    """Shocks of cities and years of variance one, 30 % of it the province's."""
    of_province = rng.normal(size=(N_PROVINCES, len(YEARS)))[PROVINCE]
    return np.sqrt(IN_PROVINCE) * of_province + np.sqrt(1 - IN_PROVINCE) * rng.normal(
        size=of_province.shape
    )


def _panel(
    cohort: np.ndarray, keeps: Callable[[int, int], bool], rng: np.random.Generator
) -> PairPanel:
    pairs = np.array(
        [pair for pair in itertools.combinations(range(len(PROVINCE)), 2) if keeps(*pair)]
    )
    shocks = _shocks(rng)
    y = shocks[pairs[:, 0]] + shocks[pairs[:, 1]] + 0.5 * rng.normal(size=(len(pairs), len(YEARS)))
    return PairPanel(pairs[:, 0], pairs[:, 1], YEARS, y, cohort, PROVINCE)


def partners_in_one_province(rng: np.random.Generator) -> PairPanel:
    """Eight pilots in eight provinces, tied to the cities of one other province alone; never-pilots
    are tied to one another.
    """
    cohort = np.zeros(len(PROVINCE), dtype=np.int64)
    cohort[np.arange(1, 9) * CITIES_EACH] = 2014
    return _panel(cohort, lambda i, j: PROVINCE[i] == 0 or (cohort[i] == 0 and cohort[j] == 0), rng)


def controls_in_one_province(rng: np.random.Generator) -> PairPanel:
    """No never-treated pair: eight pilots in eight provinces admitted in 2013, the last four, in
    2016, in one other province.
    """
    cohort = np.zeros(len(PROVINCE), dtype=np.int64)
    cohort[np.arange(1, 9) * CITIES_EACH], cohort[:4] = 2013, 2016
    return _panel(cohort, lambda i, j: (cohort[i] > 0) != (cohort[j] > 0), rng)


LOSING = {"partners": partners_in_one_province, "controls": controls_in_one_province}


@pytest.mark.parametrize("estimator", ["twfe", "borusyak", "callaway_santanna"])
@pytest.mark.parametrize("design", LOSING)
def test_no_jackknife_where_one_province_carries_the_estimate(design, estimator):
    panel = LOSING[design](np.random.default_rng(3))
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
