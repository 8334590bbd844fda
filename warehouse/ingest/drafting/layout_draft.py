"""Draft the layout of an unknown source from its sheets: what could be matched, as YAML, and notes
on what could not (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.ingest.drafting.evidence import Knowledge
from warehouse.ingest.drafting.header_matching import quoted
from warehouse.ingest.drafting.sheet_draft import EDITION_YEAR, TableDraft, draft_sheet
from warehouse.ingest.drafting.sheet_profile import Places
from warehouse.ingest.formats.grids import Grid

_NO_TABLE = "no table of places and years was found in it; map it, or say here why it is left out"


@dataclass(frozen=True)
class Draft:
    """A layout as YAML and, for the person who finishes it, one note per line."""

    text: str
    notes: list[str]


def draft_layout(
    source_id: str,
    files: Mapping[str, list[Grid]],
    knowledge: Knowledge,
    places: Places,
    delimiters: Mapping[str, str],
) -> Draft:
    """Draft a layout.

    Parameters
    ----------
    source_id : str
        Name of the source's folder.
    files : mapping of str to list of Grid
        Sheets of each file, by path inside the folder.
    knowledge, places
        What columns and place cells are compared with.
    delimiters : mapping of str to str
        Separator of each CSV file that does not use a comma.
    """
    tables: list[TableDraft] = []
    notes: list[str] = []
    unread: dict[str, list[str]] = {}
    for file_name, grids in files.items():
        drafts = [
            draft_sheet(file_name, grid, knowledge, places, notes, delimiters.get(file_name))
            for grid in grids
        ]
        read = [
            (grid, draft) for grid, draft in zip(grids, drafts, strict=True) if draft is not None
        ]
        if not read:
            notes.append(f"{file_name}: no table found; it is in ignore_files")
            unread[file_name] = []
            continue
        skipped = [
            grid.sheet_name
            for grid, draft in zip(grids, drafts, strict=True)
            if draft is None and grid.sheet_name
        ]
        _add_tables(tables, file_name, read, skipped)
    return Draft("\n".join([*_head(source_id, tables, unread), *_body(tables)]) + "\n", notes)


def _add_tables(
    tables: list[TableDraft],
    file_name: str,
    read: list[tuple[Grid, TableDraft]],
    skipped: list[str],
) -> None:
    """Merge sheets of a file, and files, that are built alike."""
    for grid, draft in read:
        sheet = grid.sheet_name
        if skipped:
            draft.lines = [*_ignored_sheets(skipped), *draft.lines]
        same = next(
            (
                table
                for table in tables
                if table.lines == draft.lines
                and (file_name in table.files or table.sheets == [sheet])
            ),
            None,
        )
        if same is None:
            tables.append(draft)
            same = draft
        if file_name not in same.files:
            same.files.append(file_name)
        if sheet is not None and sheet not in same.sheets:
            same.sheets.append(sheet)


def _ignored_sheets(names: list[str]) -> list[str]:
    return [
        "    ignore_sheets:",
        *(f"      - {{name: {quoted(name)}, reason: {quoted(_NO_TABLE)}}}" for name in names),
    ]


def _head(source_id: str, tables: list[TableDraft], unread: Mapping[str, list[str]]) -> list[str]:
    lines = [
        "# yaml-language-server: $schema=layout.schema.json",
        f"source_id: {source_id}",
        (
            "description: Drafted by new-source; say what it is, which years and cities, and who "
            "made it."
        ),
    ]
    if any(f"    year: {EDITION_YEAR}" in "\n".join(table.lines) for table in tables):
        lines.append("edition_year: {file_name: '((?:19|20)[0-9]{2})'}")
    if unread:
        lines += [
            "ignore_files:",
            *(
                f"  - {{pattern: {quoted(_literal(name))}, reason: {quoted(_NO_TABLE)}}}"
                for name in unread
            ),
        ]
    return [*lines, "tables:"]


def _body(tables: list[TableDraft]) -> list[str]:
    lines = []
    for table in tables:
        lines.append(f"  - files: [{', '.join(quoted(_literal(name)) for name in table.files)}]")
        is_by_sheet = any(line.startswith("    sheet_indicators") for line in table.lines)
        if table.sheets and not is_by_sheet:
            lines.append(f"    sheets: {{names: [{', '.join(map(quoted, table.sheets))}]}}")
        lines += table.lines
    return lines


def _literal(name: str) -> str:
    """File name as a glob that fits only it."""
    return re.sub(r"([\[*?])", r"[\1]", name)
