"""The manifest of a publication: what it was made from, the hash of every table and file.

Not here: how tables are hashed (`tables`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError

MENDED = (
    "put another publication back (citysync rollback id), or take it again from where it was copied"
)
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.json.sha256"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a publication (or of the link to one).

    Raises
    ------
    PublishError
        If there is none, or it cannot be read as a manifest.
    """
    path = folder / MANIFEST
    if path.exists() and not is_plain_file(path):
        raise PublishError(f"{path}: expected a file, found a link or a pipe; {MENDED}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PublishError(
            f"{path}: expected JSON, found none that can be read ({type(error).__name__}); {MENDED}"
        ) from None
    if not isinstance(manifest, dict):
        raise PublishError(
            f"{path}: expected names and values, found {str(manifest)[:40]!r}; {MENDED}"
        )
    return manifest


def check_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Whether what a manifest says of files and tables can be compared at all; it may have been
    written by anybody.

    Raises
    ------
    PublishError
        Naming the entry: a path that leads out of the publication, or a part that is no hash, size
        or number of rows.
    """
    for part, size in (("files", "bytes"), ("tables", "rows")):
        entries = manifest.get(part)
        if not isinstance(entries, dict):
            raise PublishError(
                f"{folder / MANIFEST}: {part} is {str(entries)[:40]!r}: expected names and "
                f"entries; {MENDED}"
            )
        for name, entry in entries.items():
            place = PurePosixPath(name)
            is_inside = not place.is_absolute() and ".." not in place.parts and "\0" not in name
            is_named = is_inside if part == "files" else name.count(".") == 1
            if not (
                is_named
                and isinstance(entry, dict)
                and isinstance(entry.get("sha256"), str)
                and type(entry.get(size)) is int
                and entry.get("parquet", "") in ("", files_of(*name.partition(".")[::2]))
            ):
                found = str(entry)[:120]
                raise PublishError(
                    f"{folder / MANIFEST}: {part} has {name!r}: {found!r}: expected an entry as a "
                    f"refresh writes it; {MENDED}"
                )


def is_plain_file(path: Path) -> bool:
    """Return whether a path is a file itself: a link may lead anywhere, a pipe never ends."""
    return path.is_file() and not path.is_symlink()


def files_of(schema: str, table: str) -> str:
    """Where the files of a table lie that is no table of the database, as a pattern."""
    return f"parquet/{schema}/{table}/*/*.parquet"


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """The manifest, and beside it its own hash: a publication is cited by run id and this hash."""
    path = folder / MANIFEST
    path.write_text(
        json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    (folder / MANIFEST_HASH).write_text(f"{hash_file(path)}  {MANIFEST}\n", encoding="utf-8")


def hash_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Hash and size of every file below a folder, by its path inside it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": hash_file(path),
            "bytes": path.stat().st_size,
        }
        for path in paths
    }


def is_simulated(published: Path) -> bool | None:
    """Whether the current publication is simulated; None without one, or where its manifest does
    not say.
    """
    said = read_manifest(published).get("is_simulated") if (published / MANIFEST).exists() else None
    return said if isinstance(said, bool) else None
