"""Hostile policy texts: html that is quadratic to read, docx with entities, pdf that loops or
swells.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from tests.warehouse.ingest.hostile.workbooks import ENTITY, Case, Size, nested, overlapping
from tests.warehouse.ingest.policy.small_pdf import _pdf, _stream, text_pdf

#: The text is turned away with a reason, or read.
TURNED, EITHER = "turned", "either"
CHINESE = (
    "国务院关于同意设立跨境电子商务综合试验区的批复，现批复如下："
    "一、同意设立综合试验区，名称统一为综合试验区。"
)
PLAIN = CHINESE.encode()
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MEGABYTE = 1_000_000


def page(pattern: str) -> dict[str, bytes]:
    """A page of one pattern over and over behind a good sentence."""
    return {
        "policy_texts/a.html": b"<html><body><p>"
        + PLAIN
        + b"</p>"
        + (pattern * (Size.html_bytes // len(pattern))).encode()
    }


def docx(document: bytes, extra: dict[str, bytes] | None = None) -> dict[str, bytes]:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in ({"word/document.xml": document} | (extra or {})).items():
            new.writestr(name, content)
    return {"policy_texts/a.docx": stream.getvalue()}


def word(body: str, before: str = "") -> str:
    return f'{before}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def encoded(encoding: str, declared: str) -> dict[str, bytes]:
    """A document with an entity bomb in another encoding."""
    head = f'<?xml version="1.0" encoding="{declared}"?>'
    body = word(paragraph(CHINESE if encoding != "cp037" else "x") + paragraph("&d;"), ENTITY)
    if encoding == "cp037":
        return docx(head.encode() + body.encode("cp037"))
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    return docx(mark + (head + body).encode(encoding))


def pdf(*objects: bytes) -> dict[str, bytes]:
    """A pdf whose page is the first object and whose others follow as 4, 5, ..."""
    return {"policy_texts/a.pdf": _pdf(*objects)}


PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> "
    b"/Contents 4 0 R >>"
)


def swollen(levels: int, size: int) -> bytes:
    """A stream that unpacks several times, each time to much more."""
    data = bytes(size)
    for _ in range(levels):
        data = zlib.compress(data, 9)
    return _stream(data, b"/Filter [" + b"/FlateDecode " * levels + b"]")


def tree(kids: bytes, count: int = 1) -> dict[str, bytes]:
    """A pdf whose page tree has these kids."""
    data = _pdf(PAGE, _stream(b"BT ET"), b"<< /Type /Pages /Kids [2 0 R 5 0 R] /Count 9 >>")
    return {
        "policy_texts/a.pdf": data.replace(
            b"/Kids [3 0 R] /Count 1", b"/Kids " + kids + b" /Count %d" % count
        )
    }


GOOD_PDF = text_pdf(CHINESE)

CASES: dict[str, Case] = {
    **{
        f"html: {pattern}": (lambda pattern=pattern: page(pattern), EITHER)
        for pattern in (
            "<!--",
            "<a b=",
            "</",
            "<?",
            "<![CDATA[",
            "<!",
            "<",
            "<a ",
            "<a b='",
            '<a b="',
            "&#",
            "&",
            "<a/",
            "</a",
            "</a ",
            "<!doctype",
            "<![",
            "<!-",
            "<!-->",
            "<script>",
            "<script></scrip",
            "<style>",
            "<p ",
            "<p a",
            "<p a=b ",
            "<div>",
            "</div>",
            "<textarea>",
            "&amp",
            "&#x",
            "<a\x00",
            "<!-- -",
            "<a =",
            "<a '",
            "<![if ",
            "<!a [",
            "]]>",
            "<a b=c",
            "<br/>",
            "<\u4e2d",
            "<a\n",
        )
    },
    "html: one tag of many attributes": (
        lambda: {"policy_texts/a.html": PLAIN + b"<a " + b"b=1 " * 250_000 + b">"},
        EITHER,
    ),
    "html: `<!--` and one end": (
        lambda: {"policy_texts/a.html": page("<!--")["policy_texts/a.html"] + b"-->"},
        EITHER,
    ),
    "html: `<a b=` and one end": (
        lambda: {"policy_texts/a.html": page("<a b='")["policy_texts/a.html"] + b">"},
        EITHER,
    ),
    "html: script without end": (lambda: page("<script></"), EITHER),
    "html: no Chinese": (
        lambda: {"policy_texts/a.html": b"<html>" + b"<b>x</b>" * 100_000},
        TURNED,
    ),
    "text: one line of a megabyte": (lambda: {"policy_texts/a.txt": PLAIN * 8_000}, EITHER),
    "text: marks by the million": (
        lambda: {"policy_texts/a.txt": "一、（一）1.".encode() * 60_000},
        EITHER,
    ),
    "text: blanks": (lambda: {"policy_texts/a.txt": PLAIN + b" " * MEGABYTE + PLAIN}, EITHER),
    "text: brackets": (lambda: {"policy_texts/a.txt": PLAIN + "〔（《".encode() * 110_000}, EITHER),
    "text: lines of nothing": (lambda: {"policy_texts/a.txt": PLAIN + b"\n" * Size.many}, EITHER),
    "text: governments": (lambda: {"policy_texts/a.txt": "省人民政府".encode() * 60_000}, EITHER),
    "text: numbers of documents": (
        lambda: {"policy_texts/a.txt": "国函〔2020〕5号".encode() * 50_000},
        EITHER,
    ),
    "text: two columns": (
        lambda: {
            "policy_texts/a.txt": (CHINESE[:12] + " " * 12 + CHINESE[:12] + "\n").encode() * 12_000
        },
        EITHER,
    ),
    "markdown: signs": (lambda: {"policy_texts/a.md": PLAIN + b"[](" * 300_000}, EITHER),
    # docx
    **{
        f"docx: entities, {declared}": (
            lambda encoding=encoding, declared=declared: encoded(encoding, declared),
            TURNED,
        )
        for encoding, declared in (
            ("utf-8", "UTF-8"),
            ("utf-16-le", "UTF-16"),
            ("utf-16-be", "UTF-16"),
            ("utf-32", "UTF-32"),
            ("utf-7", "UTF-7"),
            ("cp037", "cp037"),
            ("gb18030", "GB18030"),
        )
    },
    "docx: an entity of a local file": (
        lambda: docx(
            word(
                paragraph("&b;"), '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
            ).encode()
        ),
        TURNED,
    ),
    "docx: entities in the relations": (
        lambda: docx(
            word(paragraph(CHINESE)).encode(),
            {"word/_rels/document.xml.rels": ENTITY.encode("utf-16") + b"<a/>"},
        ),
        TURNED,
    ),
    "docx: deep": (lambda: docx(word("<w:p>" * 300_000 + "</w:p>" * 300_000).encode()), TURNED),
    "docx: a part of 60 MB": (lambda: docx(word(paragraph("x" * 60 * MEGABYTE)).encode()), TURNED),
    "docx: a million paragraphs": (
        lambda: docx(word("<w:p/>" * Size.many + paragraph(CHINESE)).encode()),
        EITHER,
    ),
    "docx: a million attributes": (
        lambda: docx(
            word(
                "<w:p " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>" + paragraph(CHINESE)
            ).encode()
        ),
        EITHER,
    ),
    "docx: a text of 20 MB": (
        lambda: docx(word(paragraph(CHINESE * (Size.many // 10))).encode()),
        EITHER,
    ),
    "docx: no document": (lambda: docx(b"", {"a": b""}), TURNED),
    "docx: no XML": (lambda: docx(b"no xml"), TURNED),
    "docx: macros under another case": (
        lambda: docx(word(paragraph(CHINESE)).encode(), {"WORD/VBAPROJECT.BIN": b"x"}),
        TURNED,
    ),
    "docx: an outside template": (
        lambda: docx(
            word(paragraph(CHINESE)).encode(),
            {
                "word/_rels/settings.xml.rels": (
                    b'<R><Relationship Type="a/attachedTemplate" TargetMode="External" '
                    b'Target="http://x"/></R>'
                )
            },
        ),
        TURNED,
    ),
    "docx: an outside template, upper case": (
        lambda: docx(
            word(paragraph(CHINESE)).encode(),
            {
                "word/_rels/settings.xml.RELS": (
                    b'<R><Relationship Type="a/attachedTemplate" TargetMode="External" '
                    b'Target="http://x"/></R>'
                )
            },
        ),
        TURNED,
    ),
    "docx: 20,000 relations": (
        lambda: docx(
            word(paragraph(CHINESE)).encode(),
            {f"word/_rels/{n}.rels": b"<a/>" for n in range(20_000)},
        ),
        EITHER,
    ),
    "docx: relations of 40 MB each": (
        lambda: docx(
            word(paragraph(CHINESE)).encode(),
            {f"word/_rels/{n}.rels": b"<a>" + b" " * 40 * MEGABYTE + b"</a>" for n in range(4)},
        ),
        EITHER,
    ),
    "docx: archive in archives": (
        lambda: {"policy_texts/a.docx": nested(4)["panel/a.xlsx"]},
        TURNED,
    ),
    "docx: overlapping members": (
        lambda: {"policy_texts/a.docx": overlapping(1_000, MEGABYTE)["panel/a.xlsx"]},
        TURNED,
    ),
    # pdf
    "pdf: page tree in a circle": (lambda: tree(b"[2 0 R]"), TURNED),
    "pdf: page tree in a larger circle": (lambda: tree(b"[5 0 R 5 0 R 5 0 R]"), TURNED),
    "pdf: a page a million times": (
        lambda: tree(b"[" + b"3 0 R " * MEGABYTE + b"]", MEGABYTE),
        TURNED,
    ),
    "pdf: four thousand million pages": (lambda: tree(b"[3 0 R]", 4_000_000_000), EITHER),
    "pdf: kids that are numbers": (lambda: tree(b"[1 2 3]"), TURNED),
    "pdf: kids that are no list": (lambda: tree(b"3 0 R"), EITHER),
    "pdf: a stream that swells once": (lambda: pdf(PAGE, swollen(1, 300 * MEGABYTE)), TURNED),
    "pdf: a stream that swells thrice": (lambda: pdf(PAGE, swollen(3, 300 * MEGABYTE)), TURNED),
    "pdf: a stream with 10,000 filters": (
        lambda: pdf(PAGE, _stream(b"", b"/Filter [" + b"/FlateDecode " * 10_000 + b"]")),
        TURNED,
    ),
    "pdf: a stream in run lengths": (
        lambda: pdf(
            PAGE, _stream(b"\x81 " * MEGABYTE, b"/Filter [/RunLengthDecode /RunLengthDecode]")
        ),
        TURNED,
    ),
    "pdf: a stream in LZW": (
        lambda: pdf(
            PAGE, _stream(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 200_000, b"/Filter /LZWDecode")
        ),
        TURNED,
    ),
    "pdf: a form that draws itself": (
        lambda: pdf(
            (
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /X 5 "
                b"0 R "
                b">> >> /Contents 4 0 R >>"
            ),
            _stream(b"/X Do"),
            _stream(
                b"/X Do /X Do",
                (
                    b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X "
                    b"5 0 "
                    b"R >> >>"
                ),
            ),
        ),
        TURNED,
    ),
    "pdf: a million operators": (lambda: pdf(PAGE, _stream(b"q Q " * MEGABYTE)), TURNED),
    "pdf: deep lists": (lambda: pdf(PAGE, _stream(b"[" * 300_000 + b"]" * 300_000)), TURNED),
    "pdf: deep lists in an object": (
        lambda: pdf(b"[" * 300_000 + b"]" * 300_000, _stream(b"BT ET")),
        TURNED,
    ),
    "pdf: deep dictionaries": (lambda: pdf(b"<< /A " * 100_000 + b">> " * 100_000), TURNED),
    "pdf: references in a circle": (
        lambda: pdf(PAGE.replace(b"/Contents 4 0 R", b"/Contents 5 0 R"), b"5 0 R", b"4 0 R"),
        TURNED,
    ),
    "pdf: a table of places in a circle": (
        lambda: {
            "policy_texts/a.pdf": GOOD_PDF.replace(
                b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % GOOD_PDF.rindex(b"xref\n0")
            )
        },
        EITHER,
    ),
    "pdf: a table of places of 10^9 lines": (
        lambda: {"policy_texts/a.pdf": GOOD_PDF.replace(b"xref\n0 8", b"xref\n0 999999999")},
        EITHER,
    ),
    "pdf: a table of places elsewhere": (
        lambda: {"policy_texts/a.pdf": GOOD_PDF.replace(b"startxref\n", b"startxref\n999999")},
        EITHER,
    ),
    "pdf: no table of places": (
        lambda: {"policy_texts/a.pdf": GOOD_PDF[: GOOD_PDF.rindex(b"xref\n0")]},
        EITHER,
    ),
    "pdf: a font of every sign": (
        lambda: {
            "policy_texts/a.pdf": GOOD_PDF.replace(
                b"beginbfchar", b"beginbfrange <0000> <FFFFFFFF> <0000> endbfrange beginbfchar"
            )
        },
        EITHER,
    ),
    "pdf: font ranges by the thousand": (
        lambda: pdf(
            PAGE,
            _stream(b"BT /F 12 Tf <0001> Tj ET"),
            (
                b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H "
                b"/DescendantFonts "
                b"[6 0 R] /ToUnicode 7 0 R >>"
            ),
            (
                b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry "
                b"(A) "
                b"/Ordering (I) /Supplement 0 >> >>"
            ),
            _stream(
                b"begincmap\n"
                + b"1 beginbfrange <0000> <FFFF> <0000> endbfrange\n" * 1_000
                + b"endcmap"
            ),
        ),
        TURNED,
    ),
    "pdf: an object stream in a circle": (
        lambda: pdf(
            PAGE,
            _stream(b"4 0 << /Type /ObjStm >>", b"/Type /ObjStm /N 1 /First 4 /Extends 4 0 R"),
            b"<< >>",
        ),
        TURNED,
    ),
    "pdf: an object stream of 10^9": (
        lambda: pdf(PAGE, _stream(b"4 0 ", b"/Type /ObjStm /N 1000000000 /First 4")),
        TURNED,
    ),
    "pdf: encrypted by nothing": (
        lambda: {
            "policy_texts/a.pdf": GOOD_PDF.replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 1 0 R")
        },
        TURNED,
    ),
    **{
        f"pdf cut after {share} %": (
            lambda share=share: {"policy_texts/a.pdf": GOOD_PDF[: len(GOOD_PDF) * share // 100]},
            EITHER,
        )
        for share in (20, 60, 90)
    },
}
