"""Compiled draws over all pairs: one pass over the cities each (docs/methods, section 11).

A draw is sequential and the interpreter's lock is free, so blocks of draws may run in threads and
the bytes do not depend on their number.
"""

from __future__ import annotations

import numba
import numpy as np

from .jit_options import CACHE


@numba.njit(cache=CACHE)
def _finish(label, raw, year_sums, design, coefficient, statistic):
    """Coefficients (K,) from raw city sums (N, K), where every pair is in two of them, then the
    studentised statistics (K,).

    label (N,); year_sums (T,) of the outcome over all pairs; design is an `AllPairsDesign`.
    """
    weights, regressors, counts, n_pairs = (
        design.weights,
        design.regressors,
        design.counts,
        design.n_pairs,
    )
    n_groups, n_years, n_terms = weights.shape
    for k in range(n_terms):
        total = 0.0
        for i in range(len(label)):
            total += raw[i, k]
        coefficient[k] = total / 2
    shift = np.zeros((n_groups, n_terms))
    for g in range(n_groups):
        for t in range(n_years):
            fitted = year_sums[t] / n_pairs
            for m in range(n_terms):
                fitted += regressors[g, t, m] * coefficient[m]
            for k in range(n_terms):
                shift[g, k] += weights[g, t, k] * fitted
    for k in range(n_terms):
        of_never = (counts[0] - 1) * shift[0, k]
        for g in range(1, n_groups):
            of_never += counts[g] * shift[g, k]
        squares = 0.0
        for i in range(len(label)):
            g = label[i]
            score = raw[i, k] - (of_never if g == 0 else counts[0] * shift[g, k])
            squares += score * score
        statistic[k] = abs(coefficient[k]) / np.sqrt(squares) if squares > 0 else np.nan


@numba.njit(cache=CACHE)
def _group_sums(label, values, totals, sums, squares):
    """Sums and squares (G + 1, T) of values (N, T) by group: pilots are added up, the never-treated
    are what is left of totals (2, T).
    """
    sums[:] = 0.0
    squares[:] = 0.0
    for i in range(len(label)):
        g = label[i]
        if g > 0:
            for t in range(values.shape[1]):
                z = values[i, t]
                sums[g, t] += z
                squares[g, t] += z * z
    for t in range(values.shape[1]):
        sums[0, t], squares[0, t] = totals[0, t], totals[1, t]
        for g in range(1, len(sums)):
            sums[0, t] -= sums[g, t]
            squares[0, t] -= squares[g, t]


@numba.njit(cache=CACHE)
def _quadratic_year_sums(sums, squares, counts, form, year_sums):
    """Sums (T,) of the outcome over all pairs, from sums and squares (G + 1, T) and counts (G + 1,)
    of the cities.
    """
    square, product = form.square, form.product
    for t in range(len(year_sums)):
        total = -square / 2 * (counts[0] - 1) * squares[0, t] + product / 2 * (
            sums[0, t] ** 2 - squares[0, t]
        )
        for g in range(1, len(sums)):
            total += (
                -square / 2 * (counts[g] * squares[0, t] + counts[0] * squares[g, t])
                + product * sums[0, t] * sums[g, t]
            )
        year_sums[t] = total


@numba.njit(cache=CACHE)
def _fill_slope_and_level(sums, squares, form, design, slope, level):
    """What a city of group g gets from the cities it meets: slope (G + 1, T, K) times its values,
    and level (G + 1, K).
    """
    weights, square, product = design.weights, form.square, form.product
    n_groups, n_years, n_terms = weights.shape
    slope[:] = 0.0
    level[:] = 0.0
    for g in range(n_groups):
        for t in range(n_years):
            for k in range(n_terms):
                # a never-treated city meets every group, a pilot only the never-treated
                slope[0, t, k] += product * weights[g, t, k] * sums[g, t]
                level[0, k] -= square / 2 * weights[g, t, k] * squares[g, t]
                if g > 0:
                    slope[g, t, k] = product * weights[g, t, k] * sums[0, t]
                    level[g, k] -= square / 2 * weights[g, t, k] * squares[0, t]


