"""Compiled draws of effects that differ between pairs or pilots, on a balanced panel without
controls.

With d_p(t, l) = path[type, t] * loading[p] less its mean over years, w_b the block's mean of d and
e_b its mean outcome less w_b b, a pair's score is the sum over years of (d_p - w_b)(y_p - e_b - d_p
b). So a draw visits its treated pairs once for the coefficients and once for the scores; all other
pairs enter through sums by city and block, which are kept for all pairs above the tie threshold.
"""

from __future__ import annotations

import numba
import numpy as np

from .heterogeneity_records import (
    BLOCK,
    PARTNER,
    PARTNER_SLOT,
    PILOT,
    PILOT_SLOT,
    RANK,
    TYPE,
    BlockSums,
    PackedDesign,
    RegressorSums,
)
from .heterogeneity_sums import list_treated_pairs, sum_kept_pairs, total_blocks, total_provinces
from .jit_options import CACHE
from .linear_algebra import invert, joint_f
from .records import DrawResults
from .tie_rule import apply_tie_rule


@numba.njit(cache=CACHE)
def _sum_regressors(treated, place, n_places, n_blocks, design):
    """`RegressorSums` of `TreatedPairs` with a first axis of n_places; a pair counts where either
    of its cities is, place (N,).
    """
    who, products, deviation, gram = treated.who, treated.products, design.deviation, design.gram
    columns, loading_column, loading = design.columns, design.loading_column, design.loading
    n_path, n_years, size, n_outcomes = (
        len(columns),
        deviation.shape[1],
        design.contrasts.shape[1],
        products.shape[1],
    )
    w, xx = np.zeros((n_places, n_blocks, n_years, size)), np.zeros((n_places, size, size))
    xy, n_treated = np.zeros((n_places, n_outcomes, size)), np.zeros(n_places)
    for n in range(len(who)):
        rank, kind, block = who[n, RANK], who[n, TYPE], who[n, BLOCK]
        a, b = place[who[n, PILOT]], place[who[n, PARTNER]]
        for side in range(1 if a == b else 2):
            r = a if side == 0 else b
            n_treated[r] += 1.0
            for c in range(2):
                first = loading_column[rank, c] * n_path
                if first < 0:
                    continue
                weight = loading[rank, c]
                for u in range(n_path):
                    for t in range(n_years):
                        w[r, block, t, first + u] += weight * deviation[kind, t, columns[u]]
                    for m in range(n_outcomes):
                        xy[r, m, first + u] += weight * products[n, m, columns[u]]
                    for e in range(2):
                        if loading_column[rank, e] < 0:
                            continue
                        for v in range(n_path):
                            product = weight * loading[rank, e] * gram[kind, columns[u], columns[v]]
                            xx[r, first + u, loading_column[rank, e] * n_path + v] += product
    return RegressorSums(w, xx, xy, n_treated)


@numba.njit(cache=CACHE)
def _take_block_out(count, totals, w, matrix, right):
    """Take one block's year effects out of X'X (L, L) and X'y (M, L); w (T, L) becomes the block's
    mean regressors.

    `count` is the block's number of pairs, totals (M, T) are its outcome sums.
    """
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
    """Set a regressor that year effects absorb to zero in matrix (L, L): it leaves rounding noise
    of its own size xx (L, L) behind.
    """
    for k in range(len(matrix)):
        if matrix[k, k] <= 1e-9 * xx[k, k]:
            for c in range(len(matrix)):
                matrix[k, c], matrix[c, k] = 0.0, 0.0


