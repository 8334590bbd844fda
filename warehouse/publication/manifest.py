"""The manifest of a publication: what it was made from, the hash of every table and file.

Not here: how tables are hashed (`tables`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from warehouse.hashing import hash_file
from warehouse.publication.errors import PublishError

REMEDY = "roll back to another publication (citysync rollback RUN), or copy this one again"
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.json.sha256"
# Key of a manifest: position among the publications of its home, counted from 1.
NUMBER = "number"
RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z")
COMMIT = re.compile(r"unknown|[0-9a-f]{7,64}(\+changes)?")
SHA256 = re.compile(r"[0-9a-f]{64}")
PYTHON = re.compile(r"3\.[0-9]{1,2}")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a publication without checking its entries.

    Raises
    ------
    PublishError
        If there is none, or it is not a JSON object.
    """
    path = folder / MANIFEST
    if path.exists() and not is_plain_file(path):
        raise PublishError(f"{path}: expected a file, found a link or a pipe; {REMEDY}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PublishError(
            f"{path}: expected JSON, found none that can be read ({type(error).__name__}); {REMEDY}"
        ) from None
    if not isinstance(manifest, dict):
        raise PublishError(
            f"{path}: expected names and values, found {str(manifest)[:40]!r}; {REMEDY}"
        )
    return manifest


def order_key(folder: Path) -> tuple[int, str]:
    """Return a key that sorts the publications of a home from the oldest to the newest.

    The number in the manifest decides, because the clock that gives the run id may have been wrong.
    Publications of earlier versions have no number and come first.

    Parameters
    ----------
    folder : Path
        The publication, or what the archive keeps of it.
    """
    try:
        number = read_manifest(folder).get(NUMBER)
    except PublishError:
        number = None
    if type(number) is not int:
        number = 0
    return number, folder.name.rpartition("=")[2]


def fault_of_manifest(folder: Path) -> str:
    """Return how the manifest differs from the hash stored next to it; empty if they agree."""
    path = folder / MANIFEST
    sidecar = folder / MANIFEST_HASH
    for file in (sidecar, path):
        if not is_plain_file(file):
            return f"{file}: missing, expected a file"
    expected = sidecar.read_text(encoding="utf-8", errors="replace").split(" ", 1)[0]
    found = hash_file(path)
    if found != expected:
        return f"{path}: sha256 {found}, expected {expected} as in {MANIFEST_HASH}"
    return ""


def checked_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an untrusted publication after checking its hash and every entry that
    is used.

    Raises
    ------
    PublishError
        As `read_manifest`; or if the hash or an entry is wrong.
    """
    if fault := fault_of_manifest(folder):
        raise PublishError(f"{fault}; {REMEDY}")
    manifest = read_manifest(folder)
    expected = {
        "run_id": _is_text(manifest.get("run_id"), RUN_ID),
        "git_commit": _is_text(manifest.get("git_commit"), COMMIT),
        "started_at": isinstance(manifest.get("started_at", ""), str),
        "is_simulated": isinstance(manifest.get("is_simulated"), bool),
        "inputs": isinstance(manifest.get("inputs"), list)
        and all(_is_input(entry) for entry in manifest["inputs"]),
        "packages": isinstance(manifest.get("packages"), dict)
        and _is_text(manifest["packages"].get("python", "3.11"), PYTHON),
        "files": isinstance(manifest.get("files"), dict),
        "tables": isinstance(manifest.get("tables"), dict),
    }
    for name, holds in expected.items():
        if not holds:
            raise _unlike_ours(folder, name, manifest.get(name))
    for name, entry in manifest["files"].items():
        if not (_is_inside(name) and _is_counted(entry, "bytes")):
            raise _unlike_ours(folder, f"files: {name!r}", entry)
    for name, entry in manifest["tables"].items():
        if not (name.count(".") == 1 and _is_counted(entry, "rows")):
            raise _unlike_ours(folder, f"tables: {name!r}", entry)
        if entry.get("parquet", "") not in ("", files_of(*name.split("."))):
            raise _unlike_ours(folder, f"tables: {name!r}", entry)
    return manifest


def _unlike_ours(folder: Path, part: str, found: object) -> PublishError:
    return PublishError(
        f"{folder / MANIFEST}: {part} is {str(found)[:120]!r}: expected it as `make refresh` "
        f"writes it; {REMEDY}"
    )


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_inside(name: object) -> bool:
    """Return whether a path leads to a file below the folder that it is relative to."""
    if not isinstance(name, str):
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _is_counted(entry: object, size: str) -> bool:
    if not isinstance(entry, dict):
        return False
    return _is_text(entry.get("sha256"), SHA256) and type(entry.get(size)) is int


def _is_input(entry: object) -> bool:
    """Return whether an entry names a file inside the landing with its hash, or with null: links
    and pipes are not opened, so they have no hash.
    """
    if not (isinstance(entry, dict) and "sha256" in entry and _is_inside(entry.get("path"))):
        return False
    return entry["sha256"] is None or _is_text(entry["sha256"], SHA256)


def is_plain_file(path: Path) -> bool:
    """Return whether a path is a file itself: a link may lead anywhere, a pipe never ends."""
    return path.is_file() and not path.is_symlink()


def files_of(schema: str, table: str) -> str:
    """Return the glob pattern for the files of a table that is stored by year, outside the
    database.
    """
    return f"parquet/{schema}/{table}/*/*.parquet"


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest and its hash; a publication is cited by run id and this hash."""
    path = folder / MANIFEST
    path.write_text(
        json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    (folder / MANIFEST_HASH).write_text(f"{hash_file(path)}  {MANIFEST}\n", encoding="utf-8")


def hash_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the hash and size of every file below a folder, by its path inside it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": hash_file(path),
            "bytes": path.stat().st_size,
        }
        for path in paths
    }


def is_simulated(published: Path) -> bool | None:
    """Return whether the current publication is simulated; None if there is none, or if its
    manifest does not say.
    """
    if not (published / MANIFEST).exists():
        return None
    found = read_manifest(published).get("is_simulated")
    return found if isinstance(found, bool) else None
