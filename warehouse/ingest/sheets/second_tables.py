"""Find rows among a sheet's values that hold no values: the header of a second table, or a row of
units. Values below them would be misread (pure).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from warehouse.ingest.cells.cell_values import FIRST_YEAR, LAST_YEAR, cell_text, normal_header
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.sheets.bindings import Binding
from warehouse.ingest.sheets.finder import texts_above, where
from warehouse.ingest.sheets.rows import SheetRows
from warehouse.ingest.sheets.values import ColumnValues

_UNIT_LINE = re.compile(r"^\(?(?:计量|金额|数据)?单位[:=](.+?)\)?$|^\(?(?i:unit|units):(.+?)\)?$")
# fewer years in a row may be values
_FEWEST_YEARS = 3
_FEWEST_TEXTS = 2


def refuse_second_tables(
    grid: Grid, binding: Binding, rows: SheetRows, columns: Sequence[ColumnValues]
) -> None:
    """Raise a FileFault where the rows of a sheet go on under another header, or in another unit,
    than the one that was read.

    Parameters
    ----------
    grid : Grid
        One sheet.
    binding : Binding
        Its columns.
    rows : SheetRows
        Its rows, those dropped by the layout left out.
    columns : sequence of ColumnValues
        What was read of them.

    Raises
    ------
    FileFault
        Naming the row, what stands there, and how a layout says where the table ends.
    """
    n = len(rows.cells)
    good, bad = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for column in columns:
        is_number = ~np.isnan(column.filled.numbers)
        np.add.at(good, column.filled.positions[is_number], 1)
        np.add.at(bad, column.filled.positions[~is_number], 1)
    last_good = int(np.flatnonzero(good).max(initial=-1))
    for position in np.flatnonzero(good[: last_good + 1] == 0).tolist():
        texts = [normal_header(cell_text(cell)) for cell in rows.cells[position]]
        row_no = int(rows.row_nos[position])
        # a row that repeats the whole header, as on a new page, changes nothing; with years across
        # it may begin another indicator
        is_repeated = not binding.is_by_year_columns and _repeats_header(grid, binding, texts)
        if not is_repeated and _is_header(
            binding, columns, texts, int(bad[position]), is_first=position == 0
        ):
            raise _second_header(grid, texts, row_no)
        _refuse_units(grid, binding, texts, row_no)
    if binding.is_by_year_columns:
        _refuse_years(grid, rows, columns, good)


def _repeats_header(grid: Grid, binding: Binding, texts: Sequence[str]) -> bool:
    """Return whether a row says what one of the header's rows says, in every cell that it fills."""
    filled = [(col, text) for col, text in enumerate(texts) if text]
    return any(
        all(col < len(row) and normal_header(cell_text(row[col])) == text for col, text in filled)
        for row in grid.rows[binding.header_row : binding.data_row]
    )


def _is_header(
    binding: Binding,
    columns: Sequence[ColumnValues],
    texts: Sequence[str],
    n_bad: int,
    *,
    is_first: bool,
) -> bool:
    """Return whether a row without any number is a header: it repeats the header of the place, or
    has several unlike texts over values.
    """
    own = [
        binding.headers[col]
        for col in (binding.name_col, binding.code_col, binding.year_col)
        if col is not None and binding.headers[col : col + 1] not in ([], [""])
    ]
    at = [
        texts[col]
        for col in (binding.name_col, binding.code_col, binding.year_col)
        if col is not None and col < len(texts)
    ]
    if n_bad and any(text and text in own for text in at):
        return True
    over = {texts[column.col_no - 1] for column in columns if column.col_no <= len(texts)} - {""}
    # under the header, texts over values without a place are a row of units
    if is_first and n_bad and not any(at):
        return True
    return n_bad >= _FEWEST_TEXTS and len(over) >= _FEWEST_TEXTS


def _second_header(grid: Grid, texts: Sequence[str], row_no: int) -> FileFault:
    shown = ", ".join(filter(None, texts))[:200]
    return FileFault(
        "numbers under the header to the sheet's end",
        f"texts in row {row_no} and numbers below them ({shown})",
        "if a second table begins there, say so in the layout: ends at this table, and a table of "
        "its own for the other one; "
        "if it is a row of units, header.unit_row; if it is nothing, drop_rows with a reason",
        where(grid.sheet_name),
    )


def _refuse_units(grid: Grid, binding: Binding, texts: Sequence[str], row_no: int) -> None:
    """A line of units among values holds from there on; only one that repeats what is read, or
    stands above the header, changes nothing.
    """
    above = set(texts_above(grid, binding.data_row))
    read = {value.unit_text for value in (*binding.values, *binding.row_values.values())}
    for text in texts:
        match = _UNIT_LINE.match(text)
        unit = match and (match.group(1) or match.group(2))
        if not unit or text in above or {normal_header(known or "") for known in read} == {unit}:
            continue
        raise FileFault(
            (
                f"values in {', '.join(sorted(known or 'the canonical unit' for known in read))} "
                "to the sheet's end"
            ),
            f"a line of units in row {row_no} ({text[:100]})",
            (
                "end the table there (ends) and give a table of its own to what follows, or leave "
                "the line out by drop_rows with a reason"
            ),
            where(grid.sheet_name),
        )


def _refuse_years(
    grid: Grid, rows: SheetRows, columns: Sequence[ColumnValues], good: np.ndarray
) -> None:
    """Years as numbers in the middle of a table with years across are the header of another one."""
    if len(columns) < _FEWEST_YEARS:
        return
    values = np.full((len(rows.cells), len(columns)), np.nan)
    for i, column in enumerate(columns):
        values[column.filled.positions, i] = column.filled.numbers
    with np.errstate(invalid="ignore"):
        is_year = (values >= FIRST_YEAR) & (values <= LAST_YEAR) & (values == np.round(values))
    for position in np.flatnonzero(
        (is_year.sum(axis=1) == good) & (good >= _FEWEST_YEARS)
    ).tolist():
        found = [int(year) for year in values[position] if not np.isnan(year)]
        if {abs(after - before) for before, after in pairwise(found)} == {1}:
            texts = [normal_header(cell_text(cell)) for cell in rows.cells[position]]
            raise _second_header(grid, texts, int(rows.row_nos[position]))
