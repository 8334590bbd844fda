"""Cyclical components of annual series:

Hodrick-Prescott, Hamilton and Christiano-Fitzgerald filters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from ..defaults import FIRST_ADMISSION_YEAR

MINIMUM_RUN_YEARS = 8
MINIMUM_PRE_TARGETS = 10
# Years ahead of Hamilton's regression, p = 1 for annual data; its errors overlap by one less.
HORIZON = 2
# Periods of the band of Christiano and Fitzgerald, in years.
SHORTEST, LONGEST = 2.0, 8.0

Array = NDArray[np.float64]


def cycle_hodrick_prescott(y: Array, smoothing: float = 6.25) -> Array:
    """Deviation from the Hodrick-Prescott trend.

    Parameters
    ----------
    y : array, shape (T,)
        Log level, T >= 3.
    smoothing : float
        Lambda; 6.25 for annual data (Ravn and Uhlig 2002, Review of Economics and Statistics), 100
        as the older convention.

    Returns
    -------
    array, shape (T,), in the unit of ``y``
    """
    second = np.diff(np.eye(y.size), 2, axis=0)
    matrix = np.eye(y.size) + smoothing * second.T @ second
    # in upper banded form: a banded solver gives the same bytes on any number of threads
    bands = np.zeros((3, y.size))
    for k in range(3):
        bands[2 - k, k:] = np.diag(matrix, k)
    return y - solveh_banded(bands, y)


def cycle_hamilton(y: Array, in_fit: NDArray[np.bool_] | None = None) -> Array:
    """Forecast error of a regression of y[s] on 1 and y[s - 2], dated s (Hamilton 2018).

    Parameters
    ----------
    y : array, shape (T,)
        Log level, T >= 5.
    in_fit : boolean array, shape (T,), optional
        Targets that may enter the coefficients; all of them by default. Errors are returned for
        every target.

    Returns
    -------
    array, shape (T,); the first two values are NaN, all of them where the regressor does not vary
    """
    target, lagged = y[HORIZON:], y[:-HORIZON]
    used = slice(None) if in_fit is None else in_fit[HORIZON:]
    errors = np.full(y.size, np.nan)
    centre_target, centre_lagged = target[used].mean(), lagged[used].mean()
    spread = np.sum((lagged[used] - centre_lagged) ** 2)
    if spread == 0.0:
        return errors
    slope = np.sum((lagged[used] - centre_lagged) * (target[used] - centre_target)) / spread
    errors[HORIZON:] = (target - centre_target) - slope * (lagged - centre_lagged)
    return errors


def cycle_christiano_fitzgerald(y: Array) -> Array:
    """Band of periods from 2 to 8 years by the random-walk filter (Christiano and Fitzgerald 2003).

    Parameters
    ----------
    y : array, shape (T,)
        Log level; the line from the first to the last value is taken out first, as the paper does
        for a random walk with drift.

    Returns
    -------
    array, shape (T,), in the unit of ``y``
    """
    without_drift = y - np.arange(y.size) * ((y[-1] - y[0]) / (y.size - 1))
    return np.array([np.sum(row * without_drift) for row in _random_walk_weights(y.size)])


def _random_walk_weights(n: int) -> Array:
    """Return weights of the asymmetric filter, shape (n, n): row t makes the component of year t;
    each row sums to zero.
    """
    low, high = 2 * np.pi / LONGEST, 2 * np.pi / SHORTEST
    lags = np.arange(1, n)
    ideal = np.concatenate(
        [[(high - low) / np.pi], (np.sin(lags * high) - np.sin(lags * low)) / (np.pi * lags)]
    )
    weights = ideal[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))]
    # what lies beyond the sample is expected at its end points: each side of a row must sum to
    # minus half of the central weight
    for t in range(n):
        if t > 0:
            weights[t, 0] = -0.5 * ideal[0] - np.sum(ideal[1:t])
        if t < n - 1:
            weights[t, n - 1] = -0.5 * ideal[0] - np.sum(ideal[1 : n - 1 - t])
    weights[0, 0] = weights[n - 1, n - 1] = 0.5 * ideal[0]
    return weights


def filter_runs(run_keys: NDArray, y: Array, years: NDArray) -> dict[str, Array]:
    """Filter each unbroken run of years by itself.

    Parameters
    ----------
    run_keys : array, shape (M, K)
        Rows that share all K keys are one run; they stand together, their years consecutive.
    y : array, shape (M,)
        Log level.
    years : array, shape (M,)
        Year of each row.

    Returns
    -------
    dict of arrays, shape (M,)
        ``hp`` (lambda 6.25), ``hp_100``, ``hamilton``, ``hamilton_pre`` (coefficients from targets
        before the first admission, at least 10 of them) and ``christiano_fitzgerald``; NaN in runs
        shorter than 8 years.
    """
    y, years, run_keys = np.asarray(y, dtype=float), np.asarray(years), np.asarray(run_keys)
    names = ("hp", "hp_100", "hamilton", "hamilton_pre", "christiano_fitzgerald")
    components = {name: np.full(y.size, np.nan) for name in names}
    starts = np.flatnonzero(np.any(run_keys[1:] != run_keys[:-1], axis=1)) + 1
    for first, stop in zip([0, *starts], [*starts, y.size], strict=True):
        run = slice(first, stop)
        if stop - first < MINIMUM_RUN_YEARS:
            continue
        for name, values in _filter_run(y[run], years[run]).items():
            components[name][run] = values
    return components


def _filter_run(y: Array, years: NDArray) -> dict[str, Array]:
    is_pre = years < FIRST_ADMISSION_YEAR
    has_pre = is_pre[HORIZON:].sum() >= MINIMUM_PRE_TARGETS
    return {
        "hp": cycle_hodrick_prescott(y),
        "hp_100": cycle_hodrick_prescott(y, smoothing=100.0),
        "hamilton": cycle_hamilton(y),
        "hamilton_pre": cycle_hamilton(y, in_fit=is_pre) if has_pre else np.full(y.size, np.nan),
        "christiano_fitzgerald": cycle_christiano_fitzgerald(y),
    }
