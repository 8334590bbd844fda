"""Entropy balancing against its conditions and a general optimiser; the weighted fit and its draws
against dummies written out.
"""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize

from estimation.estimators.entropy_balancing import entropy_weights
from estimation.fit import fit_outcomes
from estimation.inference.permutation.assignments import draw_relabellings
from estimation.panel.fit_sample import build_sample
from estimation.results import NotEstimable
from tests.estimation.panels import diagnostic_of, random_panel


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
    kept = np.flatnonzero(build_sample(panel, (0,), quantile).kept)
    i, j, n_years = panel.city_i[kept], panel.city_j[kept], len(panel.years)
    pair, year = np.divmod(np.arange(len(kept) * n_years), n_years)
    root = np.sqrt(weights[i] * weights[j])[pair]
    start = panel.cohort[kept][pair]
    x = (start > 0) & (panel.years[year] >= start)
    dummies = np.column_stack([np.eye(len(kept))[pair], np.eye(n_years)[year]]) * root[:, None]
    y, d = panel.y[0, kept].ravel() * root, x * root
    y, d = (v - dummies @ np.linalg.lstsq(dummies, v, rcond=None)[0] for v in (y, d))
    b = d @ y / (d @ d)
    psi = np.bincount(pair, d * (y - b * d)) / (d @ d)
    city = np.bincount(i, psi, panel.n_cities) + np.bincount(j, psi, panel.n_cities)
    return b, abs(b) / np.sqrt((city**2).sum())


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
    part = dataclasses.replace(
        panel,
        city_i=panel.city_i[inside],
        city_j=panel.city_j[inside],
        y=panel.y[:, inside],
        cohort=None,
        tie=panel.tie[inside],
    )

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
