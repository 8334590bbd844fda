"""The two-way estimate without each city and without each province."""

from __future__ import annotations

import numpy as np

from estimation.methods.designs import twfe_design
from estimation.methods.jackknife import Refits, leave_out_cities, leave_out_provinces
from estimation.methods.panel_data import PairPanel, build_sample
from estimation.methods.sufficient import pair_statistics


def leave_one_out(panel: PairPanel, outcome: int, tie_quantile: float | None = None) -> dict[str, Refits]:
    """Refits of `twfe` without one city or province at a time; outcomes and the tie mask stay, effects are recomputed.

    Parameters
    ----------
    panel : PairPanel
    outcome : int
        Position of the outcome in the panel.
    tie_quantile : float, optional
        As in `estimation.fit.fit_outcomes`.

    Returns
    -------
    dict
        ``city`` and, with province codes, ``province``: Refits of one coefficient (R, 1), NaN where nothing identifies it any more.
    """
    sample = build_sample(panel, (outcome,), tie_quantile)
    statistics = pair_statistics(panel.y[[outcome]], panel.controls, sample.observed)
    design = twfe_design(sample.group_years, panel.years)
    found = {"city": leave_out_cities(sample, statistics, design)[0]}
    if panel.province is not None:
        found["province"] = leave_out_provinces(sample, statistics, design)[0]
    return {name: refits.take(np.array([0])) for name, refits in found.items()}
