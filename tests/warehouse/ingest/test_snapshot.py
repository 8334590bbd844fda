"""A landing is a snapshot: whatever changes while it is read ends the reading with the file's name,
and nothing is built.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from orchestration.reuse.fingerprint import hash_landing
from tests.warehouse.ingest.delivered import ROWS, csv_bytes, deliver, read, xlsx_bytes
from warehouse.ingest import landing as landing_module
from warehouse.ingest import snapshot as snapshot_module
from warehouse.ingest.errors import FileFault, LandingError
from warehouse.ingest.snapshot import copy_privately, require_unchanged, take_snapshot
from warehouse.publication.delivered import input_faults

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


CHANGED = "expected a file that stays as it is; found one that changed while it was read: "
GONE = "found (a broken link, or nothing there any more|an unreadable one)"
CHANGES = {
    "grown": (grow, rf"panel/a.csv: {CHANGED}\d+ bytes first, \d+ then"),
    "cut": (lambda path: os.truncate(path, 10), rf"panel/a.csv: {CHANGED}\d+ bytes first, 10 then"),
    "grown without end": (
        lambda path: os.truncate(path, 1 << 43),
        r"panel/a.csv: expected a file of at most [\d,]+ bytes; found 8,796,093,022,208 bytes",
    ),
    "touched": (lambda path: os.utime(path, (1, 1)), rf"{CHANGED}a later time of change"),
    "another digit": (replace_same_size_and_time, rf"{CHANGED}another content"),
    "removed": (lambda path: path.unlink(), rf"panel/a.csv: .*{GONE}"),
    "a pipe in its place": (
        lambda path: exchange(path, os.mkfifo),
        r"panel/a.csv: .*found a folder, pipe or device in its place",
    ),
    "a folder in its place": (lambda path: exchange(path, Path.mkdir), r"panel/a.csv: expected"),
    "a broken link in its place": (
        lambda path: exchange(path, lambda at: at.symlink_to("nowhere")),
        rf"panel/a.csv: .*{GONE}",
    ),
    "another digit moved over it": (moved_digit, rf"{CHANGED}another content"),
    "a file removed beside": (
        lambda path: path.with_name("b.xlsx").unlink(),
        rf"panel/b.xlsx: .*{GONE}",
    ),
    "its folder renamed": (
        lambda path: path.parent.rename(path.parent.with_name("x")),
        rf"panel/a.csv: .*{GONE}",
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


def test_a_large_file_is_parsed_from_a_private_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot_module, "HELD_BYTES", 10)
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV, "panel/b.xlsx": XLSX})
    assert read(landing, tmp_path).files["n_observations"].sum() == 4
    assert {path.suffix for path in (tmp_path / "raw").iterdir()} == {".parquet", ".jsonl"}


def test_a_private_copy_of_a_changed_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    snapshot, data = take_snapshot(path, 1000, "file", "split it")
    assert data == CSV
    descriptor = copy_privately(path, snapshot, tmp_path)
    grow(path)
    assert os.pread(descriptor, 10_000, 0) == CSV
    os.close(descriptor)
    for read_again in (
        lambda: copy_privately(path, snapshot, tmp_path),
        lambda: require_unchanged(path, snapshot),
    ):
        with pytest.raises(FileFault, match="changed while it was read"):
            read_again()
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


def test_a_folder_exchanged_for_a_link_is_not_followed(tmp_path, monkeypatch):
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    outside = deliver(tmp_path / "outside", {"a.csv": CSV})
    real = landing_module.find_files

    def found(*arguments):
        files = real(*arguments)
        (landing / "panel").rename(tmp_path / "away")
        (landing / "panel").symlink_to(outside)
        return files

    monkeypatch.setattr(landing_module, "find_files", found)
    with pytest.raises(LandingError, match="a link in its place that leaves the landing"):
        read(landing, tmp_path)


@pytest.mark.parametrize("is_large", [False, True])
def test_a_file_that_grows_without_end_is_not_read_to_its_end(tmp_path, monkeypatch, is_large):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    if is_large:
        monkeypatch.setattr(snapshot_module, "HELD_BYTES", 10)
    real, asked = snapshot_module.os.fstat, []

    def grown(descriptor):
        status = real(descriptor)
        asked.append(status.st_size)
        if len(asked) == 2:
            os.truncate(path, 1 << 43)
        return status

    monkeypatch.setattr(snapshot_module.os, "fstat", grown)
    with pytest.raises(FileFault, match=f"{len(CSV):,} bytes first, {len(CSV) + 1:,} then"):
        take_snapshot(path)


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 43)


# what is laid into a landing, and how the landing is refused (None: it is listed and not read)
ENDLESS = {
    "a sparse file": ("panel/b.csv", sparse, "found 8,796,093,022,208 bytes"),
    "a sparse workbook": ("panel/b.xlsx", sparse, "found 8,796,093,022,208 bytes"),
    "a sparse text": ("policy_texts/b.txt", sparse, None),
    "a sparse file of no layout": ("unknown/b.bin", sparse, None),
    "a sparse roster": ("places/roster.csv", sparse, "8,796,093,022,208 bytes"),
    "a link to a device": ("panel/b.csv", lambda at: at.symlink_to("/dev/zero"), None),
    "a link to the kernel's memory": ("panel/b.csv", lambda at: at.symlink_to("/proc/kcore"), None),
    "a link to the kernel's log": ("panel/b.csv", lambda at: at.symlink_to("/proc/kmsg"), None),
    "a pipe": ("panel/b.csv", os.mkfifo, None),
    "a socket": ("panel/b.csv", socket_at, None),
    "a link to a pipe": (
        "panel/b.csv",
        lambda at: (os.mkfifo(at.with_name("p")), at.symlink_to("p")),
        "found a folder, pipe or device in its place",
    ),
    "a link to a sparse file": (
        "panel/b.csv",
        lambda at: (sparse(at.with_name("s.bin")), at.symlink_to("s.bin")),
        "found 8,796,093,022,208 bytes",
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_not_read_to_it(tmp_path, name):
    """Neither by what decides whether there is anything to do, nor by the reading itself."""
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    place, put, message = ENDLESS[name]
    (landing / place).parent.mkdir(exist_ok=True)
    put(landing / place)
    assert hash_landing(landing) == hash_landing(landing)
    if message is None:
        files = read(landing, tmp_path).files.set_index("path")
        assert files.loc[place, "status"] == "skipped" and pd.isna(files.loc[place, "sha256"])
    else:
        with pytest.raises(LandingError, match=f"{place}.*{message}"):
            read(landing, tmp_path)
    inputs = [{"path": place, "sha256": "0" * 64}]
    assert place in input_faults(inputs, landing, {place: landing / place})
