"""Fit estimators on a city-pair panel and give every coefficient its variances, intervals and p
values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .engines.interface import SummedSample
from .estimators.fitted import Fitted, Inputs
from .estimators.group_time import can_permute
from .estimators.registry import ESTIMATORS as REGISTRY
from .estimators.registry import Estimator, check_arguments, names
from .inference.diagnostics.coefficients import (
    coefficient_diagnostics,
    joint_diagnostics,
    observed_statistics,
    permutation_diagnostics,
    power_diagnostics,
    sample_diagnostics,
    summarised,
    tested_leads,
    two_way_diagnostics,
)
from .inference.diagnostics.honest_did import sensitivity_diagnostics
from .inference.diagnostics.warnings import find_warnings
from .inference.intervals import Inference, infer
from .inference.parts import parts_of
from .inference.permutation.draws import Draws
from .inference.permutation.permute import permute
from .inference.variances import MIN_PILOTS
from .influence.influence_fit import InfluenceFit
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
from .results import INFERENCE_METHODS, Diagnostic, Estimate, FitResult, NotEstimable

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
ESTIMATORS = names(on_any_panel=True)
Result = TypeVar("Result")
ONLY_LATER_CONTROLS = (
    "No pair is never treated: the coefficient compares cohorts with one another, also with pairs "
    "that are already treated; read it beside callaway_santanna (not_yet_treated) or borusyak."
)
LATER_CONTROLS = "control_pairs='not_yet_treated', at a prompt --control-group not_yet_treated"
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
            given = sample, tuple(control_names), ()
            used, names, notes = given if fixed else drop_controls(*given[:2])
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
    """Results of all outcomes of a panel: those that miss the same rows share a sample, and
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
        needs = f"let it compare with pairs that are treated later ({LATER_CONTROLS})"
    elif estimator.needs_never_treated:
        needs = f"use twfe, gardner, borusyak, or callaway_santanna with {LATER_CONTROLS}"
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


def results_of(
    inputs: Inputs, fitted: dict[str, Fitted], strata: np.ndarray, notes: tuple[str, ...] = ()
) -> dict[tuple[str, int], FitResult]:
    """Results by (name, outcome) of what was fitted on one sample, which shares its draws."""
    sample, options = inputs.sample, inputs.options
    draws: dict[tuple[str, int], Draws] = {}
    tests = {name: _joint_tests(found) for name, found in fitted.items()}
    if options.wants_draws and sample.has_draws:
        draws = _permute(inputs, fitted, strata, tests)
    return {
        (name, outcome): result_of(
            found.sample,
            found.estimator or name,
            outcome,
            found.fits[m],
            draws.get((name, m)),
            strata,
            options,
            tests=tests[name],
            is_read=options.enough_for(name, outcome)[0] != 0,
            extra=found.diagnostics,
            warnings=(*notes, *found.warnings),
        )
        for name, found in fitted.items()
        for m, outcome in enumerate(sample.outcomes)
        if inputs.asks(name, outcome)
    }


def _permute(
    inputs: Inputs,
    fitted: dict[str, Fitted],
    strata: np.ndarray,
    tests: Mapping[str, dict[str, np.ndarray]],
) -> dict[tuple[str, int], Draws]:
    """Draws by (estimator, position of the outcome)."""
    draws: dict[tuple[str, int], Draws] = {}
    outcomes = inputs.sample.outcomes
    for name, found in fitted.items():
        if found.draws is None:
            continue
        found.draws.tests = tests[name]
        asked = [m for m, outcome in enumerate(outcomes) if inputs.asks(name, outcome)]
        of_outcomes = permute(
            inputs.sample,
            found.draws,
            strata,
            inputs.options,
            name=name,
            city_weights=found.city_weights,
            observed=observed_statistics(found.fits, found.draws.tests, asked),
        )
        draws |= {(name, m): one for m, one in enumerate(of_outcomes)}
    return draws


def _joint_tests(found: Fitted) -> dict[str, np.ndarray]:
    """Rows of the design by joint test: the leads, and what the fit has beside them."""
    leads = found.fits[0].columns[tested_leads(found.fits[0])]
    tests = dict(found.tests)
    if len(leads):
        tests = {"leads": leads} | tests
    return tests


