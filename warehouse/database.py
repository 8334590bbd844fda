"""Connect to the DuckDB of a build or in memory, write a data frame, read rows by name.

It imports nothing heavy, since a refresh that has nothing to do connects too. `models/` describe
the tables, `publication/` copies them.
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
    """Connect to `citysync.duckdb` of a build folder (times in UTC); close it also on an error."""
    options = {"threads": os.environ.get("CITYSYNC_THREADS", "2")}
    path = str(build / "citysync.duckdb")
    with duckdb.connect(path, read_only=read_only, config=options) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


@contextmanager
def open_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to an empty database in memory; close it also on an error."""
    with duckdb.connect() as con:
        yield con


def write_frame(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, frame: pd.DataFrame
) -> None:
    """Replace a table by a data frame. Schema and table must never be delivered names."""
    con.execute(f"create schema if not exists {schema}")
    con.register("incoming_frame", frame)
    con.execute(f"create or replace table {schema}.{table} as select * from incoming_frame")
    con.unregister("incoming_frame")


def rows_of(con: duckdb.DuckDBPyConnection, query: str, *given: Any) -> list[dict[str, Any]]:
    """Return the rows of a query by the names of its columns."""
    cursor = con.execute(query, list(given))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
