"""Refits without a province or a city (METHODS.md, section 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimation.methods.city_weights import city_sums_of, jackknife_df, province_positions
from estimation.methods.designs import Design
from estimation.methods.least_squares import Solution, outcome_weights, solve, spread_outcome_weights
from estimation.methods.panel_data import Sample
from estimation.methods.sufficient import PairStatistics, sum_by_city, sum_by_group, sum_inside


@dataclass(frozen=True)
class Refits:
    """Coefficients of one outcome after the deletion of each block of cities.

    Attributes
    ----------
    blocks : (R,) array
        Names of the deleted provinces or cities.
    estimates : (R, C) float array
        NaN where a coefficient is not identified without the block.
    df : (C,) float array, optional
        Degrees of freedom by design (`design_df`); NaN or None where they are not known.
    """

    blocks: np.ndarray
    estimates: np.ndarray
    df: np.ndarray | None = None

    def take(self, columns: np.ndarray) -> Refits:
        """The refits of some coefficients."""
        return Refits(self.blocks, self.estimates[:, columns], None if self.df is None else self.df[columns])

    def variance(self, estimate: np.ndarray) -> np.ndarray:
        """Jackknife variance (R - 1)/R sum_r (b_(-r) - b)^2 of each coefficient, NaN where a refit loses it; shape (C,)."""
        n = len(self.blocks)
        if n < 2:
            return np.full(len(estimate), np.nan)
        return (n - 1) / n * ((self.estimates - estimate) ** 2).sum(axis=0)

    def shares(self, estimate: np.ndarray) -> np.ndarray:
        """Share of each block in the jackknife sum; shape (R, C)."""
        squares = (self.estimates - estimate) ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return squares / squares.sum(axis=0)

    def covariance(self, estimate: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
        """Jackknife covariance (k, k) of the chosen coefficients; None with R <= k, a lost coefficient, or not of full rank."""
        n, k = len(self.blocks), len(chosen)
        deviations = self.estimates[:, chosen] - estimate[chosen]
        if k == 0 or n <= k or not np.isfinite(deviations).all():
            return None
        covariance = (n - 1) / n * np.einsum("ra,rb->ab", deviations, deviations)
        scale = np.sqrt(np.diag(covariance))
        if (scale <= 0).any() or np.linalg.matrix_rank(covariance / np.outer(scale, scale), tol=1e-7, hermitian=True) < k:
            return None
        return covariance

    def joint_f(self, estimate: np.ndarray, chosen: np.ndarray) -> tuple[float, int, int]:
        """F that the chosen coefficients are zero, with the jackknife covariance, and its degrees of freedom k and R - k.

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


def leave_out_cities(sample: Sample, statistics: PairStatistics, design: Design) -> list[Refits]:
    """Refits without each city that holds a kept pair, one `Refits` an outcome; treatment coefficients first, then controls."""
    cities, deleted = sums_without_cities(sample, statistics.values)
    return _refits(solve(deleted, design.x, statistics), cities, design, statistics)


def leave_out_provinces(sample: Sample, statistics: PairStatistics, design: Design) -> list[Refits]:
    """Refits without each province: every pair with a city in it goes; z and the tie mask stay.

    A province whose deletion leaves no pilot is skipped.

    Parameters
    ----------
    sample : Sample
        With provinces.
    statistics : PairStatistics
    design : Design

    Returns
    -------
    list of Refits
        One an outcome of the sample.
    """
    provinces, deleted = sums_without_provinces(sample, statistics.values)
    totals = sum_by_group(statistics.values[sample.kept], sample.pair_group[sample.kept], sample.n_groups)
    # the whole sample comes last
    solution = solve(np.concatenate([deleted, totals[None]]), design.x, statistics)
    return _refits(solution, provinces, design, statistics, _df_by_design(sample, statistics, design, provinces, solution.inverse))


def sums_without_cities(sample: Sample, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids (H,) of the cities that hold a kept pair, and the sums by group (H, G + 1, D) of the statistics (P, D) without each."""
    held = np.zeros(sample.panel.n_cities, dtype=bool)
    held[sample.panel.city_i[sample.kept]] = held[sample.panel.city_j[sample.kept]] = True
    by_city, totals = _sums(sample, values)
    return sample.panel.city_ids[held], (totals[None] - by_city)[held]


def sums_without_provinces(sample: Sample, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Names (R,) of the provinces that can go, and the sums by group (R, G + 1, D) of the statistics (P, D) without each."""
    panel, kept = sample.panel, sample.kept
    names, province = np.unique(panel.province, return_inverse=True)
    province = province.reshape(-1)
    by_city, totals = _sums(sample, values)
    by_province = np.zeros((len(names), *by_city.shape[1:]))
    np.add.at(by_province, province, by_city)
    i, j, group = panel.city_i[kept], panel.city_j[kept], sample.pair_group[kept]
    inside = sum_inside(values[kept], province[i], province[j], group, (len(names), sample.n_groups))
    deleted = totals[None] - by_province + inside
    holds = by_province[:, :, 0].sum(axis=1) > 0.5
    leaves_pilot = deleted[:, 1:, 0].sum(axis=1) > 0.5
    chosen = holds & leaves_pilot
    return names[chosen], deleted[chosen]


def _sums(sample: Sample, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    panel, kept = sample.panel, sample.kept
    values, group = values[kept], sample.pair_group[kept]
    by_city = sum_by_city(values, panel.city_i[kept], panel.city_j[kept], group, (panel.n_cities, sample.n_groups))
    return by_city, sum_by_group(values, group, sample.n_groups)


def _df_by_design(
    sample: Sample, statistics: PairStatistics, design: Design, provinces: np.ndarray, inverses: np.ndarray
) -> np.ndarray | None:
    """Degrees of freedom (C,) of the jackknife of every outcome; None without a refit."""
    if len(provinces) == 0:
        return None
    weights = [outcome_weights(inverse, design.x, statistics.layout) for inverse in inverses]
    sums = city_sums_of(sample, statistics.values[:, : statistics.layout.gram_start])
    return jackknife_df(
        sums, province_positions(sample, provinces), lambda b, rows, group: spread_outcome_weights(*weights[b], rows, group, statistics)
    )


def _refits(
    solution: Solution, blocks: np.ndarray, design: Design, statistics: PairStatistics, df: np.ndarray | None = None
) -> list[Refits]:
    """One an outcome, from the first solutions of a batch."""
    n, n_controls, n_years = len(blocks), statistics.layout.n_controls, statistics.layout.n_years
    start = n_years - 1 + n_controls
    columns = np.concatenate([np.arange(start, start + len(design.event_times)), np.arange(n_years - 1, start)])
    scale = np.concatenate([np.ones(len(design.event_times)), statistics.control_scale])
    refits = []
    for m in range(statistics.layout.n_outcomes):
        estimates = np.where(solution.lost[:n, columns], np.nan, solution.theta[:n, m, columns]) / scale
        refits.append(Refits(blocks, estimates, df))
    return refits
