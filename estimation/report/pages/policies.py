"""The page of other policies, and that of one list: the primary test of each, what is read beside
it, and who has which.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from .. import plots
from ..cells import Row, num, number
from ..plots import Chart, Estimate
from .context import Context
from .first_screen import (
    INTERVAL,
    FirstScreen,
    could_be_missed,
    estimate_on_axis,
    estimate_said,
    how_sure,
    intervals,
)
from .result import finding
from .row_names import NET, name_of

TEST = "policy_test"
PLAIN = "plain"


def policies(page: Context) -> dict[str, Any]:
    """Return everything the template of the page of all policies sets."""
    tests = _tests(page)
    growth = [row for row in tests if not row["outcome"].endswith("_cycle")]
    names = {row["policy"]: name_of(page, row["policy"]) for row in tests}
    groups = []
    for is_verified in (True, False):
        rows = [row for row in tests if bool(row["is_verified"]) == is_verified]
        if rows:
            key = "policies.verified" if is_verified else "policies.unverified"
            groups.append((page.words(key), rows))
    return {
        "names": names,
        "groups": groups,
        "picture": _picture(page, growth),
        "refused": [row for row in growth if number(row["estimate"]) is None],
        "promises": [row for row in page.rows("promise") if row["spec_id"].startswith("policy.")],
        **beside(page),
    }


def beside(page: Context) -> dict[str, Any]:
    """Return what is read beside the tests: net of the others, own outcomes, overlaps."""
    rows = page.rows(TEST)
    own = [row for row in rows if not row["outcome"].startswith("cm_")]
    return {
        "net": [row for row in rows if row["comparison"] == NET],
        "own": [row for row in own if number(row["p_single"]) is not None],
        "overlaps": page.rows("policy_overlap"),
        "name_of": lambda policy: name_of(page, policy),
    }


def listed(page: Context) -> dict[str, Any]:
    """Return everything the template of the page of one list sets; `catalogs` holds what is said of
    it.
    """
    given = page.catalogs
    cautions = [page.said(text) for text in given["cautions"]]
    return {
        "first": _first_screen(page),
        "tests": _tests(page),
        "given": {**given, "cautions": cautions},
        **beside(page),
    }


def _first_screen(page: Context) -> FirstScreen:
    """Return the question, the answer and how sure it is, of the first row: the declared
    outcome's.
    """
    w, given = page.words, page.catalogs
    row = next(iter(page.rows(TEST)))
    named = w.plain("listed.synchronization")
    if w.knows("own_outcomes", given["outcome"]):
        named = w.name("own_outcomes", given["outcome"])
    counts = {"listed": len(given["places"]), "taken": given["n_taken"]}
    question = w("listed.asked", name=given["name"], outcome=named, **counts)
    if number(row["p_single"]) is None:
        reason = page.said(row["reason"])
        title = w("listed.title_open")
        return FirstScreen(question, title, w("listed.no_answer", reason=reason), None, [])
    if row["verdict"] is None:
        return _own_screen(page, row, question, named)
    levels = {name: num(row, name, "3") for name in ("after", "without_admission")}
    answer = w("listed.levels", estimate=num(row, "estimate", "+3"), **levels)
    ending = "found" if row["verdict"] == "found" else "none"
    labels = {
        "title": w.plain(f"result.axis_title_{ending}"),
        "row": w.plain("result.axis_ours"),
        "axis": w.plain("result.axis_axis"),
        "note": "",
    }
    # the list is in the files of its folder, not in the database
    chart = estimate_on_axis(page, row, labels, data="policies", tables="")
    lines = [how_sure(page, row), could_be_missed(page, row)]
    return FirstScreen(question, w(f"listed.{finding(row)}"), answer, chart, lines)


def _own_screen(page: Context, row: Row, question: Markup, named: str) -> FirstScreen:
    """Return the screen of an outcome of the cities themselves, which has no levels."""
    w = page.words
    ending = "found" if row["is_found"] else "none"
    numbers = {name: num(row, name, "+3") for name in ("estimate", "ci_low", "ci_high")}
    numbers["p"] = num(row, "p_single", "p")
    numbers["smallest"] = num(row, "minimum_detectable_effect", "3")
    unit = w.name("own_units", row["unit"])
    said = w(f"listed.own_{ending}", outcome=named, unit=unit, **numbers)
    return FirstScreen(question, w(f"listed.own_title_{ending}"), said, None, [])


def _tests(page: Context) -> list[Row]:
    """Return rows of growth and its cycle."""
    rows = page.rows(TEST)
    return [row for row in rows if row["outcome"].startswith("cm_") and row["comparison"] == PLAIN]


def _picture(page: Context, rows: list[Row]) -> Chart | None:
    """Return estimates of growth with their intervals, each over what would have been found."""
    w = page.words
    drawn = []
    for row in rows:
        if number(row["estimate"]) is None:
            continue
        name = name_of(page, row["policy"])
        label = w.plain("first.row", name=name, **estimate_said(page, row))
        colour = "blue" if row["is_verified"] else "vermilion"
        fall, rise = (number(row[f"minimum_detectable_{side}"]) for side in ("fall", "rise"))
        spans = intervals(row, INTERVAL)
        drawn.append(Estimate(label, float(row["estimate"]), spans, colour, (fall, rise)))
    if not drawn:
        return None
    words = {"alt": w.plain("policies.axis_alt"), "truth": ""}
    return Chart(
        name="policies-axis",
        title=w.plain("policies.axis_title"),
        svg=plots.answer(drawn, (None, None), None, words),
        data="policies",
        tables="estimates.policy",
        note=w.plain("policies.axis_note"),
    )
