"""What a query of the report is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """A query, the tables without which its answer is empty, the columns of that empty answer, and
    those that name a row.
    """

    tables: tuple[str, ...]
    columns: str
    sql: str
    keys: tuple[str, ...] = ()
