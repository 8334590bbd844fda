"""Variances of city-pair estimates from influence values, and the choice of the default
(docs/methods, section 7).

Sources: Fafchamps and Gubert 2007; Cameron and Miller 2014; Aronow, Samii and Assenova 2015;
Tabord-Meehan 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from ..defaults import LEVEL

MIN_PILOTS = 4
# never-treated cities that the variance by city needs
MIN_NEVER = 2
MIN_PROVINCES = 10
# with pilots in two provinces of the real panel `city` rejects 34 % without an effect, the
# jackknife with these degrees of freedom 2 %
MIN_PILOT_PROVINCES = 2


@dataclass(frozen=True)
class Interval:
    """Standard error, 95 % interval and two-sided p value under one variance estimator, the draws
    of a permutation, and the degrees of freedom of a t; None where there is none.
    """

    std_error: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    draws: int | None = None
    df: float | None = None


def conventional_variance(psi: np.ndarray) -> np.ndarray:
    """Clustered by pair without a factor: sum of psi_p^2; shape (C,)."""
    return (psi**2).sum(axis=0)


def score_variance(city_sums: np.ndarray) -> np.ndarray:
    """Return the sum of squared city sums, the square of the permutation's denominator; shape
    (C,).
    """
    return (city_sums**2).sum(axis=0)


def city_variance(
    city_sums: np.ndarray, is_pilot: np.ndarray, is_never: np.ndarray, n_pilots: np.ndarray
) -> np.ndarray:
    """City sums with the factors n/(n - 1) of pilots and never-treated cities.

    Parameters
    ----------
    city_sums : (N, C) float array
    is_pilot, is_never : (N,) bool arrays
        Cities that hold a kept pair.
    n_pilots : (C,) int array
        Pilots observed in the cells of each coefficient.

    Returns
    -------
    (C,) float array
        NaN with fewer than two pilots or never-treated cities.
    """
    n_never = int(is_never.sum())
    pilots, nevers = (city_sums[is_pilot] ** 2).sum(axis=0), (city_sums[is_never] ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pilot_factor = np.where(n_pilots > 1, n_pilots / (n_pilots - 1), np.nan)
    never_factor = n_never / (n_never - 1) if n_never >= MIN_NEVER else np.nan
    return pilot_factor * pilots + never_factor * nevers


def t_interval(estimate: float, variance: float, df: float, level: float = 1 - LEVEL) -> Interval:
    """Return the interval of a t with df degrees of freedom; empty where the variance or df is not
    positive, or df is NaN.
    """
    if not np.isfinite(variance) or variance <= 0 or not df > 0:
        return Interval()
    std_error = float(np.sqrt(variance))
    half = float(stdtrit(df, (1 + level) / 2)) * std_error
    p_value = min(2 * float(stdtr(df, -abs(estimate) / std_error)), 1.0)
    return Interval(std_error, estimate - half, estimate + half, p_value, df=float(df))


def at_least(matrix: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return a covariance matrix above both: least + the positive part of the difference.

    For one coefficient it is the larger of the two variances. The positive part is taken where
    `least` is the unit matrix, so the units of the coefficients do not matter.

    Parameters
    ----------
    matrix : (K, K) float array
        Symmetric, not necessarily positive semi-definite.
    least : (K, K) float array
        Positive semi-definite.
    """
    values, vectors = np.linalg.eigh(least)
    is_positive = values > 1e-14 * values.max(initial=0.0)
    root = vectors[:, is_positive] * np.sqrt(values[is_positive])
    inverse = vectors[:, is_positive] / np.sqrt(values[is_positive])
    excess, axes = np.linalg.eigh(inverse.T @ (matrix - least) @ inverse)
    above = root @ axes * np.sqrt(np.maximum(excess, 0.0))
    return least + above @ above.T


