"""From a checked build database to a publication: copy, export, hash, seal, switch.

A publication is a folder under `publications/<run_id>`; `published` is a symbolic link to one of them and is switched by a single rename,
so a reader sees either the old or the new one, whole. An open reader keeps the file it has.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

SCHEMAS = ("marts", "estimates", "quality", "meta")
# DuckDB 1.4 and newer open a file of this storage version.
STORAGE_VERSION = "v1.4.0"
KEPT_PUBLICATIONS = 3
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.json.sha256"


class PublishError(Exception):
    """A publication cannot be written or would replace one that it must not."""


@dataclass(frozen=True)
class TableHash:
    """Rows of a table and a hash that does not depend on their order; `parquet` names the files of one that is not in the database."""

    rows: int
    sha256: str
    parquet: str = ""

    def as_entry(self) -> dict[str, Any]:
        """What the manifest says of the table."""
        return {"rows": self.rows, "sha256": self.sha256, **({"parquet": self.parquet} if self.parquet else {})}


def quote(identifier: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """An SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def hash_table(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> TableHash:
    """Hash a table independently of row order.

    Each row becomes JSON (a null differs from an empty text, a double has its shortest exact spelling), each row's MD5 is split in four
    numbers, and their sums are hashed together with the columns' names and the count. Sums of integers do not depend on order or threads.
    """
    row = "to_json(struct_pack(" + ", ".join(f"{quote(c)} := {quote(c)}" for c in columns) + "))::varchar"
    sums = ", ".join(f"coalesce(sum(('0x' || substr(h, {k}, 8))::bigint), 0)" for k in (1, 9, 17, 25))
    found = con.execute(f"select count(*), {sums} from (select md5({row}) as h from {table})").fetchone()
    digest = hashlib.sha256(json.dumps([list(columns), *map(int, found)]).encode()).hexdigest()
    return TableHash(int(found[0]), digest)


def columns_of(con: duckdb.DuckDBPyConnection, catalog: str, schema: str, table: str) -> list[str]:
    """Column names in their order."""
    rows = con.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [catalog, schema, table],
    ).fetchall()
    return [row[0] for row in rows]


def tables_to_publish(con: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    """(schema, table) of every table in the published schemas, sorted."""
    return con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? and list_contains(?, schema_name) order by all",
        [catalog, list(SCHEMAS)],
    ).fetchall()


