"""Group-time effects that are right if either the outcome or the propensity model is.

Sant'Anna and Zhao 2020 (logit by maximum likelihood, least squares on never-treated pairs), within
Callaway and Sant'Anna 2021.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..engines.cells import (
    Cells,
    aggregate,
    aggregation_weights,
    build_cells,
    cell_members,
    cell_terms,
)
from ..influence.influence_fit import InfluenceFit, sum_by_city
from ..influence.jackknife import Refits
from ..influence.jackknife_df import design_df
from ..panel.fit_sample import FitSample, require_contrast
from ..results import NotEstimable
from .fitted import Fitted, Inputs
from .group_time import comparable_sample, influence_fits
from .registry import Estimator

MAX_STEPS = 50
# a never-treated pair above this would weigh 200 times as much as one with even chances, and gets
# no weight
MAX_PROPENSITY = 0.995
# a never-treated pair above this weighs nine times as much as one with even chances: a warning
HIGH_PROPENSITY = 0.9


def fit(estimator: Estimator, sample: FitSample, inputs: Inputs) -> Fitted:
    """Fit with the panel's controls of the first year as covariates: give such as do not vary; the
    overlap is in the diagnostics.

    Raises
    ------
    NotEstimable
        If the panel has no controls, or as `fit_doubly_robust`.
    """
    if sample.panel.controls is None:
        raise NotEstimable("doubly_robust needs at least one control, fixed in time, with its name")
    covariates = sample.panel.controls[:, :, 0]
    sample = comparable_sample(sample)
    sample = dataclasses.replace(sample, kept=sample.kept & np.isfinite(covariates).all(axis=0))
    require_contrast(sample)
    fits, overlap = fit_doubly_robust(sample, covariates)
    warnings = tuple(
        f"Cohort {year}: a never-treated pair has the propensity {value:.2f} of being in it; the "
        "comparison leans on few pairs."
        for year, value in overlap.items()
        if value > HIGH_PROPENSITY
    )
    diagnostics = tuple(
        ("largest_propensity_of_never", year, value) for year, value in overlap.items()
    )
    return Fitted(sample, fits, diagnostics=diagnostics, warnings=warnings)


@dataclass(frozen=True)
class CohortFit:
    """Effects of one cohort on its L comparisons of two years, and their influence.

    Attributes
    ----------
    effects : (L,) float array
    psi : (n, L) float array
        Influence of each pair of the cohort and each never-treated pair, in the order they were
        given; effects - truth is about its sum.
    weights : (n,) float array
        Weight of each pair's change in the effects, given the propensities.
    largest : float
        Largest propensity of a never-treated pair.
    """

    effects: np.ndarray
    psi: np.ndarray
    weights: np.ndarray
    largest: float


def fit_propensity(x: np.ndarray, treated: np.ndarray) -> np.ndarray | None:
    """Logit coefficients (K,) of `treated` (n,) on x (n, K) by Newton's method; None where the
    likelihood has no maximum.
    """
    beta = np.zeros(x.shape[1])
    for _ in range(MAX_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -500, 500)))
        hessian = x.T @ (x * (p * (1 - p))[:, None])
        gradient = x.T @ (treated - p)
        if not np.isfinite(hessian).all() or np.linalg.cond(hessian) > 1e12:
            return None
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return beta
    return None


def fit_cohort(changes: np.ndarray, x: np.ndarray, treated: np.ndarray) -> CohortFit | None:
    """Doubly robust effects of one cohort against never-treated pairs.

    Parameters
    ----------
    changes : (n, L) float array
        Changes of the outcome between the two years of each comparison.
    x : (n, K) float array
        Covariates with a constant.
    treated : (n,) bool array

    Returns
    -------
    CohortFit or None
        None where the propensity or the regression on never-treated pairs is not identified.
    """
    n = len(treated)
    d = treated.astype(float)
    beta = fit_propensity(x, d)
    gram = x[~treated].T @ x[~treated] / n
    if beta is None or np.linalg.cond(gram) > 1e12:
        return None
    p = 1 / (1 + np.exp(-(x @ beta)))
    w_treated = d
    w_never = np.where(treated | (p > MAX_PROPENSITY), 0.0, p / (1 - p))
    inverse = np.linalg.inv(gram)
    rest = changes - x @ (inverse @ (x[~treated].T @ changes[~treated] / n))
    eta_treated, eta_never = (w @ rest / w.sum() for w in (w_treated, w_never))
    of_propensity = (d - p)[:, None] * x @ np.linalg.inv(x.T @ (x * (p * (1 - p))[:, None]) / n)
    slope = x.T @ (w_never[:, None] * (rest - eta_never)) / n
    treated_part = _weighted_part(w_treated, rest, eta_treated, d, x, inverse)
    never_part = (
        _weighted_part(w_never, rest, eta_never, d, x, inverse)
        + of_propensity @ slope / w_never.mean()
    )
    psi = (treated_part - never_part) / n
    shares = w_treated / w_treated.sum() - w_never / w_never.sum()
    # never-treated pairs also carry the regression that both means are taken less of
    weights = shares - np.where(treated, 0.0, x @ (inverse @ (shares @ x)) / n)
    return CohortFit(eta_treated - eta_never, psi, weights, float(p[~treated].max()))


def _weighted_part(w, rest, eta, d, x, inverse) -> np.ndarray:
    """Influence of a weighted mean of residuals, the outcome regression on never-treated pairs
    included; shape (n, L).
    """
    through_outcome = ((1 - d) * (x @ (inverse @ (w @ x / len(w)))))[:, None] * rest
    return (w[:, None] * (rest - eta) - through_outcome) / w.mean()


def fit_doubly_robust(
    sample: FitSample, covariates: np.ndarray
) -> tuple[tuple[InfluenceFit, ...], dict[str, float]]:
    """Return all group-time effects and their aggregates, one fit for each outcome of the sample.

    Parameters
    ----------
    sample : FitSample
        Balanced in its kept pairs.
    covariates : (K, P) float array
        Of every pair, without a constant; finite for kept pairs.

    Returns
    -------
    fits : tuple of InfluenceFit
        Terms `att`, `event` and `group_time`. Refits without a province estimate everything anew;
        those without a city are first-order: the estimate less the city's influence.
    overlap : dict
        Largest propensity of a never-treated pair by cohort year.

    Raises
    ------
    NotEstimable
        If a kept pair misses a year, or no cohort can be compared.
    """
    if not sample.is_balanced:
        raise NotEstimable(
            "doubly_robust needs every kept pair in every year: leave pairs with gaps out"
        )
    cells = build_cells(sample.group_years, sample.panel.years, "varying")
    x = _with_constant(covariates[:, sample.kept])
    kept = np.flatnonzero(sample.kept)
    effects, psi, of_changes, overlap = _all_cells(sample, cells, kept, x)
    found = np.isfinite(effects[0])
    if not (found & (cells.event_time >= 0)).any():
        raise NotEstimable(
            "doubly_robust: no cohort can be compared with never-treated pairs that are like it; "
            "give fewer controls"
        )
    cells, effects, psi = cells.take(found), effects[:, found], psi[:, :, found]
    terms = cell_terms(cells, sample.group_years, with_cells=True)
    members = cell_members(cells, sample.group_years, terms)
    weights = aggregation_weights(_cell_sizes(sample, cells, kept)[None], members)
    refits = _without_provinces(
        sample,
        cells,
        (kept, x),
        members,
        _shock_weights(sample, cells, kept, of_changes, weights[0]),
    )
    estimates = [aggregate(row[None], weights)[0] for row in effects]
    influence = [of_pairs @ weights[0] for of_pairs in psi]
    named = (terms, range(len(terms)))
    # without refits by city: these are first-order
    both = [(of_provinces, None) for of_provinces in refits]
    return influence_fits(sample, cells, members, named, estimates, influence, both), overlap


def _with_constant(covariates: np.ndarray) -> np.ndarray:
    """Return constant and covariates of mean zero and scale one, which leaves every effect as it
    is; shape (n, K + 1).
    """
    centred = covariates - covariates.mean(axis=1, keepdims=True)
    scale = centred.std(axis=1, keepdims=True)
    return np.vstack([np.ones(covariates.shape[1]), centred / np.where(scale > 0, scale, 1.0)]).T


def _all_cells(
    sample: FitSample, cells: Cells, pairs: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """Return effects (M, cells) on the given pairs, influence (M, n, cells), weights of changes in
    the effects of each cohort (n, G + 1), and overlap by cohort; NaN where a cohort is not
    identified.
    """
    n_outcomes = len(sample.outcomes)
    group = sample.pair_group[pairs]
    of_changes = np.zeros((len(pairs), sample.n_groups))
    effects = np.full((n_outcomes, len(cells)), np.nan)
    psi = np.zeros((n_outcomes, len(pairs), len(cells)))
    overlap = {}
    for g in np.unique(cells.group):
        of_cohort = np.flatnonzero(cells.group == g)
        rows = np.flatnonzero((group == g) | (group == 0))
        treated = group[rows] == g
        if not treated.any() or treated.all():
            continue
        y = sample.panel.y[list(sample.outcomes)][:, pairs[rows]]
        changes = y[:, :, cells.year[of_cohort]] - y[:, :, cells.base[of_cohort]]
        fit = fit_cohort(changes.transpose(1, 0, 2).reshape(len(rows), -1), x[rows], treated)
        if fit is None:
            continue
        effects[:, of_cohort] = fit.effects.reshape(n_outcomes, -1)
        of_changes[rows, g] = fit.weights
        psi[:, rows[:, None], of_cohort[None, :]] = fit.psi.reshape(
            len(rows), n_outcomes, -1
        ).transpose(1, 0, 2)
        overlap[str(sample.group_years[g - 1])] = fit.largest
    return effects, psi, of_changes, overlap


def _cell_sizes(sample: FitSample, cells: Cells, pairs: np.ndarray) -> np.ndarray:
    """Return pairs of each cell's cohort; shape (cells,)."""
    return np.bincount(sample.pair_group[pairs], minlength=sample.n_groups)[cells.group].astype(
        float
    )


