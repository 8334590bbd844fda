"""From which columns of which tables each column of a model is made, read off the SQL that dbt ran.

sqlglot traces a column through common table expressions, joins and stars. What it cannot trace,
such as a model in Python, has no lineage. All models together take over two seconds of processor
time, so what was traced is kept: a model is traced again when its SQL, the columns of a table that
it names, this file or sqlglot is another.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import duckdb

from warehouse.whole_files import write_whole

DIALECT = "duckdb"
# columns and their types by schema and table
Columns = Mapping[str, Mapping[str, Mapping[str, str]]]
# schema, table and column of everything that a column is made of, for each column
Origins = dict[str, list[tuple[str, str, str]]]


def read_columns(con: duckdb.DuckDBPyConnection) -> Columns:
    """Every table and view of a build, its columns in their order."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    columns = "schema_name, table_name, column_name, data_type"
    query = (
        f"select {columns} from duckdb_columns() where not internal order by table_oid, "
        "column_index"
    )
    for schema, table, column, kind in con.execute(query).fetchall():
        found[schema][table][column] = kind
    return found


def describe_lineage(
    sql: str, columns: Iterable[str], known: Columns, kept: Path | None = None
) -> dict[str, dg.TableColumnLineage]:
    """Lineage under the name that the UI knows; empty where none can be told.

    Parameters
    ----------
    sql : str
        What dbt ran for a model; empty for one that is no SQL.
    columns : iterable of str
        Of the model.
    known : Columns
        Of the build: `read_columns`.
    kept : Path, optional
        File of the model, in which what was traced is kept for the next run.

    Returns
    -------
    dict
        `dagster/column_lineage`: for each column the columns of other tables that its value is made
        of, of those tables that are assets of the same name. A column of constants has none.
    """
    names = list(columns)
    traced = (
        trace_columns(sql, names, known) if kept is None else _trace_once(kept, sql, names, known)
    )
    found = {
        column: [
            dg.TableColumnDep(dg.AssetKey([schema, table]), name) for schema, table, name in origins
        ]
        for column, origins in traced.items()
        if origins
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(found)} if found else {}


def _trace_once(kept: Path, sql: str, columns: list[str], known: Columns) -> Origins:
    """What the file keeps of the same question, else traced and kept."""
    # tables whose name stands somewhere in the SQL are all that tracing can look up
    named = [
        [schema, table, list(of.items())]
        for schema, tables in known.items()
        for table, of in tables.items()
        if table in sql
    ]
    asked = json.dumps([version("sqlglot"), sql, columns, named], ensure_ascii=False)
    question = hashlib.sha256(
        Path(__file__).read_bytes() + asked.encode("utf-8", "surrogatepass")
    ).hexdigest()
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found["question"] == question:
            return {
                column: [tuple(origin) for origin in origins]
                for column, origins in found["origins"].items()
            }
    except (OSError, ValueError, TypeError, KeyError):
        # none yet, or cut short: traced anew
        pass
    origins = trace_columns(sql, columns, known)
    with write_whole(kept) as path:
        path.write_text(
            json.dumps({"question": question, "origins": origins}, ensure_ascii=False),
            encoding="utf-8",
        )
    return origins


def trace_columns(sql: str, columns: Iterable[str], known: Columns) -> Origins:
    """Schema, table and column of everything that each column is made of, in alphabetical order;
    empty where the SQL cannot be traced.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    # it warns of what it cannot trace, which is no fault of a run
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    if not sql.strip():
        return {}
    try:
        query = sqlglot.parse_one(sql, dialect=DIALECT)
        schema: dict[str, dict[str, Mapping[str, str]]] = defaultdict(dict)
        for table in query.find_all(exp.Table):
            # the build's own database, whatever its file is called
            table.set("catalog", None)
            if table.db:
                schema[table.db][table.name] = known.get(table.db, {}).get(table.name, {})
        query = qualify(
            query,
            schema=dict(schema),
            dialect=DIALECT,
            validate_qualify_columns=False,
            identify=False,
        )
        scope = build_scope(query)
        found = {}
        for column in columns:
            # without a copy and a trimmed query for every column, which cost eight times the
            # tracing
            node = lineage(
                column,
                query,
                dict(schema),
                scope=scope,
                dialect=DIALECT,
                trim_selects=False,
                copy=False,
            )
            ends = [
                end
                for end in node.walk()
                if not end.downstream and isinstance(end.expression, exp.Table)
            ]
            # the name of an end is that of a column as SQL writes it: table."year"
            origins = {
                (end.expression.db, end.expression.name, end.name.rsplit(".", 1)[-1].strip('"'))
                for end in ends
            }
            found[column] = sorted(
                origin
                for origin in origins
                if origin[2] in known.get(origin[0], {}).get(origin[1], {})
            )
    except SqlglotError:
        return {}
    return found
