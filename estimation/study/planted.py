"""Truths of the primary test and its channels on simulated data, and the tables that show them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.catalog import primary_specs
from ..analyses.spec import SampleError
from ..primary.planted import Planted, planted_channels, planted_effect
from ..sample.marts import Marts
from .primary import CityWindow, city_window

# Term of the primary test itself, as of a coefficient; those of its channels are their names.
TREATED = "treated"
# What the columns of the planted effect hold where a city and year has no row.
NOTHING = {"own_variance_ratio": 1.0, "loading_rise": 0.0, "loading_part_pct": 0.0}


def primary_truths(
    marts: Marts, counterfactual: Marts, planted: pd.DataFrame | None
) -> pd.DataFrame:
    """What the planted effect did to what the primary test and its channels estimate, for every
    window and series.

    Parameters
    ----------
    marts, counterfactual : Marts
        Of the landings with and without the effect.
    planted : DataFrame or None
        city_id, year and `NOTHING`'s columns, a row a treated city and year; without it the
        channels have no truth.

    Returns
    -------
    DataFrame
        spec_id, term (``treated`` or a channel), truth, planted (of a channel; NaN of the test
        itself).
    """
    rows = []
    for spec in primary_specs():
        try:
            window, without = city_window(marts, spec), city_window(counterfactual, spec)
        except SampleError:
            continue
        if not np.isin(window.city_ids, without.city_ids).all() or not np.array_equal(
            window.years, without.years
        ):
            continue
        bare = without.growth[np.searchsorted(without.city_ids, window.city_ids)]
        design = (window.years, window.cohort, window.block)
        truth = planted_effect(window.growth, bare, *design)
        if truth is not None:
            rows.append(
                {"spec_id": spec.spec_id, "term": TREATED, "truth": truth, "planted": np.nan}
            )
        if planted is not None:
            found = planted_channels(window.growth, bare, _planted(planted, window), *design)
            rows += [
                {
                    "spec_id": spec.spec_id,
                    "term": one.channel,
                    "truth": one.truth,
                    "planted": one.planted,
                }
                for one in found
            ]
    return pd.DataFrame(rows, columns=["spec_id", "term", "truth", "planted"])


def _planted(planted: pd.DataFrame, window: CityWindow) -> Planted:
    tables = []
    for name, nothing in NOTHING.items():
        wide = planted.pivot(index="city_id", columns="year", values=name).reindex(
            index=window.city_ids, columns=window.years
        )
        tables.append(wide.fillna(nothing).to_numpy(dtype=float))
    return Planted(*tables)


def add_truths(
    primary: pd.DataFrame, channel: pd.DataFrame, truth: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`estimates.primary` and `estimates.channel` with their truths; what has none keeps a null.

    Parameters
    ----------
    primary, channel : DataFrame
    truth : DataFrame
        ``estimates.truth``; empty for delivered files.
    """
    found = truth[truth["spec_id"].isin(primary["spec_id"])].set_index(["spec_id", "term"])

    def column(keys: list[tuple[str, str]], name: str) -> pd.array:
        return pd.array([_or_null(found[name].get(key)) for key in keys], dtype="Float64")

    of_primary = [(spec_id, TREATED) for spec_id in primary["spec_id"]]
    of_channel = list(zip(channel["spec_id"], channel["channel"], strict=True))
    return (
        primary.assign(truth=column(of_primary, "truth")),
        channel.assign(truth=column(of_channel, "truth"), planted=column(of_channel, "planted")),
    )


def _or_null(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
