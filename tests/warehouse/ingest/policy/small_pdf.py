"""Minimal pdf files written by hand: a page with a text layer in a Chinese font, and a page that is
only a picture.
"""

_TEXT_FONT = (
    (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /SimSun /Encoding /Identity-H /DescendantFonts "
        b"[5 "
        b"0 R] /ToUnicode 6 0 R >>"
    ),
    b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /SimSun /CIDSystemInfo << /Registry (Adobe) "
    b"/Ordering (Identity) /Supplement 0 >>"
    b" /DW 1000 >>",
)


def text_pdf(text: str) -> bytes:
    """A pdf of one page, one text per line; glyphs are numbered as they appear, as office programs
    do.
    """
    signs = {
        sign: number for number, sign in enumerate(dict.fromkeys(text.replace("\n", "")), start=1)
    }
    lines = ["".join(f"{signs[sign]:04X}" for sign in line) for line in text.split("\n") if line]
    shown = "\n".join(f"<{line}> Tj 0 -16 Td" for line in lines)
    pairs = "\n".join(
        f"<{number:04X}> <{sign.encode('utf-16-be').hex().upper()}>"
        for sign, number in signs.items()
    )
    unicode_map = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType "
        "2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{len(signs)} "
        f"beginbfchar\n{pairs}\nendbfchar\nendcmap end end"
    )
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 4 0 R >> "
        b">> /Contents 7 0 R >>"
    )
    return _pdf(
        page,
        *_TEXT_FONT,
        _stream(unicode_map.encode()),
        _stream(f"BT /F 12 Tf 40 800 Td\n{shown} ET".encode()),
    )


def _stream(data: bytes, head: bytes = b"") -> bytes:
    return b"<< " + head + b" /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"


def _pdf(page: bytes, *more: bytes) -> bytes:
    """Objects 1 catalogue, 2 page tree, 3 page, then the others in order, with their table of
    places.
    """
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        *more,
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n" % size
        + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    )
