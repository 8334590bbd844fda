"""The landing folder: find, hash, read, write. The only file of the ingest that reads a landing or
writes into the build.

Not here: what a path says (`delivered_files`), how a file's bytes become rows (`formats/`,
`sheets/`, `tidy`, `policy/`) and the list of files (`landing_report`).

Nothing delivered disappears: a file is taken, ignored (by its layout) or skipped, and every one
that is not taken has a line in ``build/raw/_skipped.parquet``. A file that its layout cannot read
stops the refresh, after all files were looked at.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.hashing import hash_bytes
from warehouse.ingest.delivered_files import (
    NO_LAYOUT,
    POLICY_SOURCE,
    DeliveredFile,
    describe_file,
    readable,
    tables_of,
)
from warehouse.ingest.errors import FileFault, LandingError
from warehouse.ingest.landing_report import (
    LandingReport,
    Reading,
    build_input_files,
    build_skipped_table,
)
from warehouse.ingest.layout_model import Layout
from warehouse.ingest.place_check import check_places
from warehouse.ingest.policy.schema import MAX_POLICY_BYTES, POLICY_READER_VERSION, POLICY_SCHEMA
from warehouse.ingest.raw_parquet import Counts, read_counts
from warehouse.ingest.raw_table import TIDY_SOURCE
from warehouse.ingest.roster import read_roster
from warehouse.ingest.unchanged_files import MOST_BYTES, require_unchanged, take_snapshot
from warehouse.ingest.workers.jobs import RawJob
from warehouse.ingest.workers.pool import Pool, Task, limits_for
from warehouse.whole_files import write_whole

READER_VERSION = 4
MAX_FILE_BYTES = 1 << 29


def read_landing(
    landing: Path,
    raw_dir: Path,
    build_dir: Path,
    *,
    layouts: Mapping[str, Layout],
    strict: bool = False,
    readers: Pool | None = None,
) -> LandingReport:
    """Read a landing folder into raw Parquet, one per delivered file, and link this landing's files
    into the build.

    Parameters
    ----------
    landing : Path
        Folder ``<source_id>/...`` or ``<source_id>/<edition_year>/...`` with files as delivered.
    raw_dir : Path
        Cache of raw Parquet by content hash; an unchanged file is not read again.
    build_dir : Path
        Receives ``raw/*.parquet`` (exactly this landing's files, and ``_skipped.parquet``) and
        ``input_file.parquet``.
    layouts : mapping of str to Layout
        Layouts by source; ``tidy`` needs none.
    strict : bool
        Whether a folder without a layout is an error.
    readers : Pool, optional
        Processes that read files, where several landings share them.

    Raises
    ------
    LandingError
        The landing is missing, no folder, unreadable or empty, nothing in it was taken, or files
        are faulty (all are named). The build is then left as it was.
    OSError
        The mount failed (``snapshot.MOUNT_FAILED``): the same read may succeed later.
    """
    files, roster = find_files(landing, layouts), read_roster(landing.resolve())
    folders = tuple(sorted({file.origin.source_id for file in files if file.note == NO_LAYOUT}))
    if strict and folders:
        raise LandingError(
            f"{landing}: expected a layout for every source folder (STRICT=1); found none for "
            f"{', '.join(folders)}; "
            "add warehouse/ingest/layouts/<source_id>.yml, or take the folder out of the landing"
        )
    files, reading = _read_files(landing, files, raw_dir, layouts, readers)
    if not any(
        counts.get(None, 0) for path, counts in reading.counts.items() if path not in reading.policy
    ):
        unknown = f" ({', '.join(folders)}: no source has this name)" if folders else ""
        raise LandingError(
            f"{landing}: expected at least one value in a folder that is named as a source; found "
            f"{len(files)} files, none of them with a value that could be taken{unknown}; name "
            "folders as warehouse/ingest/layouts does, or tidy, or give another landing"
        )
    _require_same_files(landing, files)
    table = build_input_files(files, reading)
    _write_build(build_dir, files, reading, table)
    _write_roster(build_dir, roster)
    return LandingReport(table, reading.n_reused)


def read_source(
    landing: Path,
    raw_dir: Path,
    source_id: str,
    *,
    layouts: Mapping[str, Layout],
    readers: Pool | None = None,
) -> LandingReport:
    """Read the files of one source into the cache; the build is left alone.

    Parameters as of `read_landing`.

    Raises
    ------
    LandingError
        The landing is missing, unreadable or empty, or files of the source are faulty (all are
        named).
    """
    files = [f for f in find_files(landing, layouts) if f.origin.source_id == source_id]
    files, reading = _read_files(landing, files, raw_dir, layouts, readers)
    return LandingReport(build_input_files(files, reading), reading.n_reused)


def read_folder(folder: Path, build_dir: Path, *, layouts: Mapping[str, Layout]) -> LandingReport:
    """Read the folder of one source, in any place, into ``build_dir``, without a cache.

    Parameters
    ----------
    folder : Path
        Its name is the source's.
    build_dir : Path
        Receives ``raw/*.parquet`` and ``input_file.parquet``.
    layouts : mapping of str to Layout

    Raises
    ------
    LandingError
        There is no such folder or layout, or files are faulty (all are named).
    """
    if not folder.is_dir():
        raise LandingError(
            f"{folder}: expected the folder of one source; found "
            f"{'a file' if folder.exists() else 'nothing there'}"
        )
    root = folder.resolve()
    if root.name not in layouts and root.name != TIDY_SOURCE:
        known = ", ".join(sorted({*layouts, TIDY_SOURCE}))
        raise LandingError(
            f"{folder}: expected a folder named as a source with a layout ({known}); found "
            f"{root.name!r}; draft one with citysync new-source {folder}"
        )
    found = [
        describe_file(root.parent, location, note, layouts)
        for location, note in _walk(root.parent, root)
    ]
    if not found:
        raise LandingError(
            f"{folder}: expected files of the source; found an empty folder; deliver files"
        )
    files, reading = _read_files(
        folder, sorted(found, key=lambda file: file.path), build_dir / "cache", layouts
    )
    table = build_input_files(files, reading)
    _write_build(build_dir, files, reading, table)
    return LandingReport(table, reading.n_reused)


def _require_same_files(landing: Path, files: list[DeliveredFile]) -> None:
    """Raise a LandingError where files came or went while the landing was read."""
    root = landing.resolve()
    before, after = (
        {file.location for file in files},
        {location for location, _ in _walk(root, root)},
    )
    changed = [
        f"{readable(str(path.relative_to(root)))!r} {'is gone' if path in before else 'is new'}"
        for path in sorted(before ^ after)
    ]
    if changed:
        raise LandingError(
            f"{landing}: expected a landing that stays as it is while it is read; found "
            f"{len(changed)} files changed: "
            f"{', '.join(changed[:10])}; wait until the delivery is complete, then refresh again"
        )


def find_files(landing: Path, layouts: Mapping[str, Layout]) -> list[DeliveredFile]:
    """Return every file below a landing, in path order, each with the reason why it is not read, if
    any.

    Raises
    ------
    LandingError
        The landing is missing, not a folder, cannot be listed, or holds no file at all.
    """
    if not landing.exists():
        raise LandingError(
            f"{landing}: expected a landing folder; found nothing there; check the path"
        )
    if not landing.is_dir():
        raise LandingError(
            f"{landing}: expected a landing folder; found a file; give the folder that holds the "
            "source folders"
        )
    root = landing.resolve()
    found = [describe_file(root, location, note, layouts) for location, note in _walk(root, root)]
    if not found:
        raise LandingError(
            f"{landing}: expected source folders with files; found an empty folder; deliver "
            "files, or name another landing"
        )
    return sorted(found, key=lambda file: file.path)


def _walk(root: Path, folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Files below a folder with a note for those that must not be opened; links to folders are not
    followed.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise LandingError(
            f"{readable(str(folder))}: expected a readable folder; found {error.strerror}; grant "
            "read permission"
        ) from error
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
    except RuntimeError:
        return "a symbolic link that leads in a circle"
    if not target.is_relative_to(root):
        return "a symbolic link that leaves the landing: deliver the file itself"
    return "a symbolic link to a folder: deliver the folder itself" if target.is_dir() else None


def _read_files(
    place: Path,
    files: list[DeliveredFile],
    raw_dir: Path,
    layouts: Mapping[str, Layout],
    readers: Pool | None = None,
) -> tuple[list[DeliveredFile], Reading]:
    """Return the files with their hashes, and what was read of them; a faulty file does not keep
    the others from being read, and all of them are then named (LandingError).
    """
    if readers is None:
        with Pool() as own:
            return _read_files(place, files, raw_dir, layouts, own)
    raw_dir.mkdir(parents=True, exist_ok=True)
    reading, done, faults = Reading(), {file.path: file for file in files}, {}
    tasks = _find_tasks(files, raw_dir, layouts, reading, done, faults)
    for task, outcome in readers.run(tasks):
        file, target = task.note
        temporary = Path(task.job.target)
        with _faults_noted(file, done, faults):
            if outcome.fault is not None:
                raise outcome.fault
            # what was parsed is what was hashed
            require_unchanged(file.location, file.snapshot)
            os.replace(temporary, target)
            _note_read(file, target, dict(map(tuple, outcome.value)), reading)
        temporary.unlink(missing_ok=True)
    for path, raw in reading.raw.items():
        fault = check_places(raw)
        if fault is not None:
            faults[path] = fault
    for path, file in done.items():
        try:
            if file.snapshot is not None:
                require_unchanged(file.location, file.snapshot)
        except FileFault as fault:
            faults[path] = fault
    if faults:
        raise LandingError(
            f"{place}: expected files as their layouts say; found {len(faults)} faulty",
            [
                f"{path if path.isprintable() else repr(path)}: {faults[path]}"
                for path in done
                if path in faults
            ],
        )
    return list(done.values()), reading


def _find_tasks(
    files: list[DeliveredFile],
    raw_dir: Path,
    layouts: Mapping[str, Layout],
    reading: Reading,
    done: dict[str, DeliveredFile],
    faults: dict[str, FileFault],
) -> Iterator[Task]:
    """Hash every file, note those whose raw Parquet is in the cache, and give a task for each of
    the others.
    """
    for file in files:
        if file.note is not None:
            done[file.path] = _hashed_unread(file)
            continue
        with _faults_noted(file, done, faults):
            snapshot = take_snapshot(file.location, *_size_limit(file))
            hashed = done[file.path] = replace(
                file, snapshot=snapshot, sha256=snapshot.sha256, size=snapshot.size
            )
            layout = layouts.get(file.origin.source_id)
            target = raw_dir / f"{raw_key(hashed, layout)}.parquet"
            counts = read_counts(target)
            if counts is None:
                yield build_task(hashed, layout, target)
            else:
                reading.n_reused += 1
                _note_read(hashed, target, counts, reading)


def _size_limit(file: DeliveredFile) -> tuple[int, str, str]:
    """Return bytes that a file may have, what it is called, and what to do with a larger one."""
    if file.origin.source_id == POLICY_SOURCE:
        return MAX_POLICY_BYTES, "policy text", "deliver the text alone, one document per file"
    # text and Parquet files are read some rows at a time, others whole
    is_table = file.path.lower().endswith((".csv", ".parquet"))
    return MOST_BYTES if is_table else MAX_FILE_BYTES, "file", "deliver it in smaller parts"


def build_task(file: DeliveredFile, layout: Layout | None, target: Path) -> Task:
    """Return what a worker has to do for a file."""
    temporary = str(target.with_name(f".{target.name}.{os.getpid()}.tmp"))
    tables = None
    if file.origin.source_id != POLICY_SOURCE:
        tables = tables_of(layout, file.origin.file_name) if layout else []
    job = RawJob(str(file.location), file.origin, tables, temporary)
    return Task(job, limits_for(file.size), note=(file, target))


def _note_read(file: DeliveredFile, target: Path, counts: Counts, reading: Reading) -> None:
    kind = reading.policy if file.origin.source_id == POLICY_SOURCE else reading.raw
    kind[file.path], reading.counts[file.path] = target, counts


@contextmanager
def _faults_noted(
    file: DeliveredFile, done: dict[str, DeliveredFile], faults: dict[str, FileFault]
) -> Iterator[None]:
    """Reject an unreadable policy text with its reason; note other faults, which stop the run."""
    try:
        yield
    except FileFault as fault:
        if file.origin.source_id == POLICY_SOURCE:
            done[file.path] = _hashed_unread(replace(done[file.path], note=str(fault)))
        else:
            faults[file.path] = fault


def _hashed_unread(file: DeliveredFile) -> DeliveredFile:
    """Return the size and hash of a file that is not read; links and devices are not opened at all,
    and one that is too large or changes has no hash.
    """
    try:
        status = file.location.lstat()
        if not stat.S_ISREG(status.st_mode):
            return file
        file = replace(file, size=status.st_size)
        return replace(file, sha256=take_snapshot(file.location).sha256)
    except (FileFault, OSError):
        return file


def raw_key(file: DeliveredFile, layout: Layout | None) -> str:
    """Return the name of a file's raw Parquet: a hash of content, source, path, edition, layout and
    reader version.
    """
    facts = [
        file.sha256,
        file.origin.source_id,
        file.path,
        file.origin.edition_year,
        layout.content if layout else None,
        POLICY_READER_VERSION if file.origin.source_id == POLICY_SOURCE else READER_VERSION,
    ]
    return hash_bytes(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode())[:32]


def write_parquet(table: pa.Table, target: Path) -> None:
    """Write a table so that a reader sees the old file or the whole new one, never a part."""
    with write_whole(target) as temporary:
        pq.write_table(table, temporary, store_schema=False)


def _write_build(
    build_dir: Path, files: list[DeliveredFile], reading: Reading, table: pa.Table
) -> None:
    """Replace ``build/raw`` by links to exactly this landing's files, then the list of files."""
    _link_folder(
        build_dir / "raw", reading.raw.values(), {"_skipped.parquet": build_skipped_table(files)}
    )
    # a table without rows keeps its columns where no text was delivered
    _link_folder(
        build_dir / "policy",
        reading.policy.values(),
        {"_none.parquet": POLICY_SCHEMA.empty_table()},
    )
    write_parquet(table, build_dir / "input_file.parquet")


def _write_roster(build_dir: Path, roster: tuple[pa.Table, pa.Table] | None) -> None:
    """Write roster.parquet and zones.parquet for the seeds' hooks; remove earlier ones."""
    for name, number in (("roster", 0), ("zones", 1)):
        target = build_dir / f"{name}.parquet"
        target.unlink(missing_ok=True)
        if roster is not None:
            write_parquet(roster[number], target)


def _link_folder(folder: Path, sources: Iterable[Path], tables: Mapping[str, pa.Table]) -> None:
    """Replace a folder of the build by links to exactly these files of the cache, and tables beside
    them.
    """
    fresh = folder.with_name(f".{folder.name}_new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source in sorted(set(sources)):
        try:
            os.link(source, fresh / source.name)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, fresh / source.name)
    for name, table in tables.items():
        write_parquet(table, fresh / name)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(fresh, folder)
