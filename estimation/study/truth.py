"""Truth of every spec on simulated data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.catalog import all_specs
from ..analyses.spec import SampleError, Spec
from ..panel.pair_panel import PairPanel
from ..results import NotRun
from ..sample.build import PAIR_BASE, build_sample
from ..sample.marts import Marts
from .estimate import fit_group
from .samples import build_group_sample, group_frames, group_outcomes
from .tables import TRUTH_COLUMNS, typed


def compute_truth(
    marts: Marts,
    counterfactual: Marts,
    specs: Sequence[Spec] | None = None,
    *,
    of_primary: pd.DataFrame | None = None,
    run_units: Callable[..., None] | None = None,
) -> pd.DataFrame:
    """Truth of every spec on simulated data: its own estimator on the difference of the two
    outcomes, on the factual sample.

    Parameters
    ----------
    marts : Marts
        Of the landing with the effect.
    counterfactual : Marts
        Of the landing from the same shocks without it; only its synchronization is used.
    specs : sequence of Spec, optional
        Default is every spec of the analyses.
    of_primary : DataFrame, optional
        Of `planted.primary_truths`: spec_id, term, truth and planted of the primary test and its
        channels, which come last.
    run_units : callable, optional
        As of `run.run_study`; default is one after another in this process.

    Returns
    -------
    DataFrame
        For ``estimates.truth``; a spec that cannot be run has no row.
    """
    from .units import run_here, truth_units  # it runs `truths_of_group` among others

    units = truth_units(all_specs() if specs is None else specs, by_outcome=marts.years is not None)
    found: dict[Any, list[dict[str, Any]]] = {}

    def on_done(unit: Any, of_unit: dict[str, list[dict[str, Any]]]) -> list[Any]:
        found[unit] = of_unit["truth"]
        return []

    (run_units or run_here)({"factual": marts, "counterfactual": counterfactual}, units, on_done)
    rows = [row for unit in units for row in found[unit]]
    if of_primary is not None:
        rows += [
            {**row, "cohort_year": None, "event_time": None}
            for row in of_primary.to_dict("records")
        ]
    return typed(rows, TRUTH_COLUMNS)


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
