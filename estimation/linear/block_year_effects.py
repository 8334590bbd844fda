"""Least squares with pair effects and year effects by block of pairs, from sums of pair statistics.

The statistics are those of `linear.pair_statistics`, with the treatment regressors of the real
assignment as its last controls. Year effects of a block touch no other block, so they are
eliminated block by block: what is left is a system in controls and treatment alone, whatever the
number of blocks (province pairs by years are several thousand year effects).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .normal_equations import invert_normal
from .pair_statistics import PairStatistics

BATCH = 32


@dataclass(frozen=True)
class BlockSolution:
    """Solved systems of a batch of A samples; q parameters (controls, then treatment), M outcomes.

    Attributes
    ----------
    theta : (A, M, q) float array
    inverse : (A, q, q) float array
    lost : (A, q) bool array
        Parameters that are not identified.
    """

    theta: np.ndarray
    inverse: np.ndarray
    lost: np.ndarray


def solve_blocks(totals: np.ndarray, statistics: PairStatistics) -> BlockSolution:
    """Solve each sample of a batch.

    Parameters
    ----------
    totals : (A, B, D) float array
        Sums of pair statistics by block of year effects.
    statistics : PairStatistics
        Gives basis and layout; its controls are all regressors.

    Returns
    -------
    BlockSolution
    """
    parts = [
        _solve(totals[start : start + BATCH], statistics) for start in range(0, len(totals), BATCH)
    ]
    return BlockSolution(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("theta", "inverse", "lost")
        )
    )


def year_means(totals: np.ndarray, statistics: PairStatistics) -> tuple[np.ndarray, np.ndarray]:
    """Year effects of the regressors (A, B, T, q) and of the outcomes (A, B, T, M) in each block,
    from sums (A, B, D).
    """
    layout = statistics.layout
    t, q = layout.n_years, layout.n_controls
    counts = totals[..., : layout.n_basis]
    regressors = totals[..., layout.control_start : layout.gram_start].reshape(
        *totals.shape[:2], t, q
    )
    outcomes = np.stack([totals[..., s : s + t] for s in _outcome_starts(statistics)], axis=-1)
    sums = np.concatenate([regressors, outcomes], axis=-1)
    if _is_balanced(statistics):
        # the projections of a block add up to its count times the projection of one pair
        with np.errstate(divide="ignore", invalid="ignore"):
            effects = np.where(counts[..., :1, None] > 0.5, sums / counts[..., :1, None], 0.0)
    else:
        matrix = np.einsum("abk,kst->abst", counts, statistics.basis)[:, :, 1:, 1:].reshape(
            -1, t - 1, t - 1
        )
        inverse = invert_normal(matrix)[0].reshape(*totals.shape[:2], t - 1, t - 1)
        effects = np.zeros_like(sums)
        effects[:, :, 1:] = np.einsum("abst,abtc->absc", inverse, sums[:, :, 1:])
    return effects[..., :q], effects[..., q:]


def _is_balanced(statistics: PairStatistics) -> bool:
    t = statistics.layout.n_years
    return statistics.layout.n_basis == 1 and bool(
        np.allclose(statistics.basis[0], np.eye(t) - 1 / t, rtol=0, atol=1e-12)
    )


def _outcome_starts(statistics: PairStatistics) -> list[int]:
    layout = statistics.layout
    return [layout.shared + m * layout.per_outcome for m in range(layout.n_outcomes)]


def _solve(totals: np.ndarray, statistics: PairStatistics) -> BlockSolution:
    layout = statistics.layout
    t, q = layout.n_years, layout.n_controls
    totals = np.where(totals[..., :1] < 0.5, 0.0, totals)
    regressor_years, outcome_years = year_means(totals, statistics)
    sums = totals[..., layout.control_start : layout.gram_start].reshape(*totals.shape[:2], t, q)
    gram = totals[..., layout.gram_start : layout.shared].sum(axis=1).reshape(-1, q, q)
    matrix = gram - np.einsum("abtk,abtl->akl", sums, regressor_years)
    matrix = (matrix + matrix.transpose(0, 2, 1)) / 2
    # a regressor that a block's year effects take up leaves rounding noise of its own size behind
    diagonal, own = np.einsum("akk->ak", matrix), np.einsum("akk->ak", gram)
    gone = diagonal <= 1e-9 * own
    matrix = np.where(gone[:, :, None] | gone[:, None, :], 0.0, matrix)
    inverse, lost = invert_normal(matrix)
    theta = []
    for m, start in enumerate(_outcome_starts(statistics)):
        products = totals[..., start + t : start + layout.per_outcome].sum(axis=1)
        rest = products - np.einsum("abtk,abt->ak", sums, outcome_years[..., m])
        theta.append(np.einsum("akl,al->ak", inverse, rest))
    return BlockSolution(np.stack(theta, axis=1), inverse, lost)
