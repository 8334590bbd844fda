"""A third round of hostile files: numbers and types that no column expects, names of encodings, pdf
that multiplies itself.
"""

from __future__ import annotations

import datetime
import decimal
import io
import zlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from tests.warehouse.ingest.bad_files import zipped
from tests.warehouse.ingest.hostile.texts import (
    CHINESE,
    EITHER,
    GOOD_PDF,
    PAGE,
    PLAIN,
    TURNED,
    docx,
    paragraph,
    pdf,
    word,
)
from tests.warehouse.ingest.hostile.workbooks import (
    ANY,
    LOST,
    RELS,
    STYLES,
    Case,
    Size,
    members,
    sheet_of,
    with_sheet,
)
from tests.warehouse.ingest.policy.small_pdf import _pdf, _stream

DIGITS = b"9" * 5_000
ENDLESS = b"&#" + DIGITS + b";"

# one value in each column of a tidy file that is none of what the column holds
COLUMNS = ("city_id", "year", "indicator_id", "value")
ROW = dict(zip(COLUMNS, ("110000", "2015", "gdp_real_cny_100m", "1.5"), strict=True))
WORDS = {
    "5,000 digits": DIGITS.decode(),
    "a number beyond any": "1e9999999999",
    "the largest number": "1.7976931348623157e308",
    "the smallest number": "5e-324",
    "infinity": "inf",
    "no number": "nan",
    "a zero below zero": "-0",
    "an underscore": "1_000",
    "digits of another script": "٢٠١٥",
    "a superscript": "²",
    "a hexadecimal number": "0x10",
    "a blank": " ",
    "a tab": "\t2015",
    "a negative number": "-2015",
    "a fraction": "2015.5",
    "two points": "1.2.3",
    "backwards": "\u202e5102",
    "half a sign": "\ud800",
    "a quotation": '"a""b"',
    "a formula": "=1+1",
    "100,000 signs": "x" * 100_000,
}
ARRAYS: dict[str, Callable[[], pa.Array]] = {
    "bytes": lambda: pa.array([b"\xff\x00"]),
    "two bytes": lambda: pa.array([b"ab"], pa.binary(2)),
    "a structure": lambda: pa.array([{"a": 1}]),
    "a list": lambda: pa.array([[1, 2]]),
    "a map": lambda: pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
    "a decimal number": lambda: pa.array([decimal.Decimal("1.5")]),
    "a decimal number of 60 digits": lambda: pa.array(
        [decimal.Decimal("9" * 60)], pa.decimal256(76, 0)
    ),
    "a date": lambda: pa.array([datetime.date(2015, 1, 1)]),
    "a time": lambda: pa.array([5], pa.time32("s")),
    "a moment": lambda: pa.array([datetime.datetime(2015, 1, 1)]),
    "a moment of no place": lambda: pa.array([0], pa.timestamp("us", "Asia/Nowhere")),
    "a duration": lambda: pa.array([5], pa.duration("s")),
    "true": lambda: pa.array([True]),
    "nothing": lambda: pa.array([None], pa.null()),
    "half a number": lambda: pa.array([1.5], pa.float32()).cast(pa.float16()),
    "a dictionary": lambda: pa.array(["110000"]).dictionary_encode(),
    "a large text": lambda: pa.array(["110000"], pa.large_string()),
    "a view of a text": lambda: pa.array(["110000"], pa.string_view()),
    "the largest whole number": lambda: pa.array([2**64 - 1], pa.uint64()),
    "no number": lambda: pa.array([float("nan")]),
    "infinity": lambda: pa.array([float("inf")]),
}


def tidy_csv(column: str, text: str) -> dict[str, bytes]:
    lines = [",".join(COLUMNS), ",".join((ROW | {column: text}).values()), ""]
    return {"tidy/a.csv": "\n".join(lines).encode("utf-8", "surrogatepass")}


def tidy_parquet(column: str, array: pa.Array) -> dict[str, bytes]:
    good = {
        "city_id": pa.array([ROW["city_id"]]),
        "year": pa.array([2015], pa.int32()),
        "indicator_id": pa.array([ROW["indicator_id"]]),
    }
    stream = io.BytesIO()
    pq.write_table(pa.table(good | {"value": pa.array([1.5])} | {column: array}), stream)
    return {"tidy/a.parquet": stream.getvalue()}


def one_row(row: bytes, before: bytes = b"") -> dict[str, bytes]:
    return {"panel/a.xlsx": with_sheet(sheet_of(row, before))}


