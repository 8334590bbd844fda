"""Effects under trends whose slope changes by at most M a year: the optimal interval of fixed
length (Rambachan and Roth 2023).

Among the estimators that are linear in the coefficients and blind to a straight trend it takes the
one with the shortest interval: half its length is s cv(M B / s), with s the standard error, M B the
worst bias, and cv(b) the 95 % quantile of abs(N(b, 1)). It grows with s and B, so what is best for
some M lies on the path of least variance for each B: the path is found once and serves every M.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from ...defaults import LEVEL, TWO_SIDED

NEWTON_STEPS, BISECTIONS, PRECISION = 8, 53, 1e-15


@dataclass(frozen=True)
class SmoothnessPath:
    """Estimators of least variance for each bias, linear between K knots, from least bias to least
    variance.

    Attributes
    ----------
    changes : (K, L - 1) float array
        What changes of slope in the years before the base do to the estimate, nearest year first;
        see `smoothness_path`.
    bias : (K,) float array
        Worst bias for M = 1: increasing.
    weights : (K, L + 1) float array
        Of the leads and the effect.
    theta : (L + 1,) float array
    covariance : (L + 1, L + 1) float array
    """

    changes: np.ndarray
    bias: np.ndarray
    weights: np.ndarray
    theta: np.ndarray
    covariance: np.ndarray

    def interval(self, bound: float, df: float) -> tuple[float, float]:
        """95 % interval of the effect if the slope of the trend changes by at most `bound` (unit of
        the outcome) from year to year.

        With df infinite the paper's. Else the standard errors of a stretch of the path grow by
        `estimation_factor` of what is chosen on it.
        """
        starts = np.concatenate([[0], np.arange(len(self.bias) - 1)])
        stops = np.concatenate([[0], np.arange(1, len(self.bias))])
        n_chosen = ((self.changes[starts] != 0) | (self.changes[stops] != 0)).sum(axis=1)
        possible = df - n_chosen > 1
        starts, stops, factor = (
            starts[possible],
            stops[possible],
            estimation_factor(df, n_chosen[possible]),
        )
        # half-lengths are convex along a stretch: the shortest is where the slope changes its sign,
        # which is known to rounding, as the place of the smallest of near equal lengths is not
        low, high = np.zeros(len(starts)), np.ones(len(starts))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            falls = self._half_lengths(starts, stops, middle, factor, bound)[1] < 0
            low, high = np.where(falls, middle, low), np.where(falls, high, middle)
        share = (low + high) / 2
        halves = self._half_lengths(starts, stops, share, factor, bound)[0]
        best = int(np.argmin(halves))
        weights = self.weights[starts] + share[:, None] * (
            self.weights[stops] - self.weights[starts]
        )
        centre, half = float((weights[best] * self.theta).sum()), float(halves[best])
        return centre - half, centre + half

    def _half_lengths(
        self, starts, stops, share, factor, bound: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Half-lengths at a share of each stretch from knot to knot, and their slopes."""
        step = self.weights[stops] - self.weights[starts]
        weights = self.weights[starts] + share[:, None] * step
        bias_step = bound * (self.bias[stops] - self.bias[starts])
        bias = bound * self.bias[starts] + share * bias_step
        with_covariance = np.einsum("ka,ab->kb", weights, self.covariance)
        error = factor * np.sqrt((with_covariance * weights).sum(axis=1))
        error_step = factor**2 * (with_covariance * step).sum(axis=1) / error
        quantile = folded_normal_quantile(bias / error)
        # of the quantile by its centre
        by_centre = np.tanh(quantile * bias / error)
        slope = error_step * (quantile - by_centre * bias / error) + by_centre * bias_step
        return error * quantile, slope


def estimation_factor(df: float, n_chosen: np.ndarray) -> np.ndarray:
    """By how much standard errors grow because k weights were chosen with a covariance of df
    degrees of freedom; shape of `n_chosen`.

    The paper takes the covariance for known; where it is estimated, the least variance looks
    smaller than it is. It is that of a regression of the effect on k contrasts of leads: the
    residual variance has df - k degrees of freedom, the error of its coefficients multiplies it by
    1 + k/(df - k - 1) on average (the growth curve model of Rao 1965), and the t quantile of df - k
    takes the place of the normal one. Argued for M = 0, where every contrast is used; on the path k
    is the count of what is chosen, the lasso's degrees of freedom.
    """
    if np.isinf(df):
        return np.ones(len(n_chosen))
    left = df - n_chosen
    return stdtrit(left, TWO_SIDED) / ndtri(TWO_SIDED) * np.sqrt(df / left * (df - 1) / (left - 1))


