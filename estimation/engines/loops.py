"""Compiled sums of pair statistics under reassigned admissions: sums alone, the algebra is that of
`solve`.

All loops stand in this file, so that numba sees every change of what it has kept. A draw is
sequential and the interpreter's lock is free, so blocks of draws may run in threads and the bytes
do not depend on their number. Letters of the shapes: B draws, N cities, P candidate pairs, R
provinces, C blocks of pairs with year effects of their own, G groups of pairs (0 = never treated),
D statistics of a pair, L coefficients.
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

# coefficients of an outcome below which a loop over cities is quicker than one over them
FEW = 4


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

    state (N,): 0 never-pilot, 1 pilot, 2 left out; ranks (P + 1,) is room to work in.
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
def _group(label, pair_class, n_classes):
    """Group of the pairs of a city with never-pilots."""
    return 0 if label == 0 else 1 + (label - 1) * n_classes + pair_class


@inner
def _group_of_pair(rank, label, pairs):
    """Group of a pair; -1 of two pilots."""
    a, b = label[pairs.first[rank]], label[pairs.second[rank]]
    return -1 if a > 0 and b > 0 else _group(a + b, pairs.pair_class[rank], pairs.n_classes)


@inner
def _add(to, values, sign):
    """Add values (D,) times a sign."""
    for d in range(len(to)):
        to[d] += sign * values[d]


@inner
def _list_pilots(label, cities, pilots):
    """Fill pilots (N,) by their types, those of a type in the order of cities (N,); how many there
    are.
    """
    ends = np.zeros(len(label) + 1, dtype=np.int64)
    for one in label:
        ends[one] += one > 0
    for k in range(1, len(ends)):
        ends[k] += ends[k - 1]
    n_pilots = ends[-1]
    for j in cities[::-1]:
        if label[j] > 0:
            ends[label[j]] -= 1
            pilots[ends[label[j]]] = j
    return n_pilots


@inner
def _move_pilots(label, pilots, pairs, moved, together, own):
    """Put the pairs of pilots with never-pilots into the group they are treated in, with the
    province of either city, and leave in group 0 what no pilot is in; together (D,) is room.
    """
    for j in pilots:
        r, done = moved.province[j], 0
        # all pairs of the pilot, as if no partner were one
        for part in range(moved.part_start[j], moved.part_start[j + 1]):
            kind = moved.part_kind[part]
            group = _group(label[j], moved.kind_class[kind], pairs.n_classes)
            partners = own[moved.part_province[part], moved.kind_block[kind], group]
            _add(partners, moved.parts[part], 1.0)
        for kind, block in enumerate(moved.kind_block):
            group = _group(label[j], moved.kind_class[kind], pairs.n_classes)
            _add(own[r, block, group], moved.of_city[j, kind], 1.0)
        # those with pilots are in no group: of one type and kind together
        while done < len(pilots):
            first, kind = pilots[done], moved.kind_of[j, pilots[done]]
            together[:] = 0.0
            while (
                done < len(pilots)
                and label[pilots[done]] == label[first]
                and moved.kind_of[j, pilots[done]] == kind
            ):
                rank = pairs.rank_of[j, pilots[done]]
                if rank >= moved.first_rank:
                    _add(together, pairs.values[rank], 1.0)
                done += 1
            if kind < 0:
                continue
            of_block, pair_class = own[r, moved.kind_block[kind]], moved.kind_class[kind]
            a = of_block[_group(label[first], pair_class, pairs.n_classes)]
            b = of_block[_group(label[j], pair_class, pairs.n_classes)]
            for d in range(len(together)):
                a[d] -= together[d]
                b[d] -= together[d]
                of_block[0, d] -= together[d]
    for of_province in own:
        for of_block in of_province:
            for of_group in of_block[1:]:
                _add(of_block[0], of_group, -1.0)


@numba.njit(nogil=True, cache=CACHE)
def sum_moved(labels, kept, pairs, moved, by_province, inside):
    """Sum the pairs of at most one pilot from a rank on by the provinces of their cities; the work
    grows with the pilots, since all other pairs come from the sums over all.

    Parameters
    ----------
    labels : (B, N) int64 array
        Type of each city, 0 = never treated.
    kept : (B,) int64 array
        First rank that is kept.
    pairs, moved : DrawnPairs, MovedPairs
    by_province : (B, R, C, G, D) float64 array
        Sums over all pairs of the cities of a province, in group 0: changed to those of the draw;
        R = 1 without provinces.
    inside : (B, R, C, G, D) float64 array
        Zeros, filled: over the pairs with both cities in a province; R = 0 leaves them out.
    """
    pilots = np.empty(labels.shape[1], np.int64)
    together = np.empty(pairs.values.shape[1])
    for draw in range(len(labels)):
        label, own = labels[draw], by_province[draw]
        others = pilots[: _list_pilots(label, moved.city, pilots)]
        _move_pilots(label, others, pairs, moved, together, own)
        first, sign = moved.first_rank, -1.0 if kept[draw] > moved.first_rank else 1.0
        for rank in range(min(kept[draw], first), max(kept[draw], first)):
            group = _group_of_pair(rank, label, pairs)
            if group < 0:
                continue
            for city in (pairs.first[rank], pairs.second[rank]):
                to = own[moved.province[city], pairs.block[rank], group]
                _add(to, pairs.values[rank], sign)
        if inside.shape[1] == 0:
            continue
        for rank in moved.inside:
            group = _group_of_pair(rank, label, pairs)
            if rank >= kept[draw] and group >= 0:
                r = moved.province[pairs.first[rank]]
                _add(inside[draw, r, pairs.block[rank], group], pairs.values[rank], 1.0)


@inner
def _weigh(values, weights, columns, ends, found):
    """Add values (D,) times weights (d, L) to found (L,)."""
    for m in range(len(columns)):
        first, end = ends[m], ends[m + 1]
        if first == end:
            continue
        to = found[first:end]
        for d in range(len(weights)):
            value, own = values[columns[m, d]], weights[d, first:end]
            for k in range(len(to)):
                to[k] += value * own[k]


@inner
def _weigh_rows(rows, weights, columns, ends, room, scores):
    """Add rows (D * size,) times weights (4 n, L) to the scores (size, L), four statistics at a
    time, so that a score is read and written once for them; columns (M, 4 n), room (size,).
    """
    size = len(scores)
    for m in range(len(columns)):
        first, end = ends[m], ends[m + 1]
        if first == end:
            continue
        for d in range(0, len(weights), 4):
            at = columns[m, d] * size, columns[m, d + 1] * size
            a, b = rows[at[0] : at[0] + size], rows[at[1] : at[1] + size]
            at = columns[m, d + 2] * size, columns[m, d + 3] * size
            c, e = rows[at[0] : at[0] + size], rows[at[1] : at[1] + size]
            if end - first > FEW:
                wa, wb = weights[d, first:end], weights[d + 1, first:end]
                wc, we = weights[d + 2, first:end], weights[d + 3, first:end]
                for q in range(size):
                    to = scores[q, first:end]
                    for k in range(len(to)):
                        to[k] += (a[q] * wa[k] + b[q] * wb[k]) + (c[q] * wc[k] + e[q] * we[k])
                continue
            for k in range(first, end):
                w = weights[d : d + 4, k]
                for q in range(size):
                    room[q] = (w[0] * a[q] + w[1] * b[q]) + (w[2] * c[q] + w[3] * e[q])
                for q in range(size):
                    scores[q, k] += room[q]


@inner
def _change(weights, others, change):
    """Fill change (4 n, L) with weights (d, L) less others."""
    for d in range(len(weights)):
        for k in range(weights.shape[1]):
            change[d, k] = weights[d, k] - others[d, k]


@inner
def _add_up(values, first, step, partners, to):
    """Fill a row with the sum of those that begin at first + partner * step, two partners at a
    time, so that a sum is read and written once for both.
    """
    to[:] = 0.0
    for k in range(0, len(partners) - 1, 2):
        a, b = first + partners[k] * step, first + partners[k + 1] * step
        one, other = values[a : a + len(to)], values[b : b + len(to)]
        for d in range(len(to)):
            to[d] += one[d] + other[d]
    if len(partners) % 2:
        last = first + partners[-1] * step
        _add(to, values[last : last + len(to)], 1.0)


@inner
def _score_band(band, label, pilots, pairs, moved, weights, columns, ends, runs, room, scores):
    """Fill the scores (size, L) of a band's cities as if they were never-pilots: all their pairs as
    if no partner were a pilot, then what pilots change, those of one type and kind together; left
    (K, D * size) of the room is filled with their pairs with never-pilots.
    """
    together, left, change, of_size, nothing = room
    size, n_kinds = moved.start[band + 1] - moved.start[band], len(moved.kind_block)
    length, done = pairs.values.shape[1] * size, 0
    scores[:] = 0.0
    for kind in range(n_kinds):
        at = moved.first_whole[band] + kind * length
        for run in runs:
            for d in range(run[0] * size, run[1] * size):
                left[kind, d] = moved.whole[at + d]
        if moved.has_kind[band, kind]:
            _change(weights[moved.kind_block[kind], 0], nothing, change)
            _weigh_rows(left[kind], change, columns, ends, of_size, scores)
    while done < len(pilots):
        first, j = done, pilots[done]
        kind = moved.kind[band, j]
        while (
            done < len(pilots)
            and label[pilots[done]] == label[j]
            and moved.kind[band, pilots[done]] == kind
        ):
            done += 1
        rows = together[:length]
        for run in runs:
            start, end = run[0] * size, run[1] * size
            own = rows[start:end]
            _add_up(moved.values, moved.first[band] + start, length, pilots[first:done], own)
            _add(left[kind, start:end], own, -1.0)
        of_block = weights[moved.kind_block[kind]]
        own = of_block[_group(label[j], moved.kind_class[kind], pairs.n_classes)]
        _change(own, of_block[0], change)
        _weigh_rows(rows, change, columns, ends, of_size, scores)


@inner
def _score_pilots(band, label, pairs, moved, weights, columns, ends, left, values, scores):
    """Fill the scores (size, L) of the pilots of a band, from their pairs with never-pilots."""
    start, size = moved.start[band], len(scores)
    for q in range(size):
        own = label[moved.city[start + q]]
        if own == 0:
            continue
        scores[q] = 0.0
        for kind in range(len(left)):
            for d in range(len(values)):
                values[d] = left[kind, d * size + q]
            group = _group(own, moved.kind_class[kind], pairs.n_classes)
            if values[0] > 0.5:
                of_group = weights[moved.kind_block[kind], group]
                _weigh(values, of_group, columns, ends, scores[q])


@inner
def _score_between(label, kept, pairs, moved, weights, columns, ends, found, scores):
    """Add the pairs of ranks between the draw's threshold and the real one to the scores (N, L);
    found (L,) is room.
    """
    first, sign = moved.first_rank, -1.0 if kept > moved.first_rank else 1.0
    for rank in range(min(kept, first), max(kept, first)):
        group = _group_of_pair(rank, label, pairs)
        if group >= 0:
            found[:] = 0.0
            own = weights[pairs.block[rank], group]
            _weigh(pairs.values[rank], own, columns, ends, found)
            for k in range(len(found)):
                scores[moved.place[pairs.first[rank]], k] += sign * found[k]
                scores[moved.place[pairs.second[rank]], k] += sign * found[k]


@numba.njit(nogil=True, cache=CACHE)
def score_moved(labels, kept, pairs, moved, runs, weights, columns, ends, squares):
    """Add up the squared influence of each city's pairs, by bands of cities whose pairs with a
    partner are one run of numbers.

    Parameters
    ----------
    labels, kept, pairs, moved
        As in `sum_moved`.
    runs : (runs, 2) int64 array
        Where each run of the D statistics that weigh begins and ends.
    weights, columns, ends, squares
        As in `score_pairs`.
    """
    (n_draws, n), n_values, n_terms = labels.shape, pairs.values.shape[1], weights.shape[4]
    change, nothing = np.zeros((columns.shape[1], n_terms)), np.zeros(weights.shape[3:])
    left = np.empty((len(moved.kind_block), n * n_values))
    room = np.empty(n * n_values), left, change, np.empty(n), nothing
    values, found = np.empty(n_values), np.empty(n_terms)
    scores = np.empty((n_draws, n, n_terms))
    pilots, n_pilots = np.empty((n_draws, n), np.int64), np.empty(n_draws, np.int64)
    for draw in range(n_draws):
        n_pilots[draw] = _list_pilots(labels[draw], moved.city, pilots[draw])
    # band by band: the statistics of its pairs stay in the processor's cache over the draws
    for band in range(len(moved.first)):
        start, end = moved.start[band], moved.start[band + 1]
        for draw in range(n_draws):
            label, of_band = labels[draw], scores[draw, start:end]
            given = pairs, moved, weights[draw], columns, ends
            of_draw = pilots[draw, : n_pilots[draw]]
            _score_band(band, label, of_draw, *given, runs, room, of_band)
            _score_pilots(band, label, *given, left, values, of_band)
    for draw in range(n_draws):
        given, of_draw = (pairs, moved, weights[draw], columns, ends), scores[draw]
        _score_between(labels[draw], kept[draw], *given, found, of_draw)
        for i in range(n):
            for k in range(n_terms):
                squares[draw, k] += of_draw[i, k] ** 2


@numba.njit(nogil=True, cache=CACHE)
def sum_pairs(group, weight, pairs, province, by_province, inside):
    """Sum pairs by the groups they are given, (B, P) int64, -1 left out; a pair counts the product
    of its cities' weights (B, N). The rest as in `sum_moved`.
    """
    for draw in range(len(group)):
        for rank in range(group.shape[1]):
            g, i, j = group[draw, rank], pairs.first[rank], pairs.second[rank]
            if g < 0:
                continue
            times, block = weight[draw, i] * weight[draw, j], pairs.block[rank]
            for city in (i, j):
                _add(by_province[draw, province[city], block, g], pairs.values[rank], times)
            if inside.shape[1] > 0 and province[i] == province[j]:
                _add(inside[draw, province[i], block, g], pairs.values[rank], times)


@numba.njit(nogil=True, cache=CACHE)
def score_pairs(group, weight, pairs, weights, columns, ends, squares):
    """Add up the squared influence of each city's pairs, by the groups that pairs are given.

    Parameters
    ----------
    group, weight, pairs
        As in `sum_pairs`.
    weights : (B, C, G, d, L) float64 array
        Of the d statistics of an outcome in each coefficient.
    columns : (M, 4 n) int64 array
        Where the statistics of each outcome lie among the D, by fours; those behind the d-th count
        nothing.
    ends : (M + 1,) int64 array
        Where the coefficients of each outcome begin and end among the L.
    squares : (B, L) float64 array
        Zeros, filled.
    """
    scores, found = np.empty((weight.shape[1], weights.shape[4])), np.empty(weights.shape[4])
    for draw in range(len(group)):
        scores[:] = 0.0
        for rank in range(group.shape[1]):
            i, j, g = pairs.first[rank], pairs.second[rank], group[draw, rank]
            if g >= 0:
                found[:] = 0.0
                own = weights[draw, pairs.block[rank], g]
                _weigh(pairs.values[rank], own, columns, ends, found)
                for k in range(len(found)):
                    scores[i, k] += weight[draw, i] * weight[draw, j] * found[k]
                    scores[j, k] += weight[draw, i] * weight[draw, j] * found[k]
        for i in range(len(scores)):
            for k in range(len(found)):
                squares[draw, k] += scores[i, k] ** 2


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
