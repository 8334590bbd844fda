"""Large text and Parquet files some rows at a time, so that a gigabyte is read in bounded memory
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

from warehouse.ingest.errors import FileFault, said
from warehouse.ingest.formats.grids import FIELD_BYTES, Cell, check_nested, csv_encodings, is_utf16
from warehouse.ingest.formats.xlsx_guard import MAX_COLUMNS

#: About so many cells are in memory at a time, as Python objects.
PART_CELLS = 1_000_000
MAX_LINE_BYTES = 32_000_000
#: Beyond this a Parquet file of some kilobytes would be read for hours.
MAX_PARQUET_CELLS = 1_000_000_000
_PIECE = 1 << 20


def read_csv_parts(
    stream: BinaryIO, *, encoding: str | None = None, delimiter: str = ","
) -> Iterator[list[list[Cell]]]:
    """Records of a CSV file, about ``PART_CELLS`` cells at a time; for the rest as
    ``read_csv_rows``.

    Raises
    ------
    FileFault
        An encoding that does not fit, a line or a record without bounds, a broken quotation, or a
        last record that is broken off.
    """
    chosen, is_closed = _check_text(stream, csv_encodings(encoding))
    stream.seek(0)
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
        text.detach()


def _parts(records: Iterator[list[str]], is_closed: bool) -> Iterator[list[list[Cell]]]:
    rows, n_cells, n_before, width = [], 0, 0, 0
    for row in records:
        if len(row) > MAX_COLUMNS:
            found = f"row {n_before + len(rows) + 1:,} with {len(row):,}"
            raise FileFault(
                f"at most {MAX_COLUMNS:,} columns",
                found,
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
            rows, n_cells = rows[-1:], 0
    if rows and n_before + len(rows) > 1 and not is_closed and len(rows[-1]) < width:
        number = n_before + len(rows)
        found = f"a last one of {len(rows[-1])}, broken off"
        raise FileFault(
            f"{width} cells in every record", found, "deliver the whole file", f"row {number}"
        )
    yield rows


def _check_text(stream: BinaryIO, candidates: list[str]) -> tuple[str, bool]:
    """The first encoding that fits the whole file, and whether the file ends with a line's end."""
    failed_at = 0
    for candidate in candidates:
        failed_at, is_closed = _decodes(stream, candidate)
        if failed_at is None:
            return candidate, is_closed
    raise FileFault(
        f"a text in {' or '.join(candidates)}",
        f"bytes that do not fit at position {failed_at:,}",
        "save it as 'CSV UTF-8'",
    )


def _decodes(stream: BinaryIO, encoding: str) -> tuple[int | None, bool]:
    """Where the decoding failed, None where it did not; and whether the last byte ends a line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    place, run, last = 0, 0, b""
    while piece := stream.read(_PIECE):
        if place == 0 and is_utf16(piece):
            raise FileFault(
                "a text of this size in UTF-8 or GB 18030", "UTF-16", "save it as 'CSV UTF-8'"
            )
        if b"\x00" in piece:
            raise FileFault("a text file", "a NUL character in it", "export it again")
        run = run + len(piece) if b"\n" not in piece and b"\r" not in piece else 0
        if run > MAX_LINE_BYTES:
            raise FileFault(
                f"lines of at most {MAX_LINE_BYTES:,} bytes",
                "a longer one",
                "export the table with one record a line",
            )
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            return place + error.start, False
        place, last = place + len(piece), piece[-1:]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return place, False
    return None, last in (b"\n", b"\r")


def read_parquet_parts(source: object) -> tuple[list[str], Iterator[list[list[Cell]]]]:
    """Column names of a Parquet file, and its rows, about ``PART_CELLS`` cells at a time.

    Parameters
    ----------
    source : file-like
        Whatever pyarrow opens for reading at any place.
    """
    # without a buffer a whole column of a row group would be loaded at once
    file = pq.ParquetFile(source, buffer_size=_PIECE)
    n_columns, n_cells = (
        file.metadata.num_columns,
        file.metadata.num_rows * file.metadata.num_columns,
    )
    if n_columns > MAX_COLUMNS or n_cells > MAX_PARQUET_CELLS:
        limit = f"at most {MAX_COLUMNS:,} columns and {MAX_PARQUET_CELLS:,} cells"
        raise FileFault(
            limit, f"{n_columns:,} columns and {n_cells:,} cells", "deliver smaller parts"
        )
    check_nested(file.schema_arrow)
    return list(file.schema_arrow.names), _parquet_rows(
        file, max(1, PART_CELLS // max(1, n_columns))
    )


def _parquet_rows(file: pq.ParquetFile, n_rows: int) -> Iterator[list[list[Cell]]]:
    try:
        for batch in file.iter_batches(batch_size=n_rows, use_threads=False):
            yield [
                list(row)
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
            ]
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, MemoryError):
            raise
        found = f"a truncated or damaged one ({said(error)})"
        raise FileFault(
            "a Parquet file that can be read", found, "write or download it again"
        ) from error
