"""Files to grids: formats told by name and content, and what readers lose."""

import re

import pandas as pd
import pytest
from openpyxl.utils import column_index_from_string
from openpyxl.utils.cell import coordinate_from_string

from tests.warehouse.ingest.bad_files import SHEET, archive
from tests.warehouse.ingest.delivered import ROWS, csv_bytes, parquet_bytes, stata_bytes, xlsx_bytes
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.formats.sheet_scan import scan_sheet

XLSX = xlsx_bytes(Sheet1=ROWS)


FRAME = pd.DataFrame(ROWS[1:], columns=["year", "province", "city", "code", "gdp"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xlsx", XLSX),
        ("a.XLSX", XLSX),
        ("a.csv", csv_bytes(ROWS)),
        ("a.parquet", parquet_bytes(FRAME)),
        ("a.dta", stata_bytes(FRAME)),
    ],
)
def test_every_format_gives_the_same_cells(name, data):
    (grid,) = read_grids(data, name)
    assert [[float(row[0]), row[2], float(row[3]), float(row[4])] for row in grid.rows[1:]] == [
        [float(row[0]), row[2], float(row[3]), float(row[4])] for row in ROWS[1:]
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_of_a_csv_are_told_apart(encoding):
    assert read_grids(csv_bytes(ROWS, encoding), "a.csv")[0].rows[0] == ROWS[0]


def sheet_of(*rows: bytes) -> bytes:
    return (
        b'<?xml version="1.0"?><worksheet><sheetData>'
        + b"".join(rows)
        + b"</sheetData></worksheet>"
    )


@pytest.mark.parametrize("far", [b"B7", b"AAC1", b"A123456", b"XFD1048576"])
@pytest.mark.parametrize(
    "spelling",
    [
        b'<c r="%s"/>',
        b"<c r='%s'/>",
        b'<c s="1" r="%s"/>',
        b'<x:c r="%s"/>',
        b'<c\n r = "%s"/>',
        b"<!-- -->" + b'<c r="%s"/>',
    ],
)
def test_the_farthest_address_counts_wherever_it_stands_and_however_it_is_spelt(far, spelling):
    near = b"".join(
        b'<row r="%d"><c r="A%d"><v>1</v></c><c r="B%d"><v>1</v></c></row>' % (row, row, row)
        for row in range(1, 5)
    )
    letters, row_no = coordinate_from_string(far.decode())
    expected = (max(4, row_no), max(2, column_index_from_string(letters)))
    row = b'<row r="4">' + spelling % far + b"</row>"
    for sheet in (sheet_of(row, near), sheet_of(near, row)):
        scan = scan_sheet(sheet, "S")
        assert (scan.last_row, scan.last_col) == expected
    empty = scan_sheet(sheet_of(), "S")
    assert (empty.last_row, empty.last_col) == (0, 0)


def test_what_a_reader_loses_or_should_not_see_is_found():
    scan = scan_sheet(
        sheet_of(
            b'<row r="1"><c r="A1" t="s"><v>3</v></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1"><f>'
            b"A1&lt;B1</f></c></row>",
            b'<row r="3" hidden="1"><c r="D3"><f>1+1</f><v>2</v></c><c r="E3" t="str"><f>A1</f></c>'
            b'<c r="F3" t="e"><f>1/0</f><v>#DIV/0!</v></c><c s="7"><v>0.125</v></c></row>',
        ),
        "S",
        {"7": "0.0%"},
        {3: "12²"},
    )
    assert scan.lost == {
        (1, 1): "12²",
        (1, 2): "#N/A",
        (1, 3): "=A1<B1",
        (3, 6): "#DIV/0!",
        (3, 7): "12.5%",
    }
    assert (scan.hidden, scan.last_col) == ({3}, 7)


def test_a_formula_with_its_result_is_that_result_wherever_the_table_begins():
    stored = archive(
        xlsx_bytes(S=[[], [None, "a"], [None, "=1+1"]]),
        {SHEET: lambda content: re.sub(rb"<v></v>|<v />|<v/>", b"<v>2</v>", content)},
    )
    (grid,) = read_grids(stored, "a.xlsx")
    assert [row[1] for row in grid.rows[1:]] == ["a", 2.0]
