"""Specifications that were not run and why, in words: one row a reason, with the specifications
that it kept from being run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..cells import Row
from .context import Context

OFFICIAL = "_growth_official"
CURVE = "specification_curve"


def not_run(page: Context, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return reasons, each with names and ids; specifications that differ in their outcome alone
    are one name, those of the curve a number.
    """
    reasons: dict[str, dict[tuple[str, str], list[str]]] = {}
    for row in rows:
        analysis, spec_id = str(row["analysis"]), str(row["spec_id"])
        name = "" if analysis == CURVE else spec_id.rsplit(".", maxsplit=1)[-1]
        reasons.setdefault(str(row["reason"]), {}).setdefault((analysis, name), []).append(spec_id)
    return [
        {
            "reason": page.said(reason),
            "names": [
                (_name(page, analysis, ids), "" if analysis == CURVE else " ".join(ids))
                for (analysis, _), ids in groups.items()
            ],
            "count": sum(len(ids) for ids in groups.values()),
        }
        for reason, groups in reasons.items()
    ]


def _name(page: Context, analysis: str, ids: list[str]) -> str:
    if analysis == CURVE:
        return page.words.plain("robust.curve_not_run", n=f"{len(ids):,}")
    outcomes = page.words.plain("label.chinese_list").join(
        dict.fromkeys(_outcome(page, spec_id) for spec_id in ids)
    )
    return page.words.plain("label.with_note", text=page.variant_name(ids[0]), note=outcomes)


def _outcome(page: Context, spec_id: str) -> str:
    """Return the outcome of an id; of official growth the measure alone."""
    outcome = spec_id.split(".")[1]
    measure = outcome.removesuffix(OFFICIAL)
    if outcome.endswith(OFFICIAL) and page.words.knows("measures", measure):
        return page.words.name("measures", measure)
    return page.words.outcome(outcome)
