"""Open the tables of a publication that are Parquet files by year, as views of a locked connection.

A DuckDB connection that may read a folder may also write into it, so DuckDB does not open these
files: Arrow reads them, with column selection and filters pushed down. It reads only files that the
manifest names; `verification` checks that they are as published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb

from warehouse.publication.errors import PublishError
from warehouse.publication.manifest import REMEDY
from warehouse.publication.untrusted import Publication
from warehouse.sql_text import quote


def files_of_tables(publication: Publication) -> dict[str, list[Path]]:
    """Return the files of every table that is stored outside the database, by `schema.table`.

    Raises
    ------
    PublishError
        If a file is missing, or a table has none.
    """
    folder, manifest = publication.folder, publication.manifest
    found: dict[str, list[Path]] = {}
    for table, entry in sorted(manifest["tables"].items()):
        if "parquet" not in entry:
            continue
        names = [name for name in sorted(manifest["files"]) if fnmatchcase(name, entry["parquet"])]
        if not names:
            raise PublishError(f"{folder}: expected Parquet files of {table}, found none; {REMEDY}")
        found[table] = [folder / name for name in names]
        for path in found[table]:
            if not path.is_file():
                raise PublishError(f"{path}: expected a file, found none; {REMEDY}")
    return found


def add_yearly_tables(con: duckdb.DuckDBPyConnection, tables: Mapping[str, Sequence[Path]]) -> None:
    """Attach an in-memory database `files` with a view `schema.table` on the files of each table.

    Parameters
    ----------
    con : duckdb connection
        May be locked.
    tables : mapping
        As `files_of_tables` gives them.

    Raises
    ------
    PublishError
        If a file is not a Parquet file.
    """
    # imported here because it loads pandas: a refresh with nothing to do is faster without
    from pyarrow import ArrowException, dataset

    con.execute("attach ':memory:' as files")
    for name, files in tables.items():
        schema, table = map(quote, name.split("."))
        rows = f"files: {name}"
        try:
            con.register(rows, dataset.dataset([str(path) for path in files], format="parquet"))
        except (OSError, ArrowException) as error:
            raise PublishError(f"{files[0]}: expected Parquet files ({error}); {REMEDY}") from error
        con.execute(f"create schema if not exists files.{schema}")
        con.execute(f"create view files.{schema}.{table} as from temp.{quote(rows)}")