@numba.njit(nogil=True, cache=CACHE)
def run_quadratic(labels, values, totals, own, form, design, coefficient, statistic):
    """Fit a quadratic outcome under each row of labels.

    Parameters
    ----------
    labels : (B, N) int64 array
        Group of each city, 0 = never treated.
    values : (N, T) float64 array
    totals : (2, T) float64 array
        Sums and sums of squares of the values over all cities.
    own : (N, G + 1, K) float64 array
        sum_t w_gtk z_it^2 under the weights of pairs of a never-treated city with group g.
    form : QuadraticForm
    design : AllPairsDesign
    coefficient, statistic : (B, K) float64 arrays
        Filled.
    """
    counts, square, product = design.counts, form.square, form.product
    n_groups, n_years, n_terms = design.weights.shape
    sums, squares = np.empty((n_groups, n_years)), np.empty((n_groups, n_years))
    raw, year_sums = np.empty((labels.shape[1], n_terms)), np.empty(n_years)
    slope, level = np.empty((n_groups, n_years, n_terms)), np.empty((n_groups, n_terms))
    for draw in range(len(labels)):
        label = labels[draw]
        _group_sums(label, values, totals, sums, squares)
        _quadratic_year_sums(sums, squares, counts, form, year_sums)
        _fill_slope_and_level(sums, squares, form, design, slope, level)
        for i in range(len(label)):
            g = label[i]
            for k in range(n_terms):
                if g == 0:
                    total = level[0, k] + (square - product) * own[i, 0, k]
                    for h in range(n_groups):
                        total -= square / 2 * counts[h] * own[i, h, k]
                else:
                    total = level[g, k] - square / 2 * counts[0] * own[i, g, k]
                for t in range(n_years):
                    total += values[i, t] * slope[g, t, k]
                raw[i, k] = total
        _finish(label, raw, year_sums, design, coefficient[draw], statistic[draw])


@numba.njit(nogil=True, cache=CACHE)
def run_gaps(labels, values, order, design, coefficient, statistic):
    """Fit the outcome -abs(d_i - d_j) under each row of labels; arguments as in `run_quadratic`.

    `order` (T, N) int64 holds the cities of each year in ascending order of their value.
    """
    weights, counts = design.weights, design.counts
    _, n_years, n_terms = weights.shape
    raw, year_sums = np.empty((labels.shape[1], n_terms)), np.empty(n_years)
    below, summed, total = np.empty(n_terms), np.empty(n_terms), np.empty((2, n_terms))
    for draw in range(len(labels)):
        label = labels[draw]
        raw[:] = 0.0
        year_sums[:] = 0.0
        for t in range(n_years):
            total[:] = 0.0
            never_total = 0.0
            for i in range(len(label)):
                for k in range(n_terms):
                    total[0, k] += weights[label[i], t, k]
                    total[1, k] += weights[label[i], t, k] * values[i, t]
                if label[i] == 0:
                    never_total += values[i, t]
            below[:] = 0.0
            summed[:] = 0.0
            never_below, never_sum = 0.0, 0.0
            for rank in range(len(label)):
                i = order[t, rank]
                g, d = label[i], values[i, t]
                gap = d * (2 * never_below - counts[0]) - 2 * never_sum + never_total
                year_sums[t] -= gap / 2 if g == 0 else gap
                for k in range(n_terms):
                    if g == 0:
                        raw[i, k] -= d * (2 * below[k] - total[0, k]) - 2 * summed[k] + total[1, k]
                    else:
                        raw[i, k] -= weights[g, t, k] * gap
                    below[k] += weights[g, t, k]
                    summed[k] += weights[g, t, k] * d
                if g == 0:
                    never_below += 1.0
                    never_sum += d
        _finish(label, raw, year_sums, design, coefficient[draw], statistic[draw])
