"""All lines of inference of a fit: variances, intervals and the default line of each coefficient (docs/methods, section 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..influence.influence_fit import InfluenceFit
from ..panel.pair_panel import Sample
from .permutation.draws import Draws, critical_value, permutation_p_value
from .variances import (
    MIN_PILOTS,
    Interval,
    city_variance,
    conventional_variance,
    default_line,
    dyadic_variance,
    jackknife_degrees,
    score_variance,
    t_interval,
)

# influence values of an outcome that pair and year effects explain in full are rounding noise
EXACT_FIT = 1e-24


@dataclass(frozen=True)
class Lines:
    """Inference on the C coefficients of a fit.

    Attributes
    ----------
    variances : dict of (C,) float arrays
        ``conventional, dyadic, score`` (sum of squared city sums), ``city``, ``province_jackknife``; NaN where a line has none.
    intervals : tuple of dict, length C
        Interval by line, only for the lines this panel offers.
    defaults : tuple of str, length C
    n_provinces : int
        Refits of the jackknife, 0 without provinces.
    jackknife_df : (C,) float array
        Degrees of freedom of the jackknife's t.
    """

    variances: dict[str, np.ndarray]
    intervals: tuple[dict[str, Interval], ...]
    defaults: tuple[str, ...]
    n_provinces: int
    jackknife_df: np.ndarray


def held_cities(sample: Sample) -> np.ndarray:
    """Cities that hold a kept pair; shape (N,) bool."""
    held = np.zeros(sample.panel.n_cities, dtype=bool)
    held[sample.panel.city_i[sample.kept]] = held[sample.panel.city_j[sample.kept]] = True
    return held


def infer(sample: Sample, fit: InfluenceFit, draws: Draws | None) -> Lines:
    """Every line for every coefficient.

    Parameters
    ----------
    sample : Sample
    fit : InfluenceFit
    draws : Draws or None
        None where no permutation was run.

    Returns
    -------
    Lines
    """
    variances = _variances(sample, fit)
    n_provinces = 0 if fit.provinces is None else len(fit.provinces.blocks)
    by_design = None if fit.provinces is None else fit.provinces.df
    degrees = [jackknife_degrees(n_provinces, n, None if by_design is None else by_design[c]) for c, n in enumerate(fit.n_pilot_provinces)]
    intervals, defaults = [], []
    for c in range(len(fit.estimate)):
        intervals.append(_coefficient_lines(sample, fit, draws, variances, degrees[c], c))
        has_jackknife = bool(np.isfinite(variances["province_jackknife"][c]))
        has_city = bool(np.isfinite(variances["city"][c]))
        defaults.append(default_line(fit.n_pilots[c], fit.n_pilot_provinces[c], n_provinces, has_jackknife, has_city))
    return Lines(variances, tuple(intervals), tuple(defaults), n_provinces, np.array(degrees))


def _variances(sample: Sample, fit: InfluenceFit) -> dict[str, np.ndarray]:
    missing = np.full(len(fit.estimate), np.nan)
    held, pilot = held_cities(sample), sample.panel.city_cohort > 0
    score = score_variance(fit.city_sums)
    variances = {
        "conventional": conventional_variance(fit.psi),
        "dyadic": dyadic_variance(fit.psi, fit.city_sums),
        "score": score,
        "city": city_variance(fit.city_sums, held & pilot, held & ~pilot, fit.n_pilots) if sample.panel.pilots_known else missing,
        "province_jackknife": missing if fit.provinces is None else fit.provinces.variance(fit.estimate),
    }
    is_exact = score <= EXACT_FIT * np.maximum(fit.estimate**2, 1.0)
    return {name: np.where(is_exact, np.nan, value) for name, value in variances.items()}


def _coefficient_lines(sample, fit, draws, variances, jackknife_df, c) -> dict[str, Interval]:
    estimate, df = float(fit.estimate[c]), fit.n_pilots[c] - 1
    degrees = {"conventional": int(sample.kept.sum()) - 1, "dyadic": df}
    if sample.panel.pilots_known:
        degrees["city"] = df
    if fit.provinces is not None:
        degrees["province_jackknife"] = jackknife_df
    enough = fit.n_pilots[c] >= MIN_PILOTS
    lines = {name: t_interval(estimate, variances[name][c], d) if enough else Interval() for name, d in degrees.items()}
    if draws is not None and fit.columns[c] >= 0:
        lines["permutation"] = _permutation_line(estimate, variances["score"][c], draws, fit.columns[c], enough)
    return lines


def _permutation_line(estimate: float, score: float, draws: Draws, column: int, enough: bool) -> Interval:
    if not np.isfinite(score):
        return Interval()
    drawn, root = draws.statistic[:, column], float(np.sqrt(score))
    p_value = permutation_p_value(abs(estimate) / root, drawn, draws.is_enumeration)
    half = critical_value(drawn, draws.is_enumeration) * root
    if not enough or not np.isfinite(half):
        return Interval(p_value=p_value)
    return Interval(None, estimate - half, estimate + half, p_value)
