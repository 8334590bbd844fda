"""Deliveries as an attacker, a broken program or a broken disk makes them: far cells, entities,
archives that lie, texts that swell or are quadratic to read, numbers where none belong.

A case is a function that makes the files by their path below a landing, and what comes of them: a
pattern in the fault, the number of values, or `ANY` (a fault that says what to do, or a table).
"""

import datetime
import decimal
import io
import struct
import zipfile
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.warehouse.ingest.bad_files import (
    BOMB,
    CSV,
    SHEET,
    STRINGS,
    WORKBOOK,
    XLSX,
    archive,
    replaced,
    zipped,
)
from tests.warehouse.ingest.delivered import ROWS, saved, stata_bytes
from tests.warehouse.ingest.formats.old_workbook import number_cell, record, text_cell, write_xls

Files = dict[str, bytes]
Case = tuple[Callable[[], Files], str | int]
ANY, LOST, STRAY, DAMAGED = "", "expected", "stray cells far outside", "truncated or damaged"
RELS, STYLES = "xl/_rels/workbook.xml.rels", "xl/styles.xml"
MEGABYTE = 1_000_000
DIGITS = b"9" * 5_000
ENDLESS = b"&#" + DIGITS + b";"


# workbooks


def book(data: bytes) -> Files:
    return {"panel/a.xlsx": data}


def members() -> Files:
    """Content of the good workbook by member."""
    with zipfile.ZipFile(io.BytesIO(XLSX)) as old:
        return {info.filename: old.read(info) for info in old.infolist()}


def with_rows(rows: bytes, extra: Files | None = None) -> Files:
    """The good workbook with another sheet, and other members changed or added."""
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    sheet = head + b"<sheetData>" + rows + b"</sheetData></worksheet>"
    return book(zipped(members() | {SHEET: sheet} | (extra or {})))


def with_text(length: int, cells: int) -> Files:
    """One shared text of this length that many cells name."""
    row = b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>'
    name = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = b'<sst xmlns="' + name + b'"><si><t>' + b"x" * length + b"</t></si></sst>"
    rows = b"".join(row % (n, n) for n in range(1, cells + 1))
    return with_rows(rows, extra={STRINGS: text})


def many_sheets(count: int) -> Files:
    """Many sheets of 5,000 rows that all lie in one member."""
    row = b'<row r="%d"><c r="A%d"><v>1</v></c></row>'
    head, entry, tail = (
        (text := members()[WORKBOOK])[: (a := text.index(b"<sheets>") + 8)],
        text[a : (b := text.index(b"</sheets>"))],
        text[b:],
    )
    entries = b"".join(
        entry.replace(b'name="S"', b'name="S%d"' % n).replace(b'Id="1"', b'Id="%d"' % (n + 1))
        for n in range(count)
    )
    rows = b"".join(row % (n, n) for n in range(1, 5001))
    return with_rows(rows, extra={WORKBOOK: head + entries + tail})


def entity(member: str, encoding: str) -> Files:
    """A member of the good workbook with an entity bomb, in another encoding."""
    body = members().get(member, b"<sst/>").decode().rpartition("?>")[2]
    head = f'<?xml version="1.0" encoding="{encoding.upper()}"?>' + BOMB.decode()
    return book(zipped(members() | {member: (head + body).encode(encoding, "replace")}))


def moved(name: str, target: str) -> Files:
    """The sheet with a far cell under another member name."""
    parts = members()
    content = parts.pop(SHEET).replace(b'r="E3"', b"r='XFD1048576'")
    parts[RELS] = parts[RELS].replace(b"/xl/worksheets/sheet1.xml", target.encode())
    return book(zipped({name: content} | parts))


