"""What the gates of the publication before found, so that a new warning is told apart from one that
stands. It goes into the log alone: the published tables depend on the input, not on what was
published before."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import DATABASE, open_foreign


def read_standing(published: Path) -> set[tuple[str, str, str]] | None:
    """Failing rows of the current publication as (stage, check_id, failing_row); None where there
    is none, or none that can be read.
    """
    try:
        with open_foreign(published / DATABASE) as con:
            return set(
                con.execute(
                    "select stage, check_id, failing_row from quality.expectation_row"
                ).fetchall()
            )
    except (duckdb.Error, PublishError):
        return None
