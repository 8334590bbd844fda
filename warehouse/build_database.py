"""The database of a build: open it, put a data frame into it, read rows by name.

Imports nothing heavy: a refresh that has nothing to do opens one too. Not here: what the tables
mean (`models/`) and the published copy (`publication/`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def open_build(build: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the database `citysync.duckdb` of a build folder, closed also on an error;
    times are in UTC.
    """
    options = {"threads": os.environ.get("CITYSYNC_THREADS", "2")}
    path = str(build / "citysync.duckdb")
    with duckdb.connect(path, read_only=read_only, config=options) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


@contextmanager
def open_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty database in memory, closed also on an error."""
    with duckdb.connect() as con:
        yield con


def write_frame(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, frame: pd.DataFrame
) -> None:
    """Replace a table by a data frame; schema and table are names of this code, never delivered
    ones.
    """
    con.execute(f"create schema if not exists {schema}")
    con.register("incoming_frame", frame)
    con.execute(f"create or replace table {schema}.{table} as select * from incoming_frame")
    con.unregister("incoming_frame")


def rows_of(con: duckdb.DuckDBPyConnection, query: str, *given: Any) -> list[dict[str, Any]]:
    """Return the rows of a query by the names of its columns."""
    cursor = con.execute(query, list(given))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
