"""Run the primary test on the marts: its results, the effects that it could have found, and its
checks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from ..analyses import own_outcomes
from ..analyses.primary import NEWEST, POWER_SERIES, PRIMARY, STUDY_WINDOW, cycle_id
from ..analyses.spec import SampleError, Spec
from ..defaults import DRAWS_OF_CHECKS
from ..primary.city_panel import lacking
from ..primary.contrast import treatment_contrast
from ..primary.detectable import power_curve
from ..primary.fit_primary import PrimaryResult, fit_window
from ..primary.pearson import pearson_before_after
from ..primary.written_rule import text_and_hash
from ..sample.marts import Marts
from .city_periods import city_period_rows
from .next_window import COMMITTED, next_window_rows, rules_of
from .own_outcomes import own_outcome_rows
from .planted import TREATED, truths_of_window
from .policies import policy_rows
from .primary_checks import (
    Looks,
    check_rows,
    joint_over_refreshes,
    placebo_of_later,
    placebos_in_space,
    placebos_in_time,
    selection,
)
from .tables import COLUMNS, Rows, Tables, not_run
from .weight import weight_rows
from .windows import Window, city_window, settings_of

POWER_DRAWS, POWER_PERMUTATIONS = 100, 199
TABLES = (
    *("primary", "check", "channel", "power", "placebo", "next_window", "weight", "own_outcome"),
    *("policy", "policy_overlap", "city_period", "truth", "not_run", "warning"),
)


def run_primary_spec(marts: Marts, specs: Sequence[Spec]) -> Tables:
    """Return the primary test of one window and series.

    Parameters
    ----------
    marts : Marts
    specs : sequence of one Spec

    Returns
    -------
    dict of str to list of dict
        Rows by table (`TABLES`). A spec whose series lacks is a row of ``not_run``; a panel that
        lacks what the test needs has a row with a reason and no p.
    """
    rows: Tables = {name: [] for name in TABLES}
    (spec,) = specs
    settings = settings_of(spec)
    try:
        window = city_window(marts, spec)
    except SampleError as error:
        return {**rows, "not_run": not_run([spec], str(error))}
    result = fit_window(window, **settings)
    named = {spec.spec_id: result}
    if result.cycle is not None:
        named[cycle_id(spec.spec_id)] = result.cycle
    truths = {} if marts.without is None else truths_of_window(marts, spec, window)
    for spec_id, by_term in truths.items():
        rows["truth"] += [
            {"spec_id": spec_id, "term": term, "cohort_year": None, "event_time": None, **truth}
            for term, truth in by_term.items()
        ]
    unknown = {"truth": None, "planted": None}
    pearson = _pearson(window)
    for place, (spec_id, one) in enumerate(named.items()):
        known = truths.get(spec_id, {})
        row = _primary_row(spec, spec_id, one)
        row["pearson_before"], row["pearson_after"] = pearson[place]
        rows["primary"].append(row | {"truth": known.get(TREATED, unknown)["truth"]})
        rows["channel"] += [
            {
                "spec_id": spec_id,
                **vars(channel),
                **known.get(channel.channel, unknown),
                "reason": in_words_of_the_study(channel.reason),
            }
            for channel in one.channels
        ]
        rows["warning"] += [{"spec_id": spec_id, "warning": text} for text in one.warnings]
    if result.p_value is None:
        return rows
    if spec.series == POWER_SERIES and spec.variant in (NEWEST, STUDY_WINDOW):
        rows["power"] += _power_rows(spec, window, settings["seed"], settings["permutations"])
    few = {**settings, "permutations": min(settings["permutations"], DRAWS_OF_CHECKS)}
    if spec.variant == NEWEST:
        last = int(window.years[-1])
        _, applied = text_and_hash(rules_of(marts, spec, last)[COMMITTED])
        looks = [Looks(), Looks()]
        for place, row in enumerate(rows["primary"]):
            looks[place] = joint_over_refreshes(window, place == 1, settings)
            row["p_value_refreshes"] = looks[place].p_value
            row["rule_name"] = COMMITTED
            row["rule_sha256"] = applied
        correlations = [one.correlation for one in looks]
        shares = [one.share for one in looks]
        rows["next_window"] += next_window_rows(marts, spec, last, correlations, shares)
        rows["placebo"] += placebos_in_time(marts, spec, window, few)
    if spec.spec_id == PRIMARY:
        rows["city_period"] += city_period_rows(spec, window, result)
        rows["check"] += check_rows(marts, spec, result, rows["placebo"], few)
        rows["placebo"] += placebos_in_space(marts, spec, window, few)
        rows["placebo"] += placebo_of_later(marts, spec, window, few)
        rows["placebo"] += selection(spec, window, few)
        rows["weight"] += weight_rows(marts, spec, window, few)
        draws = min(settings["permutations"], own_outcomes.PERMUTATIONS)
        rows["own_outcome"] += own_outcome_rows(marts, spec, {**settings, "permutations": draws})
        rows |= policy_rows(marts, spec, settings)
    for row in (*rows["check"], *rows["own_outcome"], *rows["policy"]):
        row["reason"] = in_words_of_the_study(row["reason"])
    return rows


def in_words_of_the_study(text: str) -> str:
    """Return sentences of the test with provinces for blocks; what tells the owner of a file what
    to change there is left out.
    """
    sentences = re.findall(r"[^.]+\.", text)
    short = (one.split(";", maxsplit=1)[0].removesuffix(".") + "." for one in sentences)
    return " ".join(one.strip() for one in short).replace("block", "province")


def _primary_row(spec: Spec, spec_id: str, result: PrimaryResult) -> dict[str, Any]:
    figures = dataclasses.asdict(result)
    return {
        **{name: figures[name] for name in COLUMNS["primary"] if name in figures},
        "spec_id": spec_id,
        "analysis": spec.analysis,
        "outcome": spec_id.split(".")[1],
        "treatment_rule": spec.treatment_rule,
        "p_value_refreshes": None,
        "synchronization_before": result.before,
        "synchronization_after": result.after,
        "rule_name": None,
        "rule_sha256": None,
        "correlation_before": result.before,
        "correlation_after": result.after,
        "reason": in_words_of_the_study(result.reason),
    }


def _pearson(window: Window) -> tuple[tuple[float | None, float | None], ...]:
    """Pearson's correlation before and after admission, of growth and of its cycle."""
    panel = window.panel
    if lacking(panel):
        return ((None, None), (None, None))
    weight = treatment_contrast(panel).weight[panel.block, panel.label]
    return tuple(pearson_before_after(panel, series, weight) for series in panel.series)


def _power_rows(spec: Spec, window: Window, seed: int, permutations: int) -> Rows:
    few = {
        "draws": POWER_DRAWS,
        "permutations": min(permutations, POWER_PERMUTATIONS),
        "seed": seed,
    }
    found = power_curve(window.growth, window.years, window.cohort, window.block, **few)
    ids = {"growth": spec.spec_id, "cycle": cycle_id(spec.spec_id)}
    return [{"spec_id": ids[row["series"]], **row} for row in found]
