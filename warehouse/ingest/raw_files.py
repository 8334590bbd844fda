"""One delivered file to its raw Parquet file: what a worker does for a file of statistics.

Loads every parser of statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import check_format, named_format, read_grids
from warehouse.ingest.formats.row_batches import read_parts
from warehouse.ingest.layout_model import Table
from warehouse.ingest.raw_parquet import Counts, write_parts
from warehouse.ingest.raw_table import RAW_SCHEMA, TIDY_SOURCE, FileOrigin
from warehouse.ingest.sheets.observations import (
    are_in_parts,
    build_file_observations,
    build_observation_parts,
)
from warehouse.ingest.tidy import build_tidy_parts
from warehouse.ingest.unchanged_files import open_delivered

_HEAD = 4096


def write_raw(location: Path, origin: FileOrigin, tables: list[Table], target: Path) -> Counts:
    """Read a file and write its raw rows.

    Parameters
    ----------
    location : Path
        The delivered file.
    origin : FileOrigin
    tables : list of Table
        Tables of the layout that fit the file; not looked at for a tidy one.
    target : Path
        Parquet file to write.

    Returns
    -------
    dict
        Rows by reason.

    Raises
    ------
    FileFault
        The file cannot be read.
    OSError
        The Parquet file cannot be written.
    """
    with open_delivered(location) as stream:
        return write_parts(build_raw(stream, origin, tables), RAW_SCHEMA, target)


def build_raw(stream: BinaryIO, origin: FileOrigin, tables: list[Table]) -> Iterator[pa.Table]:
    """Raw rows of a file, by the tables of its source's layout or as ``tidy``.

    Text and Parquet are read some rows at a time, wherever a row says enough without those far
    above it; any other file as a whole.
    """
    is_tidy = origin.source_id == TIDY_SOURCE
    options = {} if is_tidy else {"encoding": tables[0].encoding, "delimiter": tables[0].delimiter}
    kind = named_format(origin.file_name)
    if kind in ("csv", "parquet") and (is_tidy or are_in_parts(tables)):
        check_format(stream.read(_HEAD), origin.file_name)
        stream.seek(0)
        parts = read_parts(stream, kind, **options)
        if is_tidy:
            yield from build_tidy_parts(parts, origin)
        else:
            yield from build_observation_parts(parts, tables, origin)
    elif is_tidy:
        raise FileFault(
            "a tidy file as CSV or Parquet",
            f"a file of type {kind}",
            "convert it, or put it into a source folder with a layout",
        )
    else:
        grids = read_grids(stream.read(), origin.file_name, **options)
        yield build_file_observations(grids, tables, origin)
