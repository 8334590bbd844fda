"""Variances, intervals and the default variance estimator of each coefficient of a fit
(docs/methods, section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..influence.influence_fit import InfluenceFit
from ..panel.fit_sample import FitSample
from .permutation.draws import Draws, critical_value, permutation_p_value
from .variances import (
    MIN_PILOTS,
    Interval,
    at_least,
    city_variance,
    default_vcov,
    jackknife_degrees,
    score_variance,
    t_interval,
)

# influence values of an outcome that pair and year effects explain in full are rounding noise;
# relative to the estimate and to the size of the outcome
EXACT_FIT = 1e-24
# treatment by pair has few degrees of freedom by design where its pairs share few cities: from
# here on it has more than one
MIN_TREATED = 2.001


@dataclass(frozen=True)
class Inference:
    """Inference on the C coefficients of a fit.

    Attributes
    ----------
    variances : dict of (C,) float arrays
        ``conventional, dyadic, score`` (sum of squared city sums), ``city``,
        ``province_jackknife``; NaN where a line has none.
    intervals : tuple of dict, length C
        Interval by variance estimator, only for those that this panel offers.
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


def infer(
    sample: FitSample, fit: InfluenceFit, draws: Draws | None, size: float = 1.0
) -> Inference:
    """Return every variance estimator for every coefficient.

    Parameters
    ----------
    sample : FitSample
    fit : InfluenceFit
    draws : Draws or None
        None where no permutation was run.
    size : float
        Largest absolute value of the outcome, at most 1.

    Returns
    -------
    Inference
    """
    variances = _variances(sample, fit, size)
    n_provinces = 0 if fit.provinces is None else len(fit.provinces.blocks)
    by_design = None if fit.provinces is None else fit.provinces.df
    degrees = [
        jackknife_degrees(n_provinces, n, None if by_design is None else by_design[c])
        for c, n in enumerate(fit.n_pilot_provinces)
    ]
    intervals, defaults = [], []
    for c in range(len(fit.estimate)):
        intervals.append(
            _coefficient_intervals(sample, fit, draws, variances, degrees[c], fit.n_treated[c], c)
        )
        has_jackknife = bool(np.isfinite(variances["province_jackknife"][c]))
        has_city = bool(np.isfinite(variances["city"][c]))
        # admissions are permuted, controls are not
        is_carried = (
            fit.provinces is not None and fit.columns[c] >= 0 and bool(fit.provinces.lost()[c])
        )
        defaults.append(
            "dyadic"
            if not sample.panel.pilots_known
            else default_vcov(
                fit.n_pilots[c],
                fit.n_pilot_provinces[c],
                n_provinces,
                has_jackknife,
                has_city,
                is_carried,
            )
        )
    return Inference(variances, tuple(intervals), tuple(defaults), n_provinces, np.array(degrees))


def leads_by_pair(sample: FitSample, fit: InfluenceFit) -> np.ndarray:
    """Return leads that have a dyadic error where treatment is by pair; positions of
    coefficients.
    """
    found = []
    for c, (term, _, event_time) in enumerate(fit.terms):
        is_lead = term == "event" and event_time is not None and event_time < 0
        if is_lead and fit.n_treated[c] >= MIN_TREATED:
            found.append(c)
    return np.array(found, dtype=np.int64)


