"""One delivered file to its raw Parquet file: what a worker does for a file of statistics.

Loads every parser of statistics.
"""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.hashing import hash_file
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import check_format, read_grids
from warehouse.ingest.formats.parts import PART_CELLS, read_csv_parts, read_parquet_parts
from warehouse.ingest.raw_parquet import count_reasons, write_parts, write_table
from warehouse.ingest.raw_table import RAW_SCHEMA, TIDY_SOURCE, FileOrigin
from warehouse.ingest.sheets.observations import (
    are_in_parts,
    build_file_observations,
    build_observation_parts,
)
from warehouse.ingest.tidy import REQUIRED, build_tidy_observations, build_tidy_parts

if TYPE_CHECKING:
    from warehouse.ingest.layouts import Table

#: A text file of more bytes, or a Parquet file of more cells, is read some rows at a time.
WHOLE_TEXT_BYTES = 8_000_000
WHOLE_PARQUET_CELLS = 2 * PART_CELLS
_HEAD = 4096


def write_raw(
    data: bytes | None,
    descriptor: int | None,
    origin: FileOrigin,
    tables: list[Table],
    target: Path,
) -> dict[str, object]:
    """Read a file and write its raw rows.

    Parameters
    ----------
    data : bytes or None
        The whole file; None where it is large and `descriptor` is an open one.
    descriptor : int or None
    origin : FileOrigin
    tables : list of Table
        Tables of the layout that fit the file; not looked at for a tidy one.
    target : Path
        Parquet file to write.

    Returns
    -------
    dict
        ``counts``, pairs of reason and rows, and ``sha256`` of the file written.

    Raises
    ------
    FileFault
        The file cannot be read.
    OSError
        The Parquet file cannot be written.
    """
    with _without_collection(), _opened(data, descriptor) as stream:
        kind = large_kind(stream, origin.file_name)
        if kind and (origin.source_id == TIDY_SOURCE or are_in_parts(tables)):
            counts = write_parts(_build_parts(stream, kind, origin, tables), RAW_SCHEMA, target)
        else:
            table = build_raw(stream.read() if data is None else data, origin, tables)
            write_table(table, target)
            counts = count_reasons(table)
    return {"counts": list(counts.items()), "sha256": hash_file(target)}


def build_raw(data: bytes, origin: FileOrigin, tables: list[Table]) -> pa.Table:
    """Raw rows of one file's bytes, by the tables of its source's layout, or as ``tidy``."""
    if origin.source_id == TIDY_SOURCE:
        return build_tidy_observations(data, origin.file_name, origin)
    grids = read_grids(
        data, origin.file_name, encoding=tables[0].encoding, delimiter=tables[0].delimiter
    )
    return build_file_observations(grids, tables, origin)


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage collection meanwhile: rows of cells hold no cycles, yet the collector would walk
    over them again and again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _opened(data: bytes | None, descriptor: int | None) -> Iterator[io.BufferedIOBase]:
    if data is not None:
        yield io.BytesIO(data)
        return
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        stream.seek(0)
        yield stream


def large_kind(stream: io.BufferedIOBase, file_name: str) -> str | None:
    """Format of a file that is to be read some rows at a time; None for any other, also for one
    that cannot be read.
    """
    head = stream.read(_HEAD)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not file_name.lower().endswith((".csv", ".txt", ".tsv", ".parquet")):
        return None
    kind = check_format(head, file_name)
    if kind == "csv":
        return kind if size > WHOLE_TEXT_BYTES else None
    try:
        footer = pq.ParquetFile(stream).metadata
    except (pa.ArrowException, OSError, ValueError, LookupError):
        return None  # reading it whole says what is wrong
    finally:
        stream.seek(0)
    return (
        kind
        if footer.num_rows * footer.num_columns > WHOLE_PARQUET_CELLS or size > WHOLE_TEXT_BYTES
        else None
    )


def _build_parts(
    stream: io.BufferedIOBase, kind: str, origin: FileOrigin, tables: list[Table]
) -> Iterator[pa.Table]:
    is_tidy = origin.source_id == TIDY_SOURCE
    if kind == "parquet":
        header, parts = read_parquet_parts(stream)
        return (
            build_tidy_parts(header, parts, origin)
            if is_tidy
            else build_observation_parts(chain([[header]], parts), tables, origin)
        )
    options = {} if is_tidy else {"encoding": tables[0].encoding, "delimiter": tables[0].delimiter}
    parts = read_csv_parts(stream, **options)
    if not is_tidy:
        return build_observation_parts(parts, tables, origin)
    first = next(parts)
    if not first:
        raise FileFault(f"a header with {', '.join(REQUIRED)}", "no rows", "deliver the file again")
    return build_tidy_parts(first[0], chain([first[1:]], parts), origin)
