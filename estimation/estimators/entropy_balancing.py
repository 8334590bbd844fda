"""Entropy balancing (Hainmueller 2012): weights of never-pilots that give their covariates the pilots' means."""

from __future__ import annotations

import numpy as np

STEPS = 60
TOLERANCE = 1e-8
# weighted counts are scaled up, so that the rule 'less than half a pair is no pair' never meets a small weight
COUNT_SCALE = 1e4


def entropy_weights(x: np.ndarray, is_pilot: np.ndarray) -> np.ndarray | None:
    """Weights closest to equal ones, in entropy, under which never-pilots have the pilots' covariate means.

    Parameters
    ----------
    x : (N, K) float array
        Without gaps.
    is_pilot : (N,) bool array

    Returns
    -------
    (N,) float array or None
        1 for pilots, mean 1 over never-pilots; None where no weights reach the pilots' means.
    """
    centred = x[~is_pilot] - x[is_pilot].mean(axis=0)
    scale = x.std(axis=0)
    centred = centred[:, scale > 0] / scale[scale > 0]
    weights, found = np.ones(len(x)), _solve_dual(centred)
    if found is None:
        return None
    weights[~is_pilot] = found * len(centred)
    return weights


def _solve_dual(centred: np.ndarray) -> np.ndarray | None:
    """Shares proportional to exp(x'b) with mean zero of x, by damped Newton steps on log sum exp(x'b); None where it has no minimum."""
    b = np.zeros(centred.shape[1])
    value, shares = _objective(centred, b)
    for _ in range(STEPS):
        mean = np.einsum("nk,n->k", centred, shares)
        if np.abs(mean).max(initial=0.0) < TOLERANCE:
            return shares
        spread = np.einsum("nk,nl,n->kl", centred, centred, shares) - np.outer(mean, mean)
        step = np.linalg.lstsq(spread, mean, rcond=1e-12)[0]
        size = 1.0
        while size > 1e-6:
            trial, trial_shares = _objective(centred, b - size * step)
            if trial < value:
                break
            size /= 2
        else:
            return None
        b, value, shares = b - size * step, trial, trial_shares
    return None


def _objective(centred: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
    score = np.einsum("nk,k->n", centred, b)
    top = score.max()
    mass = np.exp(score - top)
    return float(top + np.log(mass.sum())), mass / mass.sum()


def pair_weights(weights: np.ndarray, city_i: np.ndarray, city_j: np.ndarray) -> np.ndarray:
    """Product of the two cities' weights, scaled up by a constant that no estimate depends on; shape (P,)."""
    return COUNT_SCALE * weights[city_i] * weights[city_j]


def effective_number(weights: np.ndarray) -> float:
    """How many equally weighted cities carry as much: (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / (weights**2).sum())
