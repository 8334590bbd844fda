"""Draft the layout of an unknown source from its sheets: what could be matched, as YAML, and notes on what could not (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from warehouse.ingest.cells.cell_values import cell_text, is_blank, normal_header
from warehouse.ingest.drafting.header_matching import Catalog, HeaderMatch, match_header, split_unit
from warehouse.ingest.drafting.sheet_profile import Places, SheetProfile, profile_sheet
from warehouse.ingest.formats.grids import Grid

UNMATCHED = "no indicator of the catalog was found for it; map it, or say here why it is left out"
_NO_TABLE = "no table of places and years was found in it; map it, or say here why it is left out"


@dataclass
class TableDraft:
    """One table of the draft: YAML lines without their file, the sheets they hold for, and whether its years come from the edition."""

    lines: list[str]
    sheets: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    has_edition_year: bool = False


@dataclass(frozen=True)
class Draft:
    """A layout as YAML and, for the person who finishes it, one note per line."""

    text: str
    notes: list[str]


def draft_layout(source_id: str, files: Mapping[str, list[Grid]], catalog: Catalog, places: Places, delimiters: Mapping[str, str]) -> Draft:
    """Draft a layout.

    Parameters
    ----------
    source_id : str
        Name of the source's folder.
    files : mapping of str to list of Grid
        Sheets of each file, by path inside the folder.
    catalog, places
        What headers and place cells are compared with.
    delimiters : mapping of str to str
        Separator of each CSV file that does not use a comma.
    """
    tables: list[TableDraft] = []
    notes: list[str] = []
    unread: dict[str, list[str]] = {}
    for file_name, grids in files.items():
        drafts = [_draft_sheet(file_name, grid, catalog, places, notes, delimiters.get(file_name)) for grid in grids]
        read = [(grid, draft) for grid, draft in zip(grids, drafts, strict=True) if draft is not None]
        if not read:
            notes.append(f"{file_name}: no table found; it is in ignore_files")
            unread[file_name] = []
            continue
        skipped = [grid.sheet_name for grid, draft in zip(grids, drafts, strict=True) if draft is None and grid.sheet_name]
        _add_tables(tables, file_name, read, skipped)
    return Draft("\n".join([*_head(source_id, tables, unread), *_body(tables)]) + "\n", notes)


def _add_tables(tables: list[TableDraft], file_name: str, read: list[tuple[Grid, TableDraft]], skipped: list[str]) -> None:
    """Merge sheets of a file, and files, that are built alike."""
    for grid, draft in read:
        sheet = grid.sheet_name
        if skipped:
            draft.lines = [*_ignored_sheets(skipped), *draft.lines]
        same = next(
            (table for table in tables if table.lines == draft.lines and (file_name in table.files or table.sheets == [sheet])), None
        )
        if same is None:
            tables.append(draft)
            same = draft
        if file_name not in same.files:
            same.files.append(file_name)
        if sheet is not None and sheet not in same.sheets:
            same.sheets.append(sheet)


def _ignored_sheets(names: list[str]) -> list[str]:
    return ["    ignore_sheets:", *(f"      - {{name: {_quoted(name)}, reason: {_quoted(_NO_TABLE)}}}" for name in names)]


def _head(source_id: str, tables: list[TableDraft], unread: Mapping[str, list[str]]) -> list[str]:
    lines = [f"source_id: {source_id}", "description: Drafted by new-source; say what it is, which years and cities, and who made it."]
    if any(table.has_edition_year for table in tables):
        lines.append("edition_year: {file_name: '((?:19|20)[0-9]{2})'}")
    if unread:
        lines += ["ignore_files:", *(f"  - {{pattern: {_quoted(_literal(name))}, reason: {_quoted(_NO_TABLE)}}}" for name in unread)]
    return [*lines, "tables:"]


def _body(tables: list[TableDraft]) -> list[str]:
    lines = []
    for table in tables:
        lines.append(f"  - files: [{', '.join(_quoted(_literal(name)) for name in table.files)}]")
        is_by_sheet = any(line.startswith("    sheet_indicators") for line in table.lines)
        if table.sheets and not is_by_sheet:
            lines.append(f"    sheets: {{names: [{', '.join(map(_quoted, table.sheets))}]}}")
        lines += table.lines
    return lines


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _literal(name: str) -> str:
    """File name as a glob that fits only it."""
    return re.sub(r"([\[*?])", r"[\1]", name)


def _draft_sheet(
    file_name: str, grid: Grid, catalog: Catalog, places: Places, notes: list[str], delimiter: str | None
) -> TableDraft | None:
    where = file_name if grid.sheet_name is None else f"{file_name}, sheet {grid.sheet_name!r}"
    profile = profile_sheet(grid, places)
    if profile is None or not profile.value_cols:
        notes.append(f"{where}: no header above numbers was found")
        return None
    title = None if profile.place_level else _title(grid, profile, places)
    if profile.place_level is None and title is None:
        notes.append(
            f"{where}: no column or title with known cities or provinces; headers: {', '.join(filter(None, profile.headers))[:200]}"
        )
        return None
    lines = [f"    delimiter: {_quoted(delimiter)}"] if delimiter else []
    rows = f", rows: {profile.header_rows}" if profile.header_rows > 1 else ""
    lines += [f"    header: {{row: {profile.header_row + 1}{rows}}}", f"    place: {_place(profile, title)}", f"    year: {_year(profile)}"]
    if profile.is_by_year_columns:
        indicators = _by_year_columns(where, grid, profile, catalog, notes)
    else:
        indicators = _by_columns(where, profile, catalog, notes)
    if indicators is None:
        return None
    has_edition_year = not profile.is_by_year_columns and profile.year_col is None
    if has_edition_year:
        notes.append(f"{where}: no year column; the year is taken from the file's name, check edition_offset")
    return TableDraft([*lines, *indicators], has_edition_year=has_edition_year)


def _place(profile: SheetProfile, title: tuple[str, str] | None) -> str:
    if title is not None:
        return f"{{level: {title[0]}, title: {_quoted(title[1])}}}"
    parts = [f"level: {profile.place_level}"]
    for key, col in (("code", profile.code_col), ("name", profile.name_col)):
        if col is not None:
            parts.append(f"{key}: {_quoted(profile.headers[col])}")
    return f"{{{', '.join(parts)}}}"


def _year(profile: SheetProfile) -> str:
    if profile.is_by_year_columns:
        return "{columns: '([12][0-9]{3})(?:[.]0)?年?'}"
    return f"{{column: {_quoted(profile.headers[profile.year_col])}}}" if profile.year_col is not None else "{edition_offset: 0}"


def _title(grid: Grid, profile: SheetProfile, places: Places) -> tuple[str, str] | None:
    """Level of the place that a cell above the header names behind a colon, and the pattern that finds it."""
    for text in _above(grid, profile):
        label, colon, name = text.rpartition(":")
        level = places.names.get(name.lower())
        if colon and level:
            return level, f"^{re.escape(label)}:(.+)$"
    return None


def _above(grid: Grid, profile: SheetProfile) -> list[str]:
    return [normal_header(cell_text(cell)) for row in grid.rows[: profile.header_row] for cell in row if not is_blank(cell)]


def _by_columns(where: str, profile: SheetProfile, catalog: Catalog, notes: list[str]) -> list[str] | None:
    """Indicators as columns; of several headers for one indicator the likest is taken."""
    matches = {col: match_header(profile.headers[col], catalog) for col in profile.value_cols}
    taken = _likest(matches)
    if not taken:
        notes.append(f"{where}: no header matches an indicator: {', '.join(profile.headers[col] for col in profile.value_cols)[:200]}")
        return None
    lines = ["    indicators:"]
    for col, match in taken.items():
        header = profile.headers[col]
        lines.append(
            f"      - {{column: {_quoted(header)}, id: {match.indicator_id}{_unit(match, by_pattern=True)}}}{_remark(match, catalog)}"
        )
        notes.append(_note(where, header, match, catalog))
    used = {*taken, profile.code_col, profile.name_col, profile.year_col}
    left = [header for col, header in enumerate(profile.headers) if header and col not in used]
    if left:
        lines.append("    ignore_columns:")
        lines += [f"      - {{column: {_quoted(header)}, reason: {_quoted(UNMATCHED)}}}" for header in dict.fromkeys(left)]
        notes += [f"{where}: column {header!r} was not matched" for header in left]
    return lines


def _likest(matches: Mapping[int, HeaderMatch | None]) -> dict[int, HeaderMatch]:
    """For each indicator the column with the highest score, the first of equals; in column order."""
    best: dict[str, int] = {}
    for col, match in matches.items():
        if match and (match.indicator_id not in best or match.score > matches[best[match.indicator_id]].score):
            best[match.indicator_id] = col
    return {col: match for col, match in matches.items() if match and best[match.indicator_id] == col}


def _by_year_columns(where: str, grid: Grid, profile: SheetProfile, catalog: Catalog, notes: list[str]) -> list[str] | None:
    """Years across: one indicator for the sheet, named by the sheet, a title or the file; or one indicator per row."""
    if profile.name_col is None and profile.code_col is None:
        return _by_rows(where, grid, profile, catalog, notes)
    texts = [grid.sheet_name or "", *_above(grid, profile), where.partition(",")[0].rpartition(".")[0]]
    candidates = [(text, part, match) for text in texts for part in _parts(text) if (match := match_header(part, catalog))]
    if not candidates:
        notes.append(f"{where}: years are columns, but neither sheet name nor title names an indicator: {' | '.join(texts)[:200]}")
        return None
    _, part, match = max(candidates, key=lambda item: (item[2].score, item[2].unit is not None))
    unit = match.unit or next((unit for other in texts if (unit := _unit_in(other, match, catalog))), None)
    match = HeaderMatch(match.indicator_id, match.how, match.score, unit, None)
    notes.append(_note(where, part, match, catalog))
    line = f"      {_quoted(grid.sheet_name or '*')}: {{id: {match.indicator_id}{_unit(match, by_pattern=False)}}}{_remark(match, catalog)}"
    return ["    sheet_indicators:", line]


def _parts(text: str) -> list[str]:
    """A title as a whole and what stands behind its colon."""
    return list(dict.fromkeys([text, text.rpartition(":")[2]]))


def _unit_in(text: str, match: HeaderMatch, catalog: Catalog) -> str | None:
    """Unit of the indicator that stands in a title, in brackets or behind a colon."""
    for unit in (split_unit(text)[1], text.rpartition(":")[2]):
        if unit and (normal_header(unit).lower(), catalog.canonical_unit[match.indicator_id]) in catalog.units:
            return unit
    return None


def _by_rows(where: str, grid: Grid, profile: SheetProfile, catalog: Catalog, notes: list[str]) -> list[str] | None:
    if not profile.text_cols:
        notes.append(f"{where}: years are columns, but no column names places or indicators")
        return None
    col = profile.text_cols[0]
    first = profile.header_row + profile.header_rows
    labels = [normal_header(cell_text(row[col])) for row in grid.rows[first:] if col < len(row) and not is_blank(row[col])]
    taken = _likest({row: match_header(label, catalog) for row, label in enumerate(labels)})
    notes += [f"{where}: row {label!r} was not matched" for row, label in enumerate(labels) if row not in taken]
    if not taken:
        return None
    lines = ["    row_indicators:", f"      column: {_quoted(profile.headers[col])}", "      indicators:"]
    for row, match in taken.items():
        unit = _unit(match, by_pattern=True)
        lines.append(f"        - {{column: {_quoted(labels[row])}, id: {match.indicator_id}{unit}}}{_remark(match, catalog)}")
        notes.append(_note(where, labels[row], match, catalog))
    return lines


def _unit(match: HeaderMatch, *, by_pattern: bool) -> str:
    if match.unit is None:
        return ""
    return f", unit_pattern: {_quoted(match.unit_pattern)}" if by_pattern and match.unit_pattern else f", unit: {_quoted(match.unit)}"


def _remark(match: HeaderMatch, catalog: Catalog) -> str:
    remarks = [] if match.how != "fuzzy" else [f"a guess, score {match.score:.2f}: check"]
    if match.unit is None:
        remarks.append(f"no known unit: {catalog.canonical_unit[match.indicator_id]} assumed, check")
    return f"  # {'; '.join(remarks)}" if remarks else ""


def _note(where: str, header: str, match: HeaderMatch, catalog: Catalog) -> str:
    unit = match.unit or f"{catalog.canonical_unit[match.indicator_id]} (assumed)"
    return f"{where}: {header!r} -> {match.indicator_id} ({match.how}, {match.score:.2f}), unit {unit}"
