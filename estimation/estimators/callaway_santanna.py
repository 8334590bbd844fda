"""Group-time effects as differences of cohort means against never-treated pairs (Callaway and Sant'Anna 2021, no covariates)."""

from __future__ import annotations

import numpy as np

from ..linear.group_time_cells import Cells, build_cells
from ..panel.pair_panel import FitSample
from .group_time_model import GroupTimeModel


def callaway_santanna(sample: FitSample) -> GroupTimeModel:
    """ATT(g, t) with a varying base; each comparison of two years uses the pairs observed in both.

    Statistics of a pair: ``[1 | observed in both years: L | outcome 0: change, L | ...]`` for the L comparisons of two years.

    Parameters
    ----------
    sample : FitSample
        Without controls.

    Returns
    -------
    GroupTimeModel
        Cells are weighted by the pairs of their cohort.
    """
    cells = build_cells(sample.group_years, sample.panel.years, "varying")
    comparisons, which = np.unique(np.column_stack([cells.base, cells.year]), axis=0, return_inverse=True)
    which, n_outcomes = which.reshape(-1), len(sample.outcomes)
    solve = _solver(cells.group, which, len(comparisons), n_outcomes)
    gradient, of_outcomes = _gradient(cells, which, len(comparisons)), _outcome_weights(cells, which, comparisons, len(sample.panel.years))
    return GroupTimeModel(cells, _statistics(sample, comparisons), solve, gradient, of_outcomes, 1 + len(comparisons))


def _statistics(sample: FitSample, comparisons: np.ndarray) -> np.ndarray:
    base, year = comparisons.T
    both = sample.observed[:, base] & sample.observed[:, year]
    changes = [np.where(both, sample.panel.y[m][:, year] - sample.panel.y[m][:, base], 0.0) for m in sample.outcomes]
    return np.concatenate([np.ones((len(both), 1)), both, *changes], axis=1)


def _solver(group: np.ndarray, which: np.ndarray, n_comparisons: int, n_outcomes: int):
    def solve(totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = 1 + which
        n_treated, n_never = totals[:, group, count], totals[:, 0][:, count]
        defined = (n_treated > 0.5) & (n_never > 0.5)
        effects = []
        for m in range(n_outcomes):
            change = count + n_comparisons * (1 + m)
            treated = totals[:, group, change] / np.maximum(n_treated, 1.0)
            never = totals[:, 0][:, change] / np.maximum(n_never, 1.0)
            effects.append(np.where(defined, treated - never, np.nan))
        return np.stack(effects, axis=1), np.round(totals[:, group, 0])

    return solve


def _gradient(cells: Cells, which: np.ndarray, n_comparisons: int):
    def gradient(totals: np.ndarray, m: int, weights: np.ndarray) -> np.ndarray:
        result = np.zeros((*totals.shape, weights.shape[1]))
        for k in range(len(cells)):
            count = 1 + which[k]
            change = count + n_comparisons * (1 + m)
            for group, sign in ((cells.group[k], 1.0), (0, -1.0)):
                n = totals[group, count]
                if n > 0.5:
                    result[group, change] += sign / n * weights[k]
                    result[group, count] -= sign * totals[group, change] / n**2 * weights[k]
        return result

    return gradient


def _outcome_weights(cells: Cells, which: np.ndarray, comparisons: np.ndarray, n_years: int):
    def of_outcomes(totals: np.ndarray, weights: np.ndarray, sums: np.ndarray, group: np.ndarray) -> np.ndarray:
        of_changes = np.zeros((len(totals), len(comparisons), weights.shape[1]))
        for k in range(len(cells)):
            for g, sign in ((cells.group[k], 1.0), (0, -1.0)):
                of_changes[g, which[k]] += sign / max(totals[g, 1 + which[k]], 1.0) * weights[k]
        found = np.zeros((len(sums), n_years, weights.shape[1]))
        for n, (base, year) in enumerate(comparisons):
            change = sums[:, 1 + n, None] * of_changes[group, n]
            found[:, year] += change
            found[:, base] -= change
        return found

    return of_outcomes
