"""The page Is it robust?: one forest of every variant, event studies by estimator, the
specification curve, placebos, what was not run.
"""

from __future__ import annotations

import functools
from itertools import chain, product
from typing import Any

import pandas as pd

from ...analyses.specification_curve import MEASURES, SERIES
from ...defaults import LEVEL, STUDY_FIRST_YEAR, STUDY_LAST_YEAR
from ...estimators.registry import ESTIMATORS
from ..cells import Row, num, number, rounded, shown
from ..forest import Forest, build_forest, is_below
from ..plots import Chart, Series
from ..shown_specs import DYNAMICS, HEADLINE, HEADLINE_IN_CURVE, OVERALL, PRIMARY, SECOND_WINDOW
from .context import Context, variant
from .grouped import Grouped, group
from .not_run import not_run
from .pictures import event_point, picture, threshold
from .row_names import check_name, placebo_name, stood_out_name

# families of the forest, in the order of reading; robustness holds estimators and other rules, told
# apart by the variant
FAMILIES = (
    "primary",
    "baseline",
    "estimators",
    "rules",
    "matching",
    "leave_out",
    "confounders",
    "spillovers",
    "alternative_outcomes",
    "placebo",
)
# two-way effects are the baseline that the others are compared with
OTHER_ESTIMATORS = tuple(row.name for row in ESTIMATORS.values() if row.family != "two_way")
# the same numbers as imputation, and another shuffle of the same estimate: one row each, said in
# words
SAME_NUMBERS = ("gardner", "etwfe", "gdp_tercile")
# of their family and series
FIRST = (PRIMARY, SECOND_WINDOW, HEADLINE)
# label of the effect in the year of admission
ADMISSION = "event[0]"
CORRELATION = ("cm_growth_official", "cm_growth_deflated")
CURVE_DIMENSIONS = ("window", "treatment_rule", "tie_rule", "effects", "estimator", "control_group")


