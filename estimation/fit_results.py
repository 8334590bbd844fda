"""Give every coefficient of a fit its variances, intervals and p values, with diagnostics and
warnings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .estimators.fitted import Fitted, Inputs
from .estimators.group_time import can_permute
from .estimators.registry import ESTIMATORS as REGISTRY
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
from .inference.kept_parts import parts_of
from .inference.permutation.draws import Draws
from .inference.permutation.permute import permute
from .inference.variances import MIN_NEVER, MIN_PILOTS
from .influence.influence_fit import InfluenceFit
from .options import Options
from .panel.fit_sample import FitSample
from .results import INFERENCE_METHODS, Diagnostic, Estimate, FitResult


def results_of(
    inputs: Inputs, fitted: dict[str, Fitted], strata: np.ndarray, notes: tuple[str, ...] = ()
) -> dict[tuple[str, int], FitResult]:
    """Return results by (name, outcome) of what was fitted on one sample, which shares its
    draws.
    """
    sample, options = inputs.sample, inputs.options
    draws: dict[tuple[str, int], Draws] = {}
    tests = {name: _joint_tests(found, options.reference) for name, found in fitted.items()}
    if options.wants_draws and isinstance(sample, FitSample) and sample.has_draws:
        draws = _permute(sample, inputs, fitted, strata, tests)
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
    sample: FitSample,
    inputs: Inputs,
    fitted: dict[str, Fitted],
    strata: np.ndarray,
    tests: Mapping[str, dict[str, np.ndarray]],
) -> dict[tuple[str, int], Draws]:
    """Return draws by (estimator, position of the outcome)."""
    draws: dict[tuple[str, int], Draws] = {}
    for name, found in fitted.items():
        if found.draws is None:
            continue
        found.draws.tests = tests[name]
        asked = [m for m, outcome in enumerate(sample.outcomes) if inputs.asks(name, outcome)]
        of_outcomes = permute(
            sample,
            found.draws,
            strata,
            inputs.options,
            name=name,
            city_weights=found.city_weights,
            observed=observed_statistics(found.fits, found.draws.tests, asked),
        )
        draws |= {(name, m): one for m, one in enumerate(of_outcomes)}
    return draws


def _joint_tests(found: Fitted, reference: int) -> dict[str, np.ndarray]:
    """Return rows of the design by joint test that draws repeat: the leads, and what the fit has
    beside them. Where treatment is by pair the leads have a dyadic test, which no draw repeats.
    """
    tests = dict(found.tests)
    fit = found.fits[0]
    leads = tested_leads(found.sample, fit, reference)
    if len(leads) and found.sample.panel.pilots_known:
        tests = {"leads": fit.columns[leads]} | tests
    return tests


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
    """Return estimates as asked for, diagnostics and warnings of one fit; `extra` diagnostics stand
    for those of a two-way fit.
    """
    held, vcov = sample.holds_kept_pair, options.vcov
    n_pilots = fit.n_pilots if sample.panel.pilots_known else np.zeros_like(fit.n_pilots)
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
            for t, b, n in zip(fit.terms, fit.estimate, n_pilots, strict=True)
        ]
        return FitResult(estimator, tuple(rows), (), (), **counts)
    inference = infer(sample, fit, draws, sample.size_of(outcome))
    diagnostics = _diagnostics(sample, outcome, fit, inference, draws, strata)
    leads = tested_leads(sample, fit, options.reference)
    diagnostics += joint_diagnostics(sample, fit, leads, tests, draws)
    if is_read and REGISTRY[estimator].leads_from_last:
        diagnostics += sensitivity_diagnostics(sample, fit, leads)
    if extra is not None:
        diagnostics += extra
    elif REGISTRY[estimator].uses_always_treated and fit.cohort_means is not None:
        diagnostics += two_way_diagnostics(sample, fit.cohort_means)
    rows = _estimates(fit, inference, vcov, n_pilots)
    found = [
        *find_warnings(sample, fit, inference, diagnostics, vcov),
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
        no_draws=_no_draws(sample, estimator)[0],
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
    fit: InfluenceFit, inference: Inference, vcov: Sequence[str] | None, n_pilots: np.ndarray
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
                    int(n_pilots[c]),
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
    """Return coefficients whose dyadic error, where it is shown, is that by pair."""
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
    """Return coefficients with pilots enough for an error whose default method, the permutation, is
    not there.
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


def _no_draws(sample: FitSample, estimator: str) -> tuple[str, bool]:
    """Return why this estimator has no permutation on this sample, empty where it has one, and
    whether the panel is the reason.
    """
    row = REGISTRY[estimator]
    if not sample.has_draws and not sample.panel.pilots_known:
        return (
            "The permutation is left out: cities can trade places only where every two of "
            "them are a pair, and some pairs are never treated."
        ), True
    if row.family == "group_time" and not can_permute(sample):
        needed = "a balanced panel without controls or chosen partners"
        needed = needed if sample.panel.exposure == "one" else "pairs that are treated by one city"
        return f"The permutation is left out: a draw of {estimator} needs {needed}.", True
    if row.no_draws:
        return f"The permutation is left out: {row.no_draws}", False
    if not sample.has_draws:
        return (
            "The permutation is left out: draws need a list of the pairs; where memory holds it, "
            "engine='arrays' has them."
        ), False
    return "", False


def _left_out(
    sample: FitSample, estimator: str, options: Options, draws: Draws | None
) -> list[str]:
    """Return variance estimators that were asked for and cannot be given."""
    vcov = options.vcov
    wanted = () if vcov is None else vcov
    row = REGISTRY[estimator]
    found = []
    reason, is_of_panel = _no_draws(sample, estimator)
    if "province_jackknife" in wanted and sample.panel.province is None:
        found.append("The province_jackknife is left out: it needs the province of every city.")
    by_pair = not sample.panel.pilots_known
    never = sample.holds_kept_pair & (sample.panel.city_cohort == 0)
    if "city" in wanted and not by_pair and never.sum() < MIN_NEVER:
        found.append(
            f"The method city has no error: it needs at least {MIN_NEVER} cities never treated."
        )
    if by_pair:
        found.append(
            "Treatment is by pair: dyadic is the default method, and city is left out, because no "
            "city of a treated pair is known to be the treated one."
        )
    is_asked = vcov is None or "permutation" in vcov
    if reason and is_asked and (is_of_panel or options.wants_draws or row.no_draws):
        found.append(reason)
    elif draws is None and "permutation" in wanted:
        found.append("The permutation is left out: no draws were asked for.")
    elif by_pair and draws is not None:
        found.append(
            "The permutation lets cities trade places, each with all of its treated pairs."
        )
    return found
