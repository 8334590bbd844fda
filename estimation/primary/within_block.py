"""The same design on any outcome of cities: city and block x year effects, dealt within blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .city_panel import CityPanel, build_panel, lacking
from .contrast import treatment_contrast
from .fit import NO_VARIATION
from .interval import Tested, judge
from .redeal import deal, draw_statistics


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
    city_means, years, cohort, block, *, permutations: int = 9999, seed: int = 1
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
    dealt = deal(panel.block, permutations, [seed, 0])
    said = counted(panel)
    reasons = lacking(panel)
    if not reasons:
        contrast = treatment_contrast(panel)
        draws = draw_statistics(panel.growth, contrast, panel.label, panel.block, dealt)
        reasons = () if draws.varies else (NO_VARIATION,)
    if reasons:
        return replace(said, reason=" ".join(reasons), warnings=panel.notes + reasons)
    stuck = said.n_pilots - int(panel.movable.sum())
    text = f"{stuck} pilots have no never-pilot in their block and say nothing here."
    return replace(
        said,
        **vars(judge(draws)[0]),
        std_error=float(np.sqrt(draws.error[0, 0])),
        warnings=panel.notes + ((text,) if stuck else ()),
    )


def counted(panel: CityPanel) -> WithinBlockResult:
    """A result without figures: what the panel holds."""
    return WithinBlockResult(
        n_cities=len(panel.label),
        n_pilots=int((panel.label > 0).sum()),
        n_blocks=int(panel.mixed.sum()),
        warnings=panel.notes,
    )
