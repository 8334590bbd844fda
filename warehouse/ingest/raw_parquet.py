"""Write raw rows to a Parquet file, which also holds their number by reason: a file that is there
already need not be read to be counted.
"""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

UNREPEATED = ("cell_ref", "row_no", "raw_text", "value")
Counts = dict[str | None, int]
_COUNTS = "counts"


def count_reasons(table: pa.Table) -> Counts:
    """Return rows by reason, None for a value that was taken."""
    counts = table.column("reason").value_counts().to_pylist()
    return {item["values"]: item["counts"] for item in counts}


def write_parts(
    parts: Iterable[pa.Table],
    schema: pa.Schema,
    target: Path,
    count: Callable[[pa.Table], Counts] = count_reasons,
) -> Counts:
    """Write tables into one file, a row group each, and count their rows by reason, None first.

    Raises
    ------
    OSError
        Naming the file. An error of `parts` itself goes through as it is.
    """
    counts: Counter[str | None] = Counter()
    # columns whose values hardly repeat are larger and slower with a dictionary than without; coded
    # texts are read back as plain ones; compressing would save a third of the few bytes and take
    # half as long again
    repeating = [name for name in schema.names if name not in UNREPEATED]
    with pq.ParquetWriter(
        target,
        schema,
        compression="none",
        use_dictionary=repeating,
        write_statistics=False,
        store_schema=False,
    ) as writer:
        for table in parts:
            counts.update(count(table))
            _write_part(writer, table, target)
        found = dict(sorted(counts.items(), key=lambda pair: pair[0] or ""))
        writer.add_key_value_metadata({_COUNTS: json.dumps(list(found.items()))})
    return found


def _write_part(writer: pq.ParquetWriter, table: pa.Table, target: Path) -> None:
    try:
        writer.write_table(table)
    except OSError as error:
        code = error.errno or errno.EIO
        raise OSError(code, error.strerror or os.strerror(code), str(target)) from error


def read_counts(path: Path) -> Counts | None:
    """Return rows by reason of a file that `write_parts` wrote; None where there is none that is
    whole.
    """
    try:
        noted = pq.read_metadata(path).metadata or {}
        return dict(map(tuple, json.loads(noted[_COUNTS.encode()])))
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
