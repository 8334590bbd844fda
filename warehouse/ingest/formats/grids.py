"""Any workbook, CSV, Stata or Parquet file as grids of cells; the file's name and its first bytes
must agree (pure).
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

import pandas as pd
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)
from xlrd.sheet import Sheet

from warehouse.ingest.errors import FileFault, message_of
from warehouse.ingest.formats.old_workbook import read_sheets
from warehouse.ingest.formats.protection import decrypt_workbook, is_encrypted
from warehouse.ingest.formats.row_batches import MAX_COLUMNS, Cell, is_utf16, read_parts
from warehouse.ingest.formats.sheet_scan import SheetScan
from warehouse.ingest.formats.xlsx_guard import scan_workbook

_TEXTS = dict.fromkeys((".csv", ".txt", ".tsv"), "csv")
READABLE = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    **_TEXTS,
    ".dta": "dta",
    ".parquet": "parquet",
}
_NAMES = {
    "xlsx": "an Excel workbook (xlsx)",
    "xls": "an Excel 97-2003 workbook (xls)",
    "csv": "a text file",
    "dta": "a Stata file",
    "parquet": "a Parquet file",
    "pdf": "a PDF document",
    "html": "a web page",
    "gzip": "a gzip archive",
    "binary": "binary data",
}
_MAGIC = (
    (b"PK\x03\x04", "xlsx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"PAR1", "parquet"),
    (b"<stata_dta>", "dta"),
    (b"%PDF-", "pdf"),
    (b"\x1f\x8b", "gzip"),
)


@dataclass(frozen=True)
class Grid:
    """One sheet; ``rows[0][0]`` is A1. Blank cells are ``None`` or an empty text, numbers of a
    workbook are floats.

    Attributes
    ----------
    sheet_name : str or None
        None for a file without sheets (CSV, Stata, Parquet), whose header is row 1.
    rows : list of list
        Cells; rows may have unlike lengths. An error cell is its text (``#DIV/0!``), a formula
        without a stored result likewise (``=A1``).
    gap : int
        Rows of the file between the header and the first row under it that are not in ``rows``: a
        later part of a large file.
    merged : tuple of ((int, int), (int, int))
        Cells that are merged: first and last row and column of each range, from 0. Its value stands
        in the first cell alone.
    hidden_rows : frozenset of int
        Rows (from 1) that a person does not see.
    is_hidden : bool
        Whether a person does not see the sheet.
    """

    sheet_name: str | None
    rows: list[list[Cell]]
    gap: int = 0
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    is_hidden: bool = False


def read_grids(
    data: bytes, file_name: str, *, encoding: str | None = None, delimiter: str = ","
) -> list[Grid]:
    """Return every sheet of a file as a grid.

    Parameters
    ----------
    data : bytes
        The whole file.
    file_name : str
        Its name; the extension says which format is expected.
    encoding : str, optional
        Encoding of a CSV file; without it UTF-8 (with or without mark) and GB 18030 are tried,
        strictly.
    delimiter : str
        Separator of a CSV file.

    Raises
    ------
    FileFault
        Empty, truncated or damaged file, one with a password of its own, another format than its
        name says, or an encoding that does not fit.
    """
    if is_encrypted(data) and PurePosixPath(file_name).suffix.lower() in (".xls", ".xlsx", ".xlsm"):
        data = decrypt_workbook(data)
    kind = check_format(data, file_name)
    if kind == "xlsx":
        return _read_workbook(data)
    if kind == "xls":
        return _read_old_workbook(data)
    if kind == "dta":
        return [Grid(None, _read_stata(data))]
    parts = read_parts(io.BytesIO(data), kind, encoding=encoding, delimiter=delimiter)
    return [Grid(None, list(chain.from_iterable(parts)))]


def named_format(file_name: str) -> str:
    """Format that a file's name says; a FileFault where it says none that can be read."""
    suffix = PurePosixPath(file_name).suffix.lower()
    if suffix not in READABLE:
        raise FileFault(
            f"a file of type {', '.join(READABLE)}",
            f"type {suffix or 'without extension'}",
            "convert it, or let the layout ignore it",
        )
    return READABLE[suffix]


def check_format(data: bytes, file_name: str) -> str:
    """Format of a file (xlsx, xls, csv, dta, parquet); a FileFault when its name and its content
    disagree.
    """
    suffix, expected = PurePosixPath(file_name).suffix.lower(), named_format(file_name)
    if not data:
        raise FileFault(_NAMES[expected], "an empty file of 0 bytes", "deliver the file again")
    found = _sniff(data)
    if found != expected:
        hint = (
            " (a workbook of Excel 97-2003 must be named .xls)"
            if (expected, found) == ("xlsx", "xls")
            else ""
        )
        raise FileFault(
            f"{_NAMES[expected]}, as the extension {suffix} says",
            f"{_NAMES[found]}, another format than its name says",
            f"give the file its true extension or export it again{hint}",
        )
    return expected


def _sniff(data: bytes) -> str:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[0] in range(0x69, 0x74) and data[1:2] in (b"\x01", b"\x02"):
        return "dta"
    start = data[:4096]
    if (
        start.lstrip(codecs.BOM_UTF8 + b" \t\r\n")
        .lower()
        .startswith((b"<!doctype html", b"<html", b"<?xml", b"<table"))
    ):
        return "html"
    return "binary" if b"\x00" in start and not is_utf16(start) else "csv"


def _read_old_workbook(data: bytes) -> list[Grid]:
    try:
        sheets = read_sheets(data)
    except MemoryError:
        raise
    except Exception as error:  # xlrd raises whatever the damage leads to
        raise _damaged("xls", error) from error
    for sheet, _ in sheets:
        _check_width(sheet.ncols, sheet.name)
    return [_old_grid(sheet, rows) for sheet, rows in sheets]


def _old_grid(sheet: Sheet, rows: list[list[Cell]]) -> Grid:
    merged = tuple(
        ((first, left), (end - 1, right - 1)) for first, end, left, right in sheet.merged_cells
    )
    hidden = (row + 1 for row, described in sheet.rowinfo_map.items() if described.hidden)
    return Grid(
        sheet.name,
        rows,
        merged=merged,
        hidden_rows=frozenset(hidden),
        is_hidden=sheet.visibility != 0,
    )


def _check_width(n_columns: int, sheet_name: str) -> None:
    if n_columns > MAX_COLUMNS:
        raise FileFault(
            f"at most {MAX_COLUMNS:,} columns",
            f"{n_columns:,}",
            "delete the stray cells far outside the table",
            f"sheet {sheet_name!r}",
        )


def _read_workbook(data: bytes) -> list[Grid]:
    scans = scan_workbook(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [
            _sheet_grid(workbook, sheet, scans.get(sheet.name, SheetScan()))
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
    except (CalamineError, OSError, ValueError) as error:
        raise _damaged("xlsx", error) from error
    except BaseException as error:
        # calamine stops at some damaged files with a panic, which is no Exception
        if type(error).__name__ == "PanicException":
            raise _damaged("xlsx", error) from error
        raise


def _damaged(kind: str, error: BaseException) -> FileFault:
    found = f"a truncated or damaged one ({message_of(error)})"
    return FileFault(f"{_NAMES[kind]} that can be read", found, "download or export it again")


def _sheet_grid(workbook: CalamineWorkbook, described: SheetMetadata, scan: SheetScan) -> Grid:
    name = described.name
    sheet = workbook.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    _check_width(len(rows[0]) if rows else 0, name)
    if scan.lost:
        _put_back(rows, scan.lost)
    return Grid(
        name,
        rows,
        merged=tuple(sheet.merged_cell_ranges or ()),
        hidden_rows=frozenset(scan.hidden),
        is_hidden=described.visible != SheetVisibleEnum.Visible,
    )


def _put_back(rows: list[list[Cell]], lost: dict[tuple[int, int], str]) -> None:
    """Write lost cells into the rows, lengthened where needed: calamine cuts the sheet at its last
    cell with a value.
    """
    width = max([len(row) for row in rows[:1]] + [col for _, col in lost])
    last = max(row for row, _ in lost)
    rows += [[] for _ in range(last - len(rows))]
    for row in rows:
        row.extend([""] * (width - len(row)))
    for (row_no, col_no), text in lost.items():
        rows[row_no - 1][col_no - 1] = text


def _read_stata(data: bytes) -> list[list[Cell]]:
    try:
        # a labelled value is read as Stata shows it: the name of a city, not its number in a list
        with pd.read_stata(
            io.BytesIO(data), convert_categoricals=False, convert_dates=False, iterator=True
        ) as reader:
            frame = reader.read()
            labels = reader.value_labels()
            # by place: a damaged file has two columns of one name
            cells = [frame.iloc[:, k].tolist() for k in range(frame.shape[1])]
            named = list(zip(cells, reader._lbllist, strict=True))
    except MemoryError:
        raise
    except Exception as error:  # pandas raises whatever the damage leads to
        raise _damaged("dta", error) from error
    columns = [_labelled(column, labels.get(name, {})) for column, name in named]
    return [list(map(str, frame.columns)), *map(list, zip(*columns, strict=True))]


def _labelled(cells: list[Cell], labels: Mapping[object, str]) -> list[Cell]:
    return [labels.get(cell, cell) for cell in cells] if labels else cells
