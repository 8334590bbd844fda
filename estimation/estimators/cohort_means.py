"""Balanced panels without controls: every estimator is a weighted sum of the mean outcomes of
cohorts by year.

Pairs of a cohort share their regressors, so the pair dimension collapses (Wooldridge 2021): an
estimator is a weight for each cell of cohort and year that depends on the numbers of pairs alone.
One pass over the pairs then serves many outcomes, estimators and refits, which is what a
specification curve needs. Equal to `influence_fit` and `group_time`, which also serve unbalanced
panels and controls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..influence.shock_weights import CitySums, jackknife_df, sum_city_groups
from .cohort_weights import Timing, callaway_santanna_weights, imputation_weights, twfe_weights


@dataclass(frozen=True)
class CellPanel(Timing):
    """Sums of a panel by cell, a cell being a block of pairs (those of two provinces) and a cohort
    group within it.

    Attributes
    ----------
    block, group : (P,) int arrays
    block_province : (Q, 2) int array
        The two provinces, 0..R-1, of the pairs of a block.
    counts : (Q, G + 1) float array
        Pairs by block and group.
    sums : (Q, G + 1, T, M) float array
        Of the outcomes.
    y : (M, T, P) float array
    """

    block: np.ndarray
    group: np.ndarray
    block_province: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    y: np.ndarray

    @cached_property
    def stays(self) -> np.ndarray:
        """Whether a block has no city in a province, 1.0 or 0.0; shape (R, Q)."""
        provinces = np.arange(int(self.block_province.max()) + 1)
        return (self.block_province != provinces[:, None, None]).all(axis=2).astype(float)

    def by_class(self, block_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return counts (1, C, G + 1) and sums (1, C, G + 1, T, M) by class of blocks."""
        counts, sums = (
            np.zeros((block_class.max() + 1, *values.shape[1:]))
            for values in (self.counts, self.sums)
        )
        np.add.at(counts, block_class, self.counts)
        np.add.at(sums, block_class, self.sums)
        return counts[None], sums[None]

    def without_provinces(self, block_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the same over the pairs without a city in each province: (R, C, G + 1) and (R, C,
        G + 1, T, M).
        """
        n_provinces, stays = len(self.stays), self.stays
        by_block = [values.reshape(len(values), -1) for values in (self.counts, self.sums)]
        found = [
            np.zeros((n_provinces, block_class.max() + 1, values.shape[1])) for values in by_block
        ]
        for c in range(block_class.max() + 1):
            members = block_class == c
            for result, values in zip(found, by_block, strict=True):
                # einsum without BLAS: the same bytes for any number of threads
                result[:, c] = np.einsum("rq,qx->rx", stays[:, members], values[members])
        shapes = [
            (*result.shape[:2], *values.shape[1:])
            for result, values in zip(found, (self.counts, self.sums), strict=True)
        ]
        return found[0].reshape(shapes[0]), found[1].reshape(shapes[1])


@dataclass(frozen=True)
class CellFit:
    """One estimator on M outcomes.

    Attributes
    ----------
    estimate : (M,) float array
    refits : (R, M) float array
        Without each province; NaN where that loses the coefficient.
    can_go : (R,) bool array
        Provinces that hold a kept pair and whose deletion leaves a treated one.
    needs_a_province : bool
        Whether the deletion of a province with kept pairs leaves no treated one: then there is no
        jackknife.
    psi : (M, P) float array
        Influence of each pair.
    per_pair : (r + 1, C, G + 1, T) float array
        Weight of a pair's outcome by class and group: in the estimate without each of the r
        provinces that can go, last in the estimate.
    """

    estimate: np.ndarray
    refits: np.ndarray
    can_go: np.ndarray
    needs_a_province: bool
    psi: np.ndarray
    per_pair: np.ndarray

    def jackknife_variance(self) -> np.ndarray:
        """Return province jackknife (M,): (R - 1)/R sum_r (b_(-r) - b)^2, NaN where a refit loses
        the coefficient.
        """
        n = int(self.can_go.sum())
        squares = (self.refits[self.can_go] - self.estimate) ** 2
        return (
            (n - 1) / n * squares.sum(axis=0)
            if n > 1 and not self.needs_a_province
            else np.full(len(self.estimate), np.nan)
        )


def build_cell_panel(
    y: np.ndarray, group: np.ndarray, start: np.ndarray, province: tuple[np.ndarray, np.ndarray]
) -> CellPanel:
    """Sum a panel by cell.

    Parameters
    ----------
    y : (M, T, P) float array
        Without gaps.
    group : (P,) int array
        0 = never treated.
    start : (G + 1,) int array
    province : two (P,) int arrays
        Province of either city of a pair, 0..R-1.

    Returns
    -------
    CellPanel
    """
    lower, upper, base = np.minimum(*province), np.maximum(*province), int(np.max(province)) + 1
    code, block = np.unique(lower * base + upper, return_inverse=True)
    shape = (len(code), len(start))
    cell = block * len(start) + group
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).astype(float)
    sums = [
        [np.bincount(cell, weights=row, minlength=len(counts)) for row in outcome] for outcome in y
    ]
    by_cell = np.array(sums).transpose(2, 1, 0).reshape(*shape, y.shape[1], y.shape[0])
    return CellPanel(
        start,
        y.shape[1],
        block,
        group,
        np.column_stack(np.divmod(code, base)),
        counts.reshape(shape),
        by_cell,
        y,
    )


def fit_cells(
    panel: CellPanel, estimators: Sequence[str], block_class: np.ndarray | None = None
) -> dict[str, CellFit]:
    """Estimate, refit without each province, and give every pair's influence.

    Parameters
    ----------
    panel : CellPanel
    estimators : sequence of str
        Of `WEIGHTS_AND_MISFIT`; those other than ``twfe`` need one class.
    block_class : (Q,) int array, optional
        Blocks of a class share year effects; None: all do. Each block its own class: effects of two
        provinces by year.

    Returns
    -------
    dict
        CellFit by estimator.
    """
    n_blocks = len(panel.counts)
    block_class = np.zeros(n_blocks, dtype=np.int64) if block_class is None else block_class
    counts, sums = panel.by_class(block_class)
    nested = n_blocks > 1 and np.array_equal(np.sort(block_class), np.arange(n_blocks))
    left = None if nested else panel.without_provinces(block_class)
    found = {}
    for estimator in estimators:
        weights, misfit = WEIGHTS_AND_MISFIT[estimator](counts, sums, panel)
        estimate, per_pair = _weighted(weights, counts, sums)[0], _per_pair(weights, counts)
        if left is None:
            refits, can_go, scale = _refits_of_blocks(panel, weights[0, block_class])
            of_refits = per_pair / scale[can_go, None, None, None]
        else:
            refits, can_go, of_refits = _refits(panel, WEIGHTS_AND_MISFIT[estimator], *left)
        psi = _influence(panel, block_class, (counts[0], sums[0]), weights[0], misfit[0])
        found[estimator] = CellFit(
            estimate,
            refits,
            can_go,
            needs_a_province=bool((_holds(panel) & ~can_go).any()),
            psi=psi,
            per_pair=np.concatenate([of_refits, per_pair]),
        )
    return found


def sum_city_cells(
    panel: CellPanel,
    cities: tuple[np.ndarray, np.ndarray],
    province: np.ndarray,
    block_class: np.ndarray | None = None,
) -> CitySums:
    """Return pairs of every city by class and group, for `jackknife_df_of_cells`.

    Parameters
    ----------
    panel : CellPanel
    cities : two (P,) int arrays
    province : (N,) int array
    block_class : (Q,) int array, optional
        As in `fit_cells`.
    """
    n_groups = len(panel.start)
    classes = np.zeros(len(panel.counts), dtype=np.int64) if block_class is None else block_class
    cell = classes[panel.block] * n_groups + panel.group
    return sum_city_groups(
        np.ones((len(cell), 1)), *cities, cell, province, (n_groups * (int(classes.max()) + 1), 1)
    )


def jackknife_df_of_cells(fit: CellFit, sums: CitySums) -> float:
    """Return degrees of freedom by design of the province jackknife; NaN where no province
    can go.
    """
    per_pair = fit.per_pair.reshape(len(fit.per_pair), -1, fit.per_pair.shape[-1])
    df = jackknife_df(
        sums,
        np.flatnonzero(fit.can_go),
        lambda b: per_pair[b][:, None, :, None],
    )
    return float("nan") if df is None else float(df[0])


def _can_go(panel: CellPanel, counts: np.ndarray) -> np.ndarray:
    """Return whether a province holds a pair and leaves a treated one; counts (R, C, G + 1) of what
    it leaves.
    """
    return (counts.sum(axis=(1, 2)) < panel.counts.sum() - 0.5) & (
        counts[:, :, 1:].sum(axis=(1, 2)) > 0.5
    )


def _holds(panel: CellPanel) -> np.ndarray:
    """Return whether a province holds a pair; shape (R,) bool."""
    held = np.zeros(len(panel.stays), dtype=bool)
    held[panel.block_province[panel.counts.sum(axis=1) > 0.5]] = True
    return held


def _per_pair(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return weights / np.maximum(counts, 1.0)[..., None]


def _refits(
    panel: CellPanel, solve: Callable, counts: np.ndarray, sums: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return estimates (R, M) without each province, whether it can go (R,), and the weights of a
    pair in those that can.
    """
    can_go = _can_go(panel, counts)
    refits, per_pair = (
        np.full((len(counts), sums.shape[-1]), np.nan),
        np.zeros((0, *counts.shape[1:], panel.n_years)),
    )
    if can_go.any():
        weights, _ = solve(counts[can_go], sums[can_go], panel)
        refits[can_go], per_pair = (
            _weighted(weights, counts[can_go], sums[can_go]),
            _per_pair(weights, counts[can_go]),
        )
    return refits, can_go, per_pair


def _refits_of_blocks(
    panel: CellPanel, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """With year effects of two provinces' pairs a province takes whole blocks with it: numerator
    and denominator lose their parts; also the denominators (R,), NaN where nothing is left.
    """
    share = np.einsum("qgt,gt->q", weights, panel.treated.astype(float))
    part = np.einsum("qgt,qgtm->qm", weights, _means(panel.counts, panel.sums))
    can_go = _can_go(panel, np.einsum("rq,qg->rg", panel.stays, panel.counts)[:, None])
    total = np.einsum("rq,q->r", panel.stays, share)
    scale = np.where(total > 1e-9, total, np.nan)
    return np.einsum("rq,qm->rm", panel.stays, part) / scale[:, None], can_go, scale


def _means(counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
    # a cell that lost all its pairs holds nothing but rounding
    return (
        np.where(counts[..., None, None] > 0.5, sums, 0.0)
        / np.maximum(counts, 1.0)[..., None, None]
    )


def _weighted(weights: np.ndarray, counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return weights (B, C, G + 1, T) by the means of the cells; shape (B, M)."""
    return np.einsum("bcgt,bcgtm->bm", weights, _means(counts, sums))


def _influence(
    panel: CellPanel,
    block_class: np.ndarray,
    totals: tuple,
    weights: np.ndarray,
    misfit: np.ndarray,
) -> np.ndarray:
    """Return weights of the cells' means spread over their pairs, about the means, plus what the
    model leaves of the means; shape (M, P).
    """
    counts, sums = totals
    count, per_pair = np.maximum(counts, 1.0), _per_pair(weights, counts)
    centre = np.einsum("cgt,cgtm->cgm", per_pair, _means(counts, sums)) - misfit / count[..., None]
    cell = block_class[panel.block] * len(panel.start) + panel.group
    spread = np.ascontiguousarray(per_pair.reshape(-1, panel.n_years).T)[:, cell]
    return (
        np.einsum("mtp,tp->mp", panel.y, spread)
        - np.ascontiguousarray(centre.reshape(len(count) * len(panel.start), -1).T)[:, cell]
    )


def _twfe(counts: np.ndarray, sums: np.ndarray, panel: CellPanel) -> tuple[np.ndarray, np.ndarray]:
    """Return weights, and misfit = what two-way effects leave of the means."""
    d, weights, means = (
        panel.treated.astype(float),
        twfe_weights(counts, panel),
        _means(counts, sums),
    )
    by_pair = d - d.mean(axis=1, keepdims=True)
    estimate = np.einsum("bcgt,bcgtm->bm", weights, means)
    centred = (
        means
        - means.mean(axis=3, keepdims=True)
        - np.einsum("gt,bm->bgtm", by_pair, estimate)[:, None]
    )
    size = np.maximum(counts.sum(axis=2), 1.0)
    left = (
        centred
        - (np.einsum("bcg,bcgtm->bctm", counts, centred) / size[..., None, None])[:, :, None]
    )
    return weights, np.einsum("bcgt,bcgtm->bcgm", weights, left)


def _callaway_santanna(
    counts: np.ndarray, sums: np.ndarray, panel: CellPanel
) -> tuple[np.ndarray, np.ndarray]:
    return callaway_santanna_weights(counts, panel), np.zeros((*counts.shape, sums.shape[-1]))


def _imputation(
    counts: np.ndarray, sums: np.ndarray, panel: CellPanel
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights, and what the year effects leave of the untreated means."""
    found = imputation_weights(counts, panel)
    free, mean, means = found.free, found.mean, _means(counts, sums)[:, 0]
    years = np.full((*found.matrix.shape[:1], panel.n_years, sums.shape[-1]), np.nan)
    years[:, 0] = 0.0
    centred = free[None, :, :, None] * (means - np.einsum("gt,bgtm->bgm", mean, means)[:, :, None])
    right = np.einsum("bg,bgtm->btm", found.n, centred)[:, 1:]
    years[found.solved, 1:] = np.linalg.solve(found.matrix[found.solved], right[found.solved])
    left = free[None, :, :, None] * (means - years[:, None])
    left -= (
        free[None, :, :, None] * np.einsum("gt,bgtm->bgm", mean, means - years[:, None])[:, :, None]
    )
    return found.weights[:, None], np.einsum("bgt,bgtm->bgm", found.weights, left)[:, None]


#: Counts, sums and panel to the weights of the cells' means, and what the model leaves of the means
#: (for the influence); `cohort_weights.COUNT_WEIGHTS` gives the weights alone.
WEIGHTS_AND_MISFIT: dict[str, Callable] = {
    "twfe": _twfe,
    "callaway_santanna": _callaway_santanna,
    "borusyak": _imputation,
}
