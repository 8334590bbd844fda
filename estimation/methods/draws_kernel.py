"""Compiled loops over reassignments of admission: the only file that imports numba.

The algebra is that of `sufficient` and `least_squares`; tests hold the two against one another. Draws run in parallel, each draw
sequentially, so the bytes do not depend on the number of threads.
"""

from __future__ import annotations

import os

import numba
import numpy as np

from estimation.methods.least_squares import INVOLVED, PIVOT_FLOOR, PIVOT_SHARE

# without a directory of our own numba would write beside the sources
CACHE = bool(os.environ.get("NUMBA_CACHE_DIR"))
if CACHE:
    # numba may have been imported before the directory was named
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]


@numba.njit(cache=CACHE)
def _lower_rank(both_ranks, n_both, n_pairs, quantile):
    """Rank of the order statistic at or below the quantile among the pairs that are not `both`; -1 if there is none."""
    left = n_pairs - n_both
    if left <= 0:
        return -1
    wanted = int((left - 1) * quantile + 1e-9)
    rank = wanted
    while True:
        below = 0
        for k in range(n_both):
            if both_ranks[k] <= rank:
                below += 1
        if wanted + below == rank:
            break
        rank = wanted + below
    return rank


@numba.njit(cache=CACHE)
def _first_kept(label, pilots, n_pilots, rank_of, next_larger, quantile, both_ranks):
    """First rank that the sample rule keeps under this assignment."""
    n_both = 0
    for a in range(n_pilots):
        for b in range(a + 1, n_pilots):
            rank = rank_of[pilots[a], pilots[b]]
            if rank >= 0:
                both_ranks[n_both] = rank
                n_both += 1
    rank = _lower_rank(both_ranks, n_both, len(next_larger), quantile)
    return len(next_larger) if rank < 0 else next_larger[rank]


@numba.njit(cache=CACHE)
def _add(target, values, sign):
    for d in range(len(values)):
        target[d] += sign * values[d]


@numba.njit(cache=CACHE)
def _accumulate(label, pilots, n_pilots, first_kept, base_first, sums, inside, data):
    """Fill sums (N, G + 1, D) and inside (R, G + 1, D), which hold the base sums of all pairs from rank `base_first` in group 0."""
    first, second, values, rank_of, province = data
    n_cities = len(label)
    with_provinces = inside.shape[0] > 0
    sign = -1.0 if first_kept > base_first else 1.0
    for rank in range(min(first_kept, base_first), max(first_kept, base_first)):
        i, j = first[rank], second[rank]
        _add(sums[i, 0], values[rank], sign)
        _add(sums[j, 0], values[rank], sign)
        if with_provinces and province[i] == province[j]:
            _add(inside[province[i], 0], values[rank], sign)
    for a in range(n_pilots):
        j = pilots[a]
        group = label[j]
        for i in range(n_cities):
            rank = rank_of[j, i]
            if rank < first_kept:
                continue
            same = with_provinces and province[i] == province[j]
            if label[i] == 0:
                _add(sums[i, 0], values[rank], -1.0)
                _add(sums[i, group], values[rank], 1.0)
                _add(sums[j, group], values[rank], 1.0)
                if same:
                    _add(inside[province[i], 0], values[rank], -1.0)
                    _add(inside[province[i], group], values[rank], 1.0)
            elif i > j and same:
                _add(inside[province[i], 0], values[rank], -1.0)
    for a in range(n_pilots):
        sums[pilots[a], 0, :] = 0.0


@numba.njit(cache=CACHE)
def _totals(label, sums, totals):
    totals[:] = 0.0
    for i in range(len(label)):
        if label[i] == 0:
            _add(totals[0], sums[i, 0], 0.5)
        else:
            _add(totals[label[i]], sums[i, label[i]], 1.0)
    _clear_empty(totals)


@numba.njit(cache=CACHE)
def _clear_empty(totals):
    for g in range(len(totals)):
        if totals[g, 0] < 0.5:
            totals[g, :] = 0.0


