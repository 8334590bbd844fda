"""Relabellings, p values and critical values by their definitions, draws in chunks; draws
against refits by the plain code and, under exposure to both units and treatment by pair,
against a literal loop over dummies.
"""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from estimation.engines.regressors import DESIGNS, event_study_design, twfe_design
from estimation.estimators.fitted import Inputs
from estimation.estimators.group_time import GroupTimeDraws
from estimation.estimators.registry import names
from estimation.estimators.two_way import LeastSquaresDraws
from estimation.fit_panel import fit_outcomes, strata_of
from estimation.inference.diagnostics import coefficients
from estimation.inference.permutation.assignments import (
    count_relabellings,
    draw_or_enumerate,
    draw_relabellings,
    enumerate_relabellings,
    fixed_labels,
)
from estimation.inference.permutation.draws import (
    CHUNK,
    critical_value,
    enough_after,
    permutation_p_value,
    run_in_chunks,
)
from estimation.inference.permutation.permute import permute
from estimation.options import Options
from estimation.panel.fit_sample import before_last_cohort, build_sample
from tests.estimation.panels import (
    CASES,
    assert_draw_is_fit,
    estimates_of,
    fitted,
    of_pair_dummies,
    random_panel,
    summed_by_city,
)
from tests.estimation.parity import agrees


@pytest.mark.parametrize("is_enumeration", [False, True])
def test_p_value_and_critical_value_follow_their_definitions(is_enumeration):
    drawn = np.array([0.5, 2.0, 1.0, 3.0, 2.0 - 1e-12, np.nan] + [0.1] * 93)
    total = len(drawn) if is_enumeration else len(drawn) + 1
    # at least 2.0: 2.0, 3.0, the one within 1e-9 and the undefined one
    assert (
        permutation_p_value(2.0, drawn, is_enumeration)
        == ((0 if is_enumeration else 1) + 4) / total
    )
    ordered = sorted([0.5, 2.0, 1.0, 3.0, 2.0 - 1e-12, math.inf] + [0.1] * 93)
    assert critical_value(drawn, is_enumeration) == ordered[math.ceil(0.95 * total) - 1]
    assert critical_value(drawn[:10], False) == math.inf


@pytest.mark.parametrize(("total", "is_finite"), [(1, False), (4, False), (19, False), (20, True)])
def test_an_enumeration_that_cannot_reject_has_no_critical_value(total, is_finite):
    assert math.isfinite(critical_value(np.arange(total, dtype=float), True)) == is_finite


def test_the_interval_excludes_zero_exactly_where_p_is_at_most_five_per_cent():
    hits = 0
    for seed in range(8):
        panel = random_panel(seed)
        panel.y[:, panel.cohort > 0] += 1.2 * (
            panel.years >= panel.cohort[panel.cohort > 0][:, None]
        )
        line = estimates_of(
            fit_outcomes(panel, estimators=("twfe",), permutations=199)["twfe", 0], "permutation"
        )["treated", None]
        excludes = line.ci_low > 0 or line.ci_high < 0
        assert excludes == (line.p_value <= 0.05)
        hits += excludes
    assert 0 < hits < 8


