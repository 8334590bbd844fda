"""What suffices for the estimate, interval and p of the primary test: the means of its measure over
the years between first treated years, seven numbers a city on the delivered files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..analyses.spec import Spec
from ..primary.city_panel import build_panel, usable
from .windows import Window

# With three digits nobody computes the growth of a city from the means (docs/data-licences.md).
DIGITS = 3


def city_period_rows(spec: Spec, window: Window) -> list[dict[str, Any]]:
    """Rows of ``estimates.city_period`` of a test: a city and a period, ascending.

    Treatment does not change within a period, so a test of the means (`fit_measure`) is the test of
    the years, up to the rounding of the means.
    """
    complete, varies = usable(window.growth, window.years)
    kept = complete & varies
    panel = build_panel(window.growth, window.years, window.cohort, window.block)
    y = panel.measured(panel.growth)[2]
    first_years = np.unique([panel.years[0], *panel.cohorts])
    starts = np.searchsorted(panel.years, first_years)
    ends = np.append(starts[1:], len(panel.years))
    admitted = np.append(0, panel.cohorts)[panel.label]
    rows = []
    for city, values in enumerate(y):
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
