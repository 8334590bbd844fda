"""A corpus of bad deliveries, made by code."""

import datetime
import gzip
import io
import zipfile
from collections.abc import Callable

import msoffcrypto.format.ooxml
import openpyxl
import pandas as pd

from tests.warehouse.ingest.delivered import (
    HEADER,
    ROWS,
    csv_bytes,
    parquet_bytes,
    saved,
    xlsx_bytes,
)

GOOD = ROWS[1]
XLSX, CSV = xlsx_bytes(S=ROWS), csv_bytes(ROWS)
SHEET, WORKBOOK, STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "'
    + b"x" * 1000
    + b'"><!ENTITY c "'
    + b"&b;" * 1000
    + b'"><!ENTITY d "'
    + b"&c;" * 1000
    + b'">]>'
)

Files = dict[str, bytes]
Outcome = str | tuple[int, dict[str, int]]


def archive(
    data: bytes,
    changes: dict[str, Callable[[bytes], bytes]] | None = None,
    extra: Files | None = None,
) -> bytes:
    """A workbook with members of its archive changed or added."""
    stream = io.BytesIO()
    assert set(changes or {}) <= set(zipfile.ZipFile(io.BytesIO(data)).namelist())
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            change = (changes or {}).get(info.filename)
            new.writestr(info.filename, change(old.read(info)) if change else old.read(info))
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return stream.getvalue()


def replaced(member: str, old: bytes, new: bytes) -> bytes:
    """The good workbook with one text of a member replaced."""

    def change(content: bytes) -> bytes:
        assert old in content, (member, old)
        return content.replace(old, new, 1)

    return archive(XLSX, {member: change})


def zipped(members: Files) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return stream.getvalue()


def encrypted(password: str) -> bytes:
    workbook = msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(XLSX))
    return saved(lambda stream: workbook.encrypt(password, stream))


def hidden(state: str) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(XLSX))
    workbook.copy_worksheet(workbook["S"]).sheet_state = state
    return saved(workbook.save)


def errors() -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(XLSX))
    for row_no, text in enumerate(("#DIV/0!", "#N/A", "#REF!"), start=4):
        workbook["S"].append([2017, "省", "市", 1, None])
        workbook["S"].cell(row_no, 5, text).data_type = "e"
    return saved(workbook.save)


def value(cell: object) -> Files:
    """A good row and one with this value."""
    return {"panel/a.xlsx": xlsx_bytes(S=[HEADER, GOOD, [2016, "省", "市", 1, cell]])}


def text_value(cell: str) -> Files:
    return {"panel/a.csv": csv_bytes([HEADER, GOOD, [2016, "省", "市", 1, cell]])}


def year(cell: object) -> Files:
    return {"panel/a.xlsx": xlsx_bytes(S=[HEADER, GOOD, [cell, "省", "市", 1, 5.0]])}


def across(*rows: list[object], unit: str = "单位：万元") -> Files:
    return {"sheets/a.xlsx": xlsx_bytes(贷款=[[unit], *rows])}


ONE, TWO, NOT_A_NUMBER, BAD_YEAR = (
    (1, {}),
    (2, {}),
    (1, {"not_a_number": 1}),
    (1, {"unknown_year": 1}),
)
GAP = (1, {})
SKIPPED = (2, {"dropped_row": 1})
YEARS = ["地区", "2016年", "2015年"]