def changed_part(name: str, old: bytes, new: bytes) -> dict[str, bytes]:
    parts = members()
    assert old in parts[name]
    return {"panel/a.xlsx": zipped(parts | {name: parts[name].replace(old, new)})}


def shared(items: bytes) -> dict[str, bytes]:
    """The good workbook with a table of texts that says to have more than it has."""
    name = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    table = b'<sst xmlns="%s" count="4294967295" uniqueCount="4294967295">%s</sst>' % (name, items)
    return {"panel/a.xlsx": zipped(members() | {"xl/sharedStrings.xml": table})}


TARGETS = (
    "/dev/zero",
    "../../../../dev/zero",
    "file:///dev/zero",
    "http://127.0.0.1:1/x",
    "\\\\host\\share",
    "worksheets/sheet1.xml?x",
    "",
)
TABLES: dict[str, Case] = {
    **{
        f"tidy csv: {what} as {column}": (
            lambda column=column, text=text: tidy_csv(column, text),
            ANY,
        )
        for column in COLUMNS
        for what, text in WORDS.items()
    },
    **{
        f"tidy parquet: {what} as {column}": (
            lambda column=column, array=array: tidy_parquet(column, array()),
            ANY,
        )
        for column in COLUMNS
        for what, array in ARRAYS.items()
    },
    **{
        f"a sheet at {target!r}": (
            lambda target=target: changed_part(RELS, b"worksheets/sheet1.xml", target.encode()),
            ANY,
        )
        for target in TARGETS
    },
    "a sheet outside": (
        lambda: changed_part(RELS, b"Target=", b'TargetMode="External" Target='),
        ANY,
    ),
    "endless reference as an address": (
        lambda: one_row(b'<row r="1"><c r="' + ENDLESS + b'"><v>1</v></c></row>'),
        LOST,
    ),
    "endless reference as a row": (
        lambda: one_row(b'<row r="' + ENDLESS + b'"><c r="A1"><v>1</v></c></row>'),
        LOST,
    ),
    "endless reference as a type": (
        lambda: one_row(b'<row r="1"><c r="A1" t="' + ENDLESS + b'"><v>1</v></c></row>'),
        LOST,
    ),
    "endless reference as a value": (
        lambda: one_row(b'<row r="1"><c r="A1"><v>' + ENDLESS + b"</v></c></row>"),
        LOST,
    ),
    "endless reference as an error": (
        lambda: one_row(b'<row r="1"><c r="A1" t="e"><v>' + ENDLESS + b"</v></c></row>"),
        LOST,
    ),
    "endless reference as a formula": (
        lambda: one_row(b'<row r="1"><c r="A1"><f>' + ENDLESS + b"</f></c></row>"),
        LOST,
    ),
    "endless reference as a sheet's name": (
        lambda: changed_part("xl/workbook.xml", b'name="', b'name="' + ENDLESS),
        LOST,
    ),
    "5,000 digits as a row": (
        lambda: one_row(b'<row r="' + DIGITS + b'"><c r="A1"><v>1</v></c></row>'),
        LOST,
    ),
    "5,000 digits in an address": (
        lambda: one_row(b'<row r="1"><c r="A' + DIGITS + b'"><v>1</v></c></row>'),
        LOST,
    ),
    "5,000 digits in a dimension": (
        lambda: one_row(b"<row/>", b'<dimension ref="A1:A' + DIGITS + b'"/>'),
        LOST,
    ),
    "5,000 digits as a shared text": (
        lambda: one_row(b'<row r="1"><c r="A1" t="s"><v>' + DIGITS + b"</v></c></row>"),
        LOST,
    ),
    "5,000 digits as a style": (
        lambda: one_row(b'<row r="1"><c r="A1" s="' + DIGITS + b'"><v>1</v></c></row>'),
        LOST,
    ),
    "5,000 digits as a number format": (
        lambda: changed_part(STYLES, b'numFmtId="0"', b'numFmtId="' + DIGITS + b'"'),
        ANY,
    ),
    "a text of many runs": (
        lambda: shared(b"<si>" + b"<r><t>a</t></r>" * Size.many + b"</si>"),
        ANY,
    ),
    "a text of many readings": (
        lambda: shared(
            b"<si><t>a</t>" + b"<rPh sb='0' eb='1'><t>a</t></rPh>" * Size.many + b"</si>"
        ),
        ANY,
    ),
    "a million empty texts": (lambda: shared(b"<si/>" * Size.many), ANY),
    "a million names": (
        lambda: changed_part(
            "xl/workbook.xml",
            b"</workbook>",
            b"<definedNames>"
            + b'<definedName name="a">S!$A$1</definedName>' * Size.many
            + b"</definedNames></workbook>",
        ),
        ANY,
    ),
    "a part of 100 MB that nobody needs": (
        lambda: {
            "panel/a.xlsx": zipped(
                members() | {"xl/pivotCache/p1.xml": bytes(10 * Size.swollen_bytes)}
            )
        },
        ANY,
    ),
    "other bytes in front": (lambda: {"panel/a.xlsx": b"x" * 5_000_000 + zipped(members())}, ANY),
}

