"""Fit estimators on a city-pair panel: the sample of each outcome, what is fitted on it, and which
cities a permutation may exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .engines.interface import SummedSample
from .estimators.fitted import Inputs
from .estimators.registry import ESTIMATORS as REGISTRY
from .estimators.registry import Estimator, check_arguments, names
from .fit_results import results_of
from .options import Options
from .panel.controls import drop_controls
from .panel.fit_sample import (
    FitSample,
    before_last_cohort,
    build_sample,
    group_outcomes,
    require_contrast,
)
from .panel.pair_panel import PairPanel, number_provinces
from .results import INFERENCE_METHODS, FitResult, NotEstimable

__all__ = [
    "ESTIMATORS",
    "INFERENCE_METHODS",
    "FitResult",
    "NotEstimable",
    "PairPanel",
    "fit_outcomes",
    "fit_panel",
]

DEFAULTS = Options()
# estimators that need nothing but a pair panel
ESTIMATORS = names("on_any_panel")
Result = TypeVar("Result")
ONLY_LATER_CONTROLS = (
    "No pair is never treated: the coefficient compares cohorts with one another, also with pairs "
    "that are already treated; read it beside callaway_santanna (not_yet_treated) or borusyak."
)
MOVES_AMONG_PILOTS = (
    "No pair is never treated: the permutation reassigns admission years among the pilots alone."
)


def fit_panel(panel: PairPanel, *, estimator: str = "twfe", **given: Any) -> FitResult:
    """Fit one estimator on the panel's only outcome; see `fit_outcomes`."""
    return fit_outcomes(panel, estimators=(estimator,), **given)[estimator, 0]


def fit_outcomes(
    panel: PairPanel,
    *,
    estimators: Sequence[str] = ("twfe", "event_study"),
    control_names: Sequence[str] = (),
    covariates: np.ndarray | None = None,
    covariate_names: Sequence[str] = (),
    only: Collection[tuple[str, int]] | None = None,
    options: Options = DEFAULTS,
    **changes: Any,
) -> dict[tuple[str, int], FitResult]:
    """Fit estimators on all outcomes of a panel; outcomes with the same missing rows share one
    permutation pass.

    Parameters
    ----------
    panel : PairPanel
        y of shape (M, P, T).
    estimators : sequence of str
        Of the registry (`estimators.registry`).
    control_names : sequence of str
        One for each control of the panel.
    covariates : (N, J) float array, optional
        Of the cities, from before any treatment, for estimators that weight cities by them; pairs
        of a city with a gap are left out.
    covariate_names : sequence of str, length J
    only : collection of (estimator, outcome), optional
        Results that are wanted; all by default.
    options : Options
    changes
        Fields of `Options` that differ from these.

    Returns
    -------
    dict
        FitResult by (estimator, outcome).

    Raises
    ------
    NotEstimable
        If there are no treated pairs, nothing to compare them with, or a coefficient is not
        identified.
    """
    options = options.but(**changes)
    check_arguments(panel, estimators, options)
    if covariates is not None:
        panel = _pairs_with_covariates(panel, covariates)
    chosen = [REGISTRY[name] for name in estimators]

    def fit_sample(sample: FitSample) -> dict[tuple[str, int], FitResult]:
        sample = replace(sample, control_pairs=options.control_pairs)
        found: dict[tuple[str, int], FitResult] = {}
        for fixed in (False, True):
            own = [row for row in chosen if row.controls_are_fixed == fixed]
            used = sample
            names = tuple(control_names)
            notes: tuple[str, ...] = ()
            if not fixed:
                used, names, notes = drop_controls(used, names)
            inputs = Inputs(used, names, covariates, tuple(covariate_names), options, only)
            fit = _fit_sample if used.has_never_treated else _fit_without_never_treated
            found |= fit(inputs, own, strata_of(used, options.shuffle), notes) if own else {}
        return found

    return fit_by_sample(panel, fit_sample, options, needs_never_treated=False)


def fit_summed(sample: SummedSample, estimator: str, options: Options) -> FitResult:
    """Fit a two-way estimator on a sample whose pairs an engine has added up.

    Raises
    ------
    NotEstimable
        As `fit_outcomes`.
    """
    require_contrast(sample, False)
    fit = _fit_sample if sample.has_never_treated else _fit_without_never_treated
    inputs, strata = Inputs(sample, options=options), strata_of(sample, options.shuffle)
    return fit(inputs, [REGISTRY[estimator]], strata, ())[estimator, 0]


