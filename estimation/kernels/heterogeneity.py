"""Compiled draws of moderated designs on a balanced panel without controls.

With d_p(t, l) = path[type, t] * loading[p] less its mean over years, w_b the block's mean of d and e_b its mean outcome less w_b b, a
pair's score is the sum over years of (d_p - w_b)(y_p - e_b - d_p b). So a draw visits its treated pairs once for the coefficients and once
for the scores; all other pairs enter through sums by city and block, which are kept for all pairs above the tie threshold.
"""

from __future__ import annotations

import numba
import numpy as np

from .heterogeneity_sums import list_treated_pairs, multiply_paths, sum_kept_pairs, total_blocks, total_provinces
from .normal_equations import CACHE, _invert, _joint_f
from .tie_rule import _first_kept


@numba.njit(cache=CACHE)
def _sum_regressors(treated, n_treated, products, place, design, sums, counts):
    """Sums over the treated pairs of regressors (R, B, T, L), X'X (R, L, L), X'y (R, M, L), and their number (R,).

    `place` (N,) is the city's province: a pair counts where either of its cities is; with one place for all, once.
    """
    d, gram, columns, index, value = design
    w, xx, xy = sums
    n_path, n_years = len(columns), d.shape[1]
    for n in range(n_treated):
        rank, kind, block = treated[n, 0], treated[n, 1], treated[n, 4]
        a, b = place[treated[n, 2]], place[treated[n, 3]]
        for side in range(1 if a == b else 2):
            r = a if side == 0 else b
            counts[r] += 1.0
            for c in range(2):
                first = index[rank, c] * n_path
                if first < 0:
                    continue
                weight = value[rank, c]
                for u in range(n_path):
                    for t in range(n_years):
                        w[r, block, t, first + u] += weight * d[kind, t, columns[u]]
                    for m in range(xy.shape[1]):
                        xy[r, m, first + u] += weight * products[n, m, columns[u]]
                    for e in range(2):
                        if index[rank, e] < 0:
                            continue
                        for v in range(n_path):
                            product = weight * value[rank, e] * gram[kind, columns[u], columns[v]]
                            xx[r, first + u, index[rank, e] * n_path + v] += product


@numba.njit(cache=CACHE)
def _take_block_out(count, totals, w, matrix, right):
    """Take one block's year effects out of X'X and X'y; w (T, L) becomes the block's mean regressors."""
    size = len(matrix)
    for t in range(w.shape[0]):
        for k in range(size):
            if w[t, k] == 0.0:
                continue
            mean = w[t, k] / count
            for c in range(size):
                matrix[k, c] -= mean * w[t, c]
            for m in range(right.shape[0]):
                right[m, k] -= mean * totals[m, t]
        for k in range(size):
            w[t, k] = w[t, k] / count


@numba.njit(cache=CACHE)
def _drop_absorbed(matrix, xx):
    """A regressor that year effects take up leaves rounding noise of its own size behind: make it nothing."""
    for k in range(len(matrix)):
        if matrix[k, k] <= 1e-9 * xx[k, k]:
            for c in range(len(matrix)):
                matrix[k, c], matrix[c, k] = 0.0, 0.0


@numba.njit(cache=CACHE)
def _solve_moderated(totals, total_counts, w, xx, right, matrix, lost, theta):
    """Solve with the blocks' year effects out; w becomes the blocks' means, right is used up. theta (M, L), matrix the inverse."""
    size = len(matrix)
    for k in range(size):
        for c in range(size):
            matrix[k, c] = xx[k, c]
    for b in range(len(total_counts)):
        if total_counts[b] > 0.5:
            _take_block_out(total_counts[b], totals[b], w[b], matrix, right)
        else:
            for t in range(w.shape[1]):
                for k in range(size):
                    w[b, t, k] = 0.0
    _drop_absorbed(matrix, xx)
    _invert(matrix, lost)
    for m in range(right.shape[0]):
        for k in range(size):
            theta[m, k] = 0.0
            for c in range(size):
                theta[m, k] += matrix[k, c] * right[m, c]


@numba.njit(cache=CACHE)
def _levels(m, totals, total_counts, w, b, level):
    """Mean outcome of each block and year less the explained part of the block's mean regressors, (B, T)."""
    for q in range(len(total_counts)):
        for t in range(level.shape[1]):
            level[q, t] = 0.0
            if total_counts[q] > 0.5:
                level[q, t] = totals[q, m, t] / total_counts[q]
                for k in range(len(b)):
                    level[q, t] -= w[q, t, k] * b[k]


