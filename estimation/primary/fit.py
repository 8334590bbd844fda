"""The primary test of a city panel: one result, with interval, channels, what could have been
found, and warnings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .channels import Channel, ImpliedCorrelation, estimate_channels, imply_correlation
from .city_panel import CityPanel, build_panel, lacking
from .contrast import CALMING_BEFORE, PRIMARY, efficient_contrast
from .interval import Standardised, can_reject, effect_on_cm, invert, make_ready
from .permutation import rank_p
from .power import minimum_detectable_effect
from .statistics import gather

# Level of the warning that own shocks calmed before admission: a warning should miss little.
WARNING_LEVEL = 0.10


@dataclass(frozen=True)
class PrimaryResult:
    """What the primary test says of a panel. Without a verdict the figures are None and the
    warnings say why.

    Attributes
    ----------
    estimate, ci_low, ci_high : float or None
        Change of mean `cm` of a pilot with never-pilots, correlation units.
    p_value : float or None
        Below 0.05 exactly where 0 is outside the interval.
    minimum_detectable_effect : float or None
        Correlation units; 80 % power at 5 %.
    channels : tuple of Channel
    implied_correlation : ImpliedCorrelation or None
    n_cities, n_pilots, n_blocks : int
        Cities and pilots used; blocks that hold both kinds.
    warnings : tuple of str
    """

    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    minimum_detectable_effect: float | None
    channels: tuple[Channel, ...]
    implied_correlation: ImpliedCorrelation | None
    n_cities: int
    n_pilots: int
    n_blocks: int
    warnings: tuple[str, ...]


def fit_primary(
    growth, years, cohort, block, *, permutations: int = 9999, seed: int = 1
) -> PrimaryResult:
    """Test whether admission changed the mean synchronization of pilots with never-pilots.

    Parameters
    ----------
    growth : (N, T) float array
        One row per city; NaN leaves the city out, with a warning.
    years : (T,) int array
    cohort : (N,) int array
        First treated year, 0 = never.
    block : (N,) array
        Ids of blocks (provinces) inside which admission is compared and permuted.
    permutations : int
        At least 20.
    seed : int

    Returns
    -------
    PrimaryResult

    Raises
    ------
    ValueError
        If shapes do not fit, years repeat, a value is infinite, or `permutations` is so low that no
        p below 0.05 can come out.

    Notes
    -----
    Statistic, inversion and units: docs/methods, section 18; what was measured:
    docs/evidence/primary-test.md.
    """
    if not can_reject(permutations):
        raise ValueError(
            f"permutations is {permutations}: with fewer than 20 no p below 0.05 can come out; "
            "give 9999, or 199 for a quick look"
        )
    panel = build_panel(growth, years, cohort, block)
    reasons = lacking(panel)
    if reasons:
        return _no_verdict(panel, reasons)
    ready = make_ready(panel, permutations, np.random.Generator(np.random.PCG64([seed, 0])))
    found = invert(ready, PRIMARY)
    channels = estimate_channels(ready)
    smallest = minimum_detectable_effect(ready)
    return PrimaryResult(
        estimate=effect_on_cm(ready, PRIMARY, found.estimate),
        ci_low=effect_on_cm(ready, PRIMARY, found.low),
        ci_high=effect_on_cm(ready, PRIMARY, found.high),
        p_value=found.p_value,
        minimum_detectable_effect=smallest,
        channels=channels,
        implied_correlation=imply_correlation(ready, channels[0].estimate, channels[1].estimate),
        **_counts(panel),
        warnings=panel.notes + _warnings(ready, smallest),
    )


def primary_p(
    growth, years, cohort, block, *, permutations: int = 9999, seed: int = 1
) -> float | None:
    """The primary test's p alone, None without a verdict: the same draws and figure as
    `fit_primary`, for thousands of fits.
    """
    panel = build_panel(growth, years, cohort, block)
    if lacking(panel):
        return None
    ready = make_ready(panel, permutations, np.random.Generator(np.random.PCG64([seed, 0])))
    contrast = efficient_contrast(ready.z, ready.m, panel.years, panel.design, PRIMARY)
    return rank_p(gather(contrast.terms, panel.design, ready.places, ready.labels).statistic)


def calming_p(ready: Standardised) -> float:
    """p of the test whether pilots' own shocks calmed, or woke, along a line before admission,
    other than their peers'.
    """
    design = ready.panel.design
    contrast = efficient_contrast(ready.z, ready.m, ready.panel.years, design, CALMING_BEFORE)
    return rank_p(gather(contrast.terms, design, ready.places, ready.labels).statistic)


def _no_verdict(panel: CityPanel, reasons: tuple[str, ...]) -> PrimaryResult:
    return PrimaryResult(
        None, None, None, None, None, (), None, **_counts(panel), warnings=panel.notes + reasons
    )


def _counts(panel: CityPanel) -> dict[str, int]:
    return {
        "n_cities": len(panel.label),
        "n_pilots": int((panel.label > 0).sum()),
        "n_blocks": panel.n_mixed_blocks,
    }


def _warnings(ready: Standardised, smallest: float | None) -> tuple[str, ...]:
    panel, found = ready.panel, []
    pilots, movable = int((panel.label > 0).sum()), int(panel.movable.sum())
    if movable < pilots:
        found.append(
            f"{pilots - movable} of {pilots} pilots have no never-pilot in their block and say "
            "nothing here."
        )
    if smallest is None:
        found.append(
            "No fall of own variance, however large, would be found in 80 % of cases: a p above "
            "0.05 says nothing on this panel."
        )
    p = calming_p(ready)
    if p < WARNING_LEVEL:
        text = (
            "Own shocks of pilots changed along a line already before admission, other than "
            f"their peers' (p = {p:.3f}): "
        )
        found.append(text + "the effect may be their earlier trend; look at the placebo in time.")
    return tuple(found)