def fit_by_sample(
    panel: PairPanel,
    fit_sample: Callable[[FitSample], Mapping[tuple[str, int], Result]],
    options: Options,
    *,
    needs_never_treated: bool = True,
) -> dict[tuple[str, int], Result]:
    """Return results of all outcomes of a panel: those that miss the same rows share a sample, and
    `fit_sample` fits them together.
    """
    results: dict[tuple[str, int], Result] = {}
    for outcomes in group_outcomes(panel):
        sample = build_sample(panel, outcomes, options.tie_quantile, options.n_partners)
        require_contrast(sample, needs_never_treated)
        results |= fit_sample(sample)
    return results


def _pairs_with_covariates(panel: PairPanel, covariates: np.ndarray) -> PairPanel:
    known = np.isfinite(covariates).all(axis=1)
    inside = known[panel.city_i] & known[panel.city_j]
    if not inside.any():
        raise NotEstimable("no pair of cities has all covariates of before any zone")
    return panel.of_pairs(inside)


def _fit_without_never_treated(
    inputs: Inputs, chosen: list[Estimator], strata: np.ndarray, notes: tuple[str, ...]
) -> dict[tuple[str, int], FitResult]:
    """Fit a sample in which every pair is treated at last (docs/methods, section 6.11): least
    squares on all of its years, group-time effects on the years in which some pairs are untreated.
    """
    sample: Any = inputs.sample
    for estimator in chosen:
        _require_later_controls(estimator, sample)
    found: dict[tuple[str, int], FitResult] = {}
    if two_way := [estimator for estimator in chosen if estimator.family == "two_way"]:
        more = (ONLY_LATER_CONTROLS, MOVES_AMONG_PILOTS)
        found |= _fit_sample(inputs, two_way, strata, (*notes, *more))
    if group_time := [estimator for estimator in chosen if estimator.family == "group_time"]:
        panel = before_last_cohort(sample)
        rules = (sample.tie_quantile, sample.n_partners, sample.control_pairs)
        before, names, left_out = drop_controls(
            build_sample(panel, sample.outcomes, *rules), inputs.control_names
        )
        require_contrast(before)
        note = (
            f"No pair is never treated: the years after {int(panel.years[-1])}, in which all pairs "
            "are treated, are left out, and the pairs of the last cohort are the never-treated "
            "ones."
        )
        found |= _fit_sample(
            replace(inputs, sample=before, control_names=names),
            group_time,
            _alone_if_unseen(before, strata),
            (*notes, *left_out, note, MOVES_AMONG_PILOTS),
        )
    return found


def _require_later_controls(estimator: Estimator, sample: FitSample) -> None:
    """Refuse an estimator that compares with never-treated pairs alone.

    Raises
    ------
    NotEstimable
    """
    needs = ""
    if estimator.chooses_control_pairs and sample.control_pairs == "never_treated":
        needs = (
            "let it compare with pairs that are treated later (control_pairs='not_yet_treated', at "
            "a prompt --control-pairs not_yet_treated)"
        )
    elif estimator.needs_never_treated:
        needs = "choose an estimator that can do without (docs/methods, section 6.11)"
    if needs:
        raise NotEstimable(
            f"no kept pair is never treated, and {estimator.name} compares with never-treated "
            f"pairs: give pairs with a blank cohort_year, or {needs}"
        )


def _fit_sample(
    inputs: Inputs, chosen: list[Estimator], strata: np.ndarray, notes: tuple[str, ...]
) -> dict[tuple[str, int], FitResult]:
    fitted = {estimator.name: estimator.fit(inputs.sample, inputs) for estimator in chosen}
    return results_of(inputs, fitted, strata, notes)


def strata_of(sample: FitSample | SummedSample, shuffle: str | np.ndarray) -> np.ndarray:
    """Return strata of the shuffle; cities without a candidate pair stand alone, and never-treated
    cities where no pair is never treated.
    """
    panel = sample.panel
    if not isinstance(shuffle, str):
        strata = np.unique(np.asarray(shuffle), return_inverse=True)[1].reshape(-1)
    else:
        province = None if shuffle == "all" else panel.province
        strata = number_provinces(province, panel.n_cities)
    strata = _alone_if_unseen(sample, strata)
    if sample.has_never_treated:
        return strata
    # such a panel holds the pairs of its pilots alone: another city in a pilot's place would have
    # other partners
    return np.where(sample.city_group > 0, strata, strata.max() + 1 + np.arange(panel.n_cities))


def _alone_if_unseen(sample: FitSample | SummedSample, strata: np.ndarray) -> np.ndarray:
    """Return strata (N,) in which cities without a candidate pair stand alone."""
    n_cities = sample.panel.n_cities
    return np.where(sample.seen, strata, strata.max() + 1 + np.arange(n_cities))
