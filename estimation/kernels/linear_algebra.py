"""Compiled algebra of small matrices: inverse, Cholesky factor, and the joint F of some
coefficients.
"""

from __future__ import annotations

import numba
import numpy as np

from ..linear.normal_equations import INVOLVED, PIVOT_FLOOR, PIVOT_SHARE
from .jit_options import CACHE


@numba.njit(cache=CACHE)
def _sweep(matrix, k, pivot):
    """Gauss-Jordan step of row and column k of a matrix (q, q), in place."""
    q = len(matrix)
    for j in range(q):
        matrix[k, j] = matrix[k, j] / pivot
    for i in range(q):
        factor = matrix[i, k]
        if i != k and factor != 0.0:
            for j in range(q):
                matrix[i, j] -= factor * matrix[k, j]
            matrix[i, k] = -factor / pivot
    matrix[k, k] = 1.0 / pivot


@numba.njit(cache=CACHE)
def invert(matrix, lost):
    """Gauss-Jordan inverse of a matrix (q, q), in place, as
    `linear.normal_equations.invert_normal`.

    Rows and columns of a parameter without a pivot become zero; `lost` (q,) says which parameters
    are not identified.
    """
    q = len(matrix)
    original, skipped = np.empty(q), np.zeros(q, dtype=np.bool_)
    for k in range(q):
        original[k], lost[k] = matrix[k, k], False
    for k in range(q):
        pivot = matrix[k, k]
        if pivot <= PIVOT_SHARE * original[k] + PIVOT_FLOOR:
            skipped[k], lost[k] = True, True
            if original[k] > PIVOT_FLOOR:
                for i in range(k):
                    if not skipped[i] and abs(matrix[i, k]) > INVOLVED:
                        lost[i] = True
            continue
        _sweep(matrix, k, pivot)
    for k in range(q):
        if skipped[k]:
            for i in range(q):
                matrix[k, i], matrix[i, k] = 0.0, 0.0


@numba.njit(cache=CACHE)
def factor(matrix, empty):
    """Lower Cholesky factor of a matrix (q, q), in place. False if a parameter is not identified
    although it has rows.

    `empty` (q,) marks the parameters without any row; their row and column of the factor are those
    of the unit matrix.
    """
    q = len(matrix)
    for k in range(q):
        original = matrix[k, k]
        empty[k] = original <= PIVOT_FLOOR
        pivot = original
        for j in range(k):
            pivot -= matrix[k, j] * matrix[k, j]
        if not empty[k] and pivot <= PIVOT_SHARE * original + PIVOT_FLOOR:
            return False
        root = 1.0 if empty[k] else np.sqrt(pivot)
        matrix[k, k] = root
        for i in range(k + 1, q):
            value = matrix[i, k]
            for j in range(k):
                value -= matrix[i, j] * matrix[k, j]
            matrix[i, k] = 0.0 if empty[k] else value / root
    return True


@numba.njit(cache=CACHE)
def solve_factored(lower, rhs):
    """Solve for one right-hand side (q,), in place, with the Cholesky factor (q, q) of `factor`."""
    q = len(rhs)
    for i in range(q):
        for j in range(i):
            rhs[i] -= lower[i, j] * rhs[j]
        rhs[i] /= lower[i, i]
    for i in range(q - 1, -1, -1):
        rhs[i] /= lower[i, i]
        for j in range(i):
            rhs[j] -= lower[i, j] * rhs[i]


@numba.njit(cache=CACHE)
def joint_f(deviations, used, estimate):
    """F that k estimates (k,) are all zero, with the jackknife covariance, as
    `influence.refits.Refits.joint_f`; NaN where there is none.

    `deviations` (R, k) are those of the refits without a province from the estimates; the first
    `used` rows count.
    """
    k = len(estimate)
    if used <= k:
        return np.nan
    covariance, scale = np.zeros((k, k)), np.empty(k)
    for r in range(used):
        for a in range(k):
            for b in range(k):
                covariance[a, b] += deviations[r, a] * deviations[r, b] * (used - 1) / used
    for a in range(k):
        if covariance[a, a] <= 0.0:
            return np.nan
        scale[a] = 1.0 / np.sqrt(covariance[a, a])
    for a in range(k):
        for b in range(k):
            covariance[a, b] *= scale[a] * scale[b]
    lost = np.zeros(k, dtype=np.bool_)
    invert(covariance, lost)
    wald = 0.0
    for a in range(k):
        if lost[a]:
            return np.nan
        for b in range(k):
            wald += estimate[a] * scale[a] * covariance[a, b] * estimate[b] * scale[b]
    return wald * (used - k) / (k * (used - 1.0))
