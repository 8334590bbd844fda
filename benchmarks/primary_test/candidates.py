"""The candidates of the race that stayed after screening, the ones added then, and both channels, with the product's own terms and draws."""

from __future__ import annotations

import numpy as np

from estimation.primary.city_panel import build_panel, lacking
from estimation.primary.contrast import LOADING, OWN_VARIANCE, PRIMARY, Kind, calmer, efficient_contrast, least_squares_contrast
from estimation.primary.permutation import draw_places, rank_p
from estimation.primary.scores import cm_scores, gap_cut, own_shock, primary_scores, reference, standardise
from estimation.primary.statistics import Drawn, Terms, gather, make_terms

from .designs import Panel


def _three_scores(z: np.ndarray, m: np.ndarray, cut: float) -> np.ndarray:
    return np.concatenate([-np.abs(z - m), primary_scores(z, m, cut)], axis=1)


THREE = Kind("contrast_3", _three_scores, calmer)


def _errors(name: str, drawn: Drawn) -> dict[str, float]:
    """p with the error clustered by city, by block, and with the mean of both variances."""
    found = {name: rank_p(drawn.statistic)}
    for suffix, variance in (("city", drawn.city), ("block", drawn.block)):
        found[f"{name}, {suffix}"] = rank_p(drawn.estimate / np.sqrt(np.maximum(variance, 1e-300)))
    return found


def p_values(panel: Panel, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """p of each candidate; empty where there is no verdict."""
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
        "abs_own_untreated": np.stack([-np.abs(own_shock(z, m, row == 0)) for row in cities.treated]),
    }
    terms = {name: least_squares_terms(values, cities) for name, values in scores.items()}
    for kind, name in ((PRIMARY, "contrast_2"), (THREE, "contrast_3"), (OWN_VARIANCE, "channel own_variance"), (LOADING, "channel loading")):
        terms[name] = efficient_terms(z, m, cities.years, cities.design, kind)
    places, labels = draw_places(cities.label, cities.block, draws, rng)
    found: dict[str, float] = {}
    for name, made in terms.items():
        found |= _errors(name, gather(made, cities.design, places, labels))
    return found
