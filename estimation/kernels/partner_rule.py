"""Compiled draws of samples of k strongest partners: each reassignment chooses the partners anew."""

from __future__ import annotations

import numba
import numpy as np

from .normal_equations import CACHE, fit_draw
from .tie_rule import _add_up


@numba.njit(cache=CACHE)
def _sum_partners(label, order, n_partners, data, kept, sums, inside):
    """Sums by city and group, and within provinces, over the pairs in which one city is among the other's partners."""
    _, _, values, rank_of, province = data
    kept[:] = False
    sums[:] = 0.0
    inside[:] = 0.0
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
            group = label[city]
            same = len(inside) > 0 and province[city] == province[partner]
            for d in range(values.shape[1]):
                value = values[rank, d]
                sums[city, group, d] += value
                sums[partner, group, d] += value
                if same:
                    inside[province[city], group, d] += value


@numba.njit(nogil=True, cache=CACHE)
def run_partner_draws(
    labels, data, partners, n_provinces, x_all, normal_all, sizes, leads_all, n_leads, system, offsets, coefficient, statistic, joint
):
    """As `draws_kernel.run_draws`; `partners` = (order of partners (N, N - 1), number of them)."""
    order, n_partners = partners
    n_groups, n_values = x_all.shape[1], data[2].shape[1]
    sums = np.empty((labels.shape[1], n_groups, n_values))
    inside = np.empty((n_provinces, n_groups, n_values))
    by_province, totals, kept = np.empty_like(inside), np.empty((n_groups, n_values)), np.empty(len(data[2]), dtype=np.bool_)
    for draw in range(len(labels)):
        _sum_partners(labels[draw], order, n_partners, data, kept, sums, inside)
        _add_up(labels[draw], sums, data[4], totals, by_province)
        for k in range(len(sizes)):
            design = (x_all[k], normal_all[k], sizes[k], leads_all[k, : n_leads[k]])
            results = (coefficient[draw, k], statistic[draw, k], joint[draw, k])
            fit_draw(labels[draw], sums, totals, by_province, inside, design, system, offsets, results)
