"""Hostile workbooks of Excel 2007 and later: far cells, lies about sizes, amplified texts, deep
XML, entities, bad archives.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.warehouse.ingest.bad_files import (
    SHEET,
    STRINGS,
    WORKBOOK,
    XLSX,
    archive,
    replaced,
    zipped,
)

ANY, LOST = "", "expected"


class Size:
    """How large the cases are; the long form takes more."""

    many = 20_000
    html_bytes = 100_000
    swollen_bytes = 10_000_000


Case = tuple[Callable[[], dict[str, bytes]], str | int]
RELS, TYPES, STYLES = "xl/_rels/workbook.xml.rels", "[Content_Types].xml", "xl/styles.xml"
FAR, STRAY = "XFD1048576", "stray cells far outside"
ENTITY = (
    '<!DOCTYPE a [<!ENTITY b "'
    + "x" * 1000
    + '"><!ENTITY c "'
    + "&b;" * 1000
    + '"><!ENTITY d "'
    + "&c;" * 1000
    + '">]>'
)


def book(data: bytes) -> dict[str, bytes]:
    """A delivery of one workbook."""
    return {"panel/a.xlsx": data}


def members() -> dict[str, bytes]:
    """Content of the good workbook by member."""
    with zipfile.ZipFile(io.BytesIO(XLSX)) as old:
        return {info.filename: old.read(info) for info in old.infolist()}


def sheet_of(rows: bytes, before: bytes = b"") -> bytes:
    """A worksheet with these rows."""
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return head + before + b"<sheetData>" + rows + b"</sheetData></worksheet>"


def with_sheet(content: bytes, extra: dict[str, bytes] | None = None) -> bytes:
    """The good workbook with another sheet."""
    return zipped(members() | {SHEET: content} | (extra or {}))


def far(old: bytes, new: bytes) -> Callable[[], dict[str, bytes]]:
    return lambda: book(replaced(SHEET, old, new))


def moved(name: str, target: str) -> dict[str, bytes]:
    """The sheet with its far cell under another member name."""
    parts = members()
    content = parts.pop(SHEET).replace(b'r="E3"', b"r='" + FAR.encode() + b"'")
    parts[RELS] = parts[RELS].replace(b"/xl/worksheets/sheet1.xml", target.encode())
    return book(zipped({name: content} | parts))


def cells_without_address(count: int) -> dict[str, bytes]:
    return book(with_sheet(sheet_of(b"<row>" + b"<c><v>1</v></c>" * count + b"</row>")))


def shared_text(length: int, cells: int) -> dict[str, bytes]:
    """One text of this length that many cells name."""
    rows = b"".join(
        b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, cells + 1)
    )
    text = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>'
        + b"x" * length
        + b"</t></si></sst>"
    )
    return book(with_sheet(sheet_of(rows), {STRINGS: text} | linked_strings()))


def linked_strings() -> dict[str, bytes]:
    """The relation to shared texts, which the good workbook may lack."""
    rels, types = members()[RELS], members()[TYPES]
    if b"sharedStrings" in rels:
        return {}
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = (
        b'<Relationship Id="rIdS" Type="' + kind + b'" Target="sharedStrings.xml"/></Relationships>'
    )
    return {RELS: rels.replace(b"</Relationships>", link), TYPES: types}


def inline_text(length: int, cells: int) -> dict[str, bytes]:
    cell = b'<c t="inlineStr"><is><t>' + b"x" * length + b"</t></is></c>"
    return book(with_sheet(sheet_of((b"<row>" + cell + b"</row>") * cells)))


def sheets(count: int, rows: bytes) -> dict[str, bytes]:
    """Many sheets that all lie in one member."""
    parts = members()
    start = parts[WORKBOOK].index(b"<sheets>") + 8
    end = parts[WORKBOOK].index(b"</sheets>")
    entry = parts[WORKBOOK][start:end]
    entries = b"".join(
        entry.replace(b'name="S"', b'name="S%d"' % n).replace(
            b'sheetId="1"', b'sheetId="%d"' % (n + 1)
        )
        for n in range(count)
    )
    parts[WORKBOOK] = parts[WORKBOOK][:start] + entries + parts[WORKBOOK][end:]
    return book(zipped(parts | {SHEET: sheet_of(rows)}))


def deep(member: str, depth: int, name: bytes = b"a") -> dict[str, bytes]:
    """A member whose first element holds very deep ones."""
    content = members().get(member, b"<sst></sst>")
    at = content.index(b">", content.rindex(b"<?xml") + 6 if b"<?xml" in content else 0) + 1
    at = at if content[at - 2 : at] != b"?>" else content.index(b">", at) + 1
    hole = b"".join([b"<" + name + b">"] * depth + [b"</" + name + b">"] * depth)
    return book(zipped(members() | {member: content[:at] + hole + content[at:]}))


def entity(member: str, encoding: str) -> dict[str, bytes]:
    """A member of the good workbook with an entity bomb, in another encoding."""
    text = members().get(member, b"<sst/>").decode("utf-8")
    body = text.partition("?>")[2] if text.startswith("<?xml") else text
    declared = {
        "utf-16": "UTF-16",
        "utf-32": "UTF-32",
        "utf-16-be": "UTF-16",
        "cp037": "cp037",
        "utf-7": "UTF-7",
        "utf-8": "UTF-8",
    }[encoding]
    head = f'<?xml version="1.0" encoding="{declared}"?>'
    if encoding == "cp037":
        return book(
            zipped(members() | {member: head.encode() + (ENTITY + body).encode("cp037", "replace")})
        )
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    return book(zipped(members() | {member: mark + (head + ENTITY + body).encode(encoding)}))


def attributes(count: int) -> dict[str, bytes]:
    many = b" ".join(b'a%d="1"' % n for n in range(count))
    return book(with_sheet(sheet_of(b'<row r="1"><c r="A1" ' + many + b"><v>1</v></c></row>")))


def raw_member(
    name: bytes,
    packed: bytes,
    size: int,
    method: int = 8,
    crc: int = 0,
    flags: int = 0,
    offset: int = 0,
) -> tuple[bytes, bytes]:
    """A local and a central header by hand, so that they can lie."""
    local = (
        struct.pack(
            "<IHHHHHIIIHH",
            0x04034B50,
            20,
            flags,
            method,
            0,
            0,
            crc,
            len(packed),
            size,
            len(name),
            0,
        )
        + name
        + packed
    )
    central = struct.pack(
        "<IHHHHHHIIIHHHHHII",
        0x02014B50,
        20,
        20,
        flags,
        method,
        0,
        0,
        crc,
        len(packed),
        size,
        len(name),
        0,
        0,
        0,
        0,
        0,
        offset,
    )
    return local, central + name


def closed(
    body: bytes,
    directory: list[bytes],
    count: int | None = None,
    size: int | None = None,
    start: int | None = None,
) -> bytes:
    """An archive of local parts and central headers."""
    central = b"".join(directory)
    n = len(directory) if count is None else count
    size, start = len(central) if size is None else size, len(body) if start is None else start
    return (
        body
        + central
        + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, min(n, 65535), min(n, 65535), size, start, 0)
    )


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def lying(declared: int, real: int) -> dict[str, bytes]:
    """A member that declares other sizes than it has."""
    content = bytes(real)
    local, central = raw_member(
        b"xl/workbook.xml", deflated(content), declared, crc=zlib.crc32(content)
    )
    return book(closed(local, [central]))


def overlapping(count: int, size: int) -> dict[str, bytes]:
    """Many names for one packed member."""
    content = bytes(size)
    packed = deflated(content)
    local, _ = raw_member(b"a.xml", packed, size, crc=zlib.crc32(content))
    directory = [raw_member(b"a.xml", packed, size, crc=zlib.crc32(content))[1]] * count
    return book(closed(local, directory))


def zip64(claims: int) -> dict[str, bytes]:
    """Sizes that only the 64-bit field could hold."""
    content = b"<workbook/>"
    extra = struct.pack("<HHQQ", 1, 16, claims, claims)
    name = b"xl/workbook.xml"
    packed = deflated(content)
    local = (
        struct.pack(
            "<IHHHHHIIIHH",
            0x04034B50,
            45,
            0,
            8,
            0,
            0,
            zlib.crc32(content),
            0xFFFFFFFF,
            0xFFFFFFFF,
            len(name),
            20,
        )
        + name
        + extra
    )
    central = struct.pack(
        "<IHHHHHHIIIHHHHHII",
        0x02014B50,
        45,
        45,
        0,
        8,
        0,
        0,
        zlib.crc32(content),
        0xFFFFFFFF,
        0xFFFFFFFF,
        len(name),
        20,
        0,
        0,
        0,
        0,
        0,
    )
    return book(closed(local + packed, [central + name + extra]))


def packed_with(method: int, size: int) -> dict[str, bytes]:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as new:
        for name, content in members().items():
            new.writestr(name, content)
        new.writestr("xl/media/a.xml", bytes(size))
    return book(stream.getvalue())


def nested(levels: int) -> dict[str, bytes]:
    data = bytes(1_000_000)
    for level in range(levels):
        data = zipped(
            {f"{n}.zip": data for n in range(4)} | {"xl/workbook.xml": b"<workbook/>"}
            if level
            else {"a": data}
        )
    return book(data)


def flipped(seed: int) -> dict[str, bytes]:
    """The good workbook with some bytes changed."""
    change, data = random.Random(seed), bytearray(XLSX)
    for _ in range(change.choice((1, 3, 10, 100))):
        data[change.randrange(len(data))] = change.randrange(256)
    return book(bytes(data))


def numbers(text: bytes) -> dict[str, bytes]:
    return book(replaced(SHEET, b"<v>2016</v>", b"<v>" + text + b"</v>"))


ROWS_5000 = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 5001))

CASES: dict[str, Case] = {
    # far cells in every spelling
    "far cell, apostrophes": (far(b'r="E3"', b"r='XFD1048576'"), STRAY),
    "far cell, blanks": (far(b'r="E3"', b'r = "XFD1048576"'), STRAY),
    "far cell, new lines": (far(b'r="E3"', b'\n r\n=\n\t"XFD1048576"\n'), STRAY),
    "far cell, lower case": (far(b'r="E3"', b'r="xfd1048576"'), STRAY),
    "far cell, mixed case": (far(b'r="E3"', b"r='xFd1048576'"), STRAY),
    "far cell, other attributes first": (
        far(b'<c r="E3"', b'<c s="0" cm="1" r="XFD1048576"'),
        STRAY,
    ),
    "far cell, by a number of a sign": (far(b'r="E3"', b'r="&#88;FD1048576"'), STRAY),
    "far cell, by hexadecimal numbers": (far(b'r="E3"', b'r="&#x58;&#x46;D1048576"'), STRAY),
    "far cell, a prefix": (
        lambda: book(
            with_sheet(
                b"<x:worksheet "
                b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData><x:row>'
                b'<x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
            )
        ),
        STRAY,
    ),
    "far cell, in upper case elements": (far(b'<c r="E3"', b'<C r="XFD1048576"/><c r="E3"'), ANY),
    "far cell, behind a comment": (
        far(b'<c r="E3"', b"<!-- > --><c r='XFD1048576'/><c r=\"E3\""),
        STRAY,
    ),
    "far cell, in a comment": (far(b'<c r="E3"', b'<!--<c r="XFD1048576"/>--><c r="E3"'), 2),
    "far cell, in character data": (
        far(b'<c r="E3"', b'<![CDATA[<c r="XFD1048576"/>]]><c r="E3"'),
        2,
    ),
    "far cell, in an attribute": (far(b'<c r="E3"', b'<c r="E3" a=\'<c r="XFD1048576"\''), ANY),
    "far cell, a quote inside an attribute": (
        far(b'<c r="E3"', b"<c a='\"' r='XFD1048576'/><c r=\"E3\""),
        STRAY,
    ),
    "far cell, huge number": (far(b'r="E3"', b'r="A99999999999999999999"'), LOST),
    "far cell, many letters": (far(b'r="E3"', b'r="ZZZZZZZZZZZZ1"'), LOST),
    "far cell, no number": (far(b'r="E3"', b'r="XFD"'), ANY),
    "far cell, no letters": (far(b'r="E3"', b'r="1048576"'), ANY),
    "far cell, empty address": (far(b'r="E3"', b'r=""'), ANY),
    "far cell, row zero": (far(b'r="E3"', b'r="A0"'), ANY),
    "far cell, dollar signs": (far(b'r="E3"', b'r="$XFD$1048576"'), ANY),
    "far cell, full-width letters": (far(b'r="E3"', "r='ＸＦＤ1048576'".encode()), ANY),
    "far cell, two addresses": (far(b'r="E3"', b'r="E3" r="XFD1048576"'), ANY),
    "far row, apostrophes": (far(b'<row r="3"', b"<row r='1048576'"), ANY),
    "far row, cells without address": (
        lambda: book(
            with_sheet(sheet_of(b"<row r='1048576'>" + b"<c><v>1</v></c>" * 100 + b"</row>"))
        ),
        STRAY,
    ),
    "far row, beyond any": (far(b'<row r="3"', b'<row r="4294967295"'), ANY),
    "far row, negative": (far(b'<row r="3"', b'<row r="-1"'), ANY),
    "far row, cells beyond 32 bits": (
        lambda: book(with_sheet(sheet_of(b"<row r='4294967296'><c><v>1</v></c></row>"))),
        LOST,
    ),
    "far column, cells without address": (lambda: cells_without_address(6_000), STRAY),
    "far column, a million cells without address": (
        lambda: cells_without_address(1_000_000),
        STRAY,
    ),
    "far column alone": (far(b'r="E3"', b"r='XFD3'"), STRAY),
    "far row alone": (far(b'r="E3"', b"r='E1048576'"), ANY),
    "a table as large as is allowed": (far(b'r="E3"', b"r='GJH3990'"), ANY),
    "member with another suffix": (
        lambda: moved("xl/worksheets/sheet1.bin2", "/xl/worksheets/sheet1.bin2"),
        LOST,
    ),
    "member without suffix": (lambda: moved("xl/worksheets/sheet1", "/xl/worksheets/sheet1"), LOST),
    "member with upper-case suffix": (
        lambda: moved("xl/worksheets/sheet1.XML", "/xl/worksheets/sheet1.XML"),
        LOST,
    ),
    "member in upper case": (
        lambda: moved("XL/WORKSHEETS/SHEET1.XML", "/xl/worksheets/sheet1.xml"),
        LOST,
    ),
    "member named as a text": (
        lambda: moved("xl/worksheets/sheet1.txt", "worksheets/sheet1.txt"),
        LOST,
    ),
    "target with dots": (
        lambda: moved("xl/worksheets/sheet1.xml", "../xl/./worksheets/sheet1.xml"),
        LOST,
    ),
    "target with backslashes": (
        lambda: moved("xl\\worksheets\\sheet1.xml", "worksheets\\sheet1.xml"),
        LOST,
    ),
    "target with percent signs": (
        lambda: moved("xl/worksheets/sheet1.xml", "worksheets/sheet%31.xml"),
        LOST,
    ),
    "target out of the archive": (lambda: moved("../../sheet1.xml", "../../../sheet1.xml"), LOST),
    "two members of one name": (
        lambda: book(
            zipped(
                members()
                | {SHEET.replace("s1", "S1"): members()[SHEET].replace(b'r="E3"', b"r='XFD9'")}
            )
        ),
        ANY,
    ),
    # lies
    "dimension lies, huge": (
        far(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'),
        2,
    ),
    "dimension lies, backwards": (
        far(b"<sheetData>", b'<dimension ref="XFD1048576:A1"/><sheetData>'),
        ANY,
    ),
    "dimension lies, no address": (far(b"<sheetData>", b'<dimension ref="::::"/><sheetData>'), ANY),
    "dimension lies, beyond 32 bits": (
        far(b"<sheetData>", b'<dimension ref="A1:ZZZZZZZ99999999999"/><sheetData>'),
        ANY,
    ),
    "merged cells everywhere": (
        far(
            b"</sheetData>",
            b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
        ),
        ANY,
    ),
    "a million merged cells": (
        far(
            b"</sheetData>",
            b'</sheetData><mergeCells count="9">'
            + b'<mergeCell ref="A1:B2"/>' * Size.many
            + b"</mergeCells>",
        ),
        ANY,
    ),
    "a million columns described": (
        far(
            b"<sheetData>",
            b"<cols>" + b'<col min="1" max="16384"/>' * Size.many + b"</cols><sheetData>",
        ),
        ANY,
    ),
    "number beyond any": (lambda: numbers(b"1e999"), ANY),
    "number of a million digits": (lambda: numbers(b"9" * 1_000_000), ANY),
    "number that is none": (lambda: numbers(b"\xef\xbf\xbd"), ANY),
    "shared text that is not there": (
        far(b'<c r="E3"', b'<c r="E3" t="s"><v>99999999</v></c><c r="F3"'),
        ANY,
    ),
    "shared text before the first": (
        far(b'<c r="E3"', b'<c r="E3" t="s"><v>-1</v></c><c r="F3"'),
        ANY,
    ),
    "date beyond any": (
        far(b'<c r="E3"', b'<c r="E3" t="d"><v>999999999-99-99</v></c><c r="F3"'),
        ANY,
    ),
    "unknown type of cell": (far(b'<c r="E3"', b'<c r="E3" t="zzz"><v>1</v></c><c r="F3"'), ANY),
    # amplification
    "one shared text of 20 MB, 40,000 times": (
        lambda: shared_text(20_000_000, 40_000),
        "MB of text",
    ),
    "one shared text of 1 MB, 40,000 times": (lambda: shared_text(1_000_000, 40_000), "MB of text"),
    "one shared text of 40 kB, 40,000 times": (lambda: shared_text(40_000, 40_000), "MB of text"),
    "one shared text of 400 signs, 40,000 times": (lambda: shared_text(400, 40_000), LOST),
    "inline text of 20 MB": (lambda: inline_text(20_000_000, 1), ANY),
    "inline texts of 1 MB": (lambda: inline_text(1_000_000, Size.many // 5_000), ANY),
    "one sheet under 2,000 names": (lambda: sheets(2_000, ROWS_5000), ANY),
    "thousands of sheets": (
        lambda: sheets(Size.many // 50, b'<row r="1"><c r="A1"><v>1</v></c></row>'),
        ANY,
    ),
    "300 sheets of two million blanks each": (
        lambda: sheets(300, b'<row r="1000"><c r="BXX1000"><v>1</v></c></row>'),
        ANY,
    ),
    "a million formulas": (
        lambda: book(
            with_sheet(sheet_of(b"".join(b"<row><c><f>A1</f></c></row>" for _ in range(Size.many))))
        ),
        ANY,
    ),
    "a million errors": (
        lambda: book(with_sheet(sheet_of(b'<row><c t="e"><v>#N/A</v></c></row>' * Size.many))),
        ANY,
    ),
    "a million styles": (
        lambda: book(
            archive(
                XLSX,
                {
                    STYLES: lambda _: (
                        b"<styleSheet><cellXfs>"
                        + b'<xf numFmtId="1"/>' * Size.many
                        + b"</cellXfs></styleSheet>"
                    )
                },
            )
        ),
        ANY,
    ),
    "a number format of a megabyte": (
        lambda: book(
            archive(
                XLSX,
                {
                    STYLES: lambda _: (
                        b'<styleSheet><numFmts><numFmt numFmtId="9" formatCode="'
                        + b"[$y]" * 250_000
                        + b'"/></numFmts></styleSheet>'
                    )
                },
            )
        ),
        ANY,
    ),
    # deep and wide XML
    **{
        f"deep XML in {member}": (lambda member=member: deep(member, 300_000), ANY)
        for member in (SHEET, STRINGS, WORKBOOK, RELS, STYLES, TYPES)
    },
    "deep rows": (lambda: deep(SHEET, 300_000, b"row"), ANY),
    "deep cells": (
        lambda: book(
            with_sheet(sheet_of(b"<row>" + b"<c>" * 300_000 + b"</c>" * 300_000 + b"</row>"))
        ),
        ANY,
    ),
    "deep sheet list": (
        lambda: book(
            archive(XLSX, {WORKBOOK: lambda c: c.replace(b"<sheets>", b"<sheets>" * 100_000)})
        ),
        LOST,
    ),
    "a cell with 200,000 attributes": (lambda: attributes(200_000), ANY),
    "an attribute of 20 MB": (far(b'<c r="E3"', b'<c r="E3" a="' + b"x" * 20_000_000 + b'"'), ANY),
    "an address of 20 MB": (far(b'r="E3"', b'r="' + b"A" * 20_000_000 + b'1"'), LOST),
    "a tag that never ends": (far(b'<c r="E3"', b"<c " + b"a" * 5_000_000), LOST),
    "a comment that never ends": (far(b"<sheetData>", b"<!--" * 1_000_000 + b"<sheetData>"), LOST),
    "signs < without end": (far(b"<sheetData>", b"<" * 5_000_000), LOST),
    "instructions": (far(b"<sheetData>", b"<?a b?>" * 500_000 + b"<sheetData>"), ANY),
    "character data without end": (far(b"<sheetData>", b"<![CDATA[" * 500_000), LOST),
    "bytes that are no UTF-8": (far(b"<sheetData>", b"\xff\xfe\xfd<sheetData>"), ANY),
    "zero bytes": (far(b"<sheetData>", b"\x00" * 1000 + b"<sheetData>"), ANY),
    "no data in the sheet": (lambda: book(with_sheet(b"<worksheet/>")), LOST),
    "an empty sheet member": (lambda: book(with_sheet(b"")), LOST),
    "a sheet list that is empty": (
        lambda: book(archive(XLSX, {WORKBOOK: lambda _: b"<workbook/>"})),
        LOST,
    ),
    "a sheet list that is no XML": (
        lambda: book(archive(XLSX, {WORKBOOK: lambda _: b"no xml"})),
        LOST,
    ),
    # entities in every encoding
    **{
        f"entities in {member}, {encoding}": (
            lambda member=member, encoding=encoding: entity(member, encoding),
            LOST,
        )
        for member in (SHEET, STRINGS, WORKBOOK, RELS)
        for encoding in ("utf-8", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp037")
    },
    "entities behind a comment of a megabyte": (
        lambda: book(
            archive(
                XLSX,
                {
                    SHEET: lambda c: (
                        b"<!--"
                        + b"x" * 1_000_000
                        + b"-->"
                        + ENTITY.encode()
                        + c[c.index(b"<worksheet") :]
                    )
                },
            )
        ),
        "document type",
    ),
    "entities that name each other": (
        lambda: book(
            archive(
                XLSX,
                {
                    WORKBOOK: lambda c: (
                        b'<!DOCTYPE a [<!ENTITY b "&c;"><!ENTITY c "&b;">]>'
                        + c[c.index(b"<workbook") :]
                    )
                },
            )
        ),
        "document type",
    ),
    "parameter entities": (
        lambda: book(
            archive(
                XLSX,
                {
                    RELS: lambda c: (
                        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]>'
                        + c[c.index(b"<Rel") :]
                    )
                },
            )
        ),
        "document type",
    ),
    "a document type of two megabytes": (
        lambda: book(
            archive(
                XLSX,
                {
                    SHEET: lambda c: (
                        b"<!DOCTYPE a ["
                        + b"<!ELEMENT a ANY>" * 125_000
                        + b"]>"
                        + c[c.index(b"<worksheet") :]
                    )
                },
            )
        ),
        "document type",
    ),
    # archives
    "archive in archives": (lambda: nested(5), LOST),
    "overlapping members": (
        lambda: overlapping(2_000, 1_000_000),
        "bytes when unpacked|truncated or damaged",
    ),
    "a member larger than it says": (
        lambda: lying(10, 600_000_000),
        "bytes when unpacked|truncated or damaged",
    ),
    "a member smaller than it says": (lambda: lying(4_000_000_000, 10), LOST),
    "sizes of 64 bits": (lambda: zip64(1 << 62), LOST),
    "sizes of 64 bits, all ones": (lambda: zip64((1 << 64) - 1), LOST),
    "tens of thousands of members": (
        lambda: book(archive(XLSX, extra={f"xl/media/{n}": b"" for n in range(Size.many // 5)})),
        ANY,
    ),
    "a bomb packed by bzip2": (
        lambda: packed_with(zipfile.ZIP_BZIP2, 60_000_000),
        "packed in another way",
    ),
    "a bomb packed by lzma": (
        lambda: packed_with(zipfile.ZIP_LZMA, 60_000_000),
        "packed in another way",
    ),
    "packed by bzip2": (lambda: packed_with(zipfile.ZIP_BZIP2, 10), ANY),
    "an unknown way of packing": (
        lambda: book(
            closed(
                *[
                    [x] if i else x
                    for i, x in enumerate(raw_member(b"xl/workbook.xml", b"x", 1, 77))
                ]
            )
        ),
        LOST,
    ),
    "a member with a password": (
        lambda: book(
            closed(
                *[
                    [x] if i else x
                    for i, x in enumerate(raw_member(b"xl/workbook.xml", b"x" * 20, 1, 0, flags=1))
                ]
            )
        ),
        LOST,
    ),
    "a wrong check sum": (
        lambda: book(
            closed(
                *[
                    [x] if i else x
                    for i, x in enumerate(raw_member(b"xl/workbook.xml", deflated(b"x"), 1, crc=5))
                ]
            )
        ),
        LOST,
    ),
    "a directory that is elsewhere": (
        lambda: book(closed(b"PK\x03\x04", [], 60_000, 3_000_000, 4_000_000_000)),
        LOST,
    ),
    "a directory inside itself": (
        lambda: book(closed(b"PK\x03\x04", [raw_member(b"a", b"", 0, 0, offset=0)[1]], 1, 47, 0)),
        LOST,
    ),
    "no directory": (lambda: book(XLSX[: XLSX.rindex(b"PK\x05\x06")]), "truncated or damaged"),
    "a comment of 64 kB full of ends": (
        lambda: book(XLSX[:-2] + struct.pack("<H", 65_534) + b"PK\x05\x06" * 16_383 + b"PK"),
        ANY,
    ),
    "names that climb": (
        lambda: book(
            archive(XLSX, extra={"../../../../etc/cron.d/x": b"x", "/etc/x": b"x", "C:\\x": b"x"})
        ),
        ANY,
    ),
    "a name of 60 kB": (lambda: book(archive(XLSX, extra={"x" * 60_000: b"x"})), ANY),
    **{f"bytes changed, {seed}": (lambda seed=seed: flipped(seed), ANY) for seed in range(20)},
    **{
        f"cut after {share} %": (
            lambda share=share: book(XLSX[: len(XLSX) * share // 100]),
            "truncated or damaged",
        )
        for share in (5, 35, 65, 95)
    },
}
