"""Compiled sums of a sample of strongest partners, which each reassignment chooses anew."""

from __future__ import annotations

import numba
import numpy as np

from .group_sums import add_pair, add_up, clear_sums
from .jit_options import CACHE


@numba.njit(cache=CACHE)
def sum_partners(label, partners, pairs, sums):
    """Fill `GroupSums` with the pairs in which one city is among the other's `Partners` under an
    assignment (N,).
    """
    order, n_partners, rank_of = partners.order, partners.n_partners, pairs.rank_of
    clear_sums(sums)
    kept = np.zeros(len(pairs.values), dtype=np.bool_)
    for city in range(len(label)):
        found = 0
        for place in range(order.shape[1]):
            partner = order[city, place]
            if partner < 0 or found == n_partners:
                break
            if label[partner] != 0:
                continue
            found += 1
            rank = rank_of[city, partner]
            if kept[rank]:
                continue
            kept[rank] = True
            # the partner is a never-pilot, so the pair's group is the city's
            add_pair(rank, label[city], 1.0, pairs, sums)
    add_up(label, pairs.province, sums)
