"""Compiled draws of the estimators of group-time effects, on a balanced panel without controls.

There every one of them is linear in the means of cohorts by year, so a draw needs only the sums of
`tie_rule` by city and group. `offset` is the position of an outcome's first year among the D
statistics; `totals` (G + 1, D) are sums by group, position 0 the number of pairs.
"""

from __future__ import annotations

import numba
import numpy as np

from .group_sums import delete_province, empty_sums, fill_score_variance
from .jit_options import CACHE
from .linear_algebra import factor, joint_f, solve_factored
from .records import DrawResults
from .tie_rule import sum_above_threshold


@numba.njit(cache=CACHE)
def _cell_effects(totals, model, offset, effects, controls):
    """Differences of cohort means against untreated pairs, effects (K,), of `CellTerms`. False
    without never-treated pairs.

    controls (K, 2) becomes the number and the mean change of the pairs that a cell is compared
    with.
    """
    group, year, base = model.group, model.year, model.base
    if totals[0, 0] < 0.5:
        return False
    for k in range(len(group)):
        g, t, b = group[k], offset + year[k], offset + base[k]
        n_controls, change = 0.0, 0.0
        for h in range(len(totals)):
            if model.against[k, h]:
                n_controls += totals[h, 0]
                change += totals[h, t] - totals[h, b]
        controls[k, 0], controls[k, 1] = n_controls, change / n_controls
        n = totals[g, 0]
        effects[k] = np.nan if n < 0.5 else (totals[g, t] - totals[g, b]) / n - controls[k, 1]
    return True


@numba.njit(cache=CACHE)
def _average_cells(values, share, places, out):
    """Means of the cells' values (K,) with the shares (K, 3) of each in its terms at places (K, 3);
    out (C,).
    """
    out[:] = 0.0
    for k in range(len(places)):
        if np.isnan(values[k]):
            continue
        for c in range(3):
            if places[k, c] >= 0:
                out[places[k, c]] += share[k, c] * values[k]


@numba.njit(cache=CACHE)
def _shares(totals, model, size, share):
    """Weight of each cell in its terms, share (K, 3), by the pairs of its cohort; size (C,) counts
    the pairs of a term's cells.
    """
    group, places = model.group, model.places
    size[:] = 0.0
    for k in range(len(places)):
        for c in range(3):
            if places[k, c] >= 0:
                size[places[k, c]] += totals[group[k], 0]
    for k in range(len(places)):
        for c in range(3):
            place = places[k, c]
            share[k, c] = (
                totals[group[k], 0] / size[place] if place >= 0 and size[place] > 0.5 else 0.0
            )


@numba.njit(cache=CACHE)
def _city_scores(label, sums, i, model, offset, controls, scores):
    """Sum of the influence on each cell of `CellTerms` over the pairs of city i, scores (K,); label
    (N,), `GroupSums`.

    controls (K, 2) as `_cell_effects` leaves it.
    """
    by_city, totals, group, year, base = (
        sums.by_city,
        sums.totals,
        model.group,
        model.year,
        model.base,
    )
    for k in range(len(group)):
        g, t, b = group[k], offset + year[k], offset + base[k]
        n, value = totals[g, 0], 0.0
        if n > 0.5 and (label[i] == 0 or label[i] == g):
            mean = (totals[g, t] - totals[g, b]) / n
            value += (by_city[i, g, t] - by_city[i, g, b] - by_city[i, g, 0] * mean) / n
        of_controls = 0.0
        for h in range(len(totals)):
            if model.against[k, h] and (label[i] == 0 or label[i] == h):
                of_controls += (
                    by_city[i, h, t] - by_city[i, h, b] - by_city[i, h, 0] * controls[k, 1]
                )
        value -= of_controls / controls[k, 0]
        scores[k] = value if n > 0.5 else np.nan


@numba.njit(cache=CACHE)
def _joint_of_leads(sums, model, offset, estimate, joint):
    """Joint F (1,) of the leads of `CellTerms` with estimates (n_leads,), refitting without each
    province; NaN where a refit loses one.
    """
    leads, n_cells = model.leads, len(model.group)
    deleted, effects, share = np.empty_like(sums.totals), np.empty(n_cells), np.zeros((n_cells, 3))
    controls = np.empty((n_cells, 2))
    size, terms = np.zeros(model.n_terms), np.zeros(model.n_terms)
    deviations = np.zeros((len(sums.by_province), len(leads)))
    used = 0
    for r in range(len(sums.by_province)):
        if not delete_province(sums, r, deleted):
            continue
        if not _cell_effects(deleted, model, offset, effects, controls):
            return
        _shares(deleted, model, size, share)
        _average_cells(effects, share, model.places, terms)
        for a in range(len(leads)):
            if size[leads[a]] < 0.5:
                return
            deviations[used, a] = terms[leads[a]] - estimate[a]
        used += 1
    joint[0] = joint_f(deviations, used, estimate)


