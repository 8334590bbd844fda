"""Compiled loops over reassignments of admission: with `system_kernel` the only files that import numba.

The algebra is that of `sufficient` and `least_squares`; tests hold the two against one another. `run_draws` frees the interpreter's
lock, so that callers may run blocks of draws in threads; each draw is sequential, so the bytes do not depend on the number of threads.
"""

from __future__ import annotations

import numba
import numpy as np

from .normal_equations import CACHE, fit_draw


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
def _first_kept(pilots, n_pilots, rank_of, next_larger, quantile, both_ranks):
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
def _copy_to_never(source, target):
    # plain loops: numba compiles an array assignment in seconds
    for i in range(target.shape[0]):
        for g in range(target.shape[1]):
            for d in range(target.shape[2]):
                target[i, g, d] = source[i, d] if g == 0 else 0.0


@numba.njit(cache=CACHE)
def _start_from_base(first_kept, base_first, base_sums, base_inside, sums, inside, data):
    """Put all pairs that the rule keeps into group 0: the base, and the ranks between the two thresholds."""
    first, second, values, _, province = data
    _copy_to_never(base_sums, sums)
    _copy_to_never(base_inside, inside)
    sign = -1.0 if first_kept > base_first else 1.0
    for rank in range(min(first_kept, base_first), max(first_kept, base_first)):
        i, j = first[rank], second[rank]
        for d in range(values.shape[1]):
            value = sign * values[rank, d]
            sums[i, 0, d] += value
            sums[j, 0, d] += value
            if len(inside) > 0 and province[i] == province[j]:
                inside[province[i], 0, d] += value


@numba.njit(cache=CACHE)
def _move_pilot(j, label, first_kept, sums, inside, data):
    """Sum the kept pairs of pilot j by partner and for j itself."""
    _, _, values, rank_of, province = data
    group, n_values = label[j], values.shape[1]
    own = np.zeros(n_values)
    for i in range(len(label)):
        rank = rank_of[j, i]
        if rank < first_kept:
            continue
        same = len(inside) > 0 and province[i] == province[j]
        if label[i] == 0:
            for d in range(n_values):
                sums[i, group, d] += values[rank, d]
                own[d] += values[rank, d]
            if same:
                for d in range(n_values):
                    inside[province[i], group, d] += values[rank, d]
        elif same and i > j:
            for d in range(n_values):
                inside[province[i], 0, d] -= values[rank, d]
    for g in range(sums.shape[1]):
        for d in range(n_values):
            sums[j, g, d] = own[d] if g == group else 0.0


@numba.njit(cache=CACHE)
def _take_from_never(label, sums, inside):
    """What lies in a pilot's group does not lie in group 0."""
    for i in range(len(label)):
        if label[i] == 0:
            for g in range(1, sums.shape[1]):
                for d in range(sums.shape[2]):
                    sums[i, 0, d] -= sums[i, g, d]
    for r in range(len(inside)):
        for g in range(1, inside.shape[1]):
            for d in range(inside.shape[2]):
                inside[r, 0, d] -= inside[r, g, d]


@numba.njit(cache=CACHE)
def _add_up(label, sums, province, totals, by_province):
    """Totals by group, each pair once, and city sums added up by province."""
    totals[:] = 0.0
    by_province[:] = 0.0
    for i in range(len(label)):
        for g in range(sums.shape[1]):
            if sums[i, g, 0] < 0.5:
                continue
            share = 1.0 if label[i] > 0 else (0.5 if g == 0 else 0.0)
            for d in range(sums.shape[2]):
                totals[g, d] += share * sums[i, g, d]
            if len(by_province) > 0:
                for d in range(sums.shape[2]):
                    by_province[province[i], g, d] += sums[i, g, d]
    for g in range(len(totals)):
        if totals[g, 0] < 0.5:
            for d in range(totals.shape[1]):
                totals[g, d] = 0.0


@numba.njit(cache=CACHE)
def _accumulate(label, rule, base, data, sums, inside, totals, by_province):
    use_rule, quantile, next_larger, base_first = rule
    pilots = np.empty(len(label), dtype=np.int64)
    n_pilots = 0
    for i in range(len(label)):
        if label[i] > 0:
            pilots[n_pilots] = i
            n_pilots += 1
    first_kept = 0
    if use_rule:
        both_ranks = np.empty(n_pilots * (n_pilots - 1) // 2 + 1, dtype=np.int64)
        first_kept = _first_kept(pilots, n_pilots, data[3], next_larger, quantile, both_ranks)
    _start_from_base(first_kept, base_first, base[0], base[1], sums, inside, data)
    for a in range(n_pilots):
        _move_pilot(pilots[a], label, first_kept, sums, inside, data)
    _take_from_never(label, sums, inside)
    _add_up(label, sums, data[4], totals, by_province)


@numba.njit(nogil=True, cache=CACHE)
def run_draws(labels, data, rule, base, x_all, normal_all, sizes, leads_all, n_leads, system, offsets, coefficient, statistic, joint):
    """Fill coefficient and statistic (B, designs, M, Lmax) and joint (B, designs, M) for each row of labels (B, N).

    `data` = (first, second: city of each rank; values (P, D) by rank; rank_of (N, N), -1 where there is no pair; province (N,)),
    `rule` = (use_rule, quantile, next_larger (P,), base_first), `base` = sums (N, D) and inside (R, D) of all pairs from rank
    `base_first`, `normal_all` (designs, G + 1, n_basis, q, q) the normal matrices of one unit of each basis matrix, `system` = (basis,
    n_controls, shared).
    """
    sums = np.empty((labels.shape[1], x_all.shape[1], base[0].shape[1]))
    inside = np.empty((len(base[1]), x_all.shape[1], base[0].shape[1]))
    by_province, totals = np.empty_like(inside), np.empty((x_all.shape[1], base[0].shape[1]))
    for draw in range(len(labels)):
        _accumulate(labels[draw], rule, base, data, sums, inside, totals, by_province)
        for k in range(len(sizes)):
            design = (x_all[k], normal_all[k], sizes[k], leads_all[k, : n_leads[k]])
            results = (coefficient[draw, k], statistic[draw, k], joint[draw, k])
            fit_draw(labels[draw], sums, totals, by_province, inside, design, system, offsets, results)
