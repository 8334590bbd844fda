"""Bind a layout's table to one sheet: which row is the header and what each column means (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from warehouse.ingest.cells.cell_values import (
    ANY_SHEET,
    cell_ref,
    cell_text,
    column_letters,
    is_blank,
    normal_header,
    parse_year,
)
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.layout_model import (
    IgnoredColumn,
    Indicator,
    LeftOutWhere,
    OtherIdWhere,
    RowIndicators,
    Table,
)
from warehouse.ingest.sheets.finder import (
    Finder,
    find_header,
    first_row_with,
    fits,
    is_named,
    join_headers,
    read_lookup,
    wordings,
)


@dataclass(frozen=True)
class ValueColumn:
    """A column of values (0-based): its indicator, its unit (fixed, or a column of units) and,
    where they are headers, year or place.

    ``indicator_id`` is None where every row has an indicator of its own. ``left_out`` says which
    cells are not taken, by the one in ``flag_col``, ``other`` which are another indicator, by the
    one in ``other_col``.
    """

    col: int
    indicator_id: str | None
    unit_text: str | None
    unit_col: int | None = None
    year_text: str | None = None
    zero_is_missing: str | None = None
    left_out: LeftOutWhere | None = None
    flag_col: int | None = None
    place_text: str | None = None
    other: OtherIdWhere | None = None
    other_col: int | None = None


@dataclass(frozen=True)
class Binding:
    """Columns of a sheet (0-based) after its header was understood; ``ignored`` and ``unmapped``
    are not taken.

    ``data_row`` is the first row under the header, ``end_row`` the one behind the last;
    ``place_name``, ``within_text`` and ``data_year`` are those that hold for the whole sheet,
    ``row_values`` says, by row, what the label in ``label_col`` means, and ``lookup`` what another
    sheet says of the keys in ``key_col``: code and name.
    """

    header_row: int
    data_row: int
    end_row: int
    headers: list[str]
    header_texts: list[str]
    code_col: int | None
    name_col: int | None
    year_col: int | None
    values: list[ValueColumn]
    is_by_year_columns: bool
    ignored: dict[int, str] = field(default_factory=dict)
    unmapped: list[int] = field(default_factory=list)
    place_name: str | None = None
    data_year: tuple[str, int] | None = None
    label_col: int | None = None
    row_values: dict[int, ValueColumn] = field(default_factory=dict)
    within_col: int | None = None
    within_text: str | None = None
    key_col: int | None = None
    lookup: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    @property
    def used(self) -> set[int | None]:
        """Columns that mean something."""
        columns = {
            self.code_col,
            self.name_col,
            self.year_col,
            self.label_col,
            self.within_col,
            self.key_col,
        }
        return columns.union(
            *((value.col, value.unit_col, value.flag_col, value.other_col) for value in self.values)
        )


def bind_table(
    grid: Grid,
    table: Table,
    edition_year: int | None = None,
    sheets: Mapping[str, Grid] | None = None,
    whole: Grid | None = None,
) -> Binding:
    """Find the header and give every column its meaning.

    Parameters
    ----------
    grid : Grid
        One sheet.
    table : Table
        What the layout says of it.
    edition_year : int, optional
        Edition of the file, for a table whose data year follows from it.
    sheets : mapping of str to Grid, optional
        The file's sheets by name, for places that another sheet explains.
    whole : Grid, optional
        The sheet with the columns outside the table's span, over which its title may stand.

    Raises
    ------
    FileFault
        No header, a column that the layout names is missing (all of them are named), or one of them
        occurs twice; a title, a unit or an edition that the layout relies on is missing.
    """
    header_row = find_header(grid, table)
    unit_row = table.header.unit_row or 0
    data_row = header_row + table.header.rows + max(unit_row, 0)
    headers, texts = join_headers(grid, header_row, header_row + table.header.rows)
    finder = Finder(grid, table, header_row, headers, whole)
    place, within, labels = table.place, table.place.within, table.row_indicators
    label_col = finder.find(labels.column) if labels else None
    end_row = find_end(grid, table, data_row, headers)
    bound = {
        "code_col": finder.find(place.code, place.code_letter),
        "name_col": finder.find(place.name, place.name_letter),
        "year_col": finder.find(table.year.column, table.year.letter),
        "label_col": label_col,
        "row_values": _row_values(grid, table, label_col, (data_row, end_row), finder),
        "values": _value_columns(grid, table, finder),
        "place_name": finder.stated("names the place", place.title),
        "data_year": _data_year(table, edition_year, finder),
        "within_col": finder.find(within.column) if within else None,
        "within_text": finder.stated("names the province", within.title, within.sheet_name)
        if within
        else None,
        "key_col": finder.find(place.looked_up.key) if place.looked_up else None,
        "lookup": read_lookup(place.looked_up, sheets or {}, finder),
    }
    finder.raise_faults()
    binding = Binding(
        header_row,
        data_row,
        end_row,
        headers,
        texts,
        is_by_year_columns=table.year.columns is not None,
        **bound,
    )
    ignored = _ignored_columns(table, headers, binding.used)
    unmapped = [
        col
        for col, header in enumerate(headers)
        if header and col not in binding.used and col not in ignored
    ]
    return replace(binding, ignored=ignored, unmapped=unmapped)


def find_end(grid: Grid, table: Table, data_row: int, headers: list[str]) -> int:
    """Return the position of the first row that is no longer of the table; the number of rows where
    it reaches to the sheet's end.
    """
    if table.ends is None:
        return len(grid.rows)
    if table.ends.blank_rows is not None:
        n_blank = 0
        for row in range(data_row, len(grid.rows)):
            n_blank = 0 if any(not is_blank(cell) for cell in grid.rows[row]) else n_blank + 1
            if n_blank == table.ends.blank_rows:
                return row - n_blank + 1
        return len(grid.rows)
    name = normal_header(table.ends.column)
    cols = slice(None) if name == "*" else slice(0, 0)
    if name in headers:
        cols = slice(headers.index(name), headers.index(name) + 1)
    row = first_row_with(grid, table.ends.matches, data_row, cols)
    return len(grid.rows) if row is None else row


def _data_year(table: Table, edition_year: int | None, finder: Finder) -> tuple[str, int] | None:
    """Return the one year of a whole sheet, as text and as a number: from the edition, a title, the
    sheet's name, or given.
    """
    rule = table.year
    if rule.constant is not None:
        return "layout", rule.constant
    if rule.edition_offset is not None:
        if edition_year is None:
            finder.faults.append(
                (
                    "the edition in the file's name or folder, from which the data year follows",
                    "none",
                )
            )
            return None
        return f"edition {edition_year}", edition_year + rule.edition_offset
    text = finder.stated("names the year", rule.title, rule.sheet_name)
    if text is None:
        return None
    year = parse_year(text)
    if year is None:
        finder.faults.append(("a year from 1900 to 2100", repr(text)))
    return (text, year) if year is not None else None


def _row_values(
    grid: Grid, table: Table, label_col: int | None, rows: tuple[int, int], finder: Finder
) -> dict[int, ValueColumn]:
    """Return what the label of each row (0-based) means.

    A required indicator without a row is a fault. So is one with two rows, unless each row names
    its own place or year.
    """
    rule: RowIndicators | None = table.row_indicators
    if rule is None or label_col is None:
        return {}
    place = table.place
    is_repeated = (
        bool(place.code or place.name or place.code_letter or place.name_letter or place.looked_up)
        or table.year.columns is None
    )
    labels = _labels(grid, rule, label_col, rows)
    found, units = {}, {}
    for indicator in rule.indicators:
        named = [row for row, label in labels.items() if label and is_named(label, indicator)]
        shown = " or ".join(indicator.columns) or f"pattern {indicator.pattern}"
        if len(named) > 1 and not is_repeated:
            cells = ", ".join(cell_ref(row + 1, label_col + 1) for row in named)
            finder.faults.append((f"the row {shown} once", f"a duplicate at {cells}"))
        elif not named and not indicator.optional:
            finder.faults.append((f"a row {shown} under {wordings(rule.column)[0]}", "none"))
        for row in named if is_repeated else named[:1]:
            if (indicator.id, labels[row]) not in units:
                units[indicator.id, labels[row]] = finder.unit_in(
                    indicator, [labels[row]], cell_ref(row + 1, label_col + 1)
                )
            unit_text = units[indicator.id, labels[row]]
            found[row] = ValueColumn(
                label_col, indicator.id, unit_text, None, None, indicator.zero_is_missing
            )
    return found


def _labels(
    grid: Grid, rule: RowIndicators, label_col: int, rows: tuple[int, int]
) -> dict[int, str]:
    labels, last = {}, ""
    for row in range(*rows):
        cells = grid.rows[row]
        label = normal_header(cell_text(cells[label_col])) if label_col < len(cells) else ""
        if not label and rule.fill_down:
            label = last
        labels[row] = last = label
    return labels


def _value_columns(grid: Grid, table: Table, finder: Finder) -> list[ValueColumn]:
    for what, pattern in (("year", table.year.columns), ("place", table.place.columns)):
        if pattern is not None:
            return _across(grid, table, finder, what, pattern)
    rule = table.row_indicators
    if rule is not None:
        col, unit_col = finder.find(rule.value), _unit_col(table, finder)
        return [] if col is None else [ValueColumn(col, None, None, unit_col)]
    found = (_columns_of(indicator, finder) for indicator in table.indicators)
    return list(chain.from_iterable(found))


def _unit_col(table: Table, finder: Finder) -> int | None:
    """Return the column of the units of rows, where each row is an indicator."""
    return finder.find(table.row_indicators.unit_column) if table.row_indicators else None


def _columns_of(indicator: Indicator, finder: Finder) -> list[ValueColumn]:
    """Return the value column of an indicator, as a list of one, or of none where it is optional or
    faulty.
    """
    col = finder.value_col(indicator)
    if col is None:
        return []
    unit_col = finder.find(indicator.unit_column)
    left_out = indicator.left_out_where
    flag_col = finder.find(left_out.column) if left_out else None
    other = indicator.other_id_where
    other_col = finder.find(other.column) if other else None
    return [
        ValueColumn(
            col,
            indicator.id,
            finder.unit_of(indicator, col),
            unit_col,
            zero_is_missing=indicator.zero_is_missing,
            left_out=left_out,
            flag_col=flag_col,
            other=other,
            other_col=other_col,
        )
    ]


def _sheet_rule(grid: Grid, table: Table, finder: Finder) -> tuple[str | None, str | None]:
    """Indicator and unit of a whole sheet; None where the table has no such rule."""
    indicator = table.sheet_indicators.get(
        grid.sheet_name or ANY_SHEET, table.sheet_indicators.get(ANY_SHEET)
    )
    if indicator is None:
        return None, None
    unit_text = finder.unit_in(
        indicator, finder.titles(), f"the rows above row {finder.header_row + 1}"
    )
    return indicator.id, unit_text


def _across(grid: Grid, table: Table, finder: Finder, what: str, pattern: str) -> list[ValueColumn]:
    """Return years or places (``what``) as headers: of the whole sheet one indicator, one a row, or
    what a header holds beside its year or place.
    """
    values, seen, unit_col = [], {}, _unit_col(table, finder)
    for col, text, rule, indicator_id, unit_text in _fitting(grid, table, finder, pattern):
        meant = parse_year(text) if what == "year" else text
        key = (meant, rule.id if rule else None)
        if meant is not None and key in seen:
            cells = [cell_ref(finder.header_row + 1, at + 1) for at in (seen[key], col)]
            once = f"the {what} {text} once for an indicator"
            finder.faults.append((once, f"a duplicate header at {', '.join(cells)}"))
        seen[key] = col
        own = {f"{what}_text": text, "zero_is_missing": rule.zero_is_missing if rule else None}
        values.append(ValueColumn(col, indicator_id, unit_text, unit_col, **own))
    if not values:
        headed = f"columns headed by {what}s ({what}.columns must fit a whole header: {pattern})"
        finder.faults.append((headed, "none"))
    return values


def _fitting(
    grid: Grid, table: Table, finder: Finder, pattern: str
) -> Iterator[tuple[int, str, Indicator | None, str | None, str | None]]:
    """Columns whose header a pattern fits: what its group holds, the rule for the rest of the
    header, indicator and unit.
    """
    named = (
        table.year.column,
        table.place.code,
        table.place.name,
        table.row_indicators.column if table.row_indicators else None,
        table.row_indicators.unit_column if table.row_indicators else None,
    )
    taken = set(map(normal_header, chain.from_iterable(map(wordings, named))))
    sheet_id, sheet_unit = _sheet_rule(grid, table, finder)
    for col, header in enumerate(finder.headers):
        match = re.fullmatch(pattern, header) if header and header not in taken else None
        if match is None:
            continue
        if not table.indicators:
            yield col, match.group(1), None, sheet_id, sheet_unit
            continue
        rest = _rest(header, match)
        rule = next((rule for rule in table.indicators if is_named(rest, rule)), None)
        if rule is not None:
            has_own = rule.unit is not None or rule.unit_pattern is not None
            place = cell_ref(finder.header_row + 1, col + 1)
            unit_text = (
                finder.unit_in(rule, [rest], place) if has_own else finder.unit_of(rule, col)
            )
            yield col, match.group(1), rule, rule.id, unit_text


def _rest(header: str, match: re.Match[str]) -> str:
    """Return what a header holds beside the text of a pattern's group, by whole rows of the
    header.
    """
    rows = header.split("|")
    if len(rows) == 1:
        return header[: match.start(1)] + header[match.end(1) :]
    place, kept = 0, []
    for row in rows:
        if not place <= match.start(1) < place + len(row) + 1:
            kept.append(row)
        place += len(row) + 1
    return "|".join(kept)


def _ignored_columns(table: Table, headers: list[str], used: set[int | None]) -> dict[int, str]:
    ignored = {}
    for col, header in enumerate(headers):
        if col in used:
            continue
        rule = next((rule for rule in table.ignore_columns if _is_ignored(rule, header, col)), None)
        if rule is not None:
            ignored[col] = rule.reason
    return ignored


def _is_ignored(rule: IgnoredColumn, header: str, col: int) -> bool:
    if rule.letter is not None and rule.letter != column_letters(col + 1):
        return False
    if rule.column is not None:
        return header in {normal_header(text) for text in wordings(rule.column)}
    if rule.pattern is not None:
        return bool(header) and fits(rule.pattern, header)
    return not header
