"""Files to grids: formats told by name and content, what readers lose, and what must not be opened."""

import io
import zipfile

import openpyxl
import pandas as pd
import pytest

from tests.warehouse.ingest.delivered import ROWS, csv_bytes, xlsx_bytes
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats import xlsx_guard
from warehouse.ingest.formats.grids import read_grids

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
    [("a.xlsx", XLSX), ("a.XLSX", XLSX), ("a.csv", csv_bytes(ROWS)), ("a.parquet", parquet_bytes(FRAME)), ("a.dta", stata_bytes(FRAME))],
)
def test_every_format_gives_the_same_cells(name, data):
    (grid,) = read_grids(data, name)
    assert [[float(row[0]), row[2], float(row[3]), float(row[4])] for row in grid.rows[1:]] == [
        [float(row[0]), row[2], float(row[3]), float(row[4])] for row in ROWS[1:]
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
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
        ("a.csv", "年份,城市\n2015,北京".encode("utf-16"), "UTF-16"),
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
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
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
    evil = rewritten(XLSX, "xl/workbook.xml", lambda content: b'<!DOCTYPE a [<!ENTITY b "c">]>' + content)
    with pytest.raises(FileFault, match="document type declaration"):
        read_grids(evil, "a.xlsx")


def test_a_stray_cell_far_away_does_not_fill_the_memory():
    far = rewritten(XLSX, "xl/worksheets/sheet1.xml", lambda content: content.replace(b'r="E3"', b'r="XFD1048576"'))
    with pytest.raises(FileFault, match=r"sheet 'Sheet1'.*1,048,576 rows by 16,384 columns"):
        read_grids(far, "a.xlsx")


@pytest.mark.parametrize("ending", [b"", b'"', b"/></row></sheetData></worksheet>", b" " * 100])
@pytest.mark.parametrize("far", [b"B7", b"AAC1", b"A123456", b"XFD1048576"])
def test_the_farthest_address_counts_wherever_it_stands(far, ending):
    near = b"".join(b'<c r="%s%d"><v>1</v></c>' % (letters, row) for row in range(1, 5) for letters in (b"A", b"B"))
    column, row = xlsx_guard._ADDRESS.match(b'r="%s"' % far).groups()
    expected = (max(4, int(row)), max(2, xlsx_guard._column_number(column)))
    for sheet in (b'<c r="%s"/>' % far + near + ending, near + b'<c r="%s"' % far + ending):
        assert xlsx_guard._last_cell(sheet) == expected
    assert xlsx_guard._last_cell(ending) == (0, 0)


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
