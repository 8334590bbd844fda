"""Least squares with a coefficient for each cohort and year:

Sun and Abraham 2021, and extended two-way fixed effects (Wooldridge 2021).
"""

from __future__ import annotations

import numpy as np

from ..engines.arrays import Layout, PairStatistics, pair_statistics
from ..engines.cells import Cells, build_cells
from ..engines.solve import (
    influence_weights,
    outcome_columns,
    outcome_weights,
    outcome_weights_by_year,
    solve,
)
from ..panel.fit_sample import FitSample
from .group_time_model import GroupTimeModel, Solved


def sun_abraham(sample: FitSample) -> GroupTimeModel:
    """Return all leads and lags of each cohort, the last year before admission omitted; cells are
    weighted by the pairs of their cohort.
    """
    return _build_model(
        sample, build_cells(sample.group_years, sample.panel.years, "fixed"), by_pairs=True
    )


def etwfe(sample: FitSample) -> GroupTimeModel:
    """Return a coefficient for each cohort in each of its treated years; cells are weighted by
    their rows.
    """
    return _build_model(
        sample, build_cells(sample.group_years, sample.panel.years, "treated"), by_pairs=False
    )


def _build_model(sample: FitSample, cells: Cells, by_pairs: bool) -> GroupTimeModel:
    """Return statistics of a pair: those of `engines.arrays`, followed by its observed years."""
    panel = sample.panel
    statistics = pair_statistics(panel.y[list(sample.outcomes)], panel.controls, sample.observed)
    x = np.zeros((sample.n_groups, len(panel.years), len(cells)))
    x[cells.group, cells.year, np.arange(len(cells))] = 1.0
    values = np.concatenate([statistics.values, sample.observed], axis=1)
    layout, solver = statistics.layout, _solver(statistics, x, cells, by_pairs)
    return GroupTimeModel(
        cells,
        values,
        solver,
        _gradient(statistics, x),
        _outcome_weights(statistics, x),
        layout.gram_start,
    )


def _solver(statistics: PairStatistics, x: np.ndarray, cells: Cells, by_pairs: bool):
    layout = statistics.layout
    start = layout.n_controls

    def solve_cells(totals: np.ndarray) -> Solved:
        solution = solve(totals[..., : layout.size], x, statistics)
        effects = np.where(solution.lost[:, None, start:], np.nan, solution.theta[:, :, start:])
        rows = np.round(totals[:, cells.group, layout.size + cells.year])
        # a cohort counts with all of its pairs in every year in which one of them is observed
        size = np.where(rows > 0, np.round(totals[:, cells.group, 0]), 0.0) if by_pairs else rows
        return Solved(effects, size, solution)

    return solve_cells


def _gradient(statistics: PairStatistics, x: np.ndarray):
    layout = statistics.layout

    def gradient(totals: np.ndarray, solved: Solved, m: int, weights: np.ndarray) -> np.ndarray:
        combine = _of_parameters(weights, layout)
        result = np.zeros((*totals.shape, weights.shape[2]))
        result[:, :, outcome_columns(layout, m)] = influence_weights(
            solved.parts, x, statistics, m, combine
        )[:, 0]
        return result

    return gradient


def _of_parameters(weights: np.ndarray, layout: Layout) -> np.ndarray:
    """Return weights (..., K, C) of cells as terms (..., C, K + controls) of coefficients."""
    by_term = np.swapaxes(weights, -1, -2)
    return np.concatenate([by_term, np.zeros((*by_term.shape[:-1], layout.n_controls))], axis=-1)


def _outcome_weights(statistics: PairStatistics, x: np.ndarray):
    def of_outcomes(totals: np.ndarray, weights: np.ndarray) -> np.ndarray:
        solution = solve(totals[None, :, : statistics.layout.size], x, statistics)
        combine = _of_parameters(weights, statistics.layout)
        z, by_control = outcome_weights(solution, x[None], statistics.layout, combine)
        return outcome_weights_by_year(z[0, 0], by_control[0], statistics)

    return of_outcomes
