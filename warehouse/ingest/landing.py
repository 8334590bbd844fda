"""The landing folder: find, hash, read, write. The only file of the ingest that reads a landing or writes into the build.

Not here: what a path says (`delivered_files`), how a file's bytes become rows (`formats/`, `sheets/`, `tidy`, `policy/`) and the list of
files (`landing_report`).

Nothing delivered disappears: a file is taken, ignored (by its layout) or skipped, and every one that is not taken has a line in
``build/raw/_skipped.parquet``. A file that its layout cannot read stops the refresh, after all files were looked at.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.hashing import hash_bytes, hash_file
from warehouse.ingest.delivered_files import NO_LAYOUT, POLICY_SOURCE, DeliveredFile, describe_file, matches_path, path_in_edition, readable
from warehouse.ingest.errors import FileFault, LandingError
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.landing_report import LandingReport, Reading, SourceReport, build_input_files, build_skipped_table
from warehouse.ingest.layouts import Layout
from warehouse.ingest.policy.documents import (
    POLICY_READER_VERSION,
    POLICY_SCHEMA,
    build_policy_document,
    count_clauses,
    write_policy_document,
)
from warehouse.ingest.policy.files import MAX_POLICY_BYTES, too_large
from warehouse.ingest.policy.pool import MIN_ITEMS, map_on_cores
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.sheets.choice import tables_for
from warehouse.ingest.sheets.observations import build_file_observations
from warehouse.ingest.tidy import TIDY_SOURCE, build_tidy_observations
from warehouse.whole_files import write_whole

READER_VERSION = 2
MAX_FILE_BYTES = 1 << 29
# what the kernel says when a network mount or its disk, not the file, fails
MOUNT_FAILED = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH})
UNREPEATED = ("cell_ref", "row_no", "raw_text", "value")


def read_landing(
    landing: Path,
    raw_dir: Path,
    build_dir: Path,
    *,
    layouts: Mapping[str, Layout],
    strict: bool = False,
) -> LandingReport:
    """Read a landing folder into raw Parquet, one per delivered file, and link this landing's files into the build.

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

    Raises
    ------
    LandingError
        The landing is missing, no folder, unreadable or empty, nothing in it was taken, or files are faulty (all are named).
        The build is then left as it was.
    OSError
        The mount failed (``MOUNT_FAILED``): the same read may succeed later.
    """
    files = find_files(landing, layouts)
    folders = tuple(sorted({file.origin.source_id for file in files if file.note == NO_LAYOUT}))
    if strict and folders:
        raise LandingError(
            f"{landing}: expected a layout for every source folder (STRICT=1); found none for {', '.join(folders)}; "
            "add warehouse/ingest/layouts/<source_id>.yml, or take the folder out of the landing"
        )
    files, reading = _read_files(files, raw_dir, layouts)
    if reading.faults:
        raise LandingError(f"{landing}: expected files as their layouts say; found {len(reading.faults)} faulty", reading.faults)
    if not any(counts.get(None, 0) for path, counts in reading.counts.items() if path not in reading.policy):
        sources = ", ".join(sorted({*layouts, TIDY_SOURCE}))
        raise LandingError(
            f"{landing}: expected at least one value in a source folder ({sources}); "
            f"found {len(files)} files, none of them with a value that could be taken; deliver files, or name another landing"
        )
    table = build_input_files(files, reading)
    _write_build(build_dir, files, reading, table)
    return LandingReport(table.to_pandas(), reading.n_reused)


def read_source(
    landing: Path,
    raw_dir: Path,
    source_id: str,
    *,
    layouts: Mapping[str, Layout],
    editions: Collection[int | None] | None = None,
) -> SourceReport:
    """Read the files of one source, or of some of its editions, into the cache; the build is left alone.

    Raises
    ------
    LandingError
        The landing is missing, unreadable or empty, or files of the source are faulty (all are named).
    """
    files = [
        file
        for file in find_files(landing, layouts)
        if file.origin.source_id == source_id and (editions is None or file.origin.edition_year in editions)
    ]
    files, reading = _read_files(files, raw_dir, layouts)
    if reading.faults:
        raise LandingError(f"{landing}: expected files as their layouts say; found {len(reading.faults)} faulty", reading.faults)
    n_observations = sum(counts.get(None, 0) for counts in reading.counts.values())
    return SourceReport(len(reading.raw) + len(reading.policy), n_observations, reading.n_reused)


def find_editions(landing: Path, layouts: Mapping[str, Layout]) -> list[int]:
    """Edition years that occur in a landing, sorted; empty where there is no landing."""
    if not landing.is_dir():
        return []
    root = landing.resolve()
    found = [describe_file(root, location, note, layouts) for location, note in _walk(root, root)]
    return sorted({file.origin.edition_year for file in found if file.origin.edition_year is not None})


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


def _read_files(files: list[DeliveredFile], raw_dir: Path, layouts: Mapping[str, Layout]) -> tuple[list[DeliveredFile], Reading]:
    """The files with their hashes, and what was read of them; a faulty file is noted, and the others are read all the same."""
    raw_dir.mkdir(parents=True, exist_ok=True)
    reading, done = Reading(), []
    n_made = prepare_policy_texts(files, raw_dir)
    for file in files:
        try:
            done.append(_read_one(file, raw_dir, layouts, reading))
        except FileFault as fault:
            shown = file.path if file.path.isprintable() else repr(file.path)
            reading.faults.append(f"{shown}: {fault}")
            done.append(file)
    reading.n_reused -= n_made
    return done, reading


def _read_one(file: DeliveredFile, raw_dir: Path, layouts: Mapping[str, Layout], reading: Reading) -> DeliveredFile:
    """Hash a file and, if it is to be read, make sure that its raw Parquet is in the cache."""
    if file.note is not None:
        return _hashed_unread(file)
    if file.origin.source_id == POLICY_SOURCE:
        return _read_policy_text(file, raw_dir, reading)
    data = _read_bytes(file.location)
    file = replace(file, sha256=hash_bytes(data), size=len(data))
    layout = layouts.get(file.origin.source_id)
    target = raw_dir / f"{raw_key(file, layout)}.parquet"
    counts = _cached_counts(target)
    if counts is None:
        with _without_collection():
            table = build_raw(data, file.origin, layout)
        write_parquet(table, target)
        counts = _count_reasons(table)
    else:
        reading.n_reused += 1
    reading.raw[file.path], reading.counts[file.path] = target, counts
    return file


@contextmanager
def _without_collection() -> Iterator[None]:
    """Garbage collection is off inside: rows of cells hold no cycles, yet the collector would walk over all of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def prepare_policy_texts(files: Iterable[DeliveredFile], raw_dir: Path, *, processes: int | None = None) -> int:
    """Make the raw Parquet of many policy texts on all cores; the reading that follows finds it in the cache, and reports the faults.

    Returns
    -------
    int
        Parquet files made; 0 where there are too few texts to share out.
    """
    texts = [file for file in files if file.note is None and file.origin.source_id == POLICY_SOURCE]
    return sum(map_on_cores(partial(_prepare_policy_text, raw_dir), texts, processes=processes)) if len(texts) >= MIN_ITEMS else 0


