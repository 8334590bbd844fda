"""Compiled sums of the specification curve: under each reassignment, the pairs of all rules of
admission and of ties in one pass.
"""

from __future__ import annotations

import numba
import numpy as np

from .jit_options import CACHE


@numba.njit(cache=CACHE)
def _keep(state, ties, ranks, kept):
    """First rank that each rule of `RankedTies` keeps, kept (R,), among pairs of at most one pilot.

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
