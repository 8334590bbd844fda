"""Bind a layout's table to one sheet: which row is the header and what each column means (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from warehouse.ingest.cells.cell_values import ANY_SHEET, cell_ref, cell_text, column_letters, is_blank, normal_header, parse_year
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import Grid

if TYPE_CHECKING:
    from warehouse.ingest.layouts import Indicator, LeftOutWhere, RowIndicators, SheetIndicator, Table


@dataclass(frozen=True)
class ValueColumn:
    """A column of values (0-based): its indicator, its unit (fixed, or a column of units) and, with years as columns, its year.

    ``indicator_id`` is None where every row has an indicator of its own. ``left_out`` says which cells are not taken, by the one in
    ``flag_col``.
    """

    col: int
    indicator_id: str | None
    unit_text: str | None
    unit_col: int | None = None
    year_text: str | None = None
    zero_is_missing: str | None = None
    left_out: LeftOutWhere | None = None
    flag_col: int | None = None


@dataclass(frozen=True)
class Binding:
    """Columns of a sheet (0-based) after its header was understood; ``ignored`` and ``unmapped`` are not taken.

    ``data_row`` is the first row under the header; ``place_name`` and ``edition_year`` are those that hold for the whole sheet, and
    ``row_values`` says, by row, what the label in ``label_col`` means.
    """

    header_row: int
    data_row: int
    headers: list[str]
    header_texts: list[str]
    code_col: int | None
    name_col: int | None
    year_col: int | None
    values: list[ValueColumn]
    ignored: dict[int, str]
    unmapped: list[int]
    is_by_year_columns: bool
    place_name: str | None = None
    data_year: tuple[str, int] | None = None
    label_col: int | None = None
    row_values: dict[int, ValueColumn] = field(default_factory=dict)


def bind_table(grid: Grid, table: Table, edition_year: int | None = None) -> Binding:
    """Find the header and give every column its meaning.

    Parameters
    ----------
    grid : Grid
        One sheet.
    table : Table
        What the layout says of it.
    edition_year : int, optional
        Edition of the file, for a table whose data year follows from it.

    Raises
    ------
    FileFault
        No header, a column that the layout names is missing (all of them are named), or one of them occurs twice; a title or an
        edition that the layout relies on is missing.
    """
    header_row = _find_header(grid, table)
    data_row = header_row + table.header.rows
    headers, texts = join_headers(grid, header_row, data_row)
    finder = _Finder(grid.sheet_name, header_row, headers)
    code_col, name_col = finder.find(table.place.code), finder.find(table.place.name)
    year_col = finder.find(table.year.column)
    label_col = finder.find(table.row_indicators.column) if table.row_indicators else None
    row_values = _row_values(grid, table, label_col, data_row, finder)
    if table.year.columns is not None:
        values = _year_columns(grid, table, finder)
    else:
        values = [value for indicator in table.indicators for value in finder.value_columns(indicator)]
    place_name = _title_place(grid, table, header_row, finder)
    data_year = _edition_data_year(table, edition_year, finder)
    finder.raise_faults()
    used = {code_col, name_col, year_col, label_col}.union(*((value.col, value.unit_col, value.flag_col) for value in values))
    ignored = _ignored_columns(table, headers, used)
    unmapped = [col for col, header in enumerate(headers) if header and col not in used and col not in ignored]
    return Binding(
        header_row, data_row, headers, texts, code_col, name_col, year_col, values, ignored, unmapped,
        table.year.columns is not None, place_name, data_year, label_col, row_values,
    )  # fmt: skip


def join_headers(grid: Grid, first: int, end: int) -> tuple[list[str], list[str]]:
    """Normal form and delivered text of each column's header; in upper rows a text also applies to the blank columns to its right."""
    rows = [[cell_text(cell) for cell in row] for row in grid.rows[first:end]]
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    for upper in range(len(rows) - 1):
        last = ""
        for col in range(width):
            if rows[upper][col].strip():
                last = rows[upper][col]
            elif any(rows[lower][col].strip() for lower in range(upper + 1, len(rows))):
                rows[upper][col] = last
    columns = [[row[col] for row in rows if row[col].strip()] for col in range(width)]
    return ["|".join(map(normal_header, texts)) for texts in columns], [" | ".join(texts) for texts in columns]


