"""The measure of cities whose growth is not known in every year (docs/methods, section 18.16)."""

from __future__ import annotations

import numpy as np

from .measure import net_of_blocks, net_of_effects

# of the largest value: how far a filled value may still move
CONVERGED = 1e-11
ROUNDS = 10_000
# of counts that are equal but for rounding
TOLERANCE = 1e-9


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


def known_weights(response: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return the weights of the known cells in the estimate, (N, T), from what an effect of 1 adds
    to the filled measure: least squares with dummies on the known cells; 0 in the others.
    """
    net = net_of_effects(response, block)
    net = np.where(np.abs(net) > TOLERANCE * np.abs(response).max(), net, 0.0)
    return net / (net * response).sum()


def missing_by_treatment(
    known: np.ndarray, treated: np.ndarray, label: np.ndarray, block: np.ndarray, draws: np.ndarray
) -> tuple[float, tuple[float, float, float]]:
    """Return the permutation p of missing cells being alike with and without treatment, and the
    shares of missing cells: of treated cities in treated years, in earlier ones, and of others.

    Draws hold the missing cells of each city and move treatment, so their p holds only where the
    two have nothing to do with each other. The statistic is the missing cells of treated cities,
    less the means of block and year, squared over the number of such cells, in treated years plus
    in earlier ones.

    Parameters
    ----------
    known : (N, T) bool array
    treated : (C + 1, T) float array
        1 in the years that a label is treated; row 0 is 0.
    label, block : (N,) int arrays
    draws : (J, N) int array
        Which city's label each city gets; the first row is the real one.
    """
    missing = 1.0 - known
    is_after = treated[label] > 0
    is_before = (label > 0)[:, None] & ~is_after
    shares = [float(missing[cells].mean()) for cells in (is_after, is_before)]
    shares.append(float(missing[label == 0].mean()))
    net = net_of_blocks(missing, block)
    after = net @ treated.T
    before = np.where(np.arange(len(treated)) > 0, net.sum(axis=1, keepdims=True) - after, 0.0)
    moved = label[draws]
    statistic = np.zeros(len(draws))
    for of_label, cells in ((after, is_after), (before, is_before)):
        sums = of_label[np.arange(len(label)), moved].sum(axis=1)
        statistic += sums**2 / cells.sum()
    p_value = float((statistic >= statistic[0] * (1 - TOLERANCE)).mean())
    return p_value, (shares[0], shares[1], shares[2])