@numba.njit(cache=CACHE)
def _score_treated(m, treated, n_treated, products, design, level, b, explained, city):
    """Add the treated pairs' own part of the scores to their two cities (N, L), what b explains of them to their slots (S, T)."""
    d, _, columns, index, value = design
    n_path, n_years = len(columns), d.shape[1]
    own = np.empty(n_years)
    for n in range(n_treated):
        rank, kind, j, i, block = treated[n, 0], treated[n, 1], treated[n, 2], treated[n, 3], treated[n, 4]
        for t in range(n_years):
            own[t] = 0.0
        for c in range(2):
            for u in range(n_path if index[rank, c] >= 0 else 0):
                slope = value[rank, c] * b[index[rank, c] * n_path + u]
                for t in range(n_years):
                    own[t] += slope * d[kind, t, columns[u]]
        for t in range(n_years):
            explained[treated[n, 5], t] += own[t]
            explained[treated[n, 6], t] += own[t]
            own[t] += level[block, t]
        for u in range(n_path):
            score = products[n, m, columns[u]]
            for t in range(n_years):
                score -= d[kind, t, columns[u]] * own[t]
            for c in range(2):
                if index[rank, c] >= 0:
                    city[j, index[rank, c] * n_path + u] += value[rank, c] * score
                    city[i, index[rank, c] * n_path + u] += value[rank, c] * score


@numba.njit(cache=CACHE)
def _city_scores(m, treated, n_treated, products, blocks, design, work, level, w, b, explained, city):
    """Sum of the scores of each city's pairs, (N, L)."""
    _, slot_city, slot_block = blocks
    sums, counts = work[0], work[1]
    for i in range(city.shape[0]):
        for k in range(len(b)):
            city[i, k] = 0.0
    for s in range(len(slot_city)):
        for t in range(level.shape[1]):
            explained[s, t] = 0.0
    _score_treated(m, treated, n_treated, products, design, level, b, explained, city)
    for s in range(len(slot_city)):
        if counts[s] > 0.5:
            i, block = slot_city[s], slot_block[s]
            for t in range(level.shape[1]):
                rest = sums[s, m, t] - counts[s] * level[block, t] - explained[s, t]
                for k in range(len(b)):
                    city[i, k] -= w[block, t, k] * rest


@numba.njit(cache=CACHE)
def _combine(contrast, theta, inverse, lost, row):
    """A row of coefficients and its weights on the scores; NaN where a coefficient of it is not identified."""
    estimate = 0.0
    for c in range(len(lost)):
        row[c] = 0.0
    for k in range(len(lost)):
        if contrast[k] == 0.0:
            continue
        if lost[k]:
            estimate = np.nan
        estimate += contrast[k] * theta[k]
        for c in range(len(lost)):
            row[c] += contrast[k] * inverse[k, c]
    return estimate


@numba.njit(cache=CACHE)
def _statistics(theta, inverse, lost, city, contrasts, row, coefficient, statistic):
    """Rows of coefficients and their studentised statistics."""
    for r in range(len(contrasts)):
        estimate = _combine(contrasts[r], theta, inverse, lost, row)
        variance = 0.0
        for i in range(len(city)):
            value = 0.0
            for c in range(len(lost)):
                value += row[c] * city[i, c]
            variance += value * value
        if not np.isnan(estimate) and variance > 0.0:
            coefficient[r] = estimate
            statistic[r] = abs(estimate) / np.sqrt(variance)


@numba.njit(cache=CACHE)
def _less(full, part, result):
    a, b, c = full.ravel(), part.ravel(), result.ravel()
    for k in range(len(a)):
        c[k] = a[k] - b[k]


@numba.njit(cache=CACHE)
def _refit_provinces(full, parts, n_treated, theta, contrasts, refits):
    """Deviations (M, R, C) of every row without each province that leaves a treated pair; returns their number."""
    totals, counts, w = np.empty_like(full[0]), np.empty_like(full[1]), np.empty_like(full[2])
    xx, xy = np.empty_like(full[3]), np.empty_like(full[4])
    size, used = len(xx), 0
    matrix, lost, refit = np.empty((size, size)), np.zeros(size, dtype=np.bool_), np.empty_like(theta)
    for r in range(len(parts[5])):
        if parts[5][r] > n_treated - 0.5:
            continue
        _less(full[0], parts[0][r], totals)
        _less(full[1], parts[1][r], counts)
        _less(full[2], parts[2][r], w)
        _less(full[3], parts[3][r], xx)
        _less(full[4], parts[4][r], xy)
        _solve_moderated(totals, counts, w, xx, xy, matrix, lost, refit)
        for m in range(len(theta)):
            for c in range(len(contrasts)):
                value = 0.0
                for k in range(size):
                    if contrasts[c, k] != 0.0:
                        value += np.nan if lost[k] else contrasts[c, k] * (refit[m, k] - theta[m, k])
                refits[m, used, c] = value
        used += 1
    return used


@numba.njit(cache=CACHE)
def _test(rows, contrasts, theta, refits, used):
    """Joint F of the rows; NaN where a refit loses one."""
    n = len(rows)
    deviations, estimate = np.zeros((used, n)), np.zeros(n)
    for c in range(n):
        for k in range(len(theta)):
            estimate[c] += contrasts[rows[c], k] * theta[k]
        for r in range(used):
            deviations[r, c] = refits[r, rows[c]]
            if np.isnan(deviations[r, c]):
                return np.nan
    return _joint_f(deviations, used, estimate)


