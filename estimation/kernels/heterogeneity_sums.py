"""Compiled sums of one draw that all designs of `heterogeneity` share: over kept pairs by slot,
block and province, and treated pairs.

Plain loops throughout: numba compiles an array assignment in seconds.
"""

from __future__ import annotations

import numba

from .heterogeneity_records import (
    BLOCK,
    PARTNER,
    PARTNER_SLOT,
    PILOT,
    PILOT_SLOT,
    RANK,
    TYPE,
    TreatedPairs,
)
from .jit_options import CACHE


@numba.njit(cache=CACHE)
def _add_pairs(ranks, signs, n, pairs, year_blocks, slots):
    """Add the first n of ranks (any length) to `SlotSums`, or take them away; signs as long as
    ranks.
    """
    # one loop, since a call per pair would cost more than its sums
    first, second, y, province = pairs.first, pairs.second, pairs.values, pairs.province
    slot_of, slot_block = year_blocks.slot_of, year_blocks.slot_block
    outcomes, counts, inside, inside_counts = (
        slots.outcomes,
        slots.counts,
        slots.inside,
        slots.inside_counts,
    )
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
                outcomes[a, m, t] += value
                outcomes[b, m, t] += value
                if same:
                    inside[r, slot_block[a], m, t] += value


@numba.njit(cache=CACHE)
def _copy(source, target):
    """Copy an array into another of the same shape."""
    a, b = source.ravel(), target.ravel()
    for k in range(len(a)):
        b[k] = a[k]


@numba.njit(cache=CACHE)
def _copy_base(base, slots):
    """Copy `SlotSums`."""
    _copy(base.outcomes, slots.outcomes)
    _copy(base.counts, slots.counts)
    _copy(base.inside, slots.inside)
    _copy(base.inside_counts, slots.inside_counts)


@numba.njit(cache=CACHE)
def sum_kept_pairs(pilots, first_kept, pairs, rule, base, year_blocks, work):
    """Fill `work.slots` with the kept pairs: the base, the ranks between the two thresholds, less
    pairs of two pilots (n_pilots,).
    """
    ranks, signs, base_first = work.ranks, work.signs, rule.base_first
    _copy_base(base, work.slots)
    sign = -1.0 if first_kept > base_first else 1.0
    n = 0
    for rank in range(min(first_kept, base_first), max(first_kept, base_first)):
        ranks[n], signs[n] = rank, sign
        n += 1
    for a in range(len(pilots)):
        for b in range(a + 1, len(pilots)):
            rank = pairs.rank_of[pilots[a], pilots[b]]
            if rank >= first_kept:
                ranks[n], signs[n] = rank, -1.0
                n += 1
    _add_pairs(ranks, signs, n, pairs, year_blocks, work.slots)


@numba.njit(cache=CACHE)
def _fill_products(who, n, y, deviation, products):
    """sum_t deviation[type, t, u] y_p(t) of the first n treated pairs, by outcome and path:
    products (n, M, U) of y (P, M, T).
    """
    for k in range(n):
        rank, kind = who[k, RANK], who[k, TYPE]
        for m in range(y.shape[1]):
            for u in range(deviation.shape[2]):
                value = 0.0
                for t in range(y.shape[2]):
                    value += deviation[kind, t, u] * y[rank, m, t]
                products[k, m, u] = value


@numba.njit(cache=CACHE)
def list_treated_pairs(label, pilots, first_kept, pairs, year_blocks, deviation, room):
    """`TreatedPairs` of an assignment (N,) with pilots (n_pilots,), written into a larger `room`;
    deviation (K + 1, T, U).
    """
    first, rank_of, slot_of, slot_block, who = (
        pairs.first,
        pairs.rank_of,
        year_blocks.slot_of,
        year_blocks.slot_block,
        room.who,
    )
    n = 0
    for a in range(len(pilots)):
        j = pilots[a]
        for i in range(len(label)):
            rank = rank_of[j, i]
            if label[i] > 0 or rank < first_kept:
                continue
            side = 0 if first[rank] == j else 1
            who[n, RANK], who[n, TYPE], who[n, PILOT], who[n, PARTNER] = rank, label[j], j, i
            who[n, PILOT_SLOT], who[n, PARTNER_SLOT] = slot_of[rank, side], slot_of[rank, 1 - side]
            who[n, BLOCK] = slot_block[who[n, PILOT_SLOT]]
            n += 1
    _fill_products(who, n, pairs.values, deviation, room.products)
    return TreatedPairs(who[:n], room.products[:n])


@numba.njit(cache=CACHE)
def total_blocks(year_blocks, slots, blocks):
    """Fill `BlockSums` (Y, M, T) from `SlotSums`: every pair lies in two slots."""
    sums, counts, totals, total_counts, slot_block = (
        slots.outcomes,
        slots.counts,
        blocks.outcomes,
        blocks.counts,
        year_blocks.slot_block,
    )
    for b in range(len(total_counts)):
        total_counts[b] = 0.0
        for m in range(sums.shape[1]):
            for t in range(sums.shape[2]):
                totals[b, m, t] = 0.0
    for s in range(len(counts)):
        b = slot_block[s]
        total_counts[b] += 0.5 * counts[s]
        for m in range(sums.shape[1]):
            for t in range(sums.shape[2]):
                totals[b, m, t] += 0.5 * sums[s, m, t]


@numba.njit(cache=CACHE)
def total_provinces(year_blocks, province, slots, provinces):
    """Fill `BlockSums` (R, Y, M, T) from `SlotSums`: the pairs of a province's cities, those inside
    it once; province (N,).
    """
    sums, counts, inside, inside_counts = (
        slots.outcomes,
        slots.counts,
        slots.inside,
        slots.inside_counts,
    )
    by_province, by_province_counts, slot_city, slot_block = (
        provinces.outcomes,
        provinces.counts,
        year_blocks.slot_city,
        year_blocks.slot_block,
    )
    if len(inside) == 0:
        return
    for r in range(inside.shape[0]):
        for b in range(inside.shape[1]):
            by_province_counts[r, b] = -inside_counts[r, b]
            for m in range(inside.shape[2]):
                for t in range(inside.shape[3]):
                    by_province[r, b, m, t] = -inside[r, b, m, t]
    for s in range(len(counts)):
        r, b = province[slot_city[s]], slot_block[s]
        by_province_counts[r, b] += counts[s]
        for m in range(sums.shape[1]):
            for t in range(sums.shape[2]):
                by_province[r, b, m, t] += sums[s, m, t]
