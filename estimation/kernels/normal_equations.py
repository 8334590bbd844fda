"""Compiled algebra of one reassignment: solve the normal equations, sum the influence by city, refit without each province."""

from __future__ import annotations

import os

import numba
import numpy as np

from ..linear.normal_equations import INVOLVED, PIVOT_FLOOR, PIVOT_SHARE

# without a directory of our own numba would write beside the sources
CACHE = bool(os.environ.get("NUMBA_CACHE_DIR"))
if CACHE:
    # numba may have been imported before the directory was named
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]


@numba.njit(cache=CACHE)
def _sweep(matrix, k, pivot):
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
def _invert(matrix, lost):
    """In-place Gauss-Jordan inverse, as `least_squares.invert_normal`."""
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
def _factor(matrix, empty):
    """In-place lower Cholesky factor; parameters without any row are marked empty. False if another parameter is not identified."""
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
def _solve_factored(factor, rhs):
    q = len(rhs)
    for i in range(q):
        for j in range(i):
            rhs[i] -= factor[i, j] * rhs[j]
        rhs[i] /= factor[i, i]
    for i in range(q - 1, -1, -1):
        rhs[i] /= factor[i, i]
        for j in range(i):
            rhs[j] -= factor[i, j] * rhs[i]


@numba.njit(cache=CACHE)
def _normal_matrix(totals, normal, x, n_years, n_controls, matrix):
    """Normal matrix from sums by group; `normal` (G + 1, n_basis, q, q) holds what one unit of each basis matrix adds."""
    n_basis, q = normal.shape[1], len(matrix)
    matrix[:] = 0.0
    for g in range(len(totals)):
        if totals[g, 0] == 0.0:
            continue
        for k in range(n_basis):
            count = totals[g, k]
            if count != 0.0:
                for i in range(q):
                    for j in range(q):
                        matrix[i, j] += count * normal[g, k, i, j]
        if n_controls > 0:
            _add_control_blocks(totals[g], x[g], n_basis, n_years, n_controls, matrix)


@numba.njit(cache=CACHE)
def _add_control_blocks(total, x, n_basis, n_years, n_controls, matrix):
    first, start = n_years - 1, n_years - 1 + n_controls
    gram = n_basis + n_years * n_controls
    for k in range(n_controls):
        for m in range(n_controls):
            matrix[first + k, first + m] += total[gram + k * n_controls + m]
        for t in range(n_years):
            value = total[n_basis + t * n_controls + k]
            if t > 0:
                matrix[t - 1, first + k] += value
                matrix[first + k, t - 1] += value
            for c in range(matrix.shape[0] - start):
                matrix[first + k, start + c] += value * x[t, c]
                matrix[start + c, first + k] += value * x[t, c]


@numba.njit(cache=CACHE)
def _right_hand_side(totals, x, n_treatment, n_years, n_controls, offset, rhs):
    start = n_years - 1 + n_controls
    rhs[:] = 0.0
    for g in range(len(totals)):
        for t in range(n_years):
            value = totals[g, offset + t]
            if t > 0:
                rhs[t - 1] += value
            if g > 0:
                for c in range(n_treatment):
                    rhs[start + c] += x[g, t, c] * value
        for k in range(n_controls):
            rhs[n_years - 1 + k] += totals[g, offset + n_years + k]


@numba.njit(cache=CACHE)
def _fitted_and_rows(theta, inverse, x, start, fitted, z):
    """Fitted year and treatment part of a group (T,), and the rows of the inverse times (year dummies, treatment), (T, L)."""
    n_treatment = z.shape[1]
    for t in range(len(fitted)):
        fitted[t] = theta[t - 1] if t > 0 else 0.0
        for c in range(n_treatment):
            fitted[t] += x[t, c] * theta[start + c]
            z[t, c] = inverse[start + c, t - 1] if t > 0 else 0.0
        for b in range(n_treatment):
            if x[t, b] != 0.0:
                for c in range(n_treatment):
                    z[t, c] += inverse[start + c, start + b] * x[t, b]


@numba.njit(cache=CACHE)
def _set_control_weights(theta, inverse, fitted, z, n_basis, n_controls, shared, weights):
    n_years, n_treatment = z.shape
    first, start = n_years - 1, n_years - 1 + n_controls
    gram = n_basis + n_years * n_controls
    for k in range(n_controls):
        for c in range(n_treatment):
            row = inverse[start + c, first + k]
            weights[shared + n_years + k, c] = row
            for t in range(n_years):
                weights[n_basis + t * n_controls + k, c] = -(z[t, c] * theta[first + k] + row * fitted[t])
            for m in range(n_controls):
                weights[gram + k * n_controls + m, c] = -row * theta[first + m]


@numba.njit(cache=CACHE)
def _influence_weights(theta, inverse, x, basis, n_controls, shared, weights):
    """Weights (G + 1, shared + T + K, L) of the treatment coefficients, as `least_squares.influence_weights`."""
    n_years, n_treatment = basis.shape[1], weights.shape[2]
    z, fitted = np.empty((n_years, n_treatment)), np.empty(n_years)
    weights[:] = 0.0
    for g in range(len(x)):
        _fitted_and_rows(theta, inverse, x[g], n_years - 1 + n_controls, fitted, z)
        for k in range(len(basis)):
            for s in range(n_years):
                projected = 0.0
                for t in range(n_years):
                    projected += basis[k, s, t] * fitted[t]
                for c in range(n_treatment):
                    weights[g, k, c] -= z[s, c] * projected
        for t in range(n_years):
            for c in range(n_treatment):
                weights[g, shared + t, c] = z[t, c]
        _set_control_weights(theta, inverse, fitted, z, len(basis), n_controls, shared, weights[g])


