"""Any workbook, CSV, Stata or Parquet file as grids of cells; the file's name and its first bytes
must agree (pure).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from warehouse.ingest.errors import FileFault, said
from warehouse.ingest.formats.later_pandas import load_pandas
from warehouse.ingest.formats.protection import decrypt_workbook, is_encrypted
from warehouse.ingest.formats.sheet_scan import SheetScan
from warehouse.ingest.formats.xls_errors import scan_old_workbook
from warehouse.ingest.formats.xlsx_guard import MAX_CELLS, MAX_COLUMNS, scan_workbook

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
)
_FOREIGN = ((b"%PDF-", "pdf"), (b"\x1f\x8b", "gzip"))
FIELD_BYTES = 1 << 20

Cell = object


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
    """Every sheet of a file as a grid.

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
    if kind in ("xlsx", "xls"):
        return _read_workbook(data, kind)
    if kind == "csv":
        return [Grid(None, read_csv_rows(data, encoding=encoding, delimiter=delimiter))]
    header, columns = read_columns(data, kind)
    return [Grid(None, [list(header), *map(list, zip(*columns, strict=True))])]


def check_format(data: bytes, file_name: str) -> str:
    """Format of a file (xlsx, xls, csv, dta, parquet); a FileFault when its name and its content
    disagree.
    """
    suffix = PurePosixPath(file_name).suffix.lower()
    expected = READABLE.get(suffix)
    if expected is None:
        raise FileFault(
            f"a file of type {', '.join(READABLE)}",
            f"type {suffix or 'without extension'}",
            "convert it, or let the layout ignore it",
        )
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
    for magic, kind in (*_MAGIC, *_FOREIGN):
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


