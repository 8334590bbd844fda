"""Degrees of freedom of the province jackknife's t, from the design alone.

The jackknife's error has no t distribution: provinces differ in size and in pilots, few may carry
the estimate, and the estimate leans on the same provinces as its error. For a linear estimator both
follow from the weights that each city's shocks get in the estimate and in the refits. If a pair's
outcome is the sum of its two cities' shocks, which are independent, normal and of equal variance
(the working model of Bell and McCaffrey 2002 and of Imbens and Kolesar 2016, who match two moments
of the error), the distribution of |b| over its error is that of a ratio of quadratic forms, known
exactly (Imhof 1961, the inversion of Gil-Pelaez 1951). `cm` is quadratic in shocks, so for it this
is an approximation. The degrees of freedom are those of the t with the same 95 % critical value,
and never more than the R - 1 of docs/methods, section 7. What that does to size and coverage is
measured in docs/evidence/simulation-study.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from ..defaults import LEVEL, TWO_SIDED

# the integrand over the logarithm of the frequency is smooth and decays at both ends, so the
# trapezoid rule converges geometrically
STEP = 0.25
LOG_FREQUENCY = np.arange(-36.0, 32.0 + STEP / 2, STEP)
FREQUENCY = np.exp(LOG_FREQUENCY)
LARGEST_RATIO = 1e4
FEWEST = 0.25
# shocks that hardly touch a refit are rounding noise
NEGLIGIBLE = 1e-13


def design_df(estimate: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Return degrees of freedom of the jackknife error of each coefficient.

    Parameters
    ----------
    estimate : (N, T, C) float array
        Weight of a city's shock of a year in each coefficient: sum of the weights of the city's
        pairs.
    deviations : (R, N, T, C) float array
        The same in the estimate less that without each block.

    Returns
    -------
    (C,) float array
        Between 0.25 and R - 1; NaN where a weight is not finite or the coefficient rests on
        nothing.
    """
    every = np.concatenate([deviations, estimate[None]])
    every, found = every.reshape(len(every), -1, estimate.shape[-1]), []
    for c in range(estimate.shape[-1]):
        weights, gram = np.ascontiguousarray(every[..., c]), np.empty((len(every), len(every)))
        for r, row in enumerate(weights):
            # einsum without BLAS: the same bytes for any number of threads
            products = np.einsum("k,sk->s", row, weights[: r + 1])
            gram[r, : r + 1] = gram[: r + 1, r] = products
        found.append(equivalent_df(gram[-1, -1], gram[-1, :-1], gram[:-1, :-1]))
    return np.array(found)


def equivalent_df(own: float, with_estimate: np.ndarray, gram: np.ndarray) -> float:
    """Return degrees of freedom of the t whose 95 % critical value is that of |b| / sqrt((R - 1)/R
    sum_r (b - b_(-r))^2).

    Parameters
    ----------
    own : float
        Variance of b under the working model.
    with_estimate : (R,) float array
        Covariances of b with each b - b_(-r).
    gram : (R, R) float array
        Covariances of the b - b_(-r).

    Returns
    -------
    float
        At most R - 1; NaN without a variance.
    """
    n = len(gram)
    if n < 2 or not np.isfinite(gram).all() or not np.isfinite(with_estimate).all() or not own > 0:
        return float("nan")
    factor = (n - 1) / n
    loadings, spread = _principal_shocks(own, np.sqrt(factor) * with_estimate, factor * gram)
    most = float(n - 1)
    least_critical = float(stdtrit(most, TWO_SIDED))

    @cache
    def excess(log_ratio: float) -> float:
        return exceedance(float(np.exp(log_ratio)), loadings, spread) - LEVEL

    least, largest = float(np.log(least_critical)), float(np.log(LARGEST_RATIO))
    if excess(least) <= 0:
        return most
    if excess(largest) >= 0:
        return FEWEST
    critical = np.exp(brentq(excess, least, largest, xtol=1e-9))
    if critical >= stdtrit(FEWEST, TWO_SIDED):
        return FEWEST
    return float(brentq(lambda df: stdtrit(df, TWO_SIDED) - critical, FEWEST, most, xtol=1e-9))


def exceedance(ratio: float, loadings: np.ndarray, spread: np.ndarray) -> float:
    """P(|b| > ratio * error) for b = sum_k loadings_k e_k and error^2 = sum_k spread_k e_k^2, e_k
    independent standard normal.

    Parameters
    ----------
    ratio : float
    loadings, spread : (K,) float arrays
    """
    # The matrix of b^2 - ratio^2 error^2 is diagonal plus rank one, so its determinant needs no
    # eigenvalues. Each factor 1 + ix is taken by modulus and angle in real numbers, which is three
    # times as fast as complex logarithms.
    x = 2 * FREQUENCY[:, None] * (ratio**2 * spread)
    squared = 1 + x * x
    shares = loadings**2 / squared
    last = 1 - 2 * FREQUENCY * (shares * x).sum(axis=1) - 2j * FREQUENCY * shares.sum(axis=1)
    log_last = np.log(last)
    log_modulus = -0.5 * (0.5 * np.log(squared).sum(axis=1) + log_last.real)
    angle = -0.5 * (np.arctan(x).sum(axis=1) + log_last.imag)
    return 0.5 + STEP * float((np.exp(log_modulus) * np.sin(angle)).sum()) / np.pi


def _principal_shocks(
    own: float, with_estimate: np.ndarray, gram: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return loadings of b (variance one) and contributions to the error of independent shocks; the
    last one moves b alone.
    """
    values, vectors = np.linalg.eigh(gram / own)
    used = values > NEGLIGIBLE * max(values[-1], 1.0)
    values = values[used]
    loadings = np.einsum("rk,r->k", vectors[:, used], with_estimate / own) / np.sqrt(values)
    rest = max(1 - float((loadings**2).sum()), 0.0)
    return np.append(loadings, np.sqrt(rest)), np.append(values, 0.0)
