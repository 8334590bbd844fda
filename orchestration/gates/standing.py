"""A run beside the publication that stands: what the gates found there, and whether much of it
would be lost.

The first goes into the log alone: the published tables depend on the input, not on what was
published before. The second is no suite of expectations; `shrinkage` says why.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.run_settings import number
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import DATABASE, open_foreign
from warehouse.publication.shrinkage import refuse_to_shrink


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


def require_no_loss(home: Home, settings: Settings) -> None:
    """Stop a run that would lose much of what the publication before it holds, unless
    CONFIRM_SHRINK=1.

    Raises
    ------
    PublicationShrinks
        With what would be gone.
    """
    run = {"is_simulated": settings.is_simulated, "settings": settings.as_environment()}
    refuse_to_shrink(home.published, home.build, run, confirmed=bool(number("CONFIRM_SHRINK")))
