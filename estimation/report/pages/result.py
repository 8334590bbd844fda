"""The page Result: the answer in one screen, then claims, raw means, who carries the estimate, the
headline table, the way to the cells.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from .. import figures
from ..analyses_names import DYNAMICS, HEADLINE, LADDER, PRIMARY, SECOND_WINDOW
from ..cells import Row, num, number, rows_of, shown
from ..charts import Chart, chart
from ..forest import Forest, build_forest, is_found
from ..journal_tables import headline_table
from .context import Context

ALPHA = 0.05
BREAK_SHARE = 0.25
# cities named on the page; the file has all, and the first page stays light with thousands of
# counties
MOST_LISTED = 500
# the key of `estimates.coverage` for the primary test over many economies
WINDOW = "primary.study_window"


def result(page: Context) -> dict[str, Any]:
    """Everything the template of the page sets."""
    ladder = _ladder(page)
    return {
        "asked": _asked(page),
        "answer": _answer(page, ladder),
        "caution": _caution(page),
        "event": _event_study(page),
        "ladder": ladder,
        "n_ladder": len(LADDER),
        "counted": _counted(page),
        "claims": page.rows("claim"),
        "means": _means(page),
        "carry": _carry(page),
        "provinces": page.rows("without_province"),
        "table": headline_table(page.data, page.words),
        "trace": _trace(page),
    }


def _interval(page: Context, row: Row) -> Markup:
    return page.words("label.to", low=num(row, "ci_low", "+3"), high=num(row, "ci_high", "+3"))


def _asked(page: Context) -> Markup:
    """The question with the zones and, where a window was estimated, its years and how many cities
    it sees admitted.
    """
    row = next(iter(page.rows("admitted")), None)
    if row is None:
        return page.words("result.asked_bare")
    counts = {
        name: num(row, f"n_{name}", "int")
        for name in ("zones", "batches", "standing", "whole", "window")
    }
    years = {name: num(row, name, "year") for name in ("first_approval", "first_year", "last_year")}
    return page.words(
        "result.asked" if number(row["last_year"]) is not None else "result.asked_no_window",
        **counts,
        **years,
    )


def _answer(page: Context, ladder: Forest | None) -> dict[str, Any]:
    w, row = page.words, page.one("primary", spec_id=PRIMARY)
    if row is None:
        missing = page.one("not_run", spec_id=PRIMARY)
        reason = f"({page.said(missing['reason'])}) " if missing else ""
        return {
            "verdict": w("result.not_run", reason=reason),
            "moved": w("result.landing_gives_none"),
            "facts": [],
        }
    if row["verdict"] == "not_identified":
        return {
            "verdict": w("result.no_answer", reason=page.said(row["reason"])),
            "moved": "",
            "facts": [],
        }
    found = (
        "not_found"
        if row["verdict"] != "found"
        else ("found_up" if row["estimate"] > 0 else "found_down")
    )
    level = (
        ""
        if number(row["without_admission"]) is None
        else w("result.level", before=num(row, "without_admission", "2"))
    )
    estimate = Markup('<a class="traced" href="#trace">{}</a>').format(num(row, "estimate", "+3"))
    years = {"first": num(row, "first_year", "year"), "last": num(row, "last_year", "year")}
    facts = [
        ("how_sure", _sure(page, row), _one_economy(page)),
        ("could", _could(page, row), _many_economies(page)),
        ("change", _change(page, ladder, row), []),
    ]
    return {
        "verdict": w(f"result.{found}"),
        "moved": w(
            "result.moved", estimate=estimate, interval=_interval(page, row), level=level, **years
        ),
        "facts": [(w(f"result.{key}"), said, counted) for key, said, counted in facts],
    }


def _sure(page: Context, row: Row) -> list[Markup]:
    counts = {name: num(row, f"n_{name}", "int") for name in ("cities", "pilots", "blocks")}
    ends = {"high": num(row, "ci_high", "+3"), "low": num(row, "ci_low", "+3")}
    admitted = next(iter(page.rows("admitted")), None)
    fewer = (
        admitted is not None
        and number(admitted["n_window"]) is not None
        and admitted["n_window"] > row["n_pilots"]
    )
    if fewer:
        counts["pilots"] = page.words(
            "result.of", n=counts["pilots"], of=num(admitted, "n_window", "int")
        )
    said = [page.words("result.sure", p=num(row, "p_value_family", "p"), **counts, **ends)]
    if page.is_simulated and number(row["truth"]) is not None and number(row["ci_low"]) is not None:
        inside = row["ci_low"] <= row["truth"] <= row["ci_high"]
        said.append(
            page.words(f"result.truth_{'in' if inside else 'out'}", truth=num(row, "truth", "+3"))
        )
    return said


def _one_economy(page: Context) -> list[Markup]:
    """How many intervals hold their truth in this economy; nothing for delivered files."""
    here = page.one(
        "truth_coverage", scope="this_economy", coefficients="every_coefficient", line="default"
    )
    return (
        []
        if here is None
        else [
            page.words(
                "result.covers_here", held=num(here, "n_yes", "int"), of=num(here, "n", "int")
            )
        ]
    )


def _could(page: Context, row: Row) -> list[Markup]:
    w = page.words
    if number(row["minimum_detectable_effect"]) is None:
        said = [w("result.could_none")]
    else:
        size = "small" if row["verdict"] == "not_found_could_have_been" else "large"
        said = [w(f"result.could_{size}", smallest=num(row, "minimum_detectable_effect", "3"))]
    power = page.one("power", spec_id=PRIMARY, imposed="S-60")
    if power is not None:
        said.append(
            w(
                "result.power",
                effect=num(power, "effect_on_cm", "+3"),
                share=num(power, "share_found", "%"),
            )
        )
    return said


def _many_economies(page: Context) -> list[Markup]:
    """How often the interval holds the truth and the page would say 'found' over many economies;
    nothing for delivered files.
    """
    over = {
        row["quantity"]: row
        for row in page.some(
            "truth_coverage", scope="many_economies", coefficients=WINDOW, line="primary"
        )
    }
    if not {"truth_in_interval", "found_with_effect", "found_without_effect"} <= set(over):
        return []
    shares = {name: num(row, "share", "%") for name, row in over.items()}
    return [
        page.words("result.covers_many", n=num(over["truth_in_interval"], "n", "int"), **shares)
    ]


def _change(page: Context, ladder: Forest | None, row: Row) -> list[Markup]:
    w = page.words
    said = [
        w("result.would", side=w("result.above" if row["verdict"] == "found" else "result.below"))
    ]
    second = page.one("primary", spec_id=SECOND_WINDOW)
    if second is not None and second["verdict"] != "not_identified":
        key = "second_found" if second["verdict"] == "found" else "second_not"
        years = {
            "first": num(second, "first_year", "year"),
            "last": num(second, "last_year", "year"),
        }
        said.append(
            w(
                f"result.{key}",
                estimate=num(second, "estimate", "+3"),
                p=num(second, "p_value_family", "p"),
                **years,
            )
        )
    if ladder is not None:
        differ = sum(item["rejects"] for item in ladder.rows)
        said.append(
            w(
                "result.disagree" if differ else "result.disagree_zero",
                n=differ,
                of=len(ladder.rows),
            )
        )
    return said


def _caution(page: Context) -> dict[str, Any]:
    w, said = page.words, []
    times = page.some("placebo", spec_id=PRIMARY, placebo="time")
    joint = next((row for row in times if number(row["joint_p_value"]) is not None), None)
    if joint is not None:
        key = "placebo_ok" if joint["joint_p_value"] >= ALPHA else "placebo_bad"
        said.append(
            w(f"result.{key}", back=_years_back(page, times), p=num(joint, "joint_p_value", "p"))
        )
    else:
        said.append(w("result.no_placebo"))
    ours = [
        row
        for row in page.rows("warning")
        if row["spec_id"] in (HEADLINE, DYNAMICS, PRIMARY, SECOND_WINDOW)
    ]
    level, level_p = (
        page.diagnostic(HEADLINE, f"pilot_level_{name}") for name in ("difference", "p")
    )
    if level is not None and level_p is not None and level_p["value"] < ALPHA:
        said.append(
            w(
                "result.other_kind",
                difference=num(level, "value", "+3"),
                p=num(level_p, "value", "p"),
            )
        )
    texts = list(dict.fromkeys(row["warning"] for row in ours))
    return {"said": said, "warnings": texts}


def _years_back(page: Context, times: list[Row]) -> str:
    """How far the placebo in time moves the admissions: one number of years, or the nearest and the
    furthest.
    """
    back = sorted(
        int(found.group()) for row in times if (found := re.match(r"\d+", str(row["name"])))
    )
    if not back or back[0] == back[-1]:
        return "".join(str(years) for years in back[:1])
    return page.words.plain("label.to", low=back[0], high=back[-1])


def _event_study(page: Context) -> Chart | None:
    rows = page.data["event"]
    rows = rows[(rows["spec_id"] == DYNAMICS) & (rows["term"] == "event")]
    if rows.empty:
        return None
    words = {name: page.words.plain(f"result.{name}", p="{p}") for name in figures.EVENT_WORDS}
    leads = page.diagnostic(DYNAMICS, "joint_leads_permutation_p")
    leads_p = None if leads is None else float(leads["value"])
    svg = figures.drawn(
        6.4, 3.9, lambda figure, axes: figures.event_study(axes, rows, words, leads_p), page.stamp
    )
    after = [
        row
        for row in rows_of(page.data, "event")
        if row["spec_id"] == DYNAMICS and row["event_time"] >= 0
    ]
    differ = sum(is_found(row) for row in after)
    title = (
        page.words.plain("result.event_some", n=differ, of=len(after))
        if differ
        else page.words.plain("result.event_none")
    )
    span = {"first": int(rows["event_time"].min()), "last": int(rows["event_time"].max())}
    alt = page.words.plain("result.event_alt", **span)
    note = page.words.plain("result.event_note")
    return chart(
        "event-study",
        svg,
        title=title,
        alt=alt,
        data="events",
        tables="estimates.estimate, estimates.truth",
        note=note,
    )


def _ladder(page: Context) -> Forest | None:
    labelled = []
    for spec_id in LADDER:
        row = page.one("primary", spec_id=spec_id) or next(
            iter(page.some("coefficient", spec_id=spec_id)), None
        )
        if row is None or number(row["estimate"]) is None:
            continue
        series = (
            "" if "growth_official" in spec_id else page.words.name("series", "growth_deflated")
        )
        label = page.variant_name(spec_id)
        labelled.append(
            (
                page.words.plain("label.with_note", text=label, note=series) if series else label,
                "",
                row,
            )
        )
    return build_forest(labelled, unit=page.words.plain("units.correlation"))


def _counted(page: Context) -> Markup | None:
    """Why rows of the ladder have other numbers of pilots."""
    row = next(iter(page.rows("admitted")), None)
    if row is None or number(row["last_year"]) is None or number(row["second_last_year"]) is None:
        return None
    counts = {
        name: num(row, f"n_{name}", "int")
        for name in ("whole", "window", "calendar_year", "second")
    }
    return page.words(
        "result.counted",
        last=num(row, "last_year", "year"),
        second_last=num(row, "second_last_year", "year"),
        **counts,
    )


def _means(page: Context) -> Chart | None:
    gap, w = page.data["gap"], page.words
    if gap.empty or gap["gap"].isna().all():
        return None
    counts = {name: shown(gap[f"n_{name}"].max(), "int") for name in ("one", "none")}
    words = {name: w.plain(f"result.{name}") for name in ("means_y", "gap_y", "year", "approval")}
    words |= {name: w.plain(f"result.{name}", n=counts[name]) for name in ("one", "none")}
    shown_years = set(gap["year"])
    breaks = [
        int(row["year"])
        for row in page.rows("breaks")
        if row["year"] in shown_years and (row["share_changed"] or 0) >= BREAK_SHARE
    ]
    svg = figures.means_svg(gap, page.data["batches"]["approval_date"], breaks, words, page.stamp)
    ends = {"low": shown(gap["gap"].min(), "+2"), "high": shown(gap["gap"].max(), "+2")}
    title, note = w.plain("result.means_title", **ends), w.plain("result.means_note")
    return chart(
        "means",
        svg,
        title=title,
        alt=w.plain("result.means_alt"),
        data="gap",
        tables="marts.panel_pair_year",
        note=note,
    )


def _carry(page: Context) -> Chart | None:
    frame, w = page.data["without_province"], page.words
    if frame.empty:
        return None
    names = [
        w.place(row, "province") or str(row["province_id"]) for row in page.rows("without_province")
    ]
    words = {name: w.plain(f"result.{name}") for name in ("carry_x", "carry_y")}
    svg = figures.provinces_svg(frame, names, words, page.stamp)
    ends = {
        "low": shown(frame["estimate"].min(), "+3"),
        "high": shown(frame["estimate"].max(), "+3"),
        "name": names[0],
    }
    texts = {
        "title": w.plain("result.carry_title", **ends),
        "alt": w.plain("result.carry_alt"),
        "note": w.plain("result.carry_note"),
    }
    return chart("carry", svg, data="without_province", tables="estimates.diagnostic", **texts)


def _trace(page: Context) -> dict[str, Any] | None:
    row = page.one("primary", spec_id=PRIMARY)
    cities = page.rows("primary_cities")
    if row is None or not cities:
        return None
    cohorts = page.rows("primary_cohorts")
    members = {
        cohort["cohort_year"]: [
            city for city in cities if city["cohort_year"] == cohort["cohort_year"]
        ]
        for cohort in cohorts
    }
    controls = next((cohort for cohort in cohorts if cohort["cohort_year"] is None), None)
    return {
        "estimate": num(row, "estimate", "+3"),
        "pilots": num(row, "n_pilots", "int"),
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


def spec_words(page: Context, spec_id: str) -> str:
    """A spec in words, for tables: its variant, and its outcome where it is not official
    synchronization.
    """
    outcome = spec_id.split(".")[1] if spec_id.count(".") == 2 else ""
    label = page.variant_name(spec_id)
    return (
        label
        if outcome in ("", "cm_growth_official")
        else f"{label} · {re.sub(' +', ' ', page.words.outcome(outcome))}"
    )
