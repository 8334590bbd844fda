"""The primary test for the policies of the seeds, and for any list of cities, on the marts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..analyses.own_outcomes import ALL, PERMUTATIONS
from ..analyses.primary import cycle_id
from ..analyses.rules import POLICIES
from ..analyses.series import SERIES
from ..analyses.spec import SampleError, Spec
from ..defaults import LEVEL
from ..panel.city_file import CityFile
from ..policy.fit_policy import PolicyResult, fit_policy
from ..policy.listing import (
    IN_PANEL,
    LEFT_OUT,
    SYNCHRONIZATION,
    UNIDENTIFIED,
    PolicyList,
    list_of_starts,
)
from ..primary.fit_primary import STATISTIC_VERSION, PrimaryResult, verdict_of
from ..primary.p_values import family_p
from ..primary.written_rule import hash_of_starts, text_and_hash
from ..sample.exposure import TREATED_YEAR
from ..sample.marts import Marts
from .own_outcomes import own_outcome_rows
from .stood_out import NET, ZONES
from .tables import COLUMNS, Rows
from .windows import Window, joint_statistics, less_trend, window_of

ANALYSIS = "policy"
FAMILY, OF_ONE_LIST = "policies", "growth_and_cycle"
PLAIN = "plain"
# Of a row of the test, by the same name in the result.
FIGURES = (
    *("first_year", "last_year", "before", "after", "without_admission"),
    *("estimate", "ci_low", "ci_high", "p_value", "p_value_family"),
    *("minimum_detectable_rise", "minimum_detectable_fall", "minimum_detectable_effect"),
    *("n_cities", "n_pilots", "n_movable", "n_blocks", "verdict", "reason"),
)
Settings = Mapping[str, int]


def policy_rows(marts: Marts, spec: Spec, settings: dict[str, int]) -> dict[str, Rows]:
    """Return rows of ``estimates.policy`` and ``estimates.policy_overlap``: every policy of the
    seeds.

    Parameters
    ----------
    marts : Marts
    spec : Spec
        Of the primary test, whose series and rule of treatment are used.
    settings : dict
        permutations and seed.
    """
    lists = lists_of(marts)
    found = {
        name: evaluate(marts, spec, list_of_starts(starts), settings, leave_out=name)
        for name, starts in lists.items()
        if starts
    }
    rows: Rows = []
    overlaps: Rows = []
    for name, result in found.items():
        rows += rows_of_list(marts, spec, name, result, settings)
        overlaps += overlap_rows(name, result)
    _correct(rows, spec, found, settings)
    return {"policy": rows, "policy_overlap": overlaps}


def lists_of(marts: Marts) -> dict[str, dict[int, int]]:
    """Return the first treated year of each city under each policy of the seeds, the zones
    first.
    """
    cities = marts.cities.drop_duplicates("city_id").set_index("city_id")
    columns = {ZONES: TREATED_YEAR} | {name: f"policy_year_{name}" for name in POLICIES}
    found = {}
    for name, column in columns.items():
        if column in cities:
            known = cities[column].dropna()
            found[name] = {int(city): int(year) for city, year in known.items()}
    return found


def city_file(marts: Marts, series: str) -> CityFile:
    """Return all growth of a series, a row a city, for `fit_policy`.

    Raises
    ------
    SampleError
        Where the marts lack the series.
    """
    column = SERIES[series].column
    if column not in marts.city_years or marts.city_years[column].notna().sum() == 0:
        raise SampleError(f"needs {SERIES[series].needs}, found none")
    wide = marts.city_years.pivot(index="city_id", columns="year", values=column)
    provinces = marts.cities.drop_duplicates("city_id").set_index("city_id")["province_id"]
    ids = wide.index.to_numpy()
    return CityFile(
        wide.to_numpy(dtype=float),
        wide.columns.to_numpy(),
        np.zeros(len(ids), dtype=np.int64),
        provinces.loc[ids].to_numpy(),
        ids,
    )


def evaluate(
    marts: Marts, spec: Spec, listed: PolicyList, settings: Settings, leave_out: str = ""
) -> PolicyResult:
    """`fit_policy` of a list, with every policy of the seeds but `leave_out` as the others."""
    others = {name: starts for name, starts in lists_of(marts).items() if name != leave_out}
    return fit_policy(city_file(marts, spec.series), listed, others=others, **settings)


def rows_of_list(
    marts: Marts, spec: Spec, name: str, result: PolicyResult, settings: dict[str, int]
) -> Rows:
    """Return rows of ``estimates.policy`` of one list: growth and cycle, growth net of the others,
    and the own outcomes of its cities. Listed cities that are left out are not compared with,
    either.
    """
    places = result.sample.places
    taken = [one.unit for one in places if one.status in IN_PANEL]
    verified = _verified(marts, name, taken)
    common = {
        "policy": name,
        "n_listed": len({one.unit for one in places}),
        "n_whole_province": sum(one.status == UNIDENTIFIED for one in places),
        "n_verified": verified,
        "is_verified": verified == len(taken) and bool(taken),
        **_placebos(result),
    }
    main = result.result
    rows = [_row(common, _id(spec.outcome, name), spec.outcome, PLAIN, main)]
    if main.cycle is not None:
        outcome = cycle_id(f"x.{spec.outcome}.x").split(".")[1]
        rows.append(_row(common, _id(outcome, name), outcome, PLAIN, main.cycle))
    if result.net is not None:
        spec_id = f"{_id(spec.outcome, name)}_{NET}"
        # it stands beside the list's own estimate, in no family: nothing is called found by it
        beside = {"p_value_family": None, "verdict": None}
        rows.append(_row(common, spec_id, spec.outcome, NET, result.net) | beside)
    for row in rows:
        row["unit"] = SYNCHRONIZATION
        if row["p_value_family"] is not None:
            row["family"], row["family_size"] = OF_ONE_LIST, 2
            row["is_found"] = row["p_value_family"] < LEVEL
    # those of the zones are in estimates.own_outcome
    if main.p_value is None or marts.indicators is None or name == ZONES:
        return rows
    starts = {one.unit: one.start for one in places if one.status in IN_PANEL}
    few = {**settings, "permutations": min(settings["permutations"], PERMUTATIONS)}
    left_out = [one.unit for one in places if one.status == LEFT_OUT]
    own = own_outcome_rows(dated(marts, starts), spec, few, (ALL,), left_out)
    for row in own:
        spec_id = _id(row["outcome"], name)
        own_row = {column: row.get(column) for column in COLUMNS["policy"]}
        rows.append(own_row | common | {"spec_id": spec_id, "comparison": PLAIN})
    return rows


def dated(marts: Marts, starts: Mapping[int, int | None]) -> Marts:
    """Return the marts with the first treated years of a list in the place of the zones'."""
    years = marts.cities["city_id"].map(starts).astype("Int64")
    columns = {TREATED_YEAR: years, f"{TREATED_YEAR}_calendar_year": years}
    return dataclasses.replace(marts, cities=marts.cities.assign(**columns))


