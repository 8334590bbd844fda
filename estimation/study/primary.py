"""The primary test on the marts: its windows by rule, its results, what could have been found, and
its placebos in time and space.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.primary import (
    BASE_YEAR,
    CHECKS,
    FIRST_YEAR,
    LAST_YEAR_BEFORE_ZONES,
    LEAST_SHARE,
    LEFT_OUT,
    NEWEST,
    PLACEBO_EXPOSURES,
    PLACEBO_SHIFTS,
    POWER_SERIES,
    PRIMARY,
    SPECS,
    STUDY_WINDOW,
    cycle_id,
)
from ..analyses.series import SERIES
from ..analyses.spec import SampleError, Spec
from ..primary.fit import PrimaryResult, fit_primary, joint_p
from ..primary.measure import cycle
from ..primary.power import power_curve
from ..sample.cities import build_sample_cities
from ..sample.marts import Marts
from ..sample.outcomes import build_series
from .selection import selection_rows
from .tables import CHANNEL_COLUMNS, PLACEBO_COLUMNS, POWER_COLUMNS, PRIMARY_COLUMNS, typed

POWER_DRAWS, POWER_PERMUTATIONS = 100, 199
PLACEBO_PERMUTATIONS = 999
Rows = list[dict[str, Any]]
TABLES = ("primary", "channel", "power", "placebo", "not_run", "warning")


@dataclass(frozen=True)
class CityWindow:
    """Complete cities of a window with their admissions.

    Attributes
    ----------
    growth : (N, T) float array
    years : (T,) int array
    cohort, block : (N,) int arrays
        First treated year inside the window (0 = never in it), and province.
    city_ids : (N,) int array
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    city_ids: np.ndarray


@dataclass(frozen=True)
class PrimaryTables:
    """Frames ``estimates.primary``, ``.channel``, ``.power`` and ``.placebo``, and rows for
    ``.not_run`` and ``.warning``.
    """

    primary: pd.DataFrame
    channel: pd.DataFrame
    power: pd.DataFrame
    placebo: pd.DataFrame
    not_run: Rows
    warning: Rows


def run_primary(
    marts: Marts,
    specs: Sequence[Spec] = SPECS,
    *,
    permutations: int | None = None,
    seed: int | None = None,
) -> PrimaryTables:
    """The primary test of every declared window and series.

    Parameters
    ----------
    marts : Marts
    specs : sequence of Spec
    permutations, seed : int, optional
        The most draws a test may take, and the seed of all.

    Returns
    -------
    PrimaryTables
        A spec whose series lacks is a row of ``not_run``; a panel that lacks what the test needs
        has a row with a reason and no p.
    """
    found = [run_primary_spec(marts, spec, permutations=permutations, seed=seed) for spec in specs]
    return tables_of_rows({name: [row for rows in found for row in rows[name]] for name in TABLES})


def tables_of_rows(rows: Mapping[str, Rows]) -> PrimaryTables:
    """The tables of rows by table, as `run_primary_spec` gives them."""
    return PrimaryTables(
        typed(rows["primary"], PRIMARY_COLUMNS),
        typed(rows["channel"], CHANNEL_COLUMNS),
        typed(rows["power"], POWER_COLUMNS),
        typed(rows["placebo"], PLACEBO_COLUMNS),
        list(rows["not_run"]),
        list(rows["warning"]),
    )


def run_primary_spec(
    marts: Marts, spec: Spec, *, permutations: int | None = None, seed: int | None = None
) -> dict[str, Rows]:
    """The primary test of one window and series: rows by table (`TABLES`); parameters as of
    `run_primary`.
    """
    rows: dict[str, Rows] = {name: [] for name in TABLES}
    draws = spec.permutations if permutations is None else min(permutations, spec.permutations)
    settings = {"permutations": max(draws, 20), "seed": spec.seed if seed is None else seed}
    try:
        window = city_window(marts, spec)
    except SampleError as error:
        rows["not_run"].append(
            {"spec_id": spec.spec_id, "analysis": spec.analysis, "reason": str(error)}
        )
        return rows
    result = fit_primary(window.growth, window.years, window.cohort, window.block, **settings)
    named = {spec.spec_id: result}
    if result.cycle is not None:
        named[cycle_id(spec.spec_id)] = result.cycle
    # truths are put in where data are simulated, by another asset (study/planted.py)
    unknown = {"truth": None, "planted": None}
    for spec_id, one in named.items():
        rows["primary"].append(_primary_row(spec, spec_id, one))
        rows["channel"] += [
            {"spec_id": spec_id, **dataclasses.asdict(channel), **unknown}
            for channel in one.channels
        ]
        rows["warning"] += [{"spec_id": spec_id, "warning": text} for text in one.warnings]
    if result.p_value is None:
        return rows
    if spec.series == POWER_SERIES and spec not in CHECKS:
        rows["power"] += _power_rows(spec, window, settings["seed"], settings["permutations"])
    if spec.variant == NEWEST:
        for row, is_cycle in zip(rows["primary"], (False, True), strict=False):
            row["p_value_refreshes"] = _joint_over_refreshes(window, is_cycle, settings)
    if spec.spec_id == PRIMARY:
        few = {**settings, "permutations": min(settings["permutations"], PLACEBO_PERMUTATIONS)}
        rows["placebo"] += _placebos_in_time(marts, spec, window, few) + _placebos_in_space(
            marts, spec, few
        )
        rows["placebo"] += _selection(spec, window, few)
    return rows


