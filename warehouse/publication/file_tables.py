"""Tables of a publication that are Parquet files by year, as views of a locked connection.

A DuckDB connection that may read a folder may also write into it, so these files are not opened by
DuckDB: Arrow reads them and hands their rows over, columns and filters pushed down. Only files that
the manifest names, below the publication; `verification` says whether they are as published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb

from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import Publication
from warehouse.publication.manifest import MENDED
from warehouse.sql_text import quote


def files_of_tables(publication: Publication) -> dict[str, list[Path]]:
    """Return the files by `schema.table` of every table that is no table of the database.

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
            raise PublishError(f"{folder}: expected Parquet files of {table}, found none; {MENDED}")
        found[table] = [folder / name for name in names]
        for path in found[table]:
            if not path.is_file():
                raise PublishError(f"{path}: expected a file, found none; {MENDED}")
    return found


def add_file_tables(
    con: duckdb.DuckDBPyConnection, catalog: str, tables: Mapping[str, Sequence[Path]]
) -> None:
    """A database in the connection's memory with a view `schema.table` of the files of each.

    Parameters
    ----------
    con : duckdb connection
        May be locked.
    catalog : str
        Name of the new database.
    tables : mapping
        As `files_of_tables` gives them.

    Raises
    ------
    PublishError
        If a file is no Parquet file.
    """
    # it loads pandas, which a refresh that has nothing to do would wait for
    from pyarrow import ArrowException, dataset

    con.execute(f"attach ':memory:' as {quote(catalog)}")
    for name, files in tables.items():
        schema, table = map(quote, name.split("."))
        rows = f"{catalog}: {name}"
        try:
            con.register(rows, dataset.dataset([str(path) for path in files], format="parquet"))
        except (OSError, ArrowException) as error:
            raise PublishError(f"{files[0]}: expected Parquet files ({error}); {MENDED}") from error
        con.execute(f"create schema if not exists {quote(catalog)}.{schema}")
        con.execute(f"create view {quote(catalog)}.{schema}.{table} as from temp.{quote(rows)}")
