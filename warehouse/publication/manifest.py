"""The manifest of a publication: what it was made from, the hash of every table and file. Not here: how tables are hashed (`tables`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError

MENDED = "put another publication back (make rollback RUN=id), or take it again from where it was copied"
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.json.sha256"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a publication (or of the link to one).

    Raises
    ------
    FileNotFoundError
        If there is none.
    PublishError
        If it cannot be read as a manifest.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise PublishError(f"{path}: expected JSON, found none that can be read ({type(error).__name__}); {MENDED}") from None
    if not isinstance(manifest, dict):
        raise PublishError(f"{path}: expected names and values, found {str(manifest)[:40]!r}; {MENDED}")
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """The manifest, and beside it its own hash: a publication is cited by run id and this hash."""
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / MANIFEST_HASH).write_text(f"{hash_file(path)}  {MANIFEST}\n", encoding="utf-8")


def hash_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Hash and size of every file below a folder, by its path inside it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): {"sha256": hash_file(path), "bytes": path.stat().st_size} for path in paths}


def is_simulated(published: Path) -> bool | None:
    """Whether the current publication is simulated; None without one, or where its manifest does not say."""
    said = read_manifest(published).get("is_simulated") if (published / MANIFEST).exists() else None
    return said if isinstance(said, bool) else None
