"""Panels of countries for tests of the library: names as ids, other columns than the contract's."""

import numpy as np

from tests.estimation.panels import long_table, random_panel


def country_panel(seed=1, **options):
    """A frame `exporter, importer, period, y, x0, ...`, the `PairPanel` behind it, cohorts and
    blocks of units by name.
    """
    panel = random_panel(seed, **{"n_cities": 33, "n_pilots": 12, "n_controls": 1} | options)
    names = np.array([f"c{k:03d}" for k in range(panel.n_cities)])
    table = long_table(panel).rename(columns={"year": "period"})
    table = table.assign(exporter=names[table["city_i"]], importer=names[table["city_j"]])
    columns = ["exporter", "importer", "period", "y", *(n for n in table if n.startswith("x"))]
    cohorts = {
        str(name): int(year) for name, year in zip(names, panel.city_cohort, strict=True) if year
    }
    blocks = {str(name): f"b{block:02d}" for name, block in zip(names, panel.province, strict=True)}
    return table[columns], panel, cohorts, blocks


COLUMNS = {"unit": ("exporter", "importer"), "time": "period"}


def for_pyfixest(frame, cohorts):
    """The pairs of one treated unit at most, with their name, first year and treatment."""
    first = np.maximum(
        frame["exporter"].map(cohorts).fillna(0), frame["importer"].map(cohorts).fillna(0)
    )
    both = frame["exporter"].isin(cohorts) & frame["importer"].isin(cohorts)
    table = frame.assign(pair=frame["exporter"] + frame["importer"], first=first)
    table["treated"] = ((first > 0) & (frame["period"] >= first)).astype(float)
    return table[~both].reset_index(drop=True)
