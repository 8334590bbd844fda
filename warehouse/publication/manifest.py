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

MENDED = (
    "put another publication back (citysync rollback id), or take it again from where it was copied"
)
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.json.sha256"
# Key of a manifest: how many publications of its home came before it, and one.
NUMBER = "number"
RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z")
COMMIT = re.compile(r"unknown|[0-9a-f]{7,64}(\+changes)?")
SHA256 = re.compile(r"[0-9a-f]{64}")
PYTHON = re.compile(r"3\.[0-9]{1,2}")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a publication as it is, for a comparison with the run at hand.

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


def place_of(folder: Path) -> tuple[int, str]:
    """Return where a publication stands among those of its home, as a key to sort by.

    The number that its manifest was given says what followed what; the clock, of which its run id
    is made, may have been wrong. Publications of earlier versions have none and come first.

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
    """Return how a manifest is not the one whose hash is stored beside it; empty where it is."""
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
    """Return the manifest of a publication that anybody may have written, with its hash and every
    part that is used checked first.

    Raises
    ------
    PublishError
        As `read_manifest`; or naming the part, what was found and what to do.
    """
    if fault := fault_of_manifest(folder):
        raise PublishError(f"{fault}; {MENDED}")
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
        f"writes it; {MENDED}"
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
    """A file inside the landing and its hash, which what was not opened (a link, a pipe) has
    not.
    """
    if not (isinstance(entry, dict) and "sha256" in entry and _is_inside(entry.get("path"))):
        return False
    return entry["sha256"] is None or _is_text(entry["sha256"], SHA256)


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
