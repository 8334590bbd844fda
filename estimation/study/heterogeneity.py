"""Specs whose effects depend on the pair or on the pilot's texts: one call of the estimator for a
group that shares a sample.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from ..analyses.spec import SampleError, Spec
from ..engines.heterogeneity_design import Heterogeneity
from ..fits.heterogeneity import fit_heterogeneity
from ..options import Options
from ..panel.pair_panel import PairPanel
from ..results import FitResult, NotEstimable, NotRun
from ..sample.build import StudySample
from ..sample.marts import Marts
from ..sample.moderators import SAME_REGRESSOR, Notes, build_heterogeneity

Built = dict[tuple, tuple[Heterogeneity, Notes] | NotRun]


def fit_heterogeneity_group(
    marts: Marts, sample: StudySample, group: list[Spec], options: Options
) -> Iterator[tuple[Spec, FitResult | NotRun]]:
    """Results by spec; specs that differ only in outcome share a fit."""
    built: Built = {}
    outcomes: dict[tuple, list[int]] = {}
    for spec in group:
        if _key(spec) not in built:
            try:
                built[_key(spec)] = build_heterogeneity(sample, marts.cities, marts.strengths, spec)
            except SampleError as error:
                built[_key(spec)] = NotRun(str(error))
        outcomes.setdefault(_key(spec), []).append(sample.outcomes.index(spec.outcome))
    built = _say_which_are_one(built)
    # what a fit lets vary for the same outcomes shares draws, which sum no other outcome
    sharing: dict[tuple[int, ...], list[tuple]] = {}
    for key, entry in built.items():
        if not isinstance(entry, NotRun):
            sharing.setdefault(tuple(outcomes[key]), []).append(key)
    results: dict[tuple, FitResult | NotRun] = {
        (key, m): entry
        for key, entry in built.items()
        if isinstance(entry, NotRun)
        for m in outcomes[key]
    }
    for chosen, keys in sharing.items():
        panel = dataclasses.replace(sample.panel, y=sample.panel.y[list(chosen)])
        results |= _fit(panel, {key: built[key] for key in keys}, chosen, group[0], options)
    for spec in group:
        yield spec, results[_key(spec), sample.outcomes.index(spec.outcome)]


def _fit(
    panel: PairPanel, built: Built, outcomes: tuple[int, ...], first: Spec, options: Options
) -> dict[tuple, FitResult | NotRun]:
    """Results by key and outcome of the sample, of a panel of these outcomes alone."""
    moderations = [moderation for moderation, _ in built.values()]
    try:
        found = fit_heterogeneity(panel, moderations, control_names=first.controls, options=options)
    except NotEstimable as error:
        return {(key, m): NotRun(str(error)) for key in built for m in outcomes}
    return {
        (key, m): _with_notes(found[moderation.name, place], notes)
        for key, (moderation, notes) in built.items()
        for place, m in enumerate(outcomes)
    }


def _say_which_are_one(built: Built) -> Built:
    """The same, with a diagnostic and a warning where strengths of different tools are one
    regressor: their rows are one result.
    """
    alike: dict[bytes, list[tuple]] = {}
    for key, entry in built.items():
        if (
            not isinstance(entry, NotRun)
            and entry[0].city_path is not None
            and len(entry[0].path_names) == 1
        ):
            # in units of their means, equal up to rounding is equal
            alike.setdefault((np.round(entry[0].city_path, 9) + 0.0).tobytes(), []).append(key)
    for keys in alike.values():
        for key in keys:
            moderation, (diagnostics, warnings) = built[key]
            own = moderation.path_names[0]
            others = [
                name
                for name in dict.fromkeys(built[k][0].path_names[0] for k in keys)
                if name != own
            ]
            if others:
                same = [(SAME_REGRESSOR, other, 1.0) for other in others]
                text = (
                    f"strength:{own}: the very same regressor as "
                    f"{', '.join(f'strength:{other}' for other in others)} on this sample: "
                )
                built = {
                    **built,
                    key: (
                        moderation,
                        (
                            [*diagnostics, *same],
                            [*warnings, text + "one result under several names."],
                        ),
                    ),
                }
    return built


def _key(spec: Spec) -> tuple:
    return (spec.moderator, spec.strength, spec.effects, spec.estimator)


def _with_notes(result: FitResult | NotRun, notes: Notes) -> FitResult | NotRun:
    if isinstance(result, NotRun):
        return result
    diagnostics, warnings = notes
    return dataclasses.replace(
        result,
        diagnostics=(*result.diagnostics, *diagnostics),
        warnings=(*result.warnings, *warnings),
    )
