"""What must be known of a zipped workbook before and beside calamine (pure).

calamine allocates every cell between the first and the last used one, trusts the sizes the archive
declares, and returns error cells (#DIV/0!) and formulas without a stored result as blanks, a per
cent as its fraction, and a raised mark of a note as a digit. So the archive is unpacked once here,
under bounds, and the cells that calamine loses or shows otherwise than Excel are collected.
"""

from __future__ import annotations

import codecs
import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections import Counter
from itertools import pairwise
from xml.etree import ElementTree

from warehouse.ingest.errors import FileFault, said
from warehouse.ingest.formats.number_formats import read_styles
from warehouse.ingest.formats.raised_texts import raised_shared_texts
from warehouse.ingest.formats.sheet_scan import SheetScan, scan_sheet

MAX_UNCOMPRESSED_BYTES = 1 << 29
MAX_COLUMNS = 5_000
#: Of all sheets together; more do not fit into the memory of a reader.
MAX_CELLS = 30_000_000
MAX_TEXT_BYTES = 300_000_000

#: What Python's zipfile raises at a damaged archive.
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)

_STRINGS, _STYLES = "xl/sharedstrings.xml", "xl/styles.xml"
_SHARED_MEMBERS = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml")
_SAVE = "save the workbook again with Excel or LibreOffice"
# marks of an encoding and zero bytes as well: in UTF-16 and UTF-32 they stand before the first sign
_BLANKS = re.compile(rb"^[\xef\xbb\xbf\xfe\xff\x00 \t\r\n]+")
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si[\s/>]")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_DOCTYPE = "<!DOCTYPE"


def scan_workbook(data: bytes) -> dict[str, SheetScan]:
    """Check a zipped workbook against its bounds and look at each of its sheets.

    Parameters
    ----------
    data : bytes
        The whole xlsx file.

    Returns
    -------
    dict of str to SheetScan
        By the sheet's name.

    Raises
    ------
    FileFault
        The archive is truncated or damaged, too large when unpacked, not a workbook, uses a cell
        far outside any table, or repeats a long text too often.
    """
    members = _unpack(data)
    if "xl/workbook.xml" not in members:
        raise FileFault(
            "an Excel workbook",
            "a zip archive without xl/workbook.xml",
            "deliver the workbook itself, or give the file its true extension",
        )
    for name in (*_SHARED_MEMBERS, _STRINGS):
        require_plain_encoding(members.get(name, b""), "workbook", _SAVE)
    lengths = _text_lengths(members.get(_STRINGS, b""))
    styles, raised = (
        read_styles(members.get(_STYLES, b"")),
        raised_shared_texts(members.get(_STRINGS, b"")),
    )
    scans, n_cells, shared = {}, 0, Counter()
    for sheet_name, member in _sheet_members(members):
        require_plain_encoding(members[member], "workbook", _SAVE)
        scan = scan_sheet(members[member], sheet_name, styles, raised)
        n_cells += scan.last_row * scan.last_col
        check_extent(scan, n_cells, sheet_name)
        shared += scan.shared
        scans[sheet_name] = scan
    _check_texts(lengths, shared)
    return scans


def _unpack(data: bytes) -> dict[str, bytes]:
    """Members that hold XML by their names in lower case, fully read so that checksums are verified
    and no declared size is trusted.
    """
    members, total = {}, 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                content = _read_member(archive, info, MAX_UNCOMPRESSED_BYTES - total)
                total += len(content)
                # whatever its name: a reader finds a sheet by what the workbook says, and aside
                # from the case of letters
                name = info.filename.replace("\\", "/").lower()
                if not _BLANKS.sub(b"", content[:64]).startswith(b"<"):
                    continue
                if name in members:
                    raise FileFault(
                        "members of unlike names in the workbook",
                        f"two called {name[:100]!r}",
                        "save it again with Excel",
                    )
                refuse_entities(content, "workbook", _SAVE)
                members[name] = content
    except DAMAGES as error:
        found = f"a truncated or damaged one ({said(error)})"
        raise FileFault(
            "a complete xlsx archive", found, "download or export the file again"
        ) from error
    return members


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most_bytes: int) -> bytes:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = f"a member packed in another way ({info.compress_type})"
        raise FileFault("a workbook packed as Excel does", found, "save it again with Excel")
    with archive.open(info) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise FileFault(
            f"at most {MAX_UNCOMPRESSED_BYTES:,} bytes when unpacked",
            "more than that",
            "deliver the workbook in smaller parts",
        )
    return content


