"""A cache cannot lie: an entry that does not hold what was written is thrown away with one line,
and its file is read again.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.warehouse.ingest.delivered import ROWS, csv_bytes, deliver, read, xlsx_bytes
from warehouse.ingest.raw_cache import CONTENTS, RawCache

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
    for place in [0, size - 1, *random.Random(20).sample(range(size), 20)]:
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
        b"[" * 100_000,
        b'{"name": 1}\n',
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


def test_no_changed_sign_of_the_list_of_contents_is_believed(tmp_path):
    """The counts of a line are published as those of its file."""
    landing = deliver(tmp_path / "landing", FILES)
    before = read(landing, tmp_path).files
    contents, good = tmp_path / "raw" / CONTENTS, (tmp_path / "raw" / CONTENTS).read_bytes()
    counts = [found.start(1) for found in re.finditer(rb"\[null, ([0-9])", good)]
    assert counts
    for place in [*counts, *random.Random(4).sample(range(len(good)), 40)]:
        for sign in (b"7", b"\x00"):
            contents.write_bytes(good[:place] + sign + good[place + 1 :])
            pd.testing.assert_frame_equal(read(landing, tmp_path).files, before)


@pytest.mark.parametrize(
    "number",
    ["Infinity", "NaN", "-1", "1e400", "9" * 400, "9" * 5_000, "null", "[]", '"1"', "1.5", "true"],
)
def test_a_count_that_is_none_is_not_believed(tmp_path, number):
    landing = deliver(tmp_path / "landing", FILES)
    before = read(landing, tmp_path).files
    contents = tmp_path / "raw" / CONTENTS
    contents.write_bytes(
        re.sub(rb"\[null, [0-9]+", b"[null, " + number.encode(), contents.read_bytes())
    )
    report = read(landing, tmp_path)
    assert report.n_reused == 0 and len(report.notes) == 2
    pd.testing.assert_frame_equal(report.files, before)


def test_a_line_that_was_cut_costs_its_own_entry_only(tmp_path):
    landing = deliver(tmp_path / "landing", FILES)
    read(landing, tmp_path)
    contents = tmp_path / "raw" / CONTENTS
    contents.write_bytes(contents.read_bytes()[:-20] + b"\n")
    assert read(landing, tmp_path).n_reused == 1
    assert read(landing, tmp_path).n_reused == 2


def test_an_entry_that_is_a_folder_or_gone_is_made_again(tmp_path):
    cache = RawCache(tmp_path)
    cache.add(tmp_path / "a.parquet", "0" * 64, {None: 1})
    assert cache.find(tmp_path / "a.parquet", "panel/a.csv") is None
    assert cache.notes == []
    (tmp_path / "a.parquet").mkdir()
    assert cache.find(tmp_path / "a.parquet", "panel/\n.csv") is None
    assert "of 'panel/\\n.csv' is not used" in cache.notes[0]
    assert not (tmp_path / "a.parquet").exists()
