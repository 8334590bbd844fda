"""Compiled sums of one draw that all designs of `heterogeneity` share: over kept pairs by slot, block and province, and treated pairs.

Plain loops throughout: numba compiles an array assignment in seconds.
"""

from __future__ import annotations

import numba

from .heterogeneity_records import BLOCK, PARTNER, PARTNER_SLOT, PILOT, PILOT_SLOT, RANK, TYPE, TreatedPairs
from .jit_options import CACHE


@numba.njit(cache=CACHE)
def _add_pairs(ranks, signs, n, pairs, year_blocks, slots):
    """Add the first n of ranks (any length) to `SlotSums`, or take them away; signs as long as ranks."""
    # one loop, since a call per pair would cost more than its sums
    y, slot_of, slot_block, province = pairs.values, year_blocks.slot_of, year_blocks.slot_block, pairs.province
    for k in range(n):
        rank, sign = ranks[k], signs[k]
        a, b, r = slot_of[rank, 0], slot_of[rank, 1], province[pairs.first[rank]]
        slots.counts[a] += sign
        slots.counts[b] += sign
        same = len(slots.inside) > 0 and r == province[pairs.second[rank]]
        if same:
            slots.inside_counts[r, slot_block[a]] += sign
        for m in range(y.shape[1]):
            for t in range(y.shape[2]):
                value = sign * y[rank, m, t]
                slots.outcomes[a, m, t] += value
                slots.outcomes[b, m, t] += value
                if same:
                    slots.inside[r, slot_block[a], m, t] += value


@numba.njit(cache=CACHE)
def _copy_base(base, slots):
    """Copy `SlotSums`."""
    for s in range(len(base.counts)):
        slots.counts[s] = base.counts[s]
        for m in range(base.outcomes.shape[1]):
            for t in range(base.outcomes.shape[2]):
                slots.outcomes[s, m, t] = base.outcomes[s, m, t]
    for r in range(base.inside_counts.shape[0]):
        for b in range(base.inside_counts.shape[1]):
            slots.inside_counts[r, b] = base.inside_counts[r, b]
            for m in range(base.inside.shape[2]):
                for t in range(base.inside.shape[3]):
                    slots.inside[r, b, m, t] = base.inside[r, b, m, t]


@numba.njit(cache=CACHE)
def sum_kept_pairs(pilots, first_kept, pairs, rule, base, year_blocks, work):
    """Fill `work.slots` with the kept pairs: the base, the ranks between the two thresholds, less pairs of two pilots (n_pilots,)."""
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
    """sum_t deviation[type, t, u] y_p(t) of the first n treated pairs, by outcome and path: products (n, M, U) of y (P, M, T)."""
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
    """`TreatedPairs` of an assignment (N,) with pilots (n_pilots,), written into a larger `room`; deviation (K + 1, T, U)."""
    slot_of, who = year_blocks.slot_of, room.who
    n = 0
    for a in range(len(pilots)):
        j = pilots[a]
        for i in range(len(label)):
            rank = pairs.rank_of[j, i]
            if label[i] > 0 or rank < first_kept:
                continue
            side = 0 if pairs.first[rank] == j else 1
            who[n, RANK], who[n, TYPE], who[n, PILOT], who[n, PARTNER] = rank, label[j], j, i
            who[n, PILOT_SLOT], who[n, PARTNER_SLOT] = slot_of[rank, side], slot_of[rank, 1 - side]
            who[n, BLOCK] = year_blocks.slot_block[who[n, PILOT_SLOT]]
            n += 1
    _fill_products(who, n, pairs.values, deviation, room.products)
    return TreatedPairs(who[:n], room.products[:n])


@numba.njit(cache=CACHE)
def total_blocks(year_blocks, slots, blocks):
    """Fill `BlockSums` (Y, M, T) from `SlotSums`: every pair lies in two slots."""
    for b in range(len(blocks.counts)):
        blocks.counts[b] = 0.0
        for m in range(slots.outcomes.shape[1]):
            for t in range(slots.outcomes.shape[2]):
                blocks.outcomes[b, m, t] = 0.0
    for s in range(len(slots.counts)):
        b = year_blocks.slot_block[s]
        blocks.counts[b] += 0.5 * slots.counts[s]
        for m in range(slots.outcomes.shape[1]):
            for t in range(slots.outcomes.shape[2]):
                blocks.outcomes[b, m, t] += 0.5 * slots.outcomes[s, m, t]


@numba.njit(cache=CACHE)
def total_provinces(year_blocks, province, slots, provinces):
    """Fill `BlockSums` (R, Y, M, T) from `SlotSums`: the pairs of a province's cities, those inside it once; province (N,)."""
    inside, inside_counts = slots.inside, slots.inside_counts
    if len(inside) == 0:
        return
    for r in range(inside.shape[0]):
        for b in range(inside.shape[1]):
            provinces.counts[r, b] = -inside_counts[r, b]
            for m in range(inside.shape[2]):
                for t in range(inside.shape[3]):
                    provinces.outcomes[r, b, m, t] = -inside[r, b, m, t]
    for s in range(len(slots.counts)):
        r, b = province[year_blocks.slot_city[s]], year_blocks.slot_block[s]
        provinces.counts[r, b] += slots.counts[s]
        for m in range(slots.outcomes.shape[1]):
            for t in range(slots.outcomes.shape[2]):
                provinces.outcomes[r, b, m, t] += slots.outcomes[s, m, t]