FAR = {
    "apostrophes": (b'r="E3"', b"r='XFD1048576'", STRAY),
    "blanks and lines": (b'r="E3"', b'\n r\n=\n\t"XFD1048576"\n', STRAY),
    "mixed case": (b'r="E3"', b"r='xFd1048576'", STRAY),
    "other attributes first": (b'<c r="E3"', b'<c s="0" cm="1" r="XFD1048576"', STRAY),
    "by numbers of signs": (b'r="E3"', b'r="&#x58;&#70;D1048576"', STRAY),
    "behind a comment": (b'<c r="E3"', b"<!-- > --><c r='XFD1048576'/><c r=\"E3\"", STRAY),
    "in a comment": (b'<c r="E3"', b'<!--<c r="XFD1048576"/>--><c r="E3"', 2),
    "in character data": (b'<c r="E3"', b'<![CDATA[<c r="XFD1048576"/>]]><c r="E3"', 2),
    "a huge number": (b'r="E3"', b'r="A99999999999999999999"', LOST),
    "many letters": (b'r="E3"', b'r="ZZZZZZZZZZZZ1"', LOST),
    "no number": (b'r="E3"', b'r="XFD"', ANY),
    "row zero": (b'r="E3"', b'r="A0"', ANY),
    "two addresses": (b'r="E3"', b'r="E3" r="XFD1048576"', ANY),
    "a row beyond any": (b'<row r="3"', b'<row r="4294967295"', ANY),
    "a negative row": (b'<row r="3"', b'<row r="-1"', ANY),
    "a dimension that lies": (
        b"<sheetData>",
        b'<dimension ref="A1:XFD1048576"/><sheetData>',
        2,
    ),
    "merged cells everywhere": (
        b"</sheetData>",
        b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        ANY,
    ),
    "a text that is not there": (b'<c r="E3"', b'<c r="E3" t="s"><v>9999</v></c><c r="F3"', ANY),
    "a date beyond any": (
        b'<c r="E3"',
        b'<c r="E3" t="d"><v>999999999-99-99</v></c><c r="F3"',
        ANY,
    ),
    "an attribute of 20 MB": (b'<c r="E3"', b'<c r="E3" a="' + b"x" * 20 * MEGABYTE + b'"', ANY),
    "a tag that never ends": (b'<c r="E3"', b"<c " + b"a" * 5 * MEGABYTE, LOST),
    "a comment that never ends": (b"<sheetData>", b"<!--" * MEGABYTE + b"<sheetData>", LOST),
    "signs < without end": (b"<sheetData>", b"<" * 5 * MEGABYTE, LOST),
    "deep cells": (b"<sheetData>", b"<sheetData><row>" + b"<c>" * 300_000, LOST),
    "bytes that are no UTF-8": (b"<sheetData>", b"\xff\xfe\xfd<sheetData>", ANY),
    "zero bytes": (b"<sheetData>", bytes(1000) + b"<sheetData>", ANY),
}
ENDLESS_AT = {
    "an address": b'<row r="1"><c r="%s"><v>1</v></c></row>',
    "a row": b'<row r="%s"><c r="A1"><v>1</v></c></row>',
    "a type": b'<row r="1"><c r="A1" t="%s"><v>1</v></c></row>',
    "a value": b'<row r="1"><c r="A1"><v>%s</v></c></row>',
    "a formula": b'<row r="1"><c r="A1"><f>%s</f></c></row>',
    "a shared text": b'<row r="1"><c r="A1" t="s"><v>%s</v></c></row>',
    "a style": b'<row r="1"><c r="A1" s="%s"><v>1</v></c></row>',
}
WORKBOOKS: dict[str, Case] = {
    **{
        f"sheet: {name}": (lambda old=old, new=new: book(replaced(SHEET, old, new)), expected)
        for name, (old, new, expected) in FAR.items()
    },
    "far row, cells without address": (
        lambda: with_rows(b"<row r='1048576'>" + b"<c><v>1</v></c>" * 100 + b"</row>"),
        STRAY,
    ),
    "a million cells without address": (
        lambda: with_rows(b"<row>" + b"<c><v>1</v></c>" * MEGABYTE + b"</row>"),
        STRAY,
    ),
    **{
        f"sheet moved to {name}": (lambda name=name, target=target: moved(name, target), LOST)
        for name, target in {
            "xl/worksheets/sheet1.bin2": "/xl/worksheets/sheet1.bin2",
            "XL/WORKSHEETS/SHEET1.XML": "/xl/worksheets/sheet1.xml",
            "xl/worksheets/sheet1.xml": "../xl/./worksheets/sheet1.xml",
            "../../sheet1.xml": "../../../sheet1.xml",
        }.items()
    },
    **{
        f"{what} for {where}": (lambda row=row, digits=digits: with_rows(row % digits), LOST)
        for where, row in ENDLESS_AT.items()
        for what, digits in (("an endless reference", ENDLESS), ("5,000 digits", DIGITS))
    },
    "one shared text of 20 MB, 40,000 times": (
        lambda: with_text(20 * MEGABYTE, 40_000),
        LOST,
    ),
    "one shared text of 40 kB, 40,000 times": (lambda: with_text(40_000, 40_000), LOST),
    "one sheet under 2,000 names": (lambda: many_sheets(2_000), ANY),
    "a million formulas": (lambda: with_rows(b"<row><c><f>A1</f></c></row>" * MEGABYTE), ANY),
    "a million styles": (
        lambda: with_rows(
            b"",
            extra={
                STYLES: b"<styleSheet><cellXfs>"
                + b'<xf numFmtId="1"/>' * MEGABYTE
                + b"</cellXfs></styleSheet>"
            },
        ),
        LOST,
    ),
    **{
        f"entities in {member}, {encoding}": (
            lambda member=member, encoding=encoding: entity(member, encoding),
            LOST,
        )
        for member in (SHEET, STRINGS, WORKBOOK, RELS)
        for encoding in ("utf-8", "utf-16", "utf-32", "utf-7")
    },
    "tens of thousands of members": (
        lambda: book(archive(XLSX, extra={f"xl/media/{n}": b"" for n in range(40_000)})),
        ANY,
    ),
    "names that climb": (
        lambda: book(archive(XLSX, extra={"../../../../etc/cron.d/x": b"x", "/etc/x": b"x"})),
        2,
    ),
    "no directory": (lambda: book(XLSX[: XLSX.rindex(b"PK\x05\x06")]), DAMAGED),
}

