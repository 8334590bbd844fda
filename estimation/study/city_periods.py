"""What suffices for the estimate, interval and p of the primary test, and gives away no growth: the
means of its measure over the years between first treated years of a province, less what the city
and the province have in common.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..analyses.spec import Spec
from ..primary.city_panel import build_panel, usable
from ..primary.redeal import block_means
from .windows import Window

DIGITS = 3


def city_period_rows(spec: Spec, window: Window) -> list[dict[str, Any]]:
    """Rows of ``estimates.city_period`` of a test: a city and a period, ascending.

    Admissions are dealt within provinces, so no city can be treated from a year in which no city of
    its province is: longer periods suffice than between all first treated years, which would give
    growth away (docs/data-licences.md). Effects of city and of province by year take out the means
    that are taken out here. So a test of these numbers (`fit_measure`) is the test of the years, up
    to their rounding.
    """
    complete, varies = usable(window.growth, window.years)
    kept = complete & varies
    panel = build_panel(window.growth, window.years, window.cohort, window.block)
    y = panel.measured(panel.growth)[2]
    net = y - block_means(y, panel.block)[panel.block]
    net = net - net.mean(axis=1, keepdims=True)
    admitted = np.append(0, panel.cohorts)[panel.label]
    rows = []
    for city, values in enumerate(net):
        of_block = admitted[panel.block == panel.block[city]]
        firsts = np.unique(of_block[of_block > 0])
        if len(np.unique(of_block)) == 1:
            # admissions of such a province say nothing
            firsts = firsts[:0]
        starts = np.searchsorted(panel.years, np.append(panel.years[0], firsts))
        ends = np.append(starts[1:], len(panel.years))
        named = {
            "spec_id": spec.spec_id,
            "city_id": int(window.city_ids[kept][city]),
            "province_id": int(window.block[kept][city]),
            "cohort_year": int(admitted[city]) or None,
        }
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            rows.append(
                {
                    **named,
                    "first_year": int(panel.years[start]),
                    "last_year": int(panel.years[end - 1]),
                    "n_years": end - start,
                    "synchronization": round(float(values[start:end].mean()), DIGITS),
                }
            )
    return rows
