"""Pages of this checkout with parts that a publication makes: a part begins with a comment that
names it (`BLOCKS`) and ends with another; what stands between them is written anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from orchestration.evidence.blocks import BLOCKS
from warehouse.publication.errors import PublishError

PAGES = (
    "README.md",
    "README.zh.md",
    "docs/index.md",
    "docs/evidence/primary-test.md",
    "docs/evidence/threats.md",
    "docs/evidence/mechanisms.md",
    "docs/evidence/radiation.md",
)
PART = re.compile(r"<!-- run: ([a-z ]+) -->\n.*?\n<!-- end of run -->", re.DOTALL)


def write_pages(con: duckdb.DuckDBPyConnection, root: Path) -> list[str]:
    """Write the parts of all pages anew and return the pages that changed.

    Parameters
    ----------
    con : duckdb connection
        To a publication.
    root : Path
        The checkout, or a copy of its pages.

    Raises
    ------
    PublishError
        Where a page asks for a part that nothing makes.
    """
    changed = []
    for name in PAGES:
        path = root / name
        before = path.read_text(encoding="utf-8")
        after = with_parts(con, before, name)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(name)
    return changed


def with_parts(con: duckdb.DuckDBPyConnection, text: str, name: str) -> str:
    """Return the text of a page with its parts made from a publication."""

    def made(found: re.Match[str]) -> str:
        part = found[1]
        if part not in BLOCKS:
            raise PublishError(
                f"{name}: it asks for the part {part!r}, which nothing makes; name one of "
                f"{', '.join(BLOCKS)}"
            )
        return f"<!-- run: {part} -->\n{BLOCKS[part](con)}\n<!-- end of run -->"

    return PART.sub(made, text)
