"""Derive from a path in the landing the source, the edition, and whether the file is to be read
(pure).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from warehouse.ingest.layout_model import Layout, Table
from warehouse.ingest.raw_table import TIDY_SOURCE, FileOrigin
from warehouse.ingest.roster import PLACES_SOURCE, ROSTER, ZONES
from warehouse.ingest.sheets.choice import matches_path, tables_for
from warehouse.ingest.unchanged_files import Snapshot

POLICY_SOURCE = "policy_texts"
ROOT_SOURCE = "."
NO_LAYOUT = "the folder has no layout: add warehouse/ingest/layouts/<source_id>.yml to read it"
_NOT_TIDY = (
    "the source tidy takes CSV and Parquet files: convert it, or put it into a source folder with "
    "a layout"
)
_ROSTER = "the places of this landing, which take the place of the seed's"
_NOT_ROSTER = (
    f"the folder {PLACES_SOURCE} takes {ROSTER} and {ZONES}: move it to its source's folder"
)
_AT_ROOT = "the file lies outside any source folder: move it to <landing>/<source_id>/"
_NO_PATTERN = (
    "no file pattern of the layout fits: add one, or list the file in ignore_files with a reason"
)


@dataclass(frozen=True)
class DeliveredFile:
    """A file of the landing: its true path, its readable path below the landing, source, edition,
    and why it is not read (or None).

    ``snapshot`` is what it was when it was hashed for reading.
    """

    location: Path
    path: str
    origin: FileOrigin
    note: str | None = None
    is_ignored: bool = False
    sha256: str | None = None
    size: int | None = None
    snapshot: Snapshot | None = None


def readable(name: str) -> str:
    """Return a name as valid text: bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def describe_file(
    root: Path, location: Path, note: str | None, layouts: Mapping[str, Layout]
) -> DeliveredFile:
    """Source, edition and fate of a file below ``root``; ``note`` is a reason already known not to
    open it.
    """
    path = readable(location.relative_to(root).as_posix())
    source_id, _, file_name = path.partition("/")
    if not file_name:
        return DeliveredFile(location, path, FileOrigin(ROOT_SOURCE, None, path), note or _AT_ROOT)
    edition_year, inner = path_in_edition(file_name)
    layout = layouts.get(source_id)
    if edition_year is None and layout is not None:
        edition_year = _edition_in_name(layout, inner)
    origin = FileOrigin(source_id, edition_year, file_name)
    hidden = note or _hidden_note(file_name)
    if hidden:
        return DeliveredFile(location, path, origin, hidden)
    # a roster has no editions: one in a folder of a year is not read, and must not be called the
    # places of this landing
    why, is_ignored = _unread_note(
        source_id, file_name if source_id == PLACES_SOURCE else inner, layout
    )
    return DeliveredFile(location, path, origin, why, is_ignored)


def path_in_edition(file_name: str) -> tuple[int | None, str]:
    """Edition year of a leading folder of four digits, or None, and the path inside it, composed
    (NFC) for comparison with patterns.
    """
    first, _, inside = file_name.partition("/")
    is_edition = bool(inside) and len(first) == 4 and first.isascii() and first.isdigit()
    return (
        (int(first), unicodedata.normalize("NFC", inside))
        if is_edition
        else (None, unicodedata.normalize("NFC", file_name))
    )


def _hidden_note(file_name: str) -> str | None:
    parts = file_name.split("/")
    if parts[-1].startswith(("~$", ".~lock.")):
        return "a lock file that an office program left behind"
    is_hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1] in (
        "Thumbs.db",
        "desktop.ini",
    )
    return "a hidden or system file" if is_hidden else None


def _unread_note(source_id: str, inner: str, layout: Layout | None) -> tuple[str | None, bool]:
    """Return why a file is not read, or None, and whether its layout ignores it knowingly."""
    if source_id == TIDY_SOURCE:
        return (
            None if PurePosixPath(inner).suffix.lower() in (".csv", ".parquet") else _NOT_TIDY
        ), False
    if source_id == PLACES_SOURCE:
        is_roster = inner in (ROSTER, ZONES)
        return (_ROSTER if is_roster else _NOT_ROSTER), is_roster
    if layout is None:
        return (None if source_id == POLICY_SOURCE else NO_LAYOUT), False
    for rule in layout.ignore_files:
        if matches_path(inner, rule.pattern):
            return f"left out by the layout: {rule.reason}", True
    return (None if tables_for(layout, inner) else _NO_PATTERN), False


def tables_of(layout: Layout, file_name: str) -> list[Table]:
    """Return tables of a layout that fit a file, by its path inside the source's folder."""
    return tables_for(layout, path_in_edition(file_name)[1])


def _edition_in_name(layout: Layout, inner: str) -> int | None:
    if layout.edition_year is None:
        return None
    if layout.edition_year.fixed is not None:
        return layout.edition_year.fixed
    match = re.search(layout.edition_year.file_name, PurePosixPath(inner).name)
    return int(match.group(1)) + layout.edition_year.offset if match else None
