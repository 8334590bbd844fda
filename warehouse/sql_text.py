"""Names and texts as parts of an SQL statement: what was delivered is never put into a statement in
another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def quote(identifier: str) -> str:
    """Return an SQL identifier in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """Return an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def literal_map(texts: Mapping[str, str]) -> str:
    """Return an SQL map of texts by text."""
    entries = ", ".join(f"{literal(key)}: {literal(text)}" for key, text in texts.items())
    return f"map {{{entries}}}"