def covariance_by_pair(
    sample: FitSample, fit: InfluenceFit, chosen: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Dyadic covariance of the chosen coefficients (k, k) where treatment is by pair, not below
    that by pair, and the least of their degrees of freedom; None where pairs are not listed.
    """
    if fit.psi is None:
        return None
    psi, city_sums = fit.psi[:, chosen], fit.city_sums[:, chosen]
    by_pair = psi.T @ psi
    df = float(fit.n_treated[chosen].min()) - 1
    return at_least(city_sums.T @ city_sums - by_pair, by_pair), df


def _variances(sample: FitSample, fit: InfluenceFit, size: float) -> dict[str, np.ndarray]:
    missing = np.full(len(fit.estimate), np.nan)
    held, pilot = sample.holds_kept_pair, sample.panel.city_cohort > 0
    score = score_variance(fit.city_sums)
    variances = {
        "conventional": fit.squares,
        "dyadic": score - fit.squares,
        "score": score,
        "city": city_variance(fit.city_sums, held & pilot, held & ~pilot, fit.n_pilots)
        if sample.panel.pilots_known
        else missing,
        "province_jackknife": missing
        if fit.provinces is None
        else fit.provinces.variance(fit.estimate),
    }
    is_exact = score <= EXACT_FIT * np.maximum(fit.estimate**2, size**2)
    return {name: np.where(is_exact, np.nan, value) for name, value in variances.items()}


def intervals_of(
    estimate: float,
    variances: Mapping[str, float],
    *,
    n_pairs: int,
    n_pilots: float,
    jackknife_df: float,
    least: float = MIN_PILOTS,
) -> dict[str, Interval]:
    """Return the interval of one coefficient under each variance estimator that is given.

    Parameters
    ----------
    estimate : float
    variances : mapping of str to float
        By variance estimator, of ``conventional, dyadic, city, province_jackknife``.
    n_pairs : int
        Kept pairs: the conventional t has one degree of freedom less.
    n_pilots : int
        Of `TreatedCounts.effective`; with fewer than `least` every interval is empty.
    jackknife_df : float
        Degrees of freedom of the jackknife's t.

    Returns
    -------
    dict
        Interval by variance estimator, in the order given.
    """
    degrees = {
        "conventional": n_pairs - 1,
        "dyadic": n_pilots - 1,
        "city": n_pilots - 1,
        "province_jackknife": jackknife_df,
    }
    enough = n_pilots >= least
    return {
        name: t_interval(estimate, variance, degrees[name]) if enough else Interval()
        for name, variance in variances.items()
    }


def _coefficient_intervals(
    sample, fit, draws, variances, jackknife_df, n_treated, c
) -> dict[str, Interval]:
    offered = ["conventional", "dyadic"]
    if sample.panel.pilots_known:
        offered.append("city")
    if fit.provinces is not None:
        offered.append("province_jackknife")
    estimate = float(fit.estimate[c])
    least: float = MIN_PILOTS
    if not sample.panel.pilots_known:
        least = MIN_TREATED
    shown = {name: variances[name][c] for name in offered}
    # near zero or below it is chance: the error is never less than that by pair
    shown["dyadic"] = np.maximum(shown["dyadic"], shown["conventional"])
    intervals = intervals_of(
        estimate,
        shown,
        n_pairs=sample.n_pairs,
        n_pilots=n_treated,
        least=least,
        jackknife_df=jackknife_df,
    )
    if draws is not None and fit.columns[c] >= 0:
        drawn = draws.of(fit.columns[c])[1]
        intervals["permutation"] = permutation_interval(
            estimate, variances["score"][c], drawn, draws.is_enumeration, n_treated >= least
        )
    return intervals


def permutation_interval(
    estimate: float, score: float, drawn: np.ndarray, is_enumeration: bool, is_enough: bool
) -> Interval:
    """Permutation p of a coefficient and its interval, estimate +- q* sqrt(sum of squared city
    sums); see `critical_value`.

    Parameters
    ----------
    estimate, score : float
        The coefficient and its sum of squared city sums.
    drawn : (B,) float array
        Statistics of the draws.
    is_enumeration : bool
    is_enough : bool
        Whether so much is treated that there is an interval; else there is a p value alone.
    """
    if not np.isfinite(score):
        return Interval()
    root = float(np.sqrt(score))
    p_value = permutation_p_value(abs(estimate) / root, drawn, is_enumeration)
    half = critical_value(drawn, is_enumeration) * root
    if not is_enough or not np.isfinite(half):
        return Interval(p_value=p_value, draws=len(drawn))
    return Interval(None, estimate - half, estimate + half, p_value, len(drawn))
