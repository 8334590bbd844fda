"""Weights of scores and years that find a stated effect best, and are blind to what a city has in every year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .effects import add_loading, scale_own
from .scores import gap_cut, loading_scores, own_scores, primary_scores
from .statistics import Design, Terms, block_means, make_terms

# Share of the identity in the correlation matrix of scores: keeps its inverse calm where scores nearly repeat one another.
RIDGE = 0.1
# The weights are those for own variance less this share, and loading more this share; they depend on the number hardly at all.
ALTERNATIVE = 0.45


@dataclass(frozen=True)
class Kind:
    """A test of one channel, or of the two scores together.

    Attributes
    ----------
    name : str
    scores : callable
        (z, m, cut) -> (N, S T) float array, S scores side by side.
    effect : str
        ``own``: the own shock is scaled; ``loading``: the loading on the cycle changes.
    """

    name: str
    scores: Callable[[np.ndarray, np.ndarray, float], np.ndarray]
    effect: str


PRIMARY = Kind("primary", primary_scores, "own")
OWN_VARIANCE = Kind("own_variance", own_scores, "own")
LOADING = Kind("loading", loading_scores, "loading")


def efficient_terms(z: np.ndarray, m: np.ndarray, years: np.ndarray, design: Design, kind: Kind) -> Terms:
    """Terms of the efficient contrast.

    For each cohort c the weights w of the S T scores maximise (w' mu_c)^2 / w' Sigma w among those that sum to zero over the years of each score. mu_c is
    the mean change of scores when the alternative is imposed on every city as if it belonged to c; Sigma is the scores' covariance over all cities net of
    block means. Both treat all cities alike, so they know nothing of who was admitted, and a permutation stays exact. Not
    normalising w weighs cohorts by their information.

    Parameters
    ----------
    z, m : (N, T) float arrays
    years : (T,) int array
    design : Design
    kind : Kind

    Returns
    -------
    Terms
        The coefficient is in units of the alternative: 1 is an effect of its size.
    """
    cut = gap_cut(z, m)
    scores = kind.scores(z, m, cut)
    inverse = _inverse_covariance(scores, design)
    blind = np.kron(np.eye(scores.shape[1] // len(years)), np.ones((len(years), 1)))
    if kind.effect == "loading":
        everywhere = kind.scores(add_loading(z, m, ALTERNATIVE, np.ones(len(years)), years), m, cut) - scores
        blind = np.column_stack([blind, everywhere.mean(axis=0)])
    shifts, weights = np.zeros((len(design.treated), scores.shape[1])), np.zeros((len(design.treated), scores.shape[1]))
    for c in range(1, len(design.treated)):
        shifts[c] = _mean_shift(z, m, years, design.treated[c], kind, cut, scores)
        weights[c] = _project(inverse, shifts[c], blind)
    values, unit = np.einsum("nt,ct->nc", scores, weights), np.einsum("ct,kt->ck", shifts, weights)
    return make_terms(values, unit, design)


def _mean_shift(z: np.ndarray, m: np.ndarray, years: np.ndarray, treated: np.ndarray, kind: Kind, cut: float, scores: np.ndarray) -> np.ndarray:
    """Mean change of scores over all cities under the alternative; own shocks by loadings of all years and of untreated years in equal parts."""
    if kind.effect == "loading":
        imposed = [add_loading(z, m, ALTERNATIVE, treated, years)]
    else:
        factor = np.sqrt(1 - ALTERNATIVE)
        imposed = [scale_own(z, m, factor, treated, fitted_on) for fitted_on in (np.ones(len(years), dtype=bool), treated == 0)]
    return np.mean([(kind.scores(changed, m, cut) - scores).mean(axis=0) for changed in imposed], axis=0)


def _inverse_covariance(scores: np.ndarray, design: Design) -> np.ndarray:
    net = scores - block_means(scores, design)[design.block]
    covariance = np.einsum("na,nb->ab", net, net) / len(net)
    spread = np.sqrt(np.diag(covariance))
    spread = np.where(spread > 0, spread, 1.0)
    correlation = covariance / spread[:, None] / spread[None, :]
    return np.linalg.inv((1 - RIDGE) * correlation + RIDGE * np.eye(len(spread))) / spread[:, None] / spread[None, :]


def _project(inverse: np.ndarray, shift: np.ndarray, blind: np.ndarray) -> np.ndarray:
    """inverse (shift - blind g), g such that the result is orthogonal to every column of blind."""
    left = np.einsum("ab,bk->ak", inverse, blind)
    inner, right = np.einsum("ak,aj->kj", blind, left), np.einsum("ak,a->k", left, shift)
    coefficients = np.linalg.lstsq(inner, right, rcond=1e-10)[0]
    return np.einsum("ab,b->a", inverse, shift - np.einsum("ak,k->a", blind, coefficients))