def _joint_over_refreshes(
    window: CityWindow, is_cycle: bool, settings: dict[str, int]
) -> float | None:
    """p of the largest statistic over the windows of all refreshes since the base year, on the
    cities of the newest.
    """
    windows = []
    for last in window.years[window.years >= BASE_YEAR].tolist():
        inside = window.years <= last
        growth, years = window.growth[:, inside], window.years[inside]
        growth = cycle(growth, years) if is_cycle else growth
        windows.append((growth, years, window.cohort, window.block, window.city_ids))
    return joint_p(windows, **settings)


def window_of(marts: Marts, spec: Spec) -> tuple[int, int]:
    """First and last year of a spec: its own, the study window, or the newest.

    The newest ends in the last year in which at least 80 % of the cities with growth in 2019 have
    it; without 2019, of those with growth in the last delivered year of the study window.

    Raises
    ------
    SampleError
        Without a study window, or without growth in it.
    """
    if marts.study_window is None:
        raise SampleError("needs a study window with pairs, found none")
    if marts.city_years is None:
        raise SampleError("needs marts.fct_city_year, which is not there")
    if spec.window or spec.variant == STUDY_WINDOW:
        return spec.window or marts.study_window
    column = SERIES[spec.series].column
    if column not in marts.city_years:
        raise SampleError(f"needs the column {column} of marts.fct_city_year, which is not there")
    known = marts.city_years.dropna(subset=[column])
    cities = known.groupby("year")["city_id"].agg(set)
    first, last = marts.study_window
    delivered = [year for year in cities.index if first <= year <= last]
    if BASE_YEAR not in cities.index and not delivered:
        raise SampleError(f"needs {spec.series} from {first} to {last}, found none")
    base = BASE_YEAR if BASE_YEAR in cities.index else max(delivered)
    enough = LEAST_SHARE * len(cities[base])
    return FIRST_YEAR, max(
        int(year) for year in cities.index if len(cities[year] & cities[base]) >= enough
    )


def city_window(marts: Marts, spec: Spec) -> CityWindow:
    """Cities complete in the spec's window, dated by its treatment rule.

    Raises
    ------
    SampleError
        If the series, the window or the years of the treatment rule are missing.
    """
    window = window_of(marts, spec)
    found, last = build_series(marts.city_years, spec.series, window), window[1]
    if found.years[-1] < last:
        raise SampleError(
            f"needs {spec.series} to {last}: the last year with values is {found.years[-1]}"
        )
    members = build_sample_cities(marts.cities, found.city_ids, spec, last)
    rows = np.searchsorted(found.city_ids, members["city_id"].to_numpy())
    block = np.unique(members["province_id"], return_inverse=True)[1].reshape(-1)
    kept = ~np.isin(found.years, LEFT_OUT.get(spec.variant, ()))
    return CityWindow(
        found.d[rows][:, kept],
        found.years[kept],
        members["cohort"].to_numpy(),
        block,
        members["city_id"].to_numpy(),
    )


def in_words_of_the_study(text: str) -> str:
    """Sentences of the test with provinces for blocks; what tells the owner of a file what to
    change there is left out.
    """
    sentences = re.findall(r"[^.]+\.", text)
    short = (one.split(";", maxsplit=1)[0].removesuffix(".") + "." for one in sentences)
    return " ".join(one.strip() for one in short).replace("block", "province")


