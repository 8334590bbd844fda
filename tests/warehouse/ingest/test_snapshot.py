"""A landing is a snapshot: whatever changes while it is read ends the reading with the file's name, and nothing is built."""

from __future__ import annotations

import os
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


CHANGES = {
    "grown": (grow, r"panel/a.csv: expected a file that stays as it is while it is read; found \d+ bytes before reading and \d+ after"),
    "cut": (lambda path: os.truncate(path, 10), r"panel/a.csv: .* found \d+ bytes before reading and 10 after"),
    "touched": (lambda path: os.utime(path, (1, 1)), r"panel/a.csv: .* found a later time of change"),
    "another digit": (replace_same_size_and_time, r"panel/a.csv: .* found another content after reading than before"),
    "removed": (lambda path: path.unlink(), r"panel/a.csv: .* found none that can be read any more"),
    "a new file beside": (lambda path: grow(path.with_name("c.csv")), r"found 1 files changed: 'panel/c.csv' is new; wait until"),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_file_that_changes_while_the_landing_is_read_stops_it(tmp_path, monkeypatch, name, is_cached):
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
    """A file is replaced after it was hashed and before it is parsed: the old content is parsed, and the change is noticed."""
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
    with pytest.raises(FileFault, match="another content when it was read a second time"):
        copy_privately(path, snapshot, tmp_path)
    with pytest.raises(FileFault, match="bytes before reading"):
        require_unchanged(path, snapshot)
    assert [found.name for found in tmp_path.iterdir()] == ["a.csv"]