# old workbooks, Parquet, Stata, text


def xls(*more: bytes, first: bytes = b"") -> Files:
    """An old workbook of the good rows and other records."""
    good = [
        number_cell(row, col, cell) if isinstance(cell, int | float) else text_cell(row, col, cell)
        for row, cells in enumerate(ROWS)
        for col, cell in enumerate(cells)
    ]
    return {"panel/a.xls": write_xls("S", [first, *good, *more])}


def far_record(kind: int, tail: bytes) -> Files:
    return xls(record(kind, struct.pack("<HH", 65_535, 65_535) + tail))


def patched(files: Files, place: int, value: bytes) -> Files:
    """Files with other bytes at a place."""
    return {name: d[:place] + value + d[place + len(value) :] for name, d in files.items()}


def parquet(table: pa.Table, **options: object) -> Files:
    return {"tidy/a.parquet": saved(lambda stream: pq.write_table(table, stream, **options))}


TIDY = {"city_id": "110000", "year": 2015, "indicator_id": "gdp_real_cny_100m", "value": 1.5}


def repeated(n: int, length: int) -> Files:
    """One long text as the unit of many rows: kilobytes on the disk."""
    columns = {name: pa.repeat(pa.scalar(value), n) for name, value in TIDY.items()}
    unit = pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), pa.array(["x" * length]))
    return parquet(pa.table(columns | {"unit": unit}), compression="zstd", row_group_size=100_000)


def stata() -> Files:
    frame = pd.DataFrame({"year": [2015, 2016], "place": ["甲", "乙"], "value": [1.0, 2.0]})
    return {"panel/a.dta": stata_bytes(frame)}


DTA = stata()["panel/a.dta"]


def tidy_csv(body: bytes) -> Files:
    return {"tidy/a.csv": ",".join(TIDY).encode() + b"\n" + body}


