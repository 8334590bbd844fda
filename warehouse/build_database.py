"""The database of a build. Imports nothing heavy: a refresh without work reads one too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def open_build(build: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a build database, closed also on an error."""
    options = {"threads": os.environ.get("CITYSYNC_THREADS", "2")}
    con = duckdb.connect(str(build / "citysync.duckdb"), read_only=read_only, config=options)
    try:
        con.execute("set TimeZone = 'UTC'")
        yield con
    finally:
        con.close()
