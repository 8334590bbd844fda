"""How far parallel trends may fail before an event-study effect loses its sign (bounds of Rambachan and Roth 2023).

The restrictions are theirs; the confidence sets are simpler and wider than their hybrid and optimal ones, and need no optimisation: for
relative magnitudes the union of the intervals over the pre-period change that may be the largest, which covers because the interval of the
truly largest one does; for smoothness the trend between the last two pre-periods is extrapolated.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import stdtrit


def relative_magnitudes(theta: np.ndarray, covariance: np.ndarray, df: float, bound: float, horizon: int = 0) -> tuple[float, float]:
    """95 % set of the effect if a change of trend is at most `bound` times the largest change before admission.

    Parameters
    ----------
    theta : (L + 1,) float array
        Leads in order of time, the last of them at event time -2, then the effect; the omitted base is at -1.
    covariance : (L + 1, L + 1) float array
    df : float
        Degrees of freedom of the t quantile.
    bound : float
    horizon : int
        Event time of the effect: its trend may have moved horizon + 1 times.

    Returns
    -------
    tuple of float
    """
    n_leads = len(theta) - 1
    changes = np.zeros((n_leads, n_leads + 1))
    for s in range(n_leads):
        changes[s, s] = -1.0
        if s + 1 < n_leads:
            changes[s, s + 1] = 1.0
    effect = np.eye(n_leads + 1)[-1]
    ends = []
    for change, sign in itertools.product(changes, (-1.0, 1.0)):
        ends.append(_limits(effect + sign * bound * (horizon + 1) * change, theta, covariance, df))
    return min(low for low, _ in ends), max(high for _, high in ends)


def smoothness(theta: np.ndarray, covariance: np.ndarray, df: float, bound: float, horizon: int = 0) -> tuple[float, float]:
    """95 % interval of the effect if the slope of the trend changes by at most `bound` from year to year.

    Arguments as `relative_magnitudes`; with slope b between event times -2 and -1 the trend is b (horizon + 1) at the horizon, give or take
    bound (horizon + 1)(horizon + 2)/2.
    """
    combination = np.zeros(len(theta))
    combination[-1], combination[-2] = 1.0, horizon + 1.0
    low, high = _limits(combination, theta, covariance, df)
    slack = bound * (horizon + 1) * (horizon + 2) / 2
    return low - slack, high + slack


def breakdown(limits, *given, largest: float = 1e3) -> float:
    """Largest bound for which the set leaves zero out; 0 if it holds zero at once, infinite if it never does up to `largest`.

    `limits` is `relative_magnitudes` or `smoothness`, `given` its arguments before the bound. Sets grow with the bound: halving finds it.
    """

    def excludes(bound: float) -> bool:
        low, high = limits(*given, bound)
        return low > 0 or high < 0

    if not excludes(0.0):
        return 0.0
    if excludes(largest):
        return float("inf")
    low, high = 0.0, largest
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excludes(middle) else (low, middle)
    return low


def _limits(combination: np.ndarray, theta: np.ndarray, covariance: np.ndarray, df: float) -> tuple[float, float]:
    centre = float((combination * theta).sum())
    variance = float(np.einsum("a,ab,b->", combination, covariance, combination))
    half = float(stdtrit(df, 0.975)) * max(variance, 0.0) ** 0.5
    return centre - half, centre + half
