"""From marts to the sample that a group of specs shares: outcomes on its window, its controls, the
dose of its treatment.
"""

from __future__ import annotations

import dataclasses

import pandas as pd

from ..analyses.spec import SampleError, Spec
from ..sample.build import StudySample, build_sample
from ..sample.dose import build_dose
from ..sample.exposure import add_pair_controls
from ..sample.marts import Marts
from ..sample.outcomes import build_synchronization, split_outcome


def group_outcomes(group: list[Spec]) -> tuple[str, ...]:
    """Outcomes of the specs of a group, each once."""
    return tuple(dict.fromkeys(spec.outcome for spec in group))


def pair_years_of(marts: Marts, group: list[Spec]) -> pd.DataFrame:
    """Outcomes and controls of a group by pair and year; outcomes on another window, or of a series
    the mart does not pair, are made from city series.
    """
    window, outcomes = group[0].window, group_outcomes(group)
    of_pairs = [outcome for outcome in outcomes if split_outcome(outcome) is None]
    if marts.years is not None and of_pairs:
        raise SampleError(
            f"needs {of_pairs[0]} of all pair-years, which are too many to hold here: outcomes "
            "are made from series of cities"
        )
    is_delivered = bool(of_pairs) or set(outcomes) <= set(marts.synchronization.columns)
    if window is None and marts.years is None and is_delivered:
        frame = marts.synchronization
    elif (window or marts.study_window) is None:
        raise SampleError("needs a study window with pairs, found none")
    else:
        frame = build_synchronization(marts.city_years, outcomes, window or marts.study_window)
    return add_pair_controls(frame, marts.cities, group[0].controls)


def build_group_sample(marts: Marts, group: list[Spec]) -> StudySample:
    """The sample of a group, with the dose of its treatment where its specs have one."""
    given = (marts.cities, marts.pairs, pair_years_of(marts, group))
    sample = build_sample(*given, group[0], outcomes=group_outcomes(group))
    if not group[0].dose:
        return sample
    dose = build_dose(
        marts.policy_zones,
        group[0].dose,
        sample.panel.city_ids,
        sample.panel.city_cohort,
        sample.panel.years,
    )
    return dataclasses.replace(sample, dose=dose)
