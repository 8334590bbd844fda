"""Compiled draws of weighted samples: each reassignment has weights of its own."""

from __future__ import annotations

import numba
import numpy as np

from .normal_equations import CACHE, fit_draw
from .tie_rule import _add_up, _first_kept


@numba.njit(cache=CACHE)
def _sum_weighted(label, weight, first_kept, data, sums, inside):
    """Sums by city and group, and within provinces, of the pairs from rank `first_kept` on with at most one pilot."""
    first, second, values, _, province = data
    sums[:] = 0.0
    inside[:] = 0.0
    for rank in range(first_kept, len(first)):
        i, j = first[rank], second[rank]
        if label[i] > 0 and label[j] > 0:
            continue
        group, w = max(label[i], label[j]), weight[i] * weight[j]
        same = len(inside) > 0 and province[i] == province[j]
        for d in range(values.shape[1]):
            value = w * values[rank, d]
            sums[i, group, d] += value
            sums[j, group, d] += value
            if same:
                inside[province[i], group, d] += value


@numba.njit(nogil=True, cache=CACHE)
def run_weighted_draws(
    labels, weights, data, rule, n_provinces, x_all, normal_all, sizes, leads_all, n_leads, system, offsets, coefficient, statistic, joint
):
    """As `draws_kernel.run_draws` with weights (B, N) of the cities; a draw whose weights are missing stays NaN."""
    use_rule, quantile, next_larger, _ = rule
    n_groups, n_values = x_all.shape[1], data[2].shape[1]
    sums = np.empty((labels.shape[1], n_groups, n_values))
    inside = np.empty((n_provinces, n_groups, n_values))
    by_province, totals, pilots = np.empty_like(inside), np.empty((n_groups, n_values)), np.empty(labels.shape[1], dtype=np.int64)
    for draw in range(len(labels)):
        if np.isnan(weights[draw, 0]):
            continue
        n_pilots = 0
        for i in range(labels.shape[1]):
            if labels[draw, i] > 0:
                pilots[n_pilots] = i
                n_pilots += 1
        first_kept = 0
        if use_rule:
            both = np.empty(n_pilots * (n_pilots - 1) // 2 + 1, dtype=np.int64)
            first_kept = _first_kept(pilots, n_pilots, data[3], next_larger, quantile, both)
        _sum_weighted(labels[draw], weights[draw], first_kept, data, sums, inside)
        _add_up(labels[draw], sums, data[4], totals, by_province)
        for k in range(len(sizes)):
            design = (x_all[k], normal_all[k], sizes[k], leads_all[k, : n_leads[k]])
            results = (coefficient[draw, k], statistic[draw, k], joint[draw, k])
            fit_draw(labels[draw], sums, totals, by_province, inside, design, system, offsets, results)
