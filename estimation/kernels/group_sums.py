"""Compiled sums of one draw by city and group, and what every estimator makes of them."""

from __future__ import annotations

import numba
import numpy as np

from .jit_options import CACHE
from .records import GroupSums


@numba.njit(cache=CACHE)
def empty_sums(n_cities, n_provinces, n_groups, n_values):
    """`GroupSums` with room for N cities, R provinces, G + 1 groups and D statistics; nothing is
    set.
    """
    by_city, inside = (
        np.empty((n_cities, n_groups, n_values)),
        np.empty((n_provinces, n_groups, n_values)),
    )
    return GroupSums(
        by_city, inside, np.empty((n_groups, n_values)), np.empty((n_provinces, n_groups, n_values))
    )


@numba.njit(cache=CACHE)
def clear_sums(sums):
    """Set the sums by city and inside provinces of `GroupSums` to zero."""
    sums.by_city[:] = 0.0
    sums.inside[:] = 0.0


# inlined, because a call per pair would cost more than its sums
@numba.njit(cache=CACHE, inline="always")
def add_pair(rank, group, weight, pairs, sums):
    """Add the statistics of one pair, times a weight, to the sums of both its cities in a group,
    and inside their province.
    """
    values, province, by_city, inside = pairs.values, pairs.province, sums.by_city, sums.inside
    i, j = pairs.first[rank], pairs.second[rank]
    same = len(inside) > 0 and province[i] == province[j]
    for d in range(values.shape[1]):
        value = weight * values[rank, d]
        by_city[i, group, d] += value
        by_city[j, group, d] += value
        if same:
            inside[province[i], group, d] += value


@numba.njit(cache=CACHE)
def add_up(label, province, sums):
    """Fill `totals`, each pair once, and `by_province` of `GroupSums` from `by_city`; label and
    province (N,).
    """
    by_city, totals, by_province = sums.by_city, sums.totals, sums.by_province
    totals[:] = 0.0
    by_province[:] = 0.0
    for i in range(len(label)):
        for g in range(by_city.shape[1]):
            if by_city[i, g, 0] < 0.5:
                continue
            share = 1.0 if label[i] > 0 else (0.5 if g == 0 else 0.0)
            for d in range(by_city.shape[2]):
                totals[g, d] += share * by_city[i, g, d]
            if len(by_province) > 0:
                for d in range(by_city.shape[2]):
                    by_province[province[i], g, d] += by_city[i, g, d]
    for g in range(len(totals)):
        if totals[g, 0] < 0.5:
            for d in range(totals.shape[1]):
                totals[g, d] = 0.0


@numba.njit(cache=CACHE)
def delete_province(sums, r, deleted):
    """Totals of `GroupSums` without the pairs of province r, deleted (G + 1, D); False if no
    treated pair is left.
    """
    totals, by_province, inside = sums.totals, sums.by_province, sums.inside
    treated = 0.0
    for g in range(len(totals)):
        for d in range(totals.shape[1]):
            deleted[g, d] = totals[g, d] - by_province[r, g, d] + inside[r, g, d]
        if deleted[g, 0] < 0.5:
            for d in range(totals.shape[1]):
                deleted[g, d] = 0.0
        elif g > 0:
            treated += deleted[g, 0]
    return treated > 0.5


@numba.njit(cache=CACHE)
def fill_score_variance(label, by_city, weights, shared, offset, variance):
    """Sum over cities of the squared sum of the influence of their pairs, variance (L,).

    label (N,); by_city (N, G + 1, D); weights (G + 1, shared + own, L) for the first `shared`
    statistics and the own ones of the outcome, which begin at `offset`.
    """
    n_treatment = len(variance)
    variance[:] = 0.0
    city = np.empty(n_treatment)
    for i in range(len(label)):
        city[:] = 0.0
        low = label[i]
        high = low + 1 if low > 0 else by_city.shape[1]
        for g in range(low, high):
            if by_city[i, g, 0] < 0.5:
                continue
            for d in range(weights.shape[1]):
                value = by_city[i, g, d if d < shared else offset + d - shared]
                for c in range(n_treatment):
                    city[c] += value * weights[g, d, c]
        for c in range(n_treatment):
            variance[c] += city[c] * city[c]
