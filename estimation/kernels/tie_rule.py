"""Compiled sums of a sample above a quantile of ties, whose threshold each reassignment
takes anew.
"""

from __future__ import annotations

import numba
import numpy as np

from .group_sums import add_pair, add_up
from .jit_options import CACHE


@numba.njit(cache=CACHE)
def _lower_rank(both_ranks, n_both, n_pairs, quantile):
    """Rank of the order statistic at or below the quantile among the pairs of at most one pilot; -1
    if there is none.

    The first `n_both` of both_ranks (any length) are the ranks of pairs of two pilots, among
    n_pairs.
    """
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
def apply_tie_rule(label, rule, rank_of):
    """Pilots (n_pilots,) of an assignment (N,), and the first rank that the `TieRule` keeps under
    it; rank_of (N, N).
    """
    pilots = np.empty(len(label), dtype=np.int64)
    n_pilots = 0
    for i in range(len(label)):
        if label[i] > 0:
            pilots[n_pilots] = i
            n_pilots += 1
    pilots = pilots[:n_pilots]
    if not rule.is_used:
        return pilots, 0
    both_ranks = np.empty(n_pilots * (n_pilots - 1) // 2 + 1, dtype=np.int64)
    n_both = 0
    for a in range(n_pilots):
        for b in range(a + 1, n_pilots):
            rank = rank_of[pilots[a], pilots[b]]
            if rank >= 0:
                both_ranks[n_both] = rank
                n_both += 1
    n_pairs = len(rule.next_larger)
    rank = _lower_rank(both_ranks, n_both, n_pairs, rule.quantile)
    return pilots, n_pairs if rank < 0 else rule.next_larger[rank]


@numba.njit(cache=CACHE)
def _copy_to_never(source, target):
    """Copy sums (N, D) into group 0 of target (N, G + 1, D), zeros into the other groups."""
    # plain loops: numba compiles an array assignment in seconds
    for i in range(target.shape[0]):
        for g in range(target.shape[1]):
            for d in range(target.shape[2]):
                target[i, g, d] = source[i, d] if g == 0 else 0.0


@numba.njit(cache=CACHE)
def _start_from_base(first_kept, pairs, rule, base, sums):
    """Put all pairs from rank `first_kept` on into group 0: the `BaseSums`, and the ranks between
    the two thresholds.
    """
    _copy_to_never(base.by_city, sums.by_city)
    _copy_to_never(base.inside, sums.inside)
    sign = -1.0 if first_kept > rule.base_first else 1.0
    for rank in range(min(first_kept, rule.base_first), max(first_kept, rule.base_first)):
        add_pair(rank, 0, sign, pairs, sums)


@numba.njit(cache=CACHE)
def _move_pilot(j, label, first_kept, pairs, sums):
    """Sum the kept pairs of pilot j by partner and for j itself, under an assignment (N,)."""
    values, rank_of, province, by_city, inside = (
        pairs.values,
        pairs.rank_of,
        pairs.province,
        sums.by_city,
        sums.inside,
    )
    group, n_values = label[j], values.shape[1]
    own = np.zeros(n_values)
    for i in range(len(label)):
        rank = rank_of[j, i]
        if rank < first_kept:
            continue
        same = len(inside) > 0 and province[i] == province[j]
        if label[i] == 0:
            for d in range(n_values):
                by_city[i, group, d] += values[rank, d]
                own[d] += values[rank, d]
            if same:
                for d in range(n_values):
                    inside[province[i], group, d] += values[rank, d]
        elif same and i > j:
            for d in range(n_values):
                inside[province[i], 0, d] -= values[rank, d]
    for g in range(by_city.shape[1]):
        for d in range(n_values):
            by_city[j, g, d] = own[d] if g == group else 0.0


@numba.njit(cache=CACHE)
def _take_from_never(label, sums):
    """What lies in a pilot's group does not lie in group 0; label (N,)."""
    by_city, inside = sums.by_city, sums.inside
    for i in range(len(label)):
        if label[i] == 0:
            for g in range(1, by_city.shape[1]):
                for d in range(by_city.shape[2]):
                    by_city[i, 0, d] -= by_city[i, g, d]
    for r in range(len(inside)):
        for g in range(1, inside.shape[1]):
            for d in range(inside.shape[2]):
                inside[r, 0, d] -= inside[r, g, d]


@numba.njit(cache=CACHE)
def sum_above_threshold(label, pairs, rule, base, sums):
    """Fill `GroupSums` with the pairs of at most one pilot that the `TieRule` keeps under an
    assignment (N,).

    The work grows with the pilots and their partners, not with the pairs: all other pairs come from
    the `BaseSums`.
    """
    pilots, first_kept = apply_tie_rule(label, rule, pairs.rank_of)
    _start_from_base(first_kept, pairs, rule, base, sums)
    for a in range(len(pilots)):
        _move_pilot(pilots[a], label, first_kept, pairs, sums)
    _take_from_never(label, sums)
    add_up(label, pairs.province, sums)