def _without_provinces(
    sample: FitSample,
    cells: Cells,
    pairs: tuple[np.ndarray, np.ndarray],
    members: np.ndarray,
    shock_weights: np.ndarray,
) -> list[Refits | None]:
    """Return refits without each province that leaves a pilot, by outcome, from pairs with
    covariates and the whole sample's shock weights.
    """
    panel = sample.panel
    kept, x = pairs
    if panel.province is None:
        return [None] * len(sample.outcomes)
    names, needed, estimates, deviations = [], [], [], []
    for name in np.unique(panel.province):
        outside = (panel.province[panel.city_i[kept]] != name) & (
            panel.province[panel.city_j[kept]] != name
        )
        if outside.all():
            continue
        if not (sample.pair_group[kept[outside]] > 0).any():
            needed.append(name)
            continue
        effects, _, of_changes, _ = _all_cells(sample, cells, kept[outside], x[outside])
        weights = aggregation_weights(_cell_sizes(sample, cells, kept[outside])[None], members)
        names.append(name)
        estimates.append([aggregate(row[None], weights)[0] for row in effects])
        deviations.append(
            shock_weights - _shock_weights(sample, cells, kept[outside], of_changes, weights[0])
        )
    if not names:
        return [
            Refits(np.array(names), np.zeros((0, members.shape[1])), needed=tuple(needed))
            for _ in sample.outcomes
        ]
    df = design_df(shock_weights, np.array(deviations))
    return [
        Refits(np.array(names), np.array(estimates)[:, m], lambda: df, tuple(needed))
        for m in range(len(sample.outcomes))
    ]


def _shock_weights(
    sample: FitSample, cells: Cells, pairs: np.ndarray, of_changes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return weights (N, T, C) of cities' shocks in the terms, the propensities held fixed, from
    those of changes and of cells.
    """
    by_city = sum_by_city(
        of_changes, sample.panel.city_i[pairs], sample.panel.city_j[pairs], sample.panel.n_cities
    )
    of_shocks = np.zeros((sample.panel.n_cities, len(sample.panel.years), weights.shape[1]))
    for k in range(len(cells)):
        share = by_city[:, cells.group[k], None] * weights[k]
        of_shocks[:, cells.year[k]] += share
        of_shocks[:, cells.base[k]] -= share
    return of_shocks
