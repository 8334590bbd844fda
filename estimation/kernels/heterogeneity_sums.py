"""Compiled sums of one reassignment that all moderated designs share: over kept pairs by slot, block and province, and treated pairs.

A slot is a city in a block of year effects. Plain loops throughout: numba compiles an array assignment in seconds.
"""

from __future__ import annotations

import numba

from .normal_equations import CACHE


@numba.njit(cache=CACHE)
def _add_pairs(ranks, signs, n, data, blocks, work):
    """Add pairs to the sums, or take them away; one loop, since a call a pair would cost more than its sums."""
    first, second, y, _, province = data
    slot_of, _, slot_block = blocks
    sums, counts, inside, inside_counts = work
    for k in range(n):
        rank, sign = ranks[k], signs[k]
        a, b, r = slot_of[rank, 0], slot_of[rank, 1], province[first[rank]]
        counts[a] += sign
        counts[b] += sign
        same = len(inside) > 0 and r == province[second[rank]]
        if same:
            inside_counts[r, slot_block[a]] += sign
        for m in range(y.shape[1]):
            for t in range(y.shape[2]):
                value = sign * y[rank, m, t]
                sums[a, m, t] += value
                sums[b, m, t] += value
                if same:
                    inside[r, slot_block[a], m, t] += value


@numba.njit(cache=CACHE)
def _copy_base(base, work):
    for s in range(len(base[1])):
        work[1][s] = base[1][s]
        for m in range(base[0].shape[1]):
            for t in range(base[0].shape[2]):
                work[0][s, m, t] = base[0][s, m, t]
    for r in range(base[3].shape[0]):
        for b in range(base[3].shape[1]):
            work[3][r, b] = base[3][r, b]
            for m in range(base[2].shape[2]):
                for t in range(base[2].shape[3]):
                    work[2][r, b, m, t] = base[2][r, b, m, t]


@numba.njit(cache=CACHE)
def sum_kept_pairs(pilots, n_pilots, first_kept, base_first, base, data, blocks, ranks, signs, work):
    """Sums over the kept pairs by slot, and inside provinces: the base, the ranks between the thresholds, less pairs of two pilots."""
    _copy_base(base, work)
    sign = -1.0 if first_kept > base_first else 1.0
    n = 0
    for rank in range(min(first_kept, base_first), max(first_kept, base_first)):
        ranks[n], signs[n] = rank, sign
        n += 1
    for a in range(n_pilots):
        for b in range(a + 1, n_pilots):
            rank = data[3][pilots[a], pilots[b]]
            if rank >= first_kept:
                ranks[n], signs[n] = rank, -1.0
                n += 1
    _add_pairs(ranks, signs, n, data, blocks, work)


@numba.njit(cache=CACHE)
def list_treated_pairs(label, pilots, n_pilots, first_kept, data, blocks, treated):
    """Kept pairs of a pilot and a never-treated city: rank, type of the pilot, pilot, partner, block, slots of the two; their number."""
    first, _, _, rank_of, _ = data
    slot_of, _, slot_block = blocks
    n = 0
    for a in range(n_pilots):
        j = pilots[a]
        for i in range(len(label)):
            rank = rank_of[j, i]
            if label[i] > 0 or rank < first_kept:
                continue
            side = 0 if first[rank] == j else 1
            treated[n, 0], treated[n, 1], treated[n, 2], treated[n, 3] = rank, label[j], j, i
            treated[n, 5], treated[n, 6] = slot_of[rank, side], slot_of[rank, 1 - side]
            treated[n, 4] = slot_block[treated[n, 5]]
            n += 1
    return n


@numba.njit(cache=CACHE)
def multiply_paths(treated, n_treated, y, d, products):
    """sum_t d[type, t, u] y_p(t) of every treated pair, by outcome and path, (P, M, U)."""
    for n in range(n_treated):
        rank, kind = treated[n, 0], treated[n, 1]
        for m in range(y.shape[1]):
            for u in range(d.shape[2]):
                value = 0.0
                for t in range(y.shape[2]):
                    value += d[kind, t, u] * y[rank, m, t]
                products[n, m, u] = value


@numba.njit(cache=CACHE)
def total_blocks(blocks, work, totals, total_counts):
    """Outcome sums (B, M, T) and counts (B,) of the blocks: every pair lies in two slots."""
    sums, counts = work[0], work[1]
    for b in range(len(total_counts)):
        total_counts[b] = 0.0
        for m in range(sums.shape[1]):
            for t in range(sums.shape[2]):
                totals[b, m, t] = 0.0
    for s in range(len(counts)):
        b = blocks[2][s]
        total_counts[b] += 0.5 * counts[s]
        for m in range(sums.shape[1]):
            for t in range(sums.shape[2]):
                totals[b, m, t] += 0.5 * sums[s, m, t]


@numba.njit(cache=CACHE)
def total_provinces(blocks, province, work, by_province, by_province_counts):
    """Outcome sums (R, B, M, T) and counts (R, B) of the pairs with a city in a province."""
    sums, counts, inside, inside_counts = work
    if len(inside) == 0:
        return
    for r in range(inside.shape[0]):
        for b in range(inside.shape[1]):
            by_province_counts[r, b] = -inside_counts[r, b]
            for m in range(inside.shape[2]):
                for t in range(inside.shape[3]):
                    by_province[r, b, m, t] = -inside[r, b, m, t]
    for s in range(len(counts)):
        r, b = province[blocks[1][s]], blocks[2][s]
        by_province_counts[r, b] += counts[s]
        for m in range(sums.shape[1]):
            for t in range(sums.shape[2]):
                by_province[r, b, m, t] += sums[s, m, t]
