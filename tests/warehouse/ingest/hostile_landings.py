"""One table of deliveries as an attacker, a broken program or a broken disk makes them.

A row of `CASES` has a name, a function that makes files by their path below a landing, what it is
given, and what comes of them: a pattern in the fault, the number of values, or `ANY` (a fault that
says what to do, or values). A policy text is `TURNED` away with its reason, or `ANY`.
"""

import datetime
import decimal
import io
import struct
import zipfile
import zlib
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
    Files,
    archive,
    replaced,
    zipped,
)
from tests.warehouse.ingest.delivered import ROWS, saved, stata_bytes
from tests.warehouse.ingest.formats.old_workbook import number_cell, record, text_cell, write_xls
from tests.warehouse.ingest.policy.small_pdf import _pdf, _stream, text_pdf

Case = tuple[Callable[..., Files], tuple, str | int]
ANY, LOST, TURNED = "", "expected", "expected .*; found .*; "
STRAY, DAMAGED = "stray cells far outside", "truncated or damaged"
MEGABYTE = 1_000_000
DIGITS = b"9" * 5_000
ENDLESS = b"&#" + DIGITS + b";"
RELS, STYLES = "xl/_rels/workbook.xml.rels", "xl/styles.xml"
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
E3, CELL, DATA = b'r="E3"', b'<c r="E3"', b"<sheetData>"
TIDY = {"city_id": "110000", "year": 2015, "indicator_id": "gdp_real_cny_100m", "value": 1.5}
CHINESE = (
    "国务院关于同意设立跨境电子商务综合试验区的批复，现批复如下："
    "一、同意设立综合试验区，名称统一为综合试验区。"
)
PLAIN = CHINESE.encode()
GOOD_PDF = text_pdf(CHINESE)
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> "
    b"/Contents 4 0 R >>"
)


def one(path: str, *parts: bytes) -> Files:
    return {path: b"".join(parts)}


def many(
    path: str, pattern: bytes, times: int, *, before: bytes = b"", after: bytes = b""
) -> Files:
    """A file of one pattern over and over."""
    return {path: before + pattern * times}


def members() -> Files:
    """Content of the good workbook by member."""
    with zipfile.ZipFile(io.BytesIO(XLSX)) as old:
        return {info.filename: old.read(info) for info in old.infolist()}


def book(changed: Files) -> Files:
    """The good workbook with members changed or added."""
    return {"panel/a.xlsx": zipped(members() | changed)}


def sheet(old: bytes, new: bytes, times: int = 1) -> Files:
    """The good workbook with a text of its sheet replaced."""
    return {"panel/a.xlsx": replaced(SHEET, old, new * times)}


def rows(text: bytes, times: int = 1, extra: Files | None = None) -> Files:
    """The good workbook with rows of its own."""
    data = b'<worksheet xmlns="' + MAIN + b'">' + DATA + text * times + b"</sheetData></worksheet>"
    return book({SHEET: data} | (extra or {}))


def shared_text(length: int, cells: int) -> Files:
    """One shared text of this length that many cells name."""
    text = b'<sst xmlns="' + MAIN + b'"><si><t>' + b"x" * length + b"</t></si></sst>"
    row = b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>'
    return rows(b"".join(row % (n, n) for n in range(1, cells + 1)), extra={STRINGS: text})


def styles(count: int) -> Files:
    formats = b'<xf numFmtId="1"/>' * count
    whole = b"<styleSheet><cellXfs>" + formats + b"</cellXfs></styleSheet>"
    return rows(b"", extra={STYLES: whole})


def many_sheets(count: int) -> Files:
    """Many sheets of 5,000 rows that all lie in one member."""
    head, _, rest = members()[WORKBOOK].partition(b"<sheets>")
    entry, _, tail = rest.partition(b"</sheets>")
    entries = []
    for n in range(count):
        named = entry.replace(b'name="S"', b'name="S%d"' % n)
        entries.append(named.replace(b'Id="1"', b'Id="%d"' % (n + 1)))
    row = b'<row r="%d"><c r="A%d"><v>1</v></c></row>'
    whole = head + b"<sheets>" + b"".join(entries) + b"</sheets>" + tail
    return rows(b"".join(row % (n, n) for n in range(1, 5001)), extra={WORKBOOK: whole})