def _title_place(grid: Grid, table: Table, header_row: int, finder: _Finder) -> str | None:
    """Name of the place that a title above the header gives to the whole sheet."""
    if table.place.title is None:
        return None
    above = _texts_above(grid, header_row)
    names = [match.group(1) for text in above if (match := re.search(table.place.title, text))]
    if not names:
        finder.faults.append((f"a title above row {header_row + 1} that names the place ({table.place.title})", f"{above[:5]!r}"))
    return names[0] if names else None


def _texts_above(grid: Grid, header_row: int) -> list[str]:
    return [normal_header(cell_text(cell)) for row in grid.rows[:header_row] for cell in row if not is_blank(cell)]


def _edition_data_year(table: Table, edition_year: int | None, finder: _Finder) -> tuple[str, int] | None:
    """Edition as text and the data year that follows from it."""
    if table.year.edition_offset is None:
        return None
    if edition_year is None:
        finder.faults.append(("the edition in the file's name or folder, from which the data year follows", "none"))
        return None
    return f"edition {edition_year}", edition_year + table.year.edition_offset


def _row_values(grid: Grid, table: Table, label_col: int | None, data_row: int, finder: _Finder) -> dict[int, ValueColumn]:
    """What the label of each row (0-based) means; a required indicator without a row is a fault.

    So is one with two rows, unless each row names its own place.
    """
    rule: RowIndicators | None = table.row_indicators
    if rule is None or label_col is None:
        return {}
    has_place = table.place.code is not None or table.place.name is not None
    labels = {
        row: normal_header(cell_text(cells[label_col]))
        for row, cells in enumerate(grid.rows[data_row:], start=data_row)
        if label_col < len(cells)
    }
    found, units = {}, {}
    for indicator in rule.indicators:
        rows = [row for row, label in labels.items() if label and _is_named(label, indicator)]
        shown = " or ".join(indicator.columns) or f"pattern {indicator.pattern}"
        if len(rows) > 1 and not has_place:
            cells = ", ".join(cell_ref(row + 1, label_col + 1) for row in rows)
            finder.faults.append((f"the row {shown} once", f"a duplicate at {cells}"))
        elif not rows and not indicator.optional:
            finder.faults.append((f"a row {shown} under {rule.column}", "none"))
        for row in rows if has_place else rows[:1]:
            if (indicator.id, labels[row]) not in units:
                units[indicator.id, labels[row]] = finder.unit_in(indicator, [labels[row]], cell_ref(row + 1, label_col + 1))
            unit_text = units[indicator.id, labels[row]]
            found[row] = ValueColumn(label_col, indicator.id, unit_text, None, None, indicator.zero_is_missing)
    return found


def _is_named(header: str, indicator: Indicator) -> bool:
    if indicator.pattern is not None:
        return re.fullmatch(indicator.pattern, header) is not None
    return header in {normal_header(column) for column in indicator.columns}


def _find_header(grid: Grid, table: Table) -> int:
    if table.header.row is not None:
        row = table.header.row - 1
        if row < len(grid.rows) and any(not is_blank(cell) for cell in grid.rows[row]):
            return row
        found = f"{len(grid.rows)} rows, row {row + 1} is blank" if row < len(grid.rows) else f"{len(grid.rows)} rows"
        raise FileFault(
            f"a header in row {row + 1}", found, "deliver the table with its header, or correct the layout", _where(grid.sheet_name)
        )
    wanted = {normal_header(text) for text in table.header.find}
    for row, cells in enumerate(grid.rows[: table.header.search_rows]):
        if wanted <= {normal_header(cell_text(cell)) for cell in cells}:
            return row
    raise FileFault(
        f"a header row with {', '.join(table.header.find)} among the first {table.header.search_rows} rows",
        "no such row",
        "deliver the table with its header, or correct the layout",
        _where(grid.sheet_name),
    )


def _where(sheet_name: str | None) -> str | None:
    return f"sheet {sheet_name!r}" if sheet_name is not None else None


