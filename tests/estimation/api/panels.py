"""Panels of countries for tests of the library: names as ids, other columns than the contract's."""

import numpy as np
import pandas as pd

from tests.estimation.panels import long_table, random_panel


def country_panel(seed=1, **options):
    """A frame `exporter, importer, period, y, x0, ...`, the `PairPanel` behind it, cohorts and
    blocks of units by name.
    """
    panel = random_panel(seed, **{"n_cities": 33, "n_pilots": 12, "n_controls": 1} | options)
    table = long_table(panel)
    names = np.array([f"c{k:03d}" for k in range(panel.n_cities)])
    frame = pd.DataFrame(
        {
            "exporter": names[table["city_i"]],
            "importer": names[table["city_j"]],
            "period": table["year"],
        }
    )
    for name in table.columns:
        if name in ("y", "x0", "x1"):
            frame[name] = table[name].to_numpy()
    cohorts = {
        str(name): int(year) for name, year in zip(names, panel.city_cohort, strict=True) if year
    }
    blocks = {str(name): f"b{block:02d}" for name, block in zip(names, panel.province, strict=True)}
    return frame, panel, cohorts, blocks


COLUMNS = {"unit": ("exporter", "importer"), "time": "period"}
