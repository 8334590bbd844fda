"""Write the figures of delivered files into README and docs. On a page each such part is between
two comments; the first one names the part, and `BLOCKS` has its text and figures. Tables are CSV
files beside the pages.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

import duckdb

from orchestration.evidence.blocks import BLOCKS, FIRST_LANDING, LANDING_TABLES, TABLES
from orchestration.evidence.figures import FUNCTIONS
from warehouse.database import rows_of
from warehouse.publication.errors import PublishError

PAGES = (
    "README.md",
    "README.zh.md",
    "docs/index.md",
    "docs/evidence/primary-test.md",
    "docs/evidence/threats.md",
    "docs/evidence/mechanisms.md",
    "docs/evidence/radiation.md",
    "docs/evidence/landings.md",
    "docs/evidence/policy.md",
    "docs/next-window.md",
)
PART = re.compile(r"<!-- run: ([a-z ]+) -->\n(?:.*?\n)??<!-- end of run -->", re.DOTALL)


def write_pages(
    con: duckdb.DuckDBPyConnection, root: Path, *, is_first_landing: bool = False
) -> list[str]:
    """Write the parts of all pages and their tables anew, all or none, and return the pages that
    changed.

    Parameters
    ----------
    con : duckdb connection
        To a publication.
    root : Path
        The checkout, or a copy of its pages.
    is_first_landing : bool
        Whether the publication has the first of the two delivered landings alone. Then only the
        parts in `FIRST_LANDING` are written, otherwise all others.

    Raises
    ------
    PublishError
        Where a page asks for a part that nothing makes, or that this publication lacks.
    """
    con.execute(FUNCTIONS)
    parts = set(BLOCKS) - FIRST_LANDING
    tables = {f"landing-joined-{name}": query for name, query in LANDING_TABLES.items()} | TABLES
    if is_first_landing:
        parts = FIRST_LANDING
        tables = {f"landing-first-{name}": query for name, query in LANDING_TABLES.items()}
    texts = {}
    changed = []
    for name in PAGES:
        before = (root / name).read_text(encoding="utf-8")
        after = with_parts(con, before, name, parts)
        if after != before:
            texts[name] = after
            changed.append(name)
    for name, query in tables.items():
        found = con.execute(query)
        header = [column[0] for column in found.description]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([header, *found.fetchall()])
        texts[f"docs/evidence/{name}.csv"] = out.getvalue()
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8", newline="")
    return changed


def with_parts(con: duckdb.DuckDBPyConnection, text: str, name: str, parts: Collection[str]) -> str:
    """Return the text of a page with those of its parts made from a publication that are named."""

    def made(found: re.Match[str]) -> str:
        part = found[1]
        if part not in BLOCKS:
            raise PublishError(
                f"{name}: it asks for the part {part!r}, which nothing makes; name one of "
                f"{', '.join(BLOCKS)}"
            )
        if part not in parts:
            return found[0]
        rows = rows_of(con, BLOCKS[part].query)
        if not rows:
            raise PublishError(
                f"{name}: the part {part!r} needs tables that this publication lacks; take one of "
                "a refresh without ANALYSES"
            )
        return f"<!-- run: {part} -->\n{BLOCKS[part].text.format(**rows[0])}\n<!-- end of run -->"

    return PART.sub(made, text)
