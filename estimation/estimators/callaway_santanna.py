"""Group-time effects as differences of cohort means against untreated pairs (Callaway and Sant'Anna
2021, no covariates).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..engines.cells import build_cells, comparison_groups
from ..panel.fit_sample import FitSample
from .group_time_model import GroupTimeModel, Solved

# Groups on one side of a cell's difference and the sign of their mean.
Side = tuple[np.ndarray, float]


def callaway_santanna(sample: FitSample) -> GroupTimeModel:
    """ATT(g, t) with a varying base; each comparison of two years uses the pairs observed in both.

    Statistics of a pair: ``[1 | observed in both years: L | outcome 0: change, L | ...]`` for the L
    comparisons of two years.

    Parameters
    ----------
    sample : FitSample
        Without controls; its `control_pairs` says whether pairs that are treated later serve as
        controls, too.

    Returns
    -------
    GroupTimeModel
        Cells are weighted by the pairs of their cohort.
    """
    years = sample.panel.years
    cells = build_cells(sample.group_years, years, "varying")
    against = comparison_groups(cells, sample.group_years, years, sample.control_pairs)
    comparisons, which = np.unique(
        np.column_stack([cells.base, cells.year]), axis=0, return_inverse=True
    )
    which, n_outcomes = which.reshape(-1), len(sample.outcomes)
    solve = _solver(cells.group, against, which, len(comparisons), n_outcomes)
    gradient = _gradient(cells.group, against, which, len(comparisons))
    of_outcomes = _outcome_weights(cells.group, against, which, comparisons, len(years))
    return GroupTimeModel(
        cells, _statistics(sample, comparisons), solve, gradient, of_outcomes, 1 + len(comparisons)
    )


def _statistics(sample: FitSample, comparisons: np.ndarray) -> np.ndarray:
    base, year = comparisons.T
    both = sample.observed[:, base] & sample.observed[:, year]
    changes = [
        np.where(both, sample.panel.y[m][:, year] - sample.panel.y[m][:, base], 0.0)
        for m in sample.outcomes
    ]
    return np.concatenate([np.ones((len(both), 1)), both, *changes], axis=1)


def _solver(
    group: np.ndarray, against: np.ndarray, which: np.ndarray, n_comparisons: int, n_outcomes: int
):
    def of_controls(totals: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Return sums (B, K) of a statistic of each cell over the groups it is compared with."""
        return np.where(against.T, totals[:, :, column], 0.0).sum(axis=1)

    def solve(totals: np.ndarray) -> Solved:
        count = 1 + which
        n_treated, n_controls = totals[:, group, count], of_controls(totals, count)
        defined = (n_treated > 0.5) & (n_controls > 0.5)
        effects = []
        for m in range(n_outcomes):
            change = count + n_comparisons * (1 + m)
            treated = totals[:, group, change] / np.maximum(n_treated, 1.0)
            controls = of_controls(totals, change) / np.maximum(n_controls, 1.0)
            effects.append(np.where(defined, treated - controls, np.nan))
        return Solved(np.stack(effects, axis=1), np.round(totals[:, group, 0]))

    return solve


def _sides(group: np.ndarray, against: np.ndarray, k: int) -> Iterator[Side]:
    yield np.array([group[k]]), 1.0
    yield np.flatnonzero(against[k]), -1.0


def _gradient(group: np.ndarray, against: np.ndarray, which: np.ndarray, n_comparisons: int):
    def gradient(totals: np.ndarray, _: Solved, m: int, weights: np.ndarray) -> np.ndarray:
        result = np.zeros((*totals.shape, weights.shape[2]))
        for k in range(len(group)):
            count = 1 + which[k]
            change = count + n_comparisons * (1 + m)
            for groups, sign in _sides(group, against, k):
                n = totals[:, groups, count].sum(axis=1)
                per_pair = np.where(n > 0.5, sign / np.maximum(n, 1.0), 0.0)
                mean = totals[:, groups, change].sum(axis=1) / np.maximum(n, 1.0)
                own = (per_pair[:, None] * weights[:, k])[:, None]
                result[:, groups, change] += own
                result[:, groups, count] -= mean[:, None, None] * own
        return result

    return gradient


def _outcome_weights(
    group: np.ndarray, against: np.ndarray, which: np.ndarray, comparisons: np.ndarray, n_years: int
):
    def of_outcomes(totals: np.ndarray, weights: np.ndarray) -> np.ndarray:
        of_changes = np.zeros((len(totals), len(comparisons), weights.shape[1]))
        for k in range(len(group)):
            for groups, sign in _sides(group, against, k):
                of_changes[groups, which[k]] += (
                    sign / max(totals[groups, 1 + which[k]].sum(), 1.0) * weights[k]
                )
        found = np.zeros((len(totals), 1 + len(comparisons), n_years, weights.shape[1]))
        for n, (base, year) in enumerate(comparisons, start=1):
            found[:, n, year] = of_changes[:, n - 1]
            found[:, n, base] = -of_changes[:, n - 1]
        return found

    return of_outcomes