@numba.njit(cache=CACHE)
def _solve(blocks, w, xx, right, matrix, lost, theta):
    """Coefficients theta (M, L) with the year effects of `BlockSums` out, and the inverse of their
    normal matrix, matrix (L, L).

    w (Y, T, L), the regressors' sums, becomes the blocks' means; right (M, L) is used up; lost (L,)
    marks what is not identified.
    """
    size = len(matrix)
    for k in range(size):
        for c in range(size):
            matrix[k, c] = xx[k, c]
    for b in range(len(blocks.counts)):
        if blocks.counts[b] > 0.5:
            _take_block_out(blocks.counts[b], blocks.outcomes[b], w[b], matrix, right)
        else:
            for t in range(w.shape[1]):
                for k in range(size):
                    w[b, t, k] = 0.0
    _drop_absorbed(matrix, xx)
    invert(matrix, lost)
    for m in range(right.shape[0]):
        for k in range(size):
            theta[m, k] = 0.0
            for c in range(size):
                theta[m, k] += matrix[k, c] * right[m, c]


@numba.njit(cache=CACHE)
def _fill_levels(m, blocks, w, b, level):
    """Mean of outcome m in each block and year, level (Y, T), less what b (L,) explains of it
    through mean regressors w (Y, T, L).
    """
    totals, counts = blocks.outcomes, blocks.counts
    for q in range(len(counts)):
        for t in range(level.shape[1]):
            level[q, t] = 0.0
            if counts[q] > 0.5:
                level[q, t] = totals[q, m, t] / counts[q]
                for k in range(len(b)):
                    level[q, t] -= w[q, t, k] * b[k]


@numba.njit(cache=CACHE)
def _score_treated(m, treated, design, level, b, explained, city):
    """Add the treated pairs' own part of the scores to their two cities (N, L), what b (L,)
    explains of them to their slots (S, T).

    Of outcome m, with `TreatedPairs` and level (Y, T).
    """
    who, products, deviation = treated.who, treated.products, design.deviation
    columns, loading_column, loading = design.columns, design.loading_column, design.loading
    n_path, n_years = len(columns), deviation.shape[1]
    own = np.empty(n_years)
    for n in range(len(who)):
        rank, kind, j, i, block = (
            who[n, RANK],
            who[n, TYPE],
            who[n, PILOT],
            who[n, PARTNER],
            who[n, BLOCK],
        )
        for t in range(n_years):
            own[t] = 0.0
        for c in range(2):
            for u in range(n_path if loading_column[rank, c] >= 0 else 0):
                slope = loading[rank, c] * b[loading_column[rank, c] * n_path + u]
                for t in range(n_years):
                    own[t] += slope * deviation[kind, t, columns[u]]
        for t in range(n_years):
            explained[who[n, PILOT_SLOT], t] += own[t]
            explained[who[n, PARTNER_SLOT], t] += own[t]
            own[t] += level[block, t]
        for u in range(n_path):
            score = products[n, m, columns[u]]
            for t in range(n_years):
                score -= deviation[kind, t, columns[u]] * own[t]
            for c in range(2):
                if loading_column[rank, c] >= 0:
                    city[j, loading_column[rank, c] * n_path + u] += loading[rank, c] * score
                    city[i, loading_column[rank, c] * n_path + u] += loading[rank, c] * score


@numba.njit(cache=CACHE)
def _fill_city_scores(m, treated, year_blocks, design, work, level, w, b, city):
    """Sum of the scores of each city's pairs, city (N, L); level (Y, T), w (Y, T, L) and b (L,) of
    outcome m.
    """
    sums, counts, explained = work.slots.outcomes, work.slots.counts, work.explained
    slot_city, slot_block = year_blocks.slot_city, year_blocks.slot_block
    for i in range(city.shape[0]):
        for k in range(len(b)):
            city[i, k] = 0.0
    for s in range(len(counts)):
        for t in range(level.shape[1]):
            explained[s, t] = 0.0
    _score_treated(m, treated, design, level, b, explained, city)
    for s in range(len(counts)):
        if counts[s] > 0.5:
            i, block = slot_city[s], slot_block[s]
            for t in range(level.shape[1]):
                rest = sums[s, m, t] - counts[s] * level[block, t] - explained[s, t]
                for k in range(len(b)):
                    city[i, k] -= w[block, t, k] * rest