def entity(member: str, encoding: str) -> Files:
    """A member of the good workbook with an entity bomb, in another encoding."""
    body = members().get(member, b"<sst/>").decode().rpartition("?>")[2]
    head = f'<?xml version="1.0" encoding="{encoding.upper()}"?>' + BOMB.decode()
    return book({member: (head + body).encode(encoding, "replace")})


def moved(name: str, target: str) -> Files:
    """The sheet with a far cell under another member name."""
    parts = members()
    content = parts.pop(SHEET).replace(E3, b"r='XFD1048576'")
    parts[RELS] = parts[RELS].replace(b"/xl/worksheets/sheet1.xml", target.encode())
    return {"panel/a.xlsx": zipped({name: content} | parts)}


def more_members(extra: Files) -> Files:
    return {"panel/a.xlsx": archive(XLSX, extra=extra)}


def xls(*more: bytes, first: bytes = b"") -> Files:
    """An old workbook of the good rows and other records."""
    good = []
    for row, cells in enumerate(ROWS):
        for col, cell in enumerate(cells):
            if isinstance(cell, int | float):
                good.append(number_cell(row, col, cell))
            else:
                good.append(text_cell(row, col, cell))
    return {"panel/a.xls": write_xls("S", [first, *good, *more])}


def xls_patched(place: int, value: bytes) -> Files:
    return {"panel/a.xls": patched(xls()["panel/a.xls"], place, value)}


def dta_patched(tag: bytes, value: bytes) -> Files:
    frame = pd.DataFrame({"year": [2015, 2016], "place": ["甲", "乙"], "value": [1.0, 2.0]})
    data = stata_bytes(frame)
    return {"panel/a.dta": patched(data, data.index(tag) + len(tag), value)}


def patched(data: bytes, place: int, value: bytes) -> bytes:
    """A file with other bytes at a place."""
    return data[:place] + value + data[place + len(value) :]


def parquet(table: pa.Table, **options: object) -> Files:
    return {"tidy/a.parquet": saved(lambda stream: pq.write_table(table, stream, **options))}


def repeated(n: int, length: int) -> Files:
    """One long text as the unit of many rows: kilobytes on the disk."""
    columns = {name: pa.repeat(pa.scalar(value), n) for name, value in TIDY.items()}
    unit = pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), pa.array(["x" * length]))
    return parquet(pa.table(columns | {"unit": unit}), compression="zstd", row_group_size=100_000)


def packed(kind: str) -> Files:
    """One row with a text of 250 MB that packs to nothing."""
    row = TIDY | {"city_id": "\0" * 250_000_000}
    table = pa.table({name: [value] for name, value in row.items()})
    return parquet(table, compression=kind, use_dictionary=False)


def columns(count: int) -> Files:
    return parquet(pa.table({f"c{n}": [1] for n in range(count)}))


def parquet_cell(column: str, array: Callable[[], pa.Array]) -> Files:
    good = {name: [value] for name, value in TIDY.items()}
    return parquet(pa.table(good | {column: array()}))


def tidy(*parts: bytes) -> Files:
    return one("tidy/a.csv", ",".join(TIDY).encode() + b"\n", *parts)


def csv_cell(column: str, text: str) -> Files:
    cells = map(str, (TIDY | {column: text}).values())
    return tidy(",".join(cells).encode("utf-8", "surrogatepass"))


def html(pattern: str) -> Files:
    """A page of 19 MB of one pattern behind a good sentence."""
    head = b"<html><body><p>" + PLAIN + b"</p>"
    times = 19 * MEGABYTE // len(pattern)
    return many("policy_texts/a.html", pattern.encode(), times, before=head)


def word(*paragraphs: str, before: str = "") -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    return f'{before}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'.encode()


def docx(document: bytes, extra: Files | None = None) -> Files:
    return {"policy_texts/a.docx": zipped({"word/document.xml": document} | (extra or {}))}


