"""A landing is a snapshot: whatever changes while it is read ends the reading with the file's name,
and nothing is built.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warehouse.ingest.delivered import ROWS, csv_bytes, deliver, read, xlsx_bytes
from warehouse.ingest import landing as landing_module
from warehouse.ingest import snapshot as snapshot_module
from warehouse.ingest.errors import FileFault, LandingError
from warehouse.ingest.snapshot import copy_privately, require_unchanged, take_snapshot

CSV, XLSX = csv_bytes(ROWS), xlsx_bytes(S=ROWS)


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"2017,x,x,1,5\n")


def replace_same_size_and_time(path: Path) -> None:
    """Another digit, with size and time as they were."""
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"230145900", b"230145901"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def moved_digit(path: Path) -> None:
    """Another digit under the same name, with size and time as they were."""
    copy = path.with_name("d")
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    replace_same_size_and_time(copy)
    copy.rename(path)


def exchange(path: Path, put: Callable[[Path], object]) -> None:
    path.unlink()
    put(path)


CHANGES = {
    "grown": (
        grow,
        (
            r"panel/a.csv: expected a file that stays as it is while it is read; found \d+ bytes "
            r"before reading and \d+ after"
        ),
    ),
    "cut": (
        lambda path: os.truncate(path, 10),
        r"panel/a.csv: .* found \d+ bytes before reading and 10 after",
    ),
    "touched": (
        lambda path: os.utime(path, (1, 1)),
        r"panel/a.csv: .* found a later time of change",
    ),
    "another digit": (
        replace_same_size_and_time,
        r"panel/a.csv: .* found another content after reading than before",
    ),
    "removed": (
        lambda path: path.unlink(),
        r"panel/a.csv: .* found none that can be read any more",
    ),
    "a pipe in its place": (
        lambda path: exchange(path, os.mkfifo),
        r"panel/a.csv: .* bytes before reading and 0 after",
    ),
    "a folder in its place": (
        lambda path: exchange(path, Path.mkdir),
        r"panel/a.csv: expected a file that stays as it is while it is read; found",
    ),
    "a broken link in its place": (
        lambda path: exchange(path, lambda at: at.symlink_to("nowhere")),
        r"panel/a.csv: .* found none that can be read",
    ),
    "another file moved over it": (
        lambda path: (path.with_name("d").write_bytes(CSV + CSV), path.with_name("d").rename(path)),
        r"panel/a.csv: .* bytes before",
    ),
    "another digit moved over it": (
        moved_digit,
        r"panel/a.csv: .* found another content after reading than before",
    ),
    "emptied": (
        lambda path: os.truncate(path, 0),
        r"panel/a.csv: .* bytes before reading and 0 after",
    ),
    "not readable any more": (
        lambda path: exchange(path, lambda at: at.symlink_to(at)),
        r"panel/a.csv: .* found none that can be read",
    ),
    "a file removed beside": (
        lambda path: path.with_name("b.xlsx").unlink(),
        r"panel/b.xlsx: .* found none that can be read",
    ),
    "its folder renamed": (
        lambda path: path.parent.rename(path.parent.with_name("x")),
        r"panel/a.csv: .* found none that can be read",
    ),
    "a new folder beside": (
        lambda path: deliver(path.parent.parent, {"new/c.csv": CSV}),
        r"found 1 files changed: 'new/c.csv' is new",
    ),
    "a new file beside": (
        lambda path: grow(path.with_name("c.csv")),
        r"found 1 files changed: 'panel/c.csv' is new; wait until",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_file_that_changes_while_the_landing_is_read_stops_it(
    tmp_path, monkeypatch, name, is_cached
):
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV, "panel/b.xlsx": XLSX})
    if is_cached:
        read(landing, tmp_path)
        before = sorted(path.name for path in (tmp_path / "build" / "raw").iterdir())
    change, message = CHANGES[name]
    real = landing_module.take_snapshot

    def taken(location, *limits):
        found = real(location, *limits)
        if location.name == "b.xlsx":
            change(landing / "panel" / "a.csv")
        return found

    monkeypatch.setattr(landing_module, "take_snapshot", taken)
    with pytest.raises(LandingError, match=message):
        read(landing, tmp_path)
    if is_cached:
        assert sorted(path.name for path in (tmp_path / "build" / "raw").iterdir()) == before
    else:
        assert not (tmp_path / "build").exists()


def test_what_is_parsed_is_what_was_hashed(tmp_path, monkeypatch):
    """A file is replaced after it was hashed and before it is parsed: the old content is parsed,
    and the change is noticed.
    """
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    real = landing_module.build_task

    def built(file, data, *rest):
        (landing / "panel" / "a.csv").write_bytes(CSV.replace(b"230145900", b"999999999"))
        return real(file, data, *rest)

    monkeypatch.setattr(landing_module, "build_task", built)
    with pytest.raises(LandingError, match=r"panel/a.csv: expected a file that stays as it is"):
        read(landing, tmp_path)
    monkeypatch.undo()
    (landing / "panel" / "a.csv").write_bytes(CSV)
    report = read(landing, tmp_path)
    assert report.n_reused == 1
    raw = next((tmp_path / "build" / "raw").glob("[!_]*.parquet")).read_bytes()
    assert b"230145900" in raw
    assert b"999999999" not in raw


def test_a_private_copy_of_a_changed_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    snapshot, data = take_snapshot(path, 1000, "file", "split it")
    assert data == CSV
    descriptor = copy_privately(path, snapshot, tmp_path)
    grow(path)
    assert os.pread(descriptor, 10_000, 0) == CSV
    os.close(descriptor)
    with pytest.raises(FileFault, match="another content when it was read a second time"):
        copy_privately(path, snapshot, tmp_path)
    with pytest.raises(FileFault, match="bytes before reading"):
        require_unchanged(path, snapshot)
    assert [found.name for found in tmp_path.iterdir()] == ["a.csv"]


SWAPS = {
    "a pipe": (os.mkfifo, "a folder, pipe or device in its place"),
    "a folder": (Path.mkdir, "a folder, pipe or device in its place"),
    "a link that leaves the landing": (
        lambda path: path.symlink_to("/etc/passwd"),
        "a link in its place that leaves the landing",
    ),
    "a link to a device": (
        lambda path: path.symlink_to("/dev/zero"),
        "a folder, pipe or device in its place",
    ),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "a broken link"),
    "a link in a circle": (lambda path: path.symlink_to(path), "an unreadable one"),
    "nothing": (lambda _: None, "a broken link"),
}


@pytest.mark.parametrize("name", SWAPS)
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_was_put_in_a_file_s_place_after_the_list_was_made_is_not_read(
    tmp_path, monkeypatch, name, suffix
):
    """The landing is listed, then the file is exchanged, then it is opened: no wait for a pipe,
    nothing from outside.
    """
    landing = deliver(
        tmp_path / "landing",
        {f"panel/a.{suffix}": CSV if suffix == "csv" else XLSX, "panel/good.csv": CSV},
    )
    put, message = SWAPS[name]
    real = landing_module.find_files

    def found(*arguments):
        files = real(*arguments)
        exchange(landing / "panel" / f"a.{suffix}", put)
        return files

    monkeypatch.setattr(landing_module, "find_files", found)
    with pytest.raises(LandingError, match=f"panel/a.{suffix}: expected .*; found {message}"):
        read(landing, tmp_path)
    assert not (tmp_path / "build").exists()


def test_a_file_that_grows_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    real, asked = snapshot_module.os.fstat, []

    def grown(descriptor):
        status = real(descriptor)
        asked.append(status.st_size)
        if len(asked) == 2:
            os.truncate(path, 100_000_000)
        return status

    monkeypatch.setattr(snapshot_module.os, "fstat", grown)
    with pytest.raises(FileFault, match=f"{len(CSV):,} bytes first and {len(CSV) + 1:,} then"):
        take_snapshot(path, 1 << 30, "file", "split it")