@numba.njit(cache=CACHE)
def _combine(contrast, theta, inverse, lost, row):
    """A row of coefficients, contrast (L,) times theta (L,), and its weights on the scores, row
    (L,); inverse (L, L), lost (L,).

    NaN where a coefficient of it is not identified.
    """
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
def _fill_statistics(theta, inverse, lost, city, contrasts, coefficient, statistic):
    """Rows of coefficients (C,) and their studentised statistics (C,).

    theta (L,), inverse (L, L), lost (L,), scores of the cities (N, L), contrasts (C, L).
    """
    row = np.empty(len(lost))
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
def _subtract(full, part, result):
    """`full` less `part`, three arrays of one shape."""
    a, b, c = full.ravel(), part.ravel(), result.ravel()
    for k in range(len(a)):
        c[k] = a[k] - b[k]


@numba.njit(cache=CACHE)
def _refit_provinces(blocks, province_blocks, full, parts, theta, contrasts, refits):
    """Deviations (M, R, C) of every row without each province that leaves a treated pair; returns
    their number.

    `blocks` and `full` are sums over all pairs, `province_blocks` and `parts` those by province;
    theta (M, L), contrasts (C, L).
    """
    left, w = (
        BlockSums(np.empty_like(blocks.outcomes), np.empty_like(blocks.counts)),
        np.empty_like(full.by_block),
    )
    xx, xy = np.empty_like(full.xx), np.empty_like(full.xy)
    size, used = len(xx), 0
    matrix, lost, refit = (
        np.empty((size, size)),
        np.zeros(size, dtype=np.bool_),
        np.empty_like(theta),
    )
    for r in range(len(parts.n_treated)):
        if parts.n_treated[r] > full.n_treated - 0.5:
            continue
        _subtract(blocks.outcomes, province_blocks.outcomes[r], left.outcomes)
        _subtract(blocks.counts, province_blocks.counts[r], left.counts)
        _subtract(full.by_block, parts.by_block[r], w)
        _subtract(full.xx, parts.xx[r], xx)
        _subtract(full.xy, parts.xy[r], xy)
        _solve(left, w, xx, xy, matrix, lost, refit)
        for m in range(len(theta)):
            for c in range(len(contrasts)):
                value = 0.0
                for k in range(size):
                    if contrasts[c, k] != 0.0:
                        value += (
                            np.nan if lost[k] else contrasts[c, k] * (refit[m, k] - theta[m, k])
                        )
                refits[m, used, c] = value
        used += 1
    return used


@numba.njit(cache=CACHE)
def _joint_of_rows(rows, contrasts, theta, refits, used):
    """Joint F of some rows (n,) of contrasts (C, L) times theta (L,); NaN where one of the first
    `used` refits (R, C) loses a row.
    """
    n = len(rows)
    deviations, estimate = np.zeros((used, n)), np.zeros(n)
    for c in range(n):
        for k in range(len(theta)):
            estimate[c] += contrasts[rows[c], k] * theta[k]
        for r in range(used):
            deviations[r, c] = refits[r, rows[c]]
            if np.isnan(deviations[r, c]):
                return np.nan
    return joint_f(deviations, used, estimate)


@numba.njit(cache=CACHE)
def _fill_joint_tests(treated, province, full, theta, design, work, joint):
    """Joint F (M, Q) of a design's tests; province (N,), `full` the `RegressorSums` of all treated
    pairs, theta (M, L).
    """
    n_provinces, n_blocks = work.provinces.counts.shape
    parts = _sum_regressors(treated, province, n_provinces, n_blocks, design)
    refits = np.empty((len(theta), n_provinces, len(design.contrasts)))
    used = _refit_provinces(
        work.blocks, work.provinces, full, parts, theta, design.contrasts, refits
    )
    for m in range(len(theta)):
        for q in range(len(design.test_sizes)):
            joint[m, q] = _joint_of_rows(
                design.tests[q, : design.test_sizes[q]], design.contrasts, theta[m], refits[m], used
            )


