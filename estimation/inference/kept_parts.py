"""Collect what a fit keeps next to its estimates for pictures and further tests: placebo estimates,
refits and covariances.
"""

from __future__ import annotations

import numpy as np

from ..influence.influence_fit import InfluenceFit
from ..influence.jackknife import Refits
from ..results import FitParts
from .permutation.draws import Draws


def parts_of(
    fit: InfluenceFit, draws: Draws | None, held: np.ndarray, pilots: np.ndarray | None
) -> FitParts:
    """Return what pictures of a fit are drawn from, and its covariances.

    Parameters
    ----------
    fit : InfluenceFit
    draws : Draws or None
    held, pilots : (N,) bool arrays
        Cities that hold a kept pair, and those of them that are treated; None where treatment is by
        pair.
    """
    placebos = {}
    if draws is not None:
        placebos = {
            label: draws.of(at)[0]
            for label, at in zip(fit.labels, fit.columns, strict=True)
            if at >= 0
        }
    without_block = _by_label(fit, fit.provinces)
    without_city = _by_label(fit, fit.cities)
    return FitParts(placebos, without_block, without_city, _covariances(fit, held, pilots))


def _by_label(fit: InfluenceFit, refits: Refits | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return of each coefficient the blocks, and the estimates without each of them."""
    found = {}
    if refits is not None:
        for c, label in enumerate(fit.labels):
            found[label] = (refits.blocks, refits.estimates[:, c])
    return found


def _covariances(
    fit: InfluenceFit, held: np.ndarray, pilots: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Return the covariance of the coefficients (C, C) by each inference method that has one."""
    found = {}
    if fit.psi is not None:
        found["conventional"] = fit.psi.T @ fit.psi
        found["dyadic"] = fit.city_sums.T @ fit.city_sums - found["conventional"]
    if pilots is not None and (fit.n_pilots > 1).all():
        is_never = held & ~pilots
        n_never = int(is_never.sum())
        if n_never > 1:
            treated = fit.city_sums[pilots] * np.sqrt(fit.n_pilots / (fit.n_pilots - 1))
            never = fit.city_sums[is_never] * np.sqrt(n_never / (n_never - 1))
            found["city"] = treated.T @ treated + never.T @ never
    if fit.provinces is not None and not fit.provinces.needed:
        moved, n = fit.provinces.estimates - fit.estimate, len(fit.provinces.blocks)
        found["province_jackknife"] = (n - 1) / n * moved.T @ moved
    return found
