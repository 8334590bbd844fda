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
OTHER = CSV.replace(b"230145900", b"230145901")


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"2017,x,x,1,5\n")


def exchange(path: Path, put: Callable[[Path], object]) -> None:
    path.unlink()
    put(path)


def other_digit(path: Path) -> None:
    """Another file under the same name, with size and time as they were."""
    status = path.stat()
    path.with_name("d").write_bytes(OTHER)
    os.utime(path.with_name("d"), ns=(status.st_atime_ns, status.st_mtime_ns))
    path.with_name("d").rename(path)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "grown": (grow, r"found \d+ bytes before reading and \d+ after"),
    "cut": (lambda path: os.truncate(path, 10), "bytes before reading and 10 after"),
    "touched": (lambda path: os.utime(path, (1, 1)), "found a later time of change"),
    "another digit": (other_digit, "found another content after reading than before"),
    "removed": (Path.unlink, "found none that can be read any more"),
    "a pipe in its place": (lambda path: exchange(path, os.mkfifo), "bytes before reading and 0"),
    "a folder in its place": (lambda path: exchange(path, Path.mkdir), "found"),
    "a link in a circle": (
        lambda path: exchange(path, lambda at: at.symlink_to(at)),
        "found none that can be read",
    ),
    "its folder renamed": (
        lambda path: path.parent.rename(path.parent.with_name("x")),
        "found none that can be read",
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
    change, message = CHANGES[name]
    real = landing_module.take_snapshot

    def taken(location, *limits):
        found = real(location, *limits)
        if location.name == "b.xlsx":
            change(landing / "panel" / "a.csv")
        return found

    monkeypatch.setattr(landing_module, "take_snapshot", taken)
    unchanged = r"panel/a.csv: expected a file that stays as it is while it is read; .*"
    with pytest.raises(LandingError, match=unchanged + message):
        read(landing, tmp_path)
    assert (tmp_path / "build").exists() == is_cached


def test_what_is_parsed_is_what_was_hashed_and_a_new_file_is_noticed(tmp_path, monkeypatch):
    """A file is replaced, and another put beside it, after it was hashed and before it is parsed:
    the old content is parsed.
    """
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    real = landing_module.build_task

    def built(file, data, *rest):
        deliver(landing, {"panel/a.csv": OTHER, "panel/c.csv": CSV})
        return real(file, data, *rest)

    monkeypatch.setattr(landing_module, "build_task", built)
    with pytest.raises(LandingError, match=r"panel/a.csv: expected a file that stays as it is"):
        read(landing, tmp_path)
    deliver(landing, {"panel/a.csv": CSV})
    with pytest.raises(LandingError, match=r"found 1 files changed: 'panel/d.csv' is new"):
        monkeypatch.setattr(
            landing_module,
            "build_task",
            lambda *task: (deliver(landing, {"panel/d.csv": CSV}), real(*task))[1],
        )
        (landing / "panel" / "c.csv").write_bytes(OTHER)
        read(landing, tmp_path)
    monkeypatch.undo()
    assert read(landing, tmp_path).n_reused == 2
    raw = [path.read_bytes() for path in (tmp_path / "build" / "raw").glob("[!_]*.parquet")]
    assert sum(b"230145900" in data for data in raw) == 2


def test_a_large_file_is_parsed_from_a_private_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot_module, "HELD_BYTES", 10)
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    assert read(landing, tmp_path).files["n_observations"].sum() == 2
    assert {path.suffix for path in (tmp_path / "raw").iterdir()} == {".parquet", ".jsonl"}
    path = landing / "panel" / "a.csv"
    snapshot, _ = take_snapshot(path, 1000, "file", "split it")
    descriptor = copy_privately(path, snapshot, tmp_path)
    grow(path)
    assert os.pread(descriptor, 10_000, 0) == CSV
    os.close(descriptor)
    with pytest.raises(FileFault, match="another content when it was read a second time"):
        copy_privately(path, snapshot, tmp_path)
    with pytest.raises(FileFault, match="bytes before reading"):
        require_unchanged(path, snapshot)


IN_ITS_PLACE: dict[str, tuple[Callable[[Path], object], str]] = {
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
    "nothing": (lambda _: None, "a broken link"),
}


@pytest.mark.parametrize("name", IN_ITS_PLACE)
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_was_put_in_a_file_s_place_after_the_list_was_made_is_not_read(
    tmp_path, monkeypatch, name, suffix
):
    """The landing is listed, then the file is exchanged, then it is opened: no wait for a pipe,
    nothing from outside.
    """
    data = CSV if suffix == "csv" else XLSX
    landing = deliver(tmp_path / "landing", {f"panel/a.{suffix}": data, "panel/good.csv": CSV})
    put, message = IN_ITS_PLACE[name]
    real = landing_module.find_files
    monkeypatch.setattr(
        landing_module,
        "find_files",
        lambda *given: (real(*given), exchange(landing / "panel" / f"a.{suffix}", put))[0],
    )
    with pytest.raises(LandingError, match=f"panel/a.{suffix}: expected .*; found {message}"):
        read(landing, tmp_path)
    assert not (tmp_path / "build").exists()


def test_a_file_that_grows_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    real, asked = os.fstat, []

    def grown(descriptor):
        asked.append(real(descriptor))
        if len(asked) == 2:
            os.truncate(path, 100_000_000)
        return asked[-1]

    monkeypatch.setattr(snapshot_module.os, "fstat", grown)
    with pytest.raises(FileFault, match=f"{len(CSV):,} bytes first and {len(CSV) + 1:,} then"):
        take_snapshot(path, 1 << 30, "file", "split it")
