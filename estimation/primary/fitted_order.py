"""Permute admissions in an order that depends on cities' covariates: the Cox partial likelihood of
the real order within blocks, and orders drawn from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .city_panel import CityPanel

# Weight of the penalty theta'theta / 2 on standardised covariates: it decides nothing but where
# covariates separate the admitted from the others, so that no maximum exists.
PENALTY = 0.01
STEPS, LARGEST_STEP, CLOSE = 50, 2.0, 1e-9
# Keys of cities of one block differ by less than this, so that one sort orders all blocks.
APART = 1e4


def fit_order(panel: CityPanel, covariates: np.ndarray) -> np.ndarray:
    """Return X'theta of each city (N,), where theta maximises the penalised partial likelihood of
    the order of admission within blocks (Cox; Efron's terms for ties).

    Cities that were not admitted in the window are at risk throughout.

    Parameters
    ----------
    panel : CityPanel
    covariates : (N, K) float array
    """
    centred = covariates - covariates.mean(axis=0)
    spread = centred.std(axis=0)
    x = centred / np.where(spread > 0, spread, 1.0)
    n_blocks, n_cohorts = panel.counts.shape[0], len(panel.cohorts)
    cohort = np.arange(1, n_cohorts + 1)[:, None]
    at_risk = (panel.label == 0) | (panel.label >= cohort)
    admitted = panel.label == cohort
    of_block = panel.block == np.arange(n_blocks)[:, None]
    masks = np.stack([at_risk, admitted])[:, :, None, :] & of_block
    events = masks[1].sum(axis=2)
    flat = masks.reshape(-1, len(x)).astype(float)
    pairs = np.einsum("nk,nq->nkq", x, x).reshape(len(x), -1)
    k = x.shape[1]
    observed = x[panel.label > 0].sum(axis=0)
    theta = np.zeros(k)
    for _ in range(STEPS):
        score = x @ theta
        weight = np.exp(score - score.max())[:, None]
        moments = np.hstack([weight, weight * x, weight * pairs])
        risk, own = (flat @ moments).reshape(2, n_cohorts, n_blocks, -1)
        gradient = observed - PENALTY * theta
        curvature = PENALTY * np.eye(k)
        for tie in range(int(events.max(initial=0))):
            here = events > tie
            part = risk[here] - (tie / events[here])[:, None] * own[here]
            mean = part[:, 1 : k + 1] / part[:, :1]
            square = (part[:, k + 1 :] / part[:, :1]).sum(axis=0).reshape(k, k)
            gradient = gradient - mean.sum(axis=0)
            curvature = curvature + square - mean.T @ mean
        step = np.linalg.solve(curvature, gradient)
        length = float(np.abs(step).max(initial=0.0))
        theta = theta + step * min(1.0, LARGEST_STEP / max(length, CLOSE))
        if length < CLOSE:
            break
    return x @ theta


def permute_in_order(
    panel: CityPanel, score: np.ndarray, draws: int, seed: int | Sequence[int]
) -> np.ndarray:
    """Return which city's admissions each city gets, (1 + draws, N) ints, the first row its own.

    The order of a draw within a block is that of `score` (N,) plus independent Gumbel variables,
    the largest first; the block's earliest admission goes to the first city, and so on. Equal
    scores permute uniformly.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    return permute_by_keys(panel, score + generator.gumbel(size=(draws, len(score))))


def permute_by_keys(panel: CityPanel, keys: np.ndarray) -> np.ndarray:
    """Return which city's admissions each city gets, (1 + draws, N) ints: within a block the city
    with the largest of its keys (draws, N) takes the block's earliest admission, and so on.

    Samples of other cities that take the keys of the same cities are permuted alike.
    """
    never_last = np.where(panel.label == 0, len(panel.cohorts) + 1, panel.label)
    slots = np.lexsort((never_last, panel.block))
    ranked = np.argsort(APART * panel.block - keys, axis=1, kind="stable")
    permuted = np.tile(np.arange(keys.shape[1]), (1 + len(keys), 1))
    np.put_along_axis(permuted[1:], ranked, np.broadcast_to(slots, ranked.shape), axis=1)
    return permuted
