"""Compiled normal equations of a two-way design from sums by group: matrix, right-hand side, and
the weights of the influence.
"""

from __future__ import annotations

import numba
import numpy as np

from .jit_options import CACHE


@numba.njit(cache=CACHE)
def fill_normal_matrix(totals, design, layout, matrix):
    """Normal matrix (q, q) of a `Design` from the sums of its groups (G + 1, D)."""
    unit_normal, x = design.unit_normal, design.x
    n_basis, q = unit_normal.shape[1], len(matrix)
    matrix[:] = 0.0
    for g in range(len(totals)):
        if totals[g, 0] == 0.0:
            continue
        for k in range(n_basis):
            count = totals[g, k]
            if count != 0.0:
                for i in range(q):
                    for j in range(q):
                        matrix[i, j] += count * unit_normal[g, k, i, j]
        if layout.n_controls > 0:
            _add_control_blocks(totals[g], x[g], layout, matrix)


@numba.njit(cache=CACHE)
def _add_control_blocks(total, x, layout, matrix):
    """Add what one group adds to the controls' rows and columns of the normal matrix (q, q); total
    (D,), x (T, L).
    """
    n_basis, n_years, n_controls = len(layout.basis), layout.basis.shape[1], layout.n_controls
    first, start = n_years - 1, n_years - 1 + n_controls
    gram = n_basis + n_years * n_controls
    for k in range(n_controls):
        for m in range(n_controls):
            matrix[first + k, first + m] += total[gram + k * n_controls + m]
        for t in range(n_years):
            value = total[n_basis + t * n_controls + k]
            if t > 0:
                matrix[t - 1, first + k] += value
                matrix[first + k, t - 1] += value
            for c in range(matrix.shape[0] - start):
                matrix[first + k, start + c] += value * x[t, c]
                matrix[start + c, first + k] += value * x[t, c]


@numba.njit(cache=CACHE)
def fill_right_hand_side(totals, design, layout, offset, rhs):
    """Right-hand side (q,) of the outcome whose statistics begin at `offset`, from the sums of the
    groups (G + 1, D).
    """
    x, n_treatment, n_years, n_controls = (
        design.x,
        design.n_treatment,
        layout.basis.shape[1],
        layout.n_controls,
    )
    start = n_years - 1 + n_controls
    rhs[:] = 0.0
    for g in range(len(totals)):
        for t in range(n_years):
            value = totals[g, offset + t]
            if t > 0:
                rhs[t - 1] += value
            if g > 0:
                for c in range(n_treatment):
                    rhs[start + c] += x[g, t, c] * value
        for k in range(n_controls):
            rhs[n_years - 1 + k] += totals[g, offset + n_years + k]


@numba.njit(cache=CACHE)
def _fitted_and_rows(theta, inverse, x, start, fitted, z):
    """Fitted year and treatment part of a group (T,), and the rows of the inverse times (year
    dummies, treatment), z (T, L).

    theta (q,) and inverse (q, q) are the solution, x (T, L) the group's regressors, `start` the
    position of the first treatment effect.
    """
    n_treatment = z.shape[1]
    for t in range(len(fitted)):
        fitted[t] = theta[t - 1] if t > 0 else 0.0
        for c in range(n_treatment):
            fitted[t] += x[t, c] * theta[start + c]
            z[t, c] = inverse[start + c, t - 1] if t > 0 else 0.0
        for b in range(n_treatment):
            if x[t, b] != 0.0:
                for c in range(n_treatment):
                    z[t, c] += inverse[start + c, start + b] * x[t, b]


@numba.njit(cache=CACHE)
def _set_control_weights(theta, inverse, fitted, z, layout, weights):
    """Weights of a group (shared + T + n_controls, L) on the statistics of controls; fitted (T,)
    and z (T, L) of `_fitted_and_rows`.
    """
    n_basis, n_controls, shared = len(layout.basis), layout.n_controls, layout.shared
    n_years, n_treatment = z.shape
    first, start = n_years - 1, n_years - 1 + n_controls
    gram = n_basis + n_years * n_controls
    for k in range(n_controls):
        for c in range(n_treatment):
            row = inverse[start + c, first + k]
            weights[shared + n_years + k, c] = row
            for t in range(n_years):
                weights[n_basis + t * n_controls + k, c] = -(
                    z[t, c] * theta[first + k] + row * fitted[t]
                )
            for m in range(n_controls):
                weights[gram + k * n_controls + m, c] = -row * theta[first + m]


@numba.njit(cache=CACHE)
def fill_influence_weights(theta, inverse, design, layout, weights):
    """Weights that turn a pair's statistics into its influence on the treatment coefficients of one
    outcome, for every group.

    As `linear.normal_equations.influence_weights`: theta (q,), inverse (q, q), weights (G + 1,
    shared + T + n_controls, L).
    """
    basis, x = layout.basis, design.x
    n_years, n_treatment = basis.shape[1], weights.shape[2]
    z, fitted = np.empty((n_years, n_treatment)), np.empty(n_years)
    weights[:] = 0.0
    for g in range(len(x)):
        _fitted_and_rows(theta, inverse, x[g], n_years - 1 + layout.n_controls, fitted, z)
        for k in range(len(basis)):
            for s in range(n_years):
                projected = 0.0
                for t in range(n_years):
                    projected += basis[k, s, t] * fitted[t]
                for c in range(n_treatment):
                    weights[g, k, c] -= z[s, c] * projected
        for t in range(n_years):
            for c in range(n_treatment):
                weights[g, layout.shared + t, c] = z[t, c]
        _set_control_weights(theta, inverse, fitted, z, layout, weights[g])
