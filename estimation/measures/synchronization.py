"""Synchronization of pairs from the series of cities (docs/methods, section 3)."""

from __future__ import annotations

import numpy as np

# below this a series is nothing but rounding: what never moves has no standard score
ROUNDING = 1e-18
CLIP = 1e-6


def standardise(d: np.ndarray) -> np.ndarray:
    """Return series less their mean over their standard deviation with divisor T; NaN for a series
    that never moves; shape (N, T).
    """
    deviation = d - d.mean(axis=1, keepdims=True)
    variance = (deviation**2).mean(axis=1, keepdims=True)
    return deviation / np.sqrt(np.where(variance > ROUNDING, variance, np.nan))


def pair_outcome(measure: str, d: np.ndarray, city_i: np.ndarray, city_j: np.ndarray) -> np.ndarray:
    """Return one measure of synchronization.

    Parameters
    ----------
    measure : str
        Of `MEASURES`.
    d : (N, T) float array
        Growth or a cyclical component in every year of the window.
    city_i, city_j : (P,) int arrays

    Returns
    -------
    (P, T) float array
    """
    return MEASURES[measure](d, city_i, city_j)


def _cm(d, i, j):
    z = standardise(d)
    return 1 - (z[i] - z[j]) ** 2 / 2


def _comove(d, i, j):
    z = standardise(d)
    return z[i] * z[j]


def _dispersion(d, i, j):
    z = standardise(d)
    return 1 - (z[i] ** 2 + z[j] ** 2) / 2


def _cm_bounded(d, i, j):
    """Cerqueira 2013, clipped just inside both ends of the range [3 - 2T, 1]."""
    n_years = d.shape[1]
    cm = np.clip(_cm(d, i, j), 3 - 2 * n_years + CLIP, 1 - CLIP)
    return 0.5 * np.log((1 + cm / (2 * n_years - 3)) / (1 - cm))


def _neg_abs_gap(d, i, j):
    return -np.abs(d[i] - d[j])


def _neg_abs_residual(d, i, j):
    """Return residuals on city and year effects; the year effects cancel in the difference (Morgan,
    Rime and Strahan 2004).
    """
    return _neg_abs_gap(d - d.mean(axis=1, keepdims=True), i, j)


def _mean(d, i, j):
    """Return the pair's own level of what each of its cities has."""
    return (d[i] + d[j]) / 2


# of series in standard deviations
STANDARDISED = ("cm", "comove", "dispersion", "cm_bounded")
MEASURES = {
    "cm": _cm,
    "comove": _comove,
    "dispersion": _dispersion,
    "cm_bounded": _cm_bounded,
    "neg_abs_gap": _neg_abs_gap,
    "neg_abs_residual": _neg_abs_residual,
    "mean": _mean,
}