@numba.njit(cache=CACHE)
def _invert(matrix, lost):
    q = len(matrix)
    original = np.diag(matrix).copy()
    skipped = np.zeros(q, dtype=np.bool_)
    lost[:] = False
    for k in range(q):
        pivot = matrix[k, k]
        if pivot <= PIVOT_SHARE * original[k] + PIVOT_FLOOR:
            skipped[k] = True
            lost[k] = True
            if original[k] > PIVOT_FLOOR:
                for i in range(k):
                    if not skipped[i] and abs(matrix[i, k]) > INVOLVED:
                        lost[i] = True
            continue
        for j in range(q):
            matrix[k, j] = matrix[k, j] / pivot
        for i in range(q):
            factor = matrix[i, k]
            if i != k and factor != 0.0:
                for j in range(q):
                    matrix[i, j] -= factor * matrix[k, j]
                matrix[i, k] = -factor / pivot
        matrix[k, k] = 1.0 / pivot
    for k in range(q):
        if skipped[k]:
            matrix[k, :] = 0.0
            matrix[:, k] = 0.0


@numba.njit(cache=CACHE)
def _projection(total, basis, projection):
    projection[:] = 0.0
    for k in range(len(basis)):
        if total[k] != 0.0:
            projection += total[k] * basis[k]


@numba.njit(cache=CACHE)
def _add_treatment_blocks(projection, x, start, matrix):
    n_years, n_treatment = len(projection), matrix.shape[0] - start
    projected = np.zeros((n_years, n_treatment))
    for s in range(n_years):
        for t in range(n_years):
            for c in range(n_treatment):
                projected[s, c] += projection[s, t] * x[t, c]
    for s in range(1, n_years):
        for c in range(n_treatment):
            matrix[s - 1, start + c] += projected[s, c]
    for t in range(n_years):
        for c in range(n_treatment):
            if x[t, c] != 0.0:
                for b in range(n_treatment):
                    matrix[start + c, start + b] += x[t, c] * projected[t, b]


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
            for c in range(matrix.shape[0] - start):
                matrix[first + k, start + c] += value * x[t, c]


@numba.njit(cache=CACHE)
def _normal_matrix(totals, x, basis, n_controls, matrix):
    n_years = basis.shape[1]
    matrix[:] = 0.0
    projection = np.empty((n_years, n_years))
    for g in range(len(totals)):
        if totals[g, 0] == 0.0:
            continue
        _projection(totals[g], basis, projection)
        for s in range(1, n_years):
            for t in range(1, n_years):
                matrix[s - 1, t - 1] += projection[s, t]
        _add_treatment_blocks(projection, x[g], n_years - 1 + n_controls, matrix)
        _add_control_blocks(totals[g], x[g], len(basis), n_years, n_controls, matrix)
    for i in range(len(matrix)):
        for j in range(i):
            matrix[i, j] = matrix[j, i]


@numba.njit(cache=CACHE)
def _right_hand_side(totals, x, n_treatment, n_years, n_controls, offset, rhs):
    start = n_years - 1 + n_controls
    rhs[:] = 0.0
    for g in range(len(totals)):
        for t in range(n_years):
            value = totals[g, offset + t]
            if t > 0:
                rhs[t - 1] += value
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
    """Weights (G + 1, shared + T + K, L) of the treatment coefficients, as in `least_squares.influence_weights`."""
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
        weights[g, shared : shared + n_years] = z
        _set_control_weights(theta, inverse, fitted, z, len(basis), n_controls, shared, weights[g])


