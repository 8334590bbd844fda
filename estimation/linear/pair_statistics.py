"""Sums over pairs that carry everything a linear two-way estimator needs.

Let M_p be the T x T projection that takes the mean of pair p over its observed years out. With
treatment that depends on a pair only through its cohort group g, the normal equations and every
city's score sum are linear in

    1, M_p, M_p y_p, M_p Q_p, Q_p' M_p Q_p, Q_p' M_p y_p          (Q_p: the pair's controls, T x K)

so it is enough to keep the sums of these by city and group: a refit without a province, or under
another assignment of admissions, adds up other groups and solves a small system. M_p is written as
sum_k a_pk B_k over a fixed basis B: with a balanced panel there is one basis matrix, with few
patterns of missing years one for each pattern, otherwise one for each entry of the matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

# years that one integer holds
BITS = 62


@dataclass(frozen=True)
class Layout:
    """Where each piece lies in a vector of statistics of length D.

    ``[a: n_basis | M Q: T * K | Q'MQ: K * K | outcome 0: M y: T, Q'My: K | outcome 1 ...]``; a[0] =
    1 counts pairs.
    """

    n_basis: int
    n_controls: int
    n_years: int
    n_outcomes: int

    @property
    def control_start(self) -> int:
        """First position of M Q."""
        return self.n_basis

    @property
    def gram_start(self) -> int:
        """First position of Q'MQ."""
        return self.n_basis + self.n_years * self.n_controls

    @property
    def shared(self) -> int:
        """Number of positions before the first outcome."""
        return self.gram_start + self.n_controls**2

    @property
    def per_outcome(self) -> int:
        """Number of positions an outcome takes."""
        return self.n_years + self.n_controls

    @property
    def size(self) -> int:
        """D."""
        return self.shared + self.n_outcomes * self.per_outcome


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
) -> PairStatistics:
    """Statistics of each pair.

    Parameters
    ----------
    y : (M, P, T) float array
    controls : (K, P, T) float array or None
    observed : (P, T) bool array
        Rows that count; the same for all outcomes.
    weight : (P,) float array, optional
        Positive. The least is taken as 1, which leaves every estimate as it is and a sum of weights
        below 1/2 no pair at all.

    Returns
    -------
    PairStatistics
    """
    n_outcomes, n_pairs, n_years = y.shape
    usable = _usable(observed)
    coefficients, basis = _projection_basis(usable)
    q, scale = _scaled_controls(controls, usable)
    layout = Layout(basis.shape[0], len(q), n_years, n_outcomes)
    values = np.zeros((n_pairs, layout.size))
    values[:, : layout.n_basis] = coefficients
    if len(q):
        values[:, layout.control_start : layout.gram_start] = q.transpose(1, 2, 0).reshape(
            n_pairs, -1
        )
        values[:, layout.gram_start : layout.shared] = np.einsum("kpt,lpt->pkl", q, q).reshape(
            n_pairs, -1
        )
    for m in range(n_outcomes):
        start = layout.shared + m * layout.per_outcome
        demeaned = _demean(y[m], usable, out=values[:, start : start + n_years])
        if len(q):
            values[:, start + n_years : start + layout.per_outcome] = np.einsum(
                "kpt,pt->pk", q, demeaned
            )
    if weight is not None:
        weight = weight / weight.min()
        values *= weight[:, None]
    return PairStatistics(values, basis, layout, scale, weight)


def control_deviations(controls: np.ndarray | None, observed: np.ndarray) -> np.ndarray:
    """Controls less their pair means, each of scale one; zero where not observed; shape (K, P, T),
    empty for None.
    """
    return _scaled_controls(controls, _usable(observed))[0]


def _usable(observed: np.ndarray) -> np.ndarray:
    """Observed rows (P, T) of pairs that have two of them at least."""
    if observed.shape[1] > 1 and observed.all():
        return observed
    return observed & (observed.sum(axis=1) >= 2)[:, None]