# rare encodings, and what Python calls an encoding and is none of a text
ENCODINGS = (
    "utf_7",
    "utf_32",
    "idna",
    "punycode",
    "unicode_escape",
    "raw_unicode_escape",
    "zlib",
    "bz2",
    "hex",
    "base64",
    "rot13",
)
ENCODINGS += ("quopri", "uu", "undefined", "mbcs", "cp037", "x/../y")
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
DRAWS = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> "
    b"/Contents 4 0 R >>"
)


def html(head: bytes, body: bytes = PLAIN) -> dict[str, bytes]:
    return {
        "policy_texts/a.html": b"<html><head>"
        + head
        + b"</head><body><p>"
        + body
        + b"</p></body></html>"
    }


def text(added: str) -> dict[str, bytes]:
    return {"policy_texts/a.txt": (CHINESE + added).encode()}


def good_pdf(old: bytes, new: bytes) -> dict[str, bytes]:
    assert old in GOOD_PDF
    return {"policy_texts/a.pdf": GOOD_PDF.replace(old, new)}


def packed_stream(data: bytes, parameters: bytes = b"") -> bytes:
    return _stream(zlib.compress(data), b"/Filter /FlateDecode " + parameters)


def forms(levels: int) -> dict[str, bytes]:
    """Forms each of which draws the next one twice."""
    twice = [
        _stream(b"/X Do /X Do", FORM + b" /Resources << /XObject << /X %d 0 R >> >>" % (k + 6))
        for k in range(levels)
    ]
    return pdf(DRAWS, _stream(b"/X Do"), *twice, _stream(b"BT ET", FORM))


def trees(levels: int) -> dict[str, bytes]:
    """Lists of pages each of which names the next one twice."""
    lists = [
        b"<< /Type /Pages /Parent 2 0 R /Kids [%d 0 R %d 0 R] /Count 2 >>" % (k + 5, k + 5)
        for k in range(levels)
    ]
    data = _pdf(PAGE, *lists, b"<< /Type /Page /MediaBox [0 0 9 9] >>")
    return {
        "policy_texts/a.pdf": data.replace(b"/Kids [3 0 R] /Count 1", b"/Kids [4 0 R] /Count 9")
    }


def places(widths: bytes, index: bytes = b"") -> dict[str, bytes]:
    """A table of places as a stream that claims much."""
    body = (
        b"<< /Type /XRef /W [%s] %s /Size 4000000000 /Root 1 0 R /Length 3 "
        b">>\nstream\nabc\nendstream"
    ) % (widths, index)
    return {"policy_texts/a.pdf": b"%PDF-1.7\n1 0 obj\n" + body + b"\nendobj\nstartxref\n9\n%%EOF"}


