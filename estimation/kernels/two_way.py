"""Compiled draws of two-way least squares: under each reassignment of admissions, sum the sample's
pairs and fit every design.
"""

from __future__ import annotations

import numba
import numpy as np

from .city_weighted import sum_weighted
from .group_sums import delete_province, empty_sums, fill_score_variance
from .jit_options import CACHE
from .linear_algebra import factor, invert, joint_f, solve_factored
from .normal_equations import fill_influence_weights, fill_normal_matrix, fill_right_hand_side
from .partner_rule import sum_partners
from .records import Design, DrawResults
from .tie_rule import sum_above_threshold


@numba.njit(cache=CACHE)
def _joint_of_leads(theta, sums, design, layout, joint):
    """Joint F (M,) of a design's leads, refitting without each province; stays NaN where a refit
    loses a lead. theta (M, q).
    """
    offsets, leads = layout.offsets, design.leads
    k, start, q = len(leads), theta.shape[1] - design.n_treatment, theta.shape[1]
    matrix, rhs, empty, deleted = (
        np.empty((q, q)),
        np.empty(q),
        np.zeros(q, dtype=np.bool_),
        np.empty_like(sums.totals),
    )
    deviations = np.zeros((len(offsets), len(sums.by_province), k))
    used = 0
    for r in range(len(sums.by_province)):
        if not delete_province(sums, r, deleted):
            continue
        fill_normal_matrix(deleted, design, layout, matrix)
        if not factor(matrix, empty):
            return
        for a in range(k):
            if empty[start + leads[a]]:
                return
        for m in range(len(offsets)):
            fill_right_hand_side(deleted, design, layout, offsets[m], rhs)
            solve_factored(matrix, rhs)
            for a in range(k):
                deviations[m, used, a] = rhs[start + leads[a]] - theta[m, start + leads[a]]
        used += 1
    estimate = np.empty(k)
    for m in range(len(offsets)):
        for a in range(k):
            estimate[a] = theta[m, start + leads[a]]
        joint[m] = joint_f(deviations[m], used, estimate)


@numba.njit(cache=CACHE)
def _fit_draw(label, sums, design, layout, results):
    """Fit one `Design` to the `GroupSums` of an assignment (N,):

    `DrawResults` of coefficient (M, L), statistic (M, L) and joint (M,).
    """
    offsets, n_treatment, n_years = layout.offsets, design.n_treatment, layout.basis.shape[1]
    start = n_years - 1 + layout.n_controls
    q = start + n_treatment
    matrix, lost, rhs, theta = (
        np.empty((q, q)),
        np.zeros(q, dtype=np.bool_),
        np.empty(q),
        np.zeros((len(offsets), q)),
    )
    weights = np.empty((len(sums.totals), layout.shared + n_years + layout.n_controls, n_treatment))
    variance = np.empty(n_treatment)
    fill_normal_matrix(sums.totals, design, layout, matrix)
    invert(matrix, lost)
    for m in range(len(offsets)):
        fill_right_hand_side(sums.totals, design, layout, offsets[m], rhs)
        for a in range(q):
            for c in range(q):
                theta[m, a] += matrix[a, c] * rhs[c]
        fill_influence_weights(theta[m], matrix, design, layout, weights)
        fill_score_variance(label, sums.by_city, weights, layout.shared, offsets[m], variance)
        for c in range(n_treatment):
            if not lost[start + c] and variance[c] > 0.0:
                results.coefficient[m, c] = theta[m, start + c]
                results.statistic[m, c] = abs(theta[m, start + c]) / np.sqrt(variance[c])
    if len(design.leads) > 0:
        _joint_of_leads(theta, sums, design, layout, results.joint)


@numba.njit(nogil=True, cache=CACHE)
def run_two_way_draws(
    labels, base, partners, city_weights, pairs, rule, n_provinces, designs, layout, results
):
    """Fit K designs under each row of labels; a draw is sequential, so its bytes do not depend on
    the number of threads.

    One of `base`, `partners` and `city_weights` is given and says how a draw's pairs are summed.
    The two others are None, and numba leaves their branches out; with one `else` it would compile a
    branch that is never taken.

    Parameters
    ----------
    labels : (B, N) int64 array
        Group of each city, 0 = never treated.
    base : BaseSums or None
        Given: the sample is that of the rule of ties.
    partners : Partners or None
        Given: the sample is that of the strongest partners.
    city_weights : (B, N) float64 array or None
        Given: the sample is that of the rule of ties, and a pair counts the product of its cities'
        weights; a draw whose weights begin with NaN is left out.
    pairs, rule : Pairs, TieRule
    n_provinces : int
        R; 0 where provinces are not known.
    designs, layout : Designs, StatisticsLayout
    results : DrawResults
        Filled; coefficient and statistic (B, K, M, L), joint (B, K, M).
    """
    sums = empty_sums(labels.shape[1], n_provinces, designs.x.shape[1], pairs.values.shape[1])
    for draw in range(len(labels)):
        label = labels[draw]
        if base is not None:
            sum_above_threshold(label, pairs, rule, base, sums)
        if partners is not None:
            sum_partners(label, partners, pairs, sums)
        if city_weights is not None:
            if np.isnan(city_weights[draw, 0]):
                continue
            sum_weighted(label, city_weights[draw], pairs, rule, sums)
        for k in range(len(designs.n_treatment)):
            design = Design(
                designs.x[k],
                designs.unit_normal[k],
                designs.n_treatment[k],
                designs.leads[k, : designs.n_leads[k]],
            )
            found = DrawResults(
                results.coefficient[draw, k], results.statistic[draw, k], results.joint[draw, k]
            )
            _fit_draw(label, sums, design, layout, found)
