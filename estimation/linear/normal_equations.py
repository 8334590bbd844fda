"""Least squares with pair and year effects from sums of pair statistics, and the influence of each
pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .pair_statistics import Layout, PairStatistics

# a pivot below PIVOT_SHARE of its own diagonal, or below PIVOT_FLOOR (dummies and scaled controls
# have diagonals of order one), is zero
PIVOT_SHARE = 1e-9
PIVOT_FLOOR = 1e-7
INVOLVED = 1e-6
# whose weights stay in the processor's cache
PAIRS_AT_ONCE = 4096


@dataclass(frozen=True)
class Solution:
    """Solved normal equations of a batch of B assignments or samples, M outcomes, q parameters.

    Parameters are ordered year effects (T - 1, the first year is the base), controls (K), treatment
    coefficients (L).

    Attributes
    ----------
    theta : (B, M, q) float array
    inverse : (B, q, q) float array
        Generalised inverse of the normal matrix; rows and columns of parameters that are not
        identified are zero.
    lost : (B, q) bool array
        Parameters that are not identified.
    """

    theta: np.ndarray
    inverse: np.ndarray
    lost: np.ndarray


def solve(totals: np.ndarray, x: np.ndarray, statistics: PairStatistics) -> Solution:
    """Solve the normal equations of each member of a batch.

    Parameters
    ----------
    totals : (B, G + 1, D) float array
        Sums of pair statistics by group.
    x : (G + 1, T, L) float array
        Treatment regressors by group.
    statistics : PairStatistics
        Gives basis and layout.

    Returns
    -------
    Solution
    """
    layout = statistics.layout
    totals = np.where(totals[..., :1] < 0.5, 0.0, totals)
    matrix = _normal_matrix(totals, x, statistics.basis, layout)
    inverse, lost = invert_normal(matrix)
    theta = np.stack(
        [
            np.einsum("bij,bj->bi", inverse, _right_hand_side(totals, x, layout, m))
            for m in range(layout.n_outcomes)
        ],
        axis=1,
    )
    return Solution(theta, inverse, lost)


def _normal_matrix(
    totals: np.ndarray, x: np.ndarray, basis: np.ndarray, layout: Layout
) -> np.ndarray:
    k, t = layout.n_controls, layout.n_years
    projection = np.einsum("bgk,kst->bgst", totals[..., : layout.n_basis], basis)
    mq = totals[..., layout.control_start : layout.gram_start].reshape(*totals.shape[:2], t, k)
    gram = totals[..., layout.gram_start : layout.shared].reshape(*totals.shape[:2], k, k)
    projected_x = np.einsum("bgst,gtl->bgsl", projection, x)
    q = t - 1 + k + x.shape[2]
    matrix = np.zeros((len(totals), q, q))
    years, controls, treatment = slice(0, t - 1), slice(t - 1, t - 1 + k), slice(t - 1 + k, q)
    matrix[:, years, years] = projection.sum(axis=1)[:, 1:, 1:]
    matrix[:, years, controls] = mq.sum(axis=1)[:, 1:]
    matrix[:, years, treatment] = projected_x.sum(axis=1)[:, 1:]
    matrix[:, controls, controls] = gram.sum(axis=1)
    matrix[:, controls, treatment] = np.einsum("bgtk,gtl->bkl", mq, x)
    matrix[:, treatment, treatment] = np.einsum("gtl,bgtm->blm", x, projected_x)
    upper = np.triu(np.ones((q, q), dtype=bool))
    return np.where(upper, matrix, matrix.transpose(0, 2, 1))


def _right_hand_side(totals: np.ndarray, x: np.ndarray, layout: Layout, m: int) -> np.ndarray:
    start = layout.shared + m * layout.per_outcome
    my = totals[..., start : start + layout.n_years]
    qy = totals[..., start + layout.n_years : start + layout.per_outcome]
    return np.concatenate(
        [my.sum(axis=1)[:, 1:], qy.sum(axis=1), np.einsum("bgt,gtl->bl", my, x)], axis=1
    )


def invert_normal(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Jordan inverse of positive semi-definite matrices (B, q, q), and the parameters (B, q)
    that are not identified.

    A later column that depends on earlier ones is left out, so year effects and controls are only
    lost to one another, never to treatment. Parameters of a collinear set are lost together.
    """
    work = matrix.copy()
    n, q = work.shape[:2]
    original = np.einsum("bii->bi", matrix).copy()
    skipped, lost = np.zeros((n, q), dtype=bool), np.zeros((n, q), dtype=bool)
    for k in range(q):
        pivot = work[:, k, k]
        skip = pivot <= PIVOT_SHARE * original[:, k] + PIVOT_FLOOR
        skipped[:, k] = skip
        # what a left-out column depends on is not identified either
        involved = (
            (np.abs(work[:, :, k]) > INVOLVED)
            & (np.arange(q) < k)
            & ~skipped
            & (original[:, k] > PIVOT_FLOOR)[:, None]
        )
        lost |= skip[:, None] & involved
        swept = _sweep(work, k, np.where(skip, 1.0, pivot))
        work = np.where(skip[:, None, None], work, swept) if skip.any() else swept
    lost |= skipped
    work = np.where(skipped[:, :, None] | skipped[:, None, :], 0.0, work)
    return work, lost


def _sweep(work: np.ndarray, k: int, pivot: np.ndarray) -> np.ndarray:
    row = work[:, k, :] / pivot[:, None]
    column = work[:, :, k].copy()
    swept = work - column[:, :, None] * row[:, None, :]
    swept[:, :, k] = -column / pivot[:, None]
    swept[:, k, :] = row
    swept[:, k, k] = 1.0 / pivot
    return swept