def _read_workbook(data: bytes, kind: str) -> list[Grid]:
    scans = scan_workbook(data) if kind == "xlsx" else scan_old_workbook(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [
            _sheet_grid(workbook, sheet, scans.get(sheet.name, SheetScan()))
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
    except (CalamineError, OSError, ValueError) as error:
        if isinstance(error, PasswordError):
            raise FileFault(
                "a workbook without protection",
                "an encrypted one",
                "open it in Excel and save it without protection",
            ) from error
        raise _damaged(kind, error) from error
    except BaseException as error:
        # calamine stops at some damaged files with a panic, which is no Exception
        if type(error).__name__ == "PanicException":
            raise _damaged(kind, error) from error
        raise


def _damaged(kind: str, error: BaseException) -> FileFault:
    found = f"a truncated or damaged one ({said(error)})"
    return FileFault(f"{_NAMES[kind]} that can be read", found, "download or export it again")


def _sheet_grid(workbook: CalamineWorkbook, described: SheetMetadata, scan: SheetScan) -> Grid:
    name = described.name
    sheet = workbook.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    if rows and len(rows[0]) > MAX_COLUMNS:
        raise FileFault(
            f"at most {MAX_COLUMNS:,} columns",
            f"{len(rows[0]):,}",
            "delete the stray columns",
            f"sheet {name!r}",
        )
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
    for _ in range(max(row for row, _ in lost) - len(rows)):
        rows.append([])
    for row in rows:
        row.extend([""] * (width - len(row)))
    for (row_no, col_no), text in lost.items():
        rows[row_no - 1][col_no - 1] = text


def decode_text(data: bytes, encoding: str | None = None) -> str:
    """Text of a file: UTF-16 where its mark says so, the given encoding, else UTF-8 with or without
    mark, else GB 18030, all strict.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileFault("a text in UTF-8, UTF-16 or GB 18030", "UTF-32", "save it as 'CSV UTF-8'")
    candidates = ["utf-16"] if is_utf16(data) else csv_encodings(encoding)
    for candidate in candidates:
        try:
            return data.decode(candidate)
        except UnicodeDecodeError as error:
            last = error
    raise FileFault(
        f"a text in {' or '.join(candidates)}",
        f"bytes that do not fit at position {last.start:,}",
        "save it as 'CSV UTF-8'",
    ) from last


def is_utf16(start: bytes) -> bool:
    """Whether a text begins with the mark of UTF-16, as Excel's "Unicode text" does."""
    return start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def csv_encodings(encoding: str | None) -> list[str]:
    """Encodings that are tried in order: the given one, else UTF-8 with or without mark and GB
    18030.
    """
    if encoding is None:
        return ["utf-8-sig", "gb18030"]
    return ["utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding]


def read_csv_rows(
    data: bytes, *, encoding: str | None = None, delimiter: str = ","
) -> list[list[Cell]]:
    """Records of a CSV file as lists of text; blank lines count as rows, as in a spreadsheet."""
    text = decode_text(data, encoding)
    if "\x00" in text:
        raise FileFault("a text file", "a NUL character in it", "export it again")
    previous = csv.field_size_limit(FIELD_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise FileFault(
            "records of separated values",
            f"a broken quotation or field ({error})",
            "export it again, or repair the quotes",
        ) from error
    finally:
        csv.field_size_limit(previous)
    if len(rows) > 1 and not text.endswith(("\n", "\r")) and len(rows[-1]) < len(rows[0]):
        raise FileFault(
            f"{len(rows[0])} cells in every record",
            f"a last one of {len(rows[-1])}, broken off",
            "deliver the whole file",
            f"row {len(rows)}",
        )
    widest = max(map(len, rows), default=0)
    if widest > MAX_COLUMNS or widest * len(rows) > MAX_CELLS:
        raise FileFault(
            f"at most {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells",
            f"{len(rows):,} rows by {widest:,}",
            "deliver smaller parts",
        )
    return rows


def read_columns(data: bytes, kind: str) -> tuple[list[str], list[list[Cell]]]:
    """Column names and columns of a Parquet or Stata file."""
    try:
        return _read_parquet(data) if kind == "parquet" else _read_stata(data)
    except (FileFault, MemoryError):
        raise
    except Exception as error:
        raise FileFault(
            f"{_NAMES[kind]} that can be read",
            f"a truncated or damaged one ({said(error)})",
            "write or download it again",
        ) from error


def _read_parquet(data: bytes) -> tuple[list[str], list[list[Cell]]]:
    file = pq.ParquetFile(pa.BufferReader(data))
    if file.metadata.num_rows * file.metadata.num_columns > MAX_CELLS:
        raise FileFault(
            f"at most {MAX_CELLS:,} cells",
            f"{file.metadata.num_rows * file.metadata.num_columns:,}",
            "deliver smaller parts",
        )
    check_nested(file.schema_arrow)
    table = file.read()
    return list(table.column_names), [column.to_pylist() for column in table.columns]


def check_nested(schema: pa.Schema) -> None:
    """Raise a FileFault where a column of a Parquet file holds lists or structures."""
    nested = [column.name for column in schema if pa.types.is_nested(column.type)]
    if nested:
        raise FileFault(
            "columns of plain values",
            f"nested columns {', '.join(nested)}",
            "write them as plain columns",
        )


def _read_stata(data: bytes) -> tuple[list[str], list[list[Cell]]]:
    # a labelled value is read as Stata shows it: the name of a city, not its number in a list
    with load_pandas().read_stata(
        io.BytesIO(data), convert_categoricals=False, convert_dates=False, iterator=True
    ) as reader:
        frame = reader.read()
        labels, named = (
            reader.value_labels(),
            dict(zip(frame.columns, reader._lbllist, strict=True)),
        )
    columns = [
        _labelled(frame[name].tolist(), labels.get(named[name], {})) for name in frame.columns
    ]
    return [str(name) for name in frame.columns], columns


def _labelled(cells: list[Cell], labels: Mapping[object, str]) -> list[Cell]:
    return [labels.get(cell, cell) for cell in cells] if labels else cells
