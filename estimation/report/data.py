"""Reads what the report shows. Reading only; nothing is estimated here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from .queries import QUERIES, Query


@dataclass(frozen=True)
class ReportData:
    """Frames by the name of their query; a frame is empty, with its columns, where its tables are
    missing or empty.
    """

    frames: dict[str, pd.DataFrame]
    #: What `cells.rows_of` has made of them.
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict, init=False)
    #: What `cells.rows_by` has made of these, by query and keys.
    found: dict[tuple[str, ...], dict[tuple, list[Any]]] = field(default_factory=dict, init=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return the frame of one query."""
        return self.frames[name]

    @property
    def run(self) -> dict[str, Any]:
        """The run as a row of `meta.run`, None for what is missing; empty without a run."""
        run = self.frames["run"]
        if run.empty:
            return {}
        return {name: None if pd.isna(value) else value for name, value in run.iloc[0].items()}

    @property
    def is_simulated(self) -> bool:
        """Whether every number of the page is simulated."""
        return bool(self.run.get("is_simulated", False))


def read_report_data(con: duckdb.DuckDBPyConnection) -> ReportData:
    """Read everything the pages show from an open connection."""
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