@numba.njit(cache=CACHE)
def _city_score_variance(label, sums, weights, shared, per_outcome, offset, n_treatment, variance):
    """Sum over cities of the squared sum of the influence of their pairs."""
    variance[:] = 0.0
    city = np.empty(n_treatment)
    for i in range(len(label)):
        city[:] = 0.0
        low = label[i]
        high = low + 1 if low > 0 else sums.shape[1]
        for g in range(low, high):
            if sums[i, g, 0] < 0.5:
                continue
            for d in range(shared):
                value = sums[i, g, d]
                for c in range(n_treatment):
                    city[c] += value * weights[g, d, c]
            for d in range(per_outcome):
                value = sums[i, g, offset + d]
                for c in range(n_treatment):
                    city[c] += value * weights[g, shared + d, c]
        for c in range(n_treatment):
            variance[c] += city[c] * city[c]


@numba.njit(cache=CACHE)
def _deleted_totals(totals, by_province, inside, r, deleted):
    for g in range(len(totals)):
        for d in range(totals.shape[1]):
            deleted[g, d] = totals[g, d] - by_province[r, g, d] + inside[r, g, d]
    _clear_empty(deleted)
    treated = 0.0
    for g in range(1, len(totals)):
        treated += deleted[g, 0]
    return treated > 0.5


@numba.njit(cache=CACHE)
def _province_sums(label, province, sums, by_province):
    by_province[:] = 0.0
    for i in range(len(label)):
        for g in range(sums.shape[1]):
            if sums[i, g, 0] > 0.5:
                _add(by_province[province[i], g], sums[i, g], 1.0)


@numba.njit(cache=CACHE)
def _joint_f(deviations, used, estimate):
    """F of the hypothesis that all estimates are zero, with the jackknife covariance; NaN where there is none. See METHODS section 7."""
    k = len(estimate)
    if used <= k:
        return np.nan
    covariance = np.zeros((k, k))
    for r in range(used):
        for a in range(k):
            for b in range(k):
                covariance[a, b] += deviations[r, a] * deviations[r, b] * (used - 1) / used
    scale = np.empty(k)
    for a in range(k):
        if covariance[a, a] <= 0.0:
            return np.nan
        scale[a] = 1.0 / np.sqrt(covariance[a, a])
    for a in range(k):
        for b in range(k):
            covariance[a, b] *= scale[a] * scale[b]
    lost = np.zeros(k, dtype=np.bool_)
    _invert(covariance, lost)
    if lost.any():
        return np.nan
    wald = 0.0
    for a in range(k):
        for b in range(k):
            wald += estimate[a] * scale[a] * covariance[a, b] * estimate[b] * scale[b]
    return wald * (used - k) / (k * (used - 1.0))


@numba.njit(cache=CACHE)
def _lead_statistics(theta, totals, by_province, inside, x, n_treatment, basis, n_controls, n_years, offsets, leads, out):
    """Joint F of the leads for every outcome, refitting without each province."""
    n_provinces, n_outcomes, k = len(by_province), len(offsets), len(leads)
    start = n_years - 1 + n_controls
    q = start + n_treatment
    matrix, rhs, lost, deleted = np.empty((q, q)), np.empty(q), np.zeros(q, dtype=np.bool_), np.empty_like(totals)
    deviations = np.zeros((n_outcomes, n_provinces, k))
    used = 0
    for r in range(n_provinces):
        if not _deleted_totals(totals, by_province, inside, r, deleted):
            continue
        _normal_matrix(deleted, x, basis, n_controls, matrix)
        _invert(matrix, lost)
        for a in range(k):
            if lost[start + leads[a]]:
                out[:] = np.nan
                return
        for m in range(n_outcomes):
            _right_hand_side(deleted, x, n_treatment, n_years, n_controls, offsets[m], rhs)
            for a in range(k):
                value = 0.0
                for c in range(q):
                    value += matrix[start + leads[a], c] * rhs[c]
                deviations[m, used, a] = value - theta[m, start + leads[a]]
        used += 1
    estimate = np.empty(k)
    for m in range(n_outcomes):
        for a in range(k):
            estimate[a] = theta[m, start + leads[a]]
        out[m] = _joint_f(deviations[m], used, estimate)


