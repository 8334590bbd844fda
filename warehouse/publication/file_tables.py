"""Tables of a publication that are Parquet files by year, as tables of a locked connection.

A DuckDB connection that may read a folder may also write into it, so these files are not opened by
DuckDB: Arrow reads them and hands their rows over, columns and filters pushed down. Only files that
the manifest names, below the publication, with the hash it has for them.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import MENDED, check_manifest, read_manifest
from warehouse.sql_text import quote


def files_of_tables(
    folder: Path, wanted: Callable[[str], bool] = lambda _: True
) -> dict[str, list[Path]]:
    """Files by `schema.table` of every wanted table that is no table of the database, each hashed
    again.

    Parameters
    ----------
    folder : Path
        A publication, resolved.
    wanted : callable
        Is given `schema.table`; the files of others are not looked at.

    Raises
    ------
    PublishError
        If a file is missing, is a link, or has another hash than the manifest says; or the manifest
        cannot be used.
    FileNotFoundError
        If there is no manifest.
    """
    manifest = read_manifest(folder)
    check_manifest(folder, manifest)
    found = {}
    for table, entry in sorted(manifest["tables"].items()):
        if "parquet" in entry and wanted(table):
            names = sorted(
                name for name in manifest["files"] if fnmatchcase(name, entry["parquet"])
            )
            if not names:
                raise PublishError(
                    f"{folder}: expected files of {table} as {entry['parquet']}, found none; "
                    f"{MENDED}"
                )
            found[table] = [_checked(folder, name, manifest["files"][name]) for name in names]
    return found


def _checked(folder: Path, name: str, entry: dict[str, Any]) -> Path:
    path = folder / name
    if path.is_symlink() or not path.is_file() or path.resolve() != path:
        raise PublishError(
            f"{path}: expected a file of {entry['bytes']:,} bytes, found none or a link; {MENDED}"
        )
    if path.stat().st_size != entry["bytes"] or hash_file(path) != entry["sha256"]:
        raise PublishError(
            f"{path}: it is not the file that was published (another sha256); {MENDED}"
        )
    return path


def add_file_tables(
    con: duckdb.DuckDBPyConnection, catalog: str, tables: dict[str, list[Path]]
) -> None:
    """Views in the connection's memory: the tables of files, and beside them every table of the
    attached database under the same name.

    Parameters
    ----------
    con : duckdb connection
        Opened in memory, with the publication's database attached; before it is locked.
    catalog : str
        Name of the attached database.
    tables : dict
        As `files_of_tables` gives them.
    """
    from pyarrow import dataset

    in_database = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? order by all",
        [catalog],
    ).fetchall()
    for schema in sorted(
        {schema for schema, _ in in_database} | {table.split(".")[0] for table in tables}
    ):
        con.execute(f"create schema if not exists memory.{quote(schema)}")
    for schema, table in in_database:
        con.execute(
            f"create view memory.{quote(schema)}.{quote(table)} as from "
            f"{catalog}.{quote(schema)}.{quote(table)}"
        )
    for name, files in tables.items():
        schema, table = name.split(".")
        con.register(
            f"files of {name}", dataset.dataset([str(path) for path in files], format="parquet")
        )
        con.execute(
            f"create view memory.{quote(schema)}.{quote(table)} as from "
            f"temp.{quote(f'files of {name}')}"
        )
    con.execute("use memory")
