"""Compiled sums of pair statistics under reassigned admissions: sums alone, the algebra is that of
`solve`.

All loops stand in this file, so that numba sees every change of what it has kept. A draw is
sequential and the interpreter's lock is free, so blocks of draws may run in threads and the bytes
do not depend on their number. Letters of the shapes: B draws, N cities, P candidate pairs, S slots
(a city in a block of pairs with year effects of their own; the cities where all pairs share them),
R provinces, C blocks, G groups of pairs (0 = never treated), D statistics of a pair.
"""

from __future__ import annotations

import os

import numba
import numpy as np

from .compile_cache import use_compile_cache

# whoever comes to the loops first, by whatever door; numba may have been imported before the folder
# was named, and without one it would write beside the sources
use_compile_cache()
CACHE = bool(os.environ.get("NUMBA_CACHE_DIR"))
if CACHE:
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]


@numba.njit(cache=CACHE)
def _keep(state, ties, ranks, kept):
    """First rank that each rule of `RankedTies` keeps, kept (rules,), among pairs of at most one
    pilot.

    state (N,): 0 never-pilot, 1 pilot, 2 left out; ranks (P + 1,) is room to work in.
    """
    for m in range(len(ties.n_tied)):
        first, second, n_eligible = ties.first[m], ties.second[m], 0
        # without a branch, which would be guessed wrongly every second time
        for rank in range(ties.n_tied[m]):
            ranks[n_eligible] = rank
            n_eligible += state[first[rank]] + state[second[rank]] <= 1
        for r in range(len(kept)):
            if ties.measure[r] == m:
                at = int((n_eligible - 1) * ties.quantile[r] + 1e-9)
                kept[r] = ties.next_larger[m, ranks[at]] if n_eligible > 0 else ties.n_tied[m]


@numba.njit(nogil=True, cache=CACHE)
def first_kept(labels, ties, kept):
    """Fill kept (B, rules) with the first rank that each rule of `RankedTies` keeps under labels
    (B, N) of groups.
    """
    state = np.empty(labels.shape[1], dtype=np.int64)
    ranks = np.empty(ties.first.shape[1] + 1, dtype=np.int64)
    for draw in range(len(labels)):
        for i in range(len(state)):
            state[i] = min(labels[draw, i], 1)
        _keep(state, ties, ranks, kept[draw])


@numba.njit(cache=CACHE)
def _start_from_base(kept, pairs, base, sums, own):
    """Put all pairs from rank `kept` on into group 0: the `BaseSums`, and the ranks between the two
    thresholds.
    """
    n_values = pairs.values.shape[1]
    for s in range(len(sums)):
        for d in range(n_values):
            sums[s, 0, d] = base.by_slot[s, d]
    for r in range(len(own)):
        for c in range(own.shape[1]):
            for d in range(n_values):
                own[r, c, 0, d] = base.inside[r, c, d]
    sign = -1.0 if kept > base.first else 1.0
    for rank in range(min(kept, base.first), max(kept, base.first)):
        i, a, b = pairs.first[rank], pairs.slot_of[rank, 0], pairs.slot_of[rank, 1]
        same = len(own) > 0 and pairs.province[i] == pairs.province[pairs.second[rank]]
        for d in range(n_values):
            value = sign * pairs.values[rank, d]
            sums[a, 0, d] += value
            sums[b, 0, d] += value
            if same:
                own[pairs.province[i], pairs.block[rank], 0, d] += value


@numba.njit(cache=CACHE)
def _move_pilot(j, label, kept, pairs, sums, own):
    """Add the kept pairs of pilot j to the groups they are treated in."""
    values = pairs.values
    for i in range(len(label)):
        rank = pairs.rank_of[j, i]
        if rank < kept or rank < 0:
            continue
        side = 0 if pairs.first[rank] == j else 1
        a, b, r = pairs.slot_of[rank, side], pairs.slot_of[rank, 1 - side], pairs.province[j]
        g = 1 + (label[j] - 1) * pairs.n_classes + pairs.pair_class[rank]
        same = len(own) > 0 and pairs.province[i] == r
        c = pairs.block[rank]
        if label[i] == 0:
            for d in range(values.shape[1]):
                sums[a, g, d] += values[rank, d]
                sums[b, g, d] += values[rank, d]
                if same:
                    own[r, c, g, d] += values[rank, d]
        elif same and i > j:
            for d in range(values.shape[1]):
                own[r, c, 0, d] -= values[rank, d]


@numba.njit(cache=CACHE)
def _take_from_never(label, slot_city, sums, own):
    """What lies in a pilot's group does not lie in group 0."""
    for s in range(len(sums)):
        is_pilot = label[slot_city[s]] > 0
        for g in range(1, sums.shape[1]):
            for d in range(sums.shape[2]):
                sums[s, 0, d] = 0.0 if is_pilot else sums[s, 0, d] - sums[s, g, d]
    for r in range(len(own)):
        for c in range(own.shape[1]):
            for g in range(1, own.shape[2]):
                for d in range(own.shape[3]):
                    own[r, c, 0, d] -= own[r, c, g, d]


