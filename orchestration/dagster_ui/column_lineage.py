"""Which columns of other tables a column is computed from, read from the SQL of its model."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage

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


def describe_lineage(sql: str, schema: Schema) -> Mapping[str, dg.TableColumnLineage | str]:
    """Return the columns that each column of a query is computed from, under the name that the UI
    knows, or a note with the reason where the query cannot be read.

    Parameters
    ----------
    sql : str
        The compiled query of a model; its tables have a schema.
    schema : dict
        As of `read_schema`.
    """
    try:
        query = sqlglot.parse_one(sql, dialect="duckdb")
        for table in query.find_all(exp.Table):
            table.set("catalog", None)
        columns = lineage(None, query, schema, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        return {"column_lineage_is_unknown": str(error).partition("\n")[0]}
    found = {}
    for column, origin in columns.items():
        sources = set()
        for step in origin.walk():
            table = step.expression.find(exp.Table)
            if table is not None and not step.downstream:
                sources.add((table.db, table.name, exp.to_column(step.name).name))
        found[column] = [
            dg.TableColumnDep(dg.AssetKey([schema_name, table_name]), name)
            for schema_name, table_name, name in sorted(sources)
        ]
    return {"dagster/column_lineage": dg.TableColumnLineage(found)}
