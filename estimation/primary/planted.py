"""Truths of simulated data: what a planted effect did to what the primary test and its channels
estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel, build_panel, lacking
from .contrast import LOADING, OWN_VARIANCE, cm_contrast, efficient_contrast
from .interval import WIDEST_OWN, Standardised, root_between, undo
from .permutation import observed_places
from .scores import cycle, reference, standardise
from .statistics import block_means, gather


@dataclass(frozen=True)
class PlantedChannel:
    """What was planted in one channel, in the units of `channels.Channel`.

    Attributes
    ----------
    channel : str
    truth : float
        What it did to what the channel measures.
    planted : float
        The size that was planted, mean over treated city-years.
    """

    channel: str
    truth: float
    planted: float


@dataclass(frozen=True)
class Planted:
    """What admission did to growth, each an (N, T) float array.

    Attributes
    ----------
    own_variance_ratio : variance of own shocks with the effect over that without it, above 0; 1
    where nothing was planted.
    loading_rise : rise of the loading on the national cycle.
    loading_part : what that adds to growth, in the unit of growth.
    """

    own_variance_ratio: np.ndarray
    loading_rise: np.ndarray
    loading_part: np.ndarray


def planted_effect(growth, growth_without, years, cohort, block) -> float | None:
    """Change of mean `cm` of pilots that an effect made, from growth with and without it:
    difference of the two two-way coefficients.

    Parameters
    ----------
    growth, growth_without : (N, T) float arrays
    years : (T,) int array
    cohort, block : (N,) arrays

    Returns
    -------
    float or None
        Correlation units, on the pilots that have never-pilots in their block; None where the panel
        gives no verdict.
    """
    coefficients = []
    for values in (growth, growth_without):
        panel = _complete_panel(values, years, cohort, block)
        if panel is None:
            return None
        z = standardise(panel.growth)
        terms = cm_contrast(z, reference(z, panel.label, panel.block), panel.design).terms
        places, labels = observed_places(panel.label, panel.block)
        coefficients.append(float(gather(terms, panel.design, places[:, None], labels).estimate[0]))
    return coefficients[0] - coefficients[1]


def planted_channels(
    growth, growth_without, planted: Planted, years, cohort, block
) -> tuple[PlantedChannel, ...]:
    """Truths of both channels, on the pilots that have never-pilots in their block.

    Own variance: the fall whose removal, as the channel removes one, leaves the channel's
    coefficient of the panel without the effect. What a line fitted on few untreated years leaves of
    a city holds the errors of that line, which no effect shrinks, so this truth is nearer to 0 than
    what was planted. Loading: the channel's own contrast of the planted part, over that of a
    loading that rises by 1.

    Parameters
    ----------
    growth, growth_without : (N, T) float arrays
    planted : Planted
    years : (T,) int array
        Ascending.
    cohort, block : (N,) arrays

    Returns
    -------
    tuple of PlantedChannel
        Empty where the panel gives no verdict.
    """
    panel = _complete_panel(growth, years, cohort, block)
    if panel is None:
        return ()
    z, sd = standardise(panel.growth), panel.growth.std(axis=1, keepdims=True)
    m, treated = reference(z, panel.label, panel.block), panel.treated[panel.label]
    weights = efficient_contrast(z, m, panel.years, panel.design, LOADING).weights
    part, one = (
        _contrast(np.einsum("nt,ct->nc", values, weights), panel)
        for values in (planted.loading_part / sd, cycle(m, panel.years) * treated)
    )
    counted = (treated * panel.movable[:, None]) > 0
    fall = float(np.exp(np.log(planted.own_variance_ratio[counted]).mean()) - 1)
    own = _own_variance(panel, z, m, standardise(np.asarray(growth_without)))
    return (
        PlantedChannel(OWN_VARIANCE.name, own, fall),
        PlantedChannel(LOADING.name, part / one, float(planted.loading_rise[counted].mean())),
    )


def _own_variance(panel: CityPanel, z: np.ndarray, m: np.ndarray, bare: np.ndarray) -> float:
    places, labels = observed_places(panel.label, panel.block)
    ready = Standardised(panel, z, m, places[:, None], labels)

    def coefficient(values: np.ndarray) -> float:
        terms = efficient_contrast(values, m, panel.years, panel.design, OWN_VARIANCE).terms
        return float(gather(terms, panel.design, ready.places, labels).estimate[0])

    target = coefficient(bare)
    effect = root_between(
        lambda g: coefficient(undo(ready, OWN_VARIANCE, g)) - target, -WIDEST_OWN, WIDEST_OWN
    )
    return float(np.exp(-2 * effect) - 1)


def _complete_panel(growth, years, cohort, block) -> CityPanel | None:
    """The panel where it gives a verdict and leaves no city out."""
    panel = build_panel(growth, years, cohort, block)
    return None if lacking(panel) or len(panel.label) < len(growth) else panel


def _contrast(values: np.ndarray, panel: CityPanel) -> float:
    """Sum over pilots of their value (N, C + 1) under their own label, less its mean in their
    block.
    """
    net, pilots = (
        values - block_means(values, panel.design)[panel.block],
        np.flatnonzero(panel.label > 0),
    )
    return float(net[pilots, panel.label[pilots]].sum())