@numba.njit(cache=CACHE)
def _joint_tests(treated, n_treated, products, province, design, full, province_totals, theta, rows, joint):
    contrasts, tests, test_sizes = rows
    n_provinces, n_blocks, n_years, size = len(province_totals[1]), full[2].shape[0], full[2].shape[1], len(full[3])
    w, xx = np.zeros((n_provinces, n_blocks, n_years, size)), np.zeros((n_provinces, size, size))
    xy, counts = np.zeros((n_provinces, len(theta), size)), np.zeros(n_provinces)
    _sum_regressors(treated, n_treated, products, province, design, (w, xx, xy), counts)
    parts = (province_totals[0], province_totals[1], w, xx, xy, counts)
    refits = np.empty((len(theta), n_provinces, len(contrasts)))
    used = _refit_provinces(full, parts, n_treated, theta, contrasts, refits)
    for m in range(len(theta)):
        for q in range(len(test_sizes)):
            joint[m, q] = _test(tests[q, : test_sizes[q]], contrasts, theta[m], refits[m], used)


@numba.njit(cache=CACHE)
def _fit_design(treated, n_treated, products, data, blocks, work, totals, province_totals, design, rows, nowhere, explained, results):
    """One design under one assignment."""
    contrasts, _, test_sizes = rows
    size, n_outcomes, n_years, n_blocks = contrasts.shape[1], data[2].shape[1], data[2].shape[2], len(totals[1])
    w, xx, xy = np.zeros((1, n_blocks, n_years, size)), np.zeros((1, size, size)), np.zeros((1, n_outcomes, size))
    _sum_regressors(treated, n_treated, products, nowhere, design, (w, xx, xy), np.zeros(1))
    full = (totals[0], totals[1], w[0].copy(), xx[0], xy[0].copy())
    matrix, lost, theta = np.empty((size, size)), np.zeros(size, dtype=np.bool_), np.empty((n_outcomes, size))
    _solve_moderated(totals[0], totals[1], w[0], xx[0], xy[0], matrix, lost, theta)
    city, level, row = np.empty((len(nowhere), size)), np.empty((n_blocks, n_years)), np.empty(size)
    for m in range(n_outcomes):
        _levels(m, totals[0], totals[1], w[0], theta[m], level)
        _city_scores(m, treated, n_treated, products, blocks, design, work, level, w[0], theta[m], explained, city)
        _statistics(theta[m], matrix, lost, city, contrasts, row, results[0][m], results[1][m])
    if len(test_sizes) > 0 and len(province_totals[1]) > 0:
        _joint_tests(treated, n_treated, products, data[4], design, full, province_totals, theta, rows, results[2])


@numba.njit(cache=CACHE)
def _list_pilots(label, pilots):
    n_pilots = 0
    for i in range(len(label)):
        if label[i] > 0:
            pilots[n_pilots] = i
            n_pilots += 1
    return n_pilots


@numba.njit(nogil=True, cache=CACHE)
def run_moderated_draws(labels, data, rule, base, blocks, paths, designs, memory, coefficient, statistic, joint):
    """Fill coefficient and statistic (B, designs, M, C) and joint (B, designs, M, tests) for each row of labels (B, N).

    `data` = (first, second: city of each rank; y (P, M, T) less pair means, by rank; rank_of (N, N); province (N,)), `rule` as in
    `draws_kernel.run_draws`, `base` = sums by slot (S, M, T), their counts (S,), sums inside provinces (R, B, M, T), their counts (R, B),
    over all pairs from rank `base_first`; `blocks` = (slot_of (P, 2), slot_city (S,), slot_block (S,)), `paths` = (d (K + 1, T, U) less
    means over years, gram (K + 1, U, U)), `designs` = (columns, n_columns, index (designs, P, 2), value (designs, P, 2), contrasts, n_rows,
    n_coefficients, tests, n_tests, test_sizes), padded to the largest design, `memory` = working arrays of the caller's thread.
    """
    columns, n_columns, index, value, contrasts, n_rows, n_coefficients, tests, n_tests, test_sizes = designs
    work, totals, province_totals, lists, spare = memory
    pilots, both_ranks, treated, products, ranks, signs = lists
    for draw in range(len(labels)):
        n_pilots = _list_pilots(labels[draw], pilots)
        first_kept = _first_kept(pilots, n_pilots, data[3], rule[2], rule[1], both_ranks) if rule[0] else 0
        sum_kept_pairs(pilots, n_pilots, first_kept, rule[3], base, data, blocks, ranks, signs, work)
        n_treated = list_treated_pairs(labels[draw], pilots, n_pilots, first_kept, data, blocks, treated)
        multiply_paths(treated, n_treated, data[2], paths[0], products)
        total_blocks(blocks, work, totals[0], totals[1])
        total_provinces(blocks, data[4], work, province_totals[0], province_totals[1])
        for k in range(len(n_columns)):
            design = (paths[0], paths[1], columns[k, : n_columns[k]], index[k], value[k])
            rows = (contrasts[k, : n_rows[k], : n_coefficients[k]], tests[k, : n_tests[k]], test_sizes[k, : n_tests[k]])
            results = (coefficient[draw, k], statistic[draw, k], joint[draw, k])
            _fit_design(
                treated, n_treated, products, data, blocks, work, totals, province_totals, design, rows, spare[0], spare[1], results
            )
