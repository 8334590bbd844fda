"""Estimators as weights of the mean outcomes of groups of pairs by year: they depend on the numbers
of pairs alone.

Pairs of a group share their regressors, so the pair dimension collapses (Wooldridge 2021). Serves
the specification curve (`estimators.cohort_means`: groups are cohorts) and the closed form over all
pairs (`closed_form.models`: groups are pairs of cohorts).
"""

from __future__ import annotations

import numpy as np

from .group_time_cells import Cells


def residual_regressors(counts: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Regressors less their pair means and, over the pairs of a class, their year means.

    Parameters
    ----------
    counts : (B, C, G) float array
        Pairs of B samples by class of year effects and group.
    x : (G, T, L) float array
        Regressors of a pair of each group.

    Returns
    -------
    (B, C, G, T, L) float array
    """
    within = x - x.mean(axis=1, keepdims=True)
    by_year = (
        np.einsum("bcg,gtl->bctl", counts, within)
        / np.maximum(counts.sum(axis=2), 1.0)[..., None, None]
    )
    return within[None, None] - by_year[:, :, None]


def comparison_weights(
    aggregated: np.ndarray, cells: Cells, never: int, shape: tuple[int, int]
) -> np.ndarray:
    """Weights of groups' means in sums of group-time effects: change since the base year, less that
    of the never-treated.

    Parameters
    ----------
    aggregated : (B, K, C) float array
        Weight of each of the K effects in C terms, in B samples.
    cells : Cells
        ``group`` is a position of 0..G-1.
    never : int
        Position of the never-treated group.
    shape : (G, T)

    Returns
    -------
    (B, G, T, C) float array
    """
    weights = np.zeros((len(aggregated), *shape, aggregated.shape[2]))
    for k in np.flatnonzero((aggregated != 0).any(axis=(0, 2))):
        for group, sign in ((cells.group[k], 1.0), (never, -1.0)):
            weights[:, group, cells.year[k]] += sign * aggregated[:, k]
            weights[:, group, cells.base[k]] -= sign * aggregated[:, k]
    return weights
