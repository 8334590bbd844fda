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

import numpy as np

from ..panel.panel_error import need
from .compile_cache import use_compile_cache

try:
    import numba
except ImportError as error:
    raise need("numba", "a permutation") from error

# whoever comes to the loops first, by whatever door; numba may have been imported before the folder
# was named, and without one it would write beside the sources
use_compile_cache()
CACHE = bool(os.environ.get("NUMBA_CACHE_DIR"))
if CACHE:
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]


@numba.njit(cache=CACHE)
def _rank_at(position, others):
    """Rank of the pair at a position among those whose rank is not one of the others."""
    rank, before = position, -1
    while rank != before:
        before, below = rank, 0
        for other in others:
            below += other <= rank
        rank = position + below
    return rank


@numba.njit(cache=CACHE)
def _keep(state, ties, ranks, kept):
    """First rank that each rule of `RankedTies` keeps, kept (rules,), among pairs of at most one
    pilot.

    state (N,): 0 never-pilot, 1 pilot, 2 left out; ranks (P + 1,) is room to work in.
    """
    marked, everyone = np.flatnonzero(state), np.arange(len(state))
    for m in range(len(ties.n_tied)):
        # the few pairs that are not eligible tell the rank of an eligible one by its position
        rank_of, n_others = ties.rank_of[m], 0
        for i in marked:
            for j in everyone if state[i] == 2 else marked:
                # two marked cities meet once
                ranks[n_others] = rank_of[i, j]
                n_others += ranks[n_others] >= 0 and (i < j or state[j] == 0)
        n_eligible = ties.n_tied[m] - n_others
        for r in range(len(kept)):
            if ties.measure[r] == m:
                at = int((n_eligible - 1) * ties.quantile[r] + 1e-9)
                kept[r] = ties.n_tied[m]
                if n_eligible > 0:
                    kept[r] = ties.next_larger[m, _rank_at(at, ranks[:n_others])]


@numba.njit(nogil=True, cache=CACHE)
def first_kept(labels, ties, kept):
    """Fill kept (B, rules) with the first rank that each rule of `RankedTies` keeps under labels
    (B, N) of groups.
    """
    state = np.empty(labels.shape[1], dtype=np.int64)
    ranks = np.empty(ties.next_larger.shape[1] + 1, dtype=np.int64)
    for draw in range(len(labels)):
        for i in range(len(state)):
            state[i] = min(labels[draw, i], 1)
        _keep(state, ties, ranks, kept[draw])


@numba.njit(cache=CACHE)
def _group(label, pair_class, n_classes):
    """Group of the pairs of a city with never-pilots."""
    return 0 if label == 0 else 1 + (label - 1) * n_classes + pair_class


@numba.njit(cache=CACHE)
def _start_from_base(label, kept, pairs, base, sums, own):
    """Put all pairs from rank `kept` on into the groups that their cities would have if every
    partner were a never-pilot: the `BaseSums`, and the ranks between the two thresholds.
    """
    n_values = pairs.values.shape[1]
    for s in range(len(sums)):
        for c in range(pairs.n_classes):
            to = sums[s, _group(label[pairs.slot_city[s]], c, pairs.n_classes)]
            for d in range(n_values):
                to[d] += base.by_slot[s, c, d]
    for r in range(len(own)):
        for c in range(own.shape[1]):
            for d in range(n_values):
                own[r, c, 0, d] = base.inside[r, c, d]
    sign = -1.0 if kept > base.first else 1.0
    for rank in range(min(kept, base.first), max(kept, base.first)):
        i, j, c = pairs.first[rank], pairs.second[rank], pairs.pair_class[rank]
        a = sums[pairs.slot_of[rank, 0], _group(label[i], c, pairs.n_classes)]
        b = sums[pairs.slot_of[rank, 1], _group(label[j], c, pairs.n_classes)]
        for d in range(n_values):
            a[d] += sign * pairs.values[rank, d]
            b[d] += sign * pairs.values[rank, d]
        if len(own) > 0 and pairs.province[i] == pairs.province[j]:
            for d in range(n_values):
                own[pairs.province[i], pairs.block[rank], 0, d] += sign * pairs.values[rank, d]


@numba.njit(cache=CACHE)
def _move_partners(i, label, pilots, kept, pairs, sums, own):
    """Of the pairs of a city: those with pilots leave its group as a pilot, or go from group 0 to
    the group they are treated in.
    """
    values = pairs.values
    for j in pilots:
        rank = pairs.rank_of[i, j]
        if rank < kept or rank < 0:
            continue
        r, block, pair_class = pairs.province[i], pairs.block[rank], pairs.pair_class[rank]
        s = pairs.slot_of[rank, 0 if pairs.first[rank] == i else 1]
        same = len(own) > 0 and pairs.province[j] == r
        if label[i] > 0:
            group = sums[s, _group(label[i], pair_class, pairs.n_classes)]
            for d in range(values.shape[1]):
                group[d] -= values[rank, d]
            if same and i > j:
                for d in range(values.shape[1]):
                    own[r, block, 0, d] -= values[rank, d]
            continue
        g = _group(label[j], pair_class, pairs.n_classes)
        never, group = sums[s, 0], sums[s, g]
        for d in range(values.shape[1]):
            never[d] -= values[rank, d]
            group[d] += values[rank, d]
        if same:
            for d in range(values.shape[1]):
                own[r, block, 0, d] -= values[rank, d]
                own[r, block, g, d] += values[rank, d]


@numba.njit(nogil=True, cache=CACHE)
def sum_moved(labels, kept, pairs, base, by_slot, inside):
    """Sum the pairs of at most one pilot from a rank on; the work grows with the cities and the
    pilots, since all other pairs come from `BaseSums`.

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
    n_draws, n_cities = labels.shape
    pilots, n_pilots = np.empty((n_draws, n_cities), np.int64), np.zeros(n_draws, np.int64)
    for draw in range(n_draws):
        _start_from_base(labels[draw], kept[draw], pairs, base, by_slot[draw], inside[draw])
        for j in range(n_cities):
            if labels[draw, j] > 0:
                pilots[draw, n_pilots[draw]] = j
                n_pilots[draw] += 1
    # city by city: the statistics of its pairs stay in the processor's cache over the draws
    for i in range(n_cities):
        for draw in range(n_draws):
            others = pilots[draw, : n_pilots[draw]]
            _move_partners(i, labels[draw], others, kept[draw], pairs, by_slot[draw], inside[draw])


@numba.njit(nogil=True, cache=CACHE)
def add_up(values, place, sums):
    """Add the entries of values (B, S, G, D) to the places (S,) of sums (B, places, G, D)."""
    for draw in range(len(values)):
        for s in range(len(place)):
            to = sums[draw, place[s]]
            for g in range(values.shape[2]):
                for d in range(values.shape[3]):
                    to[g, d] += values[draw, s, g, d]


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
                    if ties.rank_of[ties.measure[r], i, j] >= kept[k, r]:
                        held |= 1 << r
                g = a + b
                counts[draw, k, held, c, g] += 1.0
                for d in range(pairs.values.shape[1]):
                    sums[draw, k, held, c, g, d] += pairs.values[p, d]
