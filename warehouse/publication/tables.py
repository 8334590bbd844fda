"""The tables of a publication: copied from the build, exported as Parquet, hashed.

Not here: which publication is the current one.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.hashing import hash_bytes
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import files_of
from warehouse.sql_text import literal, quote

SCHEMAS = ("marts", "estimates", "quality", "meta")
# DuckDB 1.4 and newer open a file of this storage version.
STORAGE_VERSION = "v1.4.0"


@dataclass(frozen=True)
class TableHash:
    """Rows of a table and a hash that does not depend on their order; `parquet` names the files of
    one that is not in the database.
    """

    rows: int
    sha256: str
    parquet: str = ""

    def as_entry(self) -> dict[str, Any]:
        """What the manifest says of the table."""
        return {
            "rows": self.rows,
            "sha256": self.sha256,
            **({"parquet": self.parquet} if self.parquet else {}),
        }


def hash_table(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> TableHash:
    """Hash a table independently of row order.

    Each row becomes JSON (a null differs from an empty text, a double has its shortest exact
    spelling), each row's MD5 is split in four numbers, and their sums are hashed together with the
    columns' names and the count. Sums of integers do not depend on order or threads.
    """
    row = (
        "to_json(struct_pack("
        + ", ".join(f"{quote(c)} := {quote(c)}" for c in columns)
        + "))::varchar"
    )
    sums = ", ".join(
        f"coalesce(sum(('0x' || substr(h, {k}, 8))::bigint), 0)" for k in (1, 9, 17, 25)
    )
    found = con.execute(
        f"select count(*), {sums} from (select md5({row}) as h from {table})"
    ).fetchone()
    digest = hash_bytes(json.dumps([list(columns), *map(int, found)]).encode())
    return TableHash(int(found[0]), digest)


def columns_of(con: duckdb.DuckDBPyConnection, catalog: str, schema: str, table: str) -> list[str]:
    """Column names in their order."""
    rows = con.execute(
        (
            "select column_name from duckdb_columns() where database_name = ? and schema_name = ? "
            "and "
            "table_name = ? order by column_index"
        ),
        [catalog, schema, table],
    ).fetchall()
    return [row[0] for row in rows]


def tables_to_publish(con: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    """(schema, table) of every table in the published schemas, sorted."""
    return con.execute(
        (
            "select schema_name, table_name from duckdb_tables() where database_name = ? and "
            "list_contains(?, schema_name) order by all"
        ),
        [catalog, list(SCHEMAS)],
    ).fetchall()


def views_to_publish(con: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    """(schema, view) of every view in the published schemas: what the build keeps as Parquet files
    by year beside its database.
    """
    return con.execute(
        (
            "select schema_name, view_name from duckdb_views() where database_name = ? and "
            "list_contains(?, schema_name) order by all"
        ),
        [catalog, list(SCHEMAS)],
    ).fetchall()


def copy_files_by_year(
    con: duckdb.DuckDBPyConnection, build: Path, parquet: Path, schema: str, view: str
) -> TableHash:
    """Copy the files under a view of the build; they become `parquet/<schema>/<view>/year=.../`,
    and no table of the published database.

    Raises
    ------
    PublishError
        If the view has no files of its own: publications hold no views.
    """
    source, folder = build / f"{schema}.{view}", parquet / schema / view
    if not source.is_dir():
        raise PublishError(
            f"{build}: {schema}.{view} is a view without files in {source}; expected a table, or "
            "Parquet files by year there"
        )
    shutil.copytree(source, folder)
    rows = f"read_parquet({literal(folder / '*/*.parquet')}, hive_partitioning = false)"
    found = hash_table(con, rows, columns_of(con, "build", schema, view))
    return TableHash(found.rows, found.sha256, files_of(schema, view))


def copy_tables(build_database: Path, target: Path, parquet: Path) -> dict[str, TableHash]:
    """Copy the published schemas into a new database file and Parquet files, rows sorted by all
    columns.

    Returns the hash of each table by `schema.table`; views of the build are copied as the files
    they read, and stay out of the database.
    """
    hashes: dict[str, TableHash] = {}
    with duckdb.connect() as con:
        con.execute(f"attach {literal(build_database)} as build (read_only)")
        con.execute(
            f"attach {literal(target)} as target (storage_version {literal(STORAGE_VERSION)})"
        )
        # one transaction: the disk is waited for once, not for each comment
        con.begin()
        for schema, table in tables_to_publish(con, "build"):
            con.execute(f"create schema if not exists target.{quote(schema)}")
            old, new = (
                f"build.{quote(schema)}.{quote(table)}",
                f"target.{quote(schema)}.{quote(table)}",
            )
            con.execute(f"create table {new} as select * from {old} order by all")
            copy_comments(con, schema, table)
            folder = parquet / schema
            folder.mkdir(parents=True, exist_ok=True)
            # the rows lie sorted, and DuckDB keeps the order in which they lie
            described, arrow = map(literal, _column_metadata(con, schema, table))
            con.execute(
                f"copy {new} to {literal(folder / (table + '.parquet'))} (format parquet, "
                f"compression zstd, kv_metadata {{columns: {described}, 'ARROW:schema': {arrow}}})"
            )
            hashes[f"{schema}.{table}"] = hash_table(
                con, new, columns_of(con, "target", schema, table)
            )
        for schema, view in views_to_publish(con, "build"):
            hashes[f"{schema}.{view}"] = copy_files_by_year(
                con, build_database.parent, parquet, schema, view
            )
        con.commit()
        con.execute("checkpoint target")
        con.execute("detach target")
    return hashes


def _column_metadata(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> tuple[str, str]:
    """What each column is, for the Parquet file: once as JSON, once as metadata of the columns in
    the way of Arrow (pyarrow, polars, R), which looks for its schema in the file.
    """
    comments = dict(
        con.execute(
            "select column_name, comment from duckdb_columns() where database_name = 'target' and "
            "schema_name = ? and table_name = ? and comment is not null order by column_index",
            [schema, table],
        ).fetchall()
    )
    rows = con.sql(f"from target.{quote(schema)}.{quote(table)} limit 0")
    fields = [
        field.with_metadata({"comment": comments[field.name]} if field.name in comments else {})
        for field in rows.to_arrow_table().schema
    ]
    arrow = base64.b64encode(pa.schema(fields).serialize()).decode()
    return json.dumps(comments, ensure_ascii=False), arrow


def copy_comments(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Carry table and column comments over: they are the data dictionary inside the file."""
    new = f"target.{quote(schema)}.{quote(table)}"
    where = "database_name = 'build' and schema_name = ? and table_name = ? and comment is not null"
    for (comment,) in con.execute(
        f"select comment from duckdb_tables() where {where}", [schema, table]
    ).fetchall():
        con.execute(f"comment on table {new} is {literal(comment)}")
    for column, comment in con.execute(
        f"select column_name, comment from duckdb_columns() where {where}", [schema, table]
    ).fetchall():
        con.execute(f"comment on column {new}.{quote(column)} is {literal(comment)}")
