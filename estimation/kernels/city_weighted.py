"""Compiled sums of a weighted sample: each reassignment has weights of the cities of its own."""

from __future__ import annotations

import numba

from .group_sums import add_pair, add_up, clear_sums
from .jit_options import CACHE
from .tie_rule import apply_tie_rule


@numba.njit(cache=CACHE)
def sum_weighted(label, weight, pairs, rule, sums):
    """Fill `GroupSums` with the pairs of at most one pilot that the `TieRule` keeps under an
    assignment (N,).

    A pair counts the product of the weights (N,) of its cities.
    """
    clear_sums(sums)
    first, second = pairs.first, pairs.second
    _, first_kept = apply_tie_rule(label, rule, pairs.rank_of)
    for rank in range(first_kept, len(first)):
        i, j = first[rank], second[rank]
        if label[i] == 0 or label[j] == 0:
            add_pair(rank, max(label[i], label[j]), weight[i] * weight[j], pairs, sums)
    add_up(label, pairs.province, sums)