@pytest.mark.parametrize("threads", ["1", "3"])
def test_chunks_cover_every_draw_once(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setenv("CITYSYNC_THREADS", threads)
    runs = np.zeros(2 * CHUNK + 1, dtype=int)

    def run(part: slice) -> None:
        runs[part] += 1

    run_in_chunks(len(runs), run)
    assert (runs == 1).all()


def test_draws_end_where_they_decide() -> None:
    """The p of a coefficient whose draws end early is that of its first draws alone."""
    panel = random_panel(4, n_cities=24, n_pilots=8)
    event = panel.years - np.where(panel.cohort > 0, panel.cohort, 9999)[:, None]
    panel = dataclasses.replace(panel, y=panel.y + 3.0 * (event == 1))
    given = {"vcov": ("permutation",), "permutations": 999, "shuffle": "all"}
    every = fit_outcomes(panel, **given)["event_study", 0]
    some = fit_outcomes(panel, enough=30, **given)
    # draws that others need beside them do not count
    alone = fit_outcomes(panel, estimators=("event_study",), enough=30, **given)
    assert repr(alone["event_study", 0]) == repr(some["event_study", 0])
    ends = [one.draws for one in some["event_study", 0].estimates]
    assert min(ends) < 499 and max(ends) == 999
    for ours, theirs in zip(some["event_study", 0].estimates, every.estimates, strict=True):
        assert ours.estimate == theirs.estimate and theirs.draws == 999
        if ours.draws < 999:
            assert ours.p_value == pytest.approx(31 / (1 + ours.draws))
            assert ours.p_value == pytest.approx(theirs.p_value, abs=6 * theirs.p_value / 30**0.5)
        else:
            assert ours.p_value == theirs.p_value


def test_a_joint_test_is_drawn_on_where_the_draws_of_its_terms_have_ended() -> None:
    panel = random_panel(1, n_cities=30, n_pilots=8)
    event = panel.years - np.where(panel.cohort > 0, panel.cohort, 9999)[:, None]
    shift = 1.5 * (event == -2) - 1.5 * (event == -3)
    panel = dataclasses.replace(panel, y=panel.y + shift)
    given = {"vcov": ("permutation",), "permutations": 499, "shuffle": "all"}
    fits = [
        fit_outcomes(panel, enough=n, enough_of_tests=of_tests, **given)["event_study", 0]
        for n, of_tests in ((None, None), (5, 5), (None, 5))
    ]
    assert max(one.draws for one in fits[1].estimates) < 200
    assert {one.draws for one in fits[2].estimates} == {499}
    unread = fit_outcomes(panel, enough_of={("event_study", 0): 0}, **given)["event_study", 0]
    assert {one.draws for one in unread.estimates} == {249}
    assert [name.startswith("honest_") for name, _, _ in unread.diagnostics].count(True) == 0
    joint = [
        value
        for fit in fits
        for name, _, value in fit.diagnostics
        if name == "joint_leads_permutation_p"
    ]
    assert joint[0] == joint[1] == joint[2] < 0.005


@pytest.mark.parametrize(
    ("enough", "extreme", "after"),
    [(100, 50, 600), (100, 101, 100), (100, 0, math.inf), (None, 300, math.inf), (0, 0, 300)],
)
def test_draws_end_with_the_hundredth_as_extreme(
    enough: int | None, extreme: int, after: float
) -> None:
    drawn = np.concatenate([np.full(extreme, 2.0), np.zeros(300 - extreme)])
    assert enough_after(1.0, drawn, enough) == after


def test_relabellings_stay_within_strata_and_are_equally_likely():
    labels, strata = np.array([1, 0, 0, 2, 1, 0, 0]), np.array([0, 0, 0, 1, 1, 1, 2])
    assert count_relabellings(labels, strata) == 3 * 6
    every = enumerate_relabellings(labels, strata)
    assert len({tuple(row) for row in every.tolist()}) == len(every) == 18
    assert labels.tolist() in every.tolist()
    drawn = draw_relabellings(labels, strata, 4000, seed=5)
    assert (drawn != draw_relabellings(labels, strata, 4000, seed=6)).any()
    for stratum in (0, 1, 2):
        members = strata == stratum
        assert (np.sort(drawn[:, members], axis=1) == np.sort(labels[members])).all()
    # uniform: each of the 18 about 222 times
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 18
    assert counts.min() > 160
    np.testing.assert_array_equal(np.flatnonzero(fixed_labels(labels, strata)), [6])
    # all are taken where there are no more of them than draws
    for n_draws, is_all in ((19, True), (18, False)):
        found, is_enumeration = draw_or_enumerate(labels, strata, n_draws, 5)
        assert is_enumeration is is_all
        expected = every if is_all else draw_relabellings(labels, strata, n_draws, 5)
        np.testing.assert_array_equal(found, expected)


def _by_city(panel, label, sample):
    """Group of each pair: that of the later of its two admissions."""
    years = np.where(label > 0, sample.group_years[label - 1], 0)
    first, second = years[panel.city_i], years[panel.city_j]
    start = np.where((first > 0) & (second > 0), np.maximum(first, second), 0)
    return np.where(start > 0, np.searchsorted(sample.group_years, start) + 1, 0)


def _literal(panel, group, x, observed):
    """Coefficients and sqrt of the summed squared city scores of one assignment, by dummies of
    pairs and years.
    """
    estimate, psi = of_pair_dummies(panel, observed, np.moveaxis(x[group], -1, 0))
    of_city = summed_by_city(panel, psi, observed.any(axis=1))
    return estimate, np.sqrt((of_city**2).sum(axis=0))


def _by_pair(seed: int, n_outcomes: int = 1, **settings):
    """A panel in which agreements of pairs are drawn among a third of the units."""
    one = random_panel(seed, n_years=6, n_outcomes=n_outcomes, **settings)
    generator = np.random.default_rng(seed)
    members = (one.city_i < one.n_cities // 3) & (one.city_j < one.n_cities // 3)
    first = np.where(generator.random(one.n_pairs) < 0.7, generator.choice([2013, 2014]), 0)
    given = {"city_cohort": np.zeros(one.n_cities, dtype=int), "pilots_known": False}
    return dataclasses.replace(one, cohort=np.where(members, first, 0), **given)


def _by_place(panel, place, sample):
    """Group of each pair: that of the pair whose places its units have."""
    ends = zip(panel.city_i.tolist(), panel.city_j.tolist(), strict=True)
    pairs = [frozenset(pair) for pair in ends]
    group_of = dict(zip(pairs, sample.pair_group, strict=True))
    return np.array([group_of[frozenset(place[list(pair)].tolist())] for pair in pairs])


BOTH = random_panel(3, n_cities=12, n_pilots=6, n_years=6, missing=0.05, n_controls=1)
#: Panel, strata, what is permuted among the units, and the groups of pairs that a draw gives: units
#: trade labels, or places with all of their treated pairs.
PERMUTED = {
    "labels": (
        dataclasses.replace(BOTH, cohort=None, exposure="both"),
        np.zeros(12, dtype=int),
        lambda sample: sample.city_group,
        _by_city,
    ),
    "places": (
        _by_pair(3, n_cities=12, missing=0.05, n_controls=1),
        np.arange(12) % 2,
        lambda _: np.arange(12),
        _by_place,
    ),
}


@pytest.mark.parametrize(
    "design", [twfe_design, lambda years, t: event_study_design(years, t, -1, (-2, 1))]
)
@pytest.mark.parametrize("permuted", PERMUTED)
def test_draws_are_those_of_a_literal_loop(permuted, design):
    panel, strata, of_unit, groups_of = PERMUTED[permuted]
    sample = build_sample(panel, (0,), None)
    made = design(sample.group_years, panel.years)
    model = LeastSquaresDraws(Inputs(sample).statistics, made)
    found = permute(sample, model, strata, Options(permutations=8, seed=5))[0]
    drawn, _ = draw_or_enumerate(of_unit(sample), strata, 8, 5)
    usable = sample.observed & sample.candidate[:, None]
    for draw in range(8):
        group = groups_of(panel, drawn[draw], sample)
        estimate, score = _literal(panel, group, made.x, usable)
        what = "permutation, estimate of each draw"
        agrees(what, "refit of each draw with dummies", found.coefficient[draw], estimate, abs=1e-9)
        assert found.statistic[draw] == pytest.approx(np.abs(estimate) / score, rel=1e-6)


def test_the_permutation_of_places_holds_its_size_and_needs_all_pairs():
    panel = _by_pair(5, n_outcomes=200, n_cities=24)
    found = fit_outcomes(panel, estimators=("twfe",), shuffle="all", permutations=199)
    p_values = [e.p_value for fit in found.values() for e in fit.estimates if e.draws]
    # three standard errors of a share of 5 % over 200 outcomes are 4.6 points
    assert len(p_values) == 200 and 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.1
    part = dataclasses.replace(panel.of_pairs(panel.city_j < 23), y=panel.y[:1, panel.city_j < 23])
    assert [e.vcov for e in fit_outcomes(part)["twfe", 0].estimates] == ["dyadic"]


N_DRAWS = 5
LEAST_SQUARES, GROUP_TIME = ("twfe", "event_study"), names("family", "group_time")
LATER = {"control_pairs": "not_yet_treated"}
#: What lies in the panel, rules of the sample, and estimators; those of groups and times have draws
#: in balanced panels without controls.
DRAWN = {
    **{
        f"{case}, {rule}": (options, rule, LEAST_SQUARES)
        for case, options in CASES.items()
        for rule in ({}, {"tie_quantile": 0.5}, {"tie_quantile": 0.3}, {"n_partners": 4})
    },
    "group-time, all pairs": ({}, {}, GROUP_TIME),
    "group-time, strong ties": ({}, {"tie_quantile": 0.5}, GROUP_TIME),
    "group-time, later pairs": ({}, LATER, GROUP_TIME),
    "group-time, no never-treated": ({}, LATER, GROUP_TIME),
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(n, marks=pytest.mark.full if n.startswith(("few_gaps", "controls")) else ())
        for n in DRAWN
    ],
)
def test_draws_equal_refits_under_the_drawn_labels(case):
    options, rules, estimators = DRAWN[case]
    # 30 cities, ten provinces: the joint test of the leads has degrees of freedom
    panel = random_panel(1, n_cities=30, n_pilots=9, n_outcomes=2, **options)
    strata, tie_quantile = np.arange(30) % 2, rules.get("tie_quantile")
    if "no never-treated" in case:
        panel = panel.of_pairs(panel.cohort > 0)
        strata = strata_of(build_sample(panel, (0, 1), None), "all")
        panel = before_last_cohort(build_sample(panel, (0, 1), None))
    sample = build_sample(panel, (0, 1), **{"tie_quantile": None} | rules)
    inputs, models = Inputs(sample), {}
    for name in estimators:
        if name in GROUP_TIME:
            models[name] = GroupTimeDraws(sample, name, inputs)
        else:
            design = DESIGNS[name](sample.group_years, panel.years)
            models[name] = LeastSquaresDraws(inputs.statistics, design)
        _, (fit, _) = fitted(panel, name, **rules)
        leads = fit.columns[coefficients.tested_leads(sample, fit, -1)][2:]
        models[name].tests = {"leads": leads} if len(leads) else {}
    settings = Options(permutations=N_DRAWS, seed=11)
    draws = {name: permute(sample, model, strata, settings) for name, model in models.items()}
    labels = draw_relabellings(sample.city_group, strata, N_DRAWS, 11)
    assert (labels != sample.city_group).any()
    years = np.concatenate([[0], sample.group_years])[labels]
    for b, name in itertools.product(range(N_DRAWS), estimators):
        changed = dataclasses.replace(panel, city_cohort=years[b], cohort=None)
        redrawn, fits = fitted(changed, name, **rules)
        if tie_quantile is not None:
            eligible = redrawn.candidate & (redrawn.pair_group >= 0)
            strong = panel.tie > np.quantile(panel.tie[eligible], tie_quantile)
            np.testing.assert_array_equal(redrawn.kept, eligible & strong)
        for m, fit in enumerate(fits):
            assert_draw_is_fit(draws[name][m], b, fit, models[name].tests)


def test_one_outcome_gives_the_same_alone_and_beside_others():
    panel = random_panel(3, n_outcomes=2, missing=0.1)
    other = panel.y.copy()
    other[1, :60, 3] = np.nan
    together = fit_outcomes(dataclasses.replace(panel, y=other), permutations=200, tie_quantile=0.5)
    for m in (0, 1):
        alone = fit_outcomes(
            dataclasses.replace(panel, y=other[m]), permutations=200, tie_quantile=0.5
        )
        assert alone["twfe", 0] == together["twfe", m]
        assert alone["event_study", 0] == together["event_study", m]
    assert together["twfe", 1].n_obs < together["twfe", 0].n_obs
