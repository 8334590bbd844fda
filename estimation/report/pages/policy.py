"""The page Policy texts: the mix of tools by batch, and every text with its clauses, their tools
and the terms that decided; the clauses come as data, set by `templates/scripts/policy.js`.
"""

from __future__ import annotations

import itertools
from typing import Any

from ...analyses.rules import TOOLS
from ..cells import Row
from .context import Context

NAMED_ZONES = 12


def policy(page: Context) -> dict[str, Any]:
    """Return everything the template of the page sets."""
    batches = page.rows("policy_batch")
    covered = {row["batch"] for row in batches}
    missing = [
        page.words.plain("policy.batch", n=row["batch"])
        for row in page.rows("batches")
        if row["batch"] not in covered
    ]
    return {
        "mix_title": _mix_title(page, batches),
        "counts": next(iter(page.rows("policy")), None),
        "documents": page.rows("policy_document"),
        "batches": batches,
        "year": batches[0]["year"] if batches else "",
        "missing": page.words.plain(
            "policy.mix_missing" if missing else "policy.mix_all",
            batches=page.words.plain("label.chinese_list").join(missing),
        ),
        "classes": [
            (name, page.words.name("classes", name), tools) for name, tools in TOOLS.items()
        ],
        "shares": {(row["tool"], row["batch"]): row for row in page.rows("policy_tool")},
    }


def _mix_title(page: Context, batches: list[Row]) -> str:
    """Return which class of tools has the largest share in most batches; empty without a batch."""
    if not batches:
        return ""
    largest = []
    for row in batches:
        shares = {kind: row[kind] or 0.0 for kind in TOOLS}
        largest.append(max(shares, key=shares.__getitem__))
    most = max(TOOLS, key=largest.count)
    name = page.words.name("classes", most)
    counts = {"n": largest.count(most), "of": len(batches)}
    return page.words.plain("policy.mix_title", name=name[:1].upper() + name[1:], **counts)


def policy_data(page: Context) -> dict[str, Any]:
    """Return what the script of the page needs: of each text what is known of it and its clauses,
    each ``[pieces, tool, is heading]`` with every second piece a term that decided.
    """
    clauses: dict[str, list[Any]] = {}
    for row in page.data["policy_clause"].itertuples():
        pieces = cut_at_terms(row.clause_text, row.matched_terms, row.places)
        pieces[0] = f"{row.marker} {pieces[0]}" if row.marker else pieces[0]
        heading = int(row.clause_kind == "heading")
        clauses.setdefault(row.document_id, []).append([pieces, row.tool, heading])
    texts = [
        {"about": _about(page, row), "clauses": clauses[row["document_id"]]}
        for row in page.rows("policy_document")
    ]
    tools: dict[str, list[str]] = {}
    for kind, own in TOOLS.items():
        tools |= {tool: [kind, page.words.name("classes", tool)] for tool in own}
    return {"texts": texts, "tools": tools}


def cut_at_terms(text: str, terms: str, places: str) -> list[str]:
    """Return a clause in pieces, every second one a term that decided.

    Parameters
    ----------
    text : the clause
    terms : its terms, between bars
    places : where each begins, characters counted from 1, between bars; a place that does not hold
    its term (letters may change their length in upper case) is left unmarked
    """
    cuts = [0]
    for place, term in zip(places.split("|"), terms.split("|"), strict=False):
        start = int(place or 0) - 1
        stop = start + len(term)
        if term and start >= cuts[-1] and text[start:stop].upper() == term.upper():
            cuts += [start, stop]
    return [text[start:stop] for start, stop in itertools.pairwise([*cuts, None])]


def _about(page: Context, row: Row) -> list[tuple[str, str]]:
    w = page.words
    zones = str(row["zones"] or "").split("、")
    named = "、".join(zones[:NAMED_ZONES])
    if len(zones) > NAMED_ZONES:
        named += w.plain("policy.more_zones", n=len(zones) - NAMED_ZONES)
    unnamed = w.plain("policy.all_zones" if row["is_wide"] else "policy.no_zone")
    said = {
        "number": row["document_no"],
        "issuer": row["issuer"],
        "date": row["issued"],
        "in_force": row["in_force"],
        "zone_names": named or unnamed,
        "copy_of": row["copy_of"],
        "file": row["document_id"],
    }
    not_stated = w.plain("policy.not_stated")
    return [
        (w.plain(f"policy.{name}"), str(text or not_stated))
        for name, text in said.items()
        if text or name != "copy_of"
    ]
