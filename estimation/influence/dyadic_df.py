"""Degrees of freedom of a dyadic variance, from the design alone."""

from __future__ import annotations

import numpy as np

from .influence_fit import sum_by_city


def dyadic_df(weight: np.ndarray, i: np.ndarray, j: np.ndarray, n_units: int) -> np.ndarray:
    """Return degrees of freedom of a dyadic variance by design: Satterthwaite's for independent
    pairs, less one; in 1..n_units - 1.

    Parameters
    ----------
    weight : (P, C) float array
        Variance that each pair contributes to a coefficient, up to a factor.
    i, j : (P,) int arrays
        Units of each pair; alike for a unit with itself.
    n_units : int

    Returns
    -------
    (C,) float array
        The square of the sum of the weights over the sum of products of weights of two pairs that
        share a unit (a pair shares with itself), less 1.
    """
    apart = i != j
    by_unit = (
        sum_by_city(weight, i, j, n_units)
        - sum_by_city(weight[~apart], i[~apart], i[~apart], n_units) / 2
    )
    shared = (by_unit**2).sum(axis=0) - (weight[apart] ** 2).sum(axis=0)
    return np.clip(weight.sum(axis=0) ** 2 / shared - 1, 1, n_units - 1)
