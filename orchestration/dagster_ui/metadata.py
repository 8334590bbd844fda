"""Put tables, columns and pictures into the form in which Dagster's UI shows them.

Holds no rule of what is shown where.
"""

from __future__ import annotations

import html
from typing import Any

import dagster as dg
import duckdb
import pandas as pd


def count_rows(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    """Return how many rows a table of the build has."""
    return con.execute(f'select count(*) from "{schema}"."{table}"').fetchone()[0]


def describe_table(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, Any]:
    """Return the row count and column schema of a table of the build, under the names that the UI
    knows.
    """
    columns = con.execute(
        (
            "select column_name, data_type, comment from duckdb_columns() where schema_name = ? "
            "and table_name = ? order by column_index"
        ),
        [schema, table],
    ).fetchall()
    # the UI reads a note as Markdown and would drop <analysis> as a tag
    described = dg.TableSchema(
        [
            dg.TableColumn(name, kind.lower(), description=html.escape(note or "", quote=False))
            for name, kind, note in columns
        ]
    )
    return {"dagster/row_count": count_rows(con, schema, table), "dagster/column_schema": described}


def show_aside(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """Return a data frame, which the UI opens in a window of its own; no character of a cell can
    end the column, the row or the table.
    """
    cells = frame.astype(object).where(frame.notna(), "").map(_escaped)
    rows = [cells.columns, ["---"] * len(cells.columns), *cells.itertuples(index=False)]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(row)} |" for row in rows))


def _escaped(cell: Any) -> str:
    return html.escape(str(cell)).replace("|", "/").replace("\n", " ")
