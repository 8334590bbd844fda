"""Specs whose effects depend on the pair or on the pilot's texts: one call of the estimator for a group that shares a sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..analyses.rules import TIE_RULES
from ..analyses.spec import SampleError, Spec
from ..fits.heterogeneity import fit_moderations
from ..linear.heterogeneity_design import Moderation
from ..results import FitResult, NotEstimable
from ..sample.build import StudySample
from ..sample.marts import Marts
from ..sample.moderators import Notes, build_moderation


def fit_moderated_group(
    marts: Marts, sample: StudySample, group: list[Spec], *, vcov: tuple[str, ...], permutations: int
) -> Iterator[tuple[Spec, StudySample, FitResult | str]]:
    """Results by spec, a reason in place of a result where there is none; specs that differ only in outcome share a fit."""
    built: dict[tuple, tuple[Moderation, Notes] | str] = {}
    for spec in group:
        if _key(spec) not in built:
            try:
                built[_key(spec)] = build_moderation(sample, marts.cities, marts.strengths, spec)
            except SampleError as error:
                built[_key(spec)] = str(error)
    moderations = [entry[0] for entry in built.values() if not isinstance(entry, str)]
    results = _fit(sample, moderations, group[0], vcov, permutations)
    for spec in group:
        entry = built[_key(spec)]
        if isinstance(entry, str):
            yield spec, sample, entry
            continue
        result = results if isinstance(results, str) else results[entry[0].name, sample.outcomes.index(spec.outcome)]
        yield spec, sample, str(result) if isinstance(result, NotEstimable | str) else _with_notes(result, entry[1])


def _key(spec: Spec) -> tuple:
    return (spec.moderator, spec.strength, spec.effects, spec.estimator)


def _fit(sample: StudySample, moderations: list[Moderation], spec: Spec, vcov: tuple[str, ...], permutations: int) -> dict | str:
    if not moderations:
        return {}
    try:
        return fit_moderations(
            sample.panel,
            moderations,
            vcov=vcov,
            permutations=permutations,
            seed=spec.seed,
            shuffle=spec.shuffle if sample.strata is None else sample.strata,
            tie_quantile=TIE_RULES[spec.tie_rule].quantile,
            control_names=spec.controls,
        )
    except NotEstimable as error:
        return str(error)


def _with_notes(result: FitResult, notes: Notes) -> FitResult:
    diagnostics, warnings = notes
    return dataclasses.replace(result, diagnostics=(*result.diagnostics, *diagnostics), warnings=(*result.warnings, *warnings))
