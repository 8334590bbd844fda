"""Refits without a province or a city (docs/methods, section 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..engines.arrays import bincount_columns
from ..engines.interface import SampleSums
from ..panel.fit_sample import FitSample
from .shock_weights import city_sums_of


@dataclass(frozen=True)
class Refits:
    """Coefficients of one outcome after the deletion of each block of cities.

    Attributes
    ----------
    blocks : (R,) array
        Names of the deleted provinces or cities.
    estimates : (R, C) float array
        NaN where a coefficient is not identified without the block.
    by_design : callable
        Returns `df` when an interval needs it. By default it returns None, and the jackknife takes
        R - 1.
    needed : tuple
        Names of blocks whose deletion leaves no treated pair. There is no refit without them, and a
        jackknife over the others would treat a block on which the estimate rests as if it had no
        error (Hansen 2025), so there is no variance.
    """

    blocks: np.ndarray
    estimates: np.ndarray
    by_design: Callable[[], np.ndarray | None] = lambda: None
    needed: tuple = ()

    @property
    def df(self) -> np.ndarray | None:
        """Degrees of freedom by design (C,) (`design_df`); NaN or None where they are not known."""
        return self.by_design()

    def lost(self) -> np.ndarray:
        """Return whether the deletion of some block loses a coefficient; shape (C,) bool."""
        return ~np.isfinite(self.estimates).all(axis=0) | bool(self.needed)

    def variance(self, estimate: np.ndarray) -> np.ndarray:
        """Jackknife variance (R - 1)/R sum_r (b_(-r) - b)^2 of each coefficient, NaN where a
        deletion loses it; shape (C,).
        """
        n = len(self.blocks)
        if n < 2 or self.needed:
            return np.full(len(estimate), np.nan)
        return (n - 1) / n * ((self.estimates - estimate) ** 2).sum(axis=0)

    def covariance(self, estimate: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
        """Jackknife covariance (k, k) of the chosen coefficients; None with R <= k, a lost
        coefficient, or not of full rank.
        """
        n, k = len(self.blocks), len(chosen)
        deviations = self.estimates[:, chosen] - estimate[chosen]
        if k == 0 or n <= k or self.needed or not np.isfinite(deviations).all():
            return None
        covariance = (n - 1) / n * np.einsum("ra,rb->ab", deviations, deviations)
        scale = np.sqrt(np.diag(covariance))
        if (scale <= 0).any() or np.linalg.matrix_rank(
            covariance / np.outer(scale, scale), tol=1e-7, hermitian=True
        ) < k:
            return None
        return covariance

    def joint_f(self, estimate: np.ndarray, chosen: np.ndarray) -> tuple[float, int, int]:
        """F that the chosen coefficients are zero, with the jackknife covariance, and its degrees
        of freedom k and R - k.

        F = th' V^-1 th (R - k)/(k (R - 1)); NaN without a `covariance`.
        """
        n, k = len(self.blocks), len(chosen)
        covariance = self.covariance(estimate, chosen)
        if covariance is None:
            return float("nan"), k, n - k
        scale = np.sqrt(np.diag(covariance))
        scaled = estimate[chosen] / scale
        wald = float((scaled * np.linalg.solve(covariance / np.outer(scale, scale), scaled)).sum())
        return wald * (n - k) / (k * (n - 1)), k, n - k


def sum_sample(
    sample: FitSample,
    values: np.ndarray,
    n_shared: int,
    cell: np.ndarray | None = None,
    shape: tuple[int, int] | None = None,
) -> SampleSums:
    """Return sums of the statistics (P, D) of the kept pairs, the first of which hold no outcome,
    by cohort group or by the cells (P,) of C blocks and G groups, which `shape` counts.
    """
    cell = sample.pair_group if cell is None else cell
    shape = (1, sample.n_groups) if shape is None else shape
    cities = city_sums_of(sample, values, cell, (shape[0] * shape[1], n_shared))
    return SampleSums.of(cities, shape)


def sums_without_cities(sample: FitSample, sums: SampleSums) -> tuple[np.ndarray, np.ndarray]:
    """Return ids (H,) of the cities that hold a kept pair, and the sums (H, C, G, D) of the
    statistics without each.
    """
    held = sums.by_city[..., 0].sum(axis=(1, 2)) > 0.5
    return sample.panel.city_ids[held], (sums.totals[None] - sums.by_city)[held]


def sums_without_provinces(
    sample: FitSample, sums: SampleSums
) -> tuple[np.ndarray, np.ndarray, tuple]:
    """Return the names (R,) of the provinces that can be left out, the sums (R, C, G, D) without
    each, and the names of those whose deletion leaves no treated pair (`Refits.needed`).
    """
    names, province = np.unique(sample.panel.province, return_inverse=True)
    cities, province = sums.cities, province.reshape(-1)
    n_cells = sums.totals.shape[0] * sums.totals.shape[1]
    by_province = bincount_columns(
        cities.sums, province[cities.city] * n_cells + cities.group, (len(names), n_cells)
    )
    left_out = by_province - cities.inside
    deleted = sums.totals[None] - left_out.reshape(-1, *sums.totals.shape)
    holds = by_province[:, :, 0].sum(axis=1) > 0.5
    leaves_pilot = deleted[:, :, 1:, 0].sum(axis=(1, 2)) > 0.5
    chosen = holds & leaves_pilot
    return names[chosen], deleted[chosen], tuple(names[holds & ~leaves_pilot].tolist())
