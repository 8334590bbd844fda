"""Marks on cities that need other tables: near a pilot, tied to one, covered by another programme,
as they were before any zone.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from ..analyses.rules import EXPOSURE_RULES, POLICIES, RINGS_KM
from ..analyses.spec import SampleError
from ..panel.pair_panel import number_cohorts
from ..primary.exposure import Admitted, Ring, Tied
from .ties import pair_matrix

TREATED_YEAR = "treated_year"
RINGS = {f"near_pilot_{outer}": (inner, outer) for inner, outer in pairwise((0, *RINGS_KM))}
BASELINE = (
    "baseline_ln_population",
    "baseline_ln_gdp_per_head",
    "baseline_ln_trade",
    "baseline_coastal",
)
# of groups of cities that are named by a number, the column that holds it
NUMBERED = {"province": "province_id", "batch": "batch", "cohort": TREATED_YEAR}


def add_exposure(cities: pd.DataFrame, pairs: pd.DataFrame, last_year: int) -> pd.DataFrame:
    """Return the cities with the first year in which each was exposed to a pilot nearby or strongly
    tied.

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
        ``treated_year_tied_to_pilot``: for the never-treated cities whose strongest tie to a pilot
        lies above the median of never-treated cities, the first treated year of the pilot of that
        tie. Each also with ``_calendar_year``, the same. Missing where there is no such pilot, no
        distance or no tie.
    """
    ids, made = np.sort(cities["city_id"].to_numpy(dtype=np.int64)), {}
    for name, rule in EXPOSURE_RULES.items():
        try:
            admitted, reach = exposure_of(cities, pairs, name, ids, last_year)
            found = exposed_years(reach, admitted.cohort, admitted.own)
        except SampleError:
            found = np.zeros(len(ids))
        known = pd.Series(np.where(found > 0, found, np.nan), ids)
        values = cities["city_id"].map(known).astype("Int64")
        made |= {rule.column: values, f"{rule.column}_calendar_year": values}
    return cities.assign(**made)


def reach_of(rule: str, ids: np.ndarray, pairs: pd.DataFrame, own: np.ndarray) -> Ring | Tied:
    """Whom an admission reaches under a key of `EXPOSURE_RULES`: cities (M,) by ascending id, and
    the place of each observed one among them.

    Raises
    ------
    SampleError
        Where the pairs lack distances or ties.
    """
    if rule in RINGS:
        return Ring(pair_matrix(ids, pairs, "distance_km")[own], *RINGS[rule])
    return Tied(pair_matrix(ids, pairs, "tie_strength")[own], own)


def exposed_years(reach: Ring | Tied, cohort: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the first exposed year of each observed city, 0 for none, -1 where it is not compared:
    a pilot, or with a pilot nearer than the ring; (N,), from first treated years (M,), 0 = never.
    """
    dates, label = number_cohorts(cohort)
    first, kept = reach.reach(label[None].astype(np.int8), len(dates) + 1)
    return np.where(kept[0] & (label[own] == 0), np.append(dates, 0)[first[0] - 1], -1)


def add_baseline(cities: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """Return the cities with size, openness and coast of 2010-2014, as `BASELINE` names them.

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
    """Return pair-years with controls made of the pair's two cities: coverage by another programme
    in the year, or means of the baseline.

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
    """Return whether each city belongs to a group that a spec leaves out; shape (N,) bool.

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
    kind, _, number = group.partition("_")
    if kind in NUMBERED:
        numbers = cities[NUMBERED[kind]].to_numpy(dtype=float, na_value=np.nan)
        return numbers == int(number)
    if group == "never_admitted":
        return cities[TREATED_YEAR].isna().to_numpy()
    if kind == "policy":
        column = f"policy_year_{group.removeprefix('policy_')}"
    else:
        column = TREATED_YEAR if group == "pilots" else f"{TREATED_YEAR}_{group}"
    return cities[column].to_numpy(dtype=float, na_value=np.nan) <= last_year


def exposure_of(
    cities: pd.DataFrame, pairs: pd.DataFrame, rule: str, observed: np.ndarray, last_year: int
) -> tuple[Admitted, Ring | Tied]:
    """Return what `primary.exposure.fit_exposure` asks for besides the outcome.

    Parameters
    ----------
    cities, pairs : DataFrame
        ``marts.dim_city`` and ``marts.fct_city_pair``.
    rule : str
        A key of `EXPOSURE_RULES`.
    observed : (N,) int array
        Ids of the cities with an outcome, ascending.
    last_year : int
        Of the window: cities first treated by then are its pilots, with an outcome or without.

    Raises
    ------
    SampleError
        Where the pairs lack distances or ties.
    """
    if pairs.empty:
        raise SampleError("needs pairs of cities with distances and ties, found none")
    cities = cities.sort_values("city_id")
    cities = cities[cities["city_id"].isin({*pairs["city_i_id"], *pairs["city_j_id"], *observed})]
    ids = cities["city_id"].to_numpy(dtype=np.int64)
    own = np.searchsorted(ids, observed)
    year = cities[TREATED_YEAR].to_numpy(dtype=float, na_value=np.inf)
    cohort = np.where(year <= last_year, year, 0).astype(np.int64)
    admitted = Admitted(cohort, cities["province_id"].to_numpy(dtype=np.int64), own)
    return admitted, reach_of(rule, ids, pairs, own)