def strata_of(sample: FitSample | SummedSample, shuffle: str | np.ndarray) -> np.ndarray:
    """Strata of the shuffle; cities without a candidate pair stand alone, and never-treated cities
    where no pair is never treated.
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
    """Strata (N,) in which cities without a candidate pair stand alone."""
    n_cities = sample.panel.n_cities
    return np.where(sample.seen, strata, strata.max() + 1 + np.arange(n_cities))


def result_of(
    sample: FitSample,
    estimator: str,
    outcome: int,
    fit: InfluenceFit,
    draws: Draws | None,
    strata: np.ndarray,
    options: Options,
    *,
    tests: Mapping[str, np.ndarray],
    is_read: bool,
    extra: Sequence[Diagnostic] | None = None,
    warnings: Sequence[str] = (),
) -> FitResult:
    """Estimates as asked for, diagnostics and warnings of one fit; `extra` diagnostics stand for
    those of a two-way fit.
    """
    held, vcov = sample.holds_kept_pair, options.vcov
    counts: dict[str, Any] = {
        "n_obs": sample.n_obs,
        "n_pairs": sample.n_pairs,
        "n_cities": int(held.sum()),
        "n_pilots": int((held & (sample.panel.city_cohort > 0)).sum()),
    }
    if not sample.panel.pilots_known:
        counts["n_treated_pairs"] = int((sample.kept & (sample.panel.cohort > 0)).sum())
    if vcov is not None and len(vcov) == 0:
        rows = [
            Estimate(*t, "", False, float(b), None, None, None, None, int(n))
            for t, b, n in zip(fit.terms, fit.estimate, fit.n_pilots, strict=True)
        ]
        return FitResult(estimator, tuple(rows), (), (), **counts)
    inference = infer(sample, fit, draws)
    diagnostics = _diagnostics(sample, outcome, fit, inference, draws, strata)
    diagnostics += joint_diagnostics(sample, fit, tests, draws)
    if is_read:
        diagnostics += sensitivity_diagnostics(sample, fit)
    if extra is not None:
        diagnostics += extra
    elif REGISTRY[estimator].uses_always_treated and fit.cohort_means is not None:
        diagnostics += two_way_diagnostics(sample, fit.cohort_means)
    rows = _estimates(fit, inference, vcov)
    found = [
        *find_warnings(sample, fit, inference, diagnostics),
        *_dyadic_by_pair(fit, inference, rows),
        *_without_default(fit, inference, vcov),
        *_left_out(sample, estimator, options, draws),
        *warnings,
    ]
    parts = None
    if options.keep_parts:
        pilots = held & (sample.panel.city_cohort > 0)
        parts = parts_of(fit, draws, held, pilots if sample.panel.pilots_known else None)
    return FitResult(
        estimator,
        tuple(rows),
        tuple(diagnostics),
        tuple(found),
        **counts,
        parts=parts,
    )


def _diagnostics(
    sample, outcome: int, fit: InfluenceFit, inference: Inference, draws: Draws | None, strata
) -> list[Diagnostic]:
    found = [*coefficient_diagnostics(fit, inference), *power_diagnostics(fit, inference)]
    found += sample_diagnostics(sample, outcome, inference, strata)
    if draws is not None:
        found += permutation_diagnostics(sample, fit, draws, strata)
    return found


def _estimates(
    fit: InfluenceFit, inference: Inference, vcov: Sequence[str] | None
) -> list[Estimate]:
    rows = []
    for c, (term, cohort_year, event_time) in enumerate(fit.terms):
        wanted = (inference.defaults[c], "permutation") if vcov is None else vcov
        if vcov is None and not set(wanted) & set(inference.intervals[c]):
            wanted = ("dyadic",)
        for name in INFERENCE_METHODS:
            if name in wanted and name in inference.intervals[c]:
                i = inference.intervals[c][name]
                numbers = (
                    float(fit.estimate[c]),
                    i.std_error,
                    i.ci_low,
                    i.ci_high,
                    i.p_value,
                    int(fit.n_pilots[c]),
                    i.draws,
                    i.df,
                )
                rows.append(
                    Estimate(
                        term, cohort_year, event_time, name, name == inference.defaults[c], *numbers
                    )
                )
    return rows


def _dyadic_by_pair(fit: InfluenceFit, inference: Inference, rows: Sequence[Estimate]) -> list[str]:
    """Coefficients whose dyadic error, where it is shown, is that by pair."""
    shown = {
        (row.term, row.cohort_year, row.event_time)
        for row in rows
        if row.vcov == "dyadic" and row.std_error is not None
    }
    is_low = inference.variances["score"] < 2 * inference.variances["conventional"]
    named = [label for c, label in summarised(fit) if is_low[c] and tuple(fit.terms[c]) in shown]
    if not named:
        return []
    return [
        f"{', '.join(named)}: the dyadic variance came out below that by pair, as it does by "
        "chance: the method dyadic shows the error by pair."
    ]


def _without_default(
    fit: InfluenceFit, inference: Inference, vcov: Sequence[str] | None
) -> list[str]:
    """Coefficients with pilots enough for an error whose default method, the permutation, is not
    there.
    """
    if vcov is not None and "permutation" not in vcov:
        return []
    named = [
        label
        for c, label in summarised(fit)
        if fit.n_pilots[c] >= MIN_PILOTS and inference.defaults[c] not in inference.intervals[c]
    ]
    if not named:
        return []
    return [
        f"{', '.join(named)}: one province carries the pilots or the estimate, so that only a "
        "permutation separates the effect from what it has in common, and there is none: no "
        "method is the default."
    ]


def _left_out(
    sample: FitSample, estimator: str, options: Options, draws: Draws | None
) -> list[str]:
    """Variance estimators that were asked for and cannot be given."""
    vcov = options.vcov
    wanted = () if vcov is None else vcov
    row = REGISTRY[estimator]
    found = []
    if "province_jackknife" in wanted and sample.panel.province is None:
        found.append("The province_jackknife is left out: it needs the province of every city.")
    by_pair = not sample.panel.pilots_known
    if by_pair:
        found.append(
            "Treatment is by pair: dyadic is the default method, and city is left out, because no "
            "city of a treated pair is known to be the treated one."
        )
    if by_pair and not sample.has_draws:
        found.append(
            "The permutation is left out: cities can trade places only where every two of "
            "them are a pair, and some pairs are never treated."
        )
    elif row.family == "group_time" and not can_permute(sample):
        needed = "a balanced panel without controls or chosen partners"
        needed = needed if sample.panel.exposure == "one" else "pairs that are treated by one city"
        found.append(f"The permutation is left out: a draw of {estimator} needs {needed}.")
    elif row.no_draws and (vcov is None or "permutation" in vcov):
        found.append(f"The permutation is left out: {row.no_draws}")
    elif options.wants_draws and not sample.has_draws:
        found.append(
            "The permutation is left out: a database that adds pairs up has no draws; where "
            "memory holds the panel, engine='arrays' has them."
        )
    elif draws is None and "permutation" in wanted:
        found.append("The permutation is left out: no draws were asked for.")
    elif by_pair and draws is not None:
        found.append(
            "The permutation lets cities trade places, each with all of its treated pairs."
        )
    return found