def overlap_rows(name: str, result: PolicyResult) -> Rows:
    """Return rows of ``estimates.policy_overlap``."""
    cities = result.result.n_pilots
    return [{"policy": name, "n_pilots": cities, **row} for row in result.overlaps]


def written_rule(
    name: str, starts: Mapping[int, int], last_year: int, settings: Settings
) -> dict[str, Any]:
    """Return the rule of a registered list, whose window ends in a year without figures yet."""
    dates = sorted(f"{city} {year}" for city, year in starts.items())
    return {
        "name": name,
        "last_year": last_year,
        "window_is_run": f"once figures of {last_year} are delivered",
        "family": ["growth", "cycle"],
        "found": f"p_value_family < {LEVEL}",
        "statistic_version": STATISTIC_VERSION,
        "starts": dates,
        "starts_sha256": hash_of_starts(dates),
        **settings,
    }


def registered_rows(
    marts: Marts, spec: Spec, entries: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return rows of ``meta.promise`` for registered lists whose window these marts open.

    Parameters
    ----------
    marts : Marts
    spec : Spec
        Of the primary test.
    entries : sequence of mapping
        rule, sha256, written_by of each, as `citysync register` writes them.
    """
    rows = []
    newest = window_of(marts, spec)[1]
    for entry in entries:
        rule = entry["rule"]
        if rule["last_year"] > newest:
            continue
        starts = {}
        for text in rule["starts"]:
            city, year = text.split()
            starts[int(city)] = int(year)
        settings = {name: rule[name] for name in ("permutations", "seed")}
        today = written_rule(rule["name"], starts, rule["last_year"], settings)
        known = marts.city_years[marts.city_years["year"] <= rule["last_year"]]
        reached = dataclasses.replace(marts, city_years=known)
        found = evaluate(reached, spec, list_of_starts(starts), settings).result
        rows += _promise_rows(spec, entry, today, found)
    return rows


def _promise_rows(
    spec: Spec, entry: Mapping[str, Any], today: Mapping[str, Any], found: PrimaryResult
) -> list[dict[str, Any]]:
    """Return a row for growth and one for its cycle."""
    rule = entry["rule"]
    differs = [key for key in rule if rule[key] != today.get(key)]
    rows = []
    outcomes = (spec.outcome, cycle_id(spec.spec_id).split(".")[1])
    for outcome, one in zip(outcomes, (found, found.cycle), strict=True):
        row: dict[str, Any] = {
            "spec_id": _id(outcome, rule["name"]),
            "rule_name": "registered",
            "first_year": found.first_year,
            "last_year": found.last_year,
            "written_by": entry["written_by"],
            "rule_sha256_written": entry["sha256"],
            "rule_sha256": text_and_hash(today)[1],
            "status": "changed" if differs else "as_written",
            "what_changed": "; ".join(f"{key}: {rule[key]} -> {today[key]}" for key in differs),
            "reason": found.reason,
        }
        for column in ("estimate", "ci_low", "ci_high", "p_value_family"):
            value = None if one is None else getattr(one, column)
            row[column] = value
            if not differs:
                row[f"{column}_written"] = value
        rows.append(row)
    return rows


def _id(outcome: str, name: str) -> str:
    return f"{ANALYSIS}.{outcome}.{name}"


def _row(
    common: Mapping[str, Any], spec_id: str, outcome: str, comparison: str, found: PrimaryResult
) -> dict[str, Any]:
    figures = {name: getattr(found, name) for name in FIGURES}
    row = dict.fromkeys(COLUMNS["policy"]) | dict(common) | figures
    return row | {
        "spec_id": spec_id,
        "outcome": outcome,
        "comparison": comparison,
        "is_found": False,
    }


def _verified(marts: Marts, name: str, taken: list[int]) -> int | None:
    """Return how many of these cities the seed says were seen on public pages; None of other
    lists.
    """
    column = f"policy_is_verified_{name}"
    if column not in marts.cities:
        return None
    cities = marts.cities.drop_duplicates("city_id").set_index("city_id")[column]
    return int(cities.reindex(taken).fillna(False).astype(bool).sum())


def _placebos(result: PolicyResult) -> dict[str, float | None]:
    """Return the joint p of growth before the first start, and the p of the placebo in time."""
    found: dict[str, float | None] = {"p_value_selection": None, "p_value_placebo": None}
    for row in result.placebos:
        if row["placebo"] == "selection":
            found["p_value_selection"] = row["joint_p_value"]
        else:
            found["p_value_placebo"] = row["p_value"]
    return found


def _correct(
    rows: Rows, spec: Spec, found: Mapping[str, PolicyResult], settings: dict[str, int]
) -> None:
    """Correct the p of growth and cycle over all policies with a verdict: a city's whole record is
    permuted at once, so the windows take the same draws.
    """
    tested = {name: one for name, one in found.items() if one.result.p_value is not None}
    windows: list[Window] = []
    for one in tested.values():
        windows += [one.sample, less_trend(one.sample)]
    statistics = joint_statistics(windows, **settings)
    if statistics is None:
        return
    corrected = dict(enumerate(family_p(statistics)))
    names = list(tested)
    for row in rows:
        if row["comparison"] != PLAIN or row["family"] != OF_ONE_LIST:
            continue
        place = 2 * names.index(row["policy"]) + (row["outcome"] != spec.outcome)
        # the windows share the cities that all of them hold: the own test is never corrected down
        row["p_value_family"] = max(corrected[place], row["p_value"])
        row["family"], row["family_size"] = FAMILY, len(windows)
        row["is_found"] = row["p_value_family"] < LEVEL
        row["verdict"] = verdict_of(row["p_value_family"], row["minimum_detectable_effect"])
