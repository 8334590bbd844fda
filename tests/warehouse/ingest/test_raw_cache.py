"""A cache cannot lie: an entry that does not hold what was written is thrown away with one line,
and its file is read again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.warehouse.ingest.delivered import ROWS, csv_bytes, deliver, read, xlsx_bytes
from warehouse.ingest.raw_cache import CONTENTS

FILES = {"panel/a.csv": csv_bytes(ROWS), "panel/b.xlsx": xlsx_bytes(S=ROWS)}


def entry_of(home: Path, name: str) -> Path:
    """Cached Parquet file of a delivered one."""
    return next(
        path for path in (home / "raw").glob("*.parquet") if name.encode() in path.read_bytes()
    )


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    # a hard link of the build shares the file: it is changed as a failing disk would
    path.write_bytes(data)


def values(home: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (home / "build" / "raw").glob("[!_]*.parquet"))


def test_every_flipped_byte_is_noticed_and_the_file_read_again(tmp_path):
    landing = deliver(tmp_path / "landing", FILES)
    read(landing, tmp_path)
    before, entry = values(tmp_path), entry_of(tmp_path, "a.csv")
    size = entry.stat().st_size
    for place in [0, size - 1, size // 3, size // 2]:
        flip(entry, place)
        report = read(landing, tmp_path)
        assert report.n_reused == 1
        assert report.notes == (
            (
                f"raw cache: {entry.name} of panel/a.csv is not used, its content changed since it "
                "was written; the file is read again"
            ),
        )
        assert values(tmp_path) == before
    again = read(landing, tmp_path)
    assert (again.n_reused, again.notes) == (2, ())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b'{"name": "x", "sha256": null, "counts": 5}\n',
    ],
)
def test_a_list_of_contents_that_cannot_be_read_trusts_nothing(tmp_path, content):
    landing = deliver(tmp_path / "landing", FILES)
    read(landing, tmp_path)
    before = values(tmp_path)
    (tmp_path / "raw" / CONTENTS).write_bytes(content)
    report = read(landing, tmp_path)
    assert report.n_reused == 0
    assert all("its hash was not noted; the file is read again" in note for note in report.notes)
    assert len(report.notes) == 2
    assert values(tmp_path) == before
    assert read(landing, tmp_path).n_reused == 2


def test_a_line_that_was_cut_costs_its_own_entry_only(tmp_path):
    landing = deliver(tmp_path / "landing", FILES)
    read(landing, tmp_path)
    contents = tmp_path / "raw" / CONTENTS
    contents.write_bytes(contents.read_bytes()[:-20] + b"\n")
    assert read(landing, tmp_path).n_reused == 1
    assert read(landing, tmp_path).n_reused == 2
