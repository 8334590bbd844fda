"""Names of runs: the time of the clock, but never one that sorts before a run of the same home.

Everything that asks which run came before (rollback, the archive's queries, what is kept, what a
landing lost) goes by the order of the names. A clock that is wrong, or set back, must not change
that order; when a run really started stands in its manifest, as `started_at`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warehouse.publication.archive import archived_runs

FORMAT = "%Y%m%dT%H%M%S.%fZ"
RUN_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


def name_run(now: datetime, home: Path) -> str:
    """The run id of a run that is at `now`: that time, or where a run of the home is called so or
    later, a microsecond after the last one.

    Parameters
    ----------
    now : of the clock, in UTC.
    home : folder with `publications/` and `archive/`.
    """
    if last := _last_run(home):
        after = datetime.strptime(last, FORMAT).replace(tzinfo=UTC) + timedelta(microseconds=1)
        now = max(now, after)
    return now.strftime(FORMAT)


def _last_run(home: Path) -> str:
    """The run id that sorts last among publications and archive; empty where there is none."""
    store = home / "publications"
    names = [
        *archived_runs(home / "archive"),
        *(path.name for path in (store.iterdir() if store.is_dir() else ())),
    ]
    return max(filter(RUN_ID.fullmatch, names), default="")
