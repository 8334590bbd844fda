"""The marts of the next publication, copied beside the estimates: once they are built nothing
changes them. In a refresh alone; a run of the UI may do every step in a process of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.home import Home
from warehouse.publication.publish import copy_to_draft, draft_of

MARTS = ("marts",)
_threads: list[ThreadPoolExecutor] = []
#: When the publication was begun, its draft, and what will say what was copied.
_begun: list[tuple[datetime, Path, Future[dict[str, Any]]]] = []


def run_id_of(time: datetime) -> str:
    """Name of the run whose publication was begun at a time."""
    return time.strftime("%Y%m%dT%H%M%S.%fZ")


@contextmanager
def in_own_thread() -> Iterator[None]:
    """Within it `begin` copies in a thread, which has ended when it is left; a run that failed
    leaves no draft behind.
    """
    try:
        with ThreadPoolExecutor(1) as thread:
            _threads.append(thread)
            yield
    finally:
        _threads.clear()
        while _begun:
            shutil.rmtree(_begun.pop()[1], ignore_errors=True)


def begin(home: Home) -> None:
    """Begin to copy the marts, from a copy of the database: the next stages write that one."""
    if not _threads:
        return
    now, marts = datetime.now(UTC), home.build / "marts.duckdb"
    shutil.copyfile(home.database, marts)

    def copy() -> dict[str, Any]:
        found = copy_to_draft(marts, home.published, run_id_of(now), MARTS)
        marts.unlink()
        return found

    draft = draft_of(home.published, run_id_of(now))
    _begun.append((now, draft, _threads[0].submit(copy)))


def finish() -> tuple[datetime, dict[str, Any]]:
    """When the publication was begun, and what was copied since; now and nothing where nothing was
    begun.
    """
    if not _begun:
        return datetime.now(UTC), {}
    now, _, copying = _begun.pop()
    return now, copying.result()
