"""How raw rows stand in a Parquet file, and how they are counted."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

UNREPEATED = ("cell_ref", "row_no", "raw_text", "value")
Counts = dict[str | None, int]


def write_table(table: pa.Table, target: Path) -> None:
    """Write a table.

    Raises
    ------
    OSError
        Naming the file.
    """
    try:
        # an open file spares looking for a file system
        with pa.OSFile(str(target), "wb") as stream:
            pq.write_table(table, stream, **_options(table.schema))
    except OSError as error:
        raise _named(error, target) from error


def write_parts(parts: Iterable[pa.Table], schema: pa.Schema, target: Path) -> Counts:
    """Write several tables into one file, one row group each, and count their rows by reason.

    Raises
    ------
    OSError
        Naming the file. An error of `parts` itself goes through as it is.
    """
    counts: Counter[str | None] = Counter()
    writer = pq.ParquetWriter(target, schema, **_options(schema))
    try:
        for table in parts:
            counts.update(count_reasons(table))
            _write_part(writer, table, target)
    finally:
        writer.close()
    return in_order(counts)


def _write_part(writer: pq.ParquetWriter, table: pa.Table, target: Path) -> None:
    try:
        writer.write_table(table)
    except OSError as error:
        raise _named(error, target) from error


def _options(schema: pa.Schema) -> dict[str, object]:
    # columns whose values hardly repeat are larger and slower with a dictionary than without; coded
    # texts are read back as plain ones; compressing would save a third of the few bytes and take
    # half as long again
    repeating = [name for name in schema.names if name not in UNREPEATED]
    return {
        "compression": "none",
        "use_dictionary": repeating,
        "write_statistics": False,
        "store_schema": False,
    }


def _named(error: OSError, target: Path) -> OSError:
    return OSError(
        error.errno or errno.EIO,
        error.strerror or os.strerror(error.errno or errno.EIO),
        str(target),
    )


def count_reasons(table: pa.Table) -> Counts:
    """Rows by reason, None for a value that was taken."""
    counts = table.column("reason").value_counts().to_pylist()
    return in_order({item["values"]: item["counts"] for item in counts})


def in_order(counts: dict[str | None, int]) -> Counts:
    """The same with the reasons in the order of their names, None first."""
    return dict(sorted(counts.items(), key=lambda pair: pair[0] or ""))
