"""Candidates that stayed after screening, those added then, both channels and the warning, with the
product's own terms and draws.
"""

from __future__ import annotations

import numpy as np

from estimation.primary.city_panel import build_panel, lacking
from estimation.primary.contrast import (
    CALMING_BEFORE,
    LOADING,
    OWN_VARIANCE,
    PRIMARY,
    Kind,
    calmer,
    efficient_contrast,
    least_squares_contrast,
)
from estimation.primary.interval import drawn_statistics
from estimation.primary.permutation import draw_places, rank_p
from estimation.primary.scores import (
    cm_scores,
    gap_cut,
    own_shock,
    primary_scores,
    reference,
    standardise,
)
from estimation.primary.statistics import Drawn, gather

from .designs import Panel


def _two_scores(z: np.ndarray, m: np.ndarray, cut: float) -> np.ndarray:
    return primary_scores(z, m, cut)[:, z.shape[1] :]


CONTRASTS = {
    "contrast_2": Kind("contrast_2", _two_scores, calmer),
    "contrast_3": PRIMARY,
    "channel own_variance": OWN_VARIANCE,
    "channel loading": LOADING,
    "warning calming": CALMING_BEFORE,
}


def _errors(name: str, drawn: Drawn) -> dict[str, float]:
    """p with the mean of both variances, and with the variance clustered by city and by block
    alone.
    """
    found = {name: rank_p(drawn.statistic)}
    for suffix, variance in (("city", drawn.city), ("block", drawn.block)):
        found[f"{name}, {suffix}"] = rank_p(drawn.estimate / np.sqrt(np.maximum(variance, 1e-300)))
    return found


def p_values(
    panel: Panel, draws: int, rng: np.random.Generator, every: bool = True
) -> dict[str, float]:
    """p of each candidate; empty where there is no verdict.

    Parameters
    ----------
    panel : Panel
    draws : int
    rng : numpy Generator
    every : bool
        False: T3 and what ships alone.
    """
    cities = build_panel(panel.growth, panel.years, panel.cohort, panel.block)
    if lacking(cities):
        return {}
    z = standardise(cities.growth)
    m = reference(z, cities.label, cities.block)
    gap, own, cut = np.abs(z - m), np.abs(own_shock(z, m)), gap_cut(z, m)
    scores = {
        "t3": cm_scores(z, m),
        "t3_winsor": -(np.minimum(gap, cut) ** 2) / 2,
        "abs_gap": -gap,
        "abs_own": -own,
        "rel_abs": -own / own.mean(axis=1, keepdims=True),
    }
    design, shipped = (
        cities.design,
        ("t3", "contrast_3", "channel own_variance", "channel loading", "warning calming"),
    )
    terms = {
        name: least_squares_contrast(values, design).terms
        for name, values in scores.items()
        if every or name in shipped
    }
    terms |= {
        n: efficient_contrast(z, m, cities.years, design, kind).terms
        for n, kind in CONTRASTS.items()
        if every or n in shipped
    }
    places, labels = draw_places(cities.label, cities.block, draws, rng)
    found: dict[str, float] = {}
    for name, made in terms.items():
        found |= _errors(name, gather(made, design, places, labels))
        if name in CONTRASTS:
            found[name] = rank_p(drawn_statistics(CONTRASTS[name], z, m, cities, places, labels))
    return found
