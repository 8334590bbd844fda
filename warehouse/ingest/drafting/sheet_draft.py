"""Draft how one sheet is read: place, year, and of each column, row or sheet the indicator that its
values and name speak for (pure).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from warehouse.ingest.cells.cell_values import cell_text, normal_header
from warehouse.ingest.drafting.evidence import (
    FEWEST,
    Finding,
    Knowledge,
    identify_column,
    match_header_unit,
)
from warehouse.ingest.drafting.header_matching import (
    HeaderMatch,
    meaning,
    note_of,
    quoted,
)
from warehouse.ingest.drafting.indicator_lines import (
    SheetInDraft,
    new_indicator_lines,
    taken_lines,
)
from warehouse.ingest.drafting.sheet_cells import (
    NO_CELL,
    across_values,
    body_rows,
    column_values,
    known,
    looks_like_panel,
    row_keys,
    row_places,
)
from warehouse.ingest.drafting.sheet_profile import (
    Places,
    SheetProfile,
    profile_sheet,
    titled_place,
)
from warehouse.ingest.drafting.value_matching import PLACE_STEP, match_values
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.sheets.finder import texts_above
from warehouse.ingest.sheets.rows import cells_of_column

UNMATCHED = "no indicator of the catalog was found for it"
#: How the year of a table begins that follows from the edition of its file.
EDITION_YEAR = "{edition_offset: "
# a yearbook tells of the year before its own
_OFFSETS = (0, -1)
# a year that stands nowhere is believed where so many cells of a column agree
_SURE_OF_YEAR = 0.5
# rows of one label, where a column of labels says which indicator a row holds
_FEWEST_ROWS, _MOST_LABELS = 3, 60
_SUFFIX = ".*[^0-9]((?:19|20)[0-9]{2})年?"


@dataclass
class TableDraft:
    """YAML lines of one table, its sheets and files."""

    lines: list[str]
    sheets: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def draft_sheet(
    file_name: str,
    grid: Grid,
    knowledge: Knowledge,
    places: Places,
    notes: list[str],
    delimiter: str | None,
) -> TableDraft | None:
    """Draft of one sheet; None, and a note why, where it holds no table that could be read.

    Parameters
    ----------
    file_name : str
    grid : Grid
    knowledge, places
        What columns and place cells are compared with.
    notes : list of str
        Receives what was found, a line each.
    delimiter : str or None
        Separator of the file where it is no comma.
    """
    where = file_name if grid.sheet_name is None else f"{file_name}, sheet {grid.sheet_name!r}"
    profile = profile_sheet(grid, places)
    if profile is None or not profile.value_cols:
        notes.append(f"{where}: no header above numbers was found")
        return None
    title = None if profile.place_level else titled_place(grid, profile, places)
    level = profile.place_level or (title[0] if title else "country")
    if level == "country" and profile.year_col is None and not profile.is_by_year_columns:
        headers = ", ".join(filter(None, profile.headers))[:200]
        notes.append(
            f"{where}: no column or title with known cities or provinces, and no years; headers: "
            f"{headers}"
        )
        return None
    sheet = SheetInDraft(
        where,
        grid,
        profile,
        level,
        row_places(grid, profile, places, level, title[2] if title else None),
        knowledge,
        notes,
    )
    if profile.is_by_year_columns:
        indicators, year = (
            _by_year_columns(sheet, has_place=title is None and level != "country"),
            "{columns: '([12][0-9]{3})(?:[.]0)?年?'}",
        )
    elif suffixed := _suffixed(profile):
        indicators, year = _by_suffixes(sheet, suffixed), f"{{columns: '{_SUFFIX}'}}"
    else:
        indicators, year = _by_columns(sheet, year_in_name(file_name))
    if indicators is None:
        return None
    _note_copy(sheet)
    if year.startswith(EDITION_YEAR):
        notes.append(
            f"{where}: no year column; the year is taken from the file's name, check edition_offset"
        )
    lines = [f"    delimiter: {quoted(delimiter)}"] if delimiter else []
    rows = f", rows: {profile.header_rows}" if profile.header_rows > 1 else ""
    lines += [f"    header: {{row: {profile.header_row + 1}{rows}}}"]
    lines += [f"    place: {_place(profile, level, title)}", f"    year: {year}"]
    return TableDraft([*lines, *indicators])


def _note_copy(sheet: SheetInDraft) -> None:
    """Say of which known source the sheet is a copy, where most of what was taken is that."""
    source, n = Counter(sheet.copies).most_common(1)[0] if sheet.copies else (None, 0)
    if source is not None and 2 * n > len(sheet.copies):
        sheet.notes.append(
            f"{sheet.where}: a copy of {source}: {n} of {len(sheet.copies)} indicators have its "
            "figures to the last digit; it is no second source for them (seed source_lineage)"
        )


def _place(profile: SheetProfile, level: str, title: tuple[str, str, str] | None) -> str:
    if title is not None:
        return f"{{level: {level}, title: {quoted(title[1])}}}"
    parts = [f"level: {level}"]
    for key, col in (("code", profile.code_col), ("name", profile.name_col)):
        if col is not None:
            parts.append(f"{key}: {quoted(profile.headers[col])}")
    return f"{{{', '.join(parts)}}}"


def year_in_name(file_name: str) -> int | None:
    """Return the first year in the name of a file, aside from its folders; None where there is
    none.
    """
    years = re.findall(r"(?:19|20)[0-9]{2}", file_name.rpartition("/")[2])
    return int(years[0]) if years else None


def _by_columns(sheet: SheetInDraft, edition: int | None) -> tuple[list[str] | None, str]:
    """Indicators as columns, and where their year stands."""
    profile = sheet.profile
    year, findings = _year_and_findings(sheet, edition)
    taken = _likest({col: finding.match for col, finding in findings.items()})
    if sheet.level == "country":
        # without places only values can tell a series of the country from any other
        taken = {col: match for col, match in taken.items() if match.how == "values"}
    if not taken:
        columns = {
            profile.headers[col]: column_values(sheet.grid, profile, col)
            for col in profile.value_cols
        }
        keys = row_keys(sheet.grid, profile, sheet.level, sheet.place_ids, edition)
        if sheet.level == "country" or not looks_like_panel(keys[keys != NO_CELL]):
            shown = ", ".join(columns)[:200]
            sheet.notes.append(f"{sheet.where}: no column is like an indicator: {shown}")
            return None, year
        by_header = {profile.headers[col]: finding for col, finding in findings.items()}
        return ["    indicators:", *new_indicator_lines(sheet, columns, by_header, "      ")], year
    texts = {col: profile.headers[col] for col in taken}
    lines = ["    indicators:", *taken_lines(sheet, taken, texts, findings, "      ")]
    lines += _left_columns(sheet, taken, findings)
    return lines, year


def _suffixed(profile: SheetProfile) -> dict[str, dict[int, str]]:
    """Return years behind the name of an indicator, such as ``popu_2020``: by that name the years
    of its columns, of three or more, or of two where most columns of the sheet are so.
    """
    found: dict[str, dict[int, str]] = {}
    for col in profile.value_cols if profile.year_col is None else ():
        match = re.fullmatch(_SUFFIX, profile.headers[col])
        if match:
            found.setdefault(profile.headers[col].replace(match[1], ""), {})[col] = match[1]
    several = {name: years for name, years in found.items() if len(set(years.values())) >= 2}
    n_columns = sum(map(len, several.values()))
    if any(len(years) >= 3 for years in several.values()) or 2 * n_columns > len(
        profile.value_cols
    ):
        return several
    return {}


def _by_suffixes(sheet: SheetInDraft, suffixed: Mapping[str, Mapping[int, str]]) -> list[str]:
    """Indicators whose columns end in their year."""
    rows, findings, values_of = range(len(sheet.place_ids)), {}, {}
    for name, years in suffixed.items():
        headers = [years.get(col, "") for col in range(len(sheet.profile.headers))]
        part = replace(sheet.profile, headers=headers, value_cols=list(years))
        keys, values_of[name] = across_values(sheet.grid, part, sheet.level, sheet.place_ids, rows)
        findings[name] = identify_column(name.strip("_"), keys, values_of[name], sheet.knowledge)
    taken = _likest({name: finding.match for name, finding in findings.items()})
    rest = {name: values for name, values in values_of.items() if name not in taken}
    lines = taken_lines(sheet, taken, {n: n for n in taken}, findings, "      ", by_pattern=False)
    lines += new_indicator_lines(sheet, rest, findings, "      ")
    used = dict.fromkeys(chain.from_iterable(suffixed.values()))
    return ["    indicators:", *lines, *_left_columns(sheet, used, {})]


def _year_and_findings(sheet: SheetInDraft, edition: int | None) -> tuple[str, dict[int, Finding]]:
    """Where the year stands, and what each column is then; where no column holds it, the year that
    the values speak for.
    """
    profile, reference = sheet.profile, sheet.knowledge.reference
    if profile.year_col is not None:
        return f"{{column: {quoted(profile.headers[profile.year_col])}}}", _identify_columns(
            sheet, None
        )
    if edition is not None:
        ways = {f"{{edition_offset: {offset}}}": edition + offset for offset in _OFFSETS}
    elif reference is not None:
        year = _year_of_values(sheet)
        if year is None:
            return "{edition_offset: 0}", _identify_columns(sheet, None)
        sheet.notes.append(
            f"{sheet.where}: no year anywhere; the values are those of {year}, check"
        )
        return f"{{constant: {year}}}", _identify_columns(sheet, year)
    else:
        ways = {"{edition_offset: 0}": None}
    identified = {way: _identify_columns(sheet, year) for way, year in ways.items()}
    best = max(
        identified,
        key=lambda way: sum(
            f.match.score
            for f in identified[way].values()
            if f.match is not None and f.match.how == "values"
        ),
    )
    return best, identified[best]


def _year_of_values(sheet: SheetInDraft) -> int | None:
    """Return the year in which a column of a sheet without years agrees best with what is known;
    None where none agrees in half of its cells.
    """
    reference, best = sheet.knowledge.reference, (0.0, 0)
    columns = {
        col: column_values(sheet.grid, sheet.profile, col) for col in sheet.profile.value_cols
    }
    for year in np.unique(reference.keys % PLACE_STEP).tolist():
        keys = row_keys(sheet.grid, sheet.profile, sheet.level, sheet.place_ids, year)
        pairs = [known(keys, values) for values in columns.values()]
        likest = chain.from_iterable(match_values(*pair, reference)[:1] for pair in pairs)
        share = max((match.share for match in likest if match.n >= FEWEST), default=0.0)
        best = max(best, (share, year))
    return best[1] if best[0] >= _SURE_OF_YEAR else None


def _identify_columns(sheet: SheetInDraft, year: int | None) -> dict[int, Finding]:
    keys = row_keys(sheet.grid, sheet.profile, sheet.level, sheet.place_ids, year)
    is_panel = looks_like_panel(keys[keys != NO_CELL])
    return {
        col: identify_column(
            sheet.profile.headers[col],
            *known(keys, column_values(sheet.grid, sheet.profile, col)),
            sheet.knowledge,
            is_series=sheet.level == "country",
            is_panel=is_panel,
        )
        for col in sheet.profile.value_cols
    }


def _left_columns(
    sheet: SheetInDraft, taken: Mapping[int, HeaderMatch | None], findings: Mapping[int, Finding]
) -> list[str]:
    """Return lines for the columns that nothing is known of, each with what was seen."""
    profile = sheet.profile
    used = {*taken, profile.code_col, profile.name_col, profile.year_col}
    seen: dict[str, str] = {}
    for col, header in enumerate(profile.headers):
        if not header or col in used or header in seen:
            continue
        finding = findings.get(col)
        evidence = (
            "another column fits the same indicator better"
            if finding and finding.match
            else finding.evidence
            if finding
            else ""
        )
        seen[header] = f"{evidence or UNMATCHED}; map it, or say here why it is left out"
        sheet.notes.append(
            f"{sheet.where}: column {header!r} was not matched"
            + (f": {evidence}" if evidence else "")
        )
    if not seen:
        return []
    return [
        "    ignore_columns:",
        *(
            f"      - {{column: {quoted(header)}, reason: {quoted(reason)}}}"
            for header, reason in seen.items()
        ),
    ]


def _likest(matches: Mapping[int, HeaderMatch | None]) -> dict[int, HeaderMatch]:
    """For each indicator the column that fits best (values before names), the first of equals; in
    column order.
    """
    best: dict[str, int] = {}

    def rank(match: HeaderMatch) -> tuple[bool, float]:
        return match.how == "values", match.score

    for col, match in matches.items():
        if match and (
            match.indicator_id not in best or rank(match) > rank(matches[best[match.indicator_id]])
        ):
            best[match.indicator_id] = col
    return {
        col: match for col, match in matches.items() if match and best[match.indicator_id] == col
    }


def _by_year_columns(sheet: SheetInDraft, *, has_place: bool) -> list[str] | None:
    """Return years across: an indicator a row, or one for the sheet, named by the sheet, a title or
    the file and known by its values.
    """
    labels = _label_col(sheet, has_place=has_place)
    if labels is not None:
        return _by_rows(sheet, labels, has_place=has_place)
    if not has_place:
        sheet.notes.append(
            f"{sheet.where}: years are columns, but no column names places or indicators"
        )
        return None
    texts = [
        sheet.grid.sheet_name or "",
        *texts_above(sheet.grid, sheet.profile.header_row),
        sheet.where.partition(",")[0].rpartition(".")[0],
    ]
    cells = across_values(
        sheet.grid, sheet.profile, sheet.level, sheet.place_ids, range(len(sheet.place_ids))
    )
    # a title as a whole, and what stands behind its colon
    titles, bracketed = [], []
    for text in texts:
        behind = text.rpartition(":")[2]
        titles += [text, behind]
        bracketed += [text, f"({behind})"]
    findings = [
        (part, identify_column(part, *cells, sheet.knowledge)) for part in dict.fromkeys(titles)
    ]
    found = [(part, finding) for part, finding in findings if finding.match is not None]
    if not found:
        text = next(text for text in texts if text)
        indicator = new_indicator_lines(
            sheet, {text: cells[1]}, {text: findings[0][1]}, "", titles=titles
        )[0]
        fields = indicator.partition("id: ")[2]
        return [
            "    sheet_indicators:",
            f"      {quoted(sheet.grid.sheet_name or '*')}: {{id: {fields}",
        ]
    part, finding = max(
        found,
        key=lambda item: (
            item[1].match.how == "values",
            item[1].match.score,
            item[1].match.unit_pattern is not None,
        ),
    )
    sheet.copies.append(finding.copy_of)
    match, catalog = finding.match, sheet.knowledge.catalog
    titled = match_header_unit(bracketed, match.indicator_id, catalog)
    unit = match.unit or (titled.unit if titled else None)
    match = HeaderMatch(match.indicator_id, match.how, match.score, unit, None)
    sheet.notes.append(note_of(sheet.where, part, match, catalog, finding.evidence))
    line = f"{{{meaning(match, catalog, finding.evidence)}"
    return ["    sheet_indicators:", f"      {quoted(sheet.grid.sheet_name or '*')}: {line}"]


def _label_col(sheet: SheetInDraft, *, has_place: bool) -> int | None:
    """Return the column whose texts say which indicator a row holds; beside a column of places its
    few texts must come again and again.
    """
    cols = sheet.profile.text_cols
    if not has_place:
        return cols[0] if cols else None
    for col in cols:
        counts = Counter(label for label in _labels(sheet, col) if label)
        if 1 < len(counts) <= _MOST_LABELS and min(counts.values()) >= _FEWEST_ROWS:
            return col
    return None


def _labels(sheet: SheetInDraft, col: int) -> list[str]:
    cells = cells_of_column(body_rows(sheet.grid, sheet.profile), col)
    return [normal_header(cell_text(cell)) for cell in cells]


def _by_rows(sheet: SheetInDraft, col: int, *, has_place: bool) -> list[str] | None:
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(_labels(sheet, col)):
        if label:
            rows.setdefault(label, []).append(row)
    findings, values_of = {}, {}
    for label, own in rows.items():
        keys, values_of[label] = across_values(
            sheet.grid, sheet.profile, sheet.level, sheet.place_ids, own
        )
        findings[label] = identify_column(
            label, keys, values_of[label], sheet.knowledge, is_series=not has_place
        )
    taken = _likest({label: finding.match for label, finding in findings.items()})
    for label, finding in findings.items():
        if label not in taken:
            sheet.notes.append(f"{sheet.where}: row {label!r} was not matched: {finding.evidence}")
    lines = [
        "    row_indicators:",
        f"      column: {quoted(sheet.profile.headers[col])}",
        "      indicators:",
    ]
    if not taken:
        new = new_indicator_lines(sheet, values_of, findings, "        ") if has_place else []
        return [*lines, *new] if new else None
    return [
        *lines,
        *taken_lines(sheet, taken, {label: label for label in rows}, findings, "        "),
    ]