def _prepare_policy_text(raw_dir: Path, file: DeliveredFile) -> bool:
    try:
        return _make_policy_parquet(file, raw_dir)[3]
    except FileFault:
        return False


def _read_policy_text(file: DeliveredFile, raw_dir: Path, reading: Reading) -> DeliveredFile:
    """Read one policy text; one that cannot be read is skipped with its reason and does not stop the refresh."""
    try:
        file, target, n_clauses, is_new = _make_policy_parquet(file, raw_dir)
    except FileFault as fault:
        return _hashed_unread(replace(file, note=str(fault)))
    reading.n_reused += not is_new
    reading.policy[file.path], reading.counts[file.path] = target, {None: n_clauses}
    return file


def _make_policy_parquet(file: DeliveredFile, raw_dir: Path) -> tuple[DeliveredFile, Path, int, bool]:
    """The file with its hash, its raw Parquet, the number of clauses in it, and whether it had to be made."""
    size = file.location.stat().st_size
    if size > MAX_POLICY_BYTES:
        raise FileFault(*too_large(size))
    data = _read_bytes(file.location)
    file = replace(file, sha256=hash_bytes(data), size=len(data))
    target = raw_dir / f"{raw_key(file, None)}.parquet"
    n_clauses = count_clauses(target)
    if n_clauses is not None:
        return file, target, n_clauses, False
    table = build_policy_document(data, file.origin)
    write_policy_document(table, target)
    return file, target, len(table.column("clauses")[0]), True


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
        if error.errno in MOUNT_FAILED:
            raise  # not the file's fault: the same read may succeed in a while
        found = "a broken link" if error.errno == errno.ENOENT else f"an unreadable one ({error.strerror})"
        raise FileFault("a readable file", found, "grant read permission, or deliver the file again") from error


def _hashed_unread(file: DeliveredFile) -> DeliveredFile:
    """Hash of a file that is not read; links and devices are not opened at all."""
    try:
        mode = file.location.lstat()
        if not stat.S_ISREG(mode.st_mode):
            return file
        return replace(file, sha256=hash_file(file.location), size=mode.st_size)
    except OSError:
        return file


def raw_key(file: DeliveredFile, layout: Layout | None) -> str:
    """Name of a file's raw Parquet: a hash of content, source, path, edition, layout and reader version."""
    facts = [
        file.sha256,
        file.origin.source_id,
        file.path,
        file.origin.edition_year,
        layout.content if layout else None,
        POLICY_READER_VERSION if file.origin.source_id == POLICY_SOURCE else READER_VERSION,
    ]
    return hash_bytes(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode())[:32]


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
    # columns whose values hardly repeat are larger and slower with a dictionary than without; coded texts are read back as plain ones;
    # compressing would save a third of the few bytes and take half as long again
    repeating = [name for name in table.column_names if name not in UNREPEATED]
    with write_whole(target) as temporary:
        pq.write_table(table, temporary, compression="none", use_dictionary=repeating, write_statistics=False, store_schema=False)


def _write_build(build_dir: Path, files: list[DeliveredFile], reading: Reading, table: pa.Table) -> None:
    """Replace ``build/raw`` by links to exactly this landing's files, then the list of files."""
    _link_folder(build_dir / "raw", reading.raw.values(), {"_skipped.parquet": build_skipped_table(files)})
    # a table without rows keeps its columns where no text was delivered
    _link_folder(build_dir / "policy", reading.policy.values(), {"_none.parquet": POLICY_SCHEMA.empty_table()})
    write_parquet(table, build_dir / "input_file.parquet")


def _link_folder(folder: Path, sources: Iterable[Path], tables: Mapping[str, pa.Table]) -> None:
    """Replace a folder of the build by links to exactly these files of the cache, and tables beside them."""
    fresh = folder.with_name(f".{folder.name}_new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source in sorted(set(sources)):
        _link(source, fresh / source.name)
    for name, table in tables.items():
        write_parquet(table, fresh / name)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)


def _link(source: Path, target: Path) -> None:
    """Hard link, or a copy where the file system allows none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
