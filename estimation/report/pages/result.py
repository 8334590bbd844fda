"""The page Result: finding, one picture and how sure it is on the first screen; then other ways to
ask, claims, raw means, influential cities, the two-way table, the way to the cells.
"""

from __future__ import annotations

import functools
from typing import Any

import pandas as pd
from markupsafe import Markup

from ...defaults import LEVEL, STUDY_FIRST_YEAR, STUDY_LAST_YEAR
from ..cells import Row, num, number, shown
from ..forest import Forest, build_forest, is_found
from ..journal_tables import build_table
from ..plots import Chart, Point, Series
from ..shown_specs import DYNAMICS, HEADLINE, LADDER, PRIMARY, SECOND_WINDOW, STUDY_FORM
from .context import Context, variant
from .first_screen import INTERVAL, FirstScreen, could_be_missed, how_sure
from .own_outcomes import own_outcomes
from .pictures import answer as answer_picture
from .pictures import event_study, picture
from .play import in_step, one_city, shuffle
from .row_names import NET, ZONES, stood_out_name
from .weight import weight

BREAK_SHARE = 0.25
# cities named on the page; the file has all, and the first page stays light with thousands of
# counties
MOST_LISTED = 500
# the key of `estimates.coverage` for the primary test over many economies
WINDOW = "primary.study_window"


