"""`GroupTimeModel`: what an estimator of group-time effects must provide. `group_time.py` then does
the aggregation, influence, refits and permutation of all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engines.cells import Cells


@dataclass(frozen=True)
class Solved:
    """Group-time effects of B samples.

    Attributes
    ----------
    effects : (B, M, K) float array
        NaN where not identified.
    size : (B, K) float array
        By which cells are weighted.
    parts : Any
        Whatever the estimator's own `gradient` needs again, such as an inverse.
    """

    effects: np.ndarray
    size: np.ndarray
    parts: Any = None


@dataclass(frozen=True)
class GroupTimeModel:
    """Group-time effects as functions of sums of pair statistics.

    In the shapes, B are samples, G cohorts (group 0 is never treated), D statistics of a pair, M
    outcomes, K cells, C terms and T years.

    Attributes
    ----------
    cells : Cells
    values : (P, D) float array
        Statistics of every pair of the panel. The first is 1, so that its sum counts pairs; those
        that contain an outcome come last. On a balanced panel without controls they are linear in
        a pair's outcomes less their mean: the permutation relies on it.
    solve : callable
        Takes sums of `values` by group (B, G + 1, D) and returns the effects (`Solved`).
    gradient : callable
        Takes these sums, what `solve` returned for them, the position of an outcome, and the
        weights of the cells in the terms (B, K, C). Returns the derivative of each term with
        respect to the sums (B, G + 1, D, C), with the weights held fixed (except in `gardner`).
        A pair's statistics times the derivative are its influence.
    outcome_weights : callable
        Takes sums (G + 1, D) and weights of the cells (K, C). Returns the weight of the outcome of
        each year in the terms (G + 1, d, T, C), as coefficients of a pair's first d statistics.
    n_shared : int
        d, the number of statistics that contain no outcome.
    """

    cells: Cells
    values: np.ndarray
    solve: Callable[[np.ndarray], Solved]
    gradient: Callable[[np.ndarray, Solved, int, np.ndarray], np.ndarray]
    outcome_weights: Callable[[np.ndarray, np.ndarray], np.ndarray]
    n_shared: int
