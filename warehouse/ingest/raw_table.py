"""The raw table: its columns and types, and how rows of both kinds (taken, rejected) become one
Arrow table (pure).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.ingest.cells.cell_values import cell_ref
from warehouse.ingest.cells.coded_texts import CODED, CodedTexts

# in memory; a raw Parquet file holds the coded columns as plain text
RAW_SCHEMA = pa.schema(
    [
        ("source_id", CODED),
        ("edition_year", pa.int32()),
        ("file_name", CODED),
        ("sheet_name", CODED),
        ("cell_ref", pa.string()),
        ("row_no", pa.int32()),
        ("col_no", pa.int32()),
        ("place_level", CODED),
        ("place_code_text", CODED),
        ("place_text", CODED),
        ("year_text", CODED),
        ("year", pa.int32()),
        ("indicator_id", CODED),
        ("unit_text", CODED),
        ("raw_text", pa.string()),
        ("value", pa.float64()),
        ("reason", CODED),
        ("detail", CODED),
        ("observation_note", CODED),
        ("place_within_text", CODED),
    ]
)


#: The source that needs no layout.
TIDY_SOURCE = "tidy"


@dataclass(frozen=True)
class FileOrigin:
    """Where a file came from: source, edition year (or None) and path inside the source's
    folder.
    """

    source_id: str
    edition_year: int | None
    file_name: str


def build_raw_table(origin: FileOrigin, columns: dict[str, object], n_rows: int) -> pa.Table:
    """Arrow table in the raw schema; a column is a list, Arrow array or coded texts of ``n_rows``,
    a constant, or absent (null).
    """
    given = {
        "source_id": origin.source_id,
        "edition_year": origin.edition_year,
        "file_name": origin.file_name,
    } | columns
    arrays = [_as_array(given.get(field.name), field.type, n_rows) for field in RAW_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RAW_SCHEMA)


def _as_array(column: object, kind: pa.DataType, n_rows: int) -> pa.Array:
    if isinstance(column, CodedTexts):
        return column.to_arrow()
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.cast(kind)
    if isinstance(column, list):
        return pa.array(column, type=kind)
    if kind == CODED:
        return CodedTexts.constant(column, n_rows).to_arrow()
    return pa.repeat(pa.scalar(column, type=kind), n_rows)


def build_rejected_line(
    reason: str,
    detail: str,
    *,
    sheet_name: str | None = None,
    row_no: int | None = None,
    col_no: int | None = None,
    raw_text: str | None = None,
) -> dict[str, object]:
    """Return one line for something delivered that was not taken: a row, a column, a sheet or a
    file.
    """
    address = cell_ref(row_no, col_no) if row_no is not None and col_no is not None else None
    return {
        "sheet_name": sheet_name,
        "cell_ref": address,
        "row_no": row_no,
        "col_no": col_no,
        "raw_text": raw_text,
        "reason": reason,
        "detail": detail,
    }


def build_rejected_table(origin: FileOrigin, lines: list[dict[str, object]]) -> pa.Table:
    """Rejected lines in the raw schema."""
    names = ("sheet_name", "cell_ref", "row_no", "col_no", "raw_text", "reason", "detail")
    columns = {}
    for name in names:
        columns[name] = [line[name] for line in lines]
    return build_raw_table(origin, columns, len(lines))


def in_sheet_order(table: pa.Table) -> pa.Table:
    """Return rows of one sheet by row and column; lines for the whole sheet come first."""
    row_nos, col_nos = (table.column(name).fill_null(0).to_numpy() for name in ("row_no", "col_no"))
    return table.take(pa.array(np.lexsort((col_nos, row_nos))))
