"""The same design on any outcome of cities: city and block x year effects, draws within blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..defaults import DRAWS
from .city_panel import (
    MINIMUM_YEARS_BEFORE,
    NO_VARIATION,
    CityPanel,
    build_panel,
    lacking,
)
from .contrast import treatment_contrast
from .interval import Tested, interval_and_p
from .permutation import Draws, draw_statistics, permute_in_blocks


@dataclass(frozen=True, kw_only=True)
class WithinBlockResult(Tested):
    """Estimate and test of an additive effect on cities' means, in units of the outcome, as of
    `Tested`; without a verdict the warnings, too, say why.

    Attributes
    ----------
    std_error : float or None
    n_cities, n_pilots, n_blocks : int
    warnings : tuple of str
    """

    std_error: float | None = None
    n_cities: int
    n_pilots: int
    n_blocks: int
    warnings: tuple[str, ...]


def fit_within_block(
    city_means, years, cohort, block, *, permutations: int = DRAWS, seed: int = 1
) -> WithinBlockResult:
    """Pilot x post on cities' means with city and block x year effects; admissions permuted within
    blocks.

    For `cm` over all pairs this is the primary test of growth: `city_means` is then -(z_it - m_t)^2
    / 2 up to terms without the city. The p is the rank of the coefficient over its error (the mean
    of the variances clustered by city and by block); the interval holds the additive effects whose
    removal leaves a panel that the same test does not reject, so p < 0.05 exactly where 0 is
    outside.

    Parameters
    ----------
    city_means : (N, T) float array
        Such as `pair_means.partner_means`; cities with a NaN are left out.
    years : (T,) int array
    cohort, block : (N,) arrays
    permutations, seed : int

    Returns
    -------
    WithinBlockResult

    Raises
    ------
    ValueError
        As `fit_primary`.
    """
    panel = build_panel(city_means, years, cohort, block)
    draws = outcome_draws(panel, permute_in_blocks(panel.block, permutations, [seed, 0]))
    return within_block_result(panel, draws, panel.remarks)


def outcome_draws(
    panel: CityPanel, permuted: np.ndarray, *, least_years: int = MINIMUM_YEARS_BEFORE
) -> Draws | None:
    """Return the contrast of a panel's outcome in each draw; None where the panel lacks what it
    needs.
    """
    if lacking(panel, least_years):
        return None
    contrast = treatment_contrast(panel)
    return draw_statistics(panel.growth, contrast, panel.label, panel.block, permuted)


def within_block_result(
    panel: CityPanel,
    draws: Draws | None,
    warnings: tuple[str, ...],
    *,
    least_years: int = MINIMUM_YEARS_BEFORE,
) -> WithinBlockResult:
    """Return what draws on a panel give, with these warnings; without draws that vary, why there is
    no verdict.
    """
    counts = {
        "n_cities": len(panel.label),
        "n_pilots": int((panel.label > 0).sum()),
        "n_blocks": int(panel.mixed.sum()),
    }
    if draws is None or not draws.varies:
        reasons = lacking(panel, least_years) or (NO_VARIATION,)
        warnings = panel.notes + reasons
        return WithinBlockResult(reason=" ".join(reasons), warnings=warnings, **counts)
    error = float(np.sqrt(draws.error[0, 0]))
    return WithinBlockResult(
        **vars(interval_and_p(draws)[0]), std_error=error, warnings=warnings, **counts
    )
