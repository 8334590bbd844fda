"""The doubly robust estimator against statsmodels, published figures and deletion by hand; entropy
balancing against its conditions and a general optimiser, its weighted fit and draws against dummies
written out.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from estimation.estimators.doubly_robust import fit_cohort, fit_doubly_robust, fit_propensity
from estimation.estimators.entropy_balancing import entropy_weights
from estimation.estimators.group_time import comparable_sample
from estimation.fit_panel import fit_outcomes
from estimation.inference.permutation.assignments import draw_relabellings
from estimation.panel.fit_sample import build_sample
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable
from tests.estimation.panels import (
    diagnostic_of,
    of_pair_dummies,
    random_panel,
    summed_by_city,
    treated_years,
)
from tests.estimation.parity import agrees

YEARS = np.arange(2012, 2018)


def city_panel(n_cities=40, seed=4, slope=0.5):
    """Pairs of cities whose trend depends on size, larger cities admitted more often; two
    outcomes.
    """
    rng = np.random.default_rng(seed)
    size = rng.normal(0, 1, n_cities)
    cohort = np.where(
        rng.random(n_cities) < 1 / (1 + np.exp(1.2 - size)), rng.choice([2014, 2016], n_cities), 0
    )
    left, right = np.triu_indices(n_cities, 1)
    x = np.stack([(size[left] + size[right]) / 2, np.abs(rng.normal(0, 1, left.size))])
    first = np.maximum(cohort[left], cohort[right])
    treated = (first[:, None] > 0) & (first[:, None] <= YEARS)
    y = (
        slope * x[0][:, None] * (YEARS - 2012)
        + 0.3 * treated
        + rng.normal(0, 0.3, (2, left.size, YEARS.size))
    )
    controls = np.repeat(x[:, :, None], YEARS.size, axis=2)
    return PairPanel(
        left, right, YEARS, y, cohort, province=np.arange(n_cities) // 4, controls=controls
    )


def by_statsmodels(change, x, treated):
    """ATT of Sant'Anna and Zhao (2020), equation 2.6, from a logit and a regression of another
    package.
    """
    p = sm.Logit(treated.astype(float), x).fit(disp=0, tol=1e-12).predict(x)
    fitted = x @ sm.OLS(change[~treated], x[~treated]).fit().params
    w_treated, w_never = treated / treated.mean(), np.where(treated, 0, p / (1 - p))
    return ((w_treated - w_never / w_never.mean()) * (change - fitted)).mean()


@pytest.fixture(scope="module")
def fitted():
    panel = city_panel()
    sample = comparable_sample(build_sample(panel, (0, 1), None))
    return panel, sample, fit_doubly_robust(sample, panel.controls[:, :, 0])[0]


def test_every_group_time_effect_equals_statsmodels(fitted):
    panel, sample, fits = fitted
    kept, group = sample.kept, sample.pair_group
    for m in (0, 1):
        for (term, cohort, event), estimate in zip(fits[m].terms, fits[m].estimate, strict=True):
            if term != "group_time":
                continue
            rows = kept & ((group == 0) | (panel.cohort == cohort))
            t = cohort + event - YEARS[0]
            base = cohort - 1 - YEARS[0] if event >= 0 else t - 1
            x = np.column_stack([np.ones(rows.sum()), panel.controls[:, rows, 0].T])
            expected = by_statsmodels(
                panel.y[m, rows, t] - panel.y[m, rows, base], x, panel.cohort[rows] == cohort
            )
            reference = "{statsmodels}, Logit and OLS of each cohort and year"
            agrees("`doubly_robust`", reference, estimate, expected, rel=1e-7)


def test_influence_is_what_deleting_a_pair_does():
    rng = np.random.default_rng(6)
    n = 400
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    treated = rng.random(n) < 1 / (1 + np.exp(1 - 0.8 * x[:, 1]))
    change = (
        x @ [[0.0], [0.5], [0.2]]
        + 0.3 * treated[:, None]
        + rng.normal(size=(n, 1))
        + 0.4 * x[:, 1:2] ** 2
    )
    # fifty copies of every pair: deleting one of them is a step small enough for the slope to tell
    copies = 50
    change, x, treated = (np.tile(a, (copies, *[1] * (a.ndim - 1))) for a in (change, x, treated))
    fit = fit_cohort(change, x, treated)
    chosen = np.arange(0, n, 20)
    deleted = [
        fit_cohort(np.delete(change, p, 0), np.delete(x, p, 0), np.delete(treated, p)).effects[0]
        for p in chosen
    ]
    assert_allclose(
        fit.effects[0] - np.array(deleted),
        fit.psi[chosen, 0],
        rtol=0.01,
        atol=1e-3 * np.abs(fit.psi).max(),
    )
    assert fit.psi.sum() == pytest.approx(0, abs=1e-10)


def test_without_a_city_the_estimate_moves_by_its_influence(fitted):
    panel, _, fits = fitted
    cities, overall = fits[0].cities, fits[0].terms.index(("att", None, None))
    moves = []
    for c in range(0, panel.n_cities, 5):
        rest = (panel.city_i != c) & (panel.city_j != c)
        sample = comparable_sample(build_sample(panel.of_pairs(rest), (0,), None))
        refit = fit_doubly_robust(sample, panel.controls[:, rest, 0])[0][0]
        at = refit.terms.index(("att", None, None))
        moves.append((refit.estimate[at], cities.estimates[cities.blocks == c, overall].item()))
    refits, first_order = np.array(moves).T - fits[0].estimate[overall]
    assert np.corrcoef(refits, first_order)[0, 1] > 0.9


def test_published_effects_of_the_minimum_wage_data(shared_dir):
    """Callaway and Sant'Anna's package documents -0.0145, -0.0764, -0.1404, -0.1069 for the cohort
    of 2004 given log population.
    """
    data = pd.read_csv(shared_dir / "reference" / "did_benchmarks" / "mpdta.csv")
    wide = data.pivot(index="countyreal", columns="year", values="lemp")
    county = data.groupby("countyreal")[["first.treat", "lpop"]].first().loc[wide.index]
    rows = county["first.treat"].isin([0, 2004]).to_numpy()
    changes = wide[rows][[2004, 2005, 2006, 2007]].to_numpy() - wide[rows][[2003]].to_numpy()
    x = np.column_stack([np.ones(rows.sum()), county["lpop"][rows]])
    fit = fit_cohort(changes, x, (county["first.treat"][rows] == 2004).to_numpy())
    published = [-0.0145, -0.0764, -0.1404, -0.1069]
    reference = "R's did, as it prints the minimum wage panel"
    agrees(
        "`doubly_robust`, published",
        reference,
        fit.effects,
        published,
        abs=5e-5,
        why="four digits are printed",
    )


def test_separated_propensities_are_refused_and_gaps_too():
    x = np.column_stack([np.ones(20), np.r_[np.zeros(10), np.ones(10)]])
    assert fit_propensity(x, x[:, 1]) is None
    assert fit_cohort(np.ones((20, 1)), x, x[:, 1] > 0) is None
    panel = city_panel()
    with pytest.raises(NotEstimable, match="at least one control"):
        fit_outcomes(panel.with_controls(None), estimators=("doubly_robust",))
    panel.y[:, 3, 2] = np.nan
    with pytest.raises(NotEstimable, match="every year"):
        fit_outcomes(panel, estimators=("doubly_robust",), control_names=("a", "b"))


def test_result_has_its_lines_but_no_draws():
    panel = city_panel()
    found = fit_outcomes(
        panel,
        estimators=("doubly_robust",),
        control_names=("size", "other"),
        vcov=("dyadic", "province_jackknife", "permutation"),
    )
    result = found["doubly_robust", 1]
    att = [e for e in result.estimates if e.term == "att"]
    assert [e.vcov for e in att] == ["dyadic", "province_jackknife"] and att[1].is_default
    assert abs(att[0].estimate - 0.3) < 0.1
    assert any("permutation" in text for text in result.warnings)
    diagnostics = {name: value for name, _, value in result.diagnostics}
    assert "largest_propensity_of_never" in diagnostics
    leads = {e.event_time for e in result.estimates if e.term == "event" and e.event_time < 0}
    assert diagnostics["joint_leads_df1"] == len(leads) and diagnostics["joint_leads_p"] <= 1


def covariates(n_cities: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_cities, 2))


def test_weights_balance_with_least_entropy() -> None:
    """Means agree, and no other weights with these means have a smaller Kullback distance from
    equal ones.
    """
    x, is_pilot = covariates(40) + np.array([0.0, 3.0]), np.arange(40) < 10
    weights = entropy_weights(x, is_pilot)
    never = weights[~is_pilot]
    assert (weights[is_pilot] == 1).all()
    assert never.mean() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(
        np.average(x[~is_pilot], axis=0, weights=never), x[is_pilot].mean(axis=0), atol=1e-7
    )
    constraint = {
        "type": "eq",
        "fun": lambda w: np.append(w @ (x[~is_pilot] - x[is_pilot].mean(axis=0)), w.sum() - 1),
    }
    found = minimize(
        lambda w: (w * np.log(30 * w)).sum(),
        np.full(30, 1 / 30),
        constraints=constraint,
        bounds=[(1e-12, 1)] * 30,
        tol=1e-14,
    )
    np.testing.assert_allclose(never / 30, found.x, atol=2e-5)


def test_no_weights_where_the_means_cannot_be_reached() -> None:
    x, is_pilot = covariates(20), np.arange(20) < 5
    x[is_pilot, 0] += 50
    assert entropy_weights(x, is_pilot) is None
    with pytest.raises(NotEstimable, match="fewer covariates"):
        panel = random_panel(2, n_cities=20, n_pilots=5)
        apart = covariates(20) + 50.0 * (panel.city_cohort > 0)[:, None]
        fit_outcomes(
            panel,
            estimators=("entropy_balanced",),
            covariates=apart,
            covariate_names=("a", "b"),
            permutations=0,
        )


def literal(panel, weights: np.ndarray, quantile: float) -> tuple[float, float]:
    """Weighted least squares with every dummy written out, and the studentised statistic by sums
    over cities.
    """
    kept = build_sample(panel, (0,), quantile).kept
    of_pair = weights[panel.city_i] * weights[panel.city_j]
    (b,), psi = of_pair_dummies(panel, kept[:, None], [treated_years(panel)], weight=of_pair)
    return b, abs(b) / np.sqrt((summed_by_city(panel, psi, kept) ** 2).sum())


def test_weighted_fit_and_draws_equal_dummies() -> None:
    """Coefficient, conventional error and each draw, whose weights are made anew; one city lacks a
    covariate and is left out.
    """
    panel, x = random_panel(3, n_cities=24, n_pilots=8), covariates(24)
    never = np.flatnonzero(panel.city_cohort == 0)
    x[never[0], 0] = np.nan
    draws = {"permutations": 20, "seed": 4, "shuffle": "all", "tie_quantile": 0.4}
    covariates_of = {"covariates": x, "covariate_names": ("a", "b")}
    lines = ("conventional", "permutation")
    result = fit_outcomes(
        panel, estimators=("entropy_balanced",), vcov=lines, **covariates_of, **draws
    )["entropy_balanced", 0]
    known = np.isfinite(x).all(axis=1)
    inside = known[panel.city_i] & known[panel.city_j]
    part = panel.of_pairs(inside)

    def literal_of(cohort: np.ndarray) -> tuple[float, float]:
        weights = np.zeros(24)
        weights[known] = entropy_weights(x[known], cohort[known] > 0)
        return literal(dataclasses.replace(part, city_cohort=cohort, cohort=None), weights, 0.4)

    b, t = literal_of(panel.city_cohort)
    assert result.estimates[0].estimate == pytest.approx(b, abs=1e-9)
    assert result.n_cities == 23
    groups = np.searchsorted(np.unique(panel.city_cohort), panel.city_cohort)
    strata = np.where(known, 0, 1)
    drawn = [
        literal_of(np.unique(panel.city_cohort)[label])
        for label in draw_relabellings(groups, strata, 20, 4)
    ]
    p_value = (1 + sum(found >= t - 1e-9 for _, found in drawn)) / 21
    assert {e.vcov: e.p_value for e in result.estimates}["permutation"] == pytest.approx(p_value)
    assert diagnostic_of(result, "permutation_mean_estimate", "treated") == pytest.approx(
        np.mean([found for found, _ in drawn]), abs=1e-9
    )
    assert abs(diagnostic_of(result, "balance_gap_after", "a")) < 1e-6
    assert diagnostic_of(result, "balance_effective_controls") < 15
