"""What an estimator of group-time effects gives so that aggregation, influence and refits can be
the same code for all.
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
        What else the estimator knows then, for its gradient.
    """

    effects: np.ndarray
    size: np.ndarray
    parts: Any = None


@dataclass(frozen=True)
class GroupTimeModel:
    """Group-time effects as functions of sums of pair statistics; groups are cohorts, group 0 is
    never treated.

    Attributes
    ----------
    cells : Cells
    values : (P, D) float array
        Statistics of every pair of the panel; the first counts pairs.
    solve : callable
        Sums (B, G + 1, D) to `Solved`.
    gradient : callable
        Sums (B, G + 1, D), what they were solved to, an outcome and the (B, K, C) weights of the
        cells to the (B, G + 1, D, C) weights that turn a pair's statistics into its influence on
        the weighted sums, the aggregation's weights held fixed.
    outcome_weights : callable
        Sums (G + 1, D) and (K, C) weights of the cells to the (G + 1, d, T, C) weights with which
        each of a pair's first statistics counts in those of its outcomes of each year in the
        weighted sums.
    n_shared : int
        d: the statistics that hold no outcome.
    """

    cells: Cells
    values: np.ndarray
    solve: Callable[[np.ndarray], Solved]
    gradient: Callable[[np.ndarray, Solved, int, np.ndarray], np.ndarray]
    outcome_weights: Callable[[np.ndarray, np.ndarray], np.ndarray]
    n_shared: int
