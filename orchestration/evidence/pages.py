"""Write the figures of delivered files into README and docs. On a page each such part is between
two comments; the first one names the part, and `BLOCKS` has its text and figures. Tables are CSV
files beside the pages.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from pathlib import Path

import duckdb

from orchestration.evidence.blocks import BLOCKS, FIRST_LANDING, LANDING_TABLES, TABLES
from orchestration.evidence.figures import FUNCTIONS
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
    """Write the parts of all pages and their tables anew and return the pages that changed.

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
        Where a page asks for a part that nothing makes.
    """
    con.execute(FUNCTIONS)
    parts = set(BLOCKS) - FIRST_LANDING
    tables = {f"landing-joined-{name}": query for name, query in LANDING_TABLES.items()} | TABLES
    if is_first_landing:
        parts = FIRST_LANDING
        tables = {f"landing-first-{name}": query for name, query in LANDING_TABLES.items()}
    for name, query in tables.items():
        found = con.execute(query)
        header = [column[0] for column in found.description]
        path = root / f"docs/evidence/{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *found.fetchall()])
    changed = []
    for name in PAGES:
        path = root / name
        before = path.read_text(encoding="utf-8")
        after = with_parts(con, before, name, parts)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(name)
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
        return f"<!-- run: {part} -->\n{BLOCKS[part].fill(con)}\n<!-- end of run -->"

    return PART.sub(made, text)
