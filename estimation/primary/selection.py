"""Whether units were chosen by how they grew before: growth of the years before the first start,
treated units against the others of their block.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..inference.permutation.assignments import draw_or_enumerate
from ..inference.permutation.draws import critical_value, permutation_p_value


def growth_before(growth: np.ndarray, years: np.ndarray, first: int) -> dict[str, np.ndarray]:
    """Return the mean, linear trend a year and standard deviation (divisor T) of each city's growth
    (N, T) before the year `first`; (N,) each.
    """
    before = years < first
    part, time = growth[:, before], years[before] - years[before].mean()
    rest = part - part.mean(axis=1, keepdims=True)
    return {
        "mean growth": part.mean(axis=1),
        "trend of growth": np.einsum("nt,t->n", rest, time) / np.einsum("t,t->", time, time),
        "spread of growth": part.std(axis=1),
    }


def within_block_gap(
    values: np.ndarray, admitted: np.ndarray, block: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gap of admitted cities to others of their block by least squares with block
    effects, and its error robust to unequal variances.

    Parameters
    ----------
    values : (N,) float array
    admitted : (B, N) bool array
        One row per assignment.
    block : (N,) int array
        From 0.

    Returns
    -------
    (B,) float arrays
        NaN where no block holds both kinds.
    """
    member = block[None] == np.arange(block.max() + 1)[:, None]
    size = member.sum(axis=1)
    share = np.einsum("bn,kn->bk", admitted.astype(float), member.astype(float)) / size
    d = admitted - share[:, block]
    y = values - (np.bincount(block, values) / size)[block]
    squares = (d**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.where(squares > 0, np.einsum("bn,n->b", d, y) / squares, np.nan)
        error = np.sqrt(((d * (y - gap[:, None] * d)) ** 2).sum(axis=1)) / squares
    return gap, error


def selection_rows(
    growth: np.ndarray,
    years: np.ndarray,
    cohort: np.ndarray,
    block: np.ndarray,
    *,
    permutations: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Return gap, interval and p of each characteristic under permutations of admission within
    blocks, and their joint p.

    Parameters
    ----------
    growth : (N, T) float array
    years : (T,) int array
    cohort, block : (N,) int arrays
        0 = never; block from 0.
    permutations, seed : int

    Returns
    -------
    list of dict
        placebo, first_year and last_year (of the years before the first admission), name, estimate,
        ci_low, ci_high, p_value, joint_p_value (largest statistic over the characteristics, the
        same draws). Empty with fewer than two years before the first admission.
    """
    first = int(cohort[cohort > 0].min())
    if (years < first).sum() < 2:
        return []
    common = {"placebo": "selection", "first_year": int(years[0]), "last_year": first - 1}
    real = (cohort > 0).astype(np.int64)
    drawn, is_enumeration = draw_or_enumerate(real, block, permutations, seed)
    found, statistics = [], []
    for name, values in growth_before(growth, years, first).items():
        gap, error = within_block_gap(values, np.concatenate([real[None], drawn]) > 0, block)
        statistic = np.abs(gap) / error
        statistics.append(statistic)
        half = critical_value(statistic[1:], is_enumeration) * error[0]
        p_value = permutation_p_value(statistic[0], statistic[1:], is_enumeration)
        numbers = {
            "estimate": gap[0],
            "ci_low": gap[0] - half,
            "ci_high": gap[0] + half,
            "p_value": p_value,
        }
        found.append({"name": name, **{key: float(value) for key, value in numbers.items()}})
    largest = np.max(statistics, axis=0)
    joint = permutation_p_value(largest[0], largest[1:], is_enumeration)
    return [{**common, **row, "joint_p_value": joint} for row in found]
