"""Effects of admission imposed on z, or taken out of it: own shocks grow or shrink, loadings rise or fall."""

from __future__ import annotations

import numpy as np

from .scores import cycle, own_shock, slope, standardise


def scale_own(z: np.ndarray, m: np.ndarray, factor: float, treated: np.ndarray, fitted_on: np.ndarray | None = None) -> np.ndarray:
    """z, taken again, of cities whose own shock is multiplied by `factor` in treated years.

    Parameters
    ----------
    z, m : (n, T) float arrays
        z is an affine function of growth city by city, so rebuilding growth and rebuilding z are the same.
    factor : float
        sqrt(1 - k) for the effect S-k.
    treated : (T,) float array
        1 in treated years.
    fitted_on : (T,) bool array, optional
        Years from which the city's loading comes; the untreated ones by default.

    Returns
    -------
    (n, T) float array
    """
    fitted_on = treated == 0 if fitted_on is None else fitted_on
    return standardise(z + (factor - 1) * own_shock(z, m, fitted_on) * treated[None, :])


def add_loading(z: np.ndarray, m: np.ndarray, share: float, treated: np.ndarray, years: np.ndarray) -> np.ndarray:
    """z, taken again, of cities whose loading on the cycle of m is multiplied by 1 + share in treated years.

    The loading is the slope of the city's z less its trend on the cycle over untreated years (over all years where none is untreated).
    """
    wave, before = cycle(m, years), treated == 0
    before = before if before.any() else np.ones(len(years), dtype=bool)
    loading = slope(cycle(z, years), wave, before)
    return standardise(z + share * loading[:, None] * wave * treated[None, :])
