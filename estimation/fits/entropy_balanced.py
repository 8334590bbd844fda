"""Fit two-way effects on pairs whose never-pilots are weighted to be like the pilots before any zone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..estimators.entropy_balancing import COUNT_SCALE, effective_number, entropy_weights, pair_weights
from ..estimators.group_time import cell_residuals
from ..estimators.two_way import fit_least_squares
from ..fit import check_sample, result_of, strata_of
from ..inference.diagnostics.coefficients import Diagnostic
from ..inference.permutation.two_way import permute
from ..kernels.compile_cache import use_compile_cache
from ..linear.pair_statistics import PairStatistics, pair_statistics
from ..linear.treatment_regressors import twfe_design
from ..panel.pair_panel import PairPanel, build_sample, group_outcomes
from ..results import FitResult, NotEstimable

ESTIMATOR = "entropy_balanced"
# fewer effective controls than this say that pilots have hardly any counterpart
FEW_CONTROLS = 20
NOTE = "The weights of never-pilots are kept in the refits without a province or city and made anew in every permutation draw."


def fit_outcomes_balanced(
    panel: PairPanel,
    covariates: np.ndarray,
    *,
    covariate_names: Sequence[str],
    vcov: Sequence[str] | None = None,
    permutations: int = 9999,
    seed: int = 1,
    shuffle: str | np.ndarray = "province",
    tie_quantile: float | None = None,
) -> dict[tuple[str, int], FitResult]:
    """Entropy balancing of cities (Hainmueller 2012), then weighted least squares with pair and year effects.

    Parameters
    ----------
    panel : PairPanel
        Without controls.
    covariates : (N, K) float array
        Of the cities, from before any zone; cities with a gap are left out.
    covariate_names : sequence of str, length K
    vcov, permutations, seed, shuffle, tie_quantile
        As in `estimation.fit.fit_outcomes`.

    Returns
    -------
    dict
        FitResult by (``entropy_balanced``, outcome), with standardised gaps before weighting and the effective number of controls.

    Raises
    ------
    NotEstimable
        If no weights give never-pilots the pilots' means, or nothing is left to compare.
    """
    known = np.isfinite(covariates).all(axis=1)
    inside = known[panel.city_i] & known[panel.city_j]
    panel = _pairs_of(panel, inside)
    x = np.where(known[:, None], covariates, 0.0)
    results = {}
    for outcomes in group_outcomes(panel):
        sample = build_sample(panel, outcomes, tie_quantile)
        check_sample(sample)
        weights = _weights(x, known, panel.city_cohort > 0)
        if weights is None:
            raise NotEstimable(f"no weights of never-pilots reach the pilots' means of {', '.join(covariate_names)}: use fewer covariates")
        plain = pair_statistics(panel.y[list(outcomes)], None, sample.observed)
        weighted = _weigh(plain, pair_weights(weights, panel.city_i, panel.city_j))
        design = twfe_design(sample.group_years, panel.years)
        fits = fit_least_squares(sample, weighted, design, ())
        strata, draws = strata_of(sample, shuffle), {}
        if permutations > 0 and panel.pilots_known and (vcov is None or "permutation" in vcov):
            use_compile_cache()
            draws = permute(
                sample, plain, [design], strata, permutations, seed, city_weights=lambda labels: _drawn_weights(labels, x, known)
            )
        extra, residuals = _balance(x, known, panel.city_cohort > 0, weights, covariate_names), cell_residuals(sample)
        for m, outcome in enumerate(outcomes):
            fit = dataclasses.replace(fits[m], residuals=residuals[m])
            found = (sample, ESTIMATOR, outcome, fit, draws.get(("twfe", m)), strata, vcov)
            results[ESTIMATOR, outcome] = result_of(*found, extra=extra, warnings=[NOTE, *_thin(extra)])
    return results


def _thin(balance: list[Diagnostic]) -> list[str]:
    effective = {name: value for name, _, value in balance}["balance_effective_controls"]
    if effective >= FEW_CONTROLS:
        return []
    return [
        f"The weights rest on {effective:.1f} never-pilots (effective number): too few cities are like the pilots to compare with them."
    ]


def _pairs_of(panel: PairPanel, chosen: np.ndarray) -> PairPanel:
    if not chosen.any():
        raise NotEstimable("no pair of cities has all covariates of before any zone")
    return dataclasses.replace(
        panel,
        city_i=panel.city_i[chosen],
        city_j=panel.city_j[chosen],
        y=panel.y[:, chosen],
        controls=None,
        cohort=None if panel.pilots_known else panel.cohort[chosen],
        tie=None if panel.tie is None else panel.tie[chosen],
    )


def _weights(x: np.ndarray, known: np.ndarray, is_pilot: np.ndarray) -> np.ndarray | None:
    """Weights (N,) of the cities; zero without covariates, None where there is no solution."""
    if not (known & is_pilot).any() or not (known & ~is_pilot).any():
        return None
    found = entropy_weights(x[known], is_pilot[known])
    if found is None:
        return None
    weights = np.zeros(len(x))
    weights[known] = found
    return weights


def _drawn_weights(labels: np.ndarray, x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Weights (B, N) under reassigned admissions, scaled so that a pair weighs as in the real sample; NaN where there is no solution."""
    found = np.full(labels.shape, np.nan)
    for draw, label in enumerate(labels):
        weights = _weights(x, known, label > 0)
        if weights is not None:
            found[draw] = np.sqrt(COUNT_SCALE) * weights
    return found


def _weigh(statistics: PairStatistics, weights: np.ndarray) -> PairStatistics:
    return dataclasses.replace(statistics, values=statistics.values * weights[:, None])


def _balance(x: np.ndarray, known: np.ndarray, is_pilot: np.ndarray, weights: np.ndarray, names: Sequence[str]) -> list[Diagnostic]:
    """Standardised gaps between pilots and never-pilots before and after weighting, and how many never-pilots carry the weights."""
    pilots, nevers = x[known & is_pilot], x[known & ~is_pilot]
    w, scale = weights[known & ~is_pilot], np.maximum(x[known].std(axis=0), 1e-12)
    before = (pilots.mean(axis=0) - nevers.mean(axis=0)) / scale
    after = (pilots.mean(axis=0) - np.einsum("nk,n->k", nevers, w) / w.sum()) / scale
    found: list[Diagnostic] = [("balance_effective_controls", None, effective_number(w)), ("balance_largest_weight", None, float(w.max()))]
    for k, name in enumerate(names):
        found += [("balance_gap_before", name, float(before[k])), ("balance_gap_after", name, float(after[k]))]
    return found
