"""What a fit keeps beside its estimates: placebo estimates, refits and covariances."""

from __future__ import annotations

import numpy as np

from ..influence.influence_fit import InfluenceFit
from ..results import FitParts
from .permutation.draws import Draws


def parts_of(fit: InfluenceFit, draws: Draws | None) -> FitParts:
    """What pictures of a fit are drawn from."""
    placebos = {}
    if draws is not None:
        placebos = {
            label: draws.of(at)[0]
            for label, at in zip(fit.labels, fit.columns, strict=True)
            if at >= 0
        }
    without = [
        {}
        if refits is None
        else {label: (refits.blocks, refits.estimates[:, c]) for c, label in enumerate(fit.labels)}
        for refits in (fit.provinces, fit.cities)
    ]
    return FitParts(placebos, *without, _covariances(fit))


def _covariances(fit: InfluenceFit) -> dict[str, np.ndarray]:
    """Covariance of the coefficients (C, C) under the lines that have one."""
    found = {}
    if fit.psi is not None:
        found["conventional"] = fit.psi.T @ fit.psi
        found["dyadic"] = fit.city_sums.T @ fit.city_sums - found["conventional"]
    if fit.provinces is not None and not fit.provinces.carriers:
        moved, n = fit.provinces.estimates - fit.estimate, len(fit.provinces.blocks)
        found["province_jackknife"] = (n - 1) / n * moved.T @ moved
    return found
