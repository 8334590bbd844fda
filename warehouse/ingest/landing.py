"""The landing folder: find, hash, read, write. The only file of the ingest that touches a disk.

Nothing delivered disappears: a file is taken, ignored (by its layout) or skipped, and every one that is not taken has a line in
``build/raw/_skipped.parquet``. A file that its layout cannot read stops the refresh, after all files were looked at.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.ingest.delivered_files import NO_LAYOUT, ROOT_SOURCE, DeliveredFile, describe_file, matches_path, path_in_edition, readable
from warehouse.ingest.errors import FileFault, LandingError
from warehouse.ingest.grids import read_grids
from warehouse.ingest.layouts import Layout
from warehouse.ingest.observations import build_file_observations, tables_for
from warehouse.ingest.raw_table import FileOrigin, build_rejected_line, build_rejected_table
from warehouse.ingest.tidy import TIDY_SOURCE, build_tidy_observations

READER_VERSION = 1
MAX_FILE_BYTES = 1 << 29
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

Progress = Callable[[int, int, str], None]


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


@dataclass
class _Reading:
    """What has been read so far: raw Parquet and counts by path, faults by path."""

    raw: dict[str, Path] = field(default_factory=dict)
    counts: dict[str, dict[str | None, int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    n_reused: int = 0


def read_landing(
    landing: Path,
    raw_dir: Path,
    build_dir: Path,
    *,
    layouts: Mapping[str, Layout],
    strict: bool = False,
    on_progress: Progress | None = None,
) -> LandingReport:
    """Read a landing folder into raw Parquet, one file a delivered file, and link this landing's files into the build.

    Parameters
    ----------
    landing : Path
        Folder ``<source_id>/...`` or ``<source_id>/<edition_year>/...`` with files as delivered.
    raw_dir : Path
        Cache of raw Parquet by content hash; an unchanged file is not read again.
    build_dir : Path
        Receives ``raw/*.parquet`` (exactly this landing's files, and ``_skipped.parquet``) and ``input_file.parquet``.
    layouts : mapping of str to Layout
        Layouts by source; ``tidy`` needs none.
    strict : bool
        Whether a folder without a layout is an error.
    on_progress : callable, optional
        Called as ``on_progress(done, total, path)`` before each file and once at the end.

    Raises
    ------
    LandingError
        The landing is missing, no folder, unreadable or empty, nothing in it was taken, or files are faulty (all are named).
        The build is then left as it was.
    """
    files = find_files(landing, layouts)
    folders = tuple(sorted({file.origin.source_id for file in files if file.note == NO_LAYOUT}))
    if strict and folders:
        raise LandingError(
            f"{landing}: expected a layout for every source folder (STRICT=1); found none for {', '.join(folders)}; "
            "add warehouse/ingest/layouts/<source_id>.yml, or take the folder out of the landing"
        )
    files, reading = _read_files(files, raw_dir, layouts, on_progress)
    if reading.faults:
        raise LandingError(f"{landing}: expected files as their layouts say; found {len(reading.faults)} faulty", reading.faults)
    if not any(counts.get(None, 0) for counts in reading.counts.values()):
        sources = ", ".join(sorted({*layouts, TIDY_SOURCE}))
        raise LandingError(
            f"{landing}: expected at least one value in a source folder ({sources}); "
            f"found {len(files)} files, none of them with a value that could be taken; deliver files, or name another landing"
        )
    table = _input_files(files, reading)
    _write_build(build_dir, files, reading, table)
    return _report(table, files, reading, folders)


def find_files(landing: Path, layouts: Mapping[str, Layout]) -> list[DeliveredFile]:
    """Every file below a landing, in path order, each with the reason why it is not read, if any.

    Raises
    ------
    LandingError
        The landing is missing, not a folder, cannot be listed, or holds no file at all.
    """
    if not landing.exists():
        raise LandingError(f"{landing}: expected a landing folder; found nothing there; check the path given as LANDING=")
    if not landing.is_dir():
        raise LandingError(f"{landing}: expected a landing folder; found a file; give the folder that holds the source folders")
    root = landing.resolve()
    found = [describe_file(root, location, note, layouts) for location, note in _walk(root, root)]
    if not found:
        raise LandingError(f"{landing}: expected source folders with files; found an empty folder; deliver files, or name another landing")
    return sorted(found, key=lambda file: file.path)


def _walk(root: Path, folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Files below a folder with a note for those that must not be opened; links to folders are not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise LandingError(f"{readable(str(folder))}: expected a readable folder; found {error.strerror}; grant read permission") from error
    for entry in entries:
        location = Path(entry.path)
        if entry.is_symlink():
            yield location, _link_note(root, location)
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(root, location)
        elif entry.is_file(follow_symlinks=False):
            yield location, None
        else:
            yield location, "neither a file nor a folder (a pipe, socket or device)"


def _link_note(root: Path, location: Path) -> str | None:
    try:
        target = location.resolve()
    except (OSError, RuntimeError):
        return "a symbolic link that leads in a circle"
    if not target.is_relative_to(root):
        return "a symbolic link that leaves the landing: deliver the file itself"
    return "a symbolic link to a folder: deliver the folder itself" if target.is_dir() else None


def _read_files(
    files: list[DeliveredFile], raw_dir: Path, layouts: Mapping[str, Layout], on_progress: Progress | None
) -> tuple[list[DeliveredFile], _Reading]:
    raw_dir.mkdir(parents=True, exist_ok=True)
    reading, done = _Reading(), []
    for number, file in enumerate(files):
        if on_progress:
            on_progress(number, len(files), file.path)
        try:
            done.append(_read_one(file, raw_dir, layouts, reading))
        except FileFault as fault:
            reading.faults.append(f"{file.path}: {fault}")
            done.append(file)
    if on_progress:
        on_progress(len(files), len(files), "")
    return done, reading


def _read_one(file: DeliveredFile, raw_dir: Path, layouts: Mapping[str, Layout], reading: _Reading) -> DeliveredFile:
    """Hash a file and, if it is to be read, make sure that its raw Parquet is in the cache."""
    if file.note is not None:
        return _hashed_unread(file)
    data = _read_bytes(file.location)
    file = replace(file, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    layout = layouts.get(file.origin.source_id)
    target = raw_dir / f"{raw_key(file, layout)}.parquet"
    counts = _cached_counts(target)
    if counts is None:
        table = build_raw(data, file.origin, layout)
        write_parquet(table, target)
        counts = _count_reasons(table)
    else:
        reading.n_reused += 1
    reading.raw[file.path], reading.counts[file.path] = target, counts
    return file


def build_raw(data: bytes, origin: FileOrigin, layout: Layout | None) -> pa.Table:
    """Raw rows of one file's bytes, by its source's layout, or as ``tidy``."""
    if origin.source_id == TIDY_SOURCE:
        return build_tidy_observations(data, origin.file_name, origin)
    tables = tables_for(layout, path_in_edition(origin.file_name)[1], matches_path)
    grids = read_grids(data, origin.file_name, encoding=tables[0].encoding, delimiter=tables[0].delimiter)
    return build_file_observations(grids, tables, origin)


def _read_bytes(location: Path) -> bytes:
    try:
        size = location.stat().st_size
        if size > MAX_FILE_BYTES:
            raise FileFault(f"a file of at most {MAX_FILE_BYTES:,} bytes", f"{size:,} bytes", "deliver it in smaller parts")
        return location.read_bytes()
    except OSError as error:
        found = "a broken link" if error.errno == errno.ENOENT else f"an unreadable one ({error.strerror})"
        raise FileFault("a readable file", found, "grant read permission, or deliver the file again") from error


def _hashed_unread(file: DeliveredFile) -> DeliveredFile:
    """Hash of a file that is not read; links and devices are not opened at all."""
    try:
        mode = file.location.lstat()
        if not stat.S_ISREG(mode.st_mode):
            return file
        with file.location.open("rb") as stream:
            return replace(file, sha256=hashlib.file_digest(stream, "sha256").hexdigest(), size=mode.st_size)
    except OSError:
        return file


def raw_key(file: DeliveredFile, layout: Layout | None) -> str:
    """Name of a file's raw Parquet: a hash of content, source, path, edition, layout and reader version."""
    facts = [
        file.sha256,
        file.origin.source_id,
        file.path,
        file.origin.edition_year,
        layout.model_dump(mode="json") if layout else None,
        READER_VERSION,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()[:32]


def _cached_counts(target: Path) -> dict[str | None, int] | None:
    """Rows by reason of a cached raw Parquet, None where there is none that can be read."""
    try:
        return _count_reasons(pq.read_table(target, columns=["reason"], partitioning=None))
    except (OSError, pa.ArrowException):
        return None


def _count_reasons(table: pa.Table) -> dict[str | None, int]:
    counts = table.column("reason").value_counts().to_pylist()
    return dict(sorted(((item["values"], item["counts"]) for item in counts), key=lambda pair: pair[0] or ""))


def write_parquet(table: pa.Table, target: Path) -> None:
    """Write a table so that a reader sees the old file or the whole new one, never a part."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table, temporary, compression="zstd")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _input_files(files: list[DeliveredFile], reading: _Reading) -> pa.Table:
    rows = []
    for file in files:
        counts = reading.counts.get(file.path, {} if file.note is None else {"dropped_row": 1})
        raw = reading.raw.get(file.path)
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
                "raw_path": f"raw/{raw.name}" if raw else "raw/_skipped.parquet",
            }
        )
    return pa.Table.from_pylist(rows, schema=INPUT_FILE_SCHEMA)


def _skipped_table(files: list[DeliveredFile]) -> pa.Table:
    parts = [
        build_rejected_table(file.origin, [build_rejected_line("dropped_row", f"whole file not read: {file.note}")])
        for file in files
        if file.note is not None
    ]
    return pa.concat_tables(parts) if parts else build_rejected_table(FileOrigin(ROOT_SOURCE, None, ""), [])


def _write_build(build_dir: Path, files: list[DeliveredFile], reading: _Reading, table: pa.Table) -> None:
    """Replace ``build/raw`` by links to exactly this landing's files, then the list of files."""
    fresh = build_dir / ".raw_new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for raw in sorted(set(reading.raw.values())):
        _link(raw, fresh / raw.name)
    write_parquet(_skipped_table(files), fresh / "_skipped.parquet")
    shutil.rmtree(build_dir / "raw", ignore_errors=True)
    os.replace(fresh, build_dir / "raw")
    write_parquet(table, build_dir / "input_file.parquet")


def _link(source: Path, target: Path) -> None:
    """Hard link, or a copy where the file system allows none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _report(table: pa.Table, files: list[DeliveredFile], reading: _Reading, folders: tuple[str, ...]) -> LandingReport:
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
