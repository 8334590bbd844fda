"""What a landing held and what became of it: the list of files, the lines for what was not read, the counts (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from warehouse.ingest.delivered_files import ROOT_SOURCE, DeliveredFile
from warehouse.ingest.raw_table import FileOrigin, build_rejected_line, build_rejected_table

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
    files : pandas.DataFrame
        One row a file, columns of ``INPUT_FILE_SCHEMA``, in path order; the same as ``input_file.parquet``.
    sources : pandas.DataFrame
        One row a source: ``source_id, n_files, n_taken, n_observations, n_rejected``.
    reasons : dict of str to int
        Rejected lines by reason, skipped and ignored files included.
    skipped_folders : tuple of str
        Source folders without a layout.
    n_reused : int
        Files whose raw Parquet was already there.
    """

    files: pd.DataFrame
    sources: pd.DataFrame
    reasons: dict[str, int]
    skipped_folders: tuple[str, ...]
    n_reused: int


@dataclass(frozen=True)
class SourceReport:
    """Files of one source that were taken, their values, and how many files were in the cache already."""

    n_files: int
    n_observations: int
    n_reused: int


@dataclass
class Reading:
    """What has been read so far: raw Parquet of statistics and of policy texts, and counts by path; faults by path."""

    raw: dict[str, Path] = field(default_factory=dict)
    policy: dict[str, Path] = field(default_factory=dict)
    counts: dict[str, dict[str | None, int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    n_reused: int = 0


def build_input_files(files: list[DeliveredFile], reading: Reading) -> pa.Table:
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
                "raw_path": f"policy/{policy.name}" if policy else f"raw/{raw.name}" if raw else "raw/_skipped.parquet",
            }
        )
    return pa.Table.from_pylist(rows, schema=INPUT_FILE_SCHEMA)


def build_skipped_table(files: list[DeliveredFile]) -> pa.Table:
    parts = [
        build_rejected_table(file.origin, [build_rejected_line("dropped_row", f"whole file not read: {file.note}")])
        for file in files
        if file.note is not None
    ]
    return pa.concat_tables(parts) if parts else build_rejected_table(FileOrigin(ROOT_SOURCE, None, ""), [])


def build_report(table: pa.Table, files: list[DeliveredFile], reading: Reading, folders: tuple[str, ...]) -> LandingReport:
    frame = table.to_pandas()
    sources = (
        frame.assign(is_taken=frame["status"].eq("taken"))
        .groupby("source_id", sort=True)
        .agg(
            n_files=("path", "size"),
            n_taken=("is_taken", "sum"),
            n_observations=("n_observations", "sum"),
            n_rejected=("n_rejected", "sum"),
        )
        .reset_index()
    )
    reasons: dict[str, int] = {}
    for counts in (*reading.counts.values(), *({"dropped_row": 1} for file in files if file.note is not None)):
        for reason, count in counts.items():
            if reason is not None:
                reasons[reason] = reasons.get(reason, 0) + count
    return LandingReport(frame, sources, dict(sorted(reasons.items())), folders, reading.n_reused)