def _sheet_members(members: dict[str, bytes]) -> list[tuple[str, str]]:
    """Pairs of sheet name and archive member of the worksheets, in the workbook's order."""
    try:
        # entities were refused when the archive was unpacked
        workbook = ElementTree.fromstring(members["xl/workbook.xml"])  # noqa: S314
        related = members.get("xl/_rels/workbook.xml.rels", b"<Relationships/>")
        links = ElementTree.fromstring(related)  # noqa: S314 -- as above
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise FileFault(
            "a readable list of sheets", f"damaged XML ({said(error)})", "export the workbook again"
        ) from error
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    pairs = []
    for sheet in workbook.iter():
        if sheet.tag.rpartition("}")[2] != "sheet":
            continue
        target = targets.get(sheet.get(_REL), "").replace("\\", "/")
        member = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join("xl", target))
        )
        if member.lower() in members:
            pairs.append((sheet.get("name", ""), member.lower()))
    return pairs


def check_extent(scan: SheetScan, n_cells: int, sheet_name: str) -> None:
    """Raise a FileFault where a sheet is wider than any table, or with those before it larger than
    memory.
    """
    if scan.last_col > MAX_COLUMNS or n_cells > MAX_CELLS:
        raise FileFault(
            f"at most {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells",
            f"a table of {scan.last_row:,} rows by {scan.last_col:,} columns",
            "delete the stray cells far outside the table",
            f"sheet {sheet_name!r}",
        )


def _text_lengths(strings: bytes) -> list[int]:
    """Bytes of each shared text."""
    starts = [found.start() for found in _SHARED_TEXT.finditer(strings)]
    return [end - start for start, end in pairwise([*starts, len(strings)])] if starts else []


def _check_texts(lengths: list[int], shared: Counter[int]) -> None:
    """A reader makes a copy of a shared text for each of its cells."""
    total = sum(count * lengths[index] for index, count in shared.items() if index < len(lengths))
    if total > MAX_TEXT_BYTES:
        raise FileFault(
            f"at most {MAX_TEXT_BYTES // 1_000_000:,} MB of text in all cells",
            f"{total // 1_000_000:,} MB of text, of which most is repeated",
            "shorten the long texts, or deliver the workbook in smaller parts",
        )


def refuse_entities(content: bytes, what: str, action: str) -> None:
    """Raise a FileFault where XML has a document type: no office file needs one, it can only name
    local files or swell when it is read.
    """
    # one rare sign is found much faster than a word
    if b"!" in content and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
        raise FileFault(f"a {what} without XML entities", "a document type declaration", action)


def require_plain_encoding(content: bytes, what: str, action: str) -> None:
    """Raise a FileFault where XML is in an encoding that does not extend ASCII: a document type
    would not be seen among its bytes.
    """
    start = content[:200]
    match = _ENCODING.search(start)
    name = match.group(1).decode() if match else "UTF-8"
    if (
        start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        or b"\x00" in start
        or not _shows_words(name)
    ):
        raise FileFault(
            f"a {what} with XML in UTF-8", "XML in another encoding, such as UTF-16", action
        )


def _shows_words(encoding: str) -> bool:
    """Whether a document type in this encoding has the same bytes as in ASCII."""
    try:
        return _DOCTYPE.encode(encoding) == _DOCTYPE.encode()
    except (LookupError, UnicodeError):
        return False
