"""What the gates of the publication before found, so that a new warning is told apart from one that
stands. It goes into the log alone: the published tables depend on the input, not on what was
published before."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.sql_text import literal


def read_standing(published: Path) -> set[tuple[str, str, str]] | None:
    """Failing rows of the current publication as (stage, check_id, failing_row); None where there
    is none, or none that can be read.
    """
    database = published / "citysync.duckdb"
    if not database.exists():
        return None
    try:
        with duckdb.connect() as con:
            con.execute(f"attach {literal(database)} as previous (read_only)")
            return set(
                con.execute(
                    "select stage, check_id, failing_row from previous.quality.expectation_row"
                ).fetchall()
            )
    except duckdb.Error:
        return None
