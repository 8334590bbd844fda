"""Reads what the report shows. Reading only; nothing is estimated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from .queries import QUERIES, Query

Source = duckdb.DuckDBPyConnection | Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class ReportData:
    """Frames by the name of their query; a frame is empty, with its columns, where its tables are
    missing or empty.
    """

    frames: dict[str, pd.DataFrame]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """The frame of one query."""
        return self.frames[name]

    @property
    def run(self) -> dict[str, Any]:
        """The run: run_id, git_commit, started_at, is_simulated; empty without one."""
        run = self.frames["run"]
        return {} if run.empty else run.iloc[0].to_dict()

    @property
    def is_simulated(self) -> bool:
        """Whether every number of the page is simulated."""
        return bool(self.run.get("is_simulated", False))


def read_report_data(source: Source) -> ReportData:
    """Read everything the page shows.

    Parameters
    ----------
    source : open connection, or data frames by ``schema.table``

    Returns
    -------
    ReportData
    """
    with open_source(source) as con:
        found = {
            f"{schema}.{table}"
            for schema, table in con.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall()
        }
        return ReportData({name: _read(con, query, found) for name, query in QUERIES.items()})


def _read(con: duckdb.DuckDBPyConnection, query: Query, found: set[str]) -> pd.DataFrame:
    if found.issuperset(query.tables):
        return con.execute(query.sql).df()
    return pd.DataFrame(columns=query.columns.split(", "))


@contextmanager
def open_source(source: Source) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to what the report reads: frames as tables, an open connection as it is."""
    if isinstance(source, duckdb.DuckDBPyConnection):
        yield source
        return
    with duckdb.connect() as con:
        _load(con, source)
        yield con


def _load(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame]) -> None:
    for name, frame in frames.items():
        schema, table = name.split(".")
        con.register("incoming", frame)
        con.execute(f'create schema if not exists "{schema}"')
        con.execute(f'create table "{schema}"."{table}" as select * from incoming')
        con.unregister("incoming")
