"""Compiled loops over reassignments for the estimators of group-time effects, on a balanced panel without controls.

There every one of them is linear in the means of cohorts by year; the sums by city are those of `draws_kernel`.
"""

from __future__ import annotations

import numba
import numpy as np

from .normal_equations import CACHE, _city_score_variance, _delete_province, _factor, _joint_f, _solve_factored
from .tie_rule import _accumulate


@numba.njit(cache=CACHE)
def _cell_effects(totals, cells, offset, effects):
    """Differences of cohort means against never-treated pairs; cells (K, 3): group, year, base. False without never-treated pairs."""
    n_never = totals[0, 0]
    if n_never < 0.5:
        return False
    for k in range(len(cells)):
        g, t, b = cells[k, 0], offset + cells[k, 1], offset + cells[k, 2]
        n = totals[g, 0]
        effects[k] = np.nan if n < 0.5 else (totals[g, t] - totals[g, b]) / n - (totals[0, t] - totals[0, b]) / n_never
    return True


@numba.njit(cache=CACHE)
def _add_terms(values, share, places, out):
    """Add cells into their terms; places (K, 3): positions of the overall, the event and the single coefficient, -1 for none."""
    out[:] = 0.0
    for k in range(len(places)):
        if np.isnan(values[k]):
            continue
        for c in range(3):
            if places[k, c] >= 0:
                out[places[k, c]] += (share[k, c]) * values[k]


@numba.njit(cache=CACHE)
def _shares(totals, cells, places, mass, share):
    """Weight of each cell in its terms, by the pairs of its cohort; mass (C,)."""
    mass[:] = 0.0
    for k in range(len(cells)):
        for c in range(3):
            if places[k, c] >= 0:
                mass[places[k, c]] += totals[cells[k, 0], 0]
    for k in range(len(cells)):
        for c in range(3):
            place = places[k, c]
            share[k, c] = totals[cells[k, 0], 0] / mass[place] if place >= 0 and mass[place] > 0.5 else 0.0


@numba.njit(cache=CACHE)
def _city_cells(label, sums, totals, i, cells, offset, scores):
    """Sum of the influence on each cell over the pairs of city i."""
    for k in range(len(cells)):
        g, t, b = cells[k, 0], offset + cells[k, 1], offset + cells[k, 2]
        n, n_never, value = totals[g, 0], totals[0, 0], 0.0
        if n > 0.5 and (label[i] == 0 or label[i] == g):
            mean = (totals[g, t] - totals[g, b]) / n
            value += (sums[i, g, t] - sums[i, g, b] - sums[i, g, 0] * mean) / n
        if label[i] == 0:
            mean = (totals[0, t] - totals[0, b]) / n_never
            value -= (sums[i, 0, t] - sums[i, 0, b] - sums[i, 0, 0] * mean) / n_never
        scores[k] = value if n > 0.5 else np.nan


@numba.njit(cache=CACHE)
def _differences_draw(label, sums, totals, by_province, inside, family, offset, results):
    """Callaway-Sant'Anna or Sun-Abraham under one assignment; results = (coefficient (C,), statistic (C,), joint (1,))."""
    cells, places, leads, n_terms = family
    coefficient, statistic, joint = results
    effects, scores, share = np.empty(len(cells)), np.empty(len(cells)), np.zeros((len(cells), 3))
    mass, terms, variance = np.zeros(n_terms), np.zeros(n_terms), np.zeros(n_terms)
    if not _cell_effects(totals, cells, offset, effects):
        return
    _shares(totals, cells, places, mass, share)
    for i in range(len(label)):
        _city_cells(label, sums, totals, i, cells, offset, scores)
        _add_terms(scores, share, places, terms)
        for c in range(n_terms):
            variance[c] += terms[c] * terms[c]
    _add_terms(effects, share, places, terms)
    for c in range(n_terms):
        if mass[c] > 0.5 and variance[c] > 0.0:
            coefficient[c] = terms[c]
            statistic[c] = abs(terms[c]) / np.sqrt(variance[c])
    if len(leads) > 0:
        _lead_statistic(totals, by_province, inside, family, offset, terms[leads], joint)


