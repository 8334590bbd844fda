"""Marts of cities alone, for tests of the primary test, of radiation and of leads of the cycle."""

import numpy as np
import pandas as pd

from estimation.measures.derived_series import add_derived_series
from estimation.sample.exposure import add_exposure
from estimation.sample.marts import Marts


def city_marts(ids, admitted, growth, years, **of_pairs) -> Marts:
    """Growth (N, T) of cities with first treated years, 0 for never; columns of pairs in the order
    of `np.triu_indices`. Rings around pilots are marked where pairs have a distance.
    """
    treated = pd.array(np.where(admitted > 0, admitted, np.nan), dtype="Int64")
    cities = pd.DataFrame(
        {
            "city_id": ids,
            "province_id": ids // 100000 * 100000,
            "treated_year": treated,
            "treated_year_calendar_year": treated,
            "batch": treated - 2013,
            "gdp_mean_cny_100m": 1.0,
        }
    )
    left, right = np.triu_indices(ids.size, 1)
    pairs = pd.DataFrame({"city_i_id": ids[left], "city_j_id": ids[right], **of_pairs})
    keys = {"city_id": np.repeat(ids, len(years)), "year": np.tile(years, ids.size)}
    rows = pd.DataFrame({**keys, "growth_official_pct": growth.ravel()})
    if "distance_km" in pairs:
        cities = add_exposure(cities, pairs, int(years[-1]))
    return Marts(cities, pairs, rows[["year"]], add_derived_series(rows))
