"""Whether a publication that anybody may have written can be used, and whether two are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from warehouse.errors import Refused
from warehouse.publication.errors import PublishError
from warehouse.publication.foreign import Publication, open_publication
from warehouse.publication.manifest import MANIFEST, MENDED, check_manifest, read_manifest
from warehouse.publication.verification import verify_files, verify_row_counts

# what each part of a manifest must be before it is used
RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z")
COMMIT = re.compile(r"unknown|[0-9a-f]{7,64}(\+changes)?")
SHA256 = re.compile(r"[0-9a-f]{64}")
PYTHON = re.compile(r"3\.[0-9]{1,2}")
CheckSettings = Callable[[object], dict[str, str]]


def read_foreign_manifest(folder: Path, check_settings: CheckSettings) -> dict[str, Any]:
    """Return the manifest of a publication that anybody may have written, with every part that is
    used checked first.

    Parameters
    ----------
    folder : Path
    check_settings : callable
        Returns the settings that a manifest records, or raises Refused.

    Raises
    ------
    PublishError
        Naming the manifest, the part, what was expected and what was found.
    """
    path = folder / MANIFEST
    manifest = read_manifest(folder)
    check_manifest(folder, manifest)
    try:
        settings = check_settings(manifest.get("settings", {}))
    except Refused as error:
        raise PublishError(f"{path}: {error}") from None
    expected = {
        "run_id": _is_text(manifest.get("run_id"), RUN_ID),
        "git_commit": _is_text(manifest.get("git_commit"), COMMIT),
        "is_simulated": isinstance(manifest.get("is_simulated"), bool),
        "inputs": isinstance(manifest.get("inputs"), list)
        and all(_is_input(entry) for entry in manifest["inputs"]),
        "packages": isinstance(manifest.get("packages"), dict)
        and _is_text(manifest["packages"].get("python", "3.11"), PYTHON),
    }
    for name, holds in expected.items():
        if not holds:
            found = str(manifest.get(name))[:120]
            raise PublishError(
                f"{path}: {name} is {found!r}: expected it as `make refresh` writes it; take the "
                "whole publication again"
            )
    return {**manifest, "settings": settings}


def open_to_pass_on(publication: Path, check_settings: CheckSettings) -> Publication:
    """Open a publication that anybody may have written, for a command that copies it to others.

    Raises
    ------
    PublishError
        As `open_publication` and `read_foreign_manifest`, or if its files, tables or numbers of
        rows are not those of its manifest.
    """
    found = open_publication(publication)
    manifest = read_foreign_manifest(found.folder, check_settings)
    faults = verify_files(found.folder) or verify_row_counts(found.folder)
    if faults:
        raise PublishError(f"{faults[0]}; {MENDED}")
    return Publication(found.folder, manifest)


@dataclass(frozen=True)
class Comparison:
    """Two publications by the hashes of their tables, but those of `meta`, which hold the run's own
    id and time.

    Attributes
    ----------
    n_tables : int
        How many were compared.
    differing : list of str
        Tables whose hashes differ, or that one of both lacks.
    why : list of str
        What else differs: the commit, versions of packages.
    """

    n_tables: int
    differing: list[str]
    why: list[str]


def compare_manifests(first: dict[str, Any], again: dict[str, Any]) -> Comparison:
    """Compare two manifests that `read_foreign_manifest` returned."""
    both = {*first["tables"], *again["tables"]}
    names = {name for name in both if not name.startswith("meta.")}
    differing = [name for name in _differing(first["tables"], again["tables"]) if name in names]
    why = []
    if first["git_commit"] != again["git_commit"]:
        why.append(
            f"it was made from commit {first['git_commit']}, this checkout is {again['git_commit']}"
        )
    packages = _differing(first["packages"], again["packages"])
    if packages:
        why.append(f"other versions of {', '.join(packages)}")
    return Comparison(len(names), differing, why)


def _differing(first: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Return the names, sorted, whose values differ."""
    return sorted(name for name in {*first, *again} if first.get(name) != again.get(name))


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_input(entry: object) -> bool:
    """A file inside the landing and its hash, which what was not opened (a link, a pipe)
    has not.
    """
    if not (isinstance(entry, dict) and isinstance(entry.get("path"), str) and "sha256" in entry):
        return False
    if entry["sha256"] is not None and not _is_text(entry["sha256"], SHA256):
        return False
    path = PurePosixPath(entry["path"])
    return not path.is_absolute() and ".." not in path.parts and "\0" not in entry["path"]