@numba.njit(cache=CACHE)
def _fit_differences(label, sums, model, offset, results):
    """Callaway-Sant'Anna or Sun-Abraham (`CellTerms`) under one assignment (N,): coefficient (C,),
    statistic (C,) and joint (1,).
    """
    n_cells, n_terms = len(model.group), model.n_terms
    effects, scores, share = np.empty(n_cells), np.empty(n_cells), np.zeros((n_cells, 3))
    controls = np.empty((n_cells, 2))
    size, terms, variance = np.zeros(n_terms), np.zeros(n_terms), np.zeros(n_terms)
    if not _cell_effects(sums.totals, model, offset, effects, controls):
        return
    _shares(sums.totals, model, size, share)
    for i in range(len(label)):
        _city_scores(label, sums, i, model, offset, controls, scores)
        _average_cells(scores, share, model.places, terms)
        for c in range(n_terms):
            variance[c] += terms[c] * terms[c]
    _average_cells(effects, share, model.places, terms)
    for c in range(n_terms):
        if size[c] > 0.5 and variance[c] > 0.0:
            results.coefficient[c] = terms[c]
            results.statistic[c] = abs(terms[c]) / np.sqrt(variance[c])
    if len(model.leads) > 0:
        _joint_of_leads(sums, model, offset, terms[model.leads], results.joint)


@numba.njit(cache=CACHE)
def _first_stage(totals, start, offset, matrix, effects_of_year):
    """Year effects (T,) from untreated rows, the first year the base. False if one is not
    identified.

    start (G + 1,) as in `ImputationTerms`; matrix (T - 1, T - 1) becomes the Cholesky factor of
    their normal matrix.
    """
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
    if not factor(matrix, empty) or empty.any():
        return False
    solve_factored(matrix, rhs)
    effects_of_year[0] = 0.0
    for t in range(1, n_years):
        effects_of_year[t] = rhs[t - 1]
    return True


@numba.njit(cache=CACHE)
def _imputed_effects(totals, start, offset, effects_of_year, effects):
    """Mean outcome of a cohort in a treated year less what its untreated years and the year effects
    (T,) predict, effects (G + 1, T).
    """
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
def _imputed_terms(totals, start, event, effects, coefficient, size):
    """Means (C,) of effects (G + 1, T) over treated rows, all at position 0, an event time at
    `event` (G + 1, T); size (C,) counts rows.
    """
    n_years = effects.shape[1]
    coefficient[:] = 0.0
    size[:] = 0.0
    for g in range(1, len(totals)):
        if totals[g, 0] > 0.5 and start[g] > 0:
            for t in range(start[g], n_years):
                for c in (0, event[g, t]):
                    coefficient[c] += totals[g, 0] * effects[g, t]
                    size[c] += totals[g, 0]
    for c in range(len(size)):
        coefficient[c] = coefficient[c] / size[c] if size[c] > 0.5 else np.nan


@numba.njit(cache=CACHE)
def _through_first_stage(totals, start, event, size, lower, through):
    """Inverse of the first stage's normal matrix times the derivative of each term's prediction by
    the year effects, through (C, T).

    size (C,) counts the rows of a term, lower (T - 1, T - 1) is the factor of `_first_stage`.
    """
    n_years = through.shape[1]
    through[:] = 0.0
    for g in range(1, len(totals)):
        s = start[g]
        if totals[g, 0] < 0.5 or s == 0:
            continue
        for t in range(s, n_years):
            for c in (0, event[g, t]):
                through[c, t] += totals[g, 0] / size[c]
                for u in range(s):
                    through[c, u] -= totals[g, 0] / size[c] / s
    for c in range(len(through)):
        rhs = through[c, 1:].copy()
        solve_factored(lower, rhs)
        through[c, 0] = 0.0
        through[c, 1:] = rhs


