"""Is a publication still what was published? Every file and every table is hashed again and compared with the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from warehouse.hashing import hash_file
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH, read_manifest
from warehouse.publication.tables import columns_of, hash_table, read_files
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
        One line per fault, naming the file or table, what the manifest says and what was found; empty where all is as published.

    Raises
    ------
    FileNotFoundError
        If there is no publication.
    """
    folder = folder.resolve()
    faults = verify_files(folder)
    if faults:
        return faults
    return _table_faults(folder, read_manifest(folder)["tables"])


def verify_files(folder: Path) -> list[str]:
    """Compare only the bytes of the files with the manifest: enough to see whether anything was changed, and much faster.

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
        raise FileNotFoundError(f"{folder / MANIFEST} does not exist: nothing has been published here; run `make refresh` first")
    faults = _manifest_faults(folder)
    if faults:
        return faults
    manifest = read_manifest(folder)
    if "files" not in manifest:
        return [f"{folder / MANIFEST}: has no hashes of files (published by an earlier version); publish again with `make refresh`"]
    return _file_faults(folder, manifest["files"])


def _manifest_faults(folder: Path) -> list[str]:
    sidecar = folder / MANIFEST_HASH
    if not sidecar.is_file():
        return [f"{sidecar}: missing, expected the hash of {MANIFEST}"]
    said, found = sidecar.read_text(encoding="utf-8", errors="replace").split(" ", 1)[0], hash_file(folder / MANIFEST)
    return [] if said == found else [f"{folder / MANIFEST}: sha256 {found}, expected {said} as in {MANIFEST_HASH}"]


def _file_faults(folder: Path, files: dict[str, dict[str, Any]]) -> list[str]:
    faults = []
    for name, entry in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            faults.append(f"{path}: missing, expected {entry['bytes']} bytes")
        elif hash_file(path) != entry["sha256"]:
            faults.append(f"{path}: sha256 {hash_file(path)}, expected {entry['sha256']} ({path.stat().st_size} of {entry['bytes']} bytes)")
    known = {*files, MANIFEST, MANIFEST_HASH}
    extra = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return faults + [f"{folder / name}: not part of the publication, expected no such file" for name in extra if name not in known]


def _table_faults(folder: Path, tables: dict[str, dict[str, Any]]) -> list[str]:
    faults, database = [], folder / "citysync.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        catalog = con.execute("select current_database()").fetchone()[0]
        for name, entry in sorted(tables.items()):
            schema, table = name.split(".", 1)
            if "parquet" in entry:
                source = read_files(folder, entry["parquet"])
                columns = [row[0] for row in con.execute(f"describe select * from {source}").fetchall()]
            else:
                source, columns = f"{quote(schema)}.{quote(table)}", columns_of(con, catalog, schema, table)
            found = hash_table(con, source, columns)
            if (found.rows, found.sha256) != (entry["rows"], entry["sha256"]):
                place = folder / entry["parquet"] if "parquet" in entry else database
                faults.append(f"{place}, table {name}: {found.rows} rows, hash {found.sha256}, expected {entry['rows']}, {entry['sha256']}")
    return faults
