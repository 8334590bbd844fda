"""Comments inside the database on the tables that Python writes: what a client sees when it looks
at a table or column.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import yaml

from warehouse.sql_text import literal, quote

TEXTS = Path(__file__).with_name("table_comments.yml")


def comment_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Write the comments of every table of `table_comments.yml` that is in the build."""
    present = set(
        con.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where not internal"
        ).fetchall()
    )
    # libyaml, where it is installed, is ten times as fast
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    texts = yaml.load(TEXTS.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 -- it builds plain values alone
    # at once: the disk is waited for once, not for each of some 600 comments
    con.begin()
    for name, entry in texts.items():
        schema, table = name.split(".")
        if not any(found[:2] == (schema, table) for found in present):
            continue
        con.execute(f"comment on table {quote(schema)}.{quote(table)} is {literal(entry['table'])}")
        for column, text in entry["columns"].items():
            if (schema, table, column) in present:
                con.execute(
                    f"comment on column {quote(schema)}.{quote(table)}.{quote(column)} is "
                    f"{literal(text)}"
                )
    con.commit()
