"""Imputation of untreated outcomes: Gardner 2022; Borusyak, Jaravel and Spiess 2024.

Pair and year effects and the controls' coefficients come from untreated rows alone; the effect of a
treated row is its outcome minus what they predict. Both estimators have these point estimates.
Gardner's influence is that of the two-stage moments, so it also holds how effects differ between
the rows of a term; Borusyak, Jaravel and Spiess take deviations from the mean effect of a cohort in
a year.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engines.arrays import control_deviations
from ..engines.cells import Cells, build_cells
from ..engines.solve import invert_normal
from ..panel.fit_sample import FitSample
from .group_time_model import GroupTimeModel, Solved

# pieces of `_Layout` before the first outcome
SHARED_PARTS = 6


@dataclass(frozen=True)
class _Layout:
    """``[pairs: 1 | patterns: J | imputed rows: T | MQ: T*K | Q'MQ: K*K | RQ: T*K | outcome 0: My
    T, Q'My K, Ry T | ...]``.

    M takes the mean over a pair's untreated rows out of these, R takes it out of the treated rows.
    """

    n_basis: int
    n_years: int
    n_controls: int
    n_outcomes: int

    def parts(self) -> list[int]:
        t, k = self.n_years, self.n_controls
        return [1, self.n_basis, t, t * k, k * k, t * k, *([t, k, t] * self.n_outcomes)]

    def cut(self, sums: np.ndarray) -> list[np.ndarray]:
        """Views of the pieces of arrays (..., D)."""
        ends = np.cumsum(self.parts())
        return [sums[..., end - size : end] for end, size in zip(ends, self.parts(), strict=True)]


@dataclass(frozen=True)
class _FirstStage:
    """Statistics, and for each group and pattern the matrices M (untreated rows) and R (treated
    less the mean of the untreated).
    """

    cells: Cells
    layout: _Layout
    untreated: np.ndarray
    treated: np.ndarray
    values: np.ndarray


def borusyak(sample: FitSample) -> GroupTimeModel:
    """Return effects of each cohort in its treated years, weighted by rows; rows of pairs without
    an untreated row are not imputed.
    """
    return _model(_first_stage(sample), about_term=False)


def gardner(sample: FitSample) -> GroupTimeModel:
    """As `borusyak`; the influence of a row is about the mean effect of its term."""
    return _model(_first_stage(sample), about_term=True)


def _model(stage: _FirstStage, about_term: bool) -> GroupTimeModel:
    return GroupTimeModel(
        stage.cells,
        stage.values,
        lambda sums: _solve(stage, sums),
        lambda totals, solved, m, weights: _gradient(stage, totals, solved, m, weights, about_term),
        lambda *given: _outcome_weights(stage, *given),
        sum(stage.layout.parts()[:SHARED_PARTS]),
    )


def _first_stage(sample: FitSample) -> _FirstStage:
    panel, outcomes = sample.panel, list(sample.outcomes)
    start = np.where(sample.pair_group > 0, panel.cohort, np.iinfo(np.int64).max)
    before = panel.years[None] < start[:, None]
    free, after = sample.observed & before, sample.observed & ~before
    after &= np.any(free, axis=1)[:, None]
    weights, untreated, treated = _patterns(free, after, sample)
    q = control_deviations(panel.controls, sample.observed)
    mq = rq = np.zeros((*free.shape, 0))
    if len(q):
        mq = np.stack([_less_mean(c, free, free) for c in q], axis=2)
        rq = np.stack([_less_mean(c, free, after) for c in q], axis=2)
    layout = _Layout(weights.shape[1], len(panel.years), len(q), len(outcomes))
    pieces = [
        np.ones((len(free), 1)),
        weights,
        after,
        mq.reshape(len(free), layout.n_years * len(q)),
    ]
    pieces += [
        np.einsum("ptk,ptl->pkl", mq, mq).reshape(len(free), len(q) ** 2),
        rq.reshape(len(free), layout.n_years * len(q)),
    ]
    for y in panel.y[outcomes]:
        my = _less_mean(y, free, free)
        pieces += [my, np.einsum("ptk,pt->pk", mq, my), _less_mean(y, free, after)]
    values = np.concatenate(pieces, axis=1)
    return _FirstStage(
        build_cells(sample.group_years, panel.years, "treated"), layout, untreated, treated, values
    )


def _less_mean(values: np.ndarray, free: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return values of some rows less the pair's mean over its untreated rows; zero elsewhere."""
    mean = np.where(free, values, 0.0).sum(axis=1) / np.maximum(free.sum(axis=1), 1)
    return np.where(rows, values - mean[:, None], 0.0)


def _patterns(
    free: np.ndarray, after: np.ndarray, sample: FitSample
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (P, J) and the matrices M and R (J, T, T) that they stand for.

    J is the number of patterns of rows, or twice the entries of a matrix where there are more
    patterns than that.
    """
    n_years = free.shape[1]
    patterns, which = np.unique(
        np.concatenate([free, after], axis=1)[sample.candidate], axis=0, return_inverse=True
    )
    which = which.reshape(-1)
    u, d = patterns[:, :n_years].astype(float), patterns[:, n_years:].astype(float)
    mean = u / np.maximum(u.sum(axis=1, keepdims=True), 1.0)
    m = np.einsum("js,st->jst", u, np.eye(n_years)) - u[:, :, None] * mean[:, None, :]
    r = np.einsum("js,st->jst", d, np.eye(n_years)) - d[:, :, None] * mean[:, None, :]
    entries = n_years * n_years
    weights = np.zeros((len(free), min(len(patterns), 2 * entries)))
    if len(patterns) <= 2 * entries:
        weights[np.flatnonzero(sample.candidate), which] = 1.0
        return weights, m, r
    weights[sample.candidate] = np.concatenate(
        [m.reshape(-1, entries), r.reshape(-1, entries)], axis=1
    )[which]
    unit = np.eye(2 * entries).reshape(2 * entries, 2, n_years, n_years)
    return weights, unit[:, 0], unit[:, 1]


def _solve(stage: _FirstStage, totals: np.ndarray) -> Solved:
    """With the first-stage parameters (B, M, T + controls) and the inverse of their normal
    matrix.
    """
    layout, cells = stage.layout, stage.cells
    t, k = layout.n_years, layout.n_controls
    _, weights, rows, mq, gram, rq, *outcomes = layout.cut(totals)
    matrix = np.zeros((len(totals), t + k, t + k))
    matrix[:, :t, :t] = np.einsum("bj,jst->bst", weights.sum(axis=1), stage.untreated)
    matrix[:, :t, t:] = mq.sum(axis=1).reshape(len(totals), t, k)
    matrix[:, t:, :t] = matrix[:, :t, t:].transpose(0, 2, 1)
    matrix[:, t:, t:] = gram.sum(axis=1).reshape(len(totals), k, k)
    inverse, lost = _invert_without_first_year(matrix)
    cell_size = np.round(rows[:, cells.group, cells.year])
    shift = _shifts(stage, weights, rq)
    uses_lost = (np.abs(shift) > 1e-9) & lost[:, None, :]
    theta, effects = [], []
    for m in range(layout.n_outcomes):
        my, qy, ry = outcomes[3 * m : 3 * m + 3]
        theta.append(
            np.einsum(
                "bij,bj->bi", inverse, np.concatenate([my.sum(axis=1), qy.sum(axis=1)], axis=1)
            )
        )
        effect = ry[:, cells.group, cells.year] - np.einsum("bkq,bq->bk", shift, theta[m])
        effects.append(
            np.where(
                (cell_size > 0) & ~uses_lost.any(axis=2),
                effect / np.maximum(cell_size, 1.0),
                np.nan,
            )
        )
    return Solved(np.stack(effects, axis=1), cell_size, (np.stack(theta, axis=1), inverse))


def _invert_without_first_year(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first year is the base: its row and column of the inverse are zero, and it is not
    lost.
    """
    inner, lost = invert_normal(matrix[:, 1:, 1:])
    inverse = np.zeros_like(matrix)
    inverse[:, 1:, 1:] = inner
    return inverse, np.concatenate([np.zeros((len(matrix), 1), dtype=bool), lost], axis=1)


def _shifts(stage: _FirstStage, weights: np.ndarray, rq: np.ndarray) -> np.ndarray:
    """Derivative of what is predicted for a cell's rows, summed, by the first-stage parameters;
    shape (B, K, T + controls).
    """
    layout, cells = stage.layout, stage.cells
    years = np.einsum("bgj,jst->bgst", weights, stage.treated)[:, cells.group, cells.year]
    controls = rq.reshape(*rq.shape[:2], layout.n_years, layout.n_controls)[
        :, cells.group, cells.year
    ]
    return np.concatenate([years, controls], axis=2)


def _gradient(
    stage: _FirstStage,
    totals: np.ndarray,
    solved: Solved,
    m: int,
    cell_weights: np.ndarray,
    about_term: bool,
) -> np.ndarray:
    layout, cells, (theta, inverse) = stage.layout, stage.cells, solved.parts
    per_row, through = _row_weights(stage, totals, solved.size, inverse, cell_weights)
    t, k, n, c = layout.n_years, layout.n_controls, len(totals), cell_weights.shape[2]
    years, controls = theta[:, m, :t], theta[:, m, t:]
    result = np.zeros((*totals.shape, c))
    _, by_pattern, by_row, by_mq, by_gram, by_rq, *outcomes = layout.cut(np.moveaxis(result, -1, 1))
    by_my, by_qy, by_ry = outcomes[3 * m : 3 * m + 3]
    # first stage: minus shift' inverse times the pair's score (My - M years - MQ controls, Q'My -
    # MQ' years - Q'MQ controls)
    fitted = np.einsum("jst,at->ajs", stage.untreated, years)
    by_pattern += np.einsum("acs,ajs->acj", through[:, :, :t], fitted)[:, :, None]
    by_mq += (
        through[:, :, :t, None] * controls[:, None, None]
        + years[:, None, :, None] * through[:, :, None, t:]
    ).reshape(n, c, 1, t * k)
    by_gram += (through[:, :, t:, None] * controls[:, None, None]).reshape(n, c, 1, k * k)
    by_my -= through[:, :, None, :t]
    by_qy -= through[:, :, None, t:]
    # second stage: the row's outcome less its prediction and the cell's effect
    predicted = np.einsum("jst,at->ajs", stage.treated, years)
    centre = np.nan_to_num(solved.effects[:, m])[:, :, None] * np.ones_like(cell_weights)
    if about_term:
        centre = np.einsum("akc,akc->ac", cell_weights, centre)[:, None] * np.ones_like(centre)
    for cell in range(len(cells)):
        g, year, own = cells.group[cell], cells.year[cell], per_row[:, cell]
        by_ry[:, :, g, year] += own
        by_row[:, :, g, year] -= own * centre[:, cell]
        by_pattern[:, :, g] -= own[:, :, None] * predicted[:, None, :, year]
        by_rq[:, :, g, year * k : (year + 1) * k] -= own[:, :, None] * controls[:, None]
    return result


def _row_weights(
    stage: _FirstStage,
    totals: np.ndarray,
    cell_size: np.ndarray,
    inverse: np.ndarray,
    cell_weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight (A, K, C) of a row of each cell, and what the first-stage parameters'
    scores take off it, (A, C, T + controls).
    """
    _, weights, _, _, _, rq, *_ = stage.layout.cut(totals)
    per_row = cell_weights / np.maximum(cell_size, 1.0)[:, :, None]
    shifted = np.einsum("akc,akq->acq", per_row, _shifts(stage, weights, rq))
    return per_row, np.einsum("acq,aqr->acr", shifted, inverse)


def _outcome_weights(
    stage: _FirstStage, totals: np.ndarray, cell_weights: np.ndarray
) -> np.ndarray:
    layout, cells = stage.layout, stage.cells
    t, k, n_terms = layout.n_years, layout.n_controls, cell_weights.shape[1]
    solved = _solve(stage, totals[None])
    per_row, through = (
        part[0]
        for part in _row_weights(
            stage, totals[None], solved.size, solved.parts[1], cell_weights[None]
        )
    )
    of_rows = np.zeros((len(totals), t, n_terms))
    np.add.at(of_rows, (cells.group, cells.year), per_row)
    ends = np.cumsum(layout.parts()[:SHARED_PARTS])
    found = np.zeros((len(totals), ends[-1], t, n_terms))
    of_patterns = np.einsum("jst,gsc->gjtc", stage.treated, of_rows)
    of_patterns -= np.einsum("jst,ct->jsc", stage.untreated, through[:, :t])
    found[:, ends[0] : ends[1]] = of_patterns
    controls = found[:, ends[2] : ends[3]].reshape(len(totals), t, k, t, n_terms)
    years = np.arange(t)
    controls[:, years, :, years] = -through[:, t:].T
    return found
