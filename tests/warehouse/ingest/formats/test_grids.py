"""Files to grids: formats told by name and content, what readers lose, and what a person sees of
number formats, raised letters, merged and hidden cells, in any spelling and in old workbooks.
"""

import datetime
import io
import re
import struct
import zipfile

import openpyxl
import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils import column_index_from_string
from openpyxl.utils.cell import coordinate_from_string

from tests.warehouse.ingest.bad_files import SHEET, STRINGS, archive
from tests.warehouse.ingest.delivered import (
    ROWS,
    csv_bytes,
    parquet_bytes,
    saved,
    stata_bytes,
    xlsx_bytes,
)
from tests.warehouse.ingest.formats.old_workbook import (
    error_cell,
    failed_formula,
    font_record,
    format_record,
    hundredths_cells,
    merged_record,
    number_cell,
    record,
    shared_text_cell,
    shared_texts,
    style_record,
    text_cell,
    write_xls,
)
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.formats.number_formats import shown_text
from warehouse.ingest.formats.protection import OLE_MAGIC, is_encrypted
from warehouse.ingest.formats.sheet_scan import scan_sheet

XLSX = xlsx_bytes(Sheet1=ROWS)


FRAME = pd.DataFrame(ROWS[1:], columns=["year", "province", "city", "code", "gdp"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xlsx", XLSX),
        ("a.XLSX", XLSX),
        *(
            ("a.csv", csv_bytes(ROWS, encoding))
            for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16")
        ),
        ("a.parquet", parquet_bytes(FRAME)),
        ("a.dta", stata_bytes(FRAME)),
    ],
)
def test_every_format_gives_the_same_cells(name, data):
    (grid,) = read_grids(data, name)
    assert name != "a.csv" or grid.rows[0] == ROWS[0]
    assert [[float(row[0]), row[2], float(row[3]), float(row[4])] for row in grid.rows[1:]] == [
        [float(row[0]), row[2], float(row[3]), float(row[4])] for row in ROWS[1:]
    ]


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


