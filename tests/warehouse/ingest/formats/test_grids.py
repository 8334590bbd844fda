"""Files to grids: formats told by name and content, what readers lose, and what must not be
opened.
"""

import io
import zipfile

import openpyxl
import pandas as pd
import pytest

from tests.warehouse.ingest.delivered import ROWS, csv_bytes, xlsx_bytes
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats import xlsx_guard
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.formats.sheet_scan import column_number, scan_sheet

XLSX = xlsx_bytes(Sheet1=ROWS)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def stata_bytes(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_stata(stream, write_index=False, version=118)
    return stream.getvalue()


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


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.xlsx", b"", "0 bytes"),
        ("a.xlsx", XLSX[: len(XLSX) // 2], "truncated or damaged"),
        ("a.xlsx", XLSX[:1000] + bytes(20) + XLSX[1020:], "truncated or damaged"),
        ("a.xlsx", csv_bytes(ROWS), "another format than its name says"),
        ("a.xlsx", OLE, "must be named .xls"),
        ("a.xls", XLSX, "another format than its name says"),
        ("a.xls", OLE, "truncated or damaged"),
        ("a.xls", b"<html><table></table></html>", "a web page"),
        ("a.csv", XLSX, "another format than its name says"),
        ("a.csv", b"%PDF-1.4", "a PDF document"),
        ("a.csv", b"a,b\x00,c\n", "binary data"),
        ("a.csv", "年份,城市\n2015,北京".encode("utf-32"), "UTF-32"),
        ("a.csv", b"a,b\n\xff\xff,1\n", "bytes that do not fit at position 4"),
        ("a.csv", b'a,b\n"2015,1\n', "broken quotation"),
        ("a.csv", b"a,b,c\n1,2,3\n4,5", "broken off"),
        ("a.dta", b"<stata_dta>rubbish", "truncated or damaged"),
        ("a.dta", csv_bytes(ROWS), "another format than its name says"),
        ("a.parquet", parquet_bytes(FRAME)[:-20], "truncated or damaged"),
        ("a.parquet", parquet_bytes(pd.DataFrame({"a": [[1, 2]]})), "nested columns a"),
        ("a.docx", XLSX, "type .docx"),
        ("a", XLSX, "without extension"),
    ],
)
def test_what_cannot_be_read_is_a_file_fault(name, data, message):
    with pytest.raises(FileFault, match=message):
        read_grids(data, name)


def rewritten(data: bytes, member: str, change) -> bytes:
    """A workbook with one member of its archive changed."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == member else content)
    return stream.getvalue()


def test_a_zip_bomb_is_refused_whatever_sizes_it_declares(monkeypatch):
    monkeypatch.setattr(xlsx_guard, "MAX_UNCOMPRESSED_BYTES", 1_000_000)
    bomb = rewritten(XLSX, "docProps/app.xml", lambda content: content + b" " * 2_000_000)
    assert len(bomb) < 20_000
    with pytest.raises(FileFault, match="at most 1,000,000 bytes when unpacked"):
        read_grids(bomb, "a.xlsx")


def test_entities_are_refused():
    evil = rewritten(
        XLSX, "xl/workbook.xml", lambda content: b'<!DOCTYPE a [<!ENTITY b "c">]>' + content
    )
    with pytest.raises(FileFault, match="document type declaration"):
        read_grids(evil, "a.xlsx")


def test_a_stray_cell_far_away_does_not_fill_the_memory():
    far = rewritten(
        XLSX,
        "xl/worksheets/sheet1.xml",
        lambda content: content.replace(b'r="E3"', b'r="XFD1048576"'),
    )
    with pytest.raises(FileFault, match=r"sheet 'Sheet1'.*1,048,576 rows by 16,384 columns"):
        read_grids(far, "a.xlsx")


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
    letters, digits = (
        far.decode().rstrip("0123456789"),
        far.decode().lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    )
    expected = (max(4, int(digits)), max(2, column_number(letters)))
    row = b'<row r="4">' + spelling % far + b"</row>"
    for sheet in (sheet_of(row, near), sheet_of(near, row)):
        scan = scan_sheet(sheet, "S", with_texts=False)
        assert (scan.last_row, scan.last_col) == expected
    empty = scan_sheet(sheet_of(), "S", with_texts=False)
    assert (empty.last_row, empty.last_col) == (0, 0)


def test_both_ways_to_look_at_a_sheet_find_the_same():
    rows = (
        (
            b'<row r="1"><c r="A1" t="s"><v>3</v></c><c r="B1" t="e"><v>#N/A</v></c><c '
            b'r="C1"><f>A1&lt;B1</f></c></row>'
        ),
        (
            b'<row r="3"><c r="D3"><f>1+1</f><v>2</v></c><c r="E3" t="str"><f>A1</f></c><c r="F3" '
            b't="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        ),
    )
    plain = scan_sheet(sheet_of(*rows), "S", with_texts=True)
    parsed = scan_sheet(sheet_of(b"<!-- other spelling -->", *rows), "S", with_texts=True)
    assert plain == parsed
    assert plain.lost == {(1, 2): "#N/A", (1, 3): "=A1<B1", (3, 6): "#DIV/0!"}
    assert plain.shared == {3: 1}


def test_too_many_columns_in_a_csv():
    with pytest.raises(FileFault, match="at most 5,000 columns"):
        read_grids(b"," * 6_000 + b"\n", "a.csv")


def test_error_cells_and_formulas_without_result_are_not_lost():
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["a", "b", "c"])
    sheet.append([1, "#DIV/0!", "=A2/0"])
    sheet["B2"].data_type = "e"
    sheet["E5"] = "#N/A"
    sheet["E5"].data_type = "e"
    stream = io.BytesIO()
    workbook.save(stream)
    (grid,) = read_grids(stream.getvalue(), "a.xlsx")
    assert grid.rows[1][:3] == [1.0, "#DIV/0!", "=A2/0"]
    assert grid.rows[4][4] == "#N/A"


def test_a_formula_with_its_result_is_that_result():
    stored = rewritten(
        xlsx_bytes(S=[["a"], ["=1+1"]]),
        "xl/worksheets/sheet1.xml",
        lambda content: content.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>"),
    )
    assert read_grids(stored, "a.xlsx")[0].rows[1] == [2.0]


def test_blank_rows_and_columns_before_the_table_keep_the_addresses():
    (grid,) = read_grids(xlsx_bytes(S=[[], [None, None, "x"]]), "a.xlsx")
    assert grid.rows[1][2] == "x"