@numba.njit(cache=CACHE)
def _lead_statistic(totals, by_province, inside, family, offset, estimate, joint):
    """Joint F of the leads with the jackknife covariance of the draw; stays NaN where a refit loses a lead."""
    cells, places, leads, n_terms = family
    deleted, effects, share = np.empty_like(totals), np.empty(len(cells)), np.zeros((len(cells), 3))
    mass, terms = np.zeros(n_terms), np.zeros(n_terms)
    deviations = np.zeros((len(by_province), len(leads)))
    used = 0
    for r in range(len(by_province)):
        if not _delete_province(totals, by_province, inside, r, deleted):
            continue
        if not _cell_effects(deleted, cells, offset, effects):
            return
        _shares(deleted, cells, places, mass, share)
        _add_terms(effects, share, places, terms)
        for a in range(len(leads)):
            if mass[leads[a]] < 0.5:
                return
            deviations[used, a] = terms[leads[a]] - estimate[a]
        used += 1
    joint[0] = _joint_f(deviations, used, estimate)


@numba.njit(cache=CACHE)
def _first_stage(totals, start, offset, matrix, effects_of_year):
    """Year effects from untreated rows, the first year the base, and the factor of their normal matrix. False if one is lost."""
    n_years = len(effects_of_year)
    matrix[:] = 0.0
    rhs, empty = np.zeros(n_years - 1), np.zeros(n_years - 1, dtype=np.bool_)
    for g in range(len(totals)):
        n, s = totals[g, 0], start[g]
        if n < 0.5 or s == 0:
            continue
        mean = 0.0
        for t in range(s):
            mean += totals[g, offset + t] / s
        for a in range(1, s):
            rhs[a - 1] += totals[g, offset + a] - mean
            matrix[a - 1, a - 1] += n
            for b in range(1, s):
                matrix[a - 1, b - 1] -= n / s
    if not _factor(matrix, empty) or empty.any():
        return False
    _solve_factored(matrix, rhs)
    effects_of_year[0] = 0.0
    for t in range(1, n_years):
        effects_of_year[t] = rhs[t - 1]
    return True


@numba.njit(cache=CACHE)
def _imputed_effects(totals, start, offset, effects_of_year, effects):
    """Mean outcome of a cohort in a treated year less what its untreated years and the year effects predict; (G + 1, T)."""
    for g in range(1, len(totals)):
        n, s = totals[g, 0], start[g]
        if n < 0.5 or s == 0:
            continue
        base = 0.0
        for t in range(s):
            base += (totals[g, offset + t] / n - effects_of_year[t]) / s
        for t in range(s, len(effects_of_year)):
            effects[g, t] = totals[g, offset + t] / n - effects_of_year[t] - base


@numba.njit(cache=CACHE)
def _imputed_terms(totals, start, event, effects, coefficient, mass):
    """Means over treated rows: all of them at position 0, an event time at `event` (G + 1, T)."""
    n_years = effects.shape[1]
    coefficient[:] = 0.0
    mass[:] = 0.0
    for g in range(1, len(totals)):
        if totals[g, 0] > 0.5 and start[g] > 0:
            for t in range(start[g], n_years):
                for c in (0, event[g, t]):
                    coefficient[c] += totals[g, 0] * effects[g, t]
                    mass[c] += totals[g, 0]
    for c in range(len(mass)):
        coefficient[c] = coefficient[c] / mass[c] if mass[c] > 0.5 else np.nan


@numba.njit(cache=CACHE)
def _through_first_stage(totals, start, event, mass, factor, through):
    """Inverse of the first stage's normal matrix times the derivative of each term's prediction by the year effects; (C, T)."""
    n_years = through.shape[1]
    through[:] = 0.0
    for g in range(1, len(totals)):
        s = start[g]
        if totals[g, 0] < 0.5 or s == 0:
            continue
        for t in range(s, n_years):
            for c in (0, event[g, t]):
                through[c, t] += totals[g, 0] / mass[c]
                for u in range(s):
                    through[c, u] -= totals[g, 0] / mass[c] / s
    for c in range(len(through)):
        rhs = through[c, 1:].copy()
        _solve_factored(factor, rhs)
        through[c, 0] = 0.0
        through[c, 1:] = rhs


