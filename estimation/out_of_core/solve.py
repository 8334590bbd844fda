"""Two-way effects from sums that a database takes: no pair and no pair-year is ever held in Python.

With pair effects taken out, everything that least squares needs is a sum over the pairs of a cohort
with the same observed years (a pattern): counts, sums of the outcome and of controls by year, sums
of pair means, and the controls' cross products. A second pass gives each pair's influence under the
solved weights (Wooldridge 2021; docs/methods, sections 7 and 11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..linear.normal_equations import outcome_weights, solve
from ..linear.pair_statistics import Layout, PairStatistics, projection_basis
from ..results import NotEstimable


@dataclass(frozen=True)
class CohortSums:
    """Sums by cohort group (G + 1 groups, never treated first), year (T) and pattern of observed
    years; J controls.

    Attributes
    ----------
    outcome : (G + 1, T) float array
    controls : (G + 1, T, J) float array
    pattern_group : (M,) int array
    pattern_years : (M, T) bool array
    pattern_pairs : (M,) float array
        Pairs of the group with this pattern.
    pattern_outcome : (M,) float array
        Sum of the pairs' means of the outcome.
    pattern_controls : (M, J) float array
    gram : (J, J) float array
        Sum over pairs of the controls' within-pair cross products.
    moment : (J,) float array
        The same of the controls with the outcome.
    """

    outcome: np.ndarray
    controls: np.ndarray
    pattern_group: np.ndarray
    pattern_years: np.ndarray
    pattern_pairs: np.ndarray
    pattern_outcome: np.ndarray
    pattern_controls: np.ndarray
    gram: np.ndarray
    moment: np.ndarray


@dataclass(frozen=True)
class CollapsedSolution:
    """Coefficients (C,), treatment first, then controls, and the weights of the pairs' influence.

    With e = y - fitted_gt - q'slopes and a_k = own_gtk + q'by_control_k, the influence of a pair on
    coefficient k is sum_t a_k e - (sum_t a_k)(sum_t e)/n over its n observed years.

    Attributes
    ----------
    estimate : (C,) float array
    chosen : (K',) int array
        Treatment regressors with observed cells.
    own : (G + 1, T, C) float array
    by_control : (J, C) float array
    fitted : (G + 1, T) float array
    slopes : (J,) float array
    """

    estimate: np.ndarray
    chosen: np.ndarray
    own: np.ndarray
    by_control: np.ndarray
    fitted: np.ndarray
    slopes: np.ndarray


def solve_collapsed(sums: CohortSums, x: np.ndarray, labels: list[str]) -> CollapsedSolution:
    """Least squares with pair and year effects.

    Parameters
    ----------
    sums : CohortSums
    x : (G + 1, T, K) float array
        Treatment regressors by group, 0 for the never treated.
    labels : list of str
        Names of the K treatment coefficients and the J controls, for messages.

    Returns
    -------
    CollapsedSolution

    Raises
    ------
    NotEstimable
        If a coefficient with observed cells, or a control, is not identified.
    """
    totals, statistics = _as_pair_statistics(sums, len(x))
    solution = solve(totals[None], x, statistics)
    theta, lost, layout = solution.theta[0, 0], solution.lost[0], statistics.layout
    controls = np.arange(layout.n_years - 1, layout.n_years - 1 + layout.n_controls)
    treatment = layout.n_years - 1 + layout.n_controls + np.arange(x.shape[2])
    count = np.bincount(sums.pattern_group, sums.pattern_pairs, len(x))
    observed = (np.abs(x).sum(axis=1) > 0) & (count > 0)[:, None]
    chosen = np.flatnonzero(_in_observed_years(sums, x) & observed.any(axis=0))
    missing = [labels[k] for k in chosen if lost[treatment[k]]]
    missing += [labels[x.shape[2] + k] for k in range(layout.n_controls) if lost[controls[k]]]
    if missing or len(chosen) == 0:
        raise NotEstimable(
            "not identified beside the pair and year effects: "
            f"{', '.join(missing) or 'treatment'}. Needed are treated and "
            "never-treated pairs in the same years, before and after admission, and controls that "
            "vary within pairs"
        )
    own, by_control = outcome_weights(solution.inverse[0], x, layout)
    rows = np.concatenate([chosen, x.shape[2] + np.arange(layout.n_controls)]).astype(int)
    out = np.concatenate([np.ones(len(chosen)), statistics.control_scale])
    effects = np.where(lost, 0.0, theta)
    fitted = np.concatenate([[0.0], effects[: layout.n_years - 1]]) + np.einsum(
        "gtl,l->gt", x, effects[treatment]
    )
    return CollapsedSolution(
        np.concatenate([theta[treatment[chosen]], theta[controls]]) / out,
        chosen,
        own[:, :, rows] / out,
        by_control[:, rows] / statistics.control_scale[:, None] / out,
        fitted,
        theta[controls] / statistics.control_scale,
    )


def _as_pair_statistics(sums: CohortSums, n_groups: int) -> tuple[np.ndarray, PairStatistics]:
    """The sums as totals (G + 1, D) of pair statistics, with their basis and layout and no pair of
    their own.
    """
    n_years, n_controls = sums.pattern_years.shape[1], len(sums.moment)
    scale = np.sqrt(np.diag(sums.gram) / max(sums.pattern_pairs.sum(), 1.0))
    scale = np.where(scale > 0, scale, 1.0)
    patterns, which = np.unique(sums.pattern_years, axis=0, return_inverse=True)
    basis = projection_basis(patterns)
    layout = Layout(len(basis), n_controls, n_years, 1)
    totals = np.zeros((n_groups, layout.size))
    by_pattern = np.zeros((n_groups, len(basis)))
    np.add.at(by_pattern, (sums.pattern_group, which.reshape(-1)), sums.pattern_pairs)
    totals[:, 0], totals[:, 1 : layout.n_basis] = by_pattern.sum(axis=1), by_pattern[:, 1:]
    mq = (sums.controls - _spread(sums, sums.pattern_controls, n_groups)) / scale
    totals[:, layout.control_start : layout.gram_start] = mq.reshape(n_groups, -1)
    totals[:, layout.shared : layout.shared + n_years] = sums.outcome - _spread(
        sums, sums.pattern_outcome, n_groups
    )
    # cross products of controls count over all groups together, so any group with pairs may hold
    # them
    some = int(np.argmax(totals[:, 0]))
    totals[some, layout.gram_start : layout.shared] = (sums.gram / np.outer(scale, scale)).reshape(
        -1
    )
    totals[some, layout.shared + n_years :] = sums.moment / scale
    return totals, PairStatistics(np.zeros((0, layout.size)), basis, layout, scale)


def _in_observed_years(sums: CohortSums, x: np.ndarray) -> np.ndarray:
    seen = np.zeros(x.shape[:2], dtype=bool)
    for group, years, pairs in zip(
        sums.pattern_group, sums.pattern_years, sums.pattern_pairs, strict=True
    ):
        seen[group] |= years & (pairs > 0) & (years.sum() > 1)
    return ((x != 0) & seen[:, :, None]).any(axis=(0, 1))


def _spread(sums: CohortSums, means: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums of pair means put into each observed year of the pattern; (G + 1, T, ...)."""
    result = np.zeros((n_groups, sums.pattern_years.shape[1], *means.shape[1:]))
    for group, years, value in zip(sums.pattern_group, sums.pattern_years, means, strict=True):
        result[group, years] += value
    return result
