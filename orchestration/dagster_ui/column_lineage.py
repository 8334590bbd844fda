"""Find the columns of other tables that a column is computed from, in the SQL of its model."""

from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage

from orchestration.dagster_ui.metadata import show_aside

COME_FROM = "columns_come_from"
#: Type by column, by table, by schema.
Schema = dict[str, dict[str, dict[str, str]]]


def read_schema(con: duckdb.DuckDBPyConnection) -> Schema:
    """Return the columns of every table and view of the build."""
    schema: Schema = {}
    columns = con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where not internal"
    )
    for schema_name, table, column, kind in columns.fetchall():
        schema.setdefault(schema_name, {}).setdefault(table, {})[column] = kind
    return schema


def read_lineage(sql: str, schema: Schema) -> dict[str, list[dg.TableColumnDep]]:
    """Return the columns that each column of a query is computed from.

    Parameters
    ----------
    sql : str
        The compiled query of a model; its tables have a schema.
    schema : dict
        As of `read_schema`.

    Raises
    ------
    sqlglot.errors.SqlglotError
        If the query cannot be read. That its columns exist is not checked.
    """
    query = sqlglot.parse_one(sql, dialect="duckdb")
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    found = {}
    # copies of the query for every column would take five times as long
    quick = {"trim_selects": False, "copy": False}
    for column, origin in lineage(None, query, schema, dialect="duckdb", **quick).items():
        sources = set()
        for step in origin.walk():
            table = step.expression.find(exp.Table)
            if table is not None and not step.downstream:
                sources.add((table.db, table.name, exp.to_column(step.name).name))
        found[column] = [
            dg.TableColumnDep(dg.AssetKey([schema_name, table_name]), name)
            for schema_name, table_name, name in sorted(sources)
        ]
    return found


def describe_lineage(sql: str, schema: Schema) -> dict[str, Any]:
    """Return what `read_lineage` finds, under the names that the UI knows; a note with the reason
    where the query cannot be read.

    Only Dagster's paid service draws `dagster/column_lineage`; a table shows the same to everyone.
    """
    try:
        found = read_lineage(sql, schema)
    except sqlglot.errors.SqlglotError as error:
        first_line = str(error).partition("\n")[0]
        return {COME_FROM: f"not known: {first_line}"}
    rows = []
    for column, deps in found.items():
        names = [".".join([*dep.asset_key.path, dep.column_name]) for dep in deps]
        rows.append((column, ", ".join(names)))
    return {
        COME_FROM: show_aside(pd.DataFrame(rows, columns=["column", "computed from"])),
        "dagster/column_lineage": dg.TableColumnLineage(found),
    }
