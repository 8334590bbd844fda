"""An old workbook (.xls) as a person reads it: numbers as their format shows them, raised marks of
notes, errors by their names, what is hidden (pure).
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator

import xlrd
from xlrd.sheet import Sheet

from warehouse.ingest.formats.number_formats import changed_letters, shown_text

_PLACES = {1: "superscript", 2: "subscript"}


def read_sheets(data: bytes) -> list[tuple[Sheet, list[list[object]]]]:
    """Return each sheet with its cells; rows have unlike lengths.

    Parameters
    ----------
    data : bytes
        A whole .xls file without encryption.

    Raises
    ------
    Exception
        Whatever xlrd raises at a damaged file.
    """
    book = xlrd.open_workbook(
        file_contents=data, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
    )
    return [(sheet, list(_rows(book, sheet))) for sheet in book.sheets()]


def _rows(book: xlrd.Book, sheet: Sheet) -> Iterator[list[object]]:
    for row in range(sheet.nrows):
        yield [_cell(book, sheet, row, col) for col in range(sheet.row_len(row))]


def _cell(book: xlrd.Book, sheet: Sheet, row: int, col: int) -> object:
    kind, value = sheet.cell_type(row, col), sheet.cell_value(row, col)
    if kind == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(value, "#ERROR")
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_DATE:
        return _date(value, book.datemode)
    if kind == xlrd.XL_CELL_NUMBER:
        styles = book.xf_list[sheet.cell_xf_index(row, col) :]
        form = book.format_map.get(styles[0].format_key) if styles else None
        return value if form is None else shown_text(form.format_str, repr(value)) or value
    runs = sheet.rich_text_runlist_map.get((row, col))
    return _raised(value, runs, book) if runs else value


def _date(value: float, datemode: int) -> object:
    try:
        moment = xlrd.xldate_as_datetime(value, datemode)
    except (xlrd.xldate.XLDateError, OverflowError):
        return value
    return moment.date() if moment.time() == datetime.time() else moment


def _raised(text: str, runs: list[tuple[int, int]], book: xlrd.Book) -> str:
    """Return the text with the letters of each run as its font shows them; a run reaches to the
    next.
    """
    parts = [text[: runs[0][0]]]
    for (start, font), end in zip(runs, [*(start for start, _ in runs[1:]), None], strict=True):
        form = book.font_list[font].escapement
        parts.append(changed_letters(text[start:end], _PLACES.get(form)))
    return "".join(parts)