#: Name of a case to its files (paths below the landing) and what comes of it: a pattern for the
#: fault, or values and rejected lines.
CASES: dict[str, tuple[Files | Callable[[], Files], Outcome]] = {
    # containers
    "empty file": ({"panel/a.xlsx": b""}, "an empty file of 0 bytes"),
    "xlsx cut in half": ({"panel/a.xlsx": XLSX[: len(XLSX) // 2]}, "truncated or damaged"),
    "xlsx without its last bytes": ({"panel/a.xlsx": XLSX[:-30]}, "truncated or damaged"),
    "xlsx with a hole": (
        {"panel/a.xlsx": XLSX[:1000] + bytes(20) + XLSX[1020:]},
        "truncated or damaged",
    ),
    "csv named xlsx": ({"panel/a.xlsx": CSV}, "another format than its name says"),
    "xlsx named csv": ({"panel/a.csv": XLSX}, "another format than its name says"),
    "pdf named csv": ({"panel/a.csv": b"%PDF-1.7\n"}, "a PDF document"),
    "gzip named csv": ({"panel/a.csv": gzip.compress(CSV, mtime=0)}, "a gzip archive"),
    "web page named xlsx": ({"panel/a.xlsx": b"<html><table></table></html>"}, "a web page"),
    "archive without a workbook": (
        {"panel/a.xlsx": zipped({"word/document.xml": b"<a/>"})},
        "without xl/workbook.xml",
    ),
    "archive in an archive": (
        {"panel/a.xlsx": zipped({"a.xlsx": XLSX})},
        "without xl/workbook.xml",
    ),
    "old workbook named xlsx": (
        {"panel/a.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)},
        "must be named .xls",
    ),
    "password of its own": ({"panel/a.xlsx": encrypted("secret")}, "password of its own"),
    "write protection": ({"panel/a.xlsx": encrypted("VelvetSweatshop")}, TWO),
    "encrypted and truncated": (
        {"panel/a.xlsx": encrypted("VelvetSweatshop")[:-3000]},
        "or a damaged one|truncated or damaged",
    ),
    "zip bomb": (
        # made where it is asked for: it is 600 MB before it is packed
        lambda: {"panel/a.xlsx": archive(XLSX, extra={"xl/media/a.xml": bytes(600_000_000)})},
        "at most 536,870,912 bytes when unpacked",
    ),
    "entity bomb in the workbook": (
        {"panel/a.xlsx": replaced(WORKBOOK, b"<workbook", BOMB + b"<workbook")},
        "document type declaration",
    ),
    "entity bomb in a sheet": (
        {"panel/a.xlsx": replaced(SHEET, b"<worksheet", BOMB + b"<worksheet")},
        "document type declaration",
    ),
    "entity bomb in the texts": (
        {"panel/a.xlsx": archive(XLSX, extra={STRINGS: BOMB + b"<sst/>"})},
        "document type declaration",
    ),
    "entity of a local file": (
        {
            "panel/a.xlsx": archive(
                XLSX,
                extra={STRINGS: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><sst/>'},
            )
        },
        "document type declaration",
    ),
    "macros inside": ({"panel/a.xlsx": archive(XLSX, extra={"xl/vbaProject.bin": b"\x01"})}, TWO),
    "macro workbook": ({"panel/a.xlsx": XLSX, "panel/b.xlsm": XLSX}, SKIPPED),
    "workbook without its sheet": (
        {"panel/a.xlsx": replaced(WORKBOOK, b"<sheets>", b"<sheets><!--")},
        "expected",
    ),
    "stray cell far away": (
        {"panel/a.xlsx": replaced(SHEET, b'r="E3"', b'r="XFD1048576"')},
        "stray cells far outside",
    ),
    "cell beyond the last column": (
        {"panel/a.xlsx": replaced(SHEET, b'r="E3"', b'r="BDWGO1"')},
        "stray cells far outside",
    ),
    "new workbook named xls": ({"panel/a.xls": XLSX}, "another format than its name says"),
    "stata rubbish": ({"panel/a.dta": b"<stata_dta>rubbish"}, "truncated or damaged"),
    "csv named dta": ({"panel/a.dta": CSV}, "another format than its name says"),
    "parquet cut": (
        {"panel/a.parquet": parquet_bytes(pd.DataFrame({"年份": [2015]}))[:-9]},
        "truncated or damaged",
    ),
    "parquet with lists": (
        {"panel/a.parquet": parquet_bytes(pd.DataFrame({"年份": [[2015]]}))},
        "nested columns",
    ),
    # text files
    "a million columns": ({"panel/a.csv": b"," * 1_000_000 + b"\n"}, "at most 5,000 columns"),
    "a field of two megabytes": (
        {"panel/a.csv": CSV + b"2017,x,x,1," + b"9" * (1 << 21) + b"\n"},
        "broken quotation or field",
    ),
    "open quotation mark": ({"panel/a.csv": CSV + b'2017,"x,x,1,5\n'}, "broken quotation"),
    "last record broken off": ({"panel/a.csv": CSV + b"2017,x"}, "broken off"),
    "utf-32": (
        {"panel/a.csv": CSV.decode("utf-8-sig").encode("utf-32")},
        "found UTF-32",
    ),
    "utf-16": ({"panel/a.csv": CSV.decode("utf-8-sig").encode("utf-16")}, TWO),
    "mixed encodings": (
        {"panel/a.csv": CSV + "2017,甲省,乙市,1,5\n".encode("gb18030")},
        "bytes that do not fit",
    ),
    "latin-1 damage": (
        {"panel/a.csv": CSV.decode("utf-8-sig").encode("utf-8").decode("latin-1").encode()},
        "a header row with",
    ),
    "nul character": ({"panel/a.csv": CSV + b"\x00"}, "binary data"),
    "mac line ends": ({"panel/a.csv": CSV.replace(b"\r\n", b"\r")}, TWO),
    "separator inside a field": (
        {"panel/a.csv": CSV + b"2017,a,b,1,5,6\n"},
        (2, {"dropped_row": 1}),
    ),
    "blanks behind a record": ({"panel/a.csv": CSV + b"2017,a,b,1,5,,\n"}, (3, {})),
    "semicolons": ({"panel/a.csv": CSV.replace(b",", b";")}, "a header row with"),
    # headers
    "header only": ({"panel/a.xlsx": xlsx_bytes(S=[HEADER])}, "none of them with a value"),
    "no header": ({"panel/a.xlsx": xlsx_bytes(S=ROWS[1:])}, "a header row with"),
    "blank sheet": ({"panel/a.xlsx": xlsx_bytes(S=[[]])}, "filled sheet"),
    "column missing": (
        {"panel/a.xlsx": xlsx_bytes(S=[row[:4] for row in ROWS])},
        "a column 地区生产总值",
    ),
    "column twice": (
        {"panel/a.xlsx": xlsx_bytes(S=[[*row, row[4]] for row in ROWS])},
        "a duplicate header at E1, F1",
    ),
    "headers swapped": ({"panel/a.xlsx": xlsx_bytes(S=[row[::-1] for row in ROWS])}, TWO),
    "header moved down": ({"panel/a.xlsx": xlsx_bytes(S=[["表"], [], [], *ROWS])}, TWO),
    "header too far down": (
        {"panel/a.xlsx": xlsx_bytes(S=[*[["表"]] * 31, *ROWS])},
        "among the first 30 rows",
    ),
    "header with line breaks": (
        {
            "panel/a.xlsx": xlsx_bytes(
                S=[[f" {text[:1]}\n{text[1:]}\u3000" for text in HEADER], GOOD]
            )
        },
        ONE,
    ),
    "unit missing in the header": (
        {"panel/a.xlsx": xlsx_bytes(S=[[*HEADER[:4], "地区生产总值"], GOOD])},
        "a column 地区生产总值",
    ),
    "unit row missing": (across(YEARS, ["甲", 1, 2], unit="表"), "a unit"),
    "year twice across": (across(["地区", "2016年", "2016"], ["甲", 1, 2]), "the year 2016 once"),
    "no year across": (across(["地区", "今年", "去年"], ["甲", 1, 2]), "columns headed by years"),
    "needed sheet missing": (
        {"sheets/a.xlsx": xlsx_bytes(存款=[["单位：万元"], YEARS, ["甲", 1, 2]])},
        "filled sheets 贷款",
    ),
    "needed sheet blank": (
        {"sheets/a.xlsx": xlsx_bytes(贷款=[[]], 存款=[YEARS, ["甲", 1, 2]])},
        "filled sheets 贷款",
    ),
    "hidden sheet": ({"panel/a.xlsx": hidden("hidden")}, (2, {"hidden": 1})),
    "very hidden sheet": ({"panel/a.xlsx": hidden("veryHidden")}, (2, {"hidden": 1})),
    "unknown column": (
        {"panel/a.xlsx": xlsx_bytes(S=[[*HEADER, "星星"], [*GOOD, 1]])},
        (1, {"unmapped_column": 2}),
    ),
    "column without header": (
        {"panel/a.xlsx": xlsx_bytes(S=[HEADER, [*GOOD, 1]])},
        (1, {"unmapped_column": 2}),
    ),
    # cells
    "error cells": ({"panel/a.xlsx": errors()}, (2, {"not_a_number": 3})),
    "formula without result": (value("=A2/0"), NOT_A_NUMBER),
    "true for a number": (value(True), NOT_A_NUMBER),
    "date for a number": (value(datetime.date(2015, 1, 1)), NOT_A_NUMBER),
    "words for a number": (text_value("约5"), NOT_A_NUMBER),
    "another unit in the cell": (text_value("5亿元"), NOT_A_NUMBER),
    "per cent in the cell": (text_value("5%"), NOT_A_NUMBER),
    "decimal comma": (text_value("5,97"), NOT_A_NUMBER),
    "two decimal points": (text_value("0.0.20"), NOT_A_NUMBER),
    "letter for a digit": (text_value("1.O8"), NOT_A_NUMBER),
    "two numbers in a cell": (text_value("0.81\n0.14"), NOT_A_NUMBER),
    "brackets for a minus": (text_value("(5)"), NOT_A_NUMBER),
    "infinity": (text_value("inf"), NOT_A_NUMBER),
    "beyond any number": (text_value("1e999"), NOT_A_NUMBER),
    "underscore": (text_value("1_000"), NOT_A_NUMBER),
    "hexadecimal": (text_value("0x1F"), NOT_A_NUMBER),
    "full-width digits": (text_value("１２３．５"), TWO),
    "thousands separators": (text_value("1,234,567.8"), TWO),
    "full-width separators": (text_value("１，２３４"), TWO),
    "true minus sign": (text_value("−5.79"), TWO),
    "no-break spaces": (text_value("\u00a05.5\u00a0"), TWO),
    "dash for missing": (text_value("——"), GAP),
    "dots for missing": (text_value("……"), GAP),
    "date for a year": (year(datetime.date(2016, 12, 31)), BAD_YEAR),
    "year of two digits": (year(16), BAD_YEAR),
    "year with a half": (year(2016.5), BAD_YEAR),
    "year far ahead": (year(2999), BAD_YEAR),
    "year in words": (year("二〇一六"), BAD_YEAR),
    "year blank": (year(None), BAD_YEAR),
    "range of years": (year("2015-2016"), BAD_YEAR),
    "year as text": (year("2016年"), TWO),
    "full-width year": (year("２０１６"), TWO),
    "subtotal row": (
        {"panel/a.xlsx": xlsx_bytes(S=[HEADER, GOOD, [2016, "省", "省合计", 1, 5.0]])},
        (1, {"dropped_row": 1}),
    ),
    "note under the table": (
        {"panel/a.xlsx": xlsx_bytes(S=[HEADER, GOOD, ["注：数据来源"]])},
        (1, {"dropped_row": 1}),
    ),
    "advertisement beside": (
        {"panel/a.xlsx": xlsx_bytes(S=[HEADER, [*GOOD, None, "淘宝店"]])},
        (1, {"dropped_row": 1}),
    ),
    # names; what is skipped has a line of its own
    "dots in the name": ({"panel/..a....csv": CSV, "panel/b.csv": CSV}, SKIPPED),
    "lock file": ({"panel/a.csv": CSV, "panel/~$a.xlsx": b"x"}, SKIPPED),
    "hidden file": ({"panel/a.csv": CSV, "panel/.a.csv": b"x"}, SKIPPED),
    "archive litter": ({"panel/a.csv": CSV, "panel/__MACOSX/._a.csv": b"x"}, SKIPPED),
    "folder named as a file": ({"panel/a.xlsx/b.csv": CSV}, TWO),
    "unknown type": ({"panel/a.csv": CSV, "panel/a.docx": b"x"}, SKIPPED),
    "file outside any source": ({"panel/a.csv": CSV, "b.csv": CSV}, SKIPPED),
    "source without a layout": ({"panel/a.csv": CSV, "..hidden source/b.csv": CSV}, SKIPPED),
}
