"""What the page of policy texts reads from the marts. Reading only."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

#: Documents with their clauses on the page; more would make it too heavy for a phone. The marts
#: hold all of them.
MAX_DOCUMENTS = 300
#: Nor more than so many characters of clauses: three bytes each, in a page that stays below 1.5 MB.
MAX_CHARACTERS = 230_000
MARTS = ("fct_policy_clause", "dim_policy_document")

_DOCUMENTS = """
select
    document_id, title, document_no, issuer, issue_date, issue_year, zone_names_zh,
        is_province_or_country_wide, copy_of, not_stated, force,
    first_year_in_force, last_year_in_force
from marts.dim_policy_document
order by issue_year nulls last, issue_date nulls last, document_id
limit $limit
"""
_CLAUSES = """
select
    c.document_id, c.clause_no, c.clause_kind, c.marker, c.clause_text, c.tool_class, c.tool,
        c.matched_terms, c.matched_places, c.line_no
from marts.fct_policy_clause as c
semi join (select unnest($ids) as document_id) as shown on c.document_id = shown.document_id
order by c.document_id, c.clause_no
"""


@dataclass(frozen=True)
class PolicyDocument:
    """A text and its clauses, as the page shows them."""

    document_id: str
    title: str | None
    document_no: str | None
    issuer: str | None
    issue_date: str | None
    zones: list[str]
    is_wide: bool
    copy_of: str | None
    not_stated: list[str]
    force: int | None
    in_force: str
    clauses: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class PolicyData:
    """The texts that the page shows, and how many there are."""

    documents: list[PolicyDocument]
    n_documents: int
    n_clauses: int


def read_policy_data(
    con: duckdb.DuckDBPyConnection, *, max_documents: int = MAX_DOCUMENTS
) -> PolicyData | None:
    """Read the marts of policy texts.

    Parameters
    ----------
    con : open connection
    max_documents : int
        The earliest so many are shown with their clauses.

    Returns
    -------
    PolicyData or None
        None where the marts are missing or hold no clause.
    """
    found = {
        name
        for (name,) in con.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
    }
    if not found.issuperset(MARTS):
        return None
    n_clauses, n_documents = con.execute(
        "select count(*), count(distinct document_id) from marts.fct_policy_clause"
    ).fetchone()
    if not n_clauses:
        return None
    documents = [
        _document(row) for row in con.execute(_DOCUMENTS, {"limit": max_documents}).fetchall()
    ]
    by_id = {document.document_id: document for document in documents}
    for row in con.execute(_CLAUSES, {"ids": list(by_id)}).fetchall():
        names = ("no", "kind", "marker", "text", "tool_class", "tool", "terms", "places", "line")
        by_id[row[0]].clauses.append(dict(zip(names, row[1:], strict=True)))
    return PolicyData(_that_fit(documents), n_documents, n_clauses)


def _that_fit(documents: list[PolicyDocument]) -> list[PolicyDocument]:
    """The earliest documents whose clauses a page can hold; the first one always."""
    total, kept = 0, []
    for document in documents:
        total += sum(len(clause["text"]) for clause in document.clauses)
        if kept and total > MAX_CHARACTERS:
            break
        kept.append(document)
    return kept


def _document(row: tuple) -> PolicyDocument:
    (
        key,
        title,
        number,
        issuer,
        date,
        year,
        zones,
        is_wide,
        copy_of,
        not_stated,
        force,
        first,
        last,
    ) = row
    issued = str(date) if date else (str(year) if year else None)
    in_force = "" if first is None else f"{first}–{last or ''}"
    return PolicyDocument(
        key, title, number, issuer, issued, zones, is_wide, copy_of, not_stated, force, in_force
    )
