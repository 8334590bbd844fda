"""Estimate and interval of an effect by inversion of the same test that gives its p."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.optimize import brentq

from .city_panel import CityPanel
from .contrast import Kind, cm_contrast, efficient_contrast
from .effects import add_loading, scale_own
from .permutation import draw_places, rank_p
from .scores import reference, standardise
from .statistics import gather
from .year_error import year_errors

LEVEL = 0.05
# Own shocks are undone by factors from 1/20 to 20, loadings by -5 to 5.
WIDEST_OWN, WIDEST_LOADING = 3.0, 5.0
# Bounds are found to this share of the range that is searched.
STEP = 1e-4


@dataclass(frozen=True)
class Standardised:
    """A panel made ready once: z, the reference of peers, and the draws.

    Attributes
    ----------
    panel : CityPanel
    z, m : (N, T) float arrays
    places : (n, 1 + draws) int array
        The real admissions first.
    labels : (n,) int array
    """

    panel: CityPanel
    z: np.ndarray
    m: np.ndarray
    places: np.ndarray
    labels: np.ndarray


def make_ready(panel: CityPanel, permutations: int, generator: np.random.Generator) -> Standardised:
    """Standardise growth and draw admissions."""
    z = standardise(panel.growth)
    places, labels = draw_places(panel.label, panel.block, permutations, generator)
    return Standardised(panel, z, reference(z, panel.label, panel.block), places, labels)


@dataclass(frozen=True)
class Inverted:
    """An effect with what the test says of it.

    Attributes
    ----------
    estimate, low, high : float
        The effect whose removal leaves a statistic of 0, and the range of effects whose removal
        leaves a panel that the test does not reject.
    p_value : float
        Of no effect; below 0.05 exactly where 0 is outside the range.
    """

    estimate: float
    low: float
    high: float
    p_value: float


def undo(ready: Standardised, kind: Kind, effect: float) -> np.ndarray:
    """z with an effect taken out of the pilots' treated years, (N, T).

    For own variance and the primary test the effect is g with own standard deviation times exp(-g)
    after admission (positive: calmer); for the loading it is the change itself.
    """
    z, panel = ready.z.copy(), ready.panel
    for c, treated in enumerate(panel.treated[1:], start=1):
        rows = panel.label == c
        if kind.name == "loading":
            z[rows] = add_loading(z[rows], ready.m[rows], -effect, treated, panel.years)
        else:
            z[rows] = scale_own(z[rows], ready.m[rows], np.exp(effect), treated)
    return z


def statistics(ready: Standardised, kind: Kind, z: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Studentised coefficient of every draw on the panel z, (draws,); the observed one
    comes first.
    """
    return drawn_statistics(kind, z, ready.m, ready.panel, places, ready.labels)


def drawn_statistics(
    kind: Kind,
    z: np.ndarray,
    m: np.ndarray,
    panel: CityPanel,
    places: np.ndarray,
    labels: np.ndarray,
) -> np.ndarray:
    """The same from a panel's parts: z and m (N, T), places (n, draws), labels (n,)."""
    design = panel.design
    drawn = gather(
        efficient_contrast(z, m, panel.years, design, kind).terms, design, places, labels
    )
    if not kind.error_from_years:
        return drawn.statistic
    errors = year_errors(z, m, panel.years, design, places, labels)
    return drawn.estimate / np.where(errors > 0, errors, np.inf)


def invert(ready: Standardised, kind: Kind) -> Inverted:
    """Estimate, interval and p of an effect.

    The hypothesis of an effect g is that the panel with g taken out is one in which admission did
    nothing; it is tested by the very test of no effect on that panel, with the same draws. So p of
    no effect is the value at g = 0.
    """
    widest = WIDEST_LOADING if kind.name == "loading" else WIDEST_OWN
    return invert_test(
        lambda effect, places: statistics(ready, kind, undo(ready, kind, effect), places),
        ready.places,
        -widest,
        widest,
    )


def invert_test(
    test: Callable[[float, np.ndarray], np.ndarray],
    places: np.ndarray,
    lowest: float,
    highest: float,
) -> Inverted:
    """Invert a test of effects between two ends, which lie on both sides of 0.

    Parameters
    ----------
    test : callable
        (effect, places) -> statistics of the draws on the panel without the effect, (draws,).
    places : (n, 1 + draws) int array
    lowest, highest : float
        A bound that lies beyond is given as the end.

    Returns
    -------
    Inverted
    """

    def excess(effect: float) -> float:
        return _excess(test(effect, places))

    drawn = test(0.0, places)
    estimate = root_between(lambda effect: float(test(effect, places[:, :1])[0]), lowest, highest)
    step = STEP * (highest - lowest)
    low, high = (_bound(excess, estimate, end, _excess(drawn), step) for end in (lowest, highest))
    return Inverted(estimate, low, high, rank_p(drawn))


def can_reject(permutations: int) -> bool:
    """Whether so few draws can give a p below 0.05."""
    return _place(1 + permutations) > 0


def _place(count: int) -> int:
    """p < 0.05 exactly where the observed statistic exceeds the `_place`-th largest of the drawn
    ones.
    """
    return ceil(LEVEL * count - 1e-9) - 1


def _excess(drawn: np.ndarray) -> float:
    """Observed absolute statistic less its critical value: positive exactly where p < 0.05."""
    sizes = np.abs(drawn)
    place = len(sizes) - 1 - _place(len(sizes))
    return float(sizes[0] - np.partition(sizes[1:], place)[place])


def root_between(function: Callable[[float], float], low: float, high: float) -> float:
    """Where the function crosses zero; the end nearer to zero if it does not."""
    at_low, at_high = function(low), function(high)
    if at_low * at_high > 0:
        return low if abs(at_low) < abs(at_high) else high
    return float(brentq(function, low, high, xtol=1e-9 * (high - low)))


def _bound(
    excess: Callable[[float], float], estimate: float, end: float, at_zero: float, step: float
) -> float:
    """Where the test begins to reject between estimate and end. 0, if it lies between them, ends
    the bracket: bound and p agree.
    """
    near, at_near, far = estimate, -1.0, end
    if min(estimate, end) < 0 < max(estimate, end):
        if at_zero > 0:
            far = 0.0
        else:
            near, at_near = 0.0, at_zero
    at_far = at_zero if far == 0 else excess(far)
    if at_far <= 0 or near == far:
        return far
    known = {near: min(at_near, -1e-300), far: at_far}
    return float(
        brentq(
            lambda effect: known[effect] if effect in known else excess(effect),
            near,
            far,
            xtol=step,
        )
    )


def effect_on_cm(ready: Standardised, kind: Kind, effect: float) -> float:
    """The effect in correlation units: two-way coefficient of `cm` (T3) on the panel as it is, less
    that with the effect taken out.
    """
    return _cm(ready, ready.z) - _cm(ready, undo(ready, kind, effect))


def _cm(ready: Standardised, z: np.ndarray) -> float:
    design = ready.panel.design
    return float(
        gather(
            cm_contrast(z, ready.m, design).terms, design, ready.places[:, :1], ready.labels
        ).estimate[0]
    )
