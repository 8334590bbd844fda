"""Source tidy: CSV and Parquet with one value per row."""

import io
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest

from tests.warehouse.ingest.delivered import csv_bytes, parquet_bytes
from warehouse.ingest.errors import FileFault
from warehouse.ingest.raw_files import build_raw
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


def as_parquet(rows: list[list[object]]) -> bytes:
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
    for data, name in ((csv_bytes(rows), "a.csv"), (as_parquet(rows), "a.parquet")):
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
    ],
)
def test_a_row_is_taken_or_rejected_with_its_reason(row, expected):
    (found,) = rows_of(csv_bytes([HEADER, row]))
    keys = ("place_code_text", "place_text", "year", "raw_text", "value", "reason")
    assert tuple(found[key] for key in keys) == expected


@pytest.mark.parametrize("blank", ["", " ", "NA", "NaN"])
def test_a_blank_value_is_no_row(blank):
    assert rows_of(csv_bytes([HEADER, ["110000", "2015", "a", blank]])) == []


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
        ("a.parquet", as_parquet([["city_id"], [1]]), "no year, indicator_id, value"),
        ("a.xlsx", b"PK\x03\x04", "a tidy file as CSV or Parquet; found a file of type xlsx"),
        ("a.json", b"city_id", "type .json"),
    ],
)
def test_a_file_that_cannot_be_read_as_tidy_is_refused(name, data, message):
    with pytest.raises(FileFault, match=message):
        rows_of(data, name)
