"""Marks on cities that need other tables: near a pilot, tied to one, covered by another programme,
as they were before any zone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.rules import POLICIES, RINGS_KM

TREATED_YEAR = "treated_year"
TIED = "tied_to_pilot"
BASELINE = (
    "baseline_ln_population",
    "baseline_ln_gdp_per_head",
    "baseline_ln_trade",
    "baseline_coastal",
)


def near_mark(outer_km: int) -> str:
    """Name of the ring that ends at this distance."""
    return f"near_pilot_{outer_km}"


def add_exposure(cities: pd.DataFrame, pairs: pd.DataFrame, last_year: int) -> pd.DataFrame:
    """The cities with the first year in which each was exposed to a pilot nearby or strongly tied.

    Parameters
    ----------
    cities : DataFrame
        ``marts.dim_city``: city_id, treated_year.
    pairs : DataFrame
        ``marts.fct_city_pair``: city_i_id, city_j_id, distance_km, tie_strength.
    last_year : int
        Of the study window: cities first treated by then are its pilots.

    Returns
    -------
    DataFrame
        With ``treated_year_near_pilot_<km>`` for each ring: for a city that is no pilot, and whose
        nearest pilot lies in the ring, the first treated year of any pilot in the ring; and
        ``treated_year_tied_to_pilot``: for the never-pilots whose strongest tie to a pilot lies
        above the median of never-pilots, the first treated year of the pilot of that tie. Each also
        with ``_calendar_year``, the same. Missing where there is no such pilot. Without distances
        and ties the cities are as given.
    """
    if not {"distance_km", "tie_strength"} <= set(pairs.columns):
        return cities
    year = cities.set_index("city_id")[TREATED_YEAR].astype("Float64").astype(float)
    pilots = year[year <= last_year]
    links = _links(pairs, set(pilots.index)).merge(
        pilots.rename("pilot_year"), left_on="pilot", right_index=True
    )
    marks = {TIED: _tied(links)} | _rings(links)
    made = {}
    for name, found in marks.items():
        values = pd.array(
            cities["city_id"].map(found).round().to_numpy(dtype=float), dtype="Float64"
        ).astype("Int64")
        made |= {f"{TREATED_YEAR}_{name}": values, f"{TREATED_YEAR}_{name}_calendar_year": values}
    return cities.assign(**made)


def _links(pairs: pd.DataFrame, pilots: set[int]) -> pd.DataFrame:
    """One row per never-pilot city and pilot: city, pilot, distance_km, tie_strength."""
    measures = ["distance_km", "tie_strength"]
    sides = [
        pairs.rename(columns={city: "city", pilot: "pilot"})[["city", "pilot", *measures]]
        for city, pilot in (("city_i_id", "city_j_id"), ("city_j_id", "city_i_id"))
    ]
    links = pd.concat(sides, ignore_index=True)
    return links[links["pilot"].isin(pilots) & ~links["city"].isin(pilots)].astype(
        dict.fromkeys(measures, float)
    )


def _rings(links: pd.DataFrame) -> dict[str, pd.Series]:
    """First year of exposure by city, for each ring that holds the city's nearest pilot."""
    nearest = links.groupby("city")["distance_km"].min()
    found, inner = {}, 0
    for outer in RINGS_KM:
        inside = links[(links["distance_km"] > inner) & (links["distance_km"] <= outer)]
        first = inside.groupby("city")["pilot_year"].min()
        found[near_mark(outer)] = first[nearest.reindex(first.index) > inner]
        inner = outer
    return found


def _tied(links: pd.DataFrame) -> pd.Series:
    """Year of the pilot with the strongest tie, for cities whose strongest tie is above the
    median.
    """
    known = links.dropna(subset=["tie_strength"]).sort_values(
        ["city", "tie_strength", "pilot"], kind="stable"
    )
    strongest = known.groupby("city").last()
    return strongest.loc[
        strongest["tie_strength"] > strongest["tie_strength"].median(), "pilot_year"
    ]


