"""What would have been found: the smallest additive change, and how often effects of stated kinds
are found that are imposed on pseudo-admissions of the very panel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..defaults import LEVEL, POWER
from .city_panel import CityPanel, build_panel
from .contrast import treatment_contrast
from .measure import cycle, own_shock, slope, standardise
from .p_values import family_p
from .permutation import FARTHEST, Draws, draw_statistics, needed_draws, permute_in_blocks

IMPOSED = ("S-30", "S-60", "S+60", "L+50", "L-50")


def detectable(draws: Draws, others: np.ndarray, sign: int) -> float | None:
    """Return the smallest additive change of a sign that is found in 80 % of the draws.

    The panel is freed of the estimate; a change is then put on the cells that a draw treats. The
    critical value is that of the real admissions with the same change.

    Parameters
    ----------
    draws : Draws
    others : (J,) float array
        Largest absolute statistic of the other series of the family, 0 where there is none.
    sign : int
        1 for a rise, -1 for a fall.

    Returns
    -------
    float or None
        Above 0; None where no change is found so often.
    """
    freed, unit = draws.freed()
    needed = needed_draws(len(others))
    if freed.is_real.sum() >= needed:
        return None
    start, errors = sign * freed.estimate[1:], np.sqrt(freed.variance()[1:])

    def found(size: float) -> bool:
        drawn = np.maximum(np.abs(freed.statistic(-sign * size)), others)[1:]
        critical = np.partition(drawn, len(drawn) - needed + 1)[len(drawn) - needed + 1]
        return bool((start + size > critical * errors).mean() >= POWER)

    low, high = 0.0, 1.0
    while not found(high):
        low, high = high, 2 * high
        if high > FARTHEST:
            return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high * unit


def impose(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, treated: np.ndarray, name: str
) -> np.ndarray:
    """z, taken again, of cities with an effect in their treated years.

    ``S-60``, ``S+60``: own variance 60 % less, or more; the line on (1, m) that leaves the own
    shock is fitted on untreated years. ``L+50``, ``L-50``: the city's own loading, the slope of its
    cycle on that of m in untreated years, times 1.5 or 0.5. ``C+50``: the cycle of m times 0.5 is
    added, the same rise of loading for all. z is an affine function of growth city by city, so
    changing it and changing growth are the same.

    Parameters
    ----------
    z, m : (N, T) float arrays
    years : (T,) int array
    treated : (N, T) float array
        1 in treated years.
    name : str
    """
    kind, share, untreated = name[0], int(name[1:]) / 100, 1 - treated
    if kind == "S":
        part = (np.sqrt(1 + share) - 1) * own_shock(z, m, untreated)
    else:
        wave = cycle(m, years)
        own = slope(cycle(z, years), wave, untreated) if kind == "L" else np.ones(len(z))
        part = share * own[:, None] * wave
    return standardise(z + part * treated)


def power_curve(
    growth,
    years,
    cohort,
    block,
    *,
    imposed=IMPOSED,
    draws: int = 200,
    permutations: int = 199,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Return the share of pseudo-admissions on this panel in which an imposed effect is found at 5
    %.

    The real admissions are permuted within blocks; effects as of `impose`.

    Parameters
    ----------
    growth : (N, T) float array
    years : (T,) int array
    cohort, block : (N,) arrays
        Of a panel on which `fit_primary` gives a verdict.
    imposed : sequence of str
    draws, permutations, seed : int
        At least 20 of both.

    Returns
    -------
    list of dict
        series (``growth`` or ``cycle``), imposed, effect_on_cm (mean over draws of what it does to
        the coefficient), share_found (by the p of the family), draws.
    """
    real = build_panel(growth, years, cohort, block)
    moved, found = np.zeros((2, 2, len(imposed)))
    for number, permuted in enumerate(permute_in_blocks(real.block, draws, [seed, 1])[1:]):
        panel = replace(real, label=real.label[permuted])
        again = permute_in_blocks(real.block, permutations, [seed, 2, number])
        z, m, _ = panel.measured(panel.growth)
        bare, _ = _family(panel, again[:1])
        for k, name in enumerate(imposed):
            changed = impose(z, m, panel.years, panel.treated[panel.label], name)
            with_effect, p = _family(replace(panel, growth=changed), again)
            moved[:, k] += with_effect - bare
            found[:, k] += p < LEVEL
    rows = []
    for s, series in enumerate(("growth", "cycle")):
        for k, name in enumerate(imposed):
            rows.append(
                {
                    "series": series,
                    "imposed": name,
                    "effect_on_cm": float(moved[s, k] / draws),
                    "share_found": float(found[s, k] / draws),
                    "draws": draws,
                }
            )
    return rows


def _family(panel: CityPanel, permuted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients of both series, and the p of the family."""
    contrast = treatment_contrast(panel)
    draws = [
        draw_statistics(
            panel.measured(series)[2],
            contrast,
            panel.label,
            panel.block,
            permuted,
            has_effects=False,
        )
        for series in panel.series
    ]
    p = family_p(np.array([one.statistic() for one in draws]))
    return np.array([one.estimate[0] for one in draws]), np.array(p)
