"""Capital by perpetual inventory and the misallocation of capital and labour over cities
(docs/methods, section 9).
"""

from __future__ import annotations

import numpy as np

DEPRECIATION = 0.096
# years of real investment whose mean growth carries the series back to its beginning
GROWTH_YEARS = 5
ELASTICITY_RANGE = (0.1, 0.9)
DEFAULT_ELASTICITY = 0.5
MINIMUM_CHANGES = 10


def accumulate_capital(investment: np.ndarray) -> np.ndarray:
    """Capital stock by perpetual inventory, K0 = I0 / (depreciation + g), K_t = (1 - depreciation)
    K_(t-1) + I_t, with a depreciation of 9.6 per cent a year (Zhang, Wu and Zhang 2004).

    Parameters
    ----------
    investment : (N, T) float array
        Real investment, NaN where it lacks; g is its mean growth over the first 5 years of a city.

    Returns
    -------
    (N, T) float array
        NaN before a city's first investment, and after a gap: a stock cannot be carried over a year
        that is not known. NaN as well for a city with fewer than 6 years, or one whose investment
        falls as fast as capital wears out.
    """
    n_cities, n_years = investment.shape
    stock = np.full((n_cities, n_years), np.nan)
    for i in range(n_cities):
        first, last = _first_run(investment[i])
        if last - first <= GROWTH_YEARS:
            continue
        head = investment[i, first : first + GROWTH_YEARS + 1]
        growth = float(np.mean(head[1:] / head[:-1] - 1))
        if DEPRECIATION + growth <= 0:
            continue
        stock[i, first] = investment[i, first] / (DEPRECIATION + growth)
        for t in range(first + 1, last):
            stock[i, t] = (1 - DEPRECIATION) * stock[i, t - 1] + investment[i, t]
    return stock


def _first_run(values: np.ndarray) -> tuple[int, int]:
    """Start and end (exclusive) of the first unbroken run of positive values; (0, 0) where there is
    none.
    """
    known = np.isfinite(values) & (np.nan_to_num(values) > 0)
    if not known.any():
        return 0, 0
    first = int(np.argmax(known))
    gaps = np.flatnonzero(~known[first:])
    return first, first + int(gaps[0]) if gaps.size else values.size


def estimate_elasticities(
    output_per_worker: np.ndarray,
    capital_per_worker: np.ndarray,
    group: np.ndarray,
) -> np.ndarray:
    """Output elasticity of capital by group: slope of the change of log Y/L on the change of log
    K/L, with a constant.

    Parameters
    ----------
    output_per_worker, capital_per_worker : (N, T) float arrays
    group : (N,) int array
        The province of a city.

    Returns
    -------
    (N,) float array
        Cut to 0.1-0.9: beyond, the other factor would have no share. A group with fewer than 10
        changes, or none that differ, takes 0.5.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        dy, dk = (
            np.diff(np.log(values), axis=1) for values in (output_per_worker, capital_per_worker)
        )
    elasticity = np.full(group.size, DEFAULT_ELASTICITY)
    for g in np.unique(group):
        rows = np.isfinite(dy[group == g]) & np.isfinite(dk[group == g])
        x, y = dk[group == g][rows], dy[group == g][rows]
        if x.size < MINIMUM_CHANGES or np.ptp(x) == 0:
            continue
        x = x - x.mean()
        elasticity[group == g] = np.clip(x @ y / (x @ x), *ELASTICITY_RANGE)
    return elasticity


def allocate(factor: np.ndarray, output: np.ndarray, elasticity: np.ndarray) -> np.ndarray:
    """Compare a factor's distribution with the one that output and elasticities call for.

    Parameters
    ----------
    factor, output : (N, T) float arrays
        Capital or labour, and output; a year's totals are taken over the cities that have both.
    elasticity : (N,) float array
        Output elasticity of the factor.

    Returns
    -------
    (N, T) float array
        A city's share of the factor over the share that its output and elasticity call for: above 1
        it has too much, NaN where a figure lacks. gamma = (F_i / F) / (s_i b_i / b),
        s_i = Y_i / Y, b = sum of s_i b_i (Chen and Hu 2011; Bai and Liu 2018).
    """
    known = (
        np.isfinite(factor)
        & np.isfinite(output)
        & (np.nan_to_num(factor) > 0)
        & (np.nan_to_num(output) > 0)
    )
    f, y = (np.where(known, values, 0.0) for values in (factor, output))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = y / y.sum(axis=0)
        called_for = share * elasticity[:, None] / (share * elasticity[:, None]).sum(axis=0)
        return np.where(known, f / f.sum(axis=0) / called_for, np.nan)
