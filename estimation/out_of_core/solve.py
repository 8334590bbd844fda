"""Two-way effects from sums that a database takes: no pair and no pair-year is ever held in Python.

With pair effects taken out, everything that least squares needs is a sum over the pairs of a cohort with the same observed years (a
pattern): counts, sums of the outcome and of controls by year, sums of pair means, and the controls' cross products. A second pass gives
each pair's influence under the solved weights (Wooldridge 2021; docs/methods, sections 7 and 11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..linear.normal_equations import invert_normal
from ..results import NotEstimable


@dataclass(frozen=True)
class CohortSums:
    """Sums by cohort group (G + 1 groups, never treated first), year (T) and pattern of observed years; J controls.

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

    With e = y - fitted_gt - q'slopes and a_k = own_gtk + q'by_control_k, the influence of a pair on coefficient k is
    sum_t a_k e - (sum_t a_k)(sum_t e)/n over its n observed years.

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
    n_groups, n_years, n_treatment = x.shape
    n_controls = len(sums.moment)
    scale = np.sqrt(np.diag(sums.gram) / max(sums.pattern_pairs.sum(), 1.0))
    scale = np.where(scale > 0, scale, 1.0)
    projection = _projections(sums, n_groups)
    my = sums.outcome - _spread(sums, sums.pattern_outcome, n_groups)
    mq = (sums.controls - _spread(sums, sums.pattern_controls, n_groups)) / scale
    regressors = np.concatenate([np.broadcast_to(np.eye(n_years)[None, :, 1:], (n_groups, n_years, n_years - 1)), x], axis=2)
    order = [*range(n_years - 1), *range(n_years - 1 + n_treatment, n_years - 1 + n_treatment + n_controls)]
    order += list(range(n_years - 1, n_years - 1 + n_treatment))
    matrix, right = _normal(regressors, projection, my, mq, sums.gram / np.outer(scale, scale), sums.moment / scale)
    inverse, lost = (part[0] for part in invert_normal(matrix[None][:, order][:, :, order]))
    back = np.argsort(order)
    inverse, lost = inverse[back][:, back], lost[back]
    theta = np.einsum("ij,j->i", inverse, right)
    observed = (np.abs(x).sum(axis=1) > 0) & (np.bincount(sums.pattern_group, sums.pattern_pairs, n_groups) > 0)[:, None]
    chosen = np.flatnonzero(_in_observed_years(sums, x) & observed.any(axis=0))
    columns = np.concatenate([n_years - 1 + chosen, n_years - 1 + n_treatment + np.arange(n_controls)]).astype(int)
    missing = [labels[c - n_years + 1] for c in columns if lost[c]]
    if missing or len(chosen) == 0:
        raise NotEstimable(
            f"not identified beside the pair and year effects: {', '.join(missing) or 'treatment'}. Needed are treated and "
            "never-treated pairs in the same years, before and after admission, and controls that vary within pairs"
        )
    rows = inverse[columns]
    out = np.concatenate([np.ones(len(chosen)), scale])
    controls = slice(n_years - 1 + n_treatment, None)
    own = np.einsum("gtr,cr->gtc", regressors, rows[:, : n_years - 1 + n_treatment]) / out
    fitted = np.einsum("gtr,r->gt", regressors, np.where(lost, 0.0, theta)[: n_years - 1 + n_treatment])
    by_control = (rows[:, controls] / scale).T / out if n_controls else np.zeros((0, len(columns)))
    slopes = theta[controls] / scale
    return CollapsedSolution(theta[columns] / out, chosen, own, by_control, fitted, slopes)


def _in_observed_years(sums: CohortSums, x: np.ndarray) -> np.ndarray:
    seen = np.zeros(x.shape[:2], dtype=bool)
    for group, years, pairs in zip(sums.pattern_group, sums.pattern_years, sums.pattern_pairs, strict=True):
        seen[group] |= years & (pairs > 0) & (years.sum() > 1)
    return ((x != 0) & seen[:, :, None]).any(axis=(0, 1))


def _projections(sums: CohortSums, n_groups: int) -> np.ndarray:
    """Sum over the pairs of a group of the matrix that takes a pair's mean out over its observed years; (G + 1, T, T)."""
    result = np.zeros((n_groups, sums.pattern_years.shape[1], sums.pattern_years.shape[1]))
    for group, years, pairs in zip(sums.pattern_group, sums.pattern_years.astype(np.float64), sums.pattern_pairs, strict=True):
        result[group] += pairs * (np.diag(years) - np.outer(years, years) / years.sum())
    return result


def _spread(sums: CohortSums, means: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums of pair means put into each observed year of the pattern; (G + 1, T, ...)."""
    result = np.zeros((n_groups, sums.pattern_years.shape[1], *means.shape[1:]))
    for group, years, value in zip(sums.pattern_group, sums.pattern_years, means, strict=True):
        result[group, years] += value
    return result


def _normal(regressors, projection, my, mq, gram, moment) -> tuple[np.ndarray, np.ndarray]:
    cross = np.einsum("gtr,gtj->rj", regressors, mq)
    own = np.einsum("gtr,gts,gsq->rq", regressors, projection, regressors)
    matrix = np.block([[own, cross], [cross.T, gram]])
    return matrix, np.concatenate([np.einsum("gtr,gt->r", regressors, my), moment])
