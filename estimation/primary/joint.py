"""Several windows judged together: the largest of their statistics under the same draws of
admissions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .city_panel import build_panel, lacking
from .contrast import PRIMARY, efficient_contrast
from .permutation import draw_places, rank_p
from .scores import reference, standardise
from .statistics import gather

Window = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def joint_p(windows: Sequence[Window], *, permutations: int = 9999, seed: int = 1) -> float | None:
    """p of the largest absolute statistic over windows of the same cities, each draw moving all
    windows alike.

    Parameters
    ----------
    windows : sequence of (growth (N, T), years (T,), cohort (N,), block (N,), ids (N,))
        Cities that some window lacks are left out of all. A city's record of cohorts, one per
        window, moves as a whole.
    permutations, seed : int

    Returns
    -------
    float or None
        None without a window, or where a window of the common cities gives no verdict.
    """
    if not windows:
        return None
    ids = windows[0][4]
    for window in windows[1:]:
        ids = np.intersect1d(ids, window[4])
    panels = []
    for growth, years, cohort, block, own in windows:
        rows = np.searchsorted(own, ids)
        panel = build_panel(growth[rows], years, cohort[rows], block[rows])
        if lacking(panel) or len(panel.label) < len(ids):
            return None
        panels.append(panel)
    records = np.stack([panel.label for panel in panels], axis=1)
    record, code = np.unique(records, axis=0, return_inverse=True)
    # the record of a never-pilot is all zeros, which sorts first
    places, codes = draw_places(
        code.reshape(-1),
        panels[0].block,
        permutations,
        np.random.Generator(np.random.PCG64([seed, 0])),
    )
    largest = np.zeros(places.shape[1])
    for k, panel in enumerate(panels):
        labels = record[codes, k]
        used = labels > 0
        z = standardise(panel.growth)
        m = reference(z, panel.label, panel.block)
        terms = efficient_contrast(z, m, panel.years, panel.design, PRIMARY).terms
        largest = np.maximum(
            largest, np.abs(gather(terms, panel.design, places[used], labels[used]).statistic)
        )
    return rank_p(largest)