def influence_weights(
    theta: np.ndarray, inverse: np.ndarray, x: np.ndarray, statistics: PairStatistics
) -> np.ndarray:
    """Weights that turn pair statistics into influence values of the coefficients.

    The influence of pair p is the coefficients' rows of the inverse times the score ``w_p' M_p
    e_p``, w_p = (year dummies, controls, treatment); with e_p = y_p - fitted it is linear in the
    pair's statistics.

    Parameters
    ----------
    theta : (q,) float array
        Solved parameters of one outcome.
    inverse : (q, q) float array
    x : (G + 1, T, L) float array
    statistics : PairStatistics

    Returns
    -------
    (G + 1, shared + T + K, L + K) float array
        For the statistics that the outcomes share, followed by those of the outcome; treatment
        coefficients first, then controls.
    """
    layout, basis = statistics.layout, statistics.basis
    k, t = layout.n_controls, layout.n_years
    z, by_control = outcome_weights(inverse, x, layout)
    z, by_control = z.transpose(2, 0, 1), by_control.T
    fitted = np.concatenate([[0.0], theta[: t - 1]]) + np.einsum("gtl,l->gt", x, theta[t - 1 + k :])
    delta = theta[t - 1 : t - 1 + k]
    n_rows = len(by_control)
    weights = np.zeros((len(x), layout.shared + layout.per_outcome, n_rows))
    weights[:, : layout.n_basis] = -np.einsum("rgs,kst,gt->gkr", z, basis, fitted)
    through_controls = -np.einsum("rgt,k->gtkr", z, delta) - np.einsum(
        "rk,gt->gtkr", by_control, fitted
    )
    weights[:, layout.control_start : layout.gram_start] = through_controls.reshape(
        len(x), t * k, n_rows
    )
    weights[:, layout.gram_start : layout.shared] = -np.einsum(
        "rk,m->kmr", by_control, delta
    ).reshape(1, k * k, n_rows)
    weights[:, layout.shared : layout.shared + t] = z.transpose(1, 2, 0)
    weights[:, layout.shared + t :] = by_control.T[None]
    return weights


def outcome_weights(
    inverse: np.ndarray, x: np.ndarray, layout: Layout
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of ``M_p y_p`` (G + 1, T, R) and of ``Q_p' M_p y_p`` (K, R) in the coefficients,
    treatment first, then controls.

    Parameters
    ----------
    inverse : (q, q) float array
    x : (G + 1, T, L) float array
    layout : Layout
    """
    k, t, n_treatment = layout.n_controls, layout.n_years, x.shape[2]
    rows = np.concatenate(
        [np.arange(t - 1 + k, t - 1 + k + n_treatment), np.arange(t - 1, t - 1 + k)]
    )
    by_year = np.zeros((t, len(rows)))
    by_year[1:] = inverse[rows, : t - 1].T
    return by_year[None] + np.einsum("gtl,rl->gtr", x, inverse[rows, t - 1 + k :]), inverse[
        rows, t - 1 : t - 1 + k
    ].T


def outcome_weights_by_year(
    z: np.ndarray,
    by_control: np.ndarray,
    sums: np.ndarray,
    group: np.ndarray,
    statistics: PairStatistics,
) -> np.ndarray:
    """Weight of each year's outcome, added up over the pairs behind each row of sums.

    Parameters
    ----------
    z : (G, T, C) float array
        Weights of ``M_p y_p`` of a pair of each group.
    by_control : (K, C) float array
        Weights of ``Q_p' M_p y_p``.
    sums : (B, D) float array
        Sums of pair statistics; the outcomes' are not read.
    group : (B,) int array

    Returns
    -------
    (B, T, C) float array
    """
    layout = statistics.layout
    projected = np.einsum("kst,gtc->gksc", statistics.basis, z)
    if layout.n_basis == 1:
        found = sums[:, 0, None, None] * projected[:, 0].take(group, axis=0)
    else:
        found = np.zeros((len(sums), layout.n_years, z.shape[2]))
        for g in range(len(z)):
            members = group == g
            found[members] = np.einsum("bk,ksc->bsc", sums[members, : layout.n_basis], projected[g])
    if layout.n_controls:
        controls = sums[:, layout.control_start : layout.gram_start].reshape(
            len(sums), layout.n_years, layout.n_controls
        )
        found += np.einsum("btk,kc->btc", controls, by_control)
    return found


def outcome_columns(layout: Layout, m: int) -> np.ndarray:
    """Positions of the shared statistics and of outcome m, in the order of `influence_weights`."""
    start = layout.shared + m * layout.per_outcome
    return np.concatenate([np.arange(layout.shared), np.arange(start, start + layout.per_outcome)])


def influence(values: np.ndarray, group: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Influence values from statistics and weights.

    Parameters
    ----------
    values : (P, d) float array
        Statistics of one outcome (columns of `outcome_columns`).
    group : (P,) int array
    weights : (G + 1, d, R) float array

    Returns
    -------
    (P, R) float array
    """
    result = np.zeros((len(values), weights.shape[2]))
    if weights.shape[2] == 1:
        # one coefficient: a row of weights for each pair is cheaper than a copy of the pairs of
        # each group
        own = weights[:, :, 0]
        for k in range(0, len(values), PAIRS_AT_ONCE):
            some = slice(k, k + PAIRS_AT_ONCE)
            result[some, 0] = np.einsum("pd,pd->p", values[some], own.take(group[some], axis=0))
        return result
    for g in range(len(weights)):
        members = group == g
        # einsum without BLAS: the same bytes for any number of threads
        result[members] = np.einsum("pd,dr->pr", values[members], weights[g])
    return result
