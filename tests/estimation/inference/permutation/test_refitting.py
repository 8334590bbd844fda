"""Draws of two-way fits against refits by the plain code and, under exposure to both units and
treatment by pair, against a literal loop over dummies.
"""

import dataclasses

import numpy as np
import pytest

from estimation.engines.arrays import pair_statistics
from estimation.engines.regressors import DESIGNS, event_study_design, twfe_design
from estimation.estimators.fitted import Inputs
from estimation.estimators.two_way import LeastSquaresDraws, fit_least_squares
from estimation.fit import fit_outcomes
from estimation.inference.permutation.assignments import draw_or_enumerate, draw_relabellings
from estimation.inference.permutation.permute import permute
from estimation.options import Options
from estimation.panel.fit_sample import build_sample
from tests.estimation.panels import assert_draw_is_fit, random_panel


def _by_city(panel, label, group_years):
    """Group of each pair: that of the later of its two admissions."""
    years = np.where(label > 0, group_years[label - 1], 0)
    first, second = years[panel.city_i], years[panel.city_j]
    start = np.where((first > 0) & (second > 0), np.maximum(first, second), 0)
    return np.where(start > 0, np.searchsorted(group_years, start) + 1, 0)


def _literal(panel, group, x, observed):
    """Coefficients and sqrt of the summed squared city scores of one assignment, by dummies of
    pairs and years.
    """
    rows = np.argwhere(observed)
    regressors = np.stack([x[group[p], t] for p, t in rows])
    dummies = np.zeros((len(rows), panel.n_pairs + len(panel.years) - 1))
    for k, (p, t) in enumerate(rows):
        dummies[k, p] = 1
        if t:
            dummies[k, panel.n_pairs + t - 1] = 1
    y = np.array([panel.y[0, p, t] for p, t in rows])
    controls = np.stack([[c[p, t] for c in panel.controls] for p, t in rows])
    nuisance = np.column_stack([dummies, controls])
    residual_x = regressors - nuisance @ np.linalg.lstsq(nuisance, regressors, rcond=None)[0]
    theta = np.linalg.lstsq(np.column_stack([regressors, nuisance]), y, rcond=None)[0]
    residual = y - np.column_stack([regressors, nuisance]) @ theta
    by_pair = np.zeros((panel.n_pairs, x.shape[2]))
    np.add.at(by_pair, rows[:, 0], residual_x * residual[:, None])
    psi = by_pair @ np.linalg.inv(residual_x.T @ residual_x)
    cities = np.zeros((panel.n_cities, x.shape[2]))
    np.add.at(cities, panel.city_i, psi)
    np.add.at(cities, panel.city_j, psi)
    return theta[: x.shape[2]], np.sqrt((cities**2).sum(axis=0))


@pytest.mark.parametrize(
    "design", [twfe_design, lambda years, t: event_study_design(years, t, -1, (-2, 1))]
)
def test_draws_are_those_of_a_literal_loop(design):
    one = random_panel(3, n_cities=12, n_pilots=6, n_years=6, missing=0.05, n_controls=1)
    panel = dataclasses.replace(one, cohort=None, exposure="both")
    sample = build_sample(panel, (0,), None)
    strata = np.zeros(panel.n_cities, dtype=int)
    made = design(sample.group_years, panel.years)
    model = LeastSquaresDraws(Inputs(sample).statistics, made)
    found = permute(sample, {"made": model}, strata, Options(permutations=8, seed=5))["made", 0]
    labels, _ = draw_or_enumerate(sample.city_group, strata, 8, 5)
    usable = sample.observed & sample.candidate[:, None]
    for draw in range(8):
        group = _by_city(panel, labels[draw], sample.group_years)
        estimate, score = _literal(panel, group, made.x, usable)
        assert found.coefficient[draw] == pytest.approx(estimate, rel=1e-7, abs=1e-9)
        assert found.statistic[draw] == pytest.approx(np.abs(estimate) / score, rel=1e-6)


def _by_pair(seed: int, n_outcomes: int = 1, **settings):
    """A panel in which agreements of pairs are drawn among a third of the units."""
    one = random_panel(seed, n_years=6, n_outcomes=n_outcomes, **settings)
    generator = np.random.default_rng(seed)
    members = (one.city_i < one.n_cities // 3) & (one.city_j < one.n_cities // 3)
    first = np.where(generator.random(one.n_pairs) < 0.7, generator.choice([2013, 2014]), 0)
    given = {"city_cohort": np.zeros(one.n_cities, dtype=int), "pilots_known": False}
    return dataclasses.replace(one, cohort=np.where(members, first, 0), **given)


def test_units_trade_places_with_all_of_their_treated_pairs():
    panel = _by_pair(3, n_cities=12, missing=0.05, n_controls=1)
    sample = build_sample(panel, (0,), None)
    strata = np.arange(panel.n_cities) % 2
    made = twfe_design(sample.group_years, panel.years)
    model = LeastSquaresDraws(Inputs(sample).statistics, made)
    found = permute(sample, {"made": model}, strata, Options(permutations=8, seed=5))["made", 0]
    places, _ = draw_or_enumerate(np.arange(12), strata, 8, 5)
    usable = sample.observed & sample.candidate[:, None]
    group_of = {
        frozenset(pair): sample.pair_group[p]
        for p, pair in enumerate(zip(panel.city_i.tolist(), panel.city_j.tolist(), strict=True))
    }
    for draw, place in enumerate(places.tolist()):
        pairs = zip(panel.city_i, panel.city_j, strict=True)
        group = np.array([group_of[frozenset((place[i], place[j]))] for i, j in pairs])
        estimate, score = _literal(panel, group, made.x, usable)
        assert found.coefficient[draw] == pytest.approx(estimate, rel=1e-7, abs=1e-9)
        assert found.statistic[draw] == pytest.approx(np.abs(estimate) / score, rel=1e-6)


def test_the_permutation_of_places_holds_its_size_and_needs_all_pairs():
    panel = _by_pair(5, n_outcomes=200, n_cities=24)
    found = fit_outcomes(panel, estimators=("twfe",), shuffle="all", permutations=199)
    p_values = [e.p_value for fit in found.values() for e in fit.estimates if e.draws]
    # three standard errors of a share of 5 % over 200 outcomes are 4.6 points
    assert len(p_values) == 200 and 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.1
    part = dataclasses.replace(panel.of_pairs(panel.city_j < 23), y=panel.y[:1, panel.city_j < 23])
    assert [e.vcov for e in fit_outcomes(part)["twfe", 0].estimates] == ["dyadic"]


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
