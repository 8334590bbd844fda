"""Find a sheet's header, the columns that a layout names, and places that another sheet explains;
what is missing or doubled is gathered for one message (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import chain

from warehouse.ingest.cells.cell_values import (
    cell_ref,
    cell_text,
    code_text,
    is_blank,
    normal_header,
)
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.formats.sheet_scan import column_number
from warehouse.ingest.layout_model import Indicator, LookedUp, SheetIndicator, Table

# a unit is a word or two: whatever is longer or holds brackets is a piece of a header that a greedy
# pattern took
_MOST_UNIT_SIGNS = 24
_NO_UNIT = re.compile(r"[()\[\]{}<>|;:、。]")
_UNIT_LABEL = re.compile(r"^(?:计量|金额)?单位:|^(?i:unit):")


def join_headers(grid: Grid, first: int, end: int) -> tuple[list[str], list[str]]:
    """Return the normal form and delivered text of each column's header; in upper rows a text also
    applies to the blank columns to its right, as far as the text above it does.
    """
    rows = [list(map(cell_text, row)) for row in grid.rows[first:end]]
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    delivered = [row.copy() for row in rows]
    for upper in range(len(rows) - 1):
        last = ""
        for col in range(width):
            if any(row[col].strip() for row in delivered[:upper]):
                last = ""
            if delivered[upper][col].strip():
                last = delivered[upper][col]
            elif any(row[col].strip() for row in delivered[upper + 1 :]):
                rows[upper][col] = last
    columns = [list(filter(str.strip, column)) for column in zip(*rows, strict=True)]
    return ["|".join(map(normal_header, texts)) for texts in columns], [
        " | ".join(texts) for texts in columns
    ]


def find_header(grid: Grid, table: Table) -> int:
    """Return the position of the header's first row.

    Raises
    ------
    FileFault
        There is none where the layout says.
    """
    if table.header.row is not None:
        row = table.header.row - 1
        if row < len(grid.rows) and any(not is_blank(cell) for cell in grid.rows[row]):
            return row
        found = (
            f"{len(grid.rows)} rows, row {row + 1} is blank"
            if row < len(grid.rows)
            else f"{len(grid.rows)} rows"
        )
        raise FileFault(
            f"a header in row {row + 1}",
            found,
            "deliver the table with its header, or correct the layout",
            where(grid.sheet_name),
        )
    first = _row_after(grid, table.header.after)
    wanted = {normal_header(text) for text in table.header.find}
    for row, cells in enumerate(grid.rows[first : first + table.header.search_rows], start=first):
        if wanted <= {normal_header(cell_text(cell)) for cell in cells}:
            return row
    among = (
        f"the first {table.header.search_rows} rows"
        if first == 0
        else f"the {table.header.search_rows} rows below row {first}"
    )
    raise FileFault(
        f"a header row with {', '.join(table.header.find)} among {among}",
        "no such row",
        "deliver the table with its header, or correct the layout",
        where(grid.sheet_name),
    )


def _row_after(grid: Grid, pattern: str | None) -> int:
    """Return the position of the row below the first one with a cell that the pattern finds; 0
    without a pattern.
    """
    if pattern is None:
        return 0
    row = first_row_with(grid, pattern)
    if row is not None:
        return row + 1
    raise FileFault(
        f"a row with {pattern}, below which the header stands (header.after)",
        "none",
        "deliver the table with its title, or correct the layout",
        where(grid.sheet_name),
    )


def first_row_with(
    grid: Grid, pattern: str, first: int = 0, cols: slice = slice(None)
) -> int | None:
    """Return the position of the first row, of those from ``first`` on, with a cell that a pattern
    finds.
    """
    for row in range(first, len(grid.rows)):
        texts = (normal_header(cell_text(cell)) for cell in grid.rows[row][cols])
        if any(text and re.search(pattern, text) for text in texts):
            return row
    return None


def where(sheet_name: str | None) -> str | None:
    """Return the sheet, for a message; None for a file without sheets."""
    return f"sheet {sheet_name!r}" if sheet_name is not None else None


def texts_above(grid: Grid, header_row: int) -> list[str]:
    """Filled cells above the header in normal form, by row."""
    cells = chain.from_iterable(grid.rows[:header_row])
    return [normal_header(cell_text(cell)) for cell in cells if not is_blank(cell)]


def wordings(column: str | list[str] | None) -> list[str]:
    """Return what a header may be called."""
    return [column] if isinstance(column, str) else list(column or ())


def is_named(header: str, indicator: Indicator) -> bool:
    """Return whether a header in normal form is one that an indicator names."""
    if indicator.pattern is not None:
        return fits(indicator.pattern, header)
    return header in {normal_header(column) for column in indicator.columns}


@lru_cache(maxsize=1 << 16)
def fits(pattern: str, header: str) -> bool:
    """Return whether a pattern fits a whole header; editions repeat most of their headers."""
    return re.fullmatch(pattern, header) is not None


class Finder:
    """Looks headers up and gathers what is missing or doubled, so that one message names
    all of it.
    """

    def __init__(
        self,
        grid: Grid,
        table: Table,
        header_row: int,
        headers: list[str],
        whole: Grid | None = None,
    ) -> None:
        self.grid, self.table, self.header_row, self.headers = grid, table, header_row, headers
        self.whole = whole or grid
        self.faults: list[tuple[str, str]] = []

    def titles(self) -> list[str]:
        """Filled cells above the header in normal form, the nearest first: above a second table
        stands the first one with its own title.

        Those over the table's own columns come before those beside them: of two tables side by side
        each may have one, or both one.
        """
        own, all_ = (
            texts_above(self.grid, self.header_row),
            texts_above(self.whole, self.header_row),
        )
        return [*reversed(own), *(reversed(all_) if self.whole is not self.grid else ())]

    def stated(
        self, what: str, title: str | None = None, sheet_name: str | None = None
    ) -> str | None:
        """Return what a title above the header, or the sheet's name, says for the whole sheet; None
        and a fault where neither says it, None alone where there is no such pattern.
        """
        pattern = sheet_name or title
        if pattern is None:
            return None
        texts = [normal_header(self.grid.sheet_name or "")] if sheet_name else self.titles()
        matches = (re.search(pattern, text) for text in texts)
        found = [match.group(1) for match in matches if match]
        if not found:
            at = "a sheet's name" if sheet_name else f"a title above row {self.header_row + 1}"
            self.faults.append((f"{at} that {what} ({pattern})", f"{texts[:5]!r}"))
        return found[0] if found else None

    def find(self, column: str | list[str] | None, letter: str | None = None) -> int | None:
        """Return the column of a header (of any of its wordings) or letter; None and a fault when
        it is missing or doubled; None without fault when both are None.
        """
        if letter is not None:
            return self._lettered(letter)
        return (
            None
            if column is None
            else self._only(
                self.matching(wordings(column), None),
                " or ".join(wordings(column)),
                is_optional=False,
            )
        )

    def _lettered(self, letter: str) -> int | None:
        """Return a column without header, by its letter; a header there is a fault: the columns
        have moved.
        """
        col = column_number(letter) - 1
        if col < len(self.headers) and self.headers[col]:
            self.faults.append(
                (f"column {letter} without a header", f"the header {self.headers[col]!r} there")
            )
            return None
        if all(
            col >= len(row) or is_blank(row[col]) for row in self.grid.rows[self.header_row + 1 :]
        ):
            self.faults.append((f"cells in column {letter}", "none"))
            return None
        return col

    def matching(self, columns: list[str], pattern: str | None) -> list[int]:
        """Return columns whose header is one of some texts, or fits a pattern."""
        wanted = {normal_header(column) for column in columns}
        is_match = partial(fits, pattern) if pattern is not None else wanted.__contains__
        return [col for col, header in enumerate(self.headers) if header and is_match(header)]

    def value_col(self, indicator: Indicator) -> int | None:
        """Return the column of an indicator; None where it is optional or faulty."""
        if indicator.letter is not None and not indicator.columns:
            return self._lettered(indicator.letter)
        label = " or ".join(indicator.columns) or f"pattern {indicator.pattern}"
        cols = self.matching(indicator.columns, indicator.pattern)
        if indicator.letter is not None:
            # one of several columns of the same header
            label, cols = (
                f"{label} in column {indicator.letter}",
                [col for col in cols if col == column_number(indicator.letter) - 1],
            )
        return self._only(cols, label, is_optional=indicator.optional)

    def unit_of(self, indicator: Indicator, col: int) -> str | None:
        """Return the unit of a column of values: fixed, in its header, or in the row of units."""
        if (
            indicator.unit is None
            and indicator.unit_pattern is None
            and indicator.unit_column is None
        ):
            return self._unit_in_row(col)
        return self.unit_in(
            indicator,
            [self.headers[col] if col < len(self.headers) else ""],
            cell_ref(self.header_row + 1, col + 1),
        )

    def unit_in(self, rule: Indicator | SheetIndicator, texts: list[str], place: str) -> str | None:
        """Fixed unit, or the unit that the rule's pattern finds in the texts."""
        if rule.unit_pattern is None:
            return rule.unit
        for text in texts:
            match = re.search(rule.unit_pattern, text)
            if match:
                return self._checked(match.group(1), rule.unit_pattern, text, place)
        self.faults.append((f"a unit ({rule.unit_pattern}) at {place}", f"{texts[:3]!r}"))
        return None

    def _checked(self, unit: str | None, pattern: str, text: str, place: str) -> str | None:
        """Return a unit that a pattern found; a piece of a header with brackets or several words in
        it is a fault.
        """
        if unit and unit.strip() and len(unit) <= _MOST_UNIT_SIGNS and not _NO_UNIT.search(unit):
            return unit
        expected = (
            f"a unit at {place}, one without brackets or bars ({pattern} takes too much or "
            "nothing: anchor it, as in [(]([^()]+)[)]$)"
        )
        self.faults.append((expected, f"{unit!r} in {text!r}"))
        return None

    def _unit_in_row(self, col: int) -> str | None:
        """Return the unit in the row of units, its brackets taken off; None where the layout names
        no such row.
        """
        offset = self.table.header.unit_row
        if offset is None:
            return None
        row = self.header_row + offset + (self.table.header.rows - 1 if offset > 0 else 0)
        cells = self.grid.rows[row] if 0 <= row < len(self.grid.rows) else []
        text = normal_header(cell_text(cells[col])) if col < len(cells) else ""
        unit = _UNIT_LABEL.sub("", text.strip("()[]")).strip("()[]")
        if not unit:
            self.faults.append(
                (
                    f"a unit in {cell_ref(max(row, 0) + 1, col + 1)} (header.unit_row)",
                    "a blank cell",
                )
            )
        return unit or None

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
            "; ".join(dict.fromkeys(found for _, found in self.faults))
            + f" (header row {self.header_row + 1} holds: {shown})",
            "deliver the file with these columns, or adapt the layout to the new header",
            where(self.grid.sheet_name),
        )


