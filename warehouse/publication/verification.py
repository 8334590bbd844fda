"""Check whether a publication is still as published: hash every file and table again and compare
the hashes with the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from warehouse.hashing import hash_tree
from warehouse.publication.manifest import (
    MANIFEST,
    MANIFEST_HASH,
    checked_manifest,
    fault_of_manifest,
)
from warehouse.publication.open_yearly_files import add_yearly_tables, files_of_tables
from warehouse.publication.tables import hash_table
from warehouse.publication.untrusted import DATABASE, Publication
from warehouse.sql_text import quote

TABLES = """
select schema_name || '.' || table_name from duckdb_tables() where database_name = 'citysync'
union all
select schema_name || '.' || view_name from duckdb_views() where database_name = 'files'
"""


def verify_publication(folder: Path) -> list[str]:
    """Return how a publication differs from its manifest.

    Parameters
    ----------
    folder : Path
        A publication, or the link to one.

    Returns
    -------
    list of str
        One line per fault with the file or table, what was found and what the manifest says; empty
        if there is none.

    Raises
    ------
    PublishError
        If its manifest is not valid, or `attach_untrusted` refuses its database.
    """
    folder = folder.resolve()
    return verify_files(folder) or _table_faults(Publication(folder, checked_manifest(folder)))


def verify_files(folder: Path) -> list[str]:
    """Compare only the files with the manifest. That finds any change and is much faster.

    Returns
    -------
    list of str
        As `verify_publication`, without its faults of tables.
    """
    folder = folder.resolve()
    if fault := fault_of_manifest(folder):
        return [fault]
    files = checked_manifest(folder)["files"]
    hashes = {name: entry["sha256"] for name, entry in files.items()}
    return differing_files(folder, hashes, ignored=(MANIFEST, MANIFEST_HASH))


def differing_files(folder: Path, hashes: Mapping[str, str], ignored: Iterable[str]) -> list[str]:
    """Return a line for each file below a folder that changed, is missing or was added.

    Links are not followed, because they may lead anywhere; pipes are not opened, because reading
    one may never end.

    Parameters
    ----------
    folder : Path
    hashes : mapping
        sha256 of each file, by its path in the folder.
    ignored : iterable of str
        Files that are not compared.
    """
    expected = {name: f"file {digest}" for name, digest in hashes.items()}
    found = hash_tree(folder)
    return [
        f"{str(folder / name)!r}: found {found.get(name, 'no file')}, expected "
        f"{expected.get(name, 'no file')}"
        for name in sorted({*found, *expected} - {*ignored})
        if found.get(name) != expected.get(name)
    ]


def _table_faults(publication: Publication) -> list[str]:
    faults: list[str] = []
    try:
        with publication.connect() as con:
            add_yearly_tables(con, files_of_tables(publication))
            tables = publication.manifest["tables"]
            present = {name for (name,) in con.execute(TABLES).fetchall()}
            for name, entry in sorted(tables.items()):
                place = f"{publication.folder / entry.get('parquet', DATABASE)}, table {name}"
                if name not in present:
                    faults.append(f"{place}: missing, expected {entry['rows']} rows")
                    continue
                catalog = "citysync"
                if "parquet" in entry:
                    catalog = "files"
                schema, table = map(quote, name.split("."))
                found = hash_table(con, f"{catalog}.{schema}.{table}")
                if not found.items() <= entry.items():
                    faults.append(
                        f"{place}: {found['rows']} rows, hash {found['sha256']}, expected "
                        f"{entry['rows']}, {entry['sha256']}"
                    )
            for name in sorted(present - set(tables)):
                faults.append(f"{publication.database}, table {name!r}: expected none")
    except duckdb.OutOfMemoryException:
        # memory ran out: that is no fault of the publication
        raise
    except duckdb.Error as error:
        found = " ".join(str(error).split())[:200]
        return [f"{publication.database}: cannot be read as the manifest says ({found})"]
    return faults
