"""Is a publication still what was published? Every file and every table is hashed again and
compared with the manifest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH, check_manifest, read_manifest
from warehouse.publication.tables import columns_of, hash_table, open_publication, read_files
from warehouse.sql_text import quote


def verify_publication(folder: Path) -> list[str]:
    """Recompute what the manifest says of a publication.

    Parameters
    ----------
    folder : Path
        A publication, or the link to one.

    Returns
    -------
    list of str
        One line per fault, naming the file or table, what the manifest says and what was found;
        empty where all is as published.

    Raises
    ------
    FileNotFoundError
        If there is no publication.
    PublishError
        If its manifest cannot be compared with anything.
    """
    folder = folder.resolve()
    faults = verify_files(folder)
    if faults:
        return faults
    return _table_faults(folder, read_manifest(folder)["tables"])


def verify_files(folder: Path) -> list[str]:
    """Compare only the bytes of the files with the manifest: enough to see whether anything was
    changed, and much faster.

    Returns
    -------
    list of str
        As `verify_publication`, without its faults of tables.

    Raises
    ------
    FileNotFoundError
        If there is no publication.
    """
    folder = folder.resolve()
    if not (folder / MANIFEST).is_file():
        raise FileNotFoundError(
            f"{folder / MANIFEST} does not exist: nothing has been published here; run `make "
            "refresh` first"
        )
    faults = _manifest_faults(folder)
    if faults:
        return faults
    manifest = read_manifest(folder)
    if "files" not in manifest:
        return [
            (
                f"{folder / MANIFEST}: has no hashes of files (published by an earlier version); "
                "publish again with `make refresh`"
            )
        ]
    check_manifest(folder, manifest)
    return _file_faults(folder, manifest["files"])


def _manifest_faults(folder: Path) -> list[str]:
    sidecar = folder / MANIFEST_HASH
    if not sidecar.is_file():
        return [f"{sidecar}: missing, expected the hash of {MANIFEST}"]
    said, found = (
        sidecar.read_text(encoding="utf-8", errors="replace").split(" ", 1)[0],
        hash_file(folder / MANIFEST),
    )
    return (
        []
        if said == found
        else [f"{folder / MANIFEST}: sha256 {found}, expected {said} as in {MANIFEST_HASH}"]
    )


def _file_faults(folder: Path, files: dict[str, dict[str, Any]]) -> list[str]:
    faults = []
    for name, entry in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            faults.append(f"{path}: missing, expected {entry['bytes']} bytes")
        elif hash_file(path) != entry["sha256"]:
            faults.append(
                f"{path}: sha256 {hash_file(path)}, expected {entry['sha256']} "
                f"({path.stat().st_size} of {entry['bytes']} bytes)"
            )
    known = {*files, MANIFEST, MANIFEST_HASH}
    extra = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    return faults + [
        f"{folder / name}: not part of the publication, expected no such file"
        for name in extra
        if name not in known
    ]


def _table_faults(folder: Path, tables: dict[str, dict[str, Any]]) -> list[str]:
    database = folder / "citysync.duckdb"
    try:
        with open_publication(folder) as con:
            return [
                fault
                for name, entry in sorted(tables.items())
                for fault in _table_fault(con, folder, name, entry)
            ]
    except duckdb.Error as error:
        return [
            (
                f"{database}: cannot be read as the manifest says "
                f"({' '.join(str(error).split())[:200]})"
            )
        ]


def _table_fault(
    con: duckdb.DuckDBPyConnection, folder: Path, name: str, entry: dict[str, Any]
) -> list[str]:
    schema, table = name.split(".")
    if "parquet" in entry:
        source, place = read_files(folder, entry["parquet"]), folder / entry["parquet"]
        columns = [row[0] for row in con.execute(f"describe select * from {source}").fetchall()]
    else:
        source, place = f"{quote(schema)}.{quote(table)}", folder / "citysync.duckdb"
        columns = columns_of(
            con, con.execute("select current_database()").fetchone()[0], schema, table
        )
    if not columns:
        return [f"{place}, table {name}: missing, expected {entry['rows']} rows"]
    found = hash_table(con, source, columns)
    if (found.rows, found.sha256) == (entry["rows"], entry["sha256"]):
        return []
    return [
        (
            f"{place}, table {name}: {found.rows} rows, hash {found.sha256}, expected "
            f"{entry['rows']}, {entry['sha256']}"
        )
    ]
