"""A large file that is read some rows at a time gives the rows that it gives when it is read whole,
in memory that does not grow.
"""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.warehouse.ingest.delivered import HEADER, csv_bytes, layouts
from warehouse.ingest import raw_files
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats import parts
from warehouse.ingest.raw_parquet import read_counts
from warehouse.ingest.raw_table import FileOrigin

TIDY = [
    ["city_id", "year", "indicator_id", "value", "unit", "", "note"],
    *(
        [["110000", 2000 + n % 30, "x", n, "亿元", "", "a"] for n in range(40)]
        + [
            ["北京", "二〇", "x", "约5", "", "stray", ""],
            [],
            ["110000", 2015, "x", 1, "", "", "", "shifted"],
            ["110000", 2015, "x"],
            ["", "", "", ""],
        ]
    ),
]
PANEL = [
    ["表"],
    [],
    [*HEADER, "", "外资", "单位"],
    *(
        [[2000 + n % 30, "省", f"市{n}", 1000 + n, n, "", n, "万美元"] for n in range(40)]
        + [
            [2015, "省", "省合计", 1, 5, "", "", ""],
            [2015, "省", "市", 1, "x", "淘宝店", "", ""],
            [2015, "省", "市", 1, 7, "stray", "", "", 9],
            [],
            ["注：来源"],
        ]
        + [[2015, "省", "市", 1, 7, "again", "", ""]]
    ),
]


def raw(
    data: bytes, source: str, name: str, target: Path, monkeypatch, *, is_large: bool
) -> list[dict]:
    monkeypatch.setattr(parts, "PART_CELLS", 40 if is_large else 10**9)
    tables = layouts()["panel"].tables if source == "panel" else []
    delivered = target.with_name(name)
    delivered.write_bytes(data)
    answer = raw_files.write_raw(delivered, FileOrigin(source, 2018, name), tables, target)
    rows = pq.read_table(target, partitioning=None).to_pylist()
    counts: dict = {}
    for row in rows:
        counts[row["reason"]] = counts.get(row["reason"], 0) + 1
    assert answer == counts == read_counts(target)
    return sorted(
        rows,
        key=lambda row: (
            row["row_no"] or 0,
            row["col_no"] or 0,
            row["reason"] or "",
            row["detail"] or "",
        ),
    )


def as_parquet(rows: list[list]) -> bytes:
    width, stream = len(rows[0]), io.BytesIO()
    body = [
        [None if cell == "" else str(cell) for cell in (row + [""] * width)[:width]]
        for row in rows[1:]
    ]
    pq.write_table(
        pa.table({name or " ": [row[n] for row in body] for n, name in enumerate(rows[0])}),
        stream,
        row_group_size=7,
    )
    return stream.getvalue()


CASES = {
    "tidy csv": (csv_bytes(TIDY), "tidy", "a.csv"),
    "tidy csv, GB 18030": (csv_bytes(TIDY, "gb18030"), "tidy", "a.csv"),
    "tidy csv, UTF-16": (csv_bytes(TIDY, "utf-16"), "tidy", "a.csv"),
    "tidy csv, mac line ends": (csv_bytes(TIDY).replace(b"\r\n", b"\r"), "tidy", "a.csv"),
    "tidy parquet": (as_parquet(TIDY), "tidy", "a.parquet"),
    "csv through a layout": (csv_bytes(PANEL), "panel", "a.csv"),
    "parquet through a layout": (as_parquet(PANEL[2:]), "panel", "a.parquet"),
}


@pytest.mark.parametrize("name", CASES)
def test_in_parts_as_whole(tmp_path, monkeypatch, name):
    data, source, file_name = CASES[name]
    whole = raw(data, source, file_name, tmp_path / "whole.parquet", monkeypatch, is_large=False)
    in_parts = raw(data, source, file_name, tmp_path / "parts.parquet", monkeypatch, is_large=True)
    assert pq.ParquetFile(tmp_path / "parts.parquet").num_row_groups > 3
    assert in_parts == whole
    assert len({row["reason"] for row in whole}) >= 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (csv_bytes(TIDY)[:-4] + b"\n110000,20", "broken off"),
        (csv_bytes(TIDY) + b'"open\n', "broken quotation"),
        (csv_bytes(TIDY) + b"\xff\xff\n", r"do not fit at position \d+"),
        (csv_bytes([["a", "b"], [1, 2]]), "no city_id"),
    ],
)
def test_what_is_wrong_is_said_in_parts_as_well(tmp_path, monkeypatch, data, message):
    for is_large in (False, True):
        with pytest.raises(FileFault, match=message):
            raw(data, "tidy", "a.csv", tmp_path / "a.parquet", monkeypatch, is_large=is_large)