CONTENTS = {
    "an image that never ends": b"BI /W 9 /H 9 ID " + b"EI" * 500_000,
    "deep texts": b"(" * 500_000,
    "a text of 5 MB of digits": b"<" + b"A" * 5_000_000 + b"> Tj",
    "a name of 6 MB": b"/" + b"#41" * 2_000_000 + b" Tf",
    "a number of 100,000 digits": b"9" * 100_000 + b" 0 Td",
    "remarks": b"%\n" * 2_000_000,
    "numbers that are none": b"BT 1e999 nan inf -inf 0 0 Tm (a) Tj ET",
}
TEXTS: dict[str, Case] = {
    **{
        f"html: {name} as encoding": (
            lambda name=name: html(f'<meta charset="{name}">'.encode()),
            EITHER,
        )
        for name in ENCODINGS
    },
    "html: an encoding of a megabyte": (
        lambda: html(b'<meta charset="' + b"x" * 1_000_000 + b'">'),
        EITHER,
    ),
    "html: 400 kB under punycode": (
        lambda: html(b'<meta charset="punycode">', b"a-" + b"b" * 400_000),
        EITHER,
    ),
    "html: 400 kB under idna": (lambda: html(b'<meta charset="idna">', b"a" * 400_000), EITHER),
    "html: an endless reference": (lambda: html(b"", PLAIN + ENDLESS), EITHER),
    "html: an endless reference in the end": (
        lambda: {"policy_texts/a.html": PLAIN + ENDLESS},
        EITHER,
    ),
    "html: an endless reference in a tag": (
        lambda: html(b"", PLAIN + b'<a href="' + ENDLESS + b'">'),
        EITHER,
    ),
    "html: deep tables": (lambda: html(b"", PLAIN + b"<table><tr><td>" * 100_000), EITHER),
    "html: dates": (lambda: html(b"", PLAIN + "2015年3月7日".encode() * 100_000), EITHER),
    "text: a year of 5,000 digits": (lambda: text(DIGITS.decode() + "年1月1日"), EITHER),
    "text: a month of 99 and a number of 11 digits": (
        lambda: text("2015年99月99日 〔99999999999〕99号"),
        EITHER,
    ),
    "text: digits of other scripts": (
        lambda: text("２０１５年１３月４０日 ٢٠١٥年٣月٧日 ²⁰¹⁵年"),
        EITHER,
    ),
    **{
        f"docx: {name} as encoding": (
            lambda name=name: docx(
                f'<?xml version="1.0" encoding="{name}"?>'.encode() + word(paragraph("x")).encode()
            ),
            TURNED,
        )
        for name in ("punycode", "idna", "zlib", "rot13", "unicode_escape", "x" * 5_000)
    },
    "docx: an endless reference": (
        lambda: docx(word(paragraph(ENDLESS.decode())).encode()),
        TURNED,
    ),
    **{
        f"pdf: {what}": (lambda content=content: pdf(PAGE, _stream(content)), TURNED)
        for what, content in CONTENTS.items()
    },
    "pdf: one stream 100,000 times": (
        lambda: pdf(
            PAGE.replace(b"/Contents 4 0 R", b"/Contents [" + b"4 0 R " * 100_000 + b"]"),
            packed_stream(b"(abc) Tj " * 10_000),
        ),
        TURNED,
    ),
    "pdf: forms that double": (lambda: forms(40), TURNED),
    "pdf: pages that double": (lambda: trees(40), TURNED),
    "pdf: columns of a prediction": (
        lambda: pdf(
            PAGE,
            packed_stream(
                bytes(1_000), b"/DecodeParms << /Predictor 12 /Columns 2147483647 /Colors 32 >>"
            ),
        ),
        TURNED,
    ),
    "pdf: no column of a prediction": (
        lambda: pdf(PAGE, packed_stream(bytes(9), b"/DecodeParms << /Predictor 12 /Columns 0 >>")),
        TURNED,
    ),
    "pdf: less than none": (
        lambda: pdf(PAGE, packed_stream(bytes(9), b"/DecodeParms << /Predictor 2 /Columns -5 >>")),
        TURNED,
    ),
    "pdf: zeros by ASCII85": (
        lambda: pdf(PAGE, _stream(b"z" * 5_000_000 + b"~>", b"/Filter /ASCII85Decode")),
        TURNED,
    ),
    "pdf: a page of 10,000 digits": (lambda: good_pdf(b"595", b"9" * 10_000), EITHER),
    "pdf: turned beyond any number": (
        lambda: pdf(
            PAGE.replace(
                b"/MediaBox [0 0 595 842]", b"/MediaBox [0 0 1e30 -1] /Rotate 123456789012345678901"
            ),
            _stream(b"BT ET"),
        ),
        TURNED,
    ),
    "pdf: widths of every sign": (
        lambda: good_pdf(b"/CIDSystemInfo", b"/W [0 4000000000 500] /CIDSystemInfo"),
        EITHER,
    ),
    "pdf: half a million signs of one font": (
        lambda: pdf(
            PAGE,
            _stream(b"BT /F 1 Tf (a) Tj ET"),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences ["
            + b"0 /a " * 500_000
            + b"] >> >>",
        ),
        TURNED,
    ),
    "pdf: a map of signs at a path": (
        lambda: good_pdf(b"begincmap", b"/../../../etc/passwd usecmap begincmap"),
        EITHER,
    ),
    "pdf: an encoding at a path": (
        lambda: good_pdf(b"/Identity-H", b"/..#2f..#2fetc#2fpasswd"),
        EITHER,
    ),
    "pdf: a length below zero": (lambda: good_pdf(b"/Length ", b"/Length -"), EITHER),
    "pdf: a length that is itself": (lambda: good_pdf(b"/Length ", b"/Length 7 0 R %"), EITHER),
    "pdf: places of many bytes": (lambda: places(b"4000000000 4000000000 1"), TURNED),
    "pdf: places of no bytes": (lambda: places(b"0 0 0", b"/Index [0 4000000000]"), TURNED),
}
