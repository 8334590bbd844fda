"""Comment the tables of a build, copy them into a publication, export them as Parquet, hash them.

Not here: which publication is the current one.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.database import open_memory
from warehouse.hashing import hash_bytes
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import files_of
from warehouse.sql_text import literal, quote
from warehouse.yaml_files import read_yaml

SCHEMAS = ("marts", "estimates", "quality", "meta")
# DuckDB 1.4 and newer open a file of this storage version.
STORAGE_VERSION = "v1.4.0"
# Not exported as Parquet, because tables of pairs are half of a publication: `citysync panel
# --pairs` writes them.
ON_REQUEST = ("marts.fct_pair_synchronization", "marts.panel_pair_year")
TEXTS = Path(__file__).with_name("table_comments.yml")


def hash_table(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, Any]:
    """Return the number of rows of a table and a hash that does not depend on their order.

    Each row is written as JSON (a null differs from an empty text, a double has its shortest exact
    form). The MD5 of each row is split into four integers. Their sums depend neither on order nor
    on threads, and are hashed together with the names of the columns and the number of rows.
    """
    columns = con.sql(f"from {table}").columns
    sums = ", ".join(
        f"coalesce(sum(('0x' || substr(h, {k}, 8))::bigint), 0)" for k in (1, 9, 17, 25)
    )
    [found] = con.execute(
        f"select count(*), {sums} "
        f"from (select md5(to_json(_row)::varchar) as h from {table} as _row)"
    ).fetchall()
    digest = hash_bytes(json.dumps([list(columns), *map(int, found)]).encode())
    return {"rows": int(found[0]), "sha256": digest}


def to_publish(con: duckdb.DuckDBPyConnection, catalog: str, kind: str) -> list[tuple[str, str]]:
    """Return schema and name of every table or view (`kind`) in the published schemas, sorted.

    A view of the build reads Parquet files by year next to its database.
    """
    return con.execute(
        f"select schema_name, {kind}_name from duckdb_{kind}s() where database_name = ? and "
        "list_contains(?, schema_name) order by all",
        [catalog, list(SCHEMAS)],
    ).fetchall()


def copy_files_by_year(
    con: duckdb.DuckDBPyConnection, build: Path, parquet: Path, schema: str, view: str
) -> dict[str, Any]:
    """Copy the files that a view of the build reads to `parquet/<schema>/<view>/year=.../`, and
    return their rows, hash and glob pattern; the published database does not contain the view.

    Raises
    ------
    PublishError
        If the view does not read files.
    """
    source, folder = build / f"{schema}.{view}", parquet / schema / view
    if not source.is_dir():
        raise PublishError(
            f"{build}: {schema}.{view} is a view without files in {source}; expected a table, or "
            "Parquet files by year there"
        )
    shutil.copytree(source, folder)
    rows = f"read_parquet({literal(folder / '*/*.parquet')}, hive_partitioning = false)"
    return hash_table(con, rows) | {"parquet": files_of(schema, view)}


def copy_tables(build_database: Path, target: Path, parquet: Path) -> dict[str, dict[str, Any]]:
    """Copy published schemas into a database file and Parquet files, rows sorted by all columns;
    return rows and hash of each table by `schema.table`.

    A view of the build becomes a copy of the files that it reads, and is not in the database.
    """
    hashes: dict[str, dict[str, Any]] = {}
    with open_memory() as con:
        con.execute(f"attach {literal(build_database)} as build (read_only)")
        con.execute(
            f"attach {literal(target)} as target (storage_version {literal(STORAGE_VERSION)})"
        )
        tables, comments = to_publish(con, "build", "table"), {}
        # in one transaction, which waits for the disk once instead of once per comment
        con.begin()
        for schema, table in tables:
            con.execute(f"create schema if not exists target.{quote(schema)}")
            name = f"{quote(schema)}.{quote(table)}"
            con.execute(f"create table target.{name} as select * from build.{name} order by all")
            comments[schema, table] = copy_comments(con, (schema, table), "build", "target")
        con.commit()
        # DuckDB uses several threads only on committed tables
        for schema, table in tables:
            new, folder = f"target.{quote(schema)}.{quote(table)}", parquet / schema
            hashes[f"{schema}.{table}"] = hash_table(con, new)
            if f"{schema}.{table}" in ON_REQUEST:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            # the rows were inserted in sorted order, and DuckDB keeps that order
            described = literal(json.dumps(comments[schema, table], ensure_ascii=False))
            arrow = literal(_arrow_schema(con, new, comments[schema, table]))
            con.execute(
                f"copy {new} to {literal(folder / (table + '.parquet'))} (format parquet, "
                f"compression zstd, kv_metadata {{columns: {described}, 'ARROW:schema': {arrow}}})"
            )
        for schema, view in to_publish(con, "build", "view"):
            hashes[f"{schema}.{view}"] = copy_files_by_year(
                con, build_database.parent, parquet, schema, view
            )
        con.execute("checkpoint target")
        con.execute("detach target")
    return hashes


def _arrow_schema(con: duckdb.DuckDBPyConnection, table: str, comments: Mapping[str, str]) -> str:
    """Return the Arrow schema with the columns' comments, encoded as pyarrow, polars and R expect
    it in a Parquet file.
    """
    fields = [
        field.with_metadata({"comment": comments[field.name]} if field.name in comments else {})
        for field in con.sql(f"from {table} limit 0").to_arrow_table().schema
    ]
    return base64.b64encode(pa.schema(fields).serialize()).decode()


def copy_comments(
    con: duckdb.DuckDBPyConnection, place: tuple[str, str], source: str, target: str
) -> dict[str, str]:
    """Copy the comments on a table and its columns to another database, whose data dictionary they
    are; return those of the columns.
    """
    new = f"{quote(target)}.{quote(place[0])}.{quote(place[1])}"
    where = "database_name = ? and schema_name = ? and table_name = ? and comment is not null"
    for (comment,) in con.execute(
        f"select comment from duckdb_tables() where {where}", [source, *place]
    ).fetchall():
        con.execute(f"comment on table {new} is {literal(comment)}")
    columns = (
        f"select column_name, comment from duckdb_columns() where {where} order by column_index"
    )
    comments = dict(con.execute(columns, [source, *place]).fetchall())
    for column, comment in comments.items():
        con.execute(f"comment on column {new}.{quote(column)} is {literal(comment)}")
    return comments


def read_comments() -> dict[str, dict[str, Any]]:
    """Return what `table_comments.yml` says of each table and its columns, by `schema.table`."""
    return read_yaml(TEXTS)


def comment_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Write the comments of every table of `table_comments.yml` that is in the build."""
    present = set(
        con.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where not internal"
        ).fetchall()
    )
    # at once: the disk is waited for once, not for each of some 600 comments
    con.begin()
    for name, entry in read_comments().items():
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
