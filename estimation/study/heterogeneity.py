"""Specs whose effects depend on the pair or on the pilot's texts: one call of the estimator for a
group that shares a sample.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from ..analyses.spec import SampleError, Spec
from ..engines.heterogeneity_design import Heterogeneity
from ..options import Options
from ..results import FitResult, NotEstimable, NotRun
from ..sample.build import StudySample
from ..sample.marts import Marts
from ..sample.moderators import SAME_REGRESSOR, Notes, build_heterogeneity
from .heterogeneity_fit import fit_heterogeneity

Built = dict[tuple, tuple[Heterogeneity, Notes] | NotRun]


def fit_heterogeneity_group(
    marts: Marts, sample: StudySample, group: list[Spec], options: Options
) -> Iterator[tuple[Spec, FitResult | NotRun]]:
    """Results by spec; specs that differ only in outcome share a fit."""
    built: Built = {}
    for spec in group:
        if _key(spec) not in built:
            try:
                built[_key(spec)] = build_heterogeneity(sample, marts.cities, marts.strengths, spec)
            except SampleError as error:
                built[_key(spec)] = NotRun(str(error))
    built = _say_which_are_one(built)
    can_be = {key: entry for key, entry in built.items() if not isinstance(entry, NotRun)}
    results: dict[tuple[str, int], FitResult | NotRun] = {}
    enough_of = {
        (can_be[_key(spec)][0].name, sample.outcomes.index(spec.outcome)): spec.enough
        for spec in group
        if _key(spec) in can_be
    }
    try:
        if can_be:
            results = fit_heterogeneity(
                sample.panel,
                [moderation for moderation, _ in can_be.values()],
                control_names=group[0].controls,
                options=options.but(enough_of=enough_of),
            )
    except NotEstimable as error:
        built |= dict.fromkeys(can_be, NotRun(str(error)))
    for spec in group:
        entry = built[_key(spec)]
        if isinstance(entry, NotRun):
            yield spec, entry
            continue
        moderation, (diagnostics, warnings) = entry
        result = results[moderation.name, sample.outcomes.index(spec.outcome)]
        if not isinstance(result, NotRun):
            result = dataclasses.replace(
                result,
                diagnostics=(*result.diagnostics, *diagnostics),
                warnings=(*result.warnings, *warnings),
            )
        yield spec, result


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
