"""Truths of simulated data: the estimators applied to the panel with the effect, less to that
without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .channels import channel_draws
from .city_panel import build_panel, lacking
from .contrast import treatment_contrast
from .fit import measured, series_of


@dataclass(frozen=True)
class Truth:
    """What a planted effect did to one series.

    Attributes
    ----------
    effect : float
        The coefficient of y(1) - y(0): `treated_part` + `untreated_part`.
    treated_part, untreated_part : float
        What treated cells of pilots add to it, and all other cells: z is standardised over the
        window, so an effect moves untreated years as well.
    channels : dict of str to float
        By name, in the units of `Channel`.
    """

    effect: float
    treated_part: float
    untreated_part: float
    channels: dict[str, float]


def planted_truths(growth, growth_without, years, cohort, block) -> tuple[Truth, ...]:
    """Truths of growth and of its cycle, from growth with and without an effect.

    Parameters
    ----------
    growth, growth_without : (N, T) float arrays
    years : (T,) int array
    cohort, block : (N,) arrays

    Returns
    -------
    tuple of Truth
        Empty where one of the panels gives no verdict or leaves a city out.
    """
    panels = [build_panel(values, years, cohort, block) for values in (growth, growth_without)]
    if any(lacking(panel) or len(panel.label) < len(growth) for panel in panels):
        return ()
    panel, contrast = panels[0], treatment_contrast(panels[0])
    treated = panel.treated[panel.label] > 0
    weight, itself = contrast.weight[panel.block, panel.label], np.arange(len(panel.label))[None]
    found = []
    for with_effect, without in zip(*(series_of(one) for one in panels), strict=True):
        parts = [measured(panel, series) for series in (with_effect, without)]
        moved = weight * (parts[0][2] - parts[1][2])
        one, bare = (
            {x.channel: x for x in channel_draws(panel, z, m, contrast, itself)}
            for z, m, _ in parts
        )
        channels = {
            name: one[name].in_units(
                float(one[name].draws.estimate[0] - bare[name].draws.estimate[0])
            )
            for name in one
            if name in bare
        }
        found.append(
            Truth(
                float(moved.sum()),
                float(moved[treated].sum()),
                float(moved[~treated].sum()),
                {name: truth for name, truth in channels.items() if truth is not None},
            )
        )
    return tuple(found)