@numba.njit(nogil=True, cache=CACHE)
def sum_moved(labels, kept, pairs, base, by_slot, inside):
    """Sum the pairs of at most one pilot from a rank on; the work grows with the pilots and their
    partners, since all other pairs come from `BaseSums`.

    Parameters
    ----------
    labels : (B, N) int64 array
        Type of each city, 0 = never treated.
    kept : (B,) int64 array
        First rank that is kept.
    pairs, base : DrawnPairs, BaseSums
    by_slot : (B, S, G, D) float64 array
        Zeros, filled: sums over the pairs of a city in a block.
    inside : (B, R, C, G, D) float64 array
        Zeros, filled: over the pairs with both cities in a province; R = 0 leaves them out.
    """
    for draw in range(len(labels)):
        label, sums, own = labels[draw], by_slot[draw], inside[draw]
        _start_from_base(kept[draw], pairs, base, sums, own)
        for j in range(len(label)):
            if label[j] > 0:
                _move_pilot(j, label, kept[draw], pairs, sums, own)
        _take_from_never(label, pairs.slot_city, sums, own)


@numba.njit(nogil=True, cache=CACHE)
def sum_pairs(group, weight, pairs, by_slot, inside):
    """Sum pairs by the groups they are given, (B, P) int64, -1 left out; a pair counts the product
    of its cities' weights (B, N). The rest as in `sum_moved`.
    """
    for draw in range(len(group)):
        sums, own = by_slot[draw], inside[draw]
        for rank in range(group.shape[1]):
            g, i, j = group[draw, rank], pairs.first[rank], pairs.second[rank]
            if g < 0:
                continue
            times, a, b = weight[draw, i] * weight[draw, j], pairs.slot_of[rank, 0], 0
            b = pairs.slot_of[rank, 1]
            same = len(own) > 0 and pairs.province[i] == pairs.province[j]
            for d in range(pairs.values.shape[1]):
                value = times * pairs.values[rank, d]
                sums[a, g, d] += value
                sums[b, g, d] += value
                if same:
                    own[pairs.province[i], pairs.block[rank], g, d] += value


@numba.njit(nogil=True, cache=CACHE)
def sum_squared_scores(by_slot, slot_city, slot_block, weights, columns, squares):
    """Add up the squared influence of each city's pairs.

    Parameters
    ----------
    by_slot : (B, S, G, D) float64 array
    slot_city, slot_block : (S,) int64 arrays
        The slots of a city beside one another.
    weights : (B, C, G, d, L) float64 array
        Of the d statistics of one outcome in each of L coefficients.
    columns : (d,) int64 array
        Where these statistics lie among the D.
    squares : (B, L) float64 array
        Zeros, filled.
    """
    n_slots, n_columns, n_coefficients = len(slot_city), len(columns), weights.shape[4]
    city = np.zeros(n_coefficients)
    for draw in range(len(by_slot)):
        for s in range(n_slots):
            for g in range(by_slot.shape[2]):
                sums, own = by_slot[draw, s, g], weights[draw, slot_block[s], g]
                # a sum of no pair is rounding
                if sums[0] < 0.5:
                    continue
                # four at a time: a coefficient's sum is read and written once for them
                d = 0
                while d + 4 <= n_columns:
                    a, b = sums[columns[d]], sums[columns[d + 1]]
                    c, e = sums[columns[d + 2]], sums[columns[d + 3]]
                    for k in range(n_coefficients):
                        ab = a * own[d, k] + b * own[d + 1, k]
                        city[k] += ab + c * own[d + 2, k] + e * own[d + 3, k]
                    d += 4
                for rest in range(d, n_columns):
                    a = sums[columns[rest]]
                    for k in range(n_coefficients):
                        city[k] += a * own[rest, k]
            if s + 1 == n_slots or slot_city[s + 1] != slot_city[s]:
                for k in range(n_coefficients):
                    squares[draw, k] += city[k] * city[k]
                    city[k] = 0.0


@numba.njit(nogil=True, cache=CACHE)
def sum_curve(records, labels, pairs, ties, counts, sums):
    """Count and sum pairs by draw, rule of admission, set of tie rules, class and group.

    A pair stands in one set, the rules of ties that keep it as bits: so it is added once and not
    once a rule, and a rule's sample is the sum of the sets that have its bit.

    Parameters
    ----------
    records : (B, N) int64 array
        The city whose admission a city has in a draw.
    labels : (K, N) int64 array
        Group of each city under each rule of admission, 0 = never treated, -1 = left out.
    pairs : CurvePairs
    ties : RankedTies
        Of R rules.
    counts : (B, K, 2 ** R, C, G + 1) float64 array
        Zeros, filled.
    sums : (B, K, 2 ** R, C, G + 1, D) float64 array
        Zeros, filled.
    """
    n_admissions, n_cities, n_rules = labels.shape[0], labels.shape[1], len(ties.measure)
    label, state = (
        np.empty((n_admissions, n_cities), dtype=np.int64),
        np.empty(n_cities, dtype=np.int64),
    )
    kept, ranks = (
        np.empty((n_admissions, n_rules), dtype=np.int64),
        np.empty(len(pairs.first) + 1, dtype=np.int64),
    )
    for draw in range(len(records)):
        for k in range(n_admissions):
            for i in range(n_cities):
                label[k, i] = labels[k, records[draw, i]]
                state[i] = 2 if label[k, i] < 0 else min(label[k, i], 1)
            _keep(state, ties, ranks, kept[k])
        for p in range(len(pairs.first)):
            i, j, c = pairs.first[p], pairs.second[p], pairs.pair_class[p]
            for k in range(n_admissions):
                a, b = label[k, i], label[k, j]
                if a < 0 or b < 0 or (a > 0 and b > 0):
                    continue
                held = 0
                for r in range(n_rules):
                    if ties.rank_of[ties.measure[r], p] >= kept[k, r]:
                        held |= 1 << r
                g = a + b
                counts[draw, k, held, c, g] += 1.0
                for d in range(pairs.values.shape[1]):
                    sums[draw, k, held, c, g, d] += pairs.values[p, d]
