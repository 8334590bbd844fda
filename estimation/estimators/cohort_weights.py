"""Weights of the mean outcomes of cohorts by year in an estimator, on balanced panels without
controls: they depend on the numbers of pairs alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..engines.cells import build_cells, comparison_weights, residual_regressors


@dataclass(frozen=True)
class Timing:
    """When groups are treated.

    Attributes
    ----------
    start : (G + 1,) int array
        Position of the first treated year of a group, T for the never-treated group 0.
    n_years : int
    """

    start: np.ndarray
    n_years: int

    @property
    def treated(self) -> np.ndarray:
        """Whether a group is treated in a year; shape (G + 1, T) bool."""
        return np.arange(self.n_years) >= self.start[:, None]


def estimate_means(
    estimator: str, counts: np.ndarray, means: np.ndarray, timing: Timing, span: np.ndarray
) -> np.ndarray:
    """Return the estimate alone, of many samples at once.

    Parameters
    ----------
    estimator : str
        Of `COUNT_WEIGHTS`.
    counts : (B, C, G + 1) float array
        Pairs of B samples by class and group.
    means : (B, C, G + 1, S, M) float array
        Of the outcomes, by spans of years.
    timing : Timing
    span : (T,) int array
        Span 0..S-1 of each year, ascending; an estimator must weigh all years of a span alike.

    Returns
    -------
    (B, M) float array
        NaN where a sample does not identify the effect.
    """
    weights = COUNT_WEIGHTS[estimator](counts, timing)
    by_span = np.add.reduceat(weights, np.flatnonzero(np.diff(span, prepend=-1)), axis=-1)
    return np.einsum("bcgs,bcgsm->bm", by_span, means)


def twfe_weights(counts: np.ndarray, timing: Timing) -> np.ndarray:
    """Return treatment less its means by pair, by class and year, over its sum of squares."""
    residual = residual_regressors(counts, timing.treated.astype(float)[..., None])[..., 0]
    total = np.einsum("bcg,bcgt->b", counts, residual**2)
    return counts[..., None] * residual / np.where(total > 1e-9, total, np.nan)[:, None, None, None]


def _comparable(counts: np.ndarray, timing: Timing) -> np.ndarray:
    """Return counts (B, G + 1) without groups that are treated in every year: they can be neither
    effect nor control.
    """
    return np.where(timing.start > 0, counts[:, 0], 0.0)


def callaway_santanna_weights(counts: np.ndarray, timing: Timing) -> np.ndarray:
    """Return the mean of ATT(g, t) after admission, weighted by pairs, against the last year before
    admission and never-treated pairs.
    """
    n = _comparable(counts, timing)
    cells = build_cells(timing.start[1:], np.arange(timing.n_years), "varying")
    cells = cells.take(cells.event_time >= 0)
    weights = comparison_weights(
        n[:, cells.group, None], cells, 0, (len(timing.start), timing.n_years)
    )[..., 0]
    n_cells = (n[:, 1:] * (timing.n_years - np.maximum(timing.start[1:], 0))).sum(axis=1)
    scale = np.where((n_cells > 0.5) & (n[:, 0] > 0.5), n_cells, np.nan)
    return (weights / scale[:, None, None])[:, None]


@dataclass(frozen=True)
class ImputationWeights:
    """Weights of the imputation estimator, and the normal equations that they come from: of the
    year effects of untreated rows, net of pair effects, with the first year as base.

    Attributes
    ----------
    n : (B, G + 1) float array
        Pairs by group, without those that are treated in every year.
    free, mean : (G + 1, T) float arrays
        Whether a row is untreated, and its weight in the mean of its pair's untreated rows.
    matrix : (B, T - 1, T - 1) float array
    weights : (B, G + 1, T) float array
        Of the means of groups by year.
    solved : (B,) bool array
        Whether the year effects are identified.
    """

    n: np.ndarray
    free: np.ndarray
    mean: np.ndarray
    matrix: np.ndarray
    weights: np.ndarray
    solved: np.ndarray


def imputation_weights(counts: np.ndarray, timing: Timing) -> ImputationWeights:
    """Return the weights of the imputation estimator (Borusyak, Jaravel and Spiess 2024): the mean
    over treated rows of the outcome less what pair and year effects of the untreated rows predict.
    """
    n, treated = _comparable(counts, timing), timing.treated.astype(float)
    free = 1.0 - treated
    mean = free / np.maximum(free.sum(axis=1, keepdims=True), 1.0)
    n_rows = np.einsum("bg,gt->b", n, treated)
    per_row = n / np.where((n_rows > 0.5) & (n[:, 0] > 0.5), n_rows, np.nan)[:, None]
    direct = treated - treated.sum(axis=1, keepdims=True) * mean
    matrix = np.einsum(
        "bg,gtu->btu",
        n,
        free[:, :, None] * np.eye(timing.n_years) - free[:, :, None] * mean[:, None, :],
    )[:, 1:, 1:]
    derivative = np.einsum("bg,gt->bt", per_row, direct)
    solved = np.isfinite(derivative).all(axis=1) & (
        np.linalg.matrix_rank(matrix, hermitian=True) == timing.n_years - 1
    )
    through = np.full(derivative.shape, np.nan)
    through[:, 0] = 0.0
    through[solved, 1:] = np.linalg.solve(matrix[solved], derivative[solved, 1:, None])[..., 0]
    back = free * (through[:, None] - np.einsum("gt,bt->bg", mean, through)[..., None])
    return ImputationWeights(
        n, free, mean, matrix, per_row[..., None] * direct - n[..., None] * back, solved
    )


#: Counts (B, C, G + 1) of pairs by class and group, and `Timing`, to weights (B, C, G + 1, T);
#: those other than ``twfe`` need one class.
COUNT_WEIGHTS: dict[str, Callable[[np.ndarray, Timing], np.ndarray]] = {
    "twfe": twfe_weights,
    "callaway_santanna": callaway_santanna_weights,
    "borusyak": lambda counts, timing: imputation_weights(counts, timing).weights[:, None],
}