@numba.njit(cache=CACHE)
def _fit_draw(treated, province, year_blocks, work, design, results):
    """Fit one `PackedDesign` to the sums of an assignment: coefficient (M, C), statistic (M, C) and
    joint (M, Q); province (N,).
    """
    n_blocks, n_outcomes, n_years = work.blocks.outcomes.shape
    size = design.contrasts.shape[1]
    sums = _sum_regressors(treated, work.one_place, 1, n_blocks, design)
    w, xx, xy = sums.by_block[0], sums.xx[0], sums.xy[0]
    full = RegressorSums(w.copy(), xx, xy.copy(), sums.n_treated[0])
    matrix, lost, theta = (
        np.empty((size, size)),
        np.zeros(size, dtype=np.bool_),
        np.empty((n_outcomes, size)),
    )
    _solve(work.blocks, w, xx, xy, matrix, lost, theta)
    city, level = np.empty((len(province), size)), np.empty((n_blocks, n_years))
    for m in range(n_outcomes):
        _fill_levels(m, work.blocks, w, theta[m], level)
        _fill_city_scores(m, treated, year_blocks, design, work, level, w, theta[m], city)
        _fill_statistics(
            theta[m],
            matrix,
            lost,
            city,
            design.contrasts,
            results.coefficient[m],
            results.statistic[m],
        )
    if len(design.test_sizes) > 0 and len(work.provinces.counts) > 0:
        _fill_joint_tests(treated, province, full, theta, design, work, results.joint)


@numba.njit(cache=CACHE)
def _design(designs, paths, k):
    """Design k without its padding."""
    contrasts = designs.contrasts[k, : designs.n_rows[k], : designs.n_coefficients[k]]
    tests, test_sizes = (
        designs.tests[k, : designs.n_tests[k]],
        designs.test_sizes[k, : designs.n_tests[k]],
    )
    columns, loading_column, loading = (
        designs.columns[k, : designs.n_columns[k]],
        designs.loading_column[k],
        designs.loading[k],
    )
    return PackedDesign(
        paths.deviation, paths.gram, columns, loading_column, loading, contrasts, tests, test_sizes
    )


@numba.njit(nogil=True, cache=CACHE)
def run_heterogeneity_draws(labels, pairs, rule, base, year_blocks, paths, designs, work, results):
    """Fit J designs under each row of labels; a draw is sequential, so its bytes do not depend on
    the number of threads.

    Parameters
    ----------
    labels : (B, N) int64 array
        Type of each city, 0 = never treated.
    pairs : Pairs
        With values (P, M, T): the outcomes less their pair means.
    rule : TieRule
    base : SlotSums
        Over all pairs from rank `rule.base_first` on.
    year_blocks, paths, designs : YearBlocks, Paths, PackedDesigns
    work : WorkingArrays
        Of the caller's thread.
    results : DrawResults
        Filled; coefficient and statistic (B, J, M, C), joint (B, J, M, Q).
    """
    for draw in range(len(labels)):
        pilots, first_kept = apply_tie_rule(labels[draw], rule, pairs.rank_of)
        sum_kept_pairs(pilots, first_kept, pairs, rule, base, year_blocks, work)
        treated = list_treated_pairs(
            labels[draw], pilots, first_kept, pairs, year_blocks, paths.deviation, work.treated
        )
        total_blocks(year_blocks, work.slots, work.blocks)
        total_provinces(year_blocks, pairs.province, work.slots, work.provinces)
        for k in range(len(designs.n_columns)):
            found = DrawResults(
                results.coefficient[draw, k], results.statistic[draw, k], results.joint[draw, k]
            )
            _fit_draw(treated, pairs.province, year_blocks, work, _design(designs, paths, k), found)