def smoothness_path(theta: np.ndarray, covariance: np.ndarray, horizon: int = 0) -> SmoothnessPath:
    """Return the path of an effect.

    Blind to a straight trend are the weights c_(s-1) - 2 c_s + c_(s+1) of the leads s years before
    the base with c_0 = horizon + 1. c_k is what a change of slope k years before the base does to
    the estimate, so the worst bias is M (sum of abs(c_k) + horizon (horizon + 1)/2), the last for
    changes after admission. Least variance for each such sum is a lasso in c_1, .., c_(L-1).

    Parameters
    ----------
    theta : (L + 1,) float array
        Leads in order of time, the last of them at event time -2, then the effect; the omitted base
        is at -1. L >= 1.
    covariance : (L + 1, L + 1) float array
        Of full rank.
    horizon : int
        Event time of the effect.

    Returns
    -------
    SmoothnessPath
    """
    n_leads = len(theta) - 1
    by_lead = (np.eye(n_leads) - 2 * np.eye(n_leads, k=1) + np.eye(n_leads, k=2))[::-1]
    start = np.append((horizon + 1) * by_lead[:, 0], 1.0)
    moves = np.vstack([by_lead[:, 1:], np.zeros(n_leads - 1)])
    changes = lasso_path(
        np.einsum("ai,ab,bj->ij", moves, covariance, moves),
        np.einsum("ai,ab,b->i", moves, covariance, start),
    )
    bias = horizon + 1 + np.abs(changes).sum(axis=1) + horizon * (horizon + 1) / 2
    return SmoothnessPath(
        changes,
        bias,
        start + np.einsum("ki,ai->ka", changes, moves),
        np.asarray(theta, dtype=float),
        covariance,
    )


def lasso_path(quadratic: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Knots of the minimiser of c'Qc/2 + q'c + penalty sum(abs(c)) as the penalty falls to zero;
    shape (K, J), the first all zeros.

    Homotopy (Osborne, Presnell and Turlach 2000): between knots the minimiser is linear in the
    penalty; at a knot a coefficient whose slope reaches the penalty enters, or one that reaches
    zero leaves. Q (J, J) is positive definite, q has shape (J,).
    """
    sign, knots = np.zeros(len(linear)), [np.zeros(len(linear))]
    penalty = float(np.abs(linear).max(initial=0.0))
    if penalty == 0:
        return np.array(knots)
    changed = int(np.argmax(np.abs(linear)))
    entry, gone = -float(np.sign(linear[changed])), 0.0
    while changed >= 0:
        sign[changed] = entry
        active = np.flatnonzero(sign)
        line = np.zeros((2, len(linear)))
        solved = np.linalg.solve(
            quadratic[np.ix_(active, active)], np.stack([-linear[active], -sign[active]], axis=1)
        )
        line[:, active] = solved.T
        penalty, changed, entry = _next_knot(
            quadratic, linear, line, sign, penalty, (changed, gone)
        )
        gone = sign[changed] if changed >= 0 else 0.0
        knots.append(line[0] + penalty * line[1])
        if changed >= 0 and entry == 0:
            # exactly, not as rounding leaves it: `interval` counts what is chosen
            knots[-1][changed] = 0.0
    return np.array(knots)


def _next_knot(quadratic, linear, line, sign, penalty, passed) -> tuple[float, int, float]:
    """Penalty of the next knot, the coefficient that changes there (-1: the path ends) and its new
    sign, 0 where it leaves.

    `line` holds the minimiser at penalty zero and its change by the penalty; `passed` the
    coefficient that changed at this knot and the sign it had before: that change would be found
    again.
    """
    slope, slope_by_penalty = linear + quadratic @ line[0], quadratic @ line[1]
    found = [(0.0, -1, 0.0)]
    for j in range(len(linear)):
        # the slope of a coefficient of this sign is -sign * penalty
        entries = (0.0,) if sign[j] else (-1.0, 1.0)
        for entry in entries:
            ends = (
                (line[0, j], line[1, j]) if entry == 0 else (slope[j], slope_by_penalty[j] + entry)
            )
            if (j, entry) != passed and ends[1] != 0:
                found.append((-ends[0] / ends[1], j, entry))
    return max(knot for knot in found if knot[0] <= penalty)


def folded_normal_quantile(centre: np.ndarray) -> np.ndarray:
    """95 % quantile of abs(N(centre, 1)), by Newton's steps from the side on which its distribution
    is concave; centre >= 0.
    """
    x = centre + ndtri(TWO_SIDED)
    for _ in range(NEWTON_STEPS):
        excess = ndtr(x - centre) - ndtr(-x - centre) - (1 - LEVEL)
        density = (np.exp(-((x - centre) ** 2) / 2) + np.exp(-((x + centre) ** 2) / 2)) / np.sqrt(
            2 * np.pi
        )
        step = excess / density
        x = x - step
        if np.abs(step).max(initial=0.0) < PRECISION:
            break
    return x
