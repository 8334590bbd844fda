"""Choose the data rows of a sheet and find the place and year of each (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from warehouse.ingest.cells.cell_values import (
    cell_text,
    code_text,
    is_blank,
    is_blank_row,
    normal_header,
    parse_year,
)
from warehouse.ingest.cells.coded_texts import NO_TEXT, CodedTexts
from warehouse.ingest.cells.column_values import coded_column
from warehouse.ingest.formats.grids import Cell, Grid
from warehouse.ingest.layout_model import Table
from warehouse.ingest.raw_table import build_rejected_line
from warehouse.ingest.sheets.bindings import Binding
from warehouse.ingest.sheets.finder import wordings

NO_YEAR = -1
HIDDEN = (
    "expected rows and sheets that a person sees, found a hidden one; show it in the workbook, or "
    "say hidden: true in the layout"
)
Columns = Callable[[int], CodedTexts]


@dataclass(frozen=True)
class SheetRows:
    """Rows that are neither blank nor dropped.

    Attributes
    ----------
    row_nos : ndarray of int32, shape (n,)
        1-based row of the sheet.
    cells : list of list
        Their cells; rows may have unlike lengths.
    codes, names, within, year_texts : CodedTexts of length n
        Place code, place name, the province that qualifies it, and year as delivered.
    years : ndarray of int32, shape (n,)
        ``NO_YEAR`` where the text is no year.
    """

    row_nos: np.ndarray
    cells: list[list[Cell]]
    codes: CodedTexts
    names: CodedTexts
    within: CodedTexts
    year_texts: CodedTexts
    years: np.ndarray

    @cached_property
    def width(self) -> int:
        """Cells of the longest row."""
        return max(map(len, self.cells), default=0)

    def column(self, col: int) -> list[Cell]:
        """Return cells of a 0-based column, length n; blanks where a row has none."""
        return cells_of_column(self.cells, col)


def cells_of_column(rows: Sequence[list[Cell]], col: int) -> list[Cell]:
    """Return cells of a 0-based column; blanks where a row is too short."""
    try:
        return [row[col] for row in rows]
    except IndexError:
        return [row[col] if col < len(row) else "" for row in rows]


def split_rows(
    grid: Grid, table: Table, binding: Binding
) -> tuple[SheetRows, list[dict[str, object]]]:
    """Data rows that are kept, and a line for each that a rule drops.

    Parameters
    ----------
    grid : Grid
        One sheet.
    table : Table
        What the layout says of it.
    binding : Binding
        Its columns.

    Returns
    -------
    SheetRows
        The rows that are kept.
    list of dict
        Rejected lines, by row.
    """
    body = grid.rows[binding.data_row : binding.end_row]
    filled = [position for position, row in enumerate(body) if not is_blank_row(row)]
    rows = body if len(filled) == len(body) else [body[position] for position in filled]
    row_nos = np.array(filled, np.int32) + (binding.data_row + 1 + grid.gap)
    column = cache(lambda col: coded_column(cells_of_column(rows, col)))
    dropped = _dropped(rows, column, table, binding)
    if grid.sheet_name is None:
        _drop_overlong(rows, len(binding.headers), dropped)
    if grid.hidden_rows and not table.hidden:
        is_hidden = np.isin(row_nos, list(grid.hidden_rows))
        dropped |= dict.fromkeys(np.flatnonzero(is_hidden).tolist(), (0, HIDDEN))
    lines = []
    for position in sorted(dropped):
        col, reason = dropped[position]
        text = cell_text(rows[position][col]) if col < len(rows[position]) else ""
        lines.append(
            build_rejected_line(
                "hidden" if reason is HIDDEN else "dropped_row",
                reason,
                sheet_name=grid.sheet_name,
                row_no=int(row_nos[position]),
                col_no=col + 1,
                raw_text=text,
            )
        )
    kept = np.delete(np.arange(len(rows)), sorted(dropped))
    return _with_places(row_nos, rows, column, kept, table, binding), lines


def _dropped(
    rows: list[list[Cell]], column: Columns, table: Table, binding: Binding
) -> dict[int, tuple[int, str]]:
    """Return the position of each row that a rule of the layout drops: column of the cell that says
    so, and the reason of the first such rule.
    """
    dropped: dict[int, tuple[int, str]] = {}
    for rule in table.drop_rows:
        search = re.compile(rule.matches).search
        names = [normal_header(text) for text in wordings(rule.column)]
        cols = [binding.headers.index(name) for name in names if name in binding.headers][:1]
        if rule.column == "*":
            cols = range(max(map(len, rows), default=0))
        for col in cols:
            texts = column(col)
            hits = [code for code, text in enumerate(texts.words) if search(text)]
            for position in np.flatnonzero(np.isin(texts.codes, hits)).tolist() if hits else ():
                reason = f"row left out by the layout: {rule.reason}"
                dropped.setdefault(position, (col, reason))
    return dropped


def _drop_overlong(rows: list[list[Cell]], width: int, dropped: dict[int, tuple[int, str]]) -> None:
    """Add the records of a text file that have filled cells beyond the header: a separator inside a
    cell has shifted all cells after it.
    """
    for position, row in enumerate(rows):
        if (
            len(row) > width
            and position not in dropped
            and any(not is_blank(cell) for cell in row[width:])
        ):
            reason = (
                f"expected {width} cells as in the header, found {len(row)}; put cells that hold "
                "the separator in quotation marks"
            )
            dropped[position] = (0, reason)


def _with_places(
    row_nos: np.ndarray,
    rows: list[list[Cell]],
    column: Columns,
    kept: np.ndarray,
    table: Table,
    binding: Binding,
) -> SheetRows:
    """Return the kept rows with place and year."""

    def texts(col: int | None) -> CodedTexts:
        # none where blank or where there is no such column
        return (
            CodedTexts.constant(None, len(kept))
            if col is None
            else column(col).take(kept).mapped(text_or_none)
        )

    if binding.data_year is None:
        year_texts = _within_pattern(
            texts(binding.year_col), table.year.pattern, is_filled_down=table.year.fill_down
        )
        if table.year.fill_down:
            (year_texts,) = _filled_down(year_texts)
        years = np.array([*map(_year, year_texts.words), NO_YEAR], np.int32)[year_texts.codes]
    else:
        year_texts = CodedTexts.constant(binding.data_year[0], len(kept))
        years = np.full(len(kept), binding.data_year[1], np.int32)
    codes = texts(binding.code_col).mapped(code_text)
    names = (
        texts(binding.name_col)
        if binding.place_name is None
        else CodedTexts.constant(binding.place_name, len(kept))
    )
    if binding.key_col is not None:
        keys = texts(binding.key_col).mapped(code_text)
        # a key that the other sheet does not list is no place, and is shown as delivered
        codes = keys.mapped(lambda key: binding.lookup.get(key, (None, None))[0])
        names = keys.mapped(lambda key: binding.lookup.get(key, (None, key))[1])
    names = _within_pattern(names, table.place.name_pattern, is_filled_down=table.place.fill_down)
    row_pattern = table.place.within.row if table.place.within else None
    provinces = _within_pattern(names, row_pattern, is_filled_down=True) if row_pattern else None
    if table.place.respell:
        names = names.mapped(lambda name: table.place.respell.get(normal_header(name), name))
    if table.place.fill_down:
        codes, names = _filled_down(codes, names)
    within = (
        texts(binding.within_col)
        if binding.within_text is None
        else CodedTexts.constant(binding.within_text, len(kept))
    )
    if provinces is not None:
        within = provinces
    if provinces is not None or (binding.within_col is not None and table.place.fill_down):
        (within,) = _filled_down(within)
    cells = rows if len(kept) == len(rows) else [rows[position] for position in kept.tolist()]
    return SheetRows(row_nos[kept], cells, codes, names, within, year_texts, years)


def text_or_none(text: str) -> str | None:
    """Return the text, None where it is blank."""
    return text if text.strip() else None


def _year(text: str) -> int:
    year = parse_year(text)
    return NO_YEAR if year is None else year


def _within_pattern(texts: CodedTexts, pattern: str | None, *, is_filled_down: bool) -> CodedTexts:
    """Return what the pattern's group finds in each text; one in which it finds nothing stays as it
    is, or is blank where the one above stands for it.
    """
    if pattern is None:
        return texts

    def within(text: str) -> str | None:
        match = re.search(pattern, text)
        return match.group(1) if match else None if is_filled_down else text

    return texts.mapped(within)


def _filled_down(*parts: CodedTexts) -> tuple[CodedTexts, ...]:
    """Return texts with the last ones repeated where a row has none of them: a name without a code
    takes no code from above.
    """
    is_given = np.any([part.codes != NO_TEXT for part in parts], axis=0)
    last = np.maximum.accumulate(np.where(is_given, np.arange(len(is_given)), -1))
    # where nothing stands above, -1 reads the last entry, which is then put right
    return tuple(
        CodedTexts(np.where(last >= 0, part.codes[last], NO_TEXT).astype(np.int32), part.words)
        for part in parts
    )