@pytest.mark.parametrize(
    ("code", "stored", "shown"),
    [
        ("0%", "0.125", "12.5%"),
        # its full precision
        ("0%", "0.12345678901234566", "12.345678901234566%"),
        ("0%", "1E-7", "0.00001%"),
        ("0.00%;[Red]-0.00%", "-0.07", "-7%"),
        ("#,##0.00", "1234.5", None),
        ('_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "1234.5", None),
        ("0.00_);(0.00)", "-5.5", None),
        ("[$¥-804]#,##0.00", "5", None),
        ('"¥"#,##0', "5", None),
        ('0.0"万元"', "12.345", "12.345万元"),
        ("0.0\\年", "2015", "2015年"),
        ('"约"0', "5", "约5"),
        ("#,##0,", "1234567", "1234567 (shown divided by 1000)"),
        ("0.0,,", "1234567", "1234567 (shown divided by 1000000)"),
        ("General", "5", None),
        ('General"①"', "5", "5①"),
        ('yyyy"年"m"月"', "42000", None),
        ('0"%"', "5", "5%"),
        ("0.0E+00", "5", None),
        ("@", "5", None),
    ],
)
def test_a_format_shows_a_number(code, stored, shown):
    assert shown_text(code, stored) == shown


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(
        ["a", 0.125, CellRichText("12.3", TextBlock(InlineFont(vertAlign="superscript"), "1)")), 7]
    )
    sheet.append(
        ["b", 0.25, CellRichText("CO", TextBlock(InlineFont(vertAlign="subscript"), "2")), 8]
    )
    sheet["B1"].number_format = "0.0%"
    return saved(book.save)


def respelt(data: bytes) -> bytes:
    """The same workbook with a prefix before every name of the sheet's XML, as some programs write
    it.
    """

    def prefixed(content: bytes) -> bytes:
        text = re.sub(r"<(/?)([A-Za-z])", r"<\1x:\2", content.decode())
        return text.replace("xmlns=", "xmlns:x=", 1).encode()

    return archive(data, {SHEET: prefixed})


def shared(data: bytes) -> bytes:
    """The same workbook with its rich texts in the table of shared texts, as Excel writes them."""
    inline = re.compile(rb' t="inlineStr"><is>(.*?)</is>')
    sheet = zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    texts = b"".join(b"<si>" + text + b"</si>" for text in inline.findall(sheet))
    numbers = iter(range(9))
    change = {
        SHEET: lambda content: inline.sub(lambda _: b' t="s"><v>%d</v>' % next(numbers), content)
    }
    name = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return archive(data, change, {STRINGS: b'<sst xmlns="' + name + b'">' + texts + b"</sst>"})


@pytest.mark.parametrize(
    "spelling", [lambda data: data, respelt, shared], ids=["plain", "prefixed", "shared"]
)
def test_cells_are_read_as_they_are_shown(spelling):
    (grid,) = read_grids(spelling(workbook()), "a.xlsx")
    assert grid.rows == [["a", "12.5%", "12.3¹⁾", 7.0], ["b", 0.25, "CO₂", 8.0]]


# the fonts of Excel are numbered 0 to 3 and from 5 on
FONTS = b"".join(map(font_record, (0, 0, 0, 0, 1, 2)))
RAISED, LOWERED = 5, 6
TEXTS = [
    [("地区", 0)],
    [("2284.6", 0), ("2", RAISED)],
    [("秦皇岛市", 0), ("1)", RAISED), ("(新区)", 0)],
    [("CO", 0), ("2", LOWERED)],
    [("12.5", 0), ("3", 1)],
]
STYLES = (
    format_record(170, '0.0"亿元"')
    + style_record(0)
    + style_record(10)
    + style_record(170)
    + style_record(14)
)


HIDDEN_ROW = record(0x0208, struct.pack("<HHHHHHHH", 1, 0, 2, 255, 0, 0, 0x20, 0))
OLD = {
    "error cells as their text": (
        [
            text_cell(0, 0, "城市"),
            number_cell(1, 1, 23014.59),
            error_cell(2, 1, 0x2A),
            failed_formula(3, 1, 0x07),
        ],
        b"",
        [["城市"], ["", 23014.59], ["", "#N/A"], ["", "#DIV/0!"]],
    ),
    "numbers as their format shows them": (
        [
            number_cell(0, 0, 0.125, 1),
            number_cell(0, 1, 0.125),
            number_cell(1, 0, -12.5, 2),
            hundredths_cells(2, 0, [25, 7], 1),
            number_cell(3, 0, 42369.0, 3),
        ],
        STYLES,
        [["12.5%", 0.125], ["-12.5亿元"], ["25%", "7%"], [datetime.date(2015, 12, 31)]],
    ),
    "raised letters as marks of notes": (
        [shared_text_cell(row, 0, row) for row in range(len(TEXTS))],
        FONTS + shared_texts(TEXTS, 40),
        [["地区"], ["2284.6²"], ["秦皇岛市¹⁾(新区)"], ["CO₂"], ["12.53"]],
    ),
    "hidden rows and merged cells": (
        [HIDDEN_ROW, text_cell(0, 0, "a"), number_cell(1, 0, 5.0), merged_record((0, 2, 1, 1))],
        b"",
        [["a"], [5.0], [""]],
    ),
}


@pytest.mark.parametrize(("cells", "before", "rows"), OLD.values(), ids=OLD)
def test_an_old_workbook_gives_what_a_person_sees(cells, before, rows) -> None:
    (grid,) = read_grids(write_xls("表一", cells, before), "old.xls")
    assert (grid.sheet_name, [*grid.rows]) == ("表一", rows)
    is_hidden = HIDDEN_ROW in cells
    assert (grid.hidden_rows, grid.merged) == (
        ({2}, (((0, 1), (2, 1)),)) if is_hidden else (set(), ())
    )


def test_a_shortage_of_memory_is_not_taken_for_damage(monkeypatch):
    def fails(stream):
        raise MemoryError

    monkeypatch.setattr("msoffcrypto.OfficeFile", fails)
    with pytest.raises(MemoryError):
        is_encrypted(OLE_MAGIC)