def _primary_row(spec: Spec, spec_id: str, result: PrimaryResult) -> dict[str, Any]:
    figures = dataclasses.asdict(result)
    return {
        **{name: figures[name] for name in PRIMARY_COLUMNS if name in figures},
        "spec_id": spec_id,
        "analysis": spec.analysis,
        "outcome": spec_id.split(".")[1],
        "treatment_rule": spec.treatment_rule,
        "p_value_refreshes": None,
        "correlation_before": result.before,
        "correlation_after": result.after,
        "reason": in_words_of_the_study(result.reason),
        "truth": None,
    }


def _power_rows(spec: Spec, window: CityWindow, seed: int, permutations: int) -> Rows:
    few = {
        "draws": POWER_DRAWS,
        "permutations": min(permutations, POWER_PERMUTATIONS),
        "seed": seed,
    }
    found = power_curve(window.growth, window.years, window.cohort, window.block, **few)
    ids = {"growth": spec.spec_id, "cycle": cycle_id(spec.spec_id)}
    return [{"spec_id": ids[row.series], **dataclasses.asdict(row)} for row in found]


def _placebos_in_time(marts: Marts, spec: Spec, real: CityWindow, settings: dict[str, int]) -> Rows:
    """The real admissions moved back by 3 to 10 years, each in a window of its own that ends before
    the first zone, and judged jointly.
    """
    first, last, rows, windows = int(real.years[0]), int(real.years[-1]), [], []
    cohort_of = dict(zip(real.city_ids.tolist(), real.cohort.tolist(), strict=True))
    for shift in PLACEBO_SHIFTS:
        years = (first - shift, min(last - shift, LAST_YEAR_BEFORE_ZONES))
        try:
            found = build_series(marts.city_years, spec.series, years)
        except SampleError:
            continue
        inside = np.isin(found.city_ids, real.city_ids)
        if found.years[0] > years[0] or found.years[-1] < years[1] or not inside.any():
            continue
        ids = found.city_ids[inside]
        cohort = np.array([cohort_of[city] for city in ids.tolist()])
        cohort = np.where(cohort > 0, cohort - shift, 0)
        block = real.block[np.searchsorted(real.city_ids, ids)]
        window = CityWindow(
            found.d[inside], found.years, np.where(cohort > years[1], 0, cohort), block, ids
        )
        result = fit_primary(window.growth, window.years, window.cohort, window.block, **settings)
        if result.p_value is not None:
            windows.append(window)
            rows.append(_placebo_row(spec, "time", f"{shift} years back", window, result))
    return _judged_jointly(rows, windows, settings)


def _placebos_in_space(marts: Marts, spec: Spec, settings: dict[str, int]) -> Rows:
    """Never-pilots dated by a pilot near or tied to them, pilots left out: their own admission
    cannot have moved them.
    """
    rows, windows = [], []
    for rule in PLACEBO_EXPOSURES:
        try:
            window = city_window(
                marts, dataclasses.replace(spec, treatment_rule=rule, excluded=("pilots",))
            )
        except SampleError:
            continue
        result = fit_primary(window.growth, window.years, window.cohort, window.block, **settings)
        if result.p_value is not None:
            windows.append(window)
            rows.append(_placebo_row(spec, "space", rule, window, result))
    return _judged_jointly(rows, windows, settings)


def _judged_jointly(rows: Rows, windows: list[CityWindow], settings: dict[str, int]) -> Rows:
    """The rows with the p of the largest statistic over all their windows."""
    joint = joint_p(
        [(w.growth, w.years, w.cohort, w.block, w.city_ids) for w in windows], **settings
    )
    return [{**row, "joint_p_value": joint} for row in rows]


def _selection(spec: Spec, window: CityWindow, settings: dict[str, int]) -> Rows:
    """Growth of pilots and of their peers in the province in the years before any zone: what
    selection on growth would show.
    """
    given = (window.growth, window.years, window.cohort, window.block)
    common = {
        "spec_id": spec.spec_id,
        "placebo": "selection",
        "first_year": int(window.years[0]),
        "last_year": int(window.cohort[window.cohort > 0].min()) - 1,
        "n_cities": len(window.cohort),
        "n_pilots": int((window.cohort > 0).sum()),
    }
    return [{**common, **row} for row in selection_rows(*given, **settings)]


def _placebo_row(
    spec: Spec, kind: str, name: str, window: CityWindow, result: PrimaryResult
) -> dict[str, Any]:
    numbers = ("estimate", "ci_low", "ci_high", "p_value", "n_cities", "n_pilots")
    return {
        "spec_id": spec.spec_id,
        "placebo": kind,
        "name": name,
        "first_year": int(window.years[0]),
        "last_year": int(window.years[-1]),
        **{number: getattr(result, number) for number in numbers},
    }