def _scaled_controls(
    controls: np.ndarray | None, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    q = (
        np.zeros((0, *usable.shape))
        if controls is None
        else np.stack([_demean(c, usable) for c in controls])
    )
    scale = np.array([np.sqrt(np.mean(c[usable] ** 2)) if usable.any() else 0.0 for c in q])
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
    """Coefficients (P, n_basis) and basis (n_basis, T, T) of the pairs' projections; the first
    coefficient is 1 for every usable pair.
    """
    n_years = usable.shape[1]
    patterns, which, counts = _patterns(usable)
    used = patterns.any(axis=1)[which]
    if len(patterns) > n_years * (n_years + 1) // 2:
        return _entry_basis(np.stack([_projection(pattern) for pattern in patterns])[which], used)
    # counts of whole patterns are exact integers, so an emptied group leaves an exact zero behind
    nonempty = [int(k) for k in np.argsort(-counts, kind="stable") if patterns[k].any()]
    basis = projection_basis(patterns[nonempty])
    coefficients = np.zeros((len(usable), len(nonempty)))
    coefficients[used, 0] = 1.0
    for column, k in enumerate(nonempty[1:], start=1):
        coefficients[which == k, column] = 1.0
    return coefficients, basis


def _patterns(usable: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct rows of (P, T) in ascending order, the position of each row among them (P,), and how
    often each stands.
    """
    n_pairs, n_years = usable.shape
    if n_pairs and usable.all():
        # a balanced panel has one pattern: no need to sort its rows
        return usable[:1], np.zeros(n_pairs, dtype=np.int64), np.array([n_pairs])
    if n_years > BITS:
        patterns, which, counts = np.unique(usable, axis=0, return_inverse=True, return_counts=True)
        return patterns, which.reshape(-1), counts
    # the first year is the highest bit, so numbers are ordered as rows are
    bit = np.int64(1) << np.arange(n_years - 1, -1, -1)
    numbers, which, counts = np.unique(usable @ bit, return_inverse=True, return_counts=True)
    return (numbers[:, None] & bit) > 0, which.reshape(-1), counts


def projection_basis(patterns: np.ndarray) -> np.ndarray:
    """Basis for pairs with few patterns of observed years: the first pattern's projection, then
    what each other one adds to it.

    A pair of the first pattern has the coefficients (1, 0, ..., 0), one of pattern k has 1 in the
    first place and in place k.

    Parameters
    ----------
    patterns : (n_basis, T) bool array

    Returns
    -------
    (n_basis, T, T) float array
    """
    first, *others = (_projection(pattern) for pattern in patterns)
    return np.stack([first] + [projection - first for projection in others])


def _projection(pattern: np.ndarray) -> np.ndarray:
    present = pattern.astype(np.float64)
    return np.diag(present) - np.outer(present, present) / max(present.sum(), 1.0)


def _entry_basis(projections: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n_years = projections.shape[1]
    rows, columns = np.triu_indices(n_years)
    basis = np.zeros((len(rows) + 1, n_years, n_years))
    basis[np.arange(1, len(rows) + 1), rows, columns] = 1.0
    basis[np.arange(1, len(rows) + 1), columns, rows] = 1.0
    return np.column_stack([used.astype(np.float64), projections[:, rows, columns]]), basis


def sum_by_city(
    values: np.ndarray,
    city_i: np.ndarray,
    city_j: np.ndarray,
    group: np.ndarray,
    shape: tuple[int, int],
) -> np.ndarray:
    """Sums of pair statistics over the pairs that contain a city, by group.

    Parameters
    ----------
    values : (P, D) float array
    city_i, city_j, group : (P,) int arrays
    shape : (N, G + 1)

    Returns
    -------
    (N, G + 1, D) float array
    """
    first, second = city_i * shape[1] + group, city_j * shape[1] + group
    return bincount_columns(values, first, shape) + bincount_columns(values, second, shape)


def sum_by_group(values: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums of pair statistics by group; shape (G + 1, D)."""
    return bincount_columns(values, group, (1, n_groups))[0]


def sum_inside(
    values: np.ndarray,
    block_i: np.ndarray,
    block_j: np.ndarray,
    group: np.ndarray,
    shape: tuple[int, int],
) -> np.ndarray:
    """Sums over the pairs with both cities in a block (a province), by block and group; shape (R, G
    + 1, D).
    """
    same = block_i == block_j
    return bincount_columns(values[same], block_i[same] * shape[1] + group[same], shape)


def bincount_columns(
    values: np.ndarray, index: np.ndarray, shape: tuple[int, int], factor: np.ndarray | None = None
) -> np.ndarray:
    """Sums of rows (P, D) by index in 0..size-1, as an array (*shape, D) of that size; `factor`
    (P,) multiplies each row.

    A sparse matrix with one entry a row takes all columns in one pass, and adds the rows of an
    index up in their order, as a count would.
    """
    size, n_rows = shape[0] * shape[1], len(values)
    entries = np.ones(n_rows) if factor is None else factor
    summing = csc_array((entries, index, np.arange(n_rows + 1)), shape=(size, n_rows))
    return (summing @ values).reshape(shape[0], shape[1], values.shape[1])
