"""What would have been found: the smallest additive change, and how often effects of stated kinds
are found that are imposed on pseudo-admissions of the very panel.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .city_panel import CityPanel, build_panel, lacking
from .contrast import treatment_contrast
from .interval import family_p
from .measure import cycle, own_shock, slope, standardise
from .redeal import FARTHEST, LEVEL, Draws, deal, draw_statistics, needed_draws

POWER = 0.8
IMPOSED = ("S-30", "S-60", "S+60", "L+50", "L-50")


def detectable(draws: Draws, others: np.ndarray, sign: int) -> float | None:
    """Smallest additive change of a sign that is found in 80 % of the draws.

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
    b, needed = draws.estimate[0], needed_draws(len(draws.estimate))
    if draws.is_real.sum() >= needed:
        return None
    start = sign * (draws.estimate - b * draws.carried)[1:]
    errors = np.sqrt(draws.variance(b))[1:]

    def found(size: float) -> bool:
        drawn = np.maximum(np.abs(draws.statistic(b - sign * size)), others)[1:]
        critical = np.partition(drawn, len(drawn) - needed + 1)[len(drawn) - needed + 1]
        return bool((start + size > critical * errors).mean() >= POWER)

    low, high = 0.0, float(np.sqrt(draws.variance(b)[0]))
    widest = FARTHEST * high
    while not found(high):
        low, high = high, 2 * high
        if high > widest:
            return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def impose(
    z: np.ndarray,
    m: np.ndarray,
    years: np.ndarray,
    treated: np.ndarray,
    name: str,
    fitted_on: np.ndarray | None = None,
) -> np.ndarray:
    """z, taken again, of cities with an effect in their treated years.

    ``S-60``, ``S+60``: own variance 60 % less, or more; the line on (1, m) that leaves the own
    shock is fitted on untreated years. ``L+50``, ``L-50``: the city's own loading, the slope of its
    cycle on that of m in untreated years, times 1.5 or 0.5. ``C+50``: the cycle of m times 0.5 is
    added, the same rise of loading for all. z is an affine function of growth city by city, so
    changing it and changing growth are the same.

    Parameters
    ----------
    z, m : (n, T) float arrays
    years : (T,) int array
    treated : (T,) float array
        1 in treated years.
    name : str
    fitted_on : (T,) bool array, optional
        Other years to fit the line of S on.

    Returns
    -------
    (n, T) float array

    Raises
    ------
    ValueError
        If the name is none of these.
    """
    found = re.fullmatch(r"([SLC])([+-]\d{1,3})", name)
    share = int(found[2]) / 100 if found else 0.0
    if not found or share < -1:
        raise ValueError(
            f"imposed effect {name!r}: expected S, L or C, a sign and a percentage (S-60: own "
            "variance 60 % less, L+50: loading 50 % more)"
        )
    untreated = treated == 0
    if found[1] == "S":
        part = own_shock(z, m, untreated if fitted_on is None else fitted_on)
        return standardise(z + (np.sqrt(1 + share) - 1) * part * treated)
    wave = cycle(m, years)
    own = slope(cycle(z, years), wave, untreated) if found[1] == "L" else np.ones(len(z))
    return standardise(z + share * own[:, None] * wave * treated)


def impose_on_pilots(
    z: np.ndarray, m: np.ndarray, years: np.ndarray, label: np.ndarray, treated: np.ndarray, name
) -> np.ndarray:
    """z with the effect on every pilot, by its label (N,) and the treated years of labels
    (C + 1, T).
    """
    changed = z.copy()
    for c in range(1, len(treated)):
        rows = label == c
        changed[rows] = impose(z[rows], m[rows], years, treated[c], name)
    return changed


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
    """Share of pseudo-admissions on this panel in which an imposed effect is found at 5 %.

    The real admissions are dealt again within blocks; effects as of `effects.impose`.

    Parameters
    ----------
    growth : (N, T) float array
    years : (T,) int array
    cohort, block : (N,) arrays
    imposed : sequence of str
    draws, permutations, seed : int

    Returns
    -------
    list of dict
        series (``growth`` or ``cycle``), imposed, effect_on_cm (mean over draws of what it does to
        the coefficient), share_found (by the p of the family), draws. Empty where the panel gives
        no verdict.

    Raises
    ------
    ValueError
        If arrays do not fit or an effect is not of the form S-60 or L+50.
    """
    real = build_panel(growth, years, cohort, block)
    if lacking(real):
        return []
    first_years = np.append(0, real.cohorts)
    moved, found = np.zeros((2, 2, len(imposed)))
    for number, dealt in enumerate(deal(real.block, max(draws, 20), [seed, 1])[1 : 1 + draws]):
        pseudo = first_years[real.label[dealt]]
        panel = build_panel(real.growth, real.years, pseudo, real.block)
        again = deal(real.block, permutations, [seed, 2, number])
        z, m, _ = panel.measured(panel.growth)
        bare, _ = _family(panel, again[:1])
        for k, name in enumerate(imposed):
            changed = impose_on_pilots(z, m, panel.years, panel.label, panel.treated, name)
            with_effect, p = _family(build_panel(changed, real.years, pseudo, real.block), again)
            moved[:, k] += with_effect - bare
            found[:, k] += p < LEVEL
    return [
        {
            "series": series,
            "imposed": name,
            "effect_on_cm": float(moved[s, k] / draws),
            "share_found": float(found[s, k] / draws),
            "draws": draws,
        }
        for s, series in enumerate(("growth", "cycle"))
        for k, name in enumerate(imposed)
    ]


def _family(panel: CityPanel, dealt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of both series, and the p of the family."""
    contrast = treatment_contrast(panel)
    draws = [
        draw_statistics(panel.measured(series)[2], contrast, panel.label, panel.block, dealt)
        for series in panel.series
    ]
    p = family_p(np.array([one.statistic() for one in draws]))
    return np.array([one.estimate[0] for one in draws]), np.array(p)
