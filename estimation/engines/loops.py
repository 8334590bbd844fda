"""Compiled sums of pair statistics under reassigned admissions: sums alone, the algebra is that of
`solve`.

All loops are in this file, so that numba sees every change of what it has cached. A draw is
sequential and the interpreter's lock is free, so blocks of draws may run in threads and the bytes
do not depend on their number. Letters of the shapes: B draws, N cities, P candidate pairs, R
provinces, C blocks of pairs with year effects of their own, G groups of pairs (0 = never treated),
U cells of a block and a group, D statistics of a pair.
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

# of a loop that other loops alone call: no way in from Python has to be compiled
inner = numba.njit(cache=CACHE, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@inner
def _rank_at(position, others):
    """Rank of the pair at a position among those whose rank is not one of the others."""
    rank, before = position, -1
    while rank != before:
        before, below = rank, 0
        for other in others:
            below += other <= rank
        rank = position + below
    return rank


@inner
def _keep(state, ties, ranks, kept):
    """First rank that each rule of `RankedTies` keeps, kept (rules,), among pairs of at most one
    pilot.

    state (N,): 0 never-treated city, 1 pilot, 2 left out; ranks (P + 1,) is room to work in.
    """
    everyone, room, n_marked = np.arange(len(state)), np.empty(len(state), np.int64), 0
    for i in everyone:
        room[n_marked] = i
        n_marked += state[i] > 0
    marked = room[:n_marked]
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


@inner
def _add(to, values, sign):
    """Add values times a sign."""
    for d in range(len(to)):
        to[d] += sign * values[d]


@inner
def _move_pilots(label, pilots, moved, d, k, to, rest):
    """Fill the k-th of to (D, U, N) with the sums of statistic d over the pairs of each city; rest
    (K, N) is room.
    """
    for j in pilots:
        for band in range(len(moved.kind)):
            kind, start, end = moved.kind[band, j], moved.start[band], moved.start[band + 1]
            if kind >= 0:
                own = moved.cell[kind, label[j]]
                _add(to[k, own, start:end], moved.values[d, j, start:end], 1.0)
    # all other pairs of a city are those with never-treated cities
    for kind, cells in enumerate(moved.cell):
        # numba compiles the assignment of a row for two seconds
        rest[kind, :] = 0.0
        _add(rest[kind], moved.whole[d, kind], 1.0)
        for cell in cells[1:]:
            _add(rest[kind], to[k, cell], -1.0)
        _add(to[k, cells[0]], rest[kind], 1.0)
    # a pilot has these alone
    for j in pilots:
        n = moved.place[j]
        for cell in range(to.shape[1]):
            to[k, cell, n] = 0.0
        for kind, cells in enumerate(moved.cell):
            to[k, cells[label[j]], n] = rest[kind, n]


@inner
def _move_threshold(label, kept, pairs, moved, d, to):
    """Add statistic d of the pairs of at most one pilot between the first rank of the real
    assignment and the first that is kept to (U, N), or take it away.
    """
    first, sign = moved.first_rank, -1.0 if kept > moved.first_rank else 1.0
    for rank in range(min(kept, first), max(kept, first)):
        i, j = pairs.first[rank], pairs.second[rank]
        if label[i] == 0 or label[j] == 0:
            cell, value = (
                moved.cell[moved.kind_of[rank], label[i] + label[j]],
                moved.of_rank[d, rank],
            )
            to[cell, moved.place[i]] += sign * value
            to[cell, moved.place[j]] += sign * value


@numba.njit(nogil=True, cache=CACHE)
def sum_moved(labels, kept, used, pairs, moved, by_city):
    """Sum the pairs of at most one pilot from a rank on by city; the work grows with the pilots,
    since all other pairs come from the sums over all.

    Parameters
    ----------
    labels : (B, N) int64 array
        Type of each city, 0 = never treated.
    kept : (B,) int64 array
        First rank that is kept.
    used : int64 array
        Statistics that are summed.
    pairs, moved : DrawnPairs, MovedPairs
    by_city : (B, len(used), U, N) float64 array
        Zeros, filled; cities by place.
    """
    n_draws, n = labels.shape
    rest = np.empty((len(moved.cell), n))
    pilots, n_pilots = np.empty((n_draws, n), np.int64), np.zeros(n_draws, np.int64)
    for draw in range(n_draws):
        for j in range(n):
            pilots[draw, n_pilots[draw]] = j
            n_pilots[draw] += labels[draw, j] > 0
    # one statistic after another: its pairs stay in the processor's cache over the draws
    for k, d in enumerate(used):
        for draw in range(n_draws):
            of_draw = pilots[draw, : n_pilots[draw]]
            _move_pilots(labels[draw], of_draw, moved, d, k, by_city[draw], rest)
            _move_threshold(labels[draw], kept[draw], pairs, moved, d, by_city[draw, k])


@numba.njit(nogil=True, cache=CACHE)
def sum_inside(labels, kept, pairs, moved, province, inside):
    """Fill inside (B, R, C, G, D) with the sums over the pairs of at most one pilot with both
    cities in a province (N,), 0..R-1; the rest as in `sum_moved`.
    """
    for draw in range(len(labels)):
        for rank in moved.inside:
            i, j = pairs.first[rank], pairs.second[rank]
            a, b = labels[draw, i], labels[draw, j]
            if rank < kept[draw] or (a > 0 and b > 0):
                continue
            group = 0 if a + b == 0 else 1 + (a + b - 1) * pairs.n_classes + pairs.pair_class[rank]
            _add(inside[draw, province[i], pairs.block[rank], group], pairs.values[rank], 1.0)


@numba.njit(nogil=True, cache=CACHE)
def sum_pairs(group, weight, used, pairs, province, by_city, inside):
    """Sum pairs by city and the groups they are given, and those inside provinces.

    Parameters
    ----------
    group : (B, P) int64 array
        -1 leaves a pair out.
    weight : (B, N) float64 array
        A pair counts the product of its cities' weights.
    used, pairs, province
        As in `sum_moved` and `sum_inside`.
    by_city : (B, len(used), C, G, N) float64 array
        Zeros, filled.
    inside : (B, R, C, G, D) float64 array
        Zeros, filled; R = 0 leaves them out.
    """
    for draw in range(len(group)):
        for rank in range(group.shape[1]):
            g, i, j = group[draw, rank], pairs.first[rank], pairs.second[rank]
            if g < 0:
                continue
            times, block = weight[draw, i] * weight[draw, j], pairs.block[rank]
            for k, d in enumerate(used):
                by_city[draw, k, block, g, i] += times * pairs.values[rank, d]
                by_city[draw, k, block, g, j] += times * pairs.values[rank, d]
            if inside.shape[1] > 0 and province[i] == province[j]:
                _add(inside[draw, province[i], block, g], pairs.values[rank], times)


@numba.njit(nogil=True, cache=CACHE)
def sum_curve(records, labels, pairs, ties, counts, sums):
    """Count and sum pairs by draw, rule of admission, set of tie rules, class and group.

    A pair belongs to one set, whose bits are the tie rules that keep it: so it is added once, not
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
