"""The page For whom and how?: differences first, effects by class, mechanisms, channels, radiation,
policy tools, each with its family.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from ...defaults import STUDY_FIRST_YEAR, STUDY_LAST_YEAR
from ...sample.moderators import SAME_REGRESSOR
from ..cells import Row
from ..forest import Forest, build_forest
from ..shown_specs import OFFICIAL, OVERALL, PRIMARY, SECOND_WINDOW
from .context import Context, variant
from .grouped import Grouped, group

FIRST_ROWS = 10
# outcomes of `radiation` that ask whether a pilot's cycle runs ahead of its partners'
LEAD = "lead_"


def whom(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    differences = _told(page, "heterogeneity", _is_difference)
    effects = _told(page, "heterogeneity", lambda row: not _is_difference(row))
    tools = _told(page, "policy_tools", lambda row: True)
    correlation = page.words.plain("units.correlation")
    return {
        "differences": _folded(page, differences, "differences_title", correlation),
        "effects": _folded(page, effects, "", correlation),
        "tools": _folded(page, tools, "tools_title", correlation),
        "mechanisms": _by_outcome(
            page, "mechanisms", lambda outcome: not outcome.startswith(("comove_", "dispersion_"))
        ),
        "radiation": _by_outcome(page, "radiation", lambda outcome: not outcome.startswith(LEAD)),
        "lead": _by_outcome(page, "radiation", lambda outcome: outcome.startswith(LEAD)),
        "has_texts": bool(page.rows("policy_document")),
        "same": _same_regressors(page),
        "channels": _channels(page),
        "study_years": {"first": STUDY_FIRST_YEAR, "last": STUDY_LAST_YEAR},
    }


def _is_difference(row: Row) -> bool:
    """Return whether a coefficient of heterogeneity is one of the family of differences: between
    classes, or the slope over a gap.
    """
    return row["term"].startswith("difference:") or row["term"] == "treated:gap"


def _told(
    page: Context, analysis: str, chosen: Callable[[Row], bool]
) -> list[tuple[str, str, Row]]:
    """Return coefficients on official synchronization; those of each class's own years come
    last.
    """
    rows = [
        row for row in page.some("coefficient", analysis=analysis, outcome=OFFICIAL) if chosen(row)
    ]
    rows.sort(
        key=lambda row: (
            row["spec_id"].endswith("_own_years"),
            row["p_value_family"] is None,
            row["p_value_family"],
            row["spec_id"],
            row["term"],
        )
    )
    return [(_label(page, row), "", row) for row in rows]


def _label(page: Context, row: Row) -> str:
    name, term = page.variant_name(row["spec_id"]), page.words.term(row["term"])
    is_one_tool = row["analysis"] == "policy_tools" and variant(row["spec_id"]).endswith(
        row["term"].removeprefix("strength:")
    )
    return (
        name
        if row["term"] in OVERALL or is_one_tool
        else page.words.plain("terms.of_class", kind=name, of=term)
    )


def _folded(
    page: Context, labelled: list[tuple[str, str, Row]], title: str, unit: str
) -> dict[str, Any] | None:
    """Ten rows first, the rest folded, both on one scale."""
    counted = functools.partial(page.counted_title, f"whom.{title}")
    forest = build_forest(labelled, unit=unit, title=counted if title else lambda rows: "")
    if forest is None:
        return None
    first = dataclasses.replace(forest, rows=forest.rows[:FIRST_ROWS])
    rest = dataclasses.replace(forest, rows=forest.rows[FIRST_ROWS:], title="")
    return {"first": first, "rest": rest if rest.rows else None}


def _by_outcome(page: Context, analysis: str, chosen: Callable[[str], bool]) -> Grouped:
    rows = [
        row
        for row in page.rows("coefficient")
        if row["analysis"] == analysis and chosen(str(row["outcome"]))
    ]
    return group(page, rows, lambda row: _label(page, row))


def _same_regressors(page: Context) -> list[str]:
    """Return names of tools whose strengths are one regressor on these texts, so that their rows
    are one result: a text a group.
    """
    others: dict[str, set[str]] = {}
    for row in page.some("diagnostic", diagnostic=SAME_REGRESSOR):
        others.setdefault(row["spec_id"], set()).add(row["term"])
    groups = {
        frozenset({row["term"].removeprefix("strength:"), *others[row["spec_id"]]})
        for row in page.rows("coefficient")
        if row["analysis"] == "policy_tools"
        and row["spec_id"] in others
        and row["term"].startswith("strength:")
    }
    comma = page.words.plain("label.chinese_list")
    return [
        comma.join(page.words.name("classes", tool) for tool in sorted(group))
        for group in sorted(groups, key=sorted)
    ]


def _channels(page: Context) -> list[Forest]:
    made = []
    for channel in ("own_variance", "loading"):
        labelled = [
            (page.variant_name(row["spec_id"]), "", row)
            for row in page.some("channel", channel=channel)
            if row["spec_id"] in (PRIMARY, SECOND_WINDOW)
        ]
        forest = build_forest(
            labelled,
            name=page.words.plain(f"whom.{channel}"),
            unit=page.words.plain(f"whom.{channel}_unit"),
        )
        if forest is not None:
            made.append(forest)
    return made
