"""The contrast of pilot x post net of covariates: effects of what a city is, by year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .city_panel import CityPanel
from .measure import net_of_blocks
from .permutation import ROUNDING, Draws, squared_error

# Draws taken together: their arrays stay in the processor's cache.
CHUNK = 50
# A covariate whose part net of blocks and of the others is below this share is no covariate.
COLLINEAR = 1e-9


def within_block_basis(covariates: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return orthonormal columns (N, k) that span the covariates (N, K) net of block means.

    k is below K where covariates are collinear, or constant within every block.
    """
    net = net_of_blocks(covariates, block)
    scale = np.abs(covariates - covariates.mean(axis=0)).max(axis=0)
    net = net / np.where(scale > 0, scale, 1.0)
    left, sizes, _ = np.linalg.svd(net, full_matrices=False)
    return left[:, sizes > COLLINEAR * max(1.0, sizes.max(initial=0.0))]


def net_treatment(panel: CityPanel, basis: np.ndarray) -> np.ndarray:
    """Return the real treatment (N, T) net of city, block x year and covariate x year effects."""
    paths = panel.treated - panel.treated.mean(axis=1, keepdims=True)
    return net_of(paths[panel.label], panel.block, basis)


def net_of(values: np.ndarray, block: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return values (N, T) net of block x year effects and of effects of the basis by year."""
    net = net_of_blocks(values, block)
    return net - basis @ (basis.T @ net)


def adjusted_weight(panel: CityPanel, basis: np.ndarray) -> np.ndarray:
    """Return the weights (N, T) of the real admissions on y; those of treated cells sum to one."""
    net = net_treatment(panel, basis)
    net = np.where(np.abs(net) > ROUNDING * np.abs(net).max(initial=0.0), net, 0.0)
    total = float((net**2).sum())
    return net / (total or 1.0)


def draw_adjusted(
    values: Sequence[np.ndarray],
    panel: CityPanel,
    basis: np.ndarray,
    permuted: np.ndarray,
) -> list[Draws]:
    """Return the coefficient of each of several measures in each draw, with the mean of its
    variances clustered by city and by block.

    Covariates stay with the city while admissions move, so the treatment is made net of them anew
    in each draw. Without covariates the result equals that of `draw_statistics` with the two-way
    contrast.

    Parameters
    ----------
    values : sequence of (N, T) float arrays
    panel : CityPanel
    basis : (N, k) float array
        As of `within_block_basis`.
    permuted : (J, N) int array

    Returns
    -------
    list of Draws
        One for each measure.
    """
    order = np.argsort(panel.block, kind="stable")
    block = panel.block[order]
    labels = panel.label[permuted[:, order]]
    ordered = basis[order]
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    paths = panel.treated - panel.treated.mean(axis=1, keepdims=True)
    # the last is what an effect adds to the others
    columns = [*values, panel.treated[panel.label]]
    net_columns = np.stack([net_of(one[order], block, ordered) for one in columns])
    found = []
    for start in range(0, len(labels), CHUNK):
        treatment = paths[labels[start : start + CHUNK].T]
        net = net_of(treatment.reshape(len(block), -1), block, ordered).reshape(treatment.shape)
        squares = np.einsum("njt,njt->jn", net, net)
        total = squares.sum(axis=1, keepdims=True)
        total = np.where(total > COLLINEAR, total, np.nan)
        product = np.einsum("njt,mnt->mjn", net, net_columns)
        estimate = product.sum(axis=2, keepdims=True) / total
        scores = (product - estimate * squares) / total
        error = [squared_error(one, scores[-1], starts) for one in scores]
        found.append(np.concatenate([estimate, error], axis=2))
    tables = np.concatenate(found, axis=1)
    largest_weight = np.abs(adjusted_weight(panel, basis)).max()
    draws = []
    for one, table in zip(values, tables[:-1], strict=True):
        scale = np.abs(one).max() * largest_weight
        varies = bool(table[0, 1] > (ROUNDING * scale) ** 2)
        draws.append(Draws(table[:, 0], tables[-1, :, 0], table[:, 1:], varies))
    return draws
