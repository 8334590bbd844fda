"""Check the values of a sheet's columns; return a table of them and what was rejected (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.ingest.cells.cell_values import (
    FIRST_YEAR,
    LAST_YEAR,
    cell_ref,
    parse_year,
)
from warehouse.ingest.cells.coded_texts import CodedTexts
from warehouse.ingest.cells.column_values import (
    FilledCells,
    coded_column,
    filled_cells,
)
from warehouse.ingest.formats.grids import Cell, Grid
from warehouse.ingest.raw_table import FileOrigin, build_raw_table
from warehouse.ingest.sheets.bindings import Binding, ValueColumn
from warehouse.ingest.sheets.rows import NO_YEAR, SheetRows, text_or_none

# reason and detail; none of a cell that is taken
Rejection = tuple[str | None, str | None]
_TAKEN: Rejection = (None, None)
_MERGED = (
    "expected a value for each place and year, found one merged over {cells}; write each into its "
    "own cell"
)
_DECIMAL_COMMA = r"^[+-]?[0-9]+(?:[.][0-9]{3})*,(?:[0-9]{1,2}|[0-9]{4,})$"
_TEXTS = (
    *("place_code_text", "place_text", "place_within_text", "year_text", "indicator_id"),
    *("unit_text", "reason", "detail", "observation_note"),
)
# any column is an int32
_MORE_THAN_COLUMNS = 1 << 31


@dataclass(frozen=True)
class ColumnValues:
    """The filled cells of one column.

    Attributes
    ----------
    col_no : int
        1-based column.
    filled : FilledCells
        Texts and numbers; ``positions`` are positions in ``SheetRows``.
    years : ndarray of int32, shape (n,)
        ``NO_YEAR`` where there is none.
    texts : dict of str to CodedTexts
        Of each filled cell, by the name of the raw table's column: place, year, indicator and unit
        as delivered, marks of notes behind the number; reason and detail, none where number and
        year are good.
    """

    col_no: int
    filled: FilledCells
    years: np.ndarray
    texts: dict[str, CodedTexts]


def merged_values(grid: Grid, binding: Binding, rows: SheetRows) -> dict[tuple[int, int], str]:
    """Return cells merged over several rows or columns of values, such as ``C2:C3``, by 1-based row
    and column of the first.

    The value of such a cell belongs to all of them together, or to each, or is their sum: only who
    wrote it knows. A cell merged over rows or columns that hold nothing of the table is as good as
    one of its own.
    """
    row_nos, col_nos = (
        set(rows.row_nos.tolist()) if grid.merged else set(),
        {value.col + 1 for value in binding.values},
    )
    found = {}
    for (first_row, first_col), (last_row, last_col) in grid.merged:
        n_rows = sum(row_no in row_nos for row_no in range(first_row + 1, last_row + 2))
        n_cols = sum(col_no in col_nos for col_no in range(first_col + 1, last_col + 2))
        if n_rows and n_cols and (n_rows > 1 or n_cols > 1):
            found[first_row + 1, first_col + 1] = (
                f"{cell_ref(first_row + 1, first_col + 1)}:{cell_ref(last_row + 1, last_col + 1)}"
            )
    return found


def read_column(
    binding: Binding,
    value: ValueColumn,
    rows: SheetRows,
    missing: set[str],
    merged: Mapping[tuple[int, int], str] | None = None,
    *,
    decimal_comma: bool = False,
) -> ColumnValues:
    """Return what one column of values holds; blank cells and signs for a missing value
    (``missing``) are no values.

    Parameters
    ----------
    binding : Binding
        Columns of the sheet.
    value : ValueColumn
        The column.
    rows : SheetRows
        Rows of the sheet.
    missing : set of str
        Signs for a missing value, normalised and trimmed.
    merged : mapping of (int, int) to str, optional
        ``merged_values`` of the sheet.
    decimal_comma : bool
        Whether texts of this table separate decimals by a comma.
    """
    cells = rows.column(value.col)
    if binding.label_col is not None:
        _blank_unknown(cells, binding, rows)
    filled = filled_cells(cells, missing, value.unit_text, decimal_comma=decimal_comma)
    at, n = filled.positions, len(filled.positions)
    rules = None
    indicators = CodedTexts.constant(value.indicator_id, n)
    units = CodedTexts.constant(value.unit_text, n)
    if binding.label_col is not None:
        rules = [binding.row_values[row_no - 1] for row_no in rows.row_nos[at].tolist()]
        indicators = CodedTexts.from_list([rule.indicator_id for rule in rules])
        units = CodedTexts.from_list([rule.unit_text for rule in rules])
    if value.other is not None and value.other_col is not None:
        texts = coded_column(rows.column(value.other_col)).take(at).to_list()
        ids = [value.indicator_id] * n
        for i, text in enumerate(texts):
            if re.search(value.other.matches, text or ""):
                ids[i] = value.other.id
        indicators = CodedTexts.from_list(ids)
    if value.unit_col is not None:
        units = coded_column(rows.column(value.unit_col)).take(at).mapped(text_or_none)
    if filled.units:
        units = CodedTexts.from_list(
            [filled.units.get(i, text) for i, text in enumerate(units.to_list())]
        )
    if binding.is_by_year_columns:
        year = parse_year(value.year_text)
        year_texts, years = (
            CodedTexts.constant(value.year_text, n),
            np.full(n, NO_YEAR if year is None else year, np.int32),
        )
    else:
        year_texts, years = rows.year_texts.take(at), rows.years[at]
    rejections = _rejections(filled, year_texts, years, [value] if rules is None else rules)
    if value.left_out is not None and value.flag_col is not None:
        flags = coded_column(rows.column(value.flag_col)).take(at).to_list()
        left_out = ("dropped_row", f"value left out by the layout: {value.left_out.reason}")
        hits = [re.search(value.left_out.matches, flag or "") for flag in flags]
        _overrule(rejections, [hit and left_out for hit in hits])
    if merged:
        shared = [merged.get((row_no, value.col + 1)) for row_no in rows.row_nos[at].tolist()]
        said = [cells and ("not_a_number", _MERGED.format(cells=cells)) for cells in shared]
        _overrule(rejections, said, only=(None,))
    if not decimal_comma:
        _overrule(rejections, _of_two_conventions(filled.texts), only=(None, "not_a_number"))
    names = (
        rows.names.take(at)
        if value.place_text is None
        else CodedTexts.constant(value.place_text, n)
    )
    of_cells = {
        "place_code_text": rows.codes.take(at),
        "place_text": names,
        "place_within_text": rows.within.take(at),
        "year_text": year_texts,
        "indicator_id": indicators,
        "unit_text": units,
        "reason": CodedTexts.from_list([reason for reason, _ in rejections]),
        "detail": CodedTexts.from_list([detail for _, detail in rejections]),
        "observation_note": CodedTexts.from_list([filled.notes.get(i) for i in range(n)]),
    }
    return ColumnValues(value.col + 1, filled, years, of_cells)


def _rejections(
    filled: FilledCells, year_texts: CodedTexts, years: np.ndarray, rules: Sequence[ValueColumn]
) -> list[Rejection]:
    """Return the reason and detail of each cell, by the column's rule or by one rule per cell: none
    where number and year are good, else those of `rejection_of`.
    """
    rejections = [_TAKEN] * len(years)
    doubtful = np.isnan(filled.numbers) | (years == NO_YEAR) | (filled.numbers == 0)
    for i in np.flatnonzero(doubtful).tolist():
        number, year = float(filled.numbers[i]), int(years[i])
        rejections[i] = rejection_of(
            None if np.isnan(number) else number,
            None if year == NO_YEAR else year,
            filled.texts[i].as_py(),
            year_texts.take(np.array([i])).to_list()[0],
            rules[i % len(rules)].zero_is_missing,
        )
    return rejections


def _overrule(
    rejections: list[Rejection],
    others: Sequence[Rejection | None],
    only: tuple[str | None, ...] | None = None,
) -> None:
    """Replace rejections by others; with `only`, those alone that have one of these reasons."""
    for i, other in enumerate(others):
        if other and (only is None or rejections[i][0] in only):
            rejections[i] = other


def _blank_unknown(cells: list[Cell], binding: Binding, rows: SheetRows) -> None:
    """Empty the cells of rows whose label names no indicator: these have a line of their own."""
    known = np.isin(rows.row_nos - 1, list(binding.row_values))
    for i in np.flatnonzero(~known).tolist():
        cells[i] = ""


def _of_two_conventions(texts: pa.Array) -> list[Rejection | None]:
    """Reject the numbers with a comma in a column where one of them cannot be thousands: 271,580
    next to 6073,83.
    """
    decimal = pc.match_substring_regex(texts, _DECIMAL_COMMA)
    if not pc.any(decimal).as_py():
        return []
    example = texts.filter(decimal)[0].as_py()
    commas = pc.match_substring_regex(texts, "^[+-]?[0-9][0-9.]*(?:,[0-9]+)+$").to_pylist()
    rejections: list[Rejection | None] = [None] * len(commas)
    for i, text in enumerate(texts.to_pylist()):
        if commas[i]:
            beside = f" in a column with {example!r}" if text != example else ""
            rejections[i] = (
                "not_a_number",
                f"expected thousands behind a comma, found {text!r}{beside}; say decimal_comma: "
                "true in the layout, or correct the cells",
            )
    return rejections


def build_values_table(
    origin: FileOrigin,
    sheet_name: str | None,
    place_level: str,
    rows: SheetRows,
    columns: Sequence[ColumnValues],
    lines: Sequence[dict[str, object]],
) -> pa.Table:
    """Return values of all columns of a sheet and its rejected lines (``build_rejected_line``), by
    row and column; lines without a row first.
    """
    at = np.concatenate([np.empty(0, np.int64), *(column.filled.positions for column in columns)])
    row_nos = np.concatenate([rows.row_nos[at], [line["row_no"] or 0 for line in lines]]).astype(
        np.int32
    )
    col_nos = np.concatenate(
        [
            *(np.full(len(column.years), column.col_no) for column in columns),
            [line["col_no"] or 0 for line in lines],
        ]
    )
    # within a column the rows ascend already: a stable sort then only merges the columns
    order = np.argsort(row_nos.astype(np.int64) * _MORE_THAN_COLUMNS + col_nos, kind="stable")
    row_nos, col_nos = row_nos[order], col_nos[order].astype(np.int32)

    def gathered(name: str) -> CodedTexts:
        # a line has no place, year, indicator or unit
        of_lines = CodedTexts.from_list([line.get(name) for line in lines])
        parts = [column.texts[name] for column in columns]
        return CodedTexts.concat([*parts, of_lines]).take(order)

    raw_texts = pa.concat_arrays(
        [
            *(column.filled.texts for column in columns),
            pa.array([line["raw_text"] for line in lines], pa.string()),
        ]
    )
    numbers = np.concatenate(
        [*(column.filled.numbers for column in columns), np.full(len(lines), np.nan)]
    )[order]
    years = np.concatenate([*(column.years for column in columns), np.full(len(lines), NO_YEAR)])[
        order
    ].astype(np.int32)
    built = {
        "sheet_name": sheet_name,
        "cell_ref": [
            cell_ref(row_no, col_no) if row_no and col_no else None
            for row_no, col_no in zip(row_nos.tolist(), col_nos.tolist(), strict=True)
        ],
        "row_no": pa.array(row_nos, mask=row_nos == 0),
        "col_no": pa.array(col_nos, mask=col_nos == 0),
        "place_level": CodedTexts.concat(
            [CodedTexts.constant(place_level, len(at)), CodedTexts.constant(None, len(lines))]
        ).take(order),
        "year": pa.array(years, mask=years == NO_YEAR),
        "raw_text": raw_texts.take(pa.array(order)),
        "value": pa.array(numbers, mask=np.isnan(numbers)),
    }
    built |= {name: gathered(name) for name in _TEXTS}
    return build_raw_table(origin, built, len(order))


def rejection_of(
    number: float | None,
    year: int | None,
    raw_text: str,
    year_text: str | None,
    zero_is_missing: str | None = None,
) -> tuple[str | None, str | None]:
    """Return why a value cell is rejected (reason, detail): nulls when number and year are good."""
    if number == 0 and zero_is_missing is not None:
        return (
            "not_a_number",
            (
                f"expected a value, found {raw_text!r}, which stands for a missing one: "
                f"{zero_is_missing}"
            ),
        )
    if number is not None and year is not None:
        return _TAKEN
    if number is None:
        todo = "correct the cell"
        if raw_text.startswith("="):
            todo = "it is a formula without a stored result: open and save the workbook in Excel"
        return (
            "not_a_number",
            (
                f"expected a number, found {raw_text!r}; {todo}, or name the text in "
                "missing_values of the layout"
            ),
        )
    return (
        "unknown_year",
        f"expected a year from {FIRST_YEAR} to {LAST_YEAR}, found {year_text!r}; correct the year",
    )
