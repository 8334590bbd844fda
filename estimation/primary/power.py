"""How often the primary test finds effects of stated kinds, imposed on pseudo-admissions of the
very panel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel, build_panel, lacking
from .contrast import treatment_contrast
from .effects import impose_on_pilots
from .fit import measured, series_of
from .redeal import LEVEL, deal, draw_statistics, family_p

IMPOSED = ("S-30", "S-60", "S+60", "L+50", "L-50")


@dataclass(frozen=True)
class PowerRow:
    """How often an imposed effect is found in a series.

    Attributes
    ----------
    series : str
        ``growth`` or ``cycle``.
    imposed : str
    effect_on_cm : float
        Mean over draws of what it does to the coefficient.
    share_found : float
        By the p of the family.
    draws : int
    """

    series: str
    imposed: str
    effect_on_cm: float
    share_found: float
    draws: int


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
) -> list[PowerRow]:
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
    list of PowerRow
        Empty where the panel gives no verdict.

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
        z, m, _ = measured(panel, panel.growth)
        bare, _ = _judge(panel, again[:1])
        for k, name in enumerate(imposed):
            changed = impose_on_pilots(z, m, panel.years, panel.label, panel.treated, name)
            with_effect, p = _judge(build_panel(changed, real.years, pseudo, real.block), again)
            moved[:, k] += with_effect - bare
            found[:, k] += p < LEVEL
    return [
        PowerRow(series, name, float(moved[s, k] / draws), float(found[s, k] / draws), draws)
        for s, series in enumerate(("growth", "cycle"))
        for k, name in enumerate(imposed)
    ]


def _judge(panel: CityPanel, dealt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of both series, and the p of the family."""
    contrast = treatment_contrast(panel)
    draws = [
        draw_statistics(measured(panel, series)[2], contrast, panel.label, panel.block, dealt)
        for series in series_of(panel)
    ]
    p = family_p(np.array([one.statistic() for one in draws]))
    return np.array([one.estimate[0] for one in draws]), np.array(p)
