"""Publish data that suffice for the estimate, interval and p of the primary test but reveal hardly
any growth: stand-ins for the cities of one province and first treated year.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..analyses.spec import Spec
from ..primary.city_panel import CityPanel, usable
from ..primary.contrast import treatment_contrast
from ..primary.fit_primary import fit_measure
from ..primary.interval import Tested
from ..primary.measure import block_means, net_of_blocks
from .windows import Window, settings_of

DIGITS = 3
# Draws that are tried for one that repeats the test to the digits that are quoted.
TRIES = 50
# Numbers of one width have one order, as numbers and as text.
FIRST_NUMBER = 1001
# A direction below this size is rounding.
ROUNDING = 1e-9


def city_period_rows(spec: Spec, window: Window, result: Tested) -> list[dict[str, Any]]:
    """Return rows of ``estimates.city_period`` of a test: a stand-in and a period, ascending.

    Admissions are permuted within provinces, so no city can be treated from a year in which no city
    of its province is: periods between first treated years of the province suffice. Of several
    draws the first is taken whose test repeats `result` as it is quoted.
    """
    complete, varies = usable(window.growth, window.years)
    kept = complete & varies
    panel = window.panel
    y = panel.measured(panel.growth)[2]
    provinces = window.block[kept]
    admitted = panel.cohort
    order = np.lexsort((admitted, provinces))
    for seed in range(TRIES):
        values = stand_ins(panel, y, seed).round(DIGITS)
        given = (values[order], panel.years, admitted[order], provinces[order])
        if quoted(fit_measure(*given, **settings_of(spec))) == quoted(result):
            break
    rows = []
    for number, place in enumerate(order.tolist(), start=FIRST_NUMBER):
        of_block = np.unique(admitted[panel.block == panel.block[place]])
        firsts = of_block[of_block > 0]
        if len(of_block) == 1:
            # admissions of such a province say nothing
            firsts = firsts[:0]
        starts = np.searchsorted(panel.years, np.append(panel.years[0], firsts))
        ends = np.append(starts[1:], len(panel.years))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            rows.append(
                {
                    "spec_id": spec.spec_id,
                    "stand_in": number,
                    "province_id": int(provinces[place]),
                    "cohort_year": int(admitted[place]) or None,
                    "first_year": int(panel.years[start]),
                    "last_year": int(panel.years[end - 1]),
                    "n_years": end - start,
                    "synchronization": float(values[place, start]),
                }
            )
    return rows


def quoted(tested: Tested) -> tuple[float | None, ...]:
    """Return estimate, interval and p as README quotes them."""
    digits = {"estimate": 3, "ci_low": 3, "ci_high": 3, "p_value": 2}
    quotes: list[float | None] = []
    for name, places in digits.items():
        figure = getattr(tested, name)
        quotes.append(None if figure is None else round(figure, places))
    return tuple(quotes)


def directions(panel: CityPanel, block: int) -> np.ndarray:
    """Return orthonormal rows (K, T) that span the differences between the treatment paths of a
    block, less their means over years; none where all its cities have one path.

    The weights of every permutation within the block are in this span.
    """
    paths = panel.treated[panel.counts[block] > 0]
    net = paths - paths.mean(axis=1, keepdims=True)
    _, size, span = np.linalg.svd(net - net[0], full_matrices=False)
    return span[size > ROUNDING]


def least(panel: CityPanel, y: np.ndarray) -> np.ndarray:
    """Return the part of y (N, T) that the primary test uses in any permutation within blocks: less
    the mean of the block by year, in the span of `directions`.
    """
    net = net_of_blocks(y, panel.block)
    part = np.zeros(y.shape)
    for block in range(len(panel.counts)):
        span = directions(panel, block)
        members = panel.block == block
        part[members] = net[members] @ span.T @ span
    return part


def stand_ins(panel: CityPanel, y: np.ndarray, seed: int) -> np.ndarray:
    """Return numbers of made-up cities in place of the cities of a panel (N, T).

    Their means over each block and cohort are those of `least`, so the estimate is the same. How
    they differ within is drawn with the covariance that treated cities, or cities never treated,
    have within all blocks and cohorts together, and scaled so that the error is the same.
    """
    cell = np.unique(panel.block * len(panel.treated) + panel.label, return_inverse=True)[1]
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    away = net_of_blocks(y, cell)
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(y.shape)
    for members in (panel.label == 0, panel.label > 0):
        size, axes = np.linalg.eigh(away[members].T @ away[members])
        largest = np.abs(axes).argmax(axis=0)
        # the sign of an axis is the library's choice
        axes = axes * np.sign(axes[largest, np.arange(len(size))])
        noise[members] = noise[members] @ (axes * np.sqrt(np.maximum(size, 0))).T
    noise = net_of_blocks(noise, cell)
    for members in (panel.label == 0, panel.label > 0):
        true = np.square((away * weight)[members].sum(axis=1)).sum()
        made = np.square((noise * weight)[members].sum(axis=1)).sum()
        noise[members] *= np.sqrt(true / (made or 1.0))
    used = least(panel, y)
    return block_means(used, cell)[cell] + least(panel, noise)