def result(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    return {
        "first": _first_screen(page),
        "about": _about(page),
        "study": _study(page),
        "in_step": in_step(page),
        "shuffle": shuffle(page),
        "one_city": one_city(page),
        "caution": _caution(page),
        "warnings": _warnings(page),
        "counted_truth": _counted_truth(page),
        "event": event_study(page),
        "ladder": _ladder(page),
        "n_ladder": len(LADDER),
        "study_years": {"first": STUDY_FIRST_YEAR, "last": STUDY_LAST_YEAR},
        "counted": _counted(page),
        "claims": page.rows("claim"),
        # a series that ends early is run on the years that it has
        "claim_windows": {
            row["claim_id"]: page.variant_name(row["spec_id"])
            for row in page.rows("claim")
            if variant(row["spec_id"]).startswith("window_")
        },
        "literature": page.rows("literature"),
        "weight": weight(page),
        "trade": own_outcomes(page),
        "is_found": is_found,
        "next_window": page.some("next_window", spec_id=PRIMARY),
        "promises": _promises(page),
        "means": _means(page),
        "carry": _carry(page),
        "carry_of_primary": _carry_of_primary(page),
        "table": build_table(page.data, page.words, "headline"),
        "trace": _trace(page),
    }


def finding(row: Row | None) -> str:
    """Return the words that say what was found, by the verdict of the primary test."""
    if row is None or row["verdict"] == "not_identified":
        return "title_open"
    if row["verdict"] != "found":
        return "title_none"
    return "title_up" if row["estimate"] > 0 else "title_down"


def _first_screen(page: Context) -> FirstScreen:
    w, row = page.words, page.one("primary", spec_id=PRIMARY)
    admitted = next(iter(page.rows("admitted")), None)
    if admitted is None:
        question = w("result.asked_bare")
    else:
        year, zones = num(admitted, "first_approval", "year"), num(admitted, "n_zones", "int")
        question = w("result.asked", first_approval=year, zones=zones)
    title = w(f"result.{finding(row)}")
    if row is None or row["verdict"] == "not_identified":
        missing = page.one("not_run", spec_id=PRIMARY) if row is None else row
        reason = page.said(missing["reason"]) if missing and missing["reason"] else ""
        key = "not_run" if row is None else "no_answer"
        return FirstScreen(question, title, w(f"result.{key}", reason=reason), None, [])
    lines = [how_sure(page, row), could_be_missed(page, row)]
    lines += _trade_line(page) + _comes_next(page)
    return FirstScreen(question, title, _levels(page, row), answer_picture(page), lines)


def _levels(page: Context, row: Row) -> Markup:
    """Return the sentence of levels and of their difference; of the difference alone where the
    levels lack.
    """
    number_of = num(row, "estimate", "+3")
    estimate = Markup('<a class="traced" href="#trace">{}</a>').format(number_of)
    if number(row["without_admission"]) is None:
        return page.words("result.change_alone", estimate=estimate)
    levels = {name: num(row, name, "3") for name in ("after", "without_admission")}
    return page.words("result.levels", estimate=estimate, **levels)


def _trade_line(page: Context) -> list[tuple[Markup, Markup]]:
    """Return whether a change of trade was found; nothing where it was not tested."""
    trade = page.one("own_outcome", comparison="all_cities", outcome="trade")
    if trade is None or number(trade["p_value"]) is None:
        return []
    key = "found" if trade["is_found"] else "none"
    smallest = num(trade, "minimum_detectable_effect", "3")
    return [(page.words("first.trade"), page.words(f"first.trade_{key}", smallest=smallest))]


def _comes_next(page: Context) -> list[tuple[Markup, Markup]]:
    """Return the window that the next figures open, with the day on which its rule was written
    down.
    """
    row = next(iter(page.some("next_window", spec_id=PRIMARY)), None)
    if row is None:
        return []
    last, day = num(row, "last_year", "year"), num(row, "committed_on", "s")
    said = page.words("first.next", last=last, day=day)
    return [(page.words("first.comes_next"), said)]


def _about(page: Context) -> list[Markup]:
    """Return what else a reader should know of the answer: what was compared, other checks and
    years, the truth of simulated data.
    """
    w, row = page.words, page.one("primary", spec_id=PRIMARY)
    if row is None or row["verdict"] == "not_identified":
        return []
    counts = {name: num(row, f"n_{name}", "int") for name in ("cities", "pilots")}
    years = {name: num(row, f"{name}_year", "year") for name in ("first", "last")}
    said = [w("result.sure_test", **counts, **years), w("result.other_changes")]
    said += _later(page)
    said += _net(page)
    said += _second(page)
    said += _found_rows(page)
    knows_truth = page.data.is_simulated and number(row["truth"]) is not None
    if knows_truth and number(row["ci_low"]) is not None:
        inside = row["ci_low"] <= row["truth"] <= row["ci_high"]
        key = "result.truth_in" if inside else "result.truth_out"
        said.append(w(key, truth=num(row, "truth", "+3")))
    return said


def _later(page: Context) -> list[Markup]:
    """Return what the check against cities admitted later alone finds, and what their own placebo
    does; nothing where it finds nothing.
    """
    checks = page.some("check", spec_id=PRIMARY, check="controls", series="growth")
    check = next((row for row in checks if row["name"] == "admitted_later"), None)
    if check is None or not is_found(check):
        return []
    numbers = {"estimate": num(check, "estimate", "+3"), "p": num(check, "p_value", "p")}
    numbers["n"] = shown(check["n_cities"] - check["n_pilots"], "int")
    last = num(check, "last_year", "year")
    said = [page.words("result.sure_later", **numbers, last=last)]
    placebo = page.one("placebo", spec_id=PRIMARY, placebo="later")
    if placebo is None or None in (number(placebo[end]) for end in INTERVAL):
        return said
    low, high = (num(placebo, end, "+3") for end in INTERVAL)
    move = {"placebo": num(placebo, "estimate", "+3"), "low": low, "high": high}
    said.append(page.words("result.sure_later_placebo", **move, last=last))
    return said


def _net(page: Context) -> list[Markup]:
    """Return the estimate net of other policies, where its p is below 5 % before correction."""
    row = next(
        (
            row
            for row in page.rows("stood_out")
            if row["name"] == ZONES and row["comparison"] == NET
        ),
        None,
    )
    if row is None:
        return []
    low, high = (num(row, end, "+3") for end in INTERVAL)
    numbers = {"estimate": num(row, "estimate", "+3"), "p": num(row, "p_value", "p")}
    return [page.words("result.sure_net", **numbers, low=low, high=high)]


def _carry_of_primary(page: Context) -> Markup | None:
    """Return the range of the primary test's own estimate without each province."""
    checks = page.some("check", spec_id=PRIMARY, check="province", series="growth")
    estimates = [row["estimate"] for row in checks if number(row["estimate"]) is not None]
    if not estimates:
        return None
    ends = {"low": shown(min(estimates), "+3"), "high": shown(max(estimates), "+3")}
    return page.words("result.carry_primary", **ends)


def _found_rows(page: Context) -> list[Markup]:
    """Return the names of the rows of all tables that are found; doubted ones are marked."""
    w, found = page.words, []
    below = page.rows("stood_out")
    for row in below:
        if row["belief"] not in ("found", "doubted"):
            continue
        key = "found_row"
        if row["belief"] == "doubted":
            # coefficients by their placebo, outcomes of a city by the size of their test
            is_coefficient = row["source_table"] == "estimate"
            key = "found_row_doubted" if is_coefficient else "found_row_doubted_size"
        numbers = {"estimate": num(row, "estimate", "+3"), "p": num(row, "p_value_family", "p")}
        found.append(w(f"result.{key}", name=stood_out_name(page, row), **numbers))
    if found:
        listed = w("label.chinese_semicolon").join(found)
        said = [w("result.found_rows", rows=listed)]
        if any(_follows_to_2021(row) for row in below):
            said.append(w("result.found_lead"))
        return said
    return [w("result.found_rows_none")] if below else []


def _follows_to_2021(row: Row) -> bool:
    """Return whether a row is found and says that treated cities follow, in a window with the
    pandemic.
    """
    spec_id = row["spec_id"]
    is_lead = spec_id.startswith("radiation.lead_") and spec_id.endswith("_2010_2021")
    return is_lead and row["belief"] in ("found", "doubted") and row["estimate"] < 0


def _second(page: Context) -> list[Markup]:
    """Return what the same test finds in the study's years, and what it could have found there."""
    second = page.one("primary", spec_id=SECOND_WINDOW)
    if second is None or second["verdict"] == "not_identified":
        return []
    sizes = {name: num(second, f"minimum_detectable_{name}", "3") for name in ("rise", "fall")}
    lacks = [name for name in sizes if number(second[f"minimum_detectable_{name}"]) is None]
    if second["verdict"] == "found":
        key = "second_found"
    elif lacks:
        key = "second_none_ever"
    else:
        key = "second_none"
    years = {name: num(second, f"{name}_year", "year") for name in ("first", "last")}
    estimate = num(second, "estimate", "+3")
    return [page.words(f"result.{key}", estimate=estimate, **years, **sizes)]


def _study(page: Context) -> dict[str, Any] | None:
    """Return why the published study's form says something else on the same data: its interval
    takes pairs that share a city for separate evidence.
    """
    row = page.one("coefficient", spec_id=STUDY_FORM, term="treated")
    if row is None or any(number(row[name]) is None for name in ("ci_low", "low_conventional")):
        return None
    if row["low_conventional"] <= 0 <= row["high_conventional"]:
        return None
    holds = row["ci_low"] > 0 or row["ci_high"] < 0
    ours = page.one("primary", spec_id=PRIMARY)
    unsure = "unsure" if ours is not None and ours["verdict"] == "found" else "fails"
    estimate = num(row, "estimate", "+3")
    why = page.words(
        f"result.study_why_{'holds' if holds else 'fails'}",
        estimate=estimate,
        pairs=num(row, "n_pairs", "int"),
    )
    title = page.words(f"result.study_{'holds' if holds else unsure}", estimate=estimate)
    return {"title": title, "said": [why, *_study_size(page, row, ours)]}


def _study_size(page: Context, study: Row, ours: Row | None) -> list[Markup]:
    """Return whether a change as large as the study's method gives would have been found."""
    if ours is None or ours["verdict"] != "not_found_could_not_have_been":
        return []
    side = "rise" if study["estimate"] > 0 else "fall"
    name = f"minimum_detectable_{side}"
    smallest = number(ours[name])
    if smallest is None:
        return []
    key = "could_study" if abs(study["estimate"]) >= smallest else "could_not_study"
    sizes = {"study": num(study, "estimate", "+3"), "smallest": num(ours, name, "3")}
    return [page.words(f"result.{key}", **sizes)]


def _counted_truth(page: Context) -> list[Markup]:
    """Return how many intervals hold their truth, in this economy and over many; nothing for
    delivered files.
    """
    said = []
    here = page.one(
        "truth_coverage", scope="this_economy", coefficients="every_coefficient", line="default"
    )
    if here is not None:
        counts = {"held": num(here, "n_yes", "int"), "of": num(here, "n", "int")}
        said.append(page.words("result.covers_here", **counts))
    many = page.some("truth_coverage", scope="many_economies", coefficients=WINDOW, line="primary")
    over = {row["quantity"]: row for row in many}
    if {"truth_in_interval", "found_with_effect", "found_without_effect"} <= set(over):
        shares = {name: num(row, "share", "%") for name, row in over.items()}
        count = num(over["truth_in_interval"], "n", "int")
        said.append(page.words("result.covers_many", n=count, **shares))
    return said


def _caution(page: Context) -> list[Markup]:
    """Return what is amiss: a placebo that finds something, pilots of another kind."""
    w, said = page.words, []
    for kind in ("time", "selection"):
        rows = page.some("placebo", spec_id=PRIMARY, placebo=kind)
        joint = next((row for row in rows if number(row["joint_p_value"]) is not None), None)
        if joint is None or joint["joint_p_value"] >= LEVEL:
            continue
        values = _selected(page, rows) if kind == "selection" else {}
        said.append(w(f"result.placebo_{kind}_bad", **values))
    difference, p_value = (
        page.diagnostic(HEADLINE, f"pilot_level_{name}") for name in ("difference", "p")
    )
    if difference is not None and p_value is not None and p_value["value"] < LEVEL:
        said.append(w("result.other_kind", difference=num(difference, "value", "+3")))
    return said


def _selected(page: Context, rows: list[Row]) -> dict[str, Markup]:
    """Return what cities differed in before any zone, in which years, and by when they have one."""
    w, ours = page.words, page.one("primary", spec_id=PRIMARY)
    differ = [row for row in rows if number(row["p_value"]) is not None and row["p_value"] < LEVEL]
    named = [w.name("selection_parts", row["name"]) for row in differ]
    years = {name: num(rows[0], f"{name}_year", "year") for name in ("first", "last")}
    return {**years, "by": num(ours, "last_year", "year"), "what": w("label.and").join(named)}


def _warnings(page: Context) -> list[str]:
    """Return the warnings of the estimates of this page, each once."""
    ours = (HEADLINE, DYNAMICS, PRIMARY, SECOND_WINDOW)
    texts = [row["warning"] for row in page.rows("warning") if row["spec_id"] in ours]
    return list(dict.fromkeys(texts))


def _ladder(page: Context) -> Forest | None:
    rows = [
        page.one("primary", spec_id=spec_id) or page.one("coefficient", spec_id=spec_id)
        for spec_id in LADDER
    ]
    labelled = [(page.label(row), "", row) for row in rows if row is not None]
    title = functools.partial(page.counted_title, "result.ladder_title")
    return build_forest(labelled, unit=page.words.plain("units.correlation"), title=title)


def _counted(page: Context) -> Markup | None:
    """Return why rows of the ladder have other numbers of pilots."""
    row = next(iter(page.rows("admitted")), None)
    if row is None or number(row["last_year"]) is None or number(row["second_last_year"]) is None:
        return None
    counts = {
        name: num(row, f"n_{name}", "int")
        for name in ("whole", "window", "calendar_year", "second")
    }
    last, second = (num(row, name, "year") for name in ("last_year", "second_last_year"))
    return page.words("result.counted", last=last, second_last=second, **counts)


def _promises(page: Context) -> list[Markup]:
    """Return whether this window was tested as earlier runs had written, one sentence a rule."""
    said = []
    for row in page.some("promise", spec_id=PRIMARY):
        w = page.words
        name = w.name("rules_written", row["rule_name"])
        last = num(row, "last_year", "year")
        estimate = num(row, "estimate", "+3")
        p_value = num(row, "p_value_family", "p")
        if row["status"] == "as_written":
            kept = {"run": row["written_by"], "estimate": estimate, "p": p_value}
            said.append(w("result.promise_kept", rule=name, last=last, **kept))
            continue
        then = {
            "estimate": num(row, "estimate_written", "+3"),
            "p": num(row, "p_value_family_written", "p"),
        }
        what = {"what": row["what_changed"], "since": row["changed_since"]}
        changed = w("result.promise_changed", rule=name, last=last, **what, **then)
        said += [changed, w("result.promise_now", estimate=estimate, p=p_value)]
    return said


def _means(page: Context) -> Chart | None:
    """Return the mean synchronization of pairs with one pilot and with none by year, and
    their gap.
    """
    w, rows = page.words, [row for row in page.rows("gap") if number(row["gap"]) is not None]
    if not rows:
        return None
    most = {name: shown(max(row[f"n_{name}"] for row in rows), "int") for name in ("one", "none")}
    lines = {
        "one_pilot": (w.plain("result.one", n=most["one"]), "3"),
        "no_pilot": (w.plain("result.none", n=most["none"]), "3"),
        "gap": (w.plain("result.gap_y"), "+3"),
    }
    series = []
    for of, (name, form) in lines.items():
        points = tuple(
            Point(row["year"], row[of], f"{row['year']:.0f}: {shown(row[of], form)}")
            for row in rows
        )
        series.append(Series(name, points, joined=True))
    years = [int(row["year"]) for row in rows]
    breaks = [
        (row["year"] - 0.5, row["year"] + 0.5)
        for row in page.rows("breaks")
        if row["year"] in years and (row["share_changed"] or 0) >= BREAK_SHARE
    ]
    dates = pd.to_datetime(page.data["batches"]["approval_date"])
    approvals = (when.year + (when.day_of_year - 1) / 365.25 for when in dates)
    step = max(1, -(-(years[-1] - years[0]) // 5))
    labels = {year: (f"{year}",) for year in years if (year - years[0]) % step == 0}
    gaps = [row["gap"] for row in rows]
    ends = {"low": shown(min(gaps), "+2"), "high": shown(max(gaps), "+2")}
    shown_lines = [when for when in approvals if years[0] <= when <= years[-1] + 0.5]
    how = {"shades": breaks, "lines": shown_lines, "years": (years[0], years[-1])}
    tables = "marts.panel_pair_year"
    return picture(page, "means", "result.means", series, labels, "gap", tables, ends, **how)


def _carry(page: Context) -> Forest | None:
    """Return the baseline regression without each province, on one scale."""
    w = page.words
    labelled = [
        (w.place(row, "province") or str(row["province_id"]), "", row)
        for row in page.rows("without_province")
    ]
    values = page.data["without_province"]["estimate"]
    ends = {"low": shown(values.min(), "+3"), "high": shown(values.max(), "+3")}
    return build_forest(
        labelled,
        unit=w.plain("units.correlation"),
        title=lambda rows: w.plain("result.carry_title", name=rows[0]["label"], **ends),
    )


def _trace(page: Context) -> dict[str, Any] | None:
    row = page.one("primary", spec_id=PRIMARY)
    cities = page.rows("primary_cities")
    if row is None or not cities:
        return None
    cohorts = page.rows("primary_cohorts")
    members: dict[Any, list[Row]] = {cohort["cohort_year"]: [] for cohort in cohorts}
    for city in cities:
        members.setdefault(city["cohort_year"], []).append(city)
    controls = next((cohort for cohort in cohorts if cohort["cohort_year"] is None), None)
    return {
        "estimate": num(row, "estimate", "+3"),
        "pilots": num(row, "n_pilots", "int"),
        "last_year": shown(row["last_year"], "year"),
        "controls": "0" if controls is None else num(controls, "n_cities", "int"),
        "cohorts": [
            (
                cohort,
                members[cohort["cohort_year"]][:MOST_LISTED],
                len(members[cohort["cohort_year"]]),
            )
            for cohort in cohorts
        ],
    }
