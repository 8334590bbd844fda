"""The design of the primary test on any outcome of pairs: means of a city over its never-treated
city partners.
"""

from __future__ import annotations

import numpy as np

from ..defaults import DRAWS
from ..panel.pair_panel import PairPanel
from ..results import Estimate, FitResult, NotEstimable
from . import WITHIN_BLOCK
from .within_block import fit_within_block


def fit_pair_panel(panel: PairPanel, *, permutations: int = DRAWS, seed: int = 1) -> FitResult:
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
            f"{WITHIN_BLOCK} compares pilots with cities of their own province: give the province "
            "of every city, and the admission of cities where the pairs do not tell which of their "
            "cities is the pilot"
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
    # the means are over never-treated cities: a pair of two pilots is in none
    observed = np.isfinite(panel.y[0]) & (never[panel.city_i] | never[panel.city_j])[:, None]
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
    """a_it, the mean of a pair outcome over a city's never-treated partners.

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