def docx_entity(encoding: str) -> Files:
    head = f'<?xml version="1.0" encoding="{encoding.upper()}"?>'.encode(encoding)
    return docx(head + word(CHINESE, "&d;", before=BOMB.decode()).decode().encode(encoding))


def pdf(content: bytes) -> Files:
    """A pdf of one page with this content."""
    return {"policy_texts/a.pdf": _pdf(PAGE, _stream(content))}


def swollen(levels: int) -> Files:
    """A stream that unpacks several times, each time to much more."""
    data = bytes(300 * MEGABYTE)
    for _ in range(levels):
        data = zlib.compress(data, 9)
    stream = _stream(data, b"/Filter [" + b"/FlateDecode " * levels + b"]")
    return {"policy_texts/a.pdf": _pdf(PAGE, stream)}


def tree(kids: bytes) -> Files:
    """A pdf whose page tree has these kids."""
    data = _pdf(PAGE, _stream(b"BT ET"), b"<< /Type /Pages /Kids [2 0 R 5 0 R] /Count 9 >>")
    return {"policy_texts/a.pdf": data.replace(b"/Kids [3 0 R] /Count 1", b"/Kids " + kids)}


OUTSIDE = (
    b'<R><Relationship Type="a/attachedTemplate" TargetMode="External" Target="http://x"/></R>'
)
FAR_DOWN = b"110000,2015,%s,1\n" % (b"x" * 1_000) * 9_000
MERGED = b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
NO_TEXT = b'<c r="E3" t="s"><v>9999</v></c><c r="F3"'
NO_DATE = b'<c r="E3" t="d"><v>999999999-99-99</v></c><c r="F3"'
CLIMB = {"../../../../etc/cron.d/x": b"x", "/etc/x": b"x"}
LONG_FOOTER = b"PAR1" + bytes(100) + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"
NO_SIZE = record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0))
MANY_TEXTS = record(0x00FC, struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF))
CASES: dict[str, Case] = {
    # a cell far away, however it is written
    "sheet: apostrophes": (sheet, (E3, b"r='XFD1048576'"), STRAY),
    "sheet: blanks and lines": (sheet, (E3, b'\n r\n=\n\t"XFD1048576"\n'), STRAY),
    "sheet: mixed case": (sheet, (E3, b"r='xFd1048576'"), STRAY),
    "sheet: other attributes first": (sheet, (CELL, b'<c s="0" cm="1" r="XFD1048576"'), STRAY),
    "sheet: by numbers of signs": (sheet, (E3, b'r="&#x58;&#70;D1048576"'), STRAY),
    "sheet: behind a comment": (sheet, (CELL, b"<!-- > --><c r='XFD1048576'/>" + CELL), STRAY),
    "sheet: in a comment": (sheet, (CELL, b'<!--<c r="XFD1048576"/>-->' + CELL), 2),
    "sheet: in character data": (sheet, (CELL, b'<![CDATA[<c r="XFD1048576"/>]]>' + CELL), 2),
    "sheet: a huge number": (sheet, (E3, b'r="A99999999999999999999"'), LOST),
    "sheet: many letters": (sheet, (E3, b'r="ZZZZZZZZZZZZ1"'), LOST),
    "sheet: no number": (sheet, (E3, b'r="XFD"'), ANY),
    "sheet: row zero": (sheet, (E3, b'r="A0"'), ANY),
    "sheet: two addresses": (sheet, (E3, b'r="E3" r="XFD1048576"'), ANY),
    "sheet: a row beyond any": (sheet, (b'<row r="3"', b'<row r="4294967295"'), ANY),
    "sheet: a negative row": (sheet, (b'<row r="3"', b'<row r="-1"'), ANY),
    "sheet: far row, no address": (
        rows,
        (b"<row r='1048576'>" + b"<c><v>1</v></c>" * 100 + b"</row>",),
        STRAY,
    ),
    "sheet: a million cells": (
        rows,
        (b"<row>" + b"<c><v>1</v></c>" * MEGABYTE + b"</row>",),
        STRAY,
    ),
    # what swells, lies or never ends in a workbook
    "sheet: a dimension that lies": (sheet, (DATA, b'<dimension ref="A1:XFD1048576"/>' + DATA), 2),
    "sheet: merged cells everywhere": (sheet, (b"</sheetData>", MERGED), ANY),
    "sheet: a text that is not there": (sheet, (CELL, NO_TEXT), ANY),
    "sheet: a date beyond any": (sheet, (CELL, NO_DATE), ANY),
    "sheet: an attribute of 20 MB": (
        sheet,
        (CELL, CELL + b' a="' + b"x" * 20 * MEGABYTE + b'"'),
        ANY,
    ),
    "sheet: a tag without end": (sheet, (CELL, b"<c " + b"a" * 5 * MEGABYTE), LOST),
    "sheet: a comment without end": (sheet, (DATA, b"<!--" * MEGABYTE + DATA), LOST),
    "sheet: signs < without end": (sheet, (DATA, b"<", 5 * MEGABYTE), LOST),
    "sheet: deep cells": (sheet, (DATA, DATA + b"<row>" + b"<c>" * 300_000), LOST),
    "sheet: bytes that are no UTF-8": (sheet, (DATA, b"\xff\xfe\xfd" + DATA), ANY),
    "sheet: zero bytes": (sheet, (DATA, bytes(1000) + DATA), ANY),
    "sheet: a million formulas": (rows, (b"<row><c><f>A1</f></c></row>", MEGABYTE), ANY),
    "a shared text of 20 MB, 40,000 times": (shared_text, (20 * MEGABYTE, 40_000), LOST),
    "a shared text of 40 kB, 40,000 times": (shared_text, (40_000, 40_000), LOST),
    "one sheet under 2,000 names": (many_sheets, (2_000,), ANY),
    "a million styles": (styles, (MEGABYTE,), LOST),
    "tens of thousands of members": (
        more_members,
        ({f"xl/media/{n}": b"" for n in range(40_000)},),
        ANY,
    ),
    "names that climb": (more_members, (CLIMB,), 2),
    "no directory": (one, ("panel/a.xlsx", XLSX[: XLSX.rindex(b"PK\x05\x06")]), DAMAGED),
    # old workbooks and Stata
    "xls: dimensions lie": (lambda: xls(first=NO_SIZE), (), ANY),
    "xls: a record longer than the file": (xls, (struct.pack("<HH", 0x0203, 0xFFFF),), ANY),
    "xls: texts that claim four thousand million": (xls, (MANY_TEXTS,), ANY),
    "xls: a million records": (xls, (number_cell(9, 0, 1.0) * MEGABYTE,), ANY),
    "xls: sector table in a circle": (
        xls_patched,
        (512, struct.pack("<4I", 0xFFFFFFFD, 1, 2, 2)),
        LOST,
    ),
    "xls: sector tables of millions": (xls_patched, (68, struct.pack("<2I", 3, 0x7FFFFFFF)), ANY),
    "stata: 10^9 rows": (dta_patched, (b"<N>", struct.pack("<Q", 10**9)), LOST),
    "stata: 65,535 variables": (dta_patched, (b"<K>", struct.pack("<H", 65_535)), LOST),
    "stata: a map to nowhere": (
        dta_patched,
        (b"<map>", struct.pack("<14Q", *[1 << 40] * 14)),
        LOST,
    ),
    # Parquet
    "parquet: a text of 50 kB, a million times": (repeated, (MEGABYTE, 50_000), LOST),
    "parquet: a text of 5 MB, 100,000 times": (repeated, (100_000, 5 * MEGABYTE), LOST),
    "parquet: a text of 250 MB, zstd": (packed, ("zstd",), ANY),
    "parquet: a text of 250 MB, gzip": (packed, ("gzip",), ANY),
    "parquet: a text of 250 MB, snappy": (packed, ("snappy",), ANY),
    "parquet: 20,000 columns": (columns, (20_000,), LOST),
    "parquet: no columns": (columns, (0,), LOST),
    "parquet: a footer longer than the file": (one, ("tidy/a.parquet", LONG_FOOTER), DAMAGED),
    # CSV
    "csv: a line of 40 MB": (tidy, (b"1," * 20 * MEGABYTE,), "lines of at most"),
    "csv: 20,000 cells far down": (
        tidy,
        (FAR_DOWN, b"1," * 20_000, b"\n"),
        "at most 5,000 columns",
    ),
    "csv: a quotation of 10 MB": (
        tidy,
        (b'"', b"x\n" * 5 * MEGABYTE),
        "broken quotation or field",
    ),
    "csv: an open quotation far down": (tidy, (FAR_DOWN, b'"1,2\n3\n'), "broken quotation"),
    "csv: broken off far down": (tidy, (FAR_DOWN, b"110000,20"), "broken off"),
    "csv: a NUL far down": (tidy, (FAR_DOWN, b"1,\x00,x,1\n"), "a NUL character"),
    "csv: blank lines by the million": (tidy, (b"\n" * 20 * MEGABYTE, b"110000,2015,x,1\n"), 1),
    "csv: 12 MB through a layout": (
        one,
        ("panel/a.csv", CSV, "2017,省,市,1,5\n".encode() * 600_000),
        600_002,
    ),
    "csv: bytes of every value": (one, ("tidy/a.csv", bytes(range(1, 256)) * 40_000), LOST),
    # texts
    "html: an endless reference": (one, ("policy_texts/a.html", b"<p>", PLAIN, ENDLESS), ANY),
    "text: one line of a megabyte": (many, ("policy_texts/a.txt", PLAIN, 8_000), ANY),
    "text: marks by the million": (
        many,
        ("policy_texts/a.txt", "一、（一）1.".encode(), 60_000),
        ANY,
    ),
    "text: blanks": (one, ("policy_texts/a.txt", PLAIN, b" " * MEGABYTE, PLAIN), ANY),
    "text: a year of 5,000 digits": (
        one,
        ("policy_texts/a.txt", PLAIN, DIGITS, "年1月1日".encode()),
        ANY,
    ),
    "docx: deep": (docx, (b"<w:p>" * 300_000 + b"</w:p>" * 300_000,), TURNED),
    "docx: a part of 60 MB": (docx, (word("x" * 60 * MEGABYTE),), TURNED),
    "docx: no XML": (docx, (b"no xml",), TURNED),
    "docx: macros": (docx, (word(CHINESE), {"WORD/VBAPROJECT.BIN": b"x"}), TURNED),
    "docx: an outside template": (
        docx,
        (word(CHINESE), {"word/_rels/settings.xml.rels": OUTSIDE}),
        TURNED,
    ),
    "docx: an OUTSIDE template": (
        docx,
        (word(CHINESE), {"word/_rels/settings.xml.RELS": OUTSIDE}),
        TURNED,
    ),
    "pdf: a tree of itself": (tree, (b"[2 0 R] /Count 1",), TURNED),
    "pdf: a tree in a circle": (tree, (b"[5 0 R 5 0 R] /Count 1",), TURNED),
    "pdf: a page a million times": (
        tree,
        (b"[" + b"3 0 R " * MEGABYTE + b"] /Count 1000000",),
        TURNED,
    ),
    "pdf: 4,000 million pages": (tree, (b"[3 0 R] /Count 4000000000",), ANY),
    "pdf: a stream that swells": (swollen, (1,), TURNED),
    "pdf: a stream that swells three times": (swollen, (3,), TURNED),
    "pdf: a million operators": (pdf, (b"q Q " * MEGABYTE,), TURNED),
    "pdf: deep lists": (pdf, (b"[" * 300_000,), TURNED),
    "pdf: deep texts": (pdf, (b"(" * 500_000,), TURNED),
    "pdf: a name of 6 MB": (pdf, (b"/" + b"#41" * 2 * MEGABYTE + b" Tf",), TURNED),
    "pdf: an image without end": (pdf, (b"BI /W 9 /H 9 ID " + b"EI" * 500_000,), TURNED),
    "pdf: encrypted by nothing": (
        one,
        ("policy_texts/a.pdf", GOOD_PDF.replace(b"/Root", b"/Encrypt 1 0 R /Root")),
        TURNED,
    ),
    "pdf: a map of signs at a path": (
        one,
        (
            "policy_texts/a.pdf",
            GOOD_PDF.replace(b"begincmap", b"/../../../etc/passwd usecmap begincmap"),
        ),
        ANY,
    ),
    "pdf: no table of places": (
        one,
        ("policy_texts/a.pdf", GOOD_PDF[: GOOD_PDF.rindex(b"xref\n0")]),
        ANY,
    ),
}
# The same at several places.
ROW_WITH = {
    "an address": b'<row r="1"><c r="%s"><v>1</v></c></row>',
    "a row": b'<row r="%s"><c r="A1"><v>1</v></c></row>',
    "a type": b'<row r="1"><c r="A1" t="%s"><v>1</v></c></row>',
    "a value": b'<row r="1"><c r="A1"><v>%s</v></c></row>',
    "a formula": b'<row r="1"><c r="A1"><f>%s</f></c></row>',
    "a shared text": b'<row r="1"><c r="A1" t="s"><v>%s</v></c></row>',
    "a style": b'<row r="1"><c r="A1" s="%s"><v>1</v></c></row>',
}
MOVED = {
    "xl/worksheets/sheet1.bin2": "/xl/worksheets/sheet1.bin2",
    "XL/WORKSHEETS/SHEET1.XML": "/xl/worksheets/sheet1.xml",
    "xl/worksheets/sheet1.xml": "../xl/./worksheets/sheet1.xml",
    "../../sheet1.xml": "../../../sheet1.xml",
}
FAR_RECORDS = {
    0x0203: struct.pack("<Hd", 0, 1.0),
    0x0204: struct.pack("<HHB", 0, 1, 0) + b"x",
    0x0205: struct.pack("<HBB", 0, 7, 1),
    0x00FD: struct.pack("<HI", 0, 0),
    0x00BD: struct.pack("<HIH", 0, 0, 65_535),
    0x0006: struct.pack("<Hd", 0, 1.0) + bytes(8),
}
# One value in each column of a tidy file that is none of what the column holds.
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
    "60 digits": lambda: pa.array([decimal.Decimal("9" * 60)], pa.decimal256(76, 0)),
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
PATTERNS = (
    *("<!--", "<a b=", "</", "<?", "<![CDATA[", "<", "<a b='", "&#", "&", "<!-->", "<div>"),
    *("<script></scrip", "<textarea>", "<![if ", "]]>", "<br/>", "<a\n"),
)
ENCODINGS = (b"utf_7", b"idna", b"punycode", b"zlib", b"base64", b"undefined", b"x/../y")
for where, row in ROW_WITH.items():
    CASES[f"an endless reference for {where}"] = (rows, (row % ENDLESS,), LOST)
    CASES[f"5,000 digits for {where}"] = (rows, (row % DIGITS,), LOST)
