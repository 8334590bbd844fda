"""Grid and layout to raw rows, each with its cell address; whatever is not taken gets one line (pure)."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa

from warehouse.ingest.cells.cell_values import cell_text, is_blank, is_missing
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.layouts import Table
from warehouse.ingest.raw_table import RAW_SCHEMA, FileOrigin, build_rejected_line, build_rejected_table
from warehouse.ingest.sheets.bindings import Binding, bind_table
from warehouse.ingest.sheets.choice import claims, missing_sheets, unread_sheet
from warehouse.ingest.sheets.rows import NO_YEAR, SheetRows, split_rows
from warehouse.ingest.sheets.values import build_values_table, read_column


def build_file_observations(grids: list[Grid], tables: list[Table], origin: FileOrigin) -> pa.Table:
    """Raw rows of one file: every sheet through every table of the layout that claims it.

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
        A sheet or a column that a table names is missing or doubled; all such faults of the file are named.
    """
    filled = [(position, grid) for position, grid in enumerate(grids) if any(not is_blank(cell) for row in grid.rows for cell in row)]
    parts, faults = [], missing_sheets(filled, tables)
    for position, grid in filled if not faults else []:
        readers = [table for table in tables if claims(table, grid.sheet_name, position)]
        if not readers:
            parts.append(build_rejected_table(origin, [unread_sheet(grid, tables)]))
        for table in readers:
            try:
                parts.append(build_sheet_observations(grid, table, origin))
            except FileFault as fault:
                faults.append(fault)
    if faults:
        raise faults[0] if len(faults) == 1 else _joined(faults)
    return pa.concat_tables(parts).unify_dictionaries() if parts else RAW_SCHEMA.empty_table()


def _joined(faults: list[FileFault]) -> FileFault:
    found = "; ".join(f"{fault.where or 'file'}: expected {fault.expected}, found {fault.found}" for fault in faults)
    return FileFault(f"{len(faults)} things otherwise", found, faults[0].action)


def build_sheet_observations(grid: Grid, table: Table, origin: FileOrigin) -> pa.Table:
    """Raw rows of one sheet read as one table; see ``build_file_observations``."""
    binding = bind_table(grid, table, origin.edition_year)
    missing = {unicodedata.normalize("NFKC", token).strip() for token in table.missing_values}
    rows, lines = split_rows(grid, table, binding)
    lines += _left_out_columns(grid, table, binding, rows)
    lines += _rows_without_values(grid, binding, rows, missing)
    lines += _unknown_labels(grid, binding, rows)
    columns = [read_column(binding, value, rows, missing) for value in binding.values]
    return build_values_table(origin, grid.sheet_name, table.place.level, rows, columns, lines)


def _left_out_columns(grid: Grid, table: Table, binding: Binding, rows: SheetRows) -> list[dict[str, object]]:
    """One line per column that is ignored, unmapped or without a header, and one per stray cell that the layout knows."""
    header_no, lines = binding.header_row + 1, []
    for col in sorted({*binding.ignored, *binding.unmapped}):
        reason = binding.ignored.get(col)
        detail = f"column left out by the layout: {reason}" if reason else _UNMAPPED
        text = binding.header_texts[col]
        lines.append(
            build_rejected_line("unmapped_column", detail, sheet_name=grid.sheet_name, row_no=header_no, col_no=col + 1, raw_text=text)
        )
    nameless = [
        col for col in range(rows.width) if col not in binding.ignored and (col >= len(binding.headers) or not binding.headers[col])
    ]
    for col in nameless:
        lines += _nameless_column(grid, table, binding, rows, col)
    return lines


_UNMAPPED = (
    "expected a column that the layout maps or ignores, found another one; map it in the layout, or add it to ignore_columns with a reason"
)


def _nameless_column(grid: Grid, table: Table, binding: Binding, rows: SheetRows, col: int) -> list[dict[str, object]]:
    column = rows.column(col)
    # a set shows quickly that a column is empty, as most without a header are
    present = {cell for cell in set(column) if not is_blank(cell)}
    filled = [(no, cell) for no, cell in zip(rows.row_nos.tolist(), column, strict=True) if cell in present] if present else []
    lines, unknown = [], []
    for row_no, cell in filled:
        text = cell_text(cell)
        rule = next((rule for rule in table.stray_cells if re.search(rule.matches, text)), None)
        if rule is None:
            unknown.append(text)
            continue
        detail = f"cell left out by the layout: {rule.reason}"
        lines.append(build_rejected_line("dropped_row", detail, sheet_name=grid.sheet_name, row_no=row_no, col_no=col + 1, raw_text=text))
    if unknown:
        detail = (
            f"expected a header above the {len(unknown)} cells of this column, found none; give it a header, or add a rule to stray_cells"
        )
        header_no = binding.header_row + 1
        line = build_rejected_line(
            "unmapped_column", detail, sheet_name=grid.sheet_name, row_no=header_no, col_no=col + 1, raw_text=unknown[0]
        )
        lines.append(line)
    return lines


def _rows_without_values(grid: Grid, binding: Binding, rows: SheetRows, missing: set[str]) -> list[dict[str, object]]:
    """A line for each row that holds neither a year nor a value, such as a note under the table: else it would vanish unseen."""
    cols = [value.col for value in binding.values]
    lines = []
    doubtful = rows.years == NO_YEAR if binding.data_year is None else np.ones(len(rows.cells), dtype=bool)
    for position in np.flatnonzero(doubtful).tolist():
        row_no, cells = int(rows.row_nos[position]), rows.cells[position]
        if any(col < len(cells) and not is_missing(cells[col], missing) for col in cols):
            continue
        named = [col for col, header in enumerate(binding.headers) if header and col < len(cells) and not is_blank(cells[col])]
        if not named:
            continue
        detail = "expected a place with values, found a row without any; nothing to do if it is a note, else deliver its values"
        text = cell_text(cells[named[0]])
        lines.append(
            build_rejected_line("dropped_row", detail, sheet_name=grid.sheet_name, row_no=row_no, col_no=named[0] + 1, raw_text=text)
        )
    return lines


def _unknown_labels(grid: Grid, binding: Binding, rows: SheetRows) -> list[dict[str, object]]:
    """A line for each row whose label names no indicator of the layout, in a table with an indicator per row."""
    if binding.label_col is None:
        return []
    lines, cols = [], [value.col for value in binding.values]
    for row_no, cells in zip(rows.row_nos.tolist(), rows.cells, strict=True):
        if row_no - 1 in binding.row_values or all(col >= len(cells) or is_blank(cells[col]) for col in cols):
            continue
        text = cell_text(cells[binding.label_col]) if binding.label_col < len(cells) else ""
        detail = "expected a row that the layout maps, found another one; add it to row_indicators, or to drop_rows with a reason"
        lines.append(
            build_rejected_line(
                "unmapped_column", detail, sheet_name=grid.sheet_name, row_no=row_no, col_no=binding.label_col + 1, raw_text=text
            )
        )
    return lines
