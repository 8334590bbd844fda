"""Least squares with pair effects and year effects by block of pairs, from sums of pair statistics.

Pairs come in cells: a block, whose pairs share their year effects, and within it a group, whose
pairs share their regressors (times the loadings of a pair). Year effects touch no other block, so
they are eliminated block by block, and what is left is a system in controls and treatment alone.
All is done for a batch of samples or assignments at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Layout, PairStatistics

# a pivot below PIVOT_SHARE of its own diagonal, or below PIVOT_FLOOR (dummies and scaled controls
# have diagonals of order one), is zero
PIVOT_SHARE = 1e-9
PIVOT_FLOOR = 1e-7
INVOLVED = 1e-6


@dataclass(frozen=True)
class Solution:
    """Solved systems of a batch of A samples; M outcomes, C blocks, T years, q parameters: K
    controls, then L treatment coefficients.

    Attributes
    ----------
    theta : (A, M, q) float array
    inverse : (A, q, q) float array
        Generalised inverse of the normal matrix; rows and columns of parameters that are not
        identified are zero.
    lost : (A, q) bool array
        Parameters that are not identified.
    regressor_years : (A, C, T, q) float array
        Year effects of each regressor.
    outcome_years : (A, M, C, T) float array
        Those of each outcome.
    """

    theta: np.ndarray
    inverse: np.ndarray
    lost: np.ndarray
    regressor_years: np.ndarray
    outcome_years: np.ndarray


def with_loadings(x: np.ndarray) -> np.ndarray:
    """Return regressors (V, G, T, L) of a group for each loading, from those or from (G, T, L)."""
    return x if x.ndim == 4 else x[None]


def solve(totals: np.ndarray, x: np.ndarray, statistics: PairStatistics) -> Solution:
    """Solve the normal equations of each member of a batch.

    Parameters
    ----------
    totals : (A, C, G, D) or (A, G, D) float array
        Sums of pair statistics by block and group.
    x : (V, G, T, L) or (G, T, L) float array
        Treatment regressors by group.
    statistics : PairStatistics
        Gives basis and layout.

    Returns
    -------
    Solution
    """
    layout, x = statistics.layout, with_loadings(x)
    totals = totals if totals.ndim == 4 else totals[:, None]
    totals = np.where(totals[..., :1] < 0.5, 0.0, totals)
    counts, mq, gram = layout.cut(totals)
    n_samples, n_blocks, k, t = *totals.shape[:2], layout.n_controls, layout.n_years
    q = k + x.shape[3]
    across = np.einsum("nst,wgtl->nwgsl", statistics.basis, x)
    sums = np.zeros((n_samples, n_blocks, t, q))
    sums[..., :k] = mq[:, :, :, 0].sum(axis=2)
    sums[..., k:] = np.einsum("acgwn,nwgsl->acsl", counts[:, :, :, 0], across)
    own = np.zeros((n_samples, q, q))
    own[:, :k, :k] = gram.sum(axis=(1, 2))
    own[:, :k, k:] = np.einsum("agvtk,vgtl->akl", mq.sum(axis=1), x)
    own[:, k:, :k] = own[:, :k, k:].transpose(0, 2, 1)
    own[:, k:, k:] = np.einsum(
        "agvwn,nvwglm->alm",
        counts.sum(axis=1),
        np.einsum("vgtl,nwgtm->nvwglm", x, across),
    )
    outcomes = [layout.cut_outcome(totals, m) for m in range(layout.n_outcomes)]
    by_year = np.stack([my[:, :, :, 0].sum(axis=2) for my, _ in outcomes], axis=-1)
    effects = _year_effects(counts[:, :, :, 0, 0].sum(axis=2), statistics, sums, by_year)
    regressor_years, outcome_years = effects[..., :q], effects[..., q:]
    matrix = own - np.einsum("actk,actl->akl", sums, regressor_years)
    matrix = (matrix + matrix.transpose(0, 2, 1)) / 2
    # a regressor that a block's year effects take up leaves rounding noise of its own size behind
    gone = np.einsum("akk->ak", matrix) <= PIVOT_SHARE * np.einsum("akk->ak", own)
    matrix = np.where(gone[:, :, None] | gone[:, None, :], 0.0, matrix)
    inverse, lost = invert_normal(matrix)
    theta = []
    for m, (my, qy) in enumerate(outcomes):
        products = np.concatenate(
            [qy.sum(axis=(1, 2)), np.einsum("agvt,vgtl->al", my.sum(axis=1), x)], axis=1
        )
        rest = products - np.einsum("actk,act->ak", sums, outcome_years[..., m])
        theta.append(np.einsum("akl,al->ak", inverse, rest))
    return Solution(
        np.stack(theta, axis=1), inverse, lost, regressor_years, np.moveaxis(outcome_years, -1, 1)
    )


def _year_effects(counts: np.ndarray, statistics: PairStatistics, *sums: np.ndarray) -> np.ndarray:
    """Return year effects (A, C, T, columns) of sums (A, C, T, columns) over the pairs of a block;
    counts (A, C, n_basis).
    """
    basis, t = statistics.basis, statistics.layout.n_years
    columns = np.concatenate(sums, axis=-1)
    if len(basis) == 1:
        # pairs have the same years: their projections add up to their number times that of one
        return columns / np.maximum(counts, 1e-300)[..., None] * (counts > 0.5)[..., None]
    matrix = np.einsum("ack,kst->acst", counts, basis)[:, :, 1:, 1:].reshape(-1, t - 1, t - 1)
    inverse = invert_normal(matrix)[0].reshape(*counts.shape[:2], t - 1, t - 1)
    effects = np.zeros_like(columns)
    effects[:, :, 1:] = np.einsum("acst,actk->acsk", inverse, columns[:, :, 1:])
    return effects


def invert_normal(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Jordan inverse of positive semi-definite matrices (B, q, q), and the parameters (B, q)
    that are not identified.

    A later column that depends on earlier ones is left out, so year effects and controls are only
    lost to one another, never to treatment. Parameters of a collinear set are lost together.
    """
    work, product = matrix.copy(), np.empty_like(matrix)
    n, q = work.shape[:2]
    original = np.einsum("bii->bi", matrix).copy()
    skipped, lost = np.zeros((n, q), dtype=bool), np.zeros((n, q), dtype=bool)
    for k in range(q):
        skip = work[:, k, k] <= PIVOT_SHARE * original[:, k] + PIVOT_FLOOR
        skipped[:, k] = skip
        row, column = work[:, k].copy(), work[:, :, k].copy()
        if skip.any():
            # what a left-out column depends on is not identified either
            involved = (np.abs(column) > INVOLVED) & (np.arange(q) < k) & ~skipped
            lost |= involved & (skip & (original[:, k] > PIVOT_FLOOR))[:, None]
            row[skip], column[skip] = 0.0, 0.0
        pivot = np.where(skip, 1.0, work[:, k, k])[:, None]
        row /= pivot
        work -= np.multiply(column[:, :, None], row[:, None, :], out=product)
        work[:, :, k] = -column / pivot
        work[:, k] = row
        work[:, k, k] = np.where(skip, 0.0, 1.0 / pivot[:, 0])
    lost |= skipped
    return np.where(skipped[:, :, None] | skipped[:, None, :], 0.0, work), lost