@numba.njit(cache=CACHE)
def _city_score_variance(label, sums, weights, shared, per_outcome, offset, variance):
    """Sum over cities of the squared sum of the influence of their pairs; weights (G + 1, shared + per_outcome, L)."""
    n_treatment = len(variance)
    variance[:] = 0.0
    city = np.empty(n_treatment)
    for i in range(len(label)):
        city[:] = 0.0
        low = label[i]
        high = low + 1 if low > 0 else sums.shape[1]
        for g in range(low, high):
            if sums[i, g, 0] < 0.5:
                continue
            for d in range(shared + per_outcome):
                value = sums[i, g, d if d < shared else offset + d - shared]
                for c in range(n_treatment):
                    city[c] += value * weights[g, d, c]
        for c in range(n_treatment):
            variance[c] += city[c] * city[c]


@numba.njit(cache=CACHE)
def _delete_province(totals, by_province, inside, r, deleted):
    """Totals without province r; False if no treated pair is left."""
    treated = 0.0
    for g in range(len(totals)):
        for d in range(totals.shape[1]):
            deleted[g, d] = totals[g, d] - by_province[r, g, d] + inside[r, g, d]
        if deleted[g, 0] < 0.5:
            for d in range(totals.shape[1]):
                deleted[g, d] = 0.0
        elif g > 0:
            treated += deleted[g, 0]
    return treated > 0.5


@numba.njit(cache=CACHE)
def _joint_f(deviations, used, estimate):
    """F that all estimates are zero, with the jackknife covariance, as `Refits.joint_f`; NaN where there is none."""
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
    _invert(covariance, lost)
    wald = 0.0
    for a in range(k):
        if lost[a]:
            return np.nan
        for b in range(k):
            wald += estimate[a] * scale[a] * covariance[a, b] * estimate[b] * scale[b]
    return wald * (used - k) / (k * (used - 1.0))


@numba.njit(cache=CACHE)
def _lead_statistics(theta, totals, by_province, inside, design, n_years, n_controls, offsets, joint):
    """Joint F of the leads for every outcome, refitting without each province; stays NaN where a refit loses a lead."""
    x, normal, n_treatment, leads = design
    k, start = len(leads), n_years - 1 + n_controls
    q = start + n_treatment
    matrix, rhs, empty, deleted = np.empty((q, q)), np.empty(q), np.zeros(q, dtype=np.bool_), np.empty_like(totals)
    deviations = np.zeros((len(offsets), len(by_province), k))
    used = 0
    for r in range(len(by_province)):
        if not _delete_province(totals, by_province, inside, r, deleted):
            continue
        _normal_matrix(deleted, normal, x, n_years, n_controls, matrix)
        if not _factor(matrix, empty):
            return
        for a in range(k):
            if empty[start + leads[a]]:
                return
        for m in range(len(offsets)):
            _right_hand_side(deleted, x, n_treatment, n_years, n_controls, offsets[m], rhs)
            _solve_factored(matrix, rhs)
            for a in range(k):
                deviations[m, used, a] = rhs[start + leads[a]] - theta[m, start + leads[a]]
        used += 1
    estimate = np.empty(k)
    for m in range(len(offsets)):
        for a in range(k):
            estimate[a] = theta[m, start + leads[a]]
        joint[m] = _joint_f(deviations[m], used, estimate)


@numba.njit(cache=CACHE)
def fit_draw(label, sums, totals, by_province, inside, design, system, offsets, results):
    """One design under one assignment: coefficients, studentised statistics and joint F of the leads, by outcome.

    `design` = (x (G + 1, T, Lmax), normal (G + 1, n_basis, qmax, qmax), L, leads), `results` = arrays filled with NaN that take
    coefficients (M, Lmax), statistics (M, Lmax) and F (M,).
    """
    x, normal, n_treatment, leads = design
    basis, n_controls, shared = system
    coefficient, statistic, joint = results
    n_years = basis.shape[1]
    start, per_outcome = n_years - 1 + n_controls, n_years + n_controls
    q = start + n_treatment
    matrix, lost, rhs, theta = np.empty((q, q)), np.zeros(q, dtype=np.bool_), np.empty(q), np.zeros((len(offsets), q))
    weights, variance = np.empty((len(totals), shared + per_outcome, n_treatment)), np.empty(n_treatment)
    _normal_matrix(totals, normal, x, n_years, n_controls, matrix)
    _invert(matrix, lost)
    for m in range(len(offsets)):
        _right_hand_side(totals, x, n_treatment, n_years, n_controls, offsets[m], rhs)
        for a in range(q):
            for c in range(q):
                theta[m, a] += matrix[a, c] * rhs[c]
        _influence_weights(theta[m], matrix, x, basis, n_controls, shared, weights)
        _city_score_variance(label, sums, weights, shared, per_outcome, offsets[m], variance)
        for c in range(n_treatment):
            if not lost[start + c] and variance[c] > 0.0:
                coefficient[m, c] = theta[m, start + c]
                statistic[m, c] = abs(theta[m, start + c]) / np.sqrt(variance[c])
    if len(leads) > 0:
        _lead_statistics(theta, totals, by_province, inside, design, n_years, n_controls, offsets, joint)
