"""Grid and layout to raw rows, each with its cell address; whatever is not taken gets one line
(pure).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pyarrow as pa

from warehouse.ingest.cells.cell_values import cell_text, is_blank, is_blank_row, is_missing
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import Cell, Grid
from warehouse.ingest.formats.sheet_scan import column_number
from warehouse.ingest.layout_model import Table
from warehouse.ingest.raw_table import (
    RAW_SCHEMA,
    FileOrigin,
    build_rejected_line,
    build_rejected_table,
)
from warehouse.ingest.sheets.bindings import Binding, bind_table
from warehouse.ingest.sheets.choice import claims, missing_sheets, unread_sheet
from warehouse.ingest.sheets.rows import HIDDEN, NO_YEAR, SheetRows, split_rows
from warehouse.ingest.sheets.second_tables import refuse_second_tables
from warehouse.ingest.sheets.values import build_values_table, merged_values, read_column

# a file of many sheets does not fill the terminal
_MOST_FAULTS = 20


def build_file_observations(grids: list[Grid], tables: list[Table], origin: FileOrigin) -> pa.Table:
    """Return raw rows of one file: every sheet through every table of the layout that claims it.

    Parameters
    ----------
    grids : list of Grid
        Sheets of the file, in the file's order.
    tables : list of Table
        Tables of the layout whose file pattern fits the file.
    origin : FileOrigin
        Source, edition and path, repeated on every row.

    Returns
    -------
    pyarrow.Table
        Schema ``RAW_SCHEMA``; sheets in order, within a sheet by row and column.

    Raises
    ------
    FileFault
        A sheet or a column that a table names is missing or doubled; all such faults of the file
        are named.
    """
    filled = [(position, grid) for position, grid in enumerate(grids) if _is_filled(grid)]
    parts, faults = [], missing_sheets(filled, tables)
    by_name = {grid.sheet_name: grid for _, grid in filled if grid.sheet_name is not None}
    for position, grid in filled if not faults else []:
        readers = [table for table in tables if claims(table, grid.sheet_name, position)]
        if readers and grid.is_hidden and not any(table.hidden for table in readers):
            line = build_rejected_line("hidden", HIDDEN, sheet_name=grid.sheet_name)
            parts.append(build_rejected_table(origin, [line]))
            continue
        if not readers:
            parts.append(build_rejected_table(origin, [unread_sheet(grid, tables)]))
        read, n_faults = [], len(faults)
        for table in readers:
            try:
                seen = _spanned(grid, table)
                binding = bind_table(seen, table, origin.edition_year, by_name, grid)
                parts.append(build_sheet_observations(seen, table, origin, binding=binding))
                read.append((table, binding))
            except FileFault as fault:
                faults.append(fault)
        if len(faults) == n_faults:
            parts.append(
                build_rejected_table(
                    origin, [*_columns_outside(grid, read), *_rows_outside(grid, read)]
                )
            )
    _raise_all(faults)
    return pa.concat_tables(parts).unify_dictionaries() if parts else RAW_SCHEMA.empty_table()


def build_observation_parts(
    parts: Iterator[list[list[Cell]]], tables: list[Table], origin: FileOrigin
) -> Iterator[pa.Table]:
    """The same rows as ``build_file_observations`` gives, in several tables, for a large file
    without sheets.

    Parameters
    ----------
    parts : iterator of list of list
        Rows of the file, some at a time; the first part holds the header.
    tables : list of Table
        Tables of the layout that `are_in_parts`.
    origin : FileOrigin

    Raises
    ------
    FileFault
        As ``build_file_observations``, before the first table.
    """
    first = Grid(None, next(parts, []))
    _raise_all(missing_sheets([(0, first)] if _is_filled(first) else [], tables))
    readers = [table for table in tables if claims(table, None, 0)]
    if not readers:
        yield build_rejected_table(origin, [unread_sheet(first, tables)])
        return
    heads = {
        n: first.rows[: bind_table(first, table, origin.edition_year).data_row]
        for n, table in enumerate(readers)
    }
    nameless = [NamelessCells() for _ in readers]
    for n, table in enumerate(readers):
        yield build_sheet_observations(first, table, origin, nameless[n])
    n_before = len(first.rows)
    for rows in parts:
        for n, table in enumerate(readers):
            part = Grid(None, [*heads[n], *rows], gap=n_before - len(heads[n]))
            yield build_sheet_observations(part, table, origin, nameless[n])
        n_before += len(rows)
    lines = chain.from_iterable(cells.lines() for cells in nameless)
    yield build_rejected_table(origin, list(lines))


def _is_filled(grid: Grid) -> bool:
    return not all(map(is_blank_row, grid.rows))


def are_in_parts(tables: list[Table]) -> bool:
    """Return whether every row of these tables can be read without the rows far above it."""
    return not any(
        table.span is not None
        or table.row_indicators is not None
        or table.place.fill_down
        or table.year.fill_down
        or table.ends is not None
        or table.place.looked_up
        or (table.place.within is not None and table.place.within.row is not None)
        for table in tables
    )


def _raise_all(faults: list[FileFault]) -> None:
    """Raise the faults of a file, if there are any, as one."""
    if not faults:
        return
    if len(faults) == 1:
        raise faults[0]
    found = "; ".join(
        f"{fault.where or 'file'}: expected {fault.expected}, found {fault.found}"
        for fault in faults[:_MOST_FAULTS]
    )
    if len(faults) > _MOST_FAULTS:
        found += f"; and {len(faults) - _MOST_FAULTS:,} more"
    raise FileFault(f"{len(faults)} things otherwise", found, faults[0].action)


def build_sheet_observations(
    grid: Grid,
    table: Table,
    origin: FileOrigin,
    nameless: NamelessCells | None = None,
    binding: Binding | None = None,
) -> pa.Table:
    """Return raw rows of one sheet read as one table; see ``build_file_observations``.

    With `nameless` the grid is a part of a large file: lines about whole columns come with the
    first part, or are left to `nameless`. Without `binding` the table is bound to the sheet first.
    """
    binding = binding or bind_table(grid, table, origin.edition_year)
    missing = {unicodedata.normalize("NFKC", token).strip() for token in table.missing_values}
    rows, lines = split_rows(grid, table, binding)
    cells = NamelessCells() if nameless is None else nameless
    if not cells.is_begun:
        lines += _left_out_columns(grid, binding)
        cells.is_begun = True
    lines += cells.gather(grid, table, binding, rows)
    if nameless is None:
        lines += cells.lines()
    lines += _rows_without_values(grid, binding, rows, missing)
    lines += _unknown_labels(grid, binding, rows)
    merged = merged_values(grid, binding, rows)
    columns = [
        read_column(binding, value, rows, missing, merged, decimal_comma=table.decimal_comma)
        for value in binding.values
    ]
    refuse_second_tables(grid, binding, rows, columns)
    return build_values_table(origin, grid.sheet_name, table.place.level, rows, columns, lines)


def _line(
    grid: Grid, reason: str, detail: str, row_no: int, col: int, cell: Cell
) -> dict[str, object]:
    """Return a line for something at a cell (row from 1, column from 0) that is not taken."""
    return build_rejected_line(
        reason,
        detail,
        sheet_name=grid.sheet_name,
        row_no=row_no,
        col_no=col + 1,
        raw_text=cell_text(cell),
    )


def _spanned(grid: Grid, table: Table) -> Grid:
    """Return the sheet with only the columns that the table spans; the others are blank, so that
    every cell keeps its address.
    """
    if table.span is None:
        return grid
    first, last = _span(table)
    rows = []
    for row in grid.rows:
        before, behind = min(first, len(row)), max(len(row) - last - 1, 0)
        rows.append([""] * before + row[first : last + 1] + [""] * behind)
    return replace(grid, rows=rows)


def _span(table: Table) -> tuple[int, int]:
    first, _, last = table.span.partition(":")
    return column_number(first) - 1, column_number(last) - 1


def _columns_outside(grid: Grid, read: list[tuple[Table, Binding]]) -> list[dict[str, object]]:
    """Return a line for each filled column that lies outside the spans of all tables of the
    sheet.
    """
    if not read or any(table.span is None for table, _ in read):
        return []
    covered: set[int] = set()
    for table, _ in read:
        first, last = _span(table)
        covered.update(range(first, last + 1))
    lines = []
    for col in sorted(set(range(max(map(len, grid.rows), default=0))) - covered):
        filled = next(
            (
                (row, cells[col])
                for row, cells in enumerate(grid.rows)
                if col < len(cells) and not is_blank(cells[col])
            ),
            None,
        )
        if filled is not None:
            detail = (
                "expected a column inside the span of a table of the layout, found another one; "
                "widen the span, or add a table"
            )
            lines.append(_line(grid, "unmapped_column", detail, filled[0] + 1, col, filled[1]))
    return lines


def _rows_outside(grid: Grid, read: list[tuple[Table, Binding]]) -> list[dict[str, object]]:
    """Return a line for each filled row below a table that ends above the sheet's end, and that no
    other table of the sheet reads.
    """
    if all(binding.end_row == len(grid.rows) for _, binding in read):
        return []
    first = min(binding.end_row for _, binding in read)
    covered: set[int] = set()
    for _, binding in read:
        covered.update(range(binding.header_row, binding.end_row))
    detail = (
        "expected a row of a table that the layout describes, found one below its end; describe "
        "it by a table of its own, if it is data"
    )
    lines = []
    for row in range(first, len(grid.rows)):
        col = next((col for col, cell in enumerate(grid.rows[row]) if not is_blank(cell)), None)
        if col is None or row in covered:
            continue
        lines.append(_line(grid, "dropped_row", detail, row + 1, col, grid.rows[row][col]))
    return lines


def _left_out_columns(grid: Grid, binding: Binding) -> list[dict[str, object]]:
    """Return one line per column that is ignored or unmapped."""
    header_no, lines = binding.header_row + 1, []
    for col in sorted({*binding.ignored, *binding.unmapped}):
        reason = binding.ignored.get(col)
        detail = f"column left out by the layout: {reason}" if reason else _UNMAPPED
        text = binding.header_texts[col]
        lines.append(_line(grid, "unmapped_column", detail, header_no, col, text))
    return lines


_UNMAPPED = (
    "expected a column that the layout maps or ignores, found another one; map it in the layout, "
    "or add it to ignore_columns with a reason"
)


class NamelessCells:
    """Cells of columns without a header, gathered over one or several parts of a sheet: one line a
    column says how many there were.
    """

    def __init__(self) -> None:
        self.is_begun = False
        # by column: how many, the first of them, sheet and header row
        self._found: dict[int, tuple[int, str, str | None, int]] = {}

    def gather(
        self, grid: Grid, table: Table, binding: Binding, rows: SheetRows
    ) -> list[dict[str, object]]:
        """Add the cells of one part; a line for each stray cell that the layout knows."""
        lines, used = [], binding.used
        for col in range(rows.width):
            if (
                col not in binding.ignored
                and col not in used
                and (col >= len(binding.headers) or not binding.headers[col])
            ):
                lines += self._gather_column(grid, table, binding, rows, col)
        return lines

    def _gather_column(
        self, grid: Grid, table: Table, binding: Binding, rows: SheetRows, col: int
    ) -> list[dict[str, object]]:
        lines = []
        for row_no, cell in zip(rows.row_nos.tolist(), rows.column(col), strict=True):
            if is_blank(cell):
                continue
            text = cell_text(cell)
            rule = next((rule for rule in table.stray_cells if re.search(rule.matches, text)), None)
            if rule is None:
                count, first, *_ = self._found.get(col, (0, text))
                self._found[col] = (count + 1, first, grid.sheet_name, binding.header_row + 1)
                continue
            detail = f"cell left out by the layout: {rule.reason}"
            lines.append(_line(grid, "dropped_row", detail, row_no, col, text))
        return lines

    def lines(self) -> list[dict[str, object]]:
        """Return one line for each column in which cells were found."""
        return [
            build_rejected_line(
                "unmapped_column",
                (
                    f"expected a header above the {count} cells of this column, found none; give "
                    "it a header, or add a rule to stray_cells"
                ),
                sheet_name=sheet_name,
                row_no=header_no,
                col_no=col + 1,
                raw_text=first,
            )
            for col, (count, first, sheet_name, header_no) in sorted(self._found.items())
        ]


def _rows_without_values(
    grid: Grid, binding: Binding, rows: SheetRows, missing: set[str]
) -> list[dict[str, object]]:
    """Return a line for each row that holds neither a year nor a value, such as a note under the
    table: else it would vanish unseen.
    """
    cols = [value.col for value in binding.values]
    lines = []
    doubtful = (
        rows.years == NO_YEAR if binding.data_year is None else np.ones(len(rows.cells), dtype=bool)
    )
    for position in np.flatnonzero(doubtful).tolist():
        row_no, cells = int(rows.row_nos[position]), rows.cells[position]
        if any(col < len(cells) and not is_missing(cells[col], missing) for col in cols):
            continue
        named = [
            col
            for col, header in enumerate(binding.headers)
            if header and col < len(cells) and not is_blank(cells[col])
        ]
        if not named:
            continue
        detail = (
            "expected a place with values, found a row without any; nothing to do if it is a "
            "note, else deliver its values"
        )
        lines.append(_line(grid, "dropped_row", detail, row_no, named[0], cells[named[0]]))
    return lines


def _unknown_labels(grid: Grid, binding: Binding, rows: SheetRows) -> list[dict[str, object]]:
    """Return a line for each row whose label names no indicator of the layout, in a table with an
    indicator per row.
    """
    if binding.label_col is None:
        return []
    lines, cols = [], [value.col for value in binding.values]
    for row_no, cells in zip(rows.row_nos.tolist(), rows.cells, strict=True):
        if row_no - 1 in binding.row_values or all(
            col >= len(cells) or is_blank(cells[col]) for col in cols
        ):
            continue
        label = cells[binding.label_col] if binding.label_col < len(cells) else ""
        detail = (
            "expected a row that the layout maps, found another one; add it to row_indicators, or "
            "to drop_rows with a reason"
        )
        lines.append(_line(grid, "unmapped_column", detail, row_no, binding.label_col, label))
    return lines
