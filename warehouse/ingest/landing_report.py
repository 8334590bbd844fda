"""List the files of a landing, what became of each, and why files were not read (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.ingest.delivered_files import ROOT_SOURCE, DeliveredFile
from warehouse.ingest.raw_table import FileOrigin, build_rejected_line, build_rejected_table

if TYPE_CHECKING:
    import pandas as pd

INPUT_FILE_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("source_id", pa.string()),
        ("edition_year", pa.int32()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("status", pa.string()),
        ("note", pa.string()),
        ("n_observations", pa.int64()),
        ("n_rejected", pa.int64()),
        ("raw_path", pa.string()),
    ]
)


@dataclass(frozen=True)
class LandingReport:
    """What a landing held and what became of it.

    Attributes
    ----------
    table : pyarrow.Table
        One row per file, ``INPUT_FILE_SCHEMA``, in path order; the same as ``input_file.parquet``.
    n_reused : int
        Files whose raw Parquet was already there.
    """

    table: pa.Table
    n_reused: int

    @cached_property
    def files(self) -> pd.DataFrame:
        """The table as a data frame."""
        return self.table.to_pandas()


@dataclass
class Reading:
    """What has been read so far: raw Parquet of statistics and of policy texts, and counts, by
    path.
    """

    raw: dict[str, Path] = field(default_factory=dict)
    policy: dict[str, Path] = field(default_factory=dict)
    counts: dict[str, dict[str | None, int]] = field(default_factory=dict)
    n_reused: int = 0


def build_input_files(files: list[DeliveredFile], reading: Reading) -> pa.Table:
    """Return the list of files, ``INPUT_FILE_SCHEMA``, in the order given; a file that was not read
    counts as one rejected line.
    """
    rows = []
    for file in files:
        counts = reading.counts.get(file.path, {} if file.note is None else {"dropped_row": 1})
        raw, policy = reading.raw.get(file.path), reading.policy.get(file.path)
        status = "taken" if file.note is None else "ignored" if file.is_ignored else "skipped"
        rows.append(
            {
                "path": file.path,
                "source_id": file.origin.source_id,
                "edition_year": file.origin.edition_year,
                "sha256": file.sha256,
                "bytes": file.size,
                "status": status,
                "note": file.note,
                "n_observations": counts.get(None, 0),
                "n_rejected": sum(count for reason, count in counts.items() if reason is not None),
                "raw_path": f"policy/{policy.name}"
                if policy
                else f"raw/{raw.name}"
                if raw
                else "raw/_skipped.parquet",
            }
        )
    return pa.Table.from_pylist(rows, schema=INPUT_FILE_SCHEMA)


def build_skipped_table(files: list[DeliveredFile]) -> pa.Table:
    """Return one rejected line per file that was not read, in the raw schema."""
    parts = [
        build_rejected_table(
            file.origin, [build_rejected_line("dropped_row", f"whole file not read: {file.note}")]
        )
        for file in files
        if file.note is not None
    ]
    return (
        pa.concat_tables(parts)
        if parts
        else build_rejected_table(FileOrigin(ROOT_SOURCE, None, ""), [])
    )