# one value in each column of a tidy file that is none of what the column holds
WORDS = {
    "5,000 digits": DIGITS.decode(),
    "a number beyond any": "1e9999999999",
    "infinity": "inf",
    "no number": "nan",
    "digits of another script": "٢٠١٥",
    "a superscript": "²",
    "a hexadecimal number": "0x10",
    "a negative number": "-2015",
    "backwards": "\u202e5102",
    "half a sign": "\ud800",
    "a quotation": '"a""b"',
    "a formula": "=1+1",
    "100,000 signs": "x" * 100_000,
}
ARRAYS: dict[str, Callable[[], pa.Array]] = {
    "bytes": lambda: pa.array([b"\xff\x00"]),
    "a structure": lambda: pa.array([{"a": 1}]),
    "a list": lambda: pa.array([[1, 2]]),
    "a decimal number of 60 digits": lambda: pa.array(
        [decimal.Decimal("9" * 60)], pa.decimal256(76, 0)
    ),
    "a date": lambda: pa.array([datetime.date(2015, 1, 1)]),
    "a moment of no place": lambda: pa.array([0], pa.timestamp("us", "Asia/Nowhere")),
    "a duration": lambda: pa.array([5], pa.duration("s")),
    "true": lambda: pa.array([True]),
    "nothing": lambda: pa.array([None], pa.null()),
    "half a number": lambda: pa.array([1.5], pa.float32()).cast(pa.float16()),
    "a view of a text": lambda: pa.array(["110000"], pa.string_view()),
    "the largest whole number": lambda: pa.array([2**64 - 1], pa.uint64()),
    "infinity": lambda: pa.array([float("inf")]),
}
FAR_DOWN = b"110000,2015,%s,1\n" % (b"x" * 1_000) * 9_000
TABLES: dict[str, Case] = WORKBOOKS | {
    **{
        f"far cell of record {kind:#06x}": (
            lambda kind=kind, tail=tail: far_record(kind, tail),
            rf"{DAMAGED} one \(\S",
        )
        for kind, tail in {
            0x0203: struct.pack("<Hd", 0, 1.0),
            0x0204: struct.pack("<HHB", 0, 1, 0) + b"x",
            0x0205: struct.pack("<HBB", 0, 7, 1),
            0x00FD: struct.pack("<HI", 0, 0),
            0x00BD: struct.pack("<HIH", 0, 0, 65_535),
            0x0006: struct.pack("<Hd", 0, 1.0) + bytes(8),
        }.items()
    },
    "dimensions lie": (
        lambda: xls(first=record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0))),
        ANY,
    ),
    "a record longer than the file": (lambda: xls(struct.pack("<HH", 0x0203, 0xFFFF)), ANY),
    "texts that claim four thousand million": (
        lambda: xls(record(0x00FC, struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF))),
        ANY,
    ),
    "a million records": (lambda: xls(number_cell(9, 0, 1.0) * MEGABYTE), ANY),
    "sector table in a circle": (
        lambda: patched(xls(), 512, struct.pack("<4I", 0xFFFFFFFD, 1, 2, 2)),
        LOST,
    ),
    "sector tables of millions": (
        lambda: patched(xls(), 68, struct.pack("<2I", 3, 0x7FFFFFFF)),
        ANY,
    ),
    "parquet: a text of 50 kB, a million times": (lambda: repeated(MEGABYTE, 50_000), LOST),
    "parquet: a text of 5 MB, 100,000 times": (lambda: repeated(100_000, 5 * MEGABYTE), LOST),
    **{
        f"parquet: a text of 250 MB packed by {kind}": (
            lambda kind=kind: parquet(
                pa.table(
                    {name: [v] for name, v in (TIDY | {"city_id": "\0" * 250_000_000}).items()}
                ),
                compression=kind,
                use_dictionary=False,
            ),
            ANY,
        )
        for kind in ("zstd", "gzip", "snappy")
    },
    "parquet: 20,000 columns": (
        lambda: parquet(pa.table({f"c{n}": [1] for n in range(20_000)})),
        LOST,
    ),
    "parquet: no columns": (lambda: parquet(pa.table({})), LOST),
    "parquet: a footer longer than the file": (
        lambda: {"tidy/a.parquet": b"PAR1" + bytes(100) + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"},
        DAMAGED,
    ),
    **{
        f"stata: {what} behind {tag}": (
            lambda tag=tag, value=value: patched(stata(), DTA.index(tag) + len(tag), value),
            LOST,
        )
        for what, tag, value in (
            ("10^9 rows", b"<N>", struct.pack("<Q", 10**9)),
            ("65,535 variables", b"<K>", struct.pack("<H", 65_535)),
            ("nowhere", b"<map>", struct.pack("<14Q", *[1 << 40] * 14)),
        )
    },
    "csv: a line of 40 MB": (lambda: tidy_csv(b"1," * 20 * MEGABYTE), "lines of at most"),
    "csv: a row of 20,000 cells far down": (
        lambda: tidy_csv(FAR_DOWN + b"1," * 20_000 + b"\n"),
        "at most 5,000 columns",
    ),
    "csv: a quotation of 10 MB": (
        lambda: tidy_csv(b'"' + b"x\n" * 5 * MEGABYTE),
        "broken quotation or field",
    ),
    "csv: an open quotation far down": (
        lambda: tidy_csv(FAR_DOWN + b'"1,2\n3\n'),
        "broken quotation",
    ),
    "csv: a last record broken off far down": (
        lambda: tidy_csv(FAR_DOWN + b"110000,20"),
        "broken off",
    ),
    "csv: a NUL far down": (lambda: tidy_csv(FAR_DOWN + b"1,\x00,x,1\n"), "a NUL character"),
    "csv: blank lines by the million": (
        lambda: tidy_csv(b"\n" * 20 * MEGABYTE + b"110000,2015,x,1\n"),
        1,
    ),
    "csv: 12 MB through a layout": (
        lambda: {"panel/a.csv": CSV + "2017,省,市,1,5\n".encode() * 600_000},
        600_002,
    ),
    "csv: bytes of every value": (lambda: {"tidy/a.csv": bytes(range(1, 256)) * 40_000}, LOST),
    **{
        f"tidy csv: {what} as {column}": (
            lambda column=column, text=text: tidy_csv(
                ",".join(map(str, (TIDY | {column: text}).values())).encode(
                    "utf-8", "surrogatepass"
                )
            ),
            ANY,
        )
        for column in TIDY
        for what, text in WORDS.items()
    },
    **{
        f"tidy parquet: {what} as {column}": (
            lambda column=column, array=array: parquet(
                pa.table({name: [value] for name, value in TIDY.items()} | {column: array()})
            ),
            ANY,
        )
        for column in TIDY
        for what, array in ARRAYS.items()
    },
}
