"""Truths on simulated data: of every spec, and of the primary test and its channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.primary import cycle_id
from ..analyses.spec import SampleError, Spec
from ..primary.channels import channel_draws
from ..primary.city_panel import build_panel, lacking
from ..primary.contrast import treatment_contrast
from ..results import NotRun
from ..sample.build import StudySample, pair_years, pair_years_of
from ..sample.marts import Marts
from ..sample.ties import PAIR_BASE
from .estimate import fit_group
from .windows import Window, city_window

# Term of the primary test itself, as of a coefficient, and its parts; those of its channels are
# their names.
TREATED, TREATED_PART, UNTREATED_PART = "treated", "treated_part", "untreated_part"


def planted_truths(growth, growth_without, years, cohort, block) -> tuple[dict[str, float], ...]:
    """Truths of growth and of its cycle, from growth with and without an effect: the estimators
    applied to the panel with it, less to that without it.

    Parameters
    ----------
    growth, growth_without : (N, T) float arrays
    years : (T,) int array
    cohort, block : (N,) arrays

    Returns
    -------
    tuple of dict
        By term: ``treated``, the coefficient of y(1) - y(0); what treated cells of pilots add to
        it and what all other cells do (z is standardised over the window, so an effect moves
        untreated years as well); channels in the units of `Channel`. Empty where one of the panels
        gives no verdict or leaves a city out.
    """
    panels = [build_panel(values, years, cohort, block) for values in (growth, growth_without)]
    if any(lacking(panel) or len(panel.label) < len(growth) for panel in panels):
        return ()
    panel, contrast = panels[0], treatment_contrast(panels[0])
    treated = panel.treated[panel.label] > 0
    weight, itself = contrast.weight[panel.block, panel.label], np.arange(len(panel.label))[None]
    found = []
    for with_effect, without in zip(*(one.series for one in panels), strict=True):
        parts = [panel.measured(series) for series in (with_effect, without)]
        moved = weight * (parts[0][2] - parts[1][2])
        one, bare = (channel_draws(panel, z, m, contrast, itself) for z, m, _ in parts)
        truths: dict[str, float | None] = {
            TREATED: float(moved.sum()),
            TREATED_PART: float(moved[treated].sum()),
            UNTREATED_PART: float(moved[~treated].sum()),
        }
        for name, (draws, in_units) in one.items():
            if name in bare:
                truths[name] = in_units(float(draws.estimate[0] - bare[name][0].estimate[0]))
        found.append({term: truth for term, truth in truths.items() if truth is not None})
    return tuple(found)


def truths_of_window(
    marts: Marts, spec: Spec, window: Window
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return what the planted effect did to what the primary test and its channels estimate.

    Parameters
    ----------
    marts : Marts
        With those without the effect; without sizes planted these are not given.
    spec : Spec
    window : Window
        Of the spec, with the effect.

    Returns
    -------
    dict
        By spec_id, of growth and of its cycle, and term (of `planted_truths`): truth, and planted
        (of a channel; None of the test itself). Empty where the two panels differ in cities or
        years.
    """
    try:
        without = city_window(marts.without, spec)
    except SampleError:
        return {}
    if not np.isin(window.city_ids, without.city_ids).all() or not np.array_equal(
        window.years, without.years
    ):
        return {}
    bare = without.growth[np.searchsorted(without.city_ids, window.city_ids)]
    truths = planted_truths(window.growth, bare, window.years, window.cohort, window.block)
    sizes = {} if marts.planted is None else _sizes(marts.planted, window)
    ids = (spec.spec_id, cycle_id(spec.spec_id))
    found = {}
    for spec_id, truth in zip(ids, truths, strict=False):
        found[spec_id] = {
            term: {"truth": v, "planted": sizes.get(term)} for term, v in truth.items()
        }
    return found


def _sizes(planted: pd.DataFrame, window: Window) -> dict[str, float]:
    """Return what was planted in each channel, mean over the treated years of the window's
    pilots.
    """
    first = pd.Series(window.cohort, index=window.city_ids)
    inside = planted[planted["year"].isin(window.years)]
    of_city = inside["city_id"].map(first)
    counted = inside[(of_city > 0) & (inside["year"] >= of_city)]
    if counted.empty:
        return {}
    return {
        "own_variance": float(np.exp(np.log(counted["own_variance_ratio"]).mean()) - 1),
        "loading": float(counted["loading_rise"].mean()),
    }


def truths_of_group(marts: Marts, sample: StudySample, group: list[Spec]) -> list[dict[str, Any]]:
    """Return rows of ``estimates.truth`` of the specs of one group: their own estimator on the
    difference that the effect makes to the outcomes of their sample; none where that cannot be had.
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
    effect = replace(sample, panel=replace(panel, y=difference))
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