def add_baseline(cities: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """The cities with size, openness and coast of 2010-2014, as `BASELINE` names them.

    Parameters
    ----------
    cities : DataFrame
        city_id.
    baseline : DataFrame
        ``marts.dim_city_baseline``: city_id, population_10k, gdp_per_head_cny, trade, is_coastal.

    Returns
    -------
    DataFrame
        ``baseline_ln_population``, ``baseline_ln_gdp_per_head``, ``baseline_ln_trade`` (of 1 +
        million US dollars) and ``baseline_coastal`` (0 or 1), NaN where not delivered.
    """
    found = baseline.set_index("city_id").reindex(cities["city_id"])
    size, income, trade, coastal = (
        found[name].to_numpy(dtype=float, na_value=np.nan)
        for name in ("population_10k", "gdp_per_head_cny", "trade", "is_coastal")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (np.log(size), np.log(income), np.log1p(trade), coastal)
    return cities.assign(
        **{
            name: np.where(np.isfinite(v), v, np.nan)
            for name, v in zip(BASELINE, values, strict=True)
        }
    )


def add_pair_controls(
    frame: pd.DataFrame, cities: pd.DataFrame, controls: tuple[str, ...]
) -> pd.DataFrame:
    """Pair-years with controls made of the pair's two cities: coverage by another programme in the
    year, or means of the baseline.

    Parameters
    ----------
    frame : DataFrame
        city_i_id, city_j_id, year.
    cities : DataFrame
        city_id, the first year of each programme, ``policy_year_<policy>``, and the columns of
        `BASELINE`.
    controls : tuple of str
        ``policy_<policy>`` counts the pair's cities that the programme covers in the year; a column
        of `BASELINE` is the mean of the two cities. Others are left alone.

    Returns
    -------
    DataFrame
        The frame itself where nothing is to be made or the cities lack the columns.
    """
    made = {}
    for name in BASELINE:
        if name in controls and name in cities:
            value = cities.set_index("city_id")[name]
            made[name] = (
                sum(
                    value.reindex(frame[side]).to_numpy(dtype=float)
                    for side in ("city_i_id", "city_j_id")
                )
                / 2
            )
    for policy in POLICIES:
        column = f"policy_year_{policy}"
        if f"policy_{policy}" in controls and column in cities:
            first = cities.set_index("city_id")[column].astype("Float64").astype(float)
            sides = [
                frame["year"].to_numpy() >= first.reindex(frame[side]).to_numpy()
                for side in ("city_i_id", "city_j_id")
            ]
            made[f"policy_{policy}"] = np.add(*sides, dtype=float)
    return frame.assign(**made) if made else frame


def excluded_cities(cities: pd.DataFrame, group: str, last_year: int) -> np.ndarray:
    """Whether each city belongs to a group that a spec leaves out; shape (N,) bool.

    Parameters
    ----------
    cities : DataFrame
    group : str
        ``pilots``; ``never_admitted``; ``cohort_<first treated year>``; ``batch_<number>``;
        ``province_<id>``; ``near_pilot_<km>`` or
        ``tied_to_pilot``; ``policy_<policy>``: covered by the window's last year;
        ``without_texts``: pilots without a policy text in force by then.
    last_year : int

    Raises
    ------
    KeyError
        If the cities lack the column that says so; its argument is the column.
    """
    if group.startswith("province_"):
        return cities["province_id"].to_numpy() == int(group.removeprefix("province_"))
    if group.startswith("batch_"):
        batch = cities["batch"].to_numpy(dtype=float, na_value=np.nan)
        return batch == int(group.removeprefix("batch_"))
    if group == "never_admitted":
        return np.isnan(cities[TREATED_YEAR].to_numpy(dtype=float, na_value=np.nan))
    if group.startswith("cohort_"):
        return cities[TREATED_YEAR].to_numpy(dtype=float, na_value=np.nan) == int(
            group.removeprefix("cohort_")
        )
    if group.startswith("policy_"):
        column = f"policy_year_{group.removeprefix('policy_')}"
    else:
        column = TREATED_YEAR if group == "pilots" else f"{TREATED_YEAR}_{group}"
    return cities[column].to_numpy(dtype=float, na_value=np.nan) <= last_year
