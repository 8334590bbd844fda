"""What must be known of a zipped workbook before and beside calamine (pure).

calamine allocates every cell between the first and the last used one, trusts the sizes the archive
declares, and returns error cells (#DIV/0!) and formulas without a stored result as blanks, a per
cent as its fraction, and a raised mark of a note as a digit. So the archive is unpacked once here,
under bounds, and the cells that calamine loses or shows otherwise than Excel are collected.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from xml.etree import ElementTree

from warehouse.ingest.errors import FileFault, message_of
from warehouse.ingest.formats.number_formats import read_styles
from warehouse.ingest.formats.row_batches import MAX_COLUMNS
from warehouse.ingest.formats.sheet_scan import SheetScan, raised_shared_texts, scan_sheet

MAX_UNCOMPRESSED_BYTES = 1 << 29
#: Of all sheets together; more do not fit into the memory of a reader.
MAX_CELLS = 30_000_000

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
_SAVE = "save the workbook again with Excel or LibreOffice"
# marks of an encoding and zero bytes as well: in UTF-16 and UTF-32 they stand before the first sign
_BLANKS = re.compile(rb"^[\xef\xbb\xbf\xfe\xff\x00 \t\r\n]+")
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


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
        The archive is truncated or damaged, too large when unpacked, not a workbook, or uses a
        cell far outside any table.
    """
    members = _unpack(data)
    if "xl/workbook.xml" not in members:
        raise FileFault(
            "an Excel workbook",
            "a zip archive without xl/workbook.xml",
            "deliver the workbook itself, or give the file its true extension",
        )
    styles, raised = (
        read_styles(members.get(_STYLES, b"")),
        raised_shared_texts(members.get(_STRINGS, b"")),
    )
    scans, n_cells = {}, 0
    for sheet_name, member in _sheet_members(members):
        scan = scan_sheet(members[member], sheet_name, styles, raised)
        n_cells += scan.last_row * scan.last_col
        if scan.last_col > MAX_COLUMNS or n_cells > MAX_CELLS:
            raise FileFault(
                f"at most {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells",
                f"a table of {scan.last_row:,} rows by {scan.last_col:,} columns",
                "delete the stray cells far outside the table",
                f"sheet {sheet_name!r}",
            )
        scans[sheet_name] = scan
    return scans


def _unpack(data: bytes) -> dict[str, bytes]:
    """Members that hold XML by their names in lower case, fully read so that checksums are verified
    and no declared size is trusted.
    """
    members, total = {}, 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                content = read_member(archive, info, MAX_UNCOMPRESSED_BYTES - total)
                total += len(content)
                # whatever its name: a reader finds a sheet by what the workbook says, and aside
                # from the case of letters
                name = info.filename.replace("\\", "/").lower()
                if not _BLANKS.sub(b"", content[:64]).startswith(b"<"):
                    continue
                # no office file needs a document type: it can only name local files or swell when
                # it is read; one rare sign is found much faster than a word
                if b"!" in content and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
                    raise FileFault(
                        "a workbook without XML entities", "a document type declaration", _SAVE
                    )
                members[name] = content
    except DAMAGES as error:
        found = f"a truncated or damaged one ({message_of(error)})"
        raise FileFault(
            "a complete xlsx archive", found, "download or export the file again"
        ) from error
    return members


def read_member(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo | str,
    most_bytes: int,
    limit: int = MAX_UNCOMPRESSED_BYTES,
) -> bytes:
    """Return a member of an archive; a FileFault that names the ``limit`` where it has more bytes
    than are left of it.
    """
    with archive.open(info) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise FileFault(
            f"at most {limit:,} bytes when unpacked",
            "more than that",
            "deliver it in smaller parts",
        )
    return content


def _sheet_members(members: dict[str, bytes]) -> list[tuple[str, str]]:
    """Return pairs of sheet name and archive member of the worksheets, in the workbook's order."""
    try:
        # entities were refused when the archive was unpacked
        workbook = ElementTree.fromstring(members["xl/workbook.xml"])  # noqa: S314
        related = members.get("xl/_rels/workbook.xml.rels", b"<Relationships/>")
        links = ElementTree.fromstring(related)  # noqa: S314 -- as above
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise FileFault(
            "a readable list of sheets",
            f"damaged XML ({message_of(error)})",
            "export the workbook again",
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
