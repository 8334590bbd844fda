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


def group_frames(
    marts: Marts, group: list[Spec]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What a group's sample is built from; outcomes on another window, or of a series the mart does
    not pair, are made from city series.
    """
    frames = _outcome_frames(marts, group)
    return *frames[:2], add_pair_controls(frames[2], marts.cities, group[0].controls)


def _outcome_frames(
    marts: Marts, group: list[Spec]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    window, outcomes = group[0].window, group_outcomes(group)
    known = set(marts.synchronization.columns)
    of_pairs = [outcome for outcome in outcomes if split_outcome(outcome) is None]
    if marts.years is not None and of_pairs:
        raise SampleError(
            f"needs {of_pairs[0]} of all pair-years, which are too many to hold here: outcomes "
            "are made from series of cities"
        )
    if window is None and marts.years is None and (known.issuperset(outcomes) or of_pairs):
        return marts.cities, marts.pairs, marts.synchronization
    if marts.city_years is None:
        raise SampleError(
            "needs marts.fct_city_year to make outcomes on this window, which is not there"
        )
    window = window or marts.study_window
    if window is None:
        raise SampleError("needs a study window with pairs, found none")
    return marts.cities, marts.pairs, build_synchronization(marts.city_years, outcomes, window)


def build_group_sample(marts: Marts, group: list[Spec]) -> StudySample:
    """The sample of a group, with the dose of its treatment where its specs have one."""
    sample = build_sample(*group_frames(marts, group), group[0], outcomes=group_outcomes(group))
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
