"""Two-way effects on pairs whose never-treated cities are weighted to be like the pilots (entropy
balancing, Hainmueller 2012).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engines.regressors import twfe_design
from ..panel.fit_sample import FitSample
from ..results import Diagnostic, NotEstimable
from .fitted import Fitted, Inputs
from .registry import Estimator
from .two_way import LeastSquaresDraws, fit_least_squares

STEPS = 60
TOLERANCE = 1e-8
# weighted counts are scaled up, so that the rule 'less than half a pair is no pair' never meets a
# small weight
COUNT_SCALE = 1e4
# fewer effective controls than this say that pilots have hardly any counterpart
FEW_CONTROLS = 20
NOTE = (
    "The weights of never-treated cities are kept in the refits without a province or city and "
    "made anew in every permutation draw."
)


def fit(estimator: Estimator, sample: FitSample, inputs: Inputs) -> Fitted:
    """Balance the cities, then weighted least squares with pair and year effects.

    Diagnostics are the standardised gaps before and after weighting and the effective number of
    controls.

    Raises
    ------
    NotEstimable
        If no weights give never-treated cities the pilots' means.
    """
    panel, is_pilot = sample.panel, sample.panel.city_cohort > 0
    known = np.isfinite(inputs.covariates).all(axis=1)
    x = np.where(known[:, None], inputs.covariates, 0.0)
    weights = _weights(x, known, is_pilot)
    if weights is None:
        names = ", ".join(inputs.covariate_names)
        raise NotEstimable(
            f"no weights of never-treated cities reach the pilots' means of {names}: use fewer "
            "covariates"
        )
    # the product of the two cities' weights, scaled up by a constant that no estimate depends on
    per_pair = COUNT_SCALE * weights[panel.city_i] * weights[panel.city_j]
    values = inputs.statistics.values * per_pair[:, None]
    weighted = dataclasses.replace(inputs.statistics, values=values)
    design = twfe_design(sample.group_years, panel.years)
    fits = fit_least_squares(sample, weighted, design, ())
    balance = _balance(x, known, is_pilot, weights, inputs.covariate_names)
    effective: Any = balance[0][2]
    thin: tuple[str, ...] = ()
    if effective < FEW_CONTROLS:
        thin = (
            f"The weights rest on {effective:.1f} never-treated cities (effective number): too "
            "few cities are like the pilots to compare with them.",
        )
    return Fitted(
        sample,
        fits,
        LeastSquaresDraws(inputs.statistics, design),
        city_weights=lambda labels: _drawn_weights(labels, x, known),
        diagnostics=tuple(balance),
        warnings=(NOTE, *thin),
    )


def entropy_weights(x: np.ndarray, is_pilot: np.ndarray) -> np.ndarray | None:
    """Return weights closest to equal ones, in entropy, under which never-treated cities have the
    pilots' covariate means.

    Parameters
    ----------
    x : (N, K) float array
        Without gaps.
    is_pilot : (N,) bool array

    Returns
    -------
    (N,) float array or None
        1 for pilots, mean 1 over never-treated cities; None where no weights reach the pilots'
        means.
    """
    centred = x[~is_pilot] - x[is_pilot].mean(axis=0)
    scale = x.std(axis=0)
    centred = centred[:, scale > 0] / scale[scale > 0]
    weights, found = np.ones(len(x)), _solve_dual(centred)
    if found is None:
        return None
    weights[~is_pilot] = found * len(centred)
    return weights


def _solve_dual(centred: np.ndarray) -> np.ndarray | None:
    """Return shares proportional to exp(x'b) with mean zero of x, by damped Newton steps on log sum
    exp(x'b); None where it has no minimum.
    """
    b = np.zeros(centred.shape[1])
    value, shares = _objective(centred, b)
    for _ in range(STEPS):
        mean = np.einsum("nk,n->k", centred, shares)
        if np.abs(mean).max(initial=0.0) < TOLERANCE:
            return shares
        spread = np.einsum("nk,nl,n->kl", centred, centred, shares) - np.outer(mean, mean)
        step = np.linalg.lstsq(spread, mean, rcond=1e-12)[0]
        size = 1.0
        while size > 1e-6:
            trial, trial_shares = _objective(centred, b - size * step)
            if trial < value:
                break
            size /= 2
        else:
            return None
        b, value, shares = b - size * step, trial, trial_shares
    return None


def _objective(centred: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
    score = np.einsum("nk,k->n", centred, b)
    top = score.max()
    mass = np.exp(score - top)
    return float(top + np.log(mass.sum())), mass / mass.sum()


def _weights(x: np.ndarray, known: np.ndarray, is_pilot: np.ndarray) -> np.ndarray | None:
    """Return weights (N,) of the cities; zero without covariates, None where there is no
    solution.
    """
    if not (known & is_pilot).any() or not (known & ~is_pilot).any():
        return None
    found = entropy_weights(x[known], is_pilot[known])
    if found is None:
        return None
    weights = np.zeros(len(x))
    weights[known] = found
    return weights


def _drawn_weights(labels: np.ndarray, x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return weights (B, N) under reassigned admissions, scaled so that a pair weighs as in the
    real sample; NaN where there is no solution.
    """
    found = np.full(labels.shape, np.nan)
    for draw, label in enumerate(labels):
        weights = _weights(x, known, label > 0)
        if weights is not None:
            found[draw] = np.sqrt(COUNT_SCALE) * weights
    return found


def _balance(
    x: np.ndarray,
    known: np.ndarray,
    is_pilot: np.ndarray,
    weights: np.ndarray,
    names: Sequence[str],
) -> list[Diagnostic]:
    """Return standardised gaps between pilots and never-treated cities before and after weighting,
    and how many never-treated cities carry the weights.
    """
    pilots, nevers = x[known & is_pilot], x[known & ~is_pilot]
    w, scale = weights[known & ~is_pilot], np.maximum(x[known].std(axis=0), 1e-12)
    before = (pilots.mean(axis=0) - nevers.mean(axis=0)) / scale
    after = (pilots.mean(axis=0) - np.einsum("nk,n->k", nevers, w) / w.sum()) / scale
    found: list[Diagnostic] = [
        # how many equally weighted cities carry as much
        ("balance_effective_controls", None, float(w.sum() ** 2 / (w**2).sum())),
        ("balance_largest_weight", None, float(w.max())),
    ]
    for k, name in enumerate(names):
        found += [
            ("balance_gap_before", name, float(before[k])),
            ("balance_gap_after", name, float(after[k])),
        ]
    return found