def with_diagonal(matrix: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a positive semi-definite matrix with these variances, and how many negative
    eigenvalues it was rid of.

    Covariances stay as they are unless the matrix has negative eigenvalues: these are set to zero
    in the correlations, which are then scaled to the variances.
    """
    found = matrix.copy()
    np.fill_diagonal(found, variances)
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    values, vectors = np.linalg.eigh(found / np.outer(scale, scale))
    n_negative = int((values < -1e-10 * np.abs(values).max(initial=0.0)).sum())
    if n_negative:
        correlation = (vectors * np.maximum(values, 0)) @ vectors.T
        size = np.sqrt(np.diag(correlation))
        found = correlation / np.outer(size, size) * np.outer(scale, scale)
        np.fill_diagonal(found, variances)
    return found, n_negative


def rests_on_provinces(n_provinces: int, n_pilot_provinces: int) -> bool:
    """Return whether there are provinces enough, and provinces with pilots enough, for the
    jackknife to be the default.
    """
    return n_provinces >= MIN_PROVINCES and n_pilot_provinces >= MIN_PILOT_PROVINCES


def jackknife_degrees(n_provinces: int, n_pilot_provinces: int, by_design: float | None) -> float:
    """Return degrees of freedom of the province jackknife's t.

    Parameters
    ----------
    n_provinces : int
        R, refits of the jackknife.
    n_pilot_provinces : int
    by_design : float or None
        Of `design_df`, where the fit gives them.

    Returns
    -------
    float
        By design where the jackknife is the default (docs/methods, section 7, says why), else the R
        - 1 of docs/methods, section 7.
    """
    if by_design is None or not np.isfinite(by_design):
        return n_provinces - 1
    if rests_on_provinces(n_provinces, n_pilot_provinces):
        return float(by_design)
    return n_provinces - 1


def hotelling_f(
    estimate: np.ndarray, covariance: np.ndarray, df: float
) -> tuple[float, int, float] | None:
    """Return the F of Hotelling's T squared that all estimates are zero, with its degrees of
    freedom.

    With q estimates it is Wald's statistic times (df - q + 1) / (q df), of q and df - q + 1.

    Parameters
    ----------
    estimate : (q,) float array
    covariance : (q, q) float array
    df : float
        Degrees of freedom of the covariance.

    Returns
    -------
    (F, q, df - q + 1) or None
        None where the covariance is singular or df too small.
    """
    q, scale = len(estimate), np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if q == 0 or df - q + 1 <= 0 or not (scale > 0).all():
        return None
    correlation = covariance / np.outer(scale, scale)
    if np.linalg.cond(correlation) > 1e12:
        return None
    scaled = estimate / scale
    wald = float(scaled @ np.linalg.solve(correlation, scaled))
    return wald * (df - q + 1) / (q * df), q, df - q + 1


def f_p_value(statistic: float, df1: float, df2: float) -> float:
    """Upper tail of an F(df1, df2)."""
    return float(fdtrc(df1, df2, statistic))


def default_vcov(
    n_pilots: int,
    n_pilot_provinces: int,
    n_provinces: int,
    has_jackknife: bool,
    has_city: bool,
    is_carried: bool = False,
) -> str:
    """Return the variance estimator that gives a coefficient's standard error, interval and p.

    Parameters
    ----------
    n_pilots, n_pilot_provinces : int
        Pilots in the coefficient's cells, and their provinces.
    n_provinces : int
        Refits of the jackknife.
    has_jackknife, has_city : bool
        Whether the variance estimator exists for this coefficient.
    is_carried : bool
        Whether the deletion of some province loses the coefficient.
    """
    # where one province carries the coefficient, `city` cannot tell the effect from what the
    # province has in common
    if n_pilots < MIN_PILOTS or n_pilot_provinces == 1 or is_carried:
        return "permutation"
    if has_jackknife and rests_on_provinces(n_provinces, n_pilot_provinces):
        return "province_jackknife"
    return "city" if has_city else "permutation"