class _Finder:
    """Looks headers up and gathers what is missing or doubled, so that one message names all of it."""

    def __init__(self, sheet_name: str | None, header_row: int, headers: list[str]) -> None:
        self.sheet_name, self.header_row, self.headers = sheet_name, header_row, headers
        self.faults: list[tuple[str, str]] = []

    def find(self, column: str | None) -> int | None:
        """Column of a header, None (and a fault) when it is missing or doubled; None without fault when ``column`` is None."""
        return None if column is None else self._only(self._matching([column], None), column, is_optional=False)

    def value_columns(self, indicator: Indicator) -> list[ValueColumn]:
        """The value column of an indicator, as a list of one, or of none where it is optional or faulty."""
        label = " or ".join(indicator.columns) or f"pattern {indicator.pattern}"
        col = self._only(self._matching(indicator.columns, indicator.pattern), label, is_optional=indicator.optional)
        if col is None:
            return []
        unit_col = self.find(indicator.unit_column)
        unit_text = self.unit_in(indicator, [self.headers[col]], cell_ref(self.header_row + 1, col + 1))
        left_out = indicator.left_out_where
        flag_col = self.find(left_out.column) if left_out else None
        return [ValueColumn(col, indicator.id, unit_text, unit_col, None, indicator.zero_is_missing, left_out, flag_col)]

    def unit_in(self, rule: Indicator | SheetIndicator, texts: list[str], place: str) -> str | None:
        """Fixed unit, or the unit that the rule's pattern finds in the texts."""
        if rule.unit_pattern is None:
            return rule.unit
        for text in texts:
            match = re.search(rule.unit_pattern, text)
            if match:
                return match.group(1)
        self.faults.append((f"a unit ({rule.unit_pattern}) at {place}", f"{texts[:3]!r}"))
        return None

    def _matching(self, columns: list[str], pattern: str | None) -> list[int]:
        wanted = {normal_header(column) for column in columns}
        is_match = partial(_fits, pattern) if pattern is not None else wanted.__contains__
        return [col for col, header in enumerate(self.headers) if header and is_match(header)]

    def _only(self, cols: list[int], label: str, *, is_optional: bool) -> int | None:
        if len(cols) == 1:
            return cols[0]
        if cols:
            cells = ", ".join(cell_ref(self.header_row + 1, col + 1) for col in cols)
            self.faults.append((f"the column {label} once", f"a duplicate header at {cells}"))
        elif not is_optional:
            self.faults.append((f"a column {label}", "none"))
        return None

    def raise_faults(self) -> None:
        """Raise one FileFault for everything gathered."""
        if not self.faults:
            return
        shown = ", ".join(header for header in self.headers if header)[:400] or "nothing"
        raise FileFault(
            "; ".join(expected for expected, _ in self.faults),
            "; ".join(dict.fromkeys(found for _, found in self.faults)) + f" (header row {self.header_row + 1} holds: {shown})",
            "deliver the file with these columns, or adapt the layout to the new header",
            _where(self.sheet_name),
        )


@lru_cache(maxsize=1 << 16)
def _fits(pattern: str, header: str) -> bool:
    # editions repeat most of their headers
    return re.fullmatch(pattern, header) is not None


def _year_columns(grid: Grid, table: Table, finder: _Finder) -> list[ValueColumn]:
    indicator = table.sheet_indicators.get(grid.sheet_name or ANY_SHEET, table.sheet_indicators.get(ANY_SHEET))
    unit_text = None
    if indicator is not None:
        unit_text = finder.unit_in(indicator, _texts_above(grid, finder.header_row), f"the rows above row {finder.header_row + 1}")
    values, seen = [], {}
    for col, header in enumerate(finder.headers):
        match = re.fullmatch(table.year.columns, header)
        if not match:
            continue
        year_text = match.group(1)
        year = parse_year(year_text)
        if year is not None and year in seen:
            doubled = f"a duplicate header at {cell_ref(finder.header_row + 1, seen[year] + 1)}, {cell_ref(finder.header_row + 1, col + 1)}"
            finder.faults.append((f"the year {year_text} once", doubled))
        seen[year] = col
        values.append(ValueColumn(col, indicator.id if indicator else None, unit_text, None, year_text))
    if not values:
        finder.faults.append((f"columns headed by years ({table.year.columns})", "none"))
    return values


def _ignored_columns(table: Table, headers: list[str], used: set[int | None]) -> dict[int, str]:
    ignored = {}
    for col, header in enumerate(headers):
        if col in used:
            continue
        for rule in table.ignore_columns:
            is_named = (
                rule.letter == column_letters(col + 1) if not header else rule.column is not None and normal_header(rule.column) == header
            )
            if is_named or (header and rule.pattern is not None and re.fullmatch(rule.pattern, header)):
                ignored[col] = rule.reason
                break
    return ignored
