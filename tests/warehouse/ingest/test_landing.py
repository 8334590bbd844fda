"""The landing folder: what is found, what is read again, what stops a refresh, that nothing
disappears, and that whatever changes while it is read ends the reading with the file's name.
"""

import os
import socket
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from orchestration.reuse.fingerprint import hash_landing
from tests.warehouse.ingest.delivered import (
    LAYOUT_YAML,
    ROWS,
    count_reasons,
    csv_bytes,
    deliver,
    read,
    xlsx_bytes,
)
from warehouse.hashing import hash_bytes, hash_tree
from warehouse.ingest import landing as landing_module
from warehouse.ingest.errors import LandingError
from warehouse.ingest.layouts import parse_layout
from warehouse.publication.compare_with_landing import input_faults

XLSX, CSV = xlsx_bytes(Sheet1=ROWS), csv_bytes(ROWS)
TIDY = b"city_id,year,indicator_id,value\n110000,2015,gdp_real_cny_100m,1\n"


def raw_rows(home: Path) -> list[dict]:
    """All raw rows that the build links, as SQL would read them."""
    files = sorted((home / "build" / "raw").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]


@pytest.mark.parametrize(
    ("path", "edition_year", "file_name"),
    [
        ("panel/a.xlsx", None, "a.xlsx"),
        ("panel/2018/a.xlsx", 2018, "2018/a.xlsx"),
        ("panel/2018/x_2017.csv", 2018, "2018/x_2017.csv"),
        ("panel/x_2017.csv", 2016, "x_2017.csv"),
        ("panel/old/a.csv", None, "old/a.csv"),
        ("panel/A.CSV", None, "A.CSV"),
        ("panel/20189/a.csv", None, "20189/a.csv"),
    ],
)
def test_source_edition_and_name_come_from_the_path(tmp_path, path, edition_year, file_name):
    read(deliver(tmp_path / "landing", {path: XLSX if path.endswith("xlsx") else CSV}), tmp_path)
    found = {
        (row["source_id"], row["edition_year"], row["file_name"]) for row in raw_rows(tmp_path)
    }
    assert found == {("panel", edition_year, file_name)}


def test_every_file_is_listed_and_what_is_not_read_has_a_line(tmp_path):
    unread = {
        "panel/readme.txt": "column descriptions only",
        "panel/notes.docx": "no file pattern of the layout fits",
        "panel/~$a.xlsx": "a lock file",
        "panel/.DS_Store": "a hidden or system file",
        "panel/__MACOSX/a.xlsx": "a hidden or system file",
        "unknown/a.xlsx": "has no layout",
        "policy_texts/1.txt": (
            "expected a text in Chinese of at least 20 characters; found 0 Chinese characters"
        ),
        "tidy/readme.md": "takes CSV and Parquet files",
        "stray.csv": "outside any source folder",
    }
    landing = deliver(tmp_path / "landing", {"panel/a.xlsx": XLSX, **dict.fromkeys(unread, b"x")})
    report = read(landing, tmp_path)
    files = report.files.set_index("path")
    assert set(files.index) == {"panel/a.xlsx", *unread}
    assert files["status"].value_counts().to_dict() == {"skipped": 8, "taken": 1, "ignored": 1}
    lines = pq.read_table(tmp_path / "build" / "raw" / "_skipped.parquet").to_pandas()
    lines.index = (lines["source_id"] + "/" + lines["file_name"]).str.removeprefix("./")
    assert sorted(lines.index) == sorted(unread)
    for path, why in unread.items():
        assert why in files.loc[path, "note"] and why in lines.loc[path, "detail"]
        assert files.loc[path, "sha256"] == hash_bytes(b"x")
    assert set(lines["reason"]) == {"dropped_row"} and lines["cell_ref"].isna().all()
    assert count_reasons(tmp_path) == {"dropped_row": 9, "unmapped_column": 1}
    assert pq.read_table(tmp_path / "build" / "input_file.parquet").to_pandas().equals(report.files)
    with pytest.raises(
        LandingError,
        match=r"expected a layout for every source folder \(STRICT=1\); found none for unknown",
    ):
        read(landing, tmp_path, strict=True)


