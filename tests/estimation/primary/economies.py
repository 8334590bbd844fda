"""Small simulated city panels for the tests of the primary test."""

import numpy as np

from estimation.primary.city_panel import build_panel
from estimation.primary.contrast import treatment_contrast
from estimation.primary.permutation import Draws, draw_statistics
from tests.estimation.panels import beside_dummies

YEARS = np.arange(2010, 2020)


def draw_panel(
    seed: int, n_blocks: int = 8, per_block: int = 6, calmer: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Growth, years, cohort, block: two pilots per block (2014, 2017), whose own shocks lose the
    share `calmer` of their variance.
    """
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(n_blocks), per_block)
    cohort = np.zeros(len(block), dtype=np.int64)
    cohort[::per_block], cohort[1::per_block] = 2014, 2017
    own = (
        rng.normal(size=(len(block), len(YEARS)))
        + 0.5 * rng.normal(size=(n_blocks, len(YEARS)))[block]
    )
    treated = (cohort[:, None] > 0) & (YEARS[None, :] >= cohort[:, None])
    own = np.where(treated, np.sqrt(1 - calmer) * own, own)
    return 8 + rng.normal(size=len(YEARS))[None, :] + own, YEARS, cohort, block


def plain_measure(series: np.ndarray, is_partner: np.ndarray) -> np.ndarray:
    """Mean of 1 - (z_i - z_j)^2 / 2 over the partners j of each i, of the known cells; `is_partner`
    is (N, N).
    """
    z = ((series.T - np.nanmean(series, axis=1)) / np.nanstd(series, axis=1)).T
    pairs = [1 - (own - z[others]) ** 2 / 2 for own, others in zip(z, is_partner, strict=True)]
    return np.array([np.ma.masked_invalid(rows).mean(axis=0).filled(np.nan) for rows in pairs])


def draws_of(given: tuple, permuted: np.ndarray) -> Draws:
    """The statistic of growth, years, cohort and block under permuted admissions."""
    panel = build_panel(*given)
    y = panel.measured(panel.growth)[2]
    return draw_statistics(y, treatment_contrast(panel), panel.label, panel.block, permuted)


def within_blocks(y, paths, block, controls=()):
    """Least squares of the known cells of y on paths and controls, all (N, T), beside a dummy for
    every city and every year of a block: coefficients, and each city's influence.
    """
    city, year = np.nonzero(np.isfinite(y))
    x = np.column_stack([path[city, year] for path in paths])
    of_cells = [control[city, year] for control in controls]
    cell = block[city] * 100 + year
    return beside_dummies(y[city, year], x, city, cell, controls=of_cells)
