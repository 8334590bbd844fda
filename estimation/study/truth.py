"""Truth of every spec on simulated data."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.spec import SampleError, Spec
from ..results import NotRun
from ..sample.build import StudySample, pair_years, pair_years_of
from ..sample.marts import Marts
from ..sample.ties import PAIR_BASE
from .estimate import fit_group


def truths_of_group(marts: Marts, sample: StudySample, group: list[Spec]) -> list[dict[str, Any]]:
    """Rows of ``estimates.truth`` of the specs of one group: their own estimator on the difference
    that the effect makes to the outcomes of their sample; none where that cannot be had.
    """
    try:
        frame = pair_years_of(marts.without, group)
    except SampleError:
        return []
    if frame.empty or not set(sample.outcomes) <= set(frame.columns):
        return []
    panel = sample.panel
    keys, without = pair_years(frame, sample.outcomes, panel.years)
    own = panel.city_ids[panel.city_i] * PAIR_BASE + panel.city_ids[panel.city_j]
    place = pd.Index(keys).get_indexer(own)
    difference = panel.y - np.where(place[:, None] >= 0, without[:, place], np.nan)
    effect = dataclasses.replace(sample, panel=dataclasses.replace(panel, y=difference))
    rows = []
    for spec, result in fit_group(marts, effect, group, vcov=(), permutations=0):
        if isinstance(result, NotRun):
            continue
        rows += [
            {
                "spec_id": spec.spec_id,
                "term": e.term,
                "cohort_year": e.cohort_year,
                "event_time": e.event_time,
                "truth": e.estimate,
                "planted": None,
            }
            for e in result.estimates
        ]
    return rows