def outcome_weights(
    solution: Solution, x: np.ndarray, layout: Layout, combine: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights of ``v M_p y_p`` (A, C, V, G, T, R) and of ``Q_p' M_p y_p`` (A, K, R) in R
    terms, each a sum of coefficients, treatment first, then controls: combine (R, L + K), or of
    each sample (A, R, L + K); x (V, G, T, L).
    """
    k = layout.n_controls
    rows = np.einsum(
        "arl,alq->arq",
        np.broadcast_to(combine, (len(solution.inverse), *combine.shape[-2:])),
        np.roll(solution.inverse, -k, axis=1),
    )
    by_year = -np.einsum("actq,arq->actr", solution.regressor_years, rows)
    z = np.repeat(
        np.einsum("vgtl,arl->avgtr", x, rows[:, :, k:])[:, None], by_year.shape[1], axis=1
    )
    z[:, :, 0] += by_year[:, :, None]
    return z, rows[:, :, :k].transpose(0, 2, 1)


def influence_weights(
    solution: Solution, x: np.ndarray, statistics: PairStatistics, m: int, combine: np.ndarray
) -> np.ndarray:
    """Return weights that turn pair statistics into influence values of terms on outcome m.

    The influence of pair p is the terms' rows of the inverse times the score ``w_p' M_p e_p``, w_p
    = (controls, treatment) less year effects; with e_p = y_p - fitted it is linear in the pair's
    statistics.

    Parameters
    ----------
    solution : Solution
    x : (V, G, T, L) or (G, T, L) float array
    statistics : PairStatistics
    m : int
    combine : (R, L + K) or (A, R, L + K) float array
        As in `outcome_weights`.

    Returns
    -------
    (A, C, G, shared + V T + K, R) float array
        For the statistics that the outcomes share, followed by those of the outcome.
    """
    layout, x = statistics.layout, with_loadings(x)
    z, by_control = outcome_weights(solution, x, layout, combine)
    theta, k = solution.theta[:, m], layout.n_controls
    level = solution.outcome_years[:, m] - np.einsum(
        "actq,aq->act", solution.regressor_years, theta
    )
    fitted = np.repeat(np.einsum("vgtl,al->avgt", x, theta[:, k:])[:, None], level.shape[1], axis=1)
    fitted[:, :, 0] += level[:, :, None]
    n_samples, n_blocks, v, n_groups, t, r = z.shape
    weights = np.empty((n_samples, n_blocks, n_groups, layout.shared + layout.per_outcome, r))
    explained = np.einsum("nst,acwgt->acwngs", statistics.basis, fitted)
    weights[..., : layout.control_start, :] = -np.einsum(
        "acvgsr,acwngs->acgvwnr", z, explained
    ).reshape(n_samples, n_blocks, n_groups, layout.control_start, r)
    if k:
        through = np.einsum("acvgtr,ak->acgvtkr", z, theta[:, :k])
        through += np.einsum("akr,acvgt->acgvtkr", by_control, fitted)
        weights[..., layout.control_start : layout.gram_start, :] = -through.reshape(
            n_samples, n_blocks, n_groups, v * t * k, r
        )
        weights[..., layout.gram_start : layout.shared, :] = -np.einsum(
            "akr,am->akmr", by_control, theta[:, :k]
        ).reshape(n_samples, 1, 1, k * k, r)
    end = layout.shared + v * t
    weights[..., layout.shared : end, :] = z.transpose(0, 1, 3, 2, 4, 5).reshape(
        n_samples, n_blocks, n_groups, v * t, r
    )
    weights[..., end:, :] = by_control[:, None, None]
    return weights


def outcome_weights_by_year(
    z: np.ndarray, by_control: np.ndarray, statistics: PairStatistics
) -> np.ndarray:
    """Return the weight of each year's outcome by the statistics of a pair that hold no outcome.

    Parameters
    ----------
    z : (V, cells, T, R) float array
        Weights of ``v M_p y_p`` of a pair of each cell.
    by_control : (K, R) float array
        Weights of ``Q_p' M_p y_p``.
    statistics : PairStatistics

    Returns
    -------
    (cells, d, T, R) float array
        For the first d statistics, up to the controls' products.
    """
    layout, (n_cells, t, r) = statistics.layout, z.shape[1:]
    v, k, start = layout.n_loadings, layout.n_controls, layout.control_start
    found = np.zeros((n_cells, layout.gram_start, t, r))
    counts = found[:, :start].reshape(n_cells, v, v, layout.n_basis, t, r)
    counts[:, 0] = np.einsum("nst,vgtr->gvnsr", statistics.basis, z)
    years = np.arange(t)
    controls = found[:, start:].reshape(n_cells, v, t, k, t, r)
    controls[:, 0, years, :, years] = by_control
    return found


def outcome_columns(layout: Layout, m: int) -> np.ndarray:
    """Return positions of the shared statistics and of outcome m, in the order of
    `influence_weights`.
    """
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
    for g in range(len(weights)):
        members = group == g
        # einsum without BLAS: the same bytes for any number of threads
        result[members] = np.einsum("pd,dr->pr", values[members], weights[g])
    return result
