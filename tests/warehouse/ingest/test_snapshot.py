"""A landing is a snapshot: whatever changes while it is read ends the reading with the file's name,
and nothing is built.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pandas as pd
import pytest

from orchestration.reuse.fingerprint import hash_landing
from tests.warehouse.ingest.delivered import ROWS, csv_bytes, deliver, read, xlsx_bytes
from warehouse.ingest import landing as landing_module
from warehouse.ingest.errors import LandingError
from warehouse.publication.delivered import input_faults

CSV, XLSX = csv_bytes(ROWS), xlsx_bytes(S=ROWS)


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"2017,x,x,1,5\n")


CHANGED = "expected a file that stays as it is; found one that changed while it was read: "
GONE = "found (a broken link, or nothing there any more|an unreadable one)"
CHANGES = {
    "grown": (grow, rf"panel/a.csv: {CHANGED}\d+ bytes first, \d+ then"),
    "touched": (lambda path: os.utime(path, (1, 1)), rf"{CHANGED}a later time of change"),
    "removed": (lambda path: path.unlink(), rf"panel/a.csv: .*{GONE}"),
    "a pipe in its place": (
        lambda path: (path.unlink(), os.mkfifo(path)),
        r"panel/a.csv: .*found a folder, pipe or device in its place",
    ),
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


def test_rows_of_a_file_that_changed_before_it_was_parsed_are_not_kept(tmp_path, monkeypatch):
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    real = landing_module.build_task

    def built(file, *rest):
        (landing / "panel" / "a.csv").write_bytes(CSV.replace(b"230145900", b"999999999"))
        return real(file, *rest)

    monkeypatch.setattr(landing_module, "build_task", built)
    with pytest.raises(LandingError, match=r"panel/a.csv: expected a file that stays as it is"):
        read(landing, tmp_path)
    assert not list((tmp_path / "raw").iterdir())


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 43)


# what is laid into a landing, and how the landing is refused (None: it is listed and not read)
ENDLESS = {
    "a sparse file": ("panel/b.csv", sparse, "found 8,796,093,022,208 bytes"),
    "a sparse text": ("policy_texts/b.txt", sparse, None),
    "a sparse file of no layout": ("unknown/b.bin", sparse, None),
    "a sparse roster": ("places/roster.csv", sparse, "8,796,093,022,208 bytes"),
    "a link to a device": ("panel/b.csv", lambda at: at.symlink_to("/dev/zero"), None),
    "a pipe": ("panel/b.csv", os.mkfifo, None),
    "a socket": ("panel/b.csv", socket_at, None),
    "a link to a pipe": (
        "panel/b.csv",
        lambda at: (os.mkfifo(at.with_name("p")), at.symlink_to("p")),
        "found a folder, pipe or device in its place",
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
