"""The contrast of pilot x post net of covariates: effects of what a city is, by year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .city_panel import CityPanel
from .measure import net_of_blocks
from .permutation import ROUNDING, Draws, squared_error

# Draws taken together: one block of the largest arrays is some megabytes.
CHUNK = 250
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
    dealt: np.ndarray,
) -> list[Draws]:
    """The coefficient of each of several measures in each draw, with the mean of its variances
    clustered by city and by block.

    Covariates stay with the city while admissions move, so the treatment is made net of them anew
    in each draw. Without covariates the result equals that of `draw_statistics` with the two-way
    contrast.

    Parameters
    ----------
    values : sequence of (N, T) float arrays
    panel : CityPanel
    basis : (N, k) float array
        As of `within_block_basis`.
    dealt : (J, N) int array

    Returns
    -------
    list of Draws
        One for each measure.
    """
    order = np.argsort(panel.block, kind="stable")
    block, label, basis = panel.block[order], panel.label[order], basis[order]
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    paths = panel.treated - panel.treated.mean(axis=1, keepdims=True)
    columns = [*(one[order] for one in values), panel.treated[label]]
    net = np.stack([net_of(one, block, basis) for one in columns])
    tables = Tables(panel, block, basis, paths, net)
    labels = panel.label[dealt[:, order]]
    found = [
        tables.of_draws(labels[start : start + CHUNK], starts)
        for start in range(0, len(labels), CHUNK)
    ]
    estimate = np.concatenate([one[0] for one in found])
    error = np.concatenate([one[1] for one in found])
    largest_weight = np.abs(adjusted_weight(panel, within_block_basis(basis, block))).max()
    draws = []
    for place, one in enumerate(values):
        scale = np.abs(one).max() * largest_weight
        varies = bool(error[0, place, 0] > (ROUNDING * scale) ** 2)
        draws.append(Draws(estimate[:, place], estimate[:, -1], error[:, place], varies))
    return draws


class Tables:
    """Products that no permutation within blocks changes; cities are in order of their blocks.

    The net treatment of city i in a draw is path[label_i] - mean of its block - q_i' A, with
    A = sum over labels l of G_l path_l', where G_l is the sum of q over the cities of the label.
    """

    def __init__(
        self,
        panel: CityPanel,
        block: np.ndarray,
        basis: np.ndarray,
        paths: np.ndarray,
        net: np.ndarray,
    ) -> None:
        n_cities, n_labels = len(block), len(paths)
        share = panel.counts / panel.counts.sum(axis=1, keepdims=True)
        mean = share @ paths
        self.basis, self.n_labels = basis, n_labels
        self.gram = paths @ paths.T
        # by city and label: products of net values with the path, and with the path net of the
        # block's mean
        with_path = np.einsum("mnt,lt->mnl", net, paths)
        net_path = with_path - np.einsum("mnt,nt->mn", net, mean[block])[:, :, None]
        self.with_path = with_path.reshape(len(net), -1)
        self.net_path = net_path.reshape(len(net), -1)
        away = paths[None] - mean[:, None]
        self.squares = np.einsum("blt,blt->bl", away, away)[block].ravel()
        self.with_mean = (mean @ paths.T)[block]
        # what a label's G takes from the product of a city's values with its net treatment
        part = np.einsum("nk,mnl->lkmn", basis, with_path)
        self.taken = part.reshape(n_labels * basis.shape[1], len(net) * n_cities)
        mean_taken = np.einsum("nk,nl->lkn", basis, self.with_mean)
        self.mean_taken = mean_taken.reshape(n_labels * basis.shape[1], n_cities)
        self.products = np.einsum("nk,nq->kqn", basis, basis).reshape(basis.shape[1] ** 2, n_cities)

    def of_draws(self, labels: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (J, M) and squared errors (J, M, 3) of draws whose labels are (J, N)."""
        n_draws, n_cities = labels.shape
        n_measures, k = len(self.with_path), self.basis.shape[1]
        cells = labels + self.n_labels * np.arange(n_cities)
        squares = self.squares.take(cells)
        total = squares.sum(axis=1)
        product = np.stack([one.take(cells) for one in self.net_path], axis=1)
        if k:
            of_label = labels[:, None, :] == np.arange(self.n_labels)[None, :, None]
            sums = of_label.astype(float) @ self.basis
            mixed = self.gram @ sums
            total = total - np.einsum("jlk,jlk->j", sums, mixed)
            flat = sums.reshape(n_draws, -1)
            taken = (flat @ self.taken).reshape(n_draws, n_measures, n_cities)
            product = product - taken
            own = mixed.reshape(n_draws * self.n_labels, k)
            row = labels + self.n_labels * np.arange(n_draws)[:, None]
            squares = squares - 2 * np.einsum("jnk,nk->jn", own[row], self.basis)
            squares += 2 * flat @ self.mean_taken
            inner = np.einsum("jlk,jlq->jkq", sums, mixed).reshape(n_draws, -1)
            squares += inner @ self.products
        total = np.where(total > COLLINEAR, total, np.nan)
        estimate = product.sum(axis=2) / total[:, None]
        scores = (product - estimate[:, :, None] * squares[:, None, :]) / total[:, None, None]
        error = [
            squared_error(scores[:, place], scores[:, -1], starts) for place in range(n_measures)
        ]
        return estimate, np.stack(error, axis=1)
