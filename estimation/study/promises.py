"""Compare the preregistered rules of the newest window with the test that was run."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd

from ..analyses.primary import ADJUSTED, NEWEST, cycle_id
from ..analyses.rules import CONTROL_GROUPS, TREATMENT_RULES
from ..analyses.spec import SampleError, Spec
from ..defaults import LEVEL
from ..primary.adjusted_fit import STATISTIC_VERSION as ADJUSTED_VERSION
from ..primary.fit_primary import STATISTIC_VERSION, PrimaryResult, fit_window
from ..primary.written_rule import text_and_hash
from ..sample.marts import Marts
from .next_window import (
    CODE_SHA256_UNTIL_2026_11_29,
    COMMITTED,
    rules_of,
)
from .primary_checks import adjusted_over_refreshes, fit_adjusted_window
from .windows import FEWEST_DRAWS, city_window

AS_WRITTEN, CHANGED = "as_written", "changed"
THIS_RUN = "this run"
# The version of the statistic whose bytes rules named until 2026-11-29.
FIRST_VERSION = 1
# What can be run by another value than today's; the other parts of a rule are code or lists.
SETTINGS = {"permutations": "permutations", "seed": "seed", "controls": "control_group"}
TREATMENTS = {one.label: key for key, one in TREATMENT_RULES.items()}
RUNNABLE = {*SETTINGS, "treatment", "window_is_run", "committed_on"}
COLUMNS = {
    **dict.fromkeys(("spec_id", "rule_name"), "str"),
    **dict.fromkeys(("first_year", "last_year"), "Int64"),
    **dict.fromkeys(("written_by", "rule_sha256_written", "rule_sha256", "status"), "str"),
    **dict.fromkeys(("what_changed", "changed_since"), "str"),
    **dict.fromkeys(("estimate_written", "ci_low_written", "ci_high_written"), "Float64"),
    "p_value_family_written": "Float64",
    **dict.fromkeys(("estimate", "ci_low", "ci_high", "p_value_family"), "Float64"),
    **dict.fromkeys(("share_of_level", "p_value_refreshes"), "Float64"),
    "is_found_at_last": "boolean",
    "reason": "str",
}
NUMBERS = ("estimate", "ci_low", "ci_high", "p_value_family")


def promise_rows(
    marts: Marts, specs: list[Spec], primary: pd.DataFrame, written: pd.DataFrame
) -> pd.DataFrame:
    """Return rows of ``meta.promise``: a row for growth and its cycle under each rule that an
    earlier run wrote for the newest window.

    Parameters
    ----------
    marts : Marts
    specs : list of Spec
        Tests of the newest window.
    primary : DataFrame
        ``estimates.primary`` of this run.
    written : DataFrame
        ``estimates.next_window`` of earlier runs, oldest first, with their `run_id`. What earlier
        versions did not write is absent: a row without `rule_name` is of the committed rule.
    """
    rows: list[dict[str, Any]] = []
    results = primary.set_index("spec_id")
    for spec in specs:
        if spec.variant != NEWEST or spec.spec_id not in results.index:
            continue
        last_year = int(results.loc[spec.spec_id, "last_year"])
        for name, rule in rules_of(marts, spec, last_year).items():
            promises = _promises(written, spec.spec_id, name, last_year)
            if promises.empty:
                continue
            rows += _rows_of_rule(marts, spec, results, name, rule, promises)
    return typed_promises(rows)


def typed_promises(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as the table ``meta.promise``."""
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _promises(written: pd.DataFrame, spec_id: str, name: str, last_year: int) -> pd.DataFrame:
    """Return what was written of a spec under a rule for a window, oldest first."""
    if written.empty:
        return written
    names = pd.Series(COMMITTED, index=written.index)
    if "rule_name" in written:
        names = written["rule_name"].fillna(COMMITTED)
    is_meant = (written["spec_id"] == spec_id) & (names == name)
    return written[is_meant & (written["last_year"] == last_year)]


