"""The same design on any outcome of pairs: means over never-pilot partners, city and block x year
effects, permuted within blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..panel.pair_panel import PairPanel
from ..results import Estimate, FitResult, NotEstimable
from . import WITHIN_BLOCK
from .city_panel import build_panel, lacking
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


def fit_pair_panel(panel: PairPanel, *, permutations: int = 9999, seed: int = 1) -> FitResult:
    """`fit_within_block` on the only outcome of a pair panel, provinces as blocks.

    Parameters
    ----------
    panel : PairPanel
        With provinces, and pilots that are known.
    permutations, seed : int

    Returns
    -------
    FitResult
        One estimate, ``treated``, under ``permutation``.

    Raises
    ------
    NotEstimable
        If provinces or pilots are unknown, or the panel lacks what the test needs; the message says
        what.
    ValueError
        If there are several outcomes, or as `fit_primary`.
    """
    if panel.n_outcomes != 1:
        raise ValueError(f"{WITHIN_BLOCK} takes one outcome, found {panel.n_outcomes}")
    if panel.province is None or not panel.pilots_known:
        raise NotEstimable(
            f"{WITHIN_BLOCK} compares pilots with cities of their own province: give "
            "province_i_id and province_j_id, and "
            "city_i_cohort_year and city_j_cohort_year where the pairs alone do not tell which "
            "city is the pilot"
        )
    never = panel.city_cohort == 0
    means = partner_means(panel.y[0], panel.city_i, panel.city_j, never)
    block = np.unique(panel.province, return_inverse=True)[1].reshape(-1)
    found = fit_within_block(
        means, panel.years, panel.city_cohort, block, permutations=permutations, seed=seed
    )
    if found.p_value is None:
        raise NotEstimable(f"{WITHIN_BLOCK}: " + " ".join(found.warnings))
    numbers = (
        found.estimate,
        found.std_error,
        found.ci_low,
        found.ci_high,
        found.p_value,
        found.n_pilots,
    )
    estimate = Estimate("treated", None, None, "permutation", True, *numbers)
    observed = np.isfinite(panel.y[0])
    counts = {
        "n_obs": int(observed.sum()),
        "n_pairs": int(observed.any(axis=1).sum()),
        "n_cities": found.n_cities,
        "n_pilots": found.n_pilots,
    }
    return FitResult(
        WITHIN_BLOCK, (estimate,), (("n_blocks", None, found.n_blocks),), found.warnings, **counts
    )


def partner_means(
    y: np.ndarray, city_i: np.ndarray, city_j: np.ndarray, never: np.ndarray
) -> np.ndarray:
    """a_it, the mean of a pair outcome over a city's never-pilot partners.

    Parameters
    ----------
    y : (P, T) float array
        NaN where a pair has no value; means are over the partners with one.
    city_i, city_j : (P,) int arrays
        Positions of the two cities.
    never : (N,) bool array

    Returns
    -------
    (N, T) float array
        NaN where a city has no such partner.
    """
    sums, counts = np.zeros((len(never), y.shape[1])), np.zeros((len(never), y.shape[1]))
    present = np.isfinite(y)
    filled = np.where(present, y, 0.0)
    for own, partner in ((city_i, city_j), (city_j, city_i)):
        rows = never[partner]
        np.add.at(sums, own[rows], filled[rows])
        np.add.at(counts, own[rows], present[rows].astype(float))
    return np.where(counts > 0, sums / np.where(counts > 0, counts, 1.0), np.nan)


def fit_within_block(
    city_means, years, cohort, block, *, permutations: int = 9999, seed: int = 1
) -> WithinBlockResult:
    """Pilot x post on cities' means with city and block x year effects; admissions permuted within
    blocks.

    For `cm` over all pairs this is the test T3: `city_means` is then -(z_it - m_t)^2 / 2 up to
    terms without the city. The p is the rank of the coefficient over its error (the mean of the
    variances clustered by city and by block); the interval holds the additive effects whose removal
    leaves a panel that the same test does not reject, so p < 0.05 exactly where 0 is outside.

    Parameters
    ----------
    city_means : (N, T) float array
        From `partner_means`; cities with a NaN are left out.
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
    said = WithinBlockResult(
        n_cities=len(panel.label),
        n_pilots=int((panel.label > 0).sum()),
        n_blocks=int(panel.mixed.sum()),
        warnings=panel.notes,
    )
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
