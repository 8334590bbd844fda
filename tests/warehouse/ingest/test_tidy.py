"""Source tidy: CSV and Parquet with one value per row; and a large file that is read some rows at a
time gives the rows that it gives when it is read whole, in memory that does not grow.
"""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.warehouse.ingest.delivered import HEADER as PANEL_HEADER
from tests.warehouse.ingest.delivered import csv_bytes, layouts, parquet_bytes
from warehouse.ingest import raw_files
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats import row_batches
from warehouse.ingest.raw_files import build_raw
from warehouse.ingest.raw_parquet import read_counts
from warehouse.ingest.raw_table import FileOrigin, in_sheet_order

ORIGIN = FileOrigin("tidy", None, "a.csv")
HEADER = ["city_id", "year", "indicator_id", "value"]
KEYS = (
    "cell_ref",
    "place_level",
    "place_code_text",
    "place_text",
    "year",
    "indicator_id",
    "unit_text",
    "raw_text",
    "value",
    "reason",
)


def parquet_of_tidy(rows: list[list[object]]) -> bytes:
    return parquet_bytes(pd.DataFrame(rows[1:], columns=rows[0]))


def rows_of(data: bytes, name: str = "a.csv", origin: FileOrigin = ORIGIN) -> list[dict]:
    parts = build_raw(io.BytesIO(data), replace(origin, file_name=name), [])
    return in_sheet_order(pa.concat_tables(parts)).to_pylist()


def test_csv_and_parquet_give_the_same_rows():
    rows = [
        HEADER,
        [110000, 2015, "gdp_real_cny_100m", 24779.1],
        [310000, 2019, "gdp_real_cny_100m", None],
        [440300, 2018, "x", 5.5],
    ]
    expected = [
        ("D2", None, "110000", None, 2015, "gdp_real_cny_100m", None, "24779.1", 24779.1, None),
        ("D4", None, "440300", None, 2018, "x", None, "5.5", 5.5, None),
    ]
    for data, name in ((csv_bytes(rows), "a.csv"), (parquet_of_tidy(rows), "a.parquet")):
        assert [tuple(row[key] for key in KEYS) for row in rows_of(data, name)] == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            ["110000", "2015", "a", "１，２３４．5"],
            ("110000", None, 2015, "１，２３４．5", 1234.5, None),
        ),
        (["110000.0", "2015.0", "a", "1"], ("110000", None, 2015, "1", 1.0, None)),
        (["北京市", "2015", "a", "1"], ("北京市", "北京市", 2015, "1", 1.0, None)),
        ([" Beijing", "2015", "a", "1"], ("Beijing", " Beijing", 2015, "1", 1.0, None)),
        (["", "2015", "a", "1"], (None, None, 2015, "1", 1.0, None)),
        (["110000", "2015", "a", "约1"], ("110000", None, 2015, "约1", None, "not_a_number")),
        (["110000", "15", "a", "1"], ("110000", None, None, "1", 1.0, "unknown_year")),
        (["110000", "", "a", "1"], ("110000", None, None, "1", 1.0, "unknown_year")),
        # a blank value is no row
        *((["110000", "2015", "a", blank], None) for blank in ("", " ", "NA", "NaN")),
    ],
)
def test_a_row_is_taken_or_rejected_with_its_reason(row, expected):
    found = rows_of(csv_bytes([HEADER, row]))
    keys = ("place_code_text", "place_text", "year", "raw_text", "value", "reason")
    wanted = [] if expected is None else [expected]
    assert [tuple(line[key] for key in keys) for line in found] == wanted


def test_the_rows_own_edition_takes_precedence_over_the_folders():
    rows = [
        [*HEADER, "edition_year", "unit"],
        [1, 2015, "a", 1, 2016, "万元"],
        [1, 2015, "a", 2, "", ""],
        [1, 2015, "a", 3, "later", ""],
    ]
    found = rows_of(csv_bytes(rows), origin=FileOrigin("tidy", 2020, "2020/a.csv"))
    assert [(row["edition_year"], row["unit_text"], row["reason"]) for row in found] == [
        (2016, "万元", None),
        (2020, None, None),
        (None, None, "unknown_year"),
    ]
    assert "expected an edition_year" in found[2]["detail"]


def test_a_further_column_and_a_record_too_long_have_a_line():
    found = rows_of(
        b"city_id,year,indicator_id,value,note\n1,2015,a,1,x\n1,2016,a,1,234,x\n1,2017,a\n"
    )
    assert [(row["cell_ref"], row["raw_text"], row["reason"]) for row in found] == [
        ("E1", "note", "unmapped_column"),
        ("D2", "1", None),
        ("A3", "1", "dropped_row"),
    ]
    assert "expected 5 cells as in the header, found 6" in found[2]["detail"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "a.csv",
            csv_bytes([["city_id", "year", "value"], [1, 2, 3]]),
            "no indicator_id .*holds: city_id, year, value",
        ),
        ("a.csv", csv_bytes([[*HEADER, "year"]]), "a duplicate header year"),
        ("a.csv", b"\xef\xbb\xbf", "expected a header with city_id"),
        ("a.parquet", parquet_of_tidy([["city_id"], [1]]), "no year, indicator_id, value"),
        ("a.xlsx", b"PK\x03\x04", "a tidy file as CSV or Parquet; found a file of type xlsx"),
        ("a.json", b"city_id", "type .json"),
    ],
)
def test_a_file_that_cannot_be_read_as_tidy_is_refused(name, data, message):
    with pytest.raises(FileFault, match=message):
        rows_of(data, name)


IN_TIDY = [
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
IN_PANEL = [
    ["表"],
    [],
    [*PANEL_HEADER, "", "外资", "单位"],
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
    monkeypatch.setattr(row_batches, "PART_CELLS", 40 if is_large else 10**9)
    tables = layouts()["panel"].tables if source == "panel" else []
    delivered = target.with_name(name)
    delivered.write_bytes(data)
    answer = raw_files.write_raw(delivered, FileOrigin(source, 2018, name), tables, target)
    rows = pq.read_table(target, partitioning=None).to_pylist()
    counts = Counter(row["reason"] for row in rows)
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
    "tidy csv": (csv_bytes(IN_TIDY), "tidy", "a.csv"),
    "tidy csv, GB 18030": (csv_bytes(IN_TIDY, "gb18030"), "tidy", "a.csv"),
    "tidy csv, UTF-16": (csv_bytes(IN_TIDY, "utf-16"), "tidy", "a.csv"),
    "tidy csv, mac line ends": (csv_bytes(IN_TIDY).replace(b"\r\n", b"\r"), "tidy", "a.csv"),
    "tidy parquet": (as_parquet(IN_TIDY), "tidy", "a.parquet"),
    "csv through a layout": (csv_bytes(IN_PANEL), "panel", "a.csv"),
    "parquet through a layout": (as_parquet(IN_PANEL[2:]), "panel", "a.parquet"),
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
        (csv_bytes(IN_TIDY)[:-4] + b"\n110000,20", "broken off"),
        (csv_bytes(IN_TIDY) + b'"open\n', "broken quotation"),
        (csv_bytes(IN_TIDY) + b"\xff\xff\n", r"do not fit at position \d+"),
        (csv_bytes([["a", "b"], [1, 2]]), "no city_id"),
    ],
)
def test_what_is_wrong_is_said_in_parts_as_well(tmp_path, monkeypatch, data, message):
    for is_large in (False, True):
        with pytest.raises(FileFault, match=message):
            raw(data, "tidy", "a.csv", tmp_path / "a.parquet", monkeypatch, is_large=is_large)
