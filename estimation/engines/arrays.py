"""Sums over pairs that carry everything a linear two-way estimator needs.

Let M_p be the T x T projection that takes the mean of pair p over its observed years out. With
treatment that depends on a pair only through its cohort group g, the normal equations and every
city's score sum are linear in

    1, M_p, M_p y_p, M_p Q_p, Q_p' M_p Q_p, Q_p' M_p y_p          (Q_p: the pair's controls, T x K)

so it is enough to keep the sums of these by city and group: a refit without a province, or under
another assignment of admissions, adds up other groups and solves a small system. M_p is written as
sum_k a_pk B_k over a fixed basis B: with a balanced panel there is one basis matrix, with few
patterns of missing years one for each pattern, otherwise one for each entry of the matrix.

An effect that differs with a number of the pair (a gap) has regressors that are sums of loadings
v_pv (the first is 1) times what the group brings; then the statistics are products with loadings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array


@dataclass(frozen=True)
class Layout:
    """Position of each piece in a vector of statistics of length D.

    ``[v v a: V * V * n_basis | v M Q: V * T * K | Q'MQ: K * K | outcome 0: v M y: V * T, Q'My: K |
    outcome 1 ...]`` with V loadings; the first is 1 and counts pairs.
    """

    n_basis: int
    n_controls: int
    n_years: int
    n_outcomes: int
    n_loadings: int = 1

    @property
    def control_start(self) -> int:
        """First position of M Q."""
        return self.n_loadings**2 * self.n_basis

    @property
    def gram_start(self) -> int:
        """First position of Q'MQ."""
        return self.control_start + self.n_loadings * self.n_years * self.n_controls

    @property
    def shared(self) -> int:
        """Number of positions before the first outcome."""
        return self.gram_start + self.n_controls**2

    @property
    def per_outcome(self) -> int:
        """Number of positions an outcome takes."""
        return self.n_loadings * self.n_years + self.n_controls

    @property
    def size(self) -> int:
        """D."""
        return self.shared + self.n_outcomes * self.per_outcome

    def cut(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of sums (..., D) the counts (..., V, V, n_basis), M Q (..., V, T, K) and Q'MQ
        (..., K, K).
        """
        v, k, lead = self.n_loadings, self.n_controls, sums.shape[:-1]
        return (
            sums[..., : self.control_start].reshape(*lead, v, v, self.n_basis),
            sums[..., self.control_start : self.gram_start].reshape(*lead, v, self.n_years, k),
            sums[..., self.gram_start : self.shared].reshape(*lead, k, k),
        )

    def cut_outcome(self, sums: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Of sums (..., D) the M y (..., V, T) and Q'My (..., K) of outcome m."""
        start = self.shared + m * self.per_outcome
        end = start + self.n_loadings * self.n_years
        return (
            sums[..., start:end].reshape(*sums.shape[:-1], self.n_loadings, self.n_years),
            sums[..., end : start + self.per_outcome],
        )


@dataclass(frozen=True)
class PairStatistics:
    """Statistics of every candidate pair.

    Attributes
    ----------
    values : (P, D) float array
        Zero for pairs with fewer than two observed years.
    basis : (n_basis, T, T) float array
    layout : Layout
    control_scale : (K,) float array
        Controls are divided by this.
    weight : (P,) float array or None
        What `values` are multiplied by: how much a pair counts, at least 1.
    """

    values: np.ndarray
    basis: np.ndarray
    layout: Layout
    control_scale: np.ndarray
    weight: np.ndarray | None = None


def pair_statistics(
    y: np.ndarray,
    controls: np.ndarray | None,
    observed: np.ndarray,
    weight: np.ndarray | None = None,
    loading: np.ndarray | None = None,
) -> PairStatistics:
    """Return statistics of each pair.

    Parameters
    ----------
    y : (M, P, T) float array
    controls : (K, P, T) float array or None
    observed : (P, T) bool array
        Rows that count; the same for all outcomes.
    weight : (P,) float array, optional
        Positive. The least is taken as 1, which leaves every estimate as it is and a sum of weights
        below 1/2 no pair at all.
    loading : (P, V) float array, optional
        What a pair multiplies the regressors of its group by; the first column is 1.

    Returns
    -------
    PairStatistics
    """
    n_outcomes, n_pairs, n_years = y.shape
    usable = _usable(observed)
    coefficients, basis = _projection_basis(usable)
    q, scale = _scaled_controls(controls, usable)
    v = np.ones((n_pairs, 1)) if loading is None else loading
    layout = Layout(basis.shape[0], len(q), n_years, n_outcomes, v.shape[1])
    values = np.zeros((n_pairs, layout.size))
    counts, mq, gram = layout.cut(values)
    counts[:] = v[:, :, None, None] * v[:, None, :, None] * coefficients[:, None, None]
    if len(q):
        mq[:] = v[:, :, None, None] * q.transpose(1, 2, 0)[:, None]
        gram[:] = np.einsum("kpt,lpt->pkl", q, q)
    for m in range(n_outcomes):
        my, qy = layout.cut_outcome(values, m)
        _demean(y[m], usable, out=my[:, 0])
        if len(q):
            qy[:] = np.einsum("kpt,pt->pk", q, my[:, 0])
        my[:, 1:] = v[:, 1:, None] * my[:, :1]
    if weight is not None:
        weight = weight / weight.min()
        values *= weight[:, None]
    return PairStatistics(values, basis, layout, scale, weight)


def along_axes(statistics: PairStatistics, axes: np.ndarray) -> PairStatistics:
    """Return the same with K coordinates of an outcome in the place of its T years.

    Parameters
    ----------
    statistics : PairStatistics
        Of pairs that have the same years, without controls.
    axes : (T, K) float array
        Orthonormal, each with the mean zero.
    """
    old = statistics.layout
    layout = replace(old, n_years=axes.shape[1])
    values = np.empty((len(statistics.values), layout.size))
    values[:, : layout.shared] = statistics.values[:, : old.shared]
    for m in range(layout.n_outcomes):
        by_year = old.cut_outcome(statistics.values, m)[0]
        np.einsum("pvt,tk->pvk", by_year, axes, out=layout.cut_outcome(values, m)[0])
    # coordinates have no mean to take out
    basis = np.eye(axes.shape[1])[None]
    return PairStatistics(values, basis, layout, statistics.control_scale, statistics.weight)


def control_deviations(controls: np.ndarray | None, observed: np.ndarray) -> np.ndarray:
    """Return controls less their pair means, each of scale one; zero where not observed; shape (K,
    P, T), empty for None.
    """
    return _scaled_controls(controls, _usable(observed))[0]


def _usable(observed: np.ndarray) -> np.ndarray:
    """Observed rows (P, T) of pairs that have two of them at least."""
    return observed & (observed.sum(axis=1) >= 2)[:, None]


def _scaled_controls(
    controls: np.ndarray | None, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if controls is None:
        return np.zeros((0, *usable.shape)), np.zeros(0)
    q = np.stack([_demean(c, usable) for c in controls])
    scale = np.ones(len(q))
    if usable.any():
        scale = np.array([np.sqrt(np.mean(c[usable] ** 2)) for c in q])
        scale[scale == 0] = 1.0
    return q / scale[:, None, None], scale


def _demean(values: np.ndarray, usable: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    out = np.empty_like(values) if out is None else out
    if usable.all():
        return np.subtract(values, values.mean(axis=1, keepdims=True), out=out)
    filled = np.where(usable, values, 0.0)
    count = np.maximum(usable.sum(axis=1), 1)
    out[:] = np.where(usable, filled - (filled.sum(axis=1) / count)[:, None], 0.0)
    return out


def _projection_basis(usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients (P, n_basis) and basis (n_basis, T, T) of the pairs' projections; the
    first coefficient is 1 for every usable pair.

    With few patterns of observed years the basis is the projection of the most frequent one and
    what each other one adds to it; else every entry of a matrix.
    """
    patterns, which, counts = _patterns(usable)
    n_years, used = patterns.shape[1], patterns.any(axis=1)
    projections = np.stack([_projection(pattern) for pattern in patterns])
    if len(patterns) > n_years * (n_years + 1) // 2:
        rows, columns = np.triu_indices(n_years)
        basis = np.zeros((len(rows) + 1, n_years, n_years))
        basis[np.arange(1, len(rows) + 1), rows, columns] = 1.0
        basis[np.arange(1, len(rows) + 1), columns, rows] = 1.0
        coefficients = np.column_stack([used.astype(float), projections[:, rows, columns]])
        return coefficients[which], basis
    # counts of whole patterns are exact integers, so an emptied group leaves an exact zero behind
    order = [int(k) for k in np.argsort(-counts, kind="stable") if used[k]]
    coefficients = np.zeros((len(patterns), len(order)))
    coefficients[order, np.arange(len(order))] = 1.0
    coefficients[used, 0] = 1.0
    first = projections[order[0]] if order else np.zeros((n_years, n_years))
    basis = np.stack([first, *(projections[k] - first for k in order[1:])])[: len(order)]
    return coefficients[which], basis


def _patterns(usable: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distinct rows of (P, T) in ascending order, the position of each row among them (P,),
    and how often each stands.
    """
    # a row of bits as a text of bytes, which sorts as the row does and much faster
    bits = np.packbits(usable, axis=1)
    texts = bits.view(f"S{bits.shape[1]}").reshape(-1)
    _, first, which, counts = np.unique(
        texts, return_index=True, return_inverse=True, return_counts=True
    )
    return usable[first], which, counts


def _projection(pattern: np.ndarray) -> np.ndarray:
    present = pattern.astype(np.float64)
    return np.diag(present) - np.outer(present, present) / max(present.sum(), 1.0)


def sum_by_group(values: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Return sums of pair statistics by group; shape (G + 1, D)."""
    return bincount_columns(values, group, (1, n_groups))[0]


def bincount_columns(
    values: np.ndarray, index: np.ndarray, shape: tuple[int, int], factor: np.ndarray | None = None
) -> np.ndarray:
    """Return sums of rows (P, D) by index in 0..size-1, as an array (*shape, D) of that size;
    `factor` (P,) multiplies each row.

    A sparse matrix with one entry a row takes all columns in one pass, and adds the rows of an
    index up in their order, as a count would.
    """
    size, n_rows = shape[0] * shape[1], len(values)
    entries = np.ones(n_rows) if factor is None else factor
    summing = csc_array((entries, index, np.arange(n_rows + 1)), shape=(size, n_rows))
    return (summing @ values).reshape(shape[0], shape[1], values.shape[1])