def _rows_of_rule(
    marts: Marts,
    spec: Spec,
    results: pd.DataFrame,
    name: str,
    rule: dict[str, Any],
    promises: pd.DataFrame,
) -> list[dict[str, Any]]:
    first = promises.iloc[0]
    _, digest = text_and_hash(rule)
    was = _in_todays_form(json.loads(first["rule"]))
    differs = sorted(key for key in {*was, *rule} if was.get(key) != rule.get(key))
    status = CHANGED if differs else AS_WRITTEN
    since = _since(promises, digest) if differs else None
    now, reason = None, ""
    refreshes = list(results.loc[[spec.spec_id, cycle_id(spec.spec_id)], "p_value_refreshes"])
    if name == ADJUSTED.name:
        now, reason = _run(marts, spec, name, rule)
        refreshes = [None, None]
        if now is not None:
            settings = {"permutations": rule["permutations"], "seed": rule["seed"]}
            window = city_window(marts, spec)
            refreshes = list(adjusted_over_refreshes(marts, window, settings))
    then = now
    if differs:
        then, reason = _run_as_written(marts, spec, name, was, rule)
    rows = []
    for place, spec_id in enumerate((spec.spec_id, cycle_id(spec.spec_id))):
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {
            "spec_id": spec_id,
            "rule_name": name,
            "first_year": was["window"][0],
            "last_year": was["window"][1],
            "written_by": first["run_id"],
            "rule_sha256_written": first["rule_sha256"],
            "rule_sha256": digest,
            "status": status,
            "what_changed": _differences(was, rule, differs),
            "changed_since": since,
            "share_of_level": first.get("share_of_level"),
            "reason": reason,
        }
        current = _figures(now, place)
        if name == COMMITTED:
            current = results.loc[spec_id, list(NUMBERS)].to_dict()
        as_written = current
        if differs:
            as_written = _figures(then, place)
        for column in NUMBERS:
            row[column] = current[column]
            row[f"{column}_written"] = as_written[column]
        if not pd.isna(refreshes[place]):
            row["p_value_refreshes"] = refreshes[place]
            row["is_found_at_last"] = bool(refreshes[place] < LEVEL)
        rows.append(row)
    return rows


def _in_todays_form(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of until 2026-11-29, which named the bytes of the code where it now names the
    version of the statistic, in today's form.
    """
    if rule.get("code_sha256") != CODE_SHA256_UNTIL_2026_11_29:
        return rule
    rest = {key: value for key, value in rule.items() if key != "code_sha256"}
    return {**rest, "statistic_version": FIRST_VERSION}


def _figures(found: PrimaryResult | None, place: int) -> dict[str, Any]:
    """Return figures of growth (place 0) or its cycle; None where there is no result."""
    if found is None:
        return dict.fromkeys(NUMBERS)
    one = found if place == 0 else found.cycle
    return {column: getattr(one, column, None) for column in NUMBERS}


def _since(promises: pd.DataFrame, digest: str) -> str:
    """Return the first run that wrote another rule than the first one did for this window."""
    first = promises.iloc[0]["rule_sha256"]
    others = promises[promises["rule_sha256"] != first]
    return THIS_RUN if others.empty else str(others.iloc[0]["run_id"])


def _differences(was: dict[str, Any], now: dict[str, Any], differs: list[str]) -> str:
    """Return each part of the rule that differs, as written and as it is now."""
    absent = "absent"
    return "; ".join(f"{key}: {was.get(key, absent)} -> {now.get(key, absent)}" for key in differs)


def _run(
    marts: Marts, spec: Spec, name: str, rule: dict[str, Any]
) -> tuple[PrimaryResult | None, str]:
    """Return the test of a rule whose statistic is that of this code, or why it cannot be run."""
    unknown = _no_setting(rule)
    if unknown:
        return None, f"The rule cannot be run: {unknown}."
    chosen = dataclasses.replace(
        spec,
        treatment_rule=TREATMENTS[rule["treatment"]],
        window=tuple(rule["window"]),
        **{field: rule[key] for key, field in SETTINGS.items()},
    )
    settings = {"permutations": chosen.permutations, "seed": chosen.seed}
    try:
        window = city_window(marts, chosen)
        if name == ADJUSTED.name:
            return fit_adjusted_window(marts, window, settings), ""
    except SampleError as error:
        return None, f"The rule cannot be run: {error}."
    return fit_window(window, **settings), ""


def _no_setting(rule: dict[str, Any]) -> str:
    """Return the first part of a written rule that is no setting of this code; empty where
    all are.
    """
    for key, known in (("treatment", TREATMENTS), ("controls", CONTROL_GROUPS)):
        if rule.get(key) not in known:
            return f"{key} is {rule.get(key)!r}, this code knows {', '.join(known)}"
    for key, fewest in (("permutations", FEWEST_DRAWS), ("seed", 0)):
        if not isinstance(rule.get(key), int) or rule[key] < fewest:
            return f"{key} is {rule.get(key)!r}, a whole number of at least {fewest} is needed"
    return ""


def _run_as_written(
    marts: Marts, spec: Spec, name: str, was: dict[str, Any], now: dict[str, Any]
) -> tuple[PrimaryResult | None, str]:
    """Return the result of the rule as it was written, or why it cannot be run."""
    version = ADJUSTED_VERSION if name == ADJUSTED.name else STATISTIC_VERSION
    if was.get("statistic_version", version) != version:
        return None, (
            f"The written rule has version {was['statistic_version']} of the statistic, this code "
            f"has {version}; check out the code of the run that wrote it."
        )
    changed = {key for key in {*was, *now} if was.get(key) != now.get(key)}
    lists = sorted(changed - RUNNABLE - {"statistic_version", "code_sha256"})
    if lists:
        return None, f"The written rule cannot be run from its text: {', '.join(lists)} changed."
    return _run(marts, spec, name, was)
