"""The page Policy texts: the mix of tools by batch and zone, and every text with its clauses, their
tools and the terms that decided.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from ..policy_data import PolicyDocument
from .context import Context

#: Tools by class, in the order of the contract; their names stand in `words.yml`.
TOOLS = {
    "supply": ("talent", "capital", "technology_information", "infrastructure", "public_service"),
    "environment": ("goal_planning", "finance", "tax", "regulation", "strategic_measures"),
    "demand": (
        "government_procurement",
        "outsourcing",
        "trade_facilitation",
        "overseas_institutions",
    ),
}


def policy(page: Context) -> dict[str, Any]:
    """Everything the template of the page sets."""
    data = page.catalogs.get("policy")
    batches = page.rows("policy_batch")
    covered = {row["batch"] for row in batches}
    missing = [
        page.words.plain("policy.batch", n=row["batch"])
        for row in page.rows("batches")
        if row["batch"] not in covered
    ]
    return {
        "counts": next(iter(page.rows("policy")), None),
        "documents": []
        if data is None
        else [_shown(page, k, document) for k, document in enumerate(data.documents, start=1)],
        "n_documents": 0 if data is None else data.n_documents,
        "batches": batches,
        "year": batches[0]["year"] if batches else "",
        "missing": _missing(page, missing),
        "zones": page.rows("policy_zone"),
        "classes": [
            (name, page.words.name("classes", name), tools) for name, tools in TOOLS.items()
        ],
        "shares": {(row["tool"], row["batch"]): row for row in page.rows("policy_tool")},
    }


def _missing(page: Context, batches: list[str]) -> str:
    """Which batches have no bar, and why."""
    if not batches:
        return page.words.plain("policy.mix_all")
    return page.words.plain(
        "policy.mix_missing", batches=page.words.plain("label.chinese_list").join(batches)
    )


def marked(text: str, terms: str, places: list[int]) -> Markup:
    """A clause with its terms in ``mark`` elements, everything escaped.

    Places count characters from 1; one that does not hold its term (letters may change their length
    in upper case) is left unmarked.
    """
    parts, end = [], 0
    for place, term in zip(places, terms.split("|") if terms else [], strict=False):
        start, stop = place - 1, place - 1 + len(term)
        if start < end or text[start:stop].upper() != term.upper():
            continue
        parts += [escape(text[end:start]), Markup("<mark>{}</mark>").format(text[start:stop])]
        end = stop
    return Markup("").join([*parts, escape(text[end:])])


def _shown(page: Context, number: int, document: PolicyDocument) -> dict[str, Any]:
    clauses = []
    for clause in document.clauses:
        is_tool = clause["tool"] in TOOLS.get(clause["tool_class"], ())
        words = page.words.name("classes", clause["tool"]) if is_tool else ""
        html = marked(clause["text"], clause["terms"], clause["places"])
        clauses.append(clause | {"is_tool": is_tool, "words": words, "html": html})
    title = document.title or document.document_no or document.document_id
    return {
        "number": number,
        "title": title,
        "document": document,
        "clauses": clauses,
        "n_tools": sum(c["is_tool"] for c in clauses),
    }
