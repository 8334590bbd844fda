"""Fabricated marts: of cities alone, and a small economy with pairs, moderators and texts."""

import numpy as np
import pandas as pd

from estimation.analyses.rules import CONCEPTS, TOOLS, TREATMENT_RULES
from estimation.measures.derived_series import add_derived_series
from estimation.sample.exposure import add_exposure
from estimation.sample.marts import Marts

YEARS = np.arange(2010, 2020)
TREATED_YEARS = sorted({rule.column for rule in TREATMENT_RULES.values()})


def growth_rows(ids: np.ndarray, years: np.ndarray, growth: np.ndarray) -> pd.DataFrame:
    """Growth (N, T) of the cities by year; no other series."""
    keys = {"city_id": np.repeat(ids, len(years)), "year": np.tile(years, len(ids))}
    return pd.DataFrame({**keys, "growth_official_pct": growth.ravel()})


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
    rows = growth_rows(ids, years, growth)
    if "distance_km" in pairs:
        cities = add_exposure(cities, pairs, int(years[-1]))
    return Marts(cities, pairs, rows[["year"]], add_derived_series(rows))


def synchronize(ids: np.ndarray, **growth: np.ndarray) -> pd.DataFrame:
    """cm, comove and dispersion of every pair and year, from growth (N, T) by series."""
    left, right = np.triu_indices(len(ids), 1)
    frame = {
        "city_i_id": np.repeat(ids[left], len(YEARS)),
        "city_j_id": np.repeat(ids[right], len(YEARS)),
        "year": np.tile(YEARS, left.size),
    }
    for series, d in growth.items():
        z = (d - d.mean(1, keepdims=True)) / d.std(1, keepdims=True)
        whole, together = 1 - (z[left] - z[right]) ** 2 / 2, z[left] * z[right]
        frame[f"cm_{series}"] = whole.ravel()
        frame[f"comove_{series}"] = together.ravel()
        frame[f"dispersion_{series}"] = (whole - together).ravel()
    return pd.DataFrame(frame)


def economy(n_cities: int = 30, n_pilots: int = 10) -> tuple[Marts, Marts]:
    """Marts with and without an effect: after admission a pilot's growth moves towards the common
    path.
    """
    rng = np.random.default_rng(11)
    ids = 110000 + 1000 * (np.arange(n_cities) // 3) + 100 * (np.arange(n_cities) % 3)
    year = np.full(n_cities, np.nan)
    admitted = rng.choice([2015, 2016, 2019], n_pilots, p=[0.4, 0.4, 0.2])
    year[rng.permutation(n_cities)[:n_pilots]] = admitted
    columns = {
        "city_id": ids,
        "province_id": ids // 1000 * 1000,
        "province_name_en": [f"Province {i // 1000}" for i in ids],
        **{name: pd.array(year, dtype="Int64") for name in TREATED_YEARS},
        "batch": pd.array(year - 2013, dtype="Int64"),
        "region": np.where(ids < 115000, "east", "west"),
        "gdp_mean_cny_100m": rng.lognormal(size=n_cities),
        "is_coastal": ids % 200 == 0,
        "treated_year_without_texts": pd.array(np.full(n_cities, np.nan), dtype="Int64"),
    }
    for concept in CONCEPTS:
        level = np.random.default_rng(ids).lognormal(size=n_cities)
        columns[concept] = np.where(ids == 113000, np.nan, level)
        stands_in = concept == "infrastructure"
        columns[f"{concept}_basis"] = "proxy:employed_information_10k" if stands_in else "primary"
    left, right = np.triu_indices(n_cities, 1)
    pairs = {
        "city_i_id": ids[left],
        "city_j_id": ids[right],
        "tie_strength": rng.lognormal(size=left.size),
        "tie_four_factor": rng.lognormal(size=left.size),
        "distance_km": rng.uniform(50, 2000, size=left.size),
    }
    common, own = rng.normal(size=YEARS.size), rng.normal(size=(n_cities, YEARS.size))
    treated = np.nan_to_num(year, nan=9999)[:, None] <= YEARS
    with_effect = common * np.where(treated, 2, 1) + own * np.where(treated, 0.5, 1)
    noise = rng.normal(scale=0.3, size=own.shape)
    return tuple(
        Marts(
            pd.DataFrame(columns),
            pd.DataFrame(pairs),
            synchronize(ids, growth_official=growth, growth_deflated=growth + noise),
            growth_rows(ids, YEARS, growth),
            strengths=texts(ids[year > 0]),
        )
        for growth in (with_effect, common + own)
    )


def texts(pilots: np.ndarray) -> pd.DataFrame:
    """Strength of every tool in the texts of the pilots from 2015 on, another in each."""
    rows = [
        (city, year, kind, tool)
        for city in pilots
        for year in range(2015, 2020)
        for kind, tools in TOOLS.items()
        for tool in tools
    ]
    frame = pd.DataFrame(rows, columns=["city_id", "year", "tool_class", "tool"])
    strength = np.random.default_rng(4).integers(1, 40, size=len(frame)) * 0.7
    return frame.assign(strength=strength)