@numba.njit(cache=CACHE)
def _imputation_weights(
    totals, start, event, effects_of_year, effects, terms, size, through, about_term, weights
):
    """Weights (G + 1, 1 + T, C) that turn [1, y] of a pair into its influence on the terms (C,).

    Residuals are taken about the mean of the term if `about_term` (Gardner), else about the effect
    of the cell, effects (G + 1, T).
    """
    weights[:] = 0.0
    for g in range(len(totals)):
        s = start[g]
        if totals[g, 0] < 0.5 or s == 0:
            continue
        year_mean = effects_of_year[:s].mean()
        for t in range(s, len(effects_of_year)):
            for c in (0, event[g, t]):
                weights[g, 1 + t, c] += 1.0 / size[c]
                centre = terms[c] if about_term else effects[g, t]
                weights[g, 0, c] -= (effects_of_year[t] - year_mean + centre) / size[c]
                for u in range(s):
                    weights[g, 1 + u, c] -= 1.0 / size[c] / s
        for c in range(len(size)):
            mean = through[c, :s].mean()
            for u in range(s):
                weights[g, 1 + u, c] -= through[c, u] - mean
                weights[g, 0, c] += (through[c, u] - mean) * effects_of_year[u]


@numba.njit(cache=CACHE)
def _fit_imputation(label, sums, model, offset, coefficient, by_cell, by_term):
    """Imputation (`ImputationTerms`) under one assignment (N,): coefficient (C,), statistic by cell
    means (C,) and by term means (C,).
    """
    start, event, n_terms, totals = model.start, model.event, model.n_terms, sums.totals
    n_years = event.shape[1]
    matrix, year, effects = (
        np.zeros((n_years - 1, n_years - 1)),
        np.zeros(n_years),
        np.zeros(event.shape),
    )
    terms, size, variance = np.zeros(n_terms), np.zeros(n_terms), np.zeros(n_terms)
    through, weights = np.zeros((n_terms, n_years)), np.zeros((len(totals), 1 + n_years, n_terms))
    if totals[0, 0] < 0.5 or not _first_stage(totals, start, offset, matrix, year):
        return
    _imputed_effects(totals, start, offset, year, effects)
    _imputed_terms(totals, start, event, effects, terms, size)
    _through_first_stage(totals, start, event, size, matrix, through)
    for about_term in (False, True):
        _imputation_weights(
            totals, start, event, year, effects, terms, size, through, about_term, weights
        )
        fill_score_variance(label, sums.by_city, weights, 1, offset, variance)
        statistic = by_term if about_term else by_cell
        for c in range(n_terms):
            if size[c] > 0.5 and variance[c] > 0.0:
                coefficient[c] = terms[c]
                statistic[c] = abs(terms[c]) / np.sqrt(variance[c])


@numba.njit(nogil=True, cache=CACHE)
def run_group_time_draws(labels, pairs, rule, base, n_groups, models, offsets, results):
    """Fit estimators of group-time effects under each row of labels.

    Parameters
    ----------
    labels : (B, N) int64 array
        Group of each city, 0 = never treated.
    pairs, rule, base : Pairs, TieRule, BaseSums
    n_groups : int
        G + 1.
    models : GroupTimeModels
    offsets : (M,) int64 array
        Position of each outcome's first year among the statistics.
    results : DrawResults
        Filled; coefficient and statistic (B, 4, M, C), joint (B, 4, M, 1). The four are
        Callaway-Sant'Anna, Sun-Abraham, and imputation with a statistic by cell means and by term
        means.
    """
    sums = empty_sums(labels.shape[1], len(base.inside), n_groups, pairs.values.shape[1])
    for draw in range(len(labels)):
        label = labels[draw]
        sum_above_threshold(label, pairs, rule, base, sums)
        b, s, f = results.coefficient[draw], results.statistic[draw], results.joint[draw]
        for m in range(len(offsets)):
            if models.wanted[0]:
                _fit_differences(
                    label, sums, models.varying, offsets[m], DrawResults(b[0, m], s[0, m], f[0, m])
                )
            if models.wanted[1]:
                _fit_differences(
                    label, sums, models.fixed, offsets[m], DrawResults(b[1, m], s[1, m], f[1, m])
                )
            if models.wanted[2]:
                _fit_imputation(label, sums, models.imputed, offsets[m], b[2, m], s[2, m], s[3, m])
                b[3, m] = b[2, m]
