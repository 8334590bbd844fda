"""Text and Parquet files some rows at a time, so that a gigabyte is read in bounded memory
(pure).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.ingest.errors import FileFault, message_of

#: About so many cells are in memory at a time, as Python objects.
PART_CELLS = 1_000_000
MAX_COLUMNS = 5_000
MAX_LINE_BYTES = 32_000_000
#: Beyond this a Parquet file of some kilobytes would be read for hours.
MAX_PARQUET_CELLS = 1_000_000_000
FIELD_BYTES = 1 << 20
_PIECE = 1 << 20

Cell = object
Rows = list[list[Cell]]


def read_parts(
    stream: BinaryIO, kind: str, *, encoding: str | None = None, delimiter: str = ","
) -> Iterator[Rows]:
    """Return rows of a text (``csv``) or Parquet file, about ``PART_CELLS`` cells at a time; the
    first one is the header.

    Parameters
    ----------
    stream : file-like
    kind : str
    encoding : str, optional
        Of a text. Without it, UTF-16 is recognized by its byte order mark; otherwise UTF-8 (with or
        without mark) and then GB 18030 are tried, strictly.
    delimiter : str
        Separator of a text.

    Raises
    ------
    FileFault
        An encoding that does not fit, a line or a field that is too long, a broken quotation, or a
        last record that is broken off; a damaged Parquet file, or one with nested columns.
    """
    return _parquet_parts(stream) if kind == "parquet" else _text_parts(stream, encoding, delimiter)


def _text_parts(stream: BinaryIO, encoding: str | None, delimiter: str) -> Iterator[Rows]:
    chosen, is_closed = find_encoding(stream, encoding)
    text = io.TextIOWrapper(stream, encoding=chosen, newline="")
    previous = csv.field_size_limit(FIELD_BYTES)
    try:
        yield from _parts(csv.reader(text, delimiter=delimiter, strict=True), is_closed)
    except csv.Error as error:
        raise FileFault(
            "records of separated values",
            f"a broken quotation or field ({error})",
            "export it again, or repair the quotes",
        ) from error
    finally:
        csv.field_size_limit(previous)


def _parts(records: Iterator[list[str]], is_closed: bool) -> Iterator[Rows]:
    """Rows in parts; `is_closed`: whether the text ends with a line break."""
    rows: Rows = []
    n_cells = n_before = width = 0
    for row in records:
        if len(row) > MAX_COLUMNS:
            raise FileFault(
                f"at most {MAX_COLUMNS:,} columns",
                f"row {n_before + len(rows) + 1:,} with {len(row):,}",
                "deliver the table with its columns in rows, or in smaller parts",
            )
        width = width or len(row)
        rows.append(row)
        n_cells += len(row) + 1
        # the last record of a part is held back: only the next one shows that it was not the last
        # of all
        if n_cells > PART_CELLS:
            yield rows[:-1]
            n_before += len(rows) - 1
            rows = rows[-1:]
            n_cells = 0
    if rows and n_before + len(rows) > 1 and not is_closed and len(rows[-1]) < width:
        raise FileFault(
            f"{width} cells in every record",
            f"a last one of {len(rows[-1])}, broken off",
            "deliver the whole file",
            f"row {n_before + len(rows)}",
        )
    yield rows


def find_encoding(stream: BinaryIO, encoding: str | None = None) -> tuple[str, bool]:
    """Return the encoding that fits a whole text, and whether the text ends with a line break. The
    stream is at its beginning afterwards.

    Raises
    ------
    FileFault
        None fits, or it is no text.
    """
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileFault("a text in UTF-8, UTF-16 or GB 18030", "UTF-32", "save it as 'CSV UTF-8'")
    if is_utf16(start):
        candidates = ["utf-16"]
    elif encoding is None:
        candidates = ["utf-8-sig", "gb18030"]
    else:
        candidates = ["utf-8-sig" if encoding == "utf-8" else encoding]
    for candidate in candidates:
        failed_at, is_closed = _decodes(stream, candidate)
        if failed_at is None:
            stream.seek(0)
            return candidate, is_closed
    raise FileFault(
        f"a text in {' or '.join(candidates)}",
        f"bytes that do not fit at position {failed_at:,}",
        "save it as 'CSV UTF-8'",
    )


def is_utf16(start: bytes) -> bool:
    """Return whether a text begins with the mark of UTF-16, as Excel's "Unicode text" does."""
    return start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _decodes(stream: BinaryIO, encoding: str) -> tuple[int | None, bool]:
    """Return the byte at which decoding fails, None if it does not; and whether the text ends with
    a line break.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    # bytes decoded so far, bytes of the latest pieces without a line break, last character
    place = run = 0
    last = ""
    while piece := stream.read(_PIECE):
        try:
            text = decoder.decode(piece)
        except UnicodeDecodeError as error:
            return place + error.start, False
        if "\x00" in text:
            raise FileFault("a text file", "a NUL character in it", "export it again")
        run += len(piece)
        if "\n" in text or "\r" in text:
            run = 0
        if run > MAX_LINE_BYTES:
            raise FileFault(
                f"lines of at most {MAX_LINE_BYTES:,} bytes",
                "a longer one",
                "export the table with one record a line",
            )
        place += len(piece)
        last = text[-1:] or last
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return place, False
    return None, last in ("\n", "\r")


def _parquet_parts(stream: BinaryIO) -> Iterator[Rows]:
    try:
        # without a buffer a whole column of a row group would be loaded at once
        file = pq.ParquetFile(stream, buffer_size=_PIECE)
        _check_parquet(file)
        header = [list(file.schema_arrow.names)]
        n_rows = max(1, PART_CELLS // max(1, file.metadata.num_columns))
        for batch in file.iter_batches(batch_size=n_rows, use_threads=False):
            columns = (column.to_pylist() for column in batch.columns)
            yield [*header, *(list(row) for row in zip(*columns, strict=True))]
            header = []
        yield header
    except (FileFault, MemoryError):
        raise
    except Exception as error:  # pyarrow raises whatever the damage leads to
        found = f"a truncated or damaged one ({message_of(error)})"
        raise FileFault(
            "a Parquet file that can be read", found, "write or download it again"
        ) from error


def _check_parquet(file: pq.ParquetFile) -> None:
    n_columns = file.metadata.num_columns
    n_cells = file.metadata.num_rows * n_columns
    if n_columns > MAX_COLUMNS or n_cells > MAX_PARQUET_CELLS:
        raise FileFault(
            f"at most {MAX_COLUMNS:,} columns and {MAX_PARQUET_CELLS:,} cells",
            f"{n_columns:,} columns and {n_cells:,} cells",
            "deliver smaller parts",
        )
    nested = [column.name for column in file.schema_arrow if pa.types.is_nested(column.type)]
    if nested:
        raise FileFault(
            "columns of plain values",
            f"nested columns {', '.join(nested)}",
            "write them as plain columns",
        )
