"""How far parallel trends may fail before an event-study effect loses its sign (Rambachan and Roth
2023, Review of Economic Studies).

Relative magnitudes: after admission a trend changes by at most Mbar times its largest change
before. The set is the paper's: the hybrid of the conditional and the least favourable test of
Andrews, Roth and Pakes (2023), as a union over which change was largest and its sign.

The paper's quantiles are normal ones. Here the covariance comes from R provinces, so it enters
multiplied by the square of t(df, 0.975)/z(0.975), df the degrees of freedom of the effect's
jackknife: with no trend allowed the set is the t interval of every other table. Infinite degrees of
freedom give the paper's sets. `smoothness` has the other restriction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, owens_t, stdtrit

from ...defaults import LEVEL, TWO_SIDED

# size of the least favourable test in the hybrid, and what that leaves to the conditional one: the
# paper's choice
KAPPA = LEVEL / 10
CONDITIONAL_ALPHA = (LEVEL - KAPPA) / (1 - KAPPA)
HALVINGS = 45
# a set that leaves zero out at so many times the first bound tried does so at any
MOST_BOUND = 2**13
Limits = tuple[float, float]


def relative_magnitudes(
    theta: np.ndarray, covariance: np.ndarray, df: float, bound: float, horizon: int = 0
) -> Limits:
    """95 % set of the effect if a change of trend is at most `bound` times the largest change
    before admission, from its ends.

    If the change x was largest, and positive, the effect lies within (horizon + 1) bound x of its
    coefficient: two inequalities, which are tested; effects at other horizons are free and
    drop out. What it accepts is an interval, because from where both inequalities fail equally the
    statistic grows faster than its critical value.

    Parameters
    ----------
    theta : (L + 1,) float array
        Leads in order of time, the last of them at event time -2, then the effect; the omitted base
        is at -1. L >= 1.
    covariance : (L + 1, L + 1) float array
        Of full rank.
    df : float
        Degrees of freedom of the covariance.
    bound : float
    horizon : int
        Event time of the effect.

    Returns
    -------
    tuple of float
    """
    pairs = inequalities(theta, inflated(covariance, df), bound, horizon)
    # where both inequalities of a pair fail equally; of the two signs of a change, one always holds
    # there
    tie = (pairs.low * pairs.high_error + pairs.high * pairs.low_error) / (
        pairs.low_error + pairs.high_error
    )
    held = pairs.accepts(tie)
    ends = []
    for far in (
        pairs.low - pairs.critical * pairs.low_error,
        pairs.high + pairs.critical * pairs.high_error,
    ):
        inside, outside = tie, far
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            accepted = pairs.accepts(middle)
            inside, outside = (
                np.where(accepted, middle, inside),
                np.where(accepted, outside, middle),
            )
        ends.append(inside[held])
    return float(ends[0].min()), float(ends[1].max())


def holds_zero(
    theta: np.ndarray, covariance: np.ndarray, df: float, bound: float, horizon: int = 0
) -> bool:
    """Return whether the set of `relative_magnitudes` holds zero, without its ends."""
    return bool(inequalities(theta, inflated(covariance, df), bound, horizon).accepts(0.0).any())


def inflated(covariance: np.ndarray, df: float) -> np.ndarray:
    """Return covariance for which the normal 95 % interval is the t interval of `df` degrees of
    freedom.
    """
    return (
        covariance
        if np.isinf(df)
        else covariance * (float(stdtrit(df, TWO_SIDED)) / float(ndtri(TWO_SIDED))) ** 2
    )


@dataclass(frozen=True)
class Inequalities:
    """The effect is at least `low` and at most `high`, for each of K = 2L choices of the largest
    change before admission and its sign.

    Attributes
    ----------
    low, high : (K,) float arrays
        Estimates of the ends; high < low where the change has the other sign.
    low_error, high_error : (K,) float arrays
    correlation : (K,) float array
        Of low and minus high.
    critical : (K,) float array
        Least favourable critical value of size KAPPA: of the larger of two standard normals so
        correlated.
    """

    low: np.ndarray
    high: np.ndarray
    low_error: np.ndarray
    high_error: np.ndarray
    correlation: np.ndarray
    critical: np.ndarray

    def accepts(self, effect: np.ndarray | float) -> np.ndarray:
        """Return whether the hybrid test of each choice accepts the effect; shape (K,).

        Given what is independent of it, the larger statistic is a normal known to lie above the
        point at which the other one would overtake it and, after the first test, below its critical
        value.
        """
        below, above = (self.low - effect) / self.low_error, (effect - self.high) / self.high_error
        larger, smaller = np.maximum(below, above), np.minimum(below, above)
        truncation = (smaller - self.correlation * larger) / (1 - self.correlation)
        tail = CONDITIONAL_ALPHA * ndtr(-truncation) + (1 - CONDITIONAL_ALPHA) * ndtr(
            -self.critical
        )
        return (larger <= self.critical) & (larger <= np.maximum(-ndtri(tail), 0.0))


def inequalities(
    theta: np.ndarray, covariance: np.ndarray, bound: float, horizon: int
) -> Inequalities:
    """Return the inequalities of each change before admission (from lead to lead, and from the last
    lead to the base) and sign.
    """
    n_leads = len(theta) - 1
    changes = np.zeros((n_leads, n_leads + 1))
    changes[:, :-1] = np.eye(n_leads, k=1) - np.eye(n_leads)
    changes = bound * (horizon + 1) * np.concatenate([changes, -changes])
    effect = np.eye(n_leads + 1)[-1]
    ends = np.stack([effect - changes, effect + changes])
    variance = np.einsum("ska,ab,skb->sk", ends, covariance, ends)
    correlation = -np.einsum("ka,ab,kb->k", ends[0], covariance, ends[1]) / np.sqrt(
        variance[0] * variance[1]
    )
    low, high = (ends * theta).sum(axis=2)
    errors = np.sqrt(variance)
    critical = least_favourable(correlation)
    return Inequalities(low, high, errors[0], errors[1], correlation, critical)


def least_favourable(correlation: np.ndarray) -> np.ndarray:
    """1 - KAPPA quantile of the larger of two standard normals of these correlations, exact by
    Owen's T.
    """
    with np.errstate(divide="ignore"):
        ratio = np.sqrt((1 - correlation) / np.maximum(1 + correlation, 0.0))
    low = np.full(len(correlation), float(ndtri(1 - KAPPA)))
    high = np.full(len(correlation), float(ndtri(1 - KAPPA / 2)))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = ndtr(middle) - 2 * owens_t(middle, ratio) < 1 - KAPPA
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return (low + high) / 2


def breakdown(excludes: Callable[[float], bool], first: float) -> float:
    """Return the largest bound up to which a set leaves zero out: 0 if it holds zero at once,
    infinite if it never does.

    Parameters
    ----------
    excludes : callable
        Whether the set of a bound leaves zero out.
    first : float
        The bound to try after 0; doubled until the set holds zero, then halved to 1e-6 of itself.

    Returns
    -------
    float
    """
    if not excludes(0.0):
        return 0.0
    low, high = 0.0, first
    while excludes(high):
        low, high = high, 2 * high
        if high > MOST_BOUND * first:
            return float("inf")
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if excludes(middle) else (low, middle)
    return low