def views_to_publish(con: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    """(schema, view) of every view in the published schemas: what the build keeps as Parquet files by year beside its database."""
    return con.execute(
        "select schema_name, view_name from duckdb_views() where database_name = ? and list_contains(?, schema_name) order by all",
        [catalog, list(SCHEMAS)],
    ).fetchall()


def copy_files_by_year(con: duckdb.DuckDBPyConnection, build: Path, parquet: Path, schema: str, view: str) -> TableHash:
    """Copy the files under a view of the build; they become `parquet/<schema>/<view>/year=.../`, and no table of the published database.

    Raises
    ------
    PublishError
        If the view has no files of its own: publications hold no views.
    """
    source, folder = build / f"{schema}.{view}", parquet / schema / view
    if not source.is_dir():
        raise PublishError(
            f"{build}: {schema}.{view} is a view without files in {source}; expected a table, or Parquet files by year there"
        )
    shutil.copytree(source, folder)
    files = f"{folder.relative_to(parquet.parent).as_posix()}/*/*.parquet"
    found = hash_table(con, read_files(parquet.parent, files), columns_of(con, "build", schema, view))
    return TableHash(found.rows, found.sha256, files)


def read_files(publication: Path, files: str) -> str:
    """SQL that reads the Parquet files of a publication's manifest entry."""
    return f"read_parquet({literal(publication / files)}, hive_partitioning = false)"


def copy_tables(build_database: Path, target: Path, parquet: Path) -> dict[str, TableHash]:
    """Copy the published schemas into a new database file and Parquet files, rows sorted by all columns.

    Returns the hash of each table by `schema.table`; views of the build are copied as the files they read, and stay out of the database.
    """
    hashes: dict[str, TableHash] = {}
    with duckdb.connect() as con:
        con.execute(f"attach {literal(build_database)} as build (read_only)")
        con.execute(f"attach {literal(target)} as target (storage_version {literal(STORAGE_VERSION)})")
        for schema, table in tables_to_publish(con, "build"):
            con.execute(f"create schema if not exists target.{quote(schema)}")
            old, new = f"build.{quote(schema)}.{quote(table)}", f"target.{quote(schema)}.{quote(table)}"
            con.execute(f"create table {new} as select * from {old} order by all")
            copy_comments(con, schema, table)
            folder = parquet / schema
            folder.mkdir(parents=True, exist_ok=True)
            con.execute(
                f"copy (select * from {new} order by all) to {literal(folder / (table + '.parquet'))} (format parquet, compression zstd)"
            )
            hashes[f"{schema}.{table}"] = hash_table(con, new, columns_of(con, "target", schema, table))
        for schema, view in views_to_publish(con, "build"):
            hashes[f"{schema}.{view}"] = copy_files_by_year(con, build_database.parent, parquet, schema, view)
        con.execute("checkpoint target")
        con.execute("detach target")
    return hashes


def copy_comments(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Carry table and column comments over: they are the data dictionary inside the file."""
    new = f"target.{quote(schema)}.{quote(table)}"
    where = "database_name = 'build' and schema_name = ? and table_name = ? and comment is not null"
    for (comment,) in con.execute(f"select comment from duckdb_tables() where {where}", [schema, table]).fetchall():
        con.execute(f"comment on table {new} is {literal(comment)}")
    for column, comment in con.execute(f"select column_name, comment from duckdb_columns() where {where}", [schema, table]).fetchall():
        con.execute(f"comment on column {new}.{quote(column)} is {literal(comment)}")


def is_simulated(published: Path) -> bool | None:
    """Whether the current publication is simulated; None without one."""
    manifest = published / MANIFEST
    return bool(json.loads(manifest.read_text(encoding="utf-8"))["is_simulated"]) if manifest.exists() else None


def refuse_to_replace(published: Path, simulated: bool) -> None:
    """A simulated run never replaces a publication made from delivered files.

    Raises
    ------
    PublishError
        Naming the publication and how to choose another home.
    """
    if simulated and is_simulated(published) is False:
        raise PublishError(
            f"{published} was made from delivered files; a simulated run does not replace it. "
            "Give LANDING=path for delivered files, or another home: CITYSYNC_HOME=data-simulated make refresh"
        )


def publish(
    build_database: Path,
    published: Path,
    *,
    manifest: Mapping[str, Any],
    report: Path,
    data_docs: Path,
) -> dict[str, TableHash]:
    """Write a publication beside the current one and switch to it.

    Parameters
    ----------
    build_database : closed DuckDB file with the schemas of SCHEMAS.
    published : the link readers use; publications lie in `publications/` beside it.
    manifest : keys of the contract but `tables`, which is added here with `files`, the hash and size of every file but the manifest.
    report, data_docs : folders with an index.html.

    Raises
    ------
    PublishError
        If a simulated run would replace a publication of delivered files.
    """
    refuse_to_replace(published, bool(manifest["is_simulated"]))
    store = published.parent / "publications"
    store.mkdir(parents=True, exist_ok=True)
    draft, final = store / f".{manifest['run_id']}", store / manifest["run_id"]
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    tables = copy_tables(build_database, draft / "citysync.duckdb", draft / "parquet")
    shutil.copytree(report, draft / "report")
    shutil.copytree(data_docs, draft / "data_docs")
    entries = {name: table.as_entry() for name, table in tables.items()}
    write_manifest(draft, {**manifest, "tables": entries, "files": hash_files(draft)})
    seal(draft)
    os.replace(draft, final)
    switch(published, final)
    remove_old(store, keep={final.name})
    return tables


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Hash and size of every file below a folder, by its path inside it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): {"sha256": hash_file(path), "bytes": path.stat().st_size} for path in paths}


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """The manifest, and beside it its own hash: a publication is cited by run id and this hash."""
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / MANIFEST_HASH).write_text(f"{hash_file(path)}  {MANIFEST}\n", encoding="utf-8")


def seal(folder: Path) -> None:
    """Flush every file to the disk and take away its write permission."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)


def switch(published: Path, target: Path) -> None:
    """Point the link at a publication in one rename."""
    if published.exists() and not published.is_symlink():
        raise PublishError(f"{published} is not a link made by citysync: move it away, then run again")
    fresh = published.with_name(".published.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, published.parent), target_is_directory=True)
    os.replace(fresh, published)
    directory = os.open(published.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def remove_old(store: Path, keep: set[str]) -> None:
    """Keep the newest KEPT_PUBLICATIONS (run ids sort by time) and drop drafts of killed runs."""
    names = sorted((p.name for p in store.iterdir()), reverse=True)
    kept = set([n for n in names if not n.startswith(".")][:KEPT_PUBLICATIONS]) | keep
    for name in set(names) - kept:
        shutil.rmtree(store / name, ignore_errors=True)
