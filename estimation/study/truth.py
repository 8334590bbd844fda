"""Truth of every spec on simulated data."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.spec import SampleError, Spec
from ..panel.pair_panel import PairPanel
from ..results import NotRun
from ..sample.build import PAIR_BASE, build_sample
from ..sample.marts import Marts
from .estimate import fit_group
from .samples import build_group_sample, group_frames, group_outcomes


def truths_of_group(marts: Marts, counterfactual: Marts, group: list[Spec]) -> list[dict[str, Any]]:
    """Rows of the specs of one group; none where its sample cannot be had."""
    outcomes = group_outcomes(group)
    try:
        sample = build_group_sample(marts, group)
        without = build_sample(
            marts.cities,
            marts.pairs,
            group_frames(counterfactual, group)[2],
            group[0],
            outcomes=outcomes,
        )
    except SampleError:
        return []
    difference = sample.panel.y - _aligned(without.panel, sample.panel)
    effect = dataclasses.replace(sample, panel=dataclasses.replace(sample.panel, y=difference))
    rows = []
    for spec, result in fit_group(marts, effect, group, vcov=(), permutations=0):
        if isinstance(result, NotRun):
            continue
        points = {(e.term, e.cohort_year, e.event_time): e.estimate for e in result.estimates}
        rows += [
            {
                "spec_id": spec.spec_id,
                "term": term,
                "cohort_year": cohort,
                "event_time": event,
                "truth": value,
                "planted": None,
            }
            for (term, cohort, event), value in points.items()
        ]
    return rows


def _aligned(other: PairPanel, panel: PairPanel) -> np.ndarray:
    """Outcomes of another panel (M, P, T) on the pairs and years of this one, NaN where it has
    none.
    """
    keys = [p.city_ids[p.city_i] * PAIR_BASE + p.city_ids[p.city_j] for p in (other, panel)]
    position = pd.Index(keys[0]).get_indexer(keys[1])
    year = pd.Index(other.years).get_indexer(panel.years)
    values = other.y[:, np.maximum(position, 0)][:, :, np.maximum(year, 0)]
    return np.where((position >= 0)[None, :, None] & (year >= 0)[None, None, :], values, np.nan)