@numba.njit(cache=CACHE)
def _fit_draw(label, sums, totals, by_province, inside, design, system, offsets, coefficient, statistic, joint):
    """One design under one assignment: coefficients, studentised statistics and joint F of the leads, by outcome."""
    x, n_treatment, leads = design
    basis, n_controls, shared = system
    n_years = basis.shape[1]
    start, per_outcome = n_years - 1 + n_controls, n_years + n_controls
    q = start + n_treatment
    matrix, lost, rhs = np.empty((q, q)), np.zeros(q, dtype=np.bool_), np.empty(q)
    theta = np.zeros((len(offsets), q))
    weights, variance = np.empty((len(totals), shared + per_outcome, n_treatment)), np.empty(n_treatment)
    _normal_matrix(totals, x, basis, n_controls, matrix)
    _invert(matrix, lost)
    for m in range(len(offsets)):
        _right_hand_side(totals, x, n_treatment, n_years, n_controls, offsets[m], rhs)
        for a in range(q):
            for c in range(q):
                theta[m, a] += matrix[a, c] * rhs[c]
        _influence_weights(theta[m], matrix, x, basis, n_controls, shared, weights)
        _city_score_variance(label, sums, weights, shared, per_outcome, offsets[m], n_treatment, variance)
        for c in range(n_treatment):
            if lost[start + c] or variance[c] <= 0.0:
                coefficient[m, c], statistic[m, c] = np.nan, np.nan
            else:
                coefficient[m, c] = theta[m, start + c]
                statistic[m, c] = abs(theta[m, start + c]) / np.sqrt(variance[c])
    if len(leads) > 0:
        _lead_statistics(theta, totals, by_province, inside, x, n_treatment, basis, n_controls, n_years, offsets, leads, joint)


@numba.njit(parallel=True, cache=CACHE)
def run_draws(labels, data, rule, base, x_all, sizes, leads_all, n_leads, system, offsets, coefficient, statistic, joint):
    """Fill coefficient and statistic (B, designs, M, Lmax) and joint (B, designs, M) for each row of labels (B, N).

    `data` = (first, second: city of each rank; values (P, D) by rank; rank_of (N, N), -1 where there is no pair; province (N,)),
    `rule` = (use_rule, quantile, next_larger (P,), base_first), `base` = sums (N, D) and inside (R, D) of all pairs from rank
    `base_first`, `system` = (basis, n_controls, shared).
    """
    use_rule, quantile, next_larger, base_first = rule
    base_sums, base_inside = base
    n_groups, n_cities, n_values = x_all.shape[1], labels.shape[1], base_sums.shape[1]
    for draw in numba.prange(len(labels)):
        label = labels[draw]
        pilots = np.empty(n_cities, dtype=np.int64)
        n_pilots = 0
        for i in range(n_cities):
            if label[i] > 0:
                pilots[n_pilots] = i
                n_pilots += 1
        first_kept = 0
        if use_rule:
            both_ranks = np.empty(n_pilots * (n_pilots - 1) // 2 + 1, dtype=np.int64)
            first_kept = _first_kept(label, pilots, n_pilots, data[3], next_larger, quantile, both_ranks)
        sums = np.zeros((n_cities, n_groups, n_values))
        inside = np.zeros((len(base_inside), n_groups, n_values))
        sums[:, 0, :] = base_sums
        inside[:, 0, :] = base_inside
        _accumulate(label, pilots, n_pilots, first_kept, base_first, sums, inside, data)
        totals = np.empty((n_groups, n_values))
        _totals(label, sums, totals)
        by_province = np.zeros_like(inside)
        if len(inside) > 0:
            _province_sums(label, data[4], sums, by_province)
        for k in range(len(sizes)):
            design = (x_all[k], sizes[k], leads_all[k, : n_leads[k]])
            _fit_draw(
                label, sums, totals, by_province, inside, design, system, offsets, coefficient[draw, k], statistic[draw, k], joint[draw, k]
            )
