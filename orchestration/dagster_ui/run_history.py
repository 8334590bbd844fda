"""Dagster's record of a run, written without waiting for the disk at every event.

Dagster stores each event by a connection of its own. SQLite then waits for the disk when the event is committed and again when the
connection closes, because the last one to close folds its log into the file: a run of 120 assets waits some thousand times. A connection
held open for the length of the run and `synchronous = normal` leave the file as safe from corruption; only the last events before a power
cut could be lost.

There is no setting for it in dagster 1.13.27: its SQLite storages take a folder and nothing else, and they make an engine for each event.
So this listens to SQLAlchemy's public event "connect" for all engines of the process, and only while a run lasts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def batched_sqlite_commits() -> Iterator[None]:
    """Within it, SQLite files that this process opens through SQLAlchemy are flushed in batches instead of at every event."""
    held: dict[str, sqlite3.Connection] = {}

    def relax(connection: Any, _record: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("pragma synchronous = normal")
        path = connection.execute("pragma database_list").fetchone()[2]
        # Dagster turns a new file to a write-ahead log after its first connection
        if path and path not in held and connection.execute("pragma journal_mode").fetchone() == ("wal",):
            held[path] = sqlite3.connect(path, check_same_thread=False)
            # only a connection that has read the file counts as open
            held[path].execute("select count(*) from sqlite_master").fetchone()

    event.listen(Engine, "connect", relax)
    try:
        yield
    finally:
        event.remove(Engine, "connect", relax)
        for connection in held.values():
            connection.close()
