"""Corrections of p values over a family of tests."""

from __future__ import annotations

import numpy as np


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p values: the smallest rate at which the step-up procedure rejects each test
    (Benjamini and Hochberg 1995).

    Parameters
    ----------
    p_values : (K,) float array
        NaN where a test has none; it stays NaN and does not count.

    Returns
    -------
    (K,) float array
    """
    # scipy.stats takes half a second to import: only those pay who adjust
    from scipy.stats import false_discovery_control

    p_values = np.asarray(p_values, dtype=np.float64)
    adjusted, known = np.full(len(p_values), np.nan), np.isfinite(p_values)
    if known.any():
        adjusted[known] = false_discovery_control(p_values[known], method="bh")
    return adjusted


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p values: the smallest level at which the step-down procedure rejects each test
    (Holm 1979). The family-wise error holds under any dependence between the tests.

    Parameters
    ----------
    p_values : (K,) float array
        NaN where a test has none; it stays NaN and does not count.

    Returns
    -------
    (K,) float array
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(p_values), np.nan)
    places = np.flatnonzero(np.isfinite(p_values))
    places = places[np.argsort(p_values[places], kind="stable")]
    n_left = np.arange(len(places), 0, -1)
    adjusted[places] = np.minimum(np.maximum.accumulate(n_left * p_values[places]), 1.0)
    return adjusted
