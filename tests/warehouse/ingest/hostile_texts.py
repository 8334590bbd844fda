"""Policy texts as an attacker or a broken program makes them, in the manner of `hostile_files`."""

import zlib

from tests.warehouse.ingest.bad_files import BOMB, zipped
from tests.warehouse.ingest.hostile_files import DIGITS, ENDLESS, MEGABYTE, Case, Files
from tests.warehouse.ingest.policy.small_pdf import _pdf, _stream, text_pdf

#: A policy text is turned away with a reason, or read.
TURNED, EITHER = "turned", "either"
CHINESE = (
    "国务院关于同意设立跨境电子商务综合试验区的批复，现批复如下："
    "一、同意设立综合试验区，名称统一为综合试验区。"
)
PLAIN = CHINESE.encode()
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 5 0 R >> >> "
    b"/Contents 4 0 R >>"
)
GOOD_PDF = text_pdf(CHINESE)


def html(pattern: str) -> Files:
    """A page of 19 MB of one pattern over and over behind a good sentence."""
    body = (pattern * (19 * MEGABYTE // len(pattern))).encode()
    return {"policy_texts/a.html": b"<html><body><p>" + PLAIN + b"</p>" + body}


def word(*paragraphs: str, before: str = "") -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    return f'{before}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'.encode()


def docx(document: bytes, extra: Files | None = None) -> Files:
    return {"policy_texts/a.docx": zipped({"word/document.xml": document} | (extra or {}))}


def pdf(*objects: bytes) -> Files:
    """A pdf whose page is the first object and whose others follow as 4, 5, ..."""
    return {"policy_texts/a.pdf": _pdf(*objects)}


def swollen(levels: int) -> bytes:
    """A stream that unpacks several times, each time to much more."""
    data = bytes(300 * MEGABYTE)
    for _ in range(levels):
        data = zlib.compress(data, 9)
    return _stream(data, b"/Filter [" + b"/FlateDecode " * levels + b"]")


def tree(kids: bytes) -> Files:
    """A pdf whose page tree has these kids."""
    data = _pdf(PAGE, _stream(b"BT ET"), b"<< /Type /Pages /Kids [2 0 R 5 0 R] /Count 9 >>")
    return {"policy_texts/a.pdf": data.replace(b"/Kids [3 0 R] /Count 1", b"/Kids " + kids)}


OUTSIDE = (
    b'<R><Relationship Type="a/attachedTemplate" TargetMode="External" Target="http://x"/></R>'
)
TEXTS: dict[str, Case] = {
    **{
        f"html: {pattern}": (lambda pattern=pattern: html(pattern), EITHER)
        for pattern in (
            *("<!--", "<a b=", "</", "<?", "<![CDATA[", "<", "<a b='", "&#", "&", "<!-->", "<div>"),
            *("<script></scrip", "<textarea>", "<![if ", "]]>", "<br/>", "<a\n"),
        )
    },
    "html: an endless reference": (
        lambda: {"policy_texts/a.html": b"<p>" + PLAIN + ENDLESS},
        EITHER,
    ),
    **{
        f"html: {name} as encoding": (
            lambda name=name: {
                "policy_texts/a.html": b'<meta charset="%s">' % name + b"<p>" + PLAIN
            },
            EITHER,
        )
        for name in (b"utf_7", b"idna", b"punycode", b"zlib", b"base64", b"undefined", b"x/../y")
    },
    "text: one line of a megabyte": (lambda: {"policy_texts/a.txt": PLAIN * 8_000}, EITHER),
    "text: marks by the million": (
        lambda: {"policy_texts/a.txt": "一、（一）1.".encode() * 60_000},
        EITHER,
    ),
    "text: blanks": (lambda: {"policy_texts/a.txt": PLAIN + b" " * MEGABYTE + PLAIN}, EITHER),
    "text: a year of 5,000 digits": (
        lambda: {"policy_texts/a.txt": PLAIN + DIGITS + "年1月1日".encode()},
        EITHER,
    ),
    **{
        f"docx: entities, {encoding}": (
            lambda encoding=encoding: docx(
                f'<?xml version="1.0" encoding="{encoding.upper()}"?>'.encode(encoding)
                + word(CHINESE, "&d;", before=BOMB.decode()).decode().encode(encoding)
            ),
            TURNED,
        )
        for encoding in ("utf-8", "utf-16", "utf-32", "gb18030")
    },
    "docx: deep": (lambda: docx(b"<w:p>" * 300_000 + b"</w:p>" * 300_000), TURNED),
    "docx: a part of 60 MB": (lambda: docx(word("x" * 60 * MEGABYTE)), TURNED),
    "docx: no XML": (lambda: docx(b"no xml"), TURNED),
    "docx: macros under another case": (
        lambda: docx(word(CHINESE), {"WORD/VBAPROJECT.BIN": b"x"}),
        TURNED,
    ),
    **{
        f"docx: an outside template in {name}": (
            lambda name=name: docx(word(CHINESE), {f"word/_rels/{name}": OUTSIDE}),
            TURNED,
        )
        for name in ("settings.xml.rels", "settings.xml.RELS")
    },
    **{
        f"pdf: page tree {kids[:9]!r}": (lambda kids=kids: tree(kids), expected)
        for kids, expected in (
            (b"[2 0 R] /Count 1", TURNED),
            (b"[5 0 R 5 0 R] /Count 1", TURNED),
            (b"[" + b"3 0 R " * MEGABYTE + b"] /Count 1000000", TURNED),
            (b"[3 0 R] /Count 4000000000", EITHER),
        )
    },
    **{
        f"pdf: a stream that swells {n} times": (lambda n=n: pdf(PAGE, swollen(n)), TURNED)
        for n in (1, 3)
    },
    **{
        f"pdf: {what}": (lambda content=content: pdf(PAGE, _stream(content)), TURNED)
        for what, content in {
            "a million operators": b"q Q " * MEGABYTE,
            "deep lists": b"[" * 300_000,
            "deep texts": b"(" * 500_000,
            "a name of 6 MB": b"/" + b"#41" * 2 * MEGABYTE + b" Tf",
            "an image that never ends": b"BI /W 9 /H 9 ID " + b"EI" * 500_000,
        }.items()
    },
    "pdf: encrypted by nothing": (
        lambda: {"policy_texts/a.pdf": GOOD_PDF.replace(b"/Root", b"/Encrypt 1 0 R /Root")},
        TURNED,
    ),
    "pdf: a map of signs at a path": (
        lambda: {
            "policy_texts/a.pdf": GOOD_PDF.replace(
                b"begincmap", b"/../../../etc/passwd usecmap begincmap"
            )
        },
        EITHER,
    ),
    "pdf: no table of places": (
        lambda: {"policy_texts/a.pdf": GOOD_PDF[: GOOD_PDF.rindex(b"xref\n0")]},
        EITHER,
    ),
}