Lookup = dict[str, tuple[str | None, str | None]]


def read_lookup(rule: LookedUp | None, sheets: Mapping[str, Grid], finder: Finder) -> Lookup:
    """Code and name by key, as another sheet of the file lists them; what is missing there, and a
    key with two places, is a fault.
    """
    if rule is None:
        return {}
    grid = sheets.get(rule.sheet)
    if grid is None or len(grid.rows) < rule.row:
        finder.faults.append(
            (
                f"a sheet {rule.sheet!r} that explains {rule.key}",
                f"sheets {', '.join(sheets) or 'none'}",
            )
        )
        return {}
    headers = join_headers(grid, rule.row - 1, rule.row)[0]
    cols = {}
    for what, column in (
        ("key", rule.sheet_key or rule.key),
        ("code", rule.code),
        ("name", rule.name),
    ):
        if column is not None and headers.count(normal_header(column)) != 1:
            finder.faults.append(
                (
                    f"the column {column} once in sheet {rule.sheet!r}",
                    f"{', '.join(filter(None, headers))[:200]}",
                )
            )
        elif column is not None:
            cols[what] = headers.index(normal_header(column))
    return {} if finder.faults else _pairs(grid, rule, cols, finder)


def _pairs(grid: Grid, rule: LookedUp, cols: Mapping[str, int], finder: Finder) -> Lookup:
    found: Lookup = {}
    for row in grid.rows[rule.row :]:
        texts = {
            what: code_text(cell_text(row[col])) if col < len(row) else ""
            for what, col in cols.items()
        }
        key = texts["key"]
        if not key:
            continue
        pair = (texts.get("code") or None, texts.get("name") or None)
        if found.setdefault(key, pair) != pair:
            finder.faults.append(
                (f"one place for {key!r} in sheet {rule.sheet!r}", f"{found[key]} and {pair}")
            )
            break
    return found
