"""Truths of the primary test and its channels on simulated data, and the tables that show them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.catalog import primary_specs
from ..analyses.primary import cycle_id
from ..analyses.spec import SampleError
from ..primary.fit import Window
from ..primary.planted import planted_truths
from ..sample.marts import Marts
from .windows import city_window

# Term of the primary test itself, as of a coefficient; those of its channels are their names.
TREATED = "treated"


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
        city_id, year, own_variance_ratio and loading_rise, a row a treated city and year; without
        it the sizes planted are not given.

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
        truths = planted_truths(window.growth, bare, window.years, window.cohort, window.block)
        sizes = {} if planted is None else _sizes(planted, window)
        for spec_id, truth in zip((spec.spec_id, cycle_id(spec.spec_id)), truths, strict=False):
            rows += [
                {
                    "spec_id": spec_id,
                    "term": term,
                    "truth": value,
                    "planted": sizes.get(term, np.nan),
                }
                for term, value in {TREATED: truth.effect, **truth.channels}.items()
            ]
    return pd.DataFrame(rows, columns=["spec_id", "term", "truth", "planted"])


def _sizes(planted: pd.DataFrame, window: Window) -> dict[str, float]:
    """What was planted in each channel, mean over the treated years of the window's pilots."""
    first = pd.Series(window.cohort, index=window.city_ids)
    inside = planted[planted["year"].isin(window.years)]
    of_city = inside["city_id"].map(first)
    counted = inside[(of_city > 0) & (inside["year"] >= of_city)]
    if counted.empty:
        return {}
    return {
        "own_variance": float(np.exp(np.log(counted["own_variance_ratio"]).mean()) - 1),
        "loading": float(counted["loading_rise"].mean()),
    }


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
