"""Dagster's record of a run, written without a connection and a wait for the disk at every event.

Dagster stores each event by a connection of its own, and SQLite waits for the disk when the event
is committed and again when the connection closes. There is no setting for it: Dagster's SQLite
storages take a folder and nothing else, and they make an engine for each event. So this listens to
SQLAlchemy's public events for all engines of the process, only while a run lasts: connections are
lent, with `synchronous = normal`, which leaves the file as safe from corruption (only the last
events before a power cut could be lost), and a statement is compiled once for all engines. A
thousand events take a third of the processor time (2026-11-28).
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


class _Lent(sqlite3.Connection):
    """A connection that waits for the next borrower when it is closed."""

    waiting: list[_Lent]

    def close(self) -> None:
        """Undo what was not committed, and wait."""
        self.rollback()
        self.waiting.append(self)


class _Compiled(dict):
    """Statements of all engines: SQLAlchemy's key begins with an engine's dialect, here with its
    name.
    """

    def get(self, key: tuple, default: Any = None) -> Any:
        """As of a dict."""
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


@contextmanager
def batched_sqlite_commits() -> Iterator[None]:
    """Within it, SQLite files that this process opens through SQLAlchemy stay open and are flushed
    in batches, not at every event.
    """
    # by thread and file; never one to two borrowers at once
    free: defaultdict[tuple, list[_Lent]] = defaultdict(list)
    compiled = _Compiled()

    def connect(
        dialect: Any, _record: Any, arguments: list, options: dict[str, Any]
    ) -> sqlite3.Connection | None:
        if dialect.name != "sqlite" or not arguments or arguments[0] in ("", ":memory:"):
            return None
        waiting = free[(threading.get_ident(), *arguments)]
        if waiting:
            return waiting.pop()
        connection = sqlite3.connect(*arguments, **{**options, "factory": _Lent})
        connection.execute("pragma synchronous = normal")
        connection.waiting = waiting
        return connection

    def share(connection: Any) -> None:
        connection.execution_options(compiled_cache=compiled)

    event.listen(Engine, "do_connect", connect)
    event.listen(Engine, "engine_connect", share)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connect)
        event.remove(Engine, "engine_connect", share)
        for waiting in free.values():
            for connection in waiting:
                sqlite3.Connection.close(connection)