def robust(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    summary = page.one("curve_summary", outcome="all")
    return {
        "forest": _forest(page),
        "families": [(name, page.words.name("families", name)) for name in FAMILIES],
        "family_words": {
            name: (page.words.name("families", name), page.words.name("family_says", name))
            for name in FAMILIES
        },
        "says": {
            name: page.words.name("variant_says", name)
            for name in OTHER_ESTIMATORS
            if page.words.knows("variant_says", name)
        },
        "others": _others(page),
        "checks": _checks(page),
        "study_years": {"first": STUDY_FIRST_YEAR, "last": STUDY_LAST_YEAR},
        "test_years": _test_years(page),
        "estimators": _estimators(page),
        "threshold": threshold(page),
        "honest": _honest(page),
        "summary": sorted(
            page.rows("curve_summary"), key=lambda row: outcome_order(row["outcome"])
        ),
        "curve_title": "" if summary is None else _curve_title(page, summary),
        "curve_contrast": ""
        if summary is None
        else page.words(
            "robust.curve_conventional", share=num(summary, "share_rejects_conventional", "%")
        ),
        "curve_joint": "" if summary is None else _joint(page, summary),
        "placebos": [
            (page.words.name("robust", f"placebo_{row['placebo']}"), placebo_name(page, row), row)
            for row in page.rows("placebo")
        ],
        "stood_out": [(stood_out_name(page, row), row) for row in page.rows("stood_out")],
        "not_run": not_run(page, page.rows("not_run")),
        "outcome_names": {
            row["outcome"]: page.words.outcome(row["outcome"]) for row in page.rows("curve_summary")
        },
    }


def family(row: Row) -> str:
    """Return the family of a coefficient in the forest."""
    analysis, name = row["analysis"], variant(row["spec_id"])
    if name == "weak":
        return "placebo"
    if name in OTHER_ESTIMATORS:
        return "estimators"
    return "rules" if analysis == "robustness" else analysis


def _forest(page: Context) -> Forest | None:
    labelled = [
        (page.label(row), "primary", row)
        for row in page.rows("primary")
        if number(row["estimate"]) is not None
    ]
    for row in page.rows("coefficient"):
        kind = family(row)
        if (
            kind in FAMILIES
            and row["term"] in OVERALL
            and row["outcome"] in CORRELATION
            and variant(row["spec_id"]) not in SAME_NUMBERS
        ):
            labelled.append((page.label(row), kind, row))
    labelled.sort(
        key=lambda item: (
            FAMILIES.index(item[1]),
            "growth_official" not in item[2]["spec_id"],
            item[2]["spec_id"] not in FIRST,
        )
    )
    return build_forest(
        labelled,
        name=page.words.plain("robust.forest"),
        unit=page.words.plain("units.correlation"),
        title=functools.partial(_forest_title, page),
    )


def _forest_title(page: Context, rows: list[dict[str, Any]]) -> str:
    """Return how many variants are found, and how many placebos have a small p, which is
    uncorrected.
    """
    placebos = [row["row"] for row in rows if row["kind"] == "placebo"]
    others = [row for row in rows if row["kind"] != "placebo"]
    parts = [page.counted_title("robust.forest_title", others)]
    if placebos:
        n = sum(is_below(row["p_value"]) for row in placebos)
        parts.append(page.words.plain("robust.placebos_title", n=n, of=len(placebos)))
    return page.words.plain("label.chinese_semicolon").join(part for part in parts if part)


def _others(page: Context) -> Grouped:
    """Overall coefficients of other outcomes, and of the parts of the main one."""
    rows = [
        row
        for row in page.rows("coefficient")
        if row["analysis"] in ("baseline", "alternative_outcomes")
        and row["term"] in OVERALL
        and row["outcome"] not in CORRELATION
    ]
    return group(page, rows, lambda row: page.variant_name(row["spec_id"]))


def _test_years(page: Context) -> dict[str, Any]:
    """Return the first and last year of the main test; nothing where it was not run."""
    row = page.one("primary", spec_id=PRIMARY)
    if row is None or number(row["first_year"]) is None:
        return {}
    return {name: num(row, f"{name}_year", "year") for name in ("first", "last")}


def _checks(page: Context) -> dict[str, Any] | None:
    """Return the primary test under every check of its newest window, and the drift that would turn
    it.
    """
    w, labelled = page.words, []
    rows = page.rows("check")
    for row in rows:
        if number(row["estimate"]) is None or row["check"] == "drift":
            continue
        name = check_name(page, str(row["name"]))
        kind = w.name("checks", row["check"])
        series = w.name("checks", row["series"])
        label = w.plain("terms.of_class", kind=kind, of=f"{name} · {series}")
        label = _with_own_years(page, label, row)
        labelled.append((label, row["check"], row))
    forest = build_forest(
        labelled,
        name=w.plain("robust.checks"),
        unit=w.plain("units.correlation"),
        title=functools.partial(_checks_title, page),
    )
    if forest is None:
        return None
    joint = next((row for row in rows if number(row["joint_p_value"]) is not None), None)
    return {
        "forest": forest,
        "joint": "" if joint is None else w("robust.joint", p=num(joint, "joint_p_value", "p")),
        "drifts": [
            w(
                f"robust.{row['name']}",
                drift=num(row, "estimate", "+3"),
                times=num(row, "relative_magnitude", "1"),
            )
            for row in rows
            if row["check"] == "drift" and w.knows("robust", row["name"])
        ],
    }


def _with_own_years(page: Context, label: str, row: Row) -> str:
    """Add the years of a check that has others than the main test."""
    years = tuple(number(row[name]) for name in ("first_year", "last_year"))
    main = page.one("primary", spec_id=PRIMARY)
    if main is None or None in years or years == (main["first_year"], main["last_year"]):
        return label
    first, last = (int(row[name]) for name in ("first_year", "last_year"))
    return page.words.plain("label.with_years", text=label, first=first, last=last)


def _checks_title(page: Context, rows: list[dict[str, Any]]) -> str:
    """Return how many checks find a change; the main test itself, drawn above them, is none."""
    checks = [row for row in rows if row["kind"] != "headline"]
    return page.counted_title("robust.checks_title", checks)


def _estimators(page: Context) -> Chart | None:
    """Return event studies by estimator, in the years after admission."""
    w, series, drawn = page.words, [], []
    for spec_id, name in (
        (DYNAMICS, "event_study"),
        ("robustness.cm_growth_official.callaway_santanna", "callaway_santanna"),
        ("robustness.cm_growth_official.sun_abraham", "sun_abraham"),
        ("robustness.cm_growth_official.borusyak", "borusyak"),
    ):
        own = [row for row in page.some("event", spec_id=spec_id) if row["event_time"] >= 0]
        label = w.name("estimators", name)
        points = tuple(event_point(page, row, ("ci_low", "ci_high"), name=label) for row in own)
        # two estimators may give the same numbers on these data: drawn once
        values = [round(point.y, 9) for point in points]
        if points and values not in drawn:
            drawn.append(values)
            series.append(Series(label, points, shift=0.16 * len(series) - 0.24))
    if len(series) < 2:
        return None
    found = list(chain.from_iterable(one.points for one in series))
    labels = {point.x: (f"{point.x:.0f}",) for point in found}
    spans = [(point.x, *point.intervals[0]) for point in found if point.intervals]
    years = {year for year, _, _ in spans}
    with_zero = {year for year, low, high in spans if low <= 0 <= high}
    n = len(years - with_zero)
    ends = {"n": n, "of": len(years)}
    key, tables = "robust.estimators", "estimates.estimate"
    how = {"title": f"{key}_title" if n else f"{key}_title_zero"}
    return picture(page, "estimators", key, series, labels, "events", tables, ends, **how)


def _honest(page: Context) -> list[tuple[str, Row, Row, Row | None]]:
    """Return sets and breakdown values of the effect in the year of admission: (assumption, low
    end, high end, breakdown value).
    """
    found = []
    for name, bound in (("relative_magnitudes", "1"), ("smoothness", "0_se")):
        ends = [
            page.diagnostic(DYNAMICS, f"honest_{name}_{end}_{bound}", ADMISSION)
            for end in ("low", "high")
        ]
        if ends[0] is not None and ends[1] is not None:
            label = page.words.plain(f"robust.honest_{name}")
            found.append(
                (label, ends[0], ends[1], page.diagnostic(DYNAMICS, f"breakdown_{name}", ADMISSION))
            )
    return found


def _curve_title(page: Context, row: Row) -> Any:
    return page.words(
        "robust.curve_title",
        n=num(row, "n_specs", "int"),
        median=num(row, "median_sd", "+3"),
        positive=num(row, "share_positive", "%"),
        rejects=num(row, "share_rejects", "%"),
    )


def _joint(page: Context, row: Row) -> Any:
    """Return the joint permutation in a sentence."""
    if number(row["p_value_median"]) is None:
        return page.words("robust.curve_no_joint")
    return page.words(
        "robust.curve_joint",
        n=num(row, "n_joint", "int"),
        draws=num(row, "draws", "int"),
        median=num(row, "median_joint", "+3"),
        p_median=num(row, "p_value_median", "p"),
        share=num(row, "share_joint", "%"),
        p_share=num(row, "p_value_share", "p"),
    )


def curve_data(page: Context) -> dict[str, Any]:
    """Return what the script of the curve needs: figures by specification, choices as numbers of a
    list of levels, names in words.
    """
    frame, words = page.data["curve"], page.words
    dimensions = []
    for name in CURVE_DIMENSIONS:
        texts = frame[name].map(lambda value: "–" if pd.isna(value) else str(value))
        levels = sorted(set(texts))
        of = [levels.index(text) for text in texts]
        dimensions.append(
            {
                "label": words.name("choices", name),
                "levels": [words.name("levels", level) for level in levels],
                "of": of,
            }
        )
    outcomes = sorted(set(frame["outcome"]), key=outcome_order)
    headline = page.one("coefficient", spec_id=HEADLINE, term="treated")
    return {
        "spec_id": frame["spec_id"].tolist(),
        "outcome": [outcomes.index(name) for name in frame["outcome"]],
        "outcomes": [{"id": name, "name": words.outcome(name)} for name in outcomes],
        "dimensions": dimensions,
        **{
            name: [rounded(value, 5) for value in frame[name]]
            for name in ("estimate", "estimate_sd", "low_sd", "high_sd", "p_value", "n_pilots")
        },
        "medians": {
            row["outcome"]: rounded(row["median_sd"], 5) for row in page.rows("curve_summary")
        },
        "joint": {
            row["outcome"]: shown(row["p_value_median"], "p")
            for row in page.rows("curve_summary")
            if row["p_value_median"] is not None
        },
        "headline": HEADLINE_IN_CURVE,
        "level": LEVEL,
        "truth": None
        if headline is None or not page.data.is_simulated
        else rounded(headline["truth"], 5),
        "simulated": page.data.is_simulated,
    }


def outcome_order(outcome: str) -> tuple[bool, int, str]:
    """Return all outcomes first, then measures and series in the order of the curve's choices."""
    names = list(map("_".join, product(MEASURES, SERIES)))
    return outcome != "all", names.index(outcome) if outcome in names else len(names), outcome
