"""What the primary test can find on the very panel: imposed effects, and the smallest effect it
finds in four of five cases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .city_panel import CityPanel, build_panel, lacking
from .contrast import PRIMARY, cm_contrast, efficient_contrast, mean_shift
from .effects import scale_own
from .interval import LEVEL, Standardised
from .permutation import draw_places, rank_p
from .scores import cm_scores, cycle, gap_cut, reference, slope, standardise
from .statistics import Design, gather, make_terms

POWER = 0.8
IMPOSED = ("S-30", "S-60", "S-80", "L-50")
# Shares of own variance taken away among which the smallest effect found is looked for.
SHARES = np.linspace(0.05, 1.0, 20)


@dataclass(frozen=True)
class PowerRow:
    """How often an imposed effect is found.

    Attributes
    ----------
    imposed : str
    effect_on_cm : float
        Mean over draws of what it does to the two-way coefficient of `cm`, in correlation units.
    share_found : float
    draws : int
    """

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

    Pseudo-admissions are drawn within blocks, as many in each block and cohort as there really are.
    ``S-60``: own shocks times sqrt(1 - 0.6) from admission on; ``L-50``: loading on the detrended
    cycle times 1.5; ``S-0`` imposes nothing and gives the size. Then z is taken again.

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
        If arrays do not fit or an effect is not of the form S-60 or L-50.
    """
    effects = [_parse(name) for name in imposed]
    panel = build_panel(growth, years, cohort, block)
    if lacking(panel):
        return []
    z = standardise(panel.growth)
    generator = np.random.Generator(np.random.PCG64([seed, 1]))
    places, labels = draw_places(panel.label, panel.block, draws, generator)
    shuffles = [
        draw_places(
            panel.label,
            panel.block,
            permutations,
            np.random.Generator(np.random.PCG64([seed, 2, d])),
        )[0]
        for d in range(draws)
    ]
    rows = []
    for name, (letter, share) in zip(imposed, effects, strict=True):
        found, moved = 0, 0.0
        for d in range(draws):
            p, effect = _try(panel, z, places[:, 1 + d], labels, shuffles[d], letter, share)
            found, moved = found + (p < LEVEL), moved + effect
        rows.append(PowerRow(name, moved / draws, found / draws, draws))
    return rows


def _parse(name: str) -> tuple[str, float]:
    found = re.fullmatch(r"([SL])-(\d{1,3})", name)
    if not found or (found[1] == "S" and int(found[2]) > 100):
        raise ValueError(
            f"imposed effect {name!r}: expected S- or L- and a percentage (S-60: own variance 60 "
            "% less, L-50: loading 50 % more)"
        )
    return found[1], int(found[2]) / 100


def _try(
    panel: CityPanel,
    z: np.ndarray,
    pilots: np.ndarray,
    labels: np.ndarray,
    shuffle: np.ndarray,
    letter: str,
    share: float,
) -> tuple[float, float]:
    """p, and the effect on `cm`, of one pseudo-admission with an imposed effect."""
    label = np.zeros(len(z), dtype=np.int64)
    label[pilots] = labels
    m, design = reference(z, label, panel.block), panel.design
    changed = z.copy()
    for c, treated in enumerate(panel.treated[1:], start=1):
        rows = label == c
        if letter == "S":
            changed[rows] = scale_own(z[rows], m[rows], np.sqrt(1 - share), treated)
        else:
            changed[rows] = _raise_loading(z[rows], m[rows], share, treated, panel.years)
    places = np.concatenate([pilots[:, None], shuffle[:, 1:]], axis=1)
    drawn = gather(
        efficient_contrast(changed, m, panel.years, design, PRIMARY).terms, design, places, labels
    )
    with_effect, without = (
        gather(cm_contrast(x, m, design).terms, design, places[:, :1], labels).estimate[0]
        for x in (changed, z)
    )
    return rank_p(drawn.statistic), float(with_effect - without)


def _raise_loading(
    z: np.ndarray, m: np.ndarray, share: float, treated: np.ndarray, years: np.ndarray
) -> np.ndarray:
    """z, taken again, with each city's own loading on the cycle (slope of its detrended z in
    untreated years) times 1 + share.
    """
    wave = cycle(m, years)
    return standardise(
        z + share * slope(cycle(z, years), wave, treated == 0)[:, None] * wave * treated[None, :]
    )


def minimum_detectable_effect(ready: Standardised) -> float | None:
    """Smallest fall of own variance found in 80 % at 5 %, as its effect on `cm`.

    An effect adds a constant to the coefficient of each draw of admissions, so the share found is
    read off the permutation distribution: the share of draws with abs(b* + effect) over its error
    above the 95 % quantile of abs(b*) over its error. The effect in units of the coefficient is
    that of a fall of own variance by k, imposed on every city in turn; the same fall's effect on
    the two-way coefficient of `cm` is what is returned.

    Returns
    -------
    float or None
        None if not even a city without own shocks after admission would be found so often.
    """
    z, m, panel = ready.z, ready.m, ready.panel
    design = panel.design
    contrast = efficient_contrast(z, m, panel.years, design, PRIMARY)
    drawn = gather(contrast.terms, design, ready.places[:, 1:], ready.labels)
    errors = np.sqrt(drawn.variance)
    critical = np.quantile(np.abs(drawn.statistic), 1 - LEVEL)
    # the smallest effect that takes a draw over the critical value; four of five draws are over at
    # its 80 % quantile
    needed = float(np.quantile(critical * errors - drawn.estimate, POWER))
    cut, moved = gap_cut(z, m), []
    for share in SHARES:
        shifts = np.vstack(
            [np.zeros(contrast.weights.shape[1])]
            + [mean_shift(z, m, panel.years, t, PRIMARY, share, cut) for t in panel.treated[1:]]
        )
        moved.append(_response(shifts, contrast.weights, design) / contrast.terms.denominator)
    if needed > max(moved):
        return None
    share = float(np.interp(needed, np.maximum.accumulate(moved), SHARES))
    return _cm_response(ready, share)


def _response(shifts: np.ndarray, weights: np.ndarray, design: Design) -> float:
    """What mean changes of scores by cohort add to the numerator."""
    return make_terms(
        np.zeros((len(design.block), len(weights))), np.einsum("ct,kt->ck", shifts, weights), design
    ).denominator


def _cm_response(ready: Standardised, share: float) -> float:
    """Two-way coefficient of `cm` that a fall of own variance by `share` makes, on average over
    cities.
    """
    z, m, panel = ready.z, ready.m, ready.panel
    base, contrast = cm_scores(z, m), cm_contrast(z, m, panel.design)
    changed = [cm_scores(scale_own(z, m, np.sqrt(1 - share), t), m) for t in panel.treated[1:]]
    shifts = np.vstack(
        [np.zeros(z.shape[1])] + [(scores - base).mean(axis=0) for scores in changed]
    )
    return _response(shifts, contrast.weights, panel.design) / contrast.terms.denominator
