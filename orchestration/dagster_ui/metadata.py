"""Tables, columns and pictures in the form in which Dagster's UI shows them.

Holds no rule of what is shown where.
"""

from __future__ import annotations

import html
import math
from typing import Any

import dagster as dg
import duckdb
import pandas as pd


def describe_table(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, Any]:
    """Row count and column schema of a table of the build, under the names that the UI knows."""
    rows = con.execute(f'select count(*) from "{schema}"."{table}"').fetchone()[0]
    columns = con.execute(
        (
            "select column_name, data_type, comment from duckdb_columns() where schema_name = ? "
            "and "
            "table_name = ? order by column_index"
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
    return {"dagster/row_count": rows, "dagster/column_schema": described}


def show_frame(frame: pd.DataFrame) -> dg.TableMetadataValue:
    """A data frame as a table of the UI, its rows in their order; missing cells stay empty."""
    names = [str(name) for name in frame.columns]
    records = [
        dg.TableRecord(dict(zip(names, map(_cell, row), strict=True)))
        for row in frame.itertuples(index=False, name=None)
    ]
    return dg.MetadataValue.table(
        records, schema=dg.TableSchema([dg.TableColumn(name) for name in names])
    )


def show_aside(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """A data frame with long cells, which the UI opens in a window of its own instead of stretching
    the page.
    """
    rows = [list(map(str, frame.columns)), ["---"] * len(frame.columns)]
    rows += [[_markdown_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(row)} |" for row in rows))


def _cell(value: Any) -> str | int | float | bool | None:
    """A cell that Dagster can store: numbers as they are, anything else as text."""
    value = value.item() if hasattr(value, "item") else value
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return None
    return value if isinstance(value, bool | int | float) else str(value)


def _markdown_cell(value: Any) -> str:
    """A cell as text in which no character can end the column, the row or the table."""
    cell = _cell(value)
    return "" if cell is None else html.escape(str(cell)).replace("|", "/").replace("\n", " ")