@numba.njit(cache=CACHE)
def _imputation_weights(totals, start, event, effects_of_year, effects, terms, mass, through, about_term, weights):
    """Weights (G + 1, 1 + T, C) that turn [1, y] of a pair into its influence on the terms."""
    weights[:] = 0.0
    for g in range(len(totals)):
        s = start[g]
        if totals[g, 0] < 0.5 or s == 0:
            continue
        year_mean = effects_of_year[:s].mean()
        for t in range(s, len(effects_of_year)):
            for c in (0, event[g, t]):
                weights[g, 1 + t, c] += 1.0 / mass[c]
                centre = terms[c] if about_term else effects[g, t]
                weights[g, 0, c] -= (effects_of_year[t] - year_mean + centre) / mass[c]
                for u in range(s):
                    weights[g, 1 + u, c] -= 1.0 / mass[c] / s
        for c in range(len(mass)):
            mean = through[c, :s].mean()
            for u in range(s):
                weights[g, 1 + u, c] -= through[c, u] - mean
                weights[g, 0, c] += (through[c, u] - mean) * effects_of_year[u]


@numba.njit(cache=CACHE)
def _imputation_draw(label, sums, totals, family, offset, results):
    """Imputation under one assignment; results = (coefficient (C,), statistic by cell means (C,), statistic by term means (C,))."""
    start, event, n_terms = family
    coefficient, by_cell, by_term = results
    n_years = event.shape[1]
    matrix, year, effects = np.zeros((n_years - 1, n_years - 1)), np.zeros(n_years), np.zeros(event.shape)
    terms, mass, variance = np.zeros(n_terms), np.zeros(n_terms), np.zeros(n_terms)
    through, weights = np.zeros((n_terms, n_years)), np.zeros((len(totals), 1 + n_years, n_terms))
    if totals[0, 0] < 0.5 or not _first_stage(totals, start, offset, matrix, year):
        return
    _imputed_effects(totals, start, offset, year, effects)
    _imputed_terms(totals, start, event, effects, terms, mass)
    _through_first_stage(totals, start, event, mass, matrix, through)
    for about_term in (False, True):
        _imputation_weights(totals, start, event, year, effects, terms, mass, through, about_term, weights)
        _city_score_variance(label, sums, weights, 1, n_years, offset, variance)
        statistic = by_term if about_term else by_cell
        for c in range(n_terms):
            if mass[c] > 0.5 and variance[c] > 0.0:
                coefficient[c] = terms[c]
                statistic[c] = abs(terms[c]) / np.sqrt(variance[c])


@numba.njit(nogil=True, cache=CACHE)
def run_group_time_draws(labels, data, rule, base, n_groups, varying, fixed, imputed, wanted, offsets, coefficient, statistic, joint):
    """Fill coefficient and statistic (B, 4, M, Cmax) and joint (B, 4, M, 1) for each row of labels (B, N).

    The four are Callaway-Sant'Anna (`varying`), Sun-Abraham (`fixed`), imputation by cell means and by term means (`imputed`); `wanted`
    (3,) says which of the families are asked for. `data`, `rule` and `base` as in `draws_kernel.run_draws`.
    """
    sums = np.empty((labels.shape[1], n_groups, base[0].shape[1]))
    inside = np.empty((len(base[1]), n_groups, base[0].shape[1]))
    by_province, totals = np.empty_like(inside), np.empty((n_groups, base[0].shape[1]))
    for draw in range(len(labels)):
        _accumulate(labels[draw], rule, base, data, sums, inside, totals, by_province)
        for m in range(len(offsets)):
            b, s, f = coefficient[draw], statistic[draw], joint[draw]
            if wanted[0]:
                _differences_draw(labels[draw], sums, totals, by_province, inside, varying, offsets[m], (b[0, m], s[0, m], f[0, m]))
            if wanted[1]:
                _differences_draw(labels[draw], sums, totals, by_province, inside, fixed, offsets[m], (b[1, m], s[1, m], f[1, m]))
            if wanted[2]:
                _imputation_draw(labels[draw], sums, totals, imputed, offsets[m], (b[2, m], s[2, m], s[3, m]))
                b[3, m] = b[2, m]
