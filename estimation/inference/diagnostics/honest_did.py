"""Compute how far parallel trends may fail before an event study's effects lose their sign (Honest
DiD): breakdown values and robust sets under the two restrictions of `inference.honest_did`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ...influence.influence_fit import InfluenceFit
from ...panel.fit_sample import FitSample
from ...results import Diagnostic
from ..honest_did.relative_magnitudes import breakdown, holds_zero, relative_magnitudes
from ..honest_did.smoothness import smoothness_path
from ..intervals import covariance_by_pair
from ..variances import MIN_PILOTS, jackknife_degrees

# bounds of the sets: times the largest change of trend before admission, and changes of slope in
# standard errors of the effect a year
RELATIVE_BOUNDS = (0.5, 1.0, 2.0)
SMOOTHNESS_BOUNDS = (0.0, 0.5, 1.0)
# where the search for a breakdown value starts, in the same units
FIRST_BOUND = 0.125


def sensitivity_diagnostics(
    sample: FitSample, fit: InfluenceFit, leads: np.ndarray
) -> list[Diagnostic]:
    """Breakdown values and sets of each effect from the year of admission on, with the jackknife
    covariance, or, where treatment is by pair, the dyadic one.

    Needs every lead but the base with pilots enough, and more provinces, or degrees of freedom,
    than coefficients: else nothing.
    """
    event_times = [fit.terms[c][2] for c in leads]
    if not event_times or event_times != list(range(-1 - len(leads), -1)):
        return []
    found: list[Diagnostic] = []
    for c, (term, _, event_time) in enumerate(fit.terms):
        if term != "event" or event_time is None or event_time < 0:
            continue
        chosen = np.append(leads, c)
        given = _covariance(sample, fit, chosen)
        if given is not None:
            covariance, df, df_of_weights = given
            sets = _relative(fit.estimate[chosen], covariance, df, event_time)
            sets |= _smooth(fit.estimate[chosen], covariance, df_of_weights, event_time)
            found += [(name, fit.labels[c], value) for name, value in sets.items()]
    return found


def _covariance(
    sample: FitSample, fit: InfluenceFit, chosen: np.ndarray
) -> tuple[np.ndarray, float, float] | None:
    """Return the covariance of leads and an effect, the last one; degrees of freedom of its error;
    and those of the covariance, with which the weights of smoothness are chosen.
    """
    if not sample.panel.pilots_known:
        given = covariance_by_pair(sample, fit, chosen)
        if given is None or given[1] <= len(chosen):
            return None
        return *given, given[1]
    c = chosen[-1]
    refits = fit.provinces
    if refits is None or fit.n_pilots[c] < MIN_PILOTS:
        return None
    covariance = refits.covariance(fit.estimate, chosen)
    if covariance is None:
        return None
    by_design = None
    if refits.df is not None:
        by_design = refits.df[c]
    n = len(refits.blocks)
    return covariance, jackknife_degrees(n, int(fit.n_pilot_provinces[c]), by_design), n - 1


def _relative(
    theta: np.ndarray, covariance: np.ndarray, df: float, horizon: int
) -> dict[str, float | None]:
    values = {
        "breakdown_relative_magnitudes": breakdown(
            lambda bound: not holds_zero(theta, covariance, df, bound, horizon), FIRST_BOUND
        )
    }
    for bound in RELATIVE_BOUNDS:
        low, high = relative_magnitudes(theta, covariance, df, bound, horizon)
        values |= {
            f"honest_relative_magnitudes_low_{bound:g}": low,
            f"honest_relative_magnitudes_high_{bound:g}": high,
        }
    return _finite(values)


def _smooth(
    theta: np.ndarray, covariance: np.ndarray, df: float, horizon: int
) -> dict[str, float | None]:
    interval = partial(smoothness_path(theta, covariance, horizon).interval, df=df)
    error = float(covariance[-1, -1]) ** 0.5
    values = {
        "breakdown_smoothness": breakdown(
            lambda bound: not _spans_zero(*interval(bound)), FIRST_BOUND * error
        )
    }
    for bound in SMOOTHNESS_BOUNDS:
        low, high = interval(bound * error)
        values |= {
            f"honest_smoothness_low_{bound:g}_se": low,
            f"honest_smoothness_high_{bound:g}_se": high,
        }
    return _finite(values)


def _spans_zero(low: float, high: float) -> bool:
    return low <= 0 <= high


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
