"""Compile every loop of the permutations before the first fit needs one: seconds that somebody else
would wait for.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..engines.compile_cache import use_compile_cache
from ..engines.records import CurvePairs, RankedTies
from ..fit import fit_panel
from ..panel.pair_panel import PairPanel


def compile_loops() -> Path | None:
    """Run every compiled loop once, on a panel of eight cities, so that numba keeps it; what is
    kept already is only loaded.

    Returns
    -------
    Path or None
        Where they are kept; None without a place that can be written.
    """
    use_compile_cache()
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if not folder:
        return None
    _run_every_loop()
    return Path(folder)


def _run_every_loop() -> None:
    from ..engines import loops  # after the folder is named

    first, second = np.triu_indices(8, 1)
    places, years = np.arange(len(first), dtype=float), np.arange(2001, 2005)
    cohort = np.array([2003, 2003, 2004, 0, 0, 0, 0, 0])
    y = np.sin(places[:, None] + years**2)
    panel = PairPanel(first, second, years, y, cohort, np.arange(8) // 2, tie=places)
    for rule in ({}, {"tie_quantile": 0.2}, {"n_partners": 3}):
        fit_panel(panel, vcov=("permutation",), permutations=19, shuffle="all", **rule)
    # the loop over the specification curve, which no fit has
    ranks, zeros = np.arange(28), np.zeros(28, dtype=np.int64)
    after, rank_of = np.minimum(ranks + 1, 28)[None], np.full((1, 8, 8), -1)
    rank_of[0, first, second] = rank_of[0, second, first] = ranks
    ties = RankedTies(rank_of, after, np.array([28]), zeros[:1], np.array([0.5]))
    counts = np.zeros((1, 1, 2, 1, 2))
    labels = np.array([[0, 1, 0, 0, 0, 0, 0, 0]])
    curve = CurvePairs(first, second, zeros, np.ones((28, 2)))
    loops.sum_curve(ranks[None], labels, curve, ties, counts, np.zeros((*counts.shape, 2)))