def test_an_unchanged_file_is_not_read_again_unless_its_layout_changed(tmp_path, monkeypatch):
    reads, real = [], landing_module.build_task
    monkeypatch.setattr(
        landing_module,
        "build_task",
        lambda file, *rest: (reads.append(file.origin.file_name), real(file, *rest))[1],
    )
    landing = deliver(
        tmp_path / "landing", {"panel/a.xlsx": XLSX, "panel/b.csv": CSV, "tidy/t.csv": TIDY}
    )
    more = csv_bytes([*ROWS, [2017, "北京市", "北京市", 110000, 7]])
    rounds = (({}, ["a.xlsx", "b.csv", "t.csv"]), ({}, []), ({"b.csv": more}, ["b.csv"]))
    builds = []
    for files, again in rounds:
        reads.clear()
        deliver(landing / "panel", files)
        assert (read(landing, tmp_path).n_reused, reads) == (3 - len(again), again)
        builds.append(hash_tree(tmp_path / "build"))
    assert builds[0] == builds[1] != builds[2]
    os.truncate(next((tmp_path / "raw").glob("*.parquet")), 10)
    assert read(landing, tmp_path).files["n_observations"].sum() == 6
    (landing / "panel" / "a.xlsx").unlink()
    read(landing, tmp_path)
    reads.clear()
    other = LAYOUT_YAML.replace("gdp_nominal_cny_100m", "gdp_real_cny_100m")
    read(landing, tmp_path, layouts={"panel": parse_layout(other, "panel.yml")})
    assert reads == ["b.csv"]
    found = {(row["file_name"], row["indicator_id"]) for row in raw_rows(tmp_path) if row["value"]}
    assert found == {(name, "gdp_real_cny_100m") for name in ("b.csv", "t.csv")}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "expected a landing folder; found nothing there; check the path"),
        (XLSX, "expected a landing folder; found a file"),
        ({}, "found an empty folder; deliver files"),
        (
            {"panel/readme.txt": b"x"},
            "expected at least one value in a folder .*found 1 files",
        ),
        ({"panel/a.csv": csv_bytes(ROWS[:1])}, "none of them with a value that could be taken"),
        (
            {"panel/a.csv": csv_bytes([ROWS[0], [2015, "", "甲", 1, "约5"]])},
            "none of them with a value",
        ),
    ],
)
def test_a_landing_without_anything_to_take(tmp_path, files, message):
    landing = tmp_path / "landing"
    if isinstance(files, bytes):
        landing.write_bytes(files)
    elif files is not None:
        landing.mkdir()
        deliver(landing, files)
    with pytest.raises(LandingError, match=message):
        read(landing, tmp_path)
    assert not (tmp_path / "build").exists()


def test_all_faulty_files_are_named_and_the_build_is_left_alone(tmp_path):
    landing = deliver(tmp_path / "landing", {"panel/good.xlsx": XLSX})
    read(landing, tmp_path)
    before = hash_tree(tmp_path / "build")
    faulty = {
        "panel/cut.xlsx": XLSX[:3000],
        "panel/text.xlsx": CSV,
        "panel/columns.csv": csv_bytes([ROWS[0][:4], ROWS[1][:4]]),
        "panel/new\nline.csv": b"",
        "tidy/t.parquet": TIDY,
    }
    with pytest.raises(LandingError, match="found 5 faulty") as caught:
        read(deliver(landing, faulty), tmp_path)
    assert sorted(fault.partition(": ")[0] for fault in caught.value.faults) == [
        r"'panel/new\nline.csv'",
        "panel/columns.csv",
        "panel/cut.xlsx",
        "panel/text.xlsx",
        "tidy/t.parquet",
    ]
    assert all("expected" in fault and "found" in fault for fault in caught.value.faults)
    assert hash_tree(tmp_path / "build") == before


@pytest.mark.parametrize(
    "name",
    [
        "it's; drop table x.csv",
        'a"b.csv',
        "a\nb.csv",
        "a..b...csv",
        "$(touch x).csv",
        "%00*?[a].csv",
        "全国　城市.csv",
        "a" * 240 + ".csv",
        b"\xff\xfe.csv",
    ],
)
def test_hostile_file_names_are_data(tmp_path, name):
    folder = tmp_path / "landing" / "panel"
    folder.mkdir(parents=True)
    with open(os.path.join(os.fsencode(folder), os.fsencode(name)), "wb") as stream:
        stream.write(CSV)
    read(tmp_path / "landing", tmp_path)
    shown = name if isinstance(name, str) else "\\xff\\xfe.csv"
    assert {row["file_name"] for row in raw_rows(tmp_path)} == {shown}
    assert sorted(os.listdir(tmp_path)) == ["build", "landing", "raw"]


def test_a_link_inside_the_landing_is_read_like_a_file(tmp_path):
    landing = deliver(tmp_path / "landing", {"panel/a.csv": CSV})
    (landing / "panel" / "same.csv").symlink_to("a.csv")
    files = read(landing, tmp_path).files.set_index("path")
    assert files["status"].to_dict() == {"panel/a.csv": "taken", "panel/same.csv": "taken"}


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
    "a link that leaves the landing": (
        "panel/out.csv",
        lambda at: at.symlink_to(deliver(at.parents[2], {"secret.csv": CSV}) / "secret.csv"),
        None,
    ),
    "a link that climbs": (
        "panel/up.csv",
        lambda at: (deliver(at.parents[2], {"secret.csv": CSV}), at.symlink_to("../../secret.csv")),
        None,
    ),
    "a link to itself": ("panel/circle.csv", lambda at: at.symlink_to(at.name), None),
    "a link to its folder": ("panel/loop", lambda at: at.symlink_to(".."), None),
    "a source folder that is elsewhere": (
        "elsewhere",
        lambda at: at.symlink_to(at.parents[1]),
        None,
    ),
    "a sparse file": ("panel/b.csv", sparse, "found 8,796,093,022,208 bytes"),
    "a sparse text": ("policy_texts/b.txt", sparse, None),
    "a sparse file of no layout": ("unknown/b.bin", sparse, None),
    "a sparse roster": ("places/roster.csv", sparse, "8,796,093,022,208 bytes"),
    "a link to a device": ("panel/b.csv", lambda at: at.symlink_to("/dev/zero"), None),
    "a pipe": ("panel/b.csv", os.mkfifo, None),
    "a socket": ("panel/b.csv", socket_at, None),
    "a broken link": (
        "panel/b.csv",
        lambda at: at.symlink_to("gone.csv"),
        "expected a readable file; found a broken link",
    ),
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
