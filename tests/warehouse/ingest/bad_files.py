"""A corpus of bad deliveries, made by code."""

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
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
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


ONE, TWO, SKIPPED = (1, {}), (2, {}), (2, {"dropped_row": 1})

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
    "blank sheet": ({"panel/a.xlsx": xlsx_bytes(S=[[]])}, "filled sheet"),
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
    "hidden sheet": ({"panel/a.xlsx": hidden("hidden")}, (2, {"hidden": 1})),
    "very hidden sheet": ({"panel/a.xlsx": hidden("veryHidden")}, (2, {"hidden": 1})),
    # cells
    "error cells": ({"panel/a.xlsx": errors()}, (2, {"not_a_number": 3})),
    # names; what is skipped has a line of its own
    "folder named as a file": ({"panel/a.xlsx/b.csv": CSV}, TWO),
}
