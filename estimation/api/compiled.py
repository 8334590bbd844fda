"""Compile the loops of a fit's permutation before the first fit needs them, so that no user waits
for it.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..engines.compile_cache import use_compile_cache
from ..fit_panel import fit_panel
from ..panel.pair_panel import PairPanel


def compile_loops() -> Path | None:
    """Run every loop that a fit may need once, on a panel of eight cities, so that numba keeps it;
    what is kept already is only loaded.

    Returns
    -------
    Path or None
        Where they are kept; None without a place that can be written.
    """
    use_compile_cache()
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if not folder:
        return None
    first, second = np.triu_indices(8, 1)
    places, years = np.arange(len(first), dtype=float), np.arange(2001, 2005)
    cohort = np.array([2003, 2003, 2004, 0, 0, 0, 0, 0])
    y = np.sin(places[:, None] + years**2)
    panel = PairPanel(first, second, years, y, cohort, np.arange(8) // 2, tie=places)
    for rule in ({}, {"tie_quantile": 0.2}, {"n_partners": 3}):
        fit_panel(panel, vcov=("permutation",), permutations=19, shuffle="all", **rule)
    return Path(folder)
