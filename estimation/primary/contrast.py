"""Weights of scores and years that find a stated effect best, and are blind to what a city has in
every year.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .effects import add_loading, scale_own
from .scores import cm_scores, gap_cut, loading_scores, own_scores, primary_scores
from .statistics import Design, Terms, block_means, make_terms

# Share of the identity in the correlation matrix of scores: keeps its inverse calm where scores
# nearly repeat one another.
RIDGE = 0.1
# Weights are those for an own variance less this share, or a loading more by it; they hardly depend
# on the number.
ALTERNATIVE = 0.45

Changed = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], list[np.ndarray]]


def calmer(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, treated: np.ndarray, size: float
) -> list[np.ndarray]:
    """Own variance less by `size` in treated years: once with loadings of untreated years, once
    with those of all years.
    """
    everything = np.ones(len(years), dtype=bool)
    fitted = [everything] if (treated != 0).all() else [treated == 0, everything]
    return [scale_own(z, m, np.sqrt(1 - size), treated, on) for on in fitted]


def louder_cycle(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, treated: np.ndarray, size: float
) -> list[np.ndarray]:
    """Loading on the cycle more by `size` in treated years."""
    return [add_loading(z, m, size, treated, years)]


def calming_before(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, treated: np.ndarray, size: float
) -> list[np.ndarray]:
    """Own shocks that calm along a line from the first year to the last untreated one, by `size` of
    their variance at its end.
    """
    untreated = treated == 0
    path = np.where(untreated, np.arange(len(years)) / max(int(untreated.sum()) - 1, 1), 0.0)
    return [scale_own(z, m, np.sqrt(1 - size), path, np.ones(len(years), dtype=bool))]


@dataclass(frozen=True)
class Kind:
    """What a test looks for, and in which scores.

    Attributes
    ----------
    name : str
    scores : callable
        (z, m, cut) -> (N, S T) float array, S scores side by side.
    changed : callable
        (z, m, years, treated, size) -> list of (N, T) float arrays: z under the alternative.
    blind_to_loading : bool
        Weights are orthogonal to a loading that differs in all years, too.
    untreated_only : bool
        Only years before admission carry weight.
    error_from_years : bool
        The coefficient is divided by the scatter of the pilots' mean path over the years instead of
        its error across cities and blocks.
    """

    name: str
    scores: Callable[[np.ndarray, np.ndarray, float], np.ndarray]
    changed: Changed
    blind_to_loading: bool = False
    untreated_only: bool = False
    error_from_years: bool = False


PRIMARY = Kind("primary", primary_scores, calmer)
OWN_VARIANCE = Kind("own_variance", own_scores, calmer)
# What several national factors do to pilots of another kind looks like a change of loading; only
# the years show how large that can be.
LOADING = Kind(
    "loading", loading_scores, louder_cycle, blind_to_loading=True, error_from_years=True
)
CALMING_BEFORE = Kind("calming_before", own_scores, calming_before, untreated_only=True)


@dataclass(frozen=True)
class Contrast:
    """Weights by cohort and the terms they give.

    Attributes
    ----------
    terms : Terms
        The coefficient is in units of the alternative: 1 is an effect of its size.
    weights : (C + 1, S T) float array
        Row 0 all 0.
    """

    terms: Terms
    weights: np.ndarray


def efficient_contrast(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, design: Design, kind: Kind
) -> Contrast:
    """The efficient contrast.

    For each cohort c the weights w of the S T scores maximise (w' mu_c)^2 / w' Sigma w among those
    that sum to zero over the years of each score, as city effects make them do. mu_c is the mean
    change of scores when the alternative is imposed on every city as if it belonged to c; Sigma is
    the scores' covariance over all cities, net of block means. Both treat all cities alike, so they
    know nothing of who was admitted and a permutation stays exact. w is not normalised, which
    weighs cohorts by their information.

    Parameters
    ----------
    z, m : (N, T) float arrays
    years : (T,) int array
    design : Design
    kind : Kind

    Returns
    -------
    Contrast
    """
    cut = gap_cut(z, m)
    scores = kind.scores(z, m, cut)
    n_scores, n_years = scores.shape[1] // len(years), len(years)
    net = scores - block_means(scores, design)[design.block]
    covariance = np.einsum("na,nb->ab", net, net) / len(net)
    blind = np.kron(np.eye(n_scores), np.ones((n_years, 1)))
    if kind.blind_to_loading:
        everywhere = mean_shift(z, m, years, np.ones(n_years), kind, ALTERNATIVE, cut)
        blind = np.column_stack([blind, everywhere])
    shifts, weights = (
        np.zeros((len(design.treated), scores.shape[1])),
        np.zeros((len(design.treated), scores.shape[1])),
    )
    for c in range(1, len(design.treated)):
        treated = design.treated[c]
        used = (
            np.tile(treated == 0, n_scores)
            if kind.untreated_only
            else np.ones(scores.shape[1], dtype=bool)
        )
        shifts[c] = np.where(used, mean_shift(z, m, years, treated, kind, ALTERNATIVE, cut), 0.0)
        weights[c, used] = _project(
            _calm_inverse(covariance[np.ix_(used, used)]), shifts[c, used], blind[used]
        )
    values, unit = np.einsum("nt,ct->nc", scores, weights), np.einsum("ct,kt->ck", shifts, weights)
    return Contrast(make_terms(values, unit, design), weights)


def mean_shift(
    z: np.ndarray,
    m: np.ndarray,
    years: np.ndarray,
    treated: np.ndarray,
    kind: Kind,
    size: float,
    cut: float,
) -> np.ndarray:
    """Mean change of a kind's scores over all cities under its alternative of a size, (S T,)."""
    before = kind.scores(z, m, cut)
    parts = [
        (kind.scores(changed, m, cut) - before).mean(axis=0)
        for changed in kind.changed(z, m, years, treated, size)
    ]
    return np.mean(parts, axis=0)


def least_squares_contrast(scores: np.ndarray, design: Design) -> Contrast:
    """Pilot x post with city and block x year effects on scores (N, T): least squares exactly."""
    weights = design.treated - design.treated.mean(axis=1, keepdims=True)
    unit = np.einsum("ct,kt->ck", design.treated, weights)
    return Contrast(make_terms(np.einsum("nt,ct->nc", scores, weights), unit, design), weights)


def cm_contrast(z: np.ndarray, m: np.ndarray, design: Design) -> Contrast:
    """The two-way coefficient of the city's own part of `cm` (T3), in correlation units."""
    return least_squares_contrast(cm_scores(z, m), design)


def _calm_inverse(covariance: np.ndarray) -> np.ndarray:
    spread = np.sqrt(np.diag(covariance))
    spread = np.where(spread > 0, spread, 1.0)
    correlation = covariance / spread[:, None] / spread[None, :]
    return (
        np.linalg.inv((1 - RIDGE) * correlation + RIDGE * np.eye(len(spread)))
        / spread[:, None]
        / spread[None, :]
    )


def _project(inverse: np.ndarray, shift: np.ndarray, blind: np.ndarray) -> np.ndarray:
    """inverse (shift - blind g), g such that the result is orthogonal to every column of blind."""
    left = np.einsum("ab,bk->ak", inverse, blind)
    inner, right = np.einsum("ak,aj->kj", blind, left), np.einsum("ak,a->k", left, shift)
    coefficients = np.linalg.lstsq(inner, right, rcond=1e-10)[0]
    return np.einsum("ab,b->a", inverse, shift - np.einsum("ak,k->a", blind, coefficients))
