"""The measure of cities whose growth is not known in every year (docs/methods, section 18.16)."""

from __future__ import annotations

import numpy as np

from .measure import net_of_effects

# of the largest value: how far a filled value may still move
CONVERGED = 1e-11
ROUNDS = 10_000


def known_cycle(values: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Return values (N, T) less the mean and linear trend of their known years; NaN stays."""
    time = np.where(np.isfinite(values), years.astype(float), np.nan)
    time = time - np.nanmean(time, axis=1, keepdims=True)
    centred = values - np.nanmean(values, axis=1, keepdims=True)
    slope = np.nansum(centred * time, axis=1) / np.nansum(time**2, axis=1)
    return centred - slope[:, None] * time


def known_standardised(values: np.ndarray) -> np.ndarray:
    """Return values (N, T) standardised over their known years; NaN stays."""
    centred = values - np.nanmean(values, axis=1, keepdims=True)
    return centred / np.nanstd(values, axis=1, keepdims=True)


def known_reference(
    z: np.ndarray, never: np.ndarray, block: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return m and v of `measure.reference`, each year over the never-treated cities that are
    there.
    """
    known = np.isfinite(z)
    outside = never[None, :] & (np.arange(int(block.max()) + 1)[:, None] != block[None, :])
    there = np.maximum(outside.astype(float) @ known, 1.0)
    mean, square = (outside @ np.where(known, x, 0.0) / there for x in (z, z**2))
    return mean[block], np.maximum(square - mean**2, 0.0)[block]


def filled(y: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Put what city and block-by-year effects, fitted to the known cells, say into the others.

    These then leave nothing there, so that a weighted sum of the complete table is one of the
    residuals of the known cells. No treatment is fitted: which cities are treated does not matter,
    and the permutation stays exact.

    Parameters
    ----------
    y : (N, T) float array
        NaN where a city has no value.
    block : (N,) int array

    Returns
    -------
    (N, T) float array
    """
    known = np.isfinite(y)
    found = np.where(known, y, np.nanmean(y, axis=1, keepdims=True))
    for _ in range(ROUNDS):
        step = np.where(known, 0.0, net_of_effects(found, block))
        found = found - step
        if np.abs(step).max() <= CONVERGED * np.abs(found).max():
            break
    return found
