"""Windows of the primary test, by rule, the cities that are complete in them, and the joint p of
several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..analyses.primary import BASE_YEAR, FIRST_YEAR, LEFT_OUT, STUDY_WINDOW
from ..analyses.series import SERIES
from ..analyses.spec import SampleError, Spec
from ..defaults import DRAWS, LEAST_SHARE
from ..primary.city_panel import Window, build_panel, lacking
from ..primary.contrast import treatment_contrast
from ..primary.measure import cycle
from ..primary.p_values import rank_p
from ..primary.permutation import Draws, draw_statistics, permute_in_blocks
from ..sample.cities import build_sample_cities
from ..sample.marts import Marts
from ..sample.outcomes import build_series

# With fewer no p below 0.05 can come out.
FEWEST_DRAWS = 20


def settings_of(spec: Spec) -> dict[str, int]:
    """Return permutations, 20 at least, and seed of a test of cities."""
    return {"permutations": max(spec.permutations, FEWEST_DRAWS), "seed": spec.seed}


def window_of(marts: Marts, spec: Spec) -> tuple[int, int]:
    """Return the first and last year of a spec: its own, the study window, or the newest.

    The newest ends in the last year in which at least 80 % of the cities with growth in 2019 have
    it; without 2019, of those with growth in the last delivered year of the study window.

    Raises
    ------
    SampleError
        Without a study window, or without growth in it.
    """
    if marts.study_window is None:
        raise SampleError("needs a study window with pairs, found none")
    if spec.window or spec.variant == STUDY_WINDOW:
        return spec.window or marts.study_window
    column = SERIES[spec.series].column
    if column not in marts.city_years:
        raise SampleError(f"needs the column {column} of marts.fct_city_year, which is not there")
    known = marts.city_years.dropna(subset=[column])
    cities = known.groupby("year")["city_id"].agg(set)
    first, last = marts.study_window
    delivered = [year for year in cities.index if first <= year <= last]
    if BASE_YEAR not in cities.index and not delivered:
        raise SampleError(f"needs {spec.series} from {first} to {last}, found none")
    base = BASE_YEAR if BASE_YEAR in cities.index else max(delivered)
    enough = LEAST_SHARE * len(cities[base])
    return FIRST_YEAR, max(
        int(year) for year in cities.index if len(cities[year] & cities[base]) >= enough
    )


def city_window(marts: Marts, spec: Spec) -> Window:
    """Return cities complete in the spec's window, dated by its treatment rule.

    Raises
    ------
    SampleError
        If the series, the window or the years of the treatment rule are missing.
    """
    window = window_of(marts, spec)
    found, last = build_series(marts.city_years, spec.series, window), window[1]
    if found.years[-1] < last:
        raise SampleError(
            f"needs {spec.series} to {last}: the last year with values is {found.years[-1]}"
        )
    members = build_sample_cities(marts.cities, found.city_ids, spec, last)
    rows = np.searchsorted(found.city_ids, members["city_id"].to_numpy())
    kept = ~np.isin(found.years, LEFT_OUT.get(spec.variant, ()))
    return Window(
        found.d[rows][:, kept],
        found.years[kept],
        members["cohort"].to_numpy(),
        members["province_id"].to_numpy(),
        members["city_id"].to_numpy(),
    )


def joint_p(windows: Sequence[Window], *, permutations: int = DRAWS, seed: int = 1) -> float | None:
    """p of the largest absolute statistic over windows; None where `joint_statistics` is."""
    statistics = joint_statistics(windows, permutations=permutations, seed=seed)
    return None if statistics is None else rank_p(np.abs(statistics).max(axis=0))


def joint_statistics(
    windows: Sequence[Window], *, permutations: int, seed: int
) -> np.ndarray | None:
    """Return statistics of growth in windows (W, 1 + draws), each draw moving all alike; None where
    `joint_draws` is.
    """
    draws = joint_draws(windows, permutations=permutations, seed=seed)
    return None if draws is None else np.array([one.statistic() for one in draws])


def less_trend(window: Window) -> Window:
    """Return a window with the cycle of growth in the place of growth."""
    return replace(window, growth=cycle(window.growth, window.years))


def joint_draws(windows: Sequence[Window], *, permutations: int, seed: int) -> list[Draws] | None:
    """Return coefficients and errors of growth in windows, each draw moving all alike.

    Parameters
    ----------
    windows : sequence of Window
        A city that a window lacks while it has others of the block is left out of all; a window may
        lack whole blocks. A city's record of cohorts, one per window, moves as a whole.
    permutations, seed : int

    Returns
    -------
    list of Draws, or None
        None without a window, or where a window of the common cities gives no verdict.
    """
    if not windows:
        return None
    ids, places = np.unique(np.concatenate([one.city_ids for one in windows]), return_index=True)
    block = np.concatenate([one.block for one in windows])[places]
    shared = np.ones(len(ids), dtype=bool)
    for one in windows:
        shared &= np.isin(ids, one.city_ids) | ~np.isin(block, one.block)
    ids, block = ids[shared], np.unique(block[shared], return_inverse=True)[1]
    all_permuted = permute_in_blocks(block, permutations, [seed, 0])
    found = []
    for one in windows:
        rows = np.flatnonzero(np.isin(one.city_ids, ids))
        place, own = np.searchsorted(ids, one.city_ids[rows]), np.empty(len(ids), dtype=np.int64)
        own[place] = np.arange(len(place))
        panel = build_panel(one.growth[rows], one.years, one.cohort[rows], one.block[rows])
        if lacking(panel) or len(panel.label) < len(rows):
            return None
        y, contrast = panel.measured(panel.growth, capped=one.capped)[2], treatment_contrast(panel)
        permuted = own[all_permuted[:, place]]
        draws = draw_statistics(y, contrast, panel.label, panel.block, permuted, has_effects=False)
        found.append(draws)
    return found
