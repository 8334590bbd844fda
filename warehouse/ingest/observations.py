"""Grid and layout to raw rows, each with its cell address; whatever is not taken gets one line (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.ingest.bindings import Binding, ValueColumn, bind_table
from warehouse.ingest.cell_values import (
    FIRST_YEAR,
    LAST_YEAR,
    cell_text,
    code_text,
    is_blank,
    is_blank_row,
    normal_header,
    parse_year,
)
from warehouse.ingest.column_values import cell_refs, column_numbers, column_texts, filled_positions, remembering_search
from warehouse.ingest.errors import FileFault
from warehouse.ingest.grids import Cell, Grid
from warehouse.ingest.layouts import Table
from warehouse.ingest.raw_table import RAW_SCHEMA, FileOrigin, build_raw_table, build_rejected_line, build_rejected_table, in_sheet_order
from warehouse.ingest.sheet_choice import claims, missing_sheets, unread_sheet


@dataclass(frozen=True)
class _Rows:
    """Data rows of a sheet that are neither blank nor dropped; `columns` are the same cells by column, short rows filled with blanks."""

    row_nos: list[int]
    cells: list[list[Cell]]
    columns: list[tuple[Cell, ...]]
    codes: list[str | None]
    names: list[str | None]
    year_texts: list[str | None]
    years: list[int | None]

    @cached_property
    def arrays(self) -> dict[str, pa.Array]:
        """The columns that every value repeats, as arrays."""
        return {
            "row_numbers": pa.array(self.row_nos, pa.int32()),
            "row_texts": pa.array(map(str, self.row_nos), pa.string()),
            "codes": pa.array(self.codes, pa.string()),
            "names": pa.array(self.names, pa.string()),
            "year_texts": pa.array(self.year_texts, pa.string()),
            "years": pa.array(self.years, pa.int32()),
        }

    def taken(self, name: str, positions: pa.Array | None) -> pa.Array:
        """One of `arrays` at the given positions; None for all."""
        return self.arrays[name] if positions is None else self.arrays[name].take(positions)

    def column(self, col: int) -> Sequence[Cell]:
        """Cells of a 0-based column; blanks beyond the last one."""
        return self.columns[col] if col < len(self.columns) else [""] * len(self.cells)


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
    return pa.concat_tables(parts) if parts else RAW_SCHEMA.empty_table()


def _joined(faults: list[FileFault]) -> FileFault:
    found = "; ".join(f"{fault.where or 'file'}: expected {fault.expected}, found {fault.found}" for fault in faults)
    return FileFault(f"{len(faults)} things otherwise", found, faults[0].action)


def build_sheet_observations(grid: Grid, table: Table, origin: FileOrigin) -> pa.Table:
    """Raw rows of one sheet read as one table; see ``build_file_observations``."""
    binding = bind_table(grid, table, origin.edition_year)
    missing = {unicodedata.normalize("NFKC", token).strip() for token in table.missing_values}
    kept, lines = _split_rows(grid, table, binding)
    rows = _place_and_year(kept, table, binding)
    lines += _left_out_columns(grid, table, binding, rows)
    lines += _rows_without_values(grid, binding, rows, missing)
    lines += _unknown_labels(grid, binding, rows)
    parts = [_column_observations(grid, table, binding, value, rows, missing, origin) for value in binding.values]
    return in_sheet_order(pa.concat_tables([*parts, build_rejected_table(origin, lines)]))


def _split_rows(grid: Grid, table: Table, binding: Binding) -> tuple[list[tuple[int, list[Cell]]], list[dict[str, object]]]:
    """Numbered data rows that are kept, and a line for each that a rule drops."""
    rules = [(rule, remembering_search(re.compile(rule.matches).search), _rule_columns(rule.column, binding)) for rule in table.drop_rows]
    kept, lines = [], []
    width = len(binding.headers)
    for row_no, cells in enumerate(grid.rows[binding.data_row :], start=binding.data_row + 1):
        if is_blank_row(cells):
            continue
        dropped = _dropping_cell(cells, rules)
        if dropped is None and grid.sheet_name is None and any(not is_blank(cell) for cell in cells[width:]):
            reason = f"expected {width} cells as in the header, found {len(cells)}; put cells that hold the separator in quotation marks"
            dropped = (0, reason)
        if dropped is None:
            kept.append((row_no, cells))
            continue
        col, reason = dropped
        text = cell_text(cells[col]) if col < len(cells) else ""
        lines.append(build_rejected_line("dropped_row", reason, sheet_name=grid.sheet_name, row_no=row_no, col_no=col + 1, raw_text=text))
    return kept, lines


def _rule_columns(column: str, binding: Binding) -> list[int] | None:
    from_header = {header: col for col, header in reversed(list(enumerate(binding.headers)))}
    return None if column == "*" else [from_header[name] for name in (normal_header(column),) if name in from_header]


def _dropping_cell(cells: list[Cell], rules: list[tuple[object, Callable[[str], bool], list[int] | None]]) -> tuple[int, str] | None:
    for rule, matches, cols in rules:
        for col in range(len(cells)) if cols is None else cols:
            cell = cells[col] if col < len(cells) else ""
            text = cell if isinstance(cell, str) or cols is None else cell_text(cell)
            if isinstance(text, str) and matches(text):
                return col, f"row left out by the layout: {rule.reason}"
    return None


def _place_and_year(kept: list[tuple[int, list[Cell]]], table: Table, binding: Binding) -> _Rows:
    cells = [row for _, row in kept]
    columns = list(zip_longest(*cells, fillvalue=""))
    year_texts = _column_texts(columns, binding.year_col, len(cells))
    years = [parse_year(text) if text is not None else None for text in year_texts]
    if binding.data_year is not None:
        year_texts, years = [binding.data_year[0]] * len(cells), [binding.data_year[1]] * len(cells)
    codes = [code_text(text) if text is not None else None for text in _column_texts(columns, binding.code_col, len(cells))]
    names = _column_texts(columns, binding.name_col, len(cells)) if binding.place_name is None else [binding.place_name] * len(cells)
    if table.place.respell:
        names = [table.place.respell.get(normal_header(name), name) if name is not None else None for name in names]
    if table.place.fill_down:
        codes, names = _filled_down(codes, names)
    return _Rows([row_no for row_no, _ in kept], cells, columns, codes, names, year_texts, years)


def _filled_down(codes: list[str | None], names: list[str | None]) -> tuple[list[str | None], list[str | None]]:
    """Places with the last one repeated where a row has neither code nor name."""
    filled, last = [], (None, None)
    for place in zip(codes, names, strict=True):
        last = place if any(part is not None for part in place) else last
        filled.append(last)
    return [code for code, _ in filled], [name for _, name in filled]


def _column_texts(columns: list[tuple[Cell, ...]], col: int | None, n_rows: int) -> list[str | None]:
    """Texts of a column as delivered, None where blank or where there is no such column."""
    if col is None or col >= len(columns):
        return [None] * n_rows
    texts = column_texts(columns[col]).to_pylist()
    return [text if text.strip() else None for text in texts]


def _texts(cells: list[list[Cell]], col: int | None) -> list[str | None]:
    """Texts of a column as delivered, None where blank or where there is no such column."""
    if col is None:
        return [None] * len(cells)
    return [None if col >= len(row) or is_blank(row[col]) else cell_text(row[col]) for row in cells]


def _left_out_columns(grid: Grid, table: Table, binding: Binding, rows: _Rows) -> list[dict[str, object]]:
    """One line a column that is ignored, unmapped or has no header; one a stray cell that the layout knows."""
    header_no, lines = binding.header_row + 1, []
    for col in sorted({*binding.ignored, *binding.unmapped}):
        reason = binding.ignored.get(col)
        detail = f"column left out by the layout: {reason}" if reason else _UNMAPPED
        text = binding.header_texts[col]
        lines.append(
            build_rejected_line("unmapped_column", detail, sheet_name=grid.sheet_name, row_no=header_no, col_no=col + 1, raw_text=text)
        )
    width = max((len(row) for row in rows.cells), default=0)
    nameless = [col for col in range(width) if col not in binding.ignored and (col >= len(binding.headers) or not binding.headers[col])]
    for col in nameless:
        lines += _nameless_column(grid, table, binding, rows, col)
    return lines


_EMPTY = {"", None}
_UNMAPPED = (
    "expected a column that the layout maps or ignores, found another one; map it in the layout, or add it to ignore_columns with a reason"
)


def _nameless_column(grid: Grid, table: Table, binding: Binding, rows: _Rows, col: int) -> list[dict[str, object]]:
    column = rows.column(col)
    # hashing finds out quickly that a column is empty, as most without a header are
    filled = [] if set(column) <= _EMPTY else [(no, cell) for no, cell in zip(rows.row_nos, column, strict=True) if not is_blank(cell)]
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


def _rows_without_values(grid: Grid, binding: Binding, rows: _Rows, missing: set[str]) -> list[dict[str, object]]:
    """A line for each row that holds neither a year nor a value, such as a note under the table: else it would vanish unseen."""
    cols = [value.col for value in binding.values]
    lines = []
    for row_no, cells, year in zip(rows.row_nos, rows.cells, rows.years, strict=True):
        has_year = year is not None and binding.data_year is None
        if has_year or any(col < len(cells) and not _is_missing(cells[col], missing) for col in cols):
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


def _unknown_labels(grid: Grid, binding: Binding, rows: _Rows) -> list[dict[str, object]]:
    """A line for each row whose label names no indicator of the layout, where the indicators stand in rows."""
    if binding.label_col is None:
        return []
    lines, cols = [], [value.col for value in binding.values]
    for row_no, cells in zip(rows.row_nos, rows.cells, strict=True):
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


def _is_missing(cell: Cell, missing: set[str]) -> bool:
    if isinstance(cell, str):
        return unicodedata.normalize("NFKC", cell).strip() in missing or not cell.strip()
    return is_blank(cell)


def _column_observations(
    grid: Grid, table: Table, binding: Binding, value: ValueColumn, rows: _Rows, missing: set[str], origin: FileOrigin
) -> pa.Table:
    """Raw rows of one column of values; blank cells and missing-value marks are no rows."""
    col = value.col
    whole = rows.column(col)
    taken = filled_positions(whole, missing)
    if binding.label_col is not None:
        taken = [i for i in taken if rows.row_nos[i] - 1 in binding.row_values]
    rules = None if binding.label_col is None else [binding.row_values[rows.row_nos[i] - 1] for i in taken]
    cells = whole if len(taken) == len(whole) else [whole[i] for i in taken]
    raw_texts = column_texts(cells)
    numbers = column_numbers(cells, raw_texts)
    where = None if len(taken) == len(whole) else pa.array(taken, pa.int64())
    year_texts, years = value.year_text, parse_year(value.year_text) if value.year_text is not None else None
    if not binding.is_by_year_columns:
        year_texts, years = rows.taken("year_texts", where), rows.taken("years", where)
    reasons, details = _verdicts(raw_texts, numbers, year_texts, years, rules or value)
    unit_cells = [rows.cells[i] for i in taken] if value.unit_col is not None else []
    fixed_units = value.unit_text if rules is None else [rule.unit_text for rule in rules]
    columns = {
        "sheet_name": grid.sheet_name,
        "cell_ref": cell_refs(col, rows.taken("row_texts", where)),
        "row_no": rows.taken("row_numbers", where),
        "col_no": col + 1,
        "place_level": table.place.level,
        "place_code_text": rows.taken("codes", where),
        "place_text": rows.taken("names", where),
        "year_text": year_texts,
        "year": years,
        "indicator_id": value.indicator_id if rules is None else [rule.indicator_id for rule in rules],
        "unit_text": _texts(unit_cells, value.unit_col) if value.unit_col is not None else fixed_units,
        "raw_text": raw_texts,
        "value": numbers,
        "reason": reasons,
        "detail": details,
    }
    return build_raw_table(origin, columns, len(taken))


def _verdicts(
    raw_texts: pa.Array, numbers: pa.Array, year_texts: object, years: object, rules: ValueColumn | list[ValueColumn]
) -> tuple[object, object]:
    """Reasons and details of a column: nulls where its number and year are good, which is nearly everywhere; else `judge` has the word."""
    n = len(numbers)
    is_array = isinstance(years, pa.Array)
    doubtful = pc.is_null(numbers).to_numpy(zero_copy_only=False)
    if is_array:
        doubtful = doubtful | pc.is_null(years).to_numpy(zero_copy_only=False)
    elif years is None:
        doubtful = np.ones(n, dtype=bool)
    if isinstance(rules, list) or rules.zero_is_missing is not None:
        doubtful = doubtful | pc.fill_null(pc.equal(numbers, 0.0), False).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(doubtful).tolist()
    if not at:
        return _TAKEN
    reasons, details = [None] * n, [None] * n
    for i in at:
        year, year_text = (years[i].as_py(), year_texts[i].as_py()) if is_array else (years, year_texts)
        rule = rules[i] if isinstance(rules, list) else rules
        reasons[i], details[i] = judge(numbers[i].as_py(), year, raw_texts[i].as_py(), year_text, rule.zero_is_missing)
    return reasons, details


_TAKEN = (None, None)


def judge(
    number: float | None, year: int | None, raw_text: str, year_text: str | None, zero_is_missing: str | None = None
) -> tuple[str | None, str | None]:
    """Reason and detail of a value cell: nulls when its number and year are good."""
    if number == 0 and zero_is_missing is not None:
        return "not_a_number", f"expected a value, found {raw_text!r}, which stands for a missing one: {zero_is_missing}"
    if number is not None and year is not None:
        return _TAKEN
    if number is None:
        todo = "correct the cell"
        if raw_text.startswith("="):
            todo = "it is a formula without a stored result: open and save the workbook in Excel"
        return "not_a_number", f"expected a number, found {raw_text!r}; {todo}, or name the text in missing_values of the layout"
    return "unknown_year", f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, found {year_text!r}; correct the year"