for name, target in MOVED.items():
    CASES[f"sheet moved to {name}"] = (moved, (name, target), LOST)
for member in (SHEET, STRINGS, WORKBOOK, RELS):
    for encoding in ("utf-8", "utf-16", "utf-32", "utf-7"):
        CASES[f"entities in {member}, {encoding}"] = (entity, (member, encoding), LOST)
for kind, tail in FAR_RECORDS.items():
    far = record(kind, struct.pack("<HH", 65_535, 65_535) + tail)
    CASES[f"xls: far cell of record {kind:#06x}"] = (xls, (far,), rf"{DAMAGED} one \(\S")
for column in TIDY:
    for what, text in WORDS.items():
        CASES[f"tidy csv: {what} as {column}"] = (csv_cell, (column, text), ANY)
    for what, array in ARRAYS.items():
        CASES[f"tidy parquet: {what} as {column}"] = (parquet_cell, (column, array), ANY)
for pattern in PATTERNS:
    CASES[f"html: {pattern}"] = (html, (pattern,), ANY)
for label in ENCODINGS:
    page = (b'<meta charset="%s">' % label, b"<p>", PLAIN)
    CASES[f"html: {label} as encoding"] = (one, ("policy_texts/a.html", *page), ANY)
for encoding in ("utf-8", "utf-16", "utf-32", "gb18030"):
    CASES[f"docx: entities, {encoding}"] = (docx_entity, (encoding,), TURNED)
