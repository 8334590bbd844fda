"""What calamine does not check or return of a zipped workbook (pure).

calamine allocates every cell between the first and the last used one, trusts the sizes the archive declares, and returns error
cells (#DIV/0!) and formulas without a stored result as blanks. So the archive is unpacked once here, under bounds, and the
cells that calamine loses are collected.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

import numpy as np

from warehouse.ingest.errors import FileFault

MAX_UNCOMPRESSED_BYTES = 1 << 29
MAX_COLUMNS = 5_000
MAX_CELLS = 50_000_000

_MOST_LETTERS, _MOST_DIGITS = 9, 12
# so few tags lie between the start of a cell and its formula (its first child) or its error (an attribute of its own tag)
_TAGS_OF_A_CELL = 8
_LONGEST_ADDRESS = _MOST_LETTERS + _MOST_DIGITS + 4

_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_ADDRESS = re.compile(rb'\br="([A-Z]{1,9})([0-9]{1,12})"')
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?f>)", re.DOTALL)
_ERROR = re.compile(rb't="e"')
_FORMULA_WITH_RESULT = re.compile(rb"<f(?![\w])[^<>]*(?:/>|>[^<]*</f>)<v>[^<]|<f\w")
_PREFIXED_FORMULA = re.compile(rb"<\w+:f\b")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)\b[^>]*>(.*?)</(?:\w+:)?(?:v|is)>", re.DOTALL)

LostCells = dict[tuple[int, int], str]


def scan_workbook(data: bytes) -> dict[str, LostCells]:
    """Check a zipped workbook against its bounds and return the cells a reader would lose.

    Parameters
    ----------
    data : bytes
        The whole xlsx file.

    Returns
    -------
    dict of str to dict
        Sheet name to {(row_no, col_no): text}, 1-based; text is the error (``#DIV/0!``) or the formula without a result (``=A1/B1``).

    Raises
    ------
    FileFault
        The archive is truncated or damaged, too large when unpacked, not a workbook, or uses a cell far outside any table.
    """
    members = _unpack(data)
    if "xl/workbook.xml" not in members:
        raise FileFault(
            "an Excel workbook", "a zip archive without xl/workbook.xml", "deliver the workbook itself, or give the file its true extension"
        )
    lost = {}
    for sheet_name, member in _sheet_members(members):
        _check_extent(members[member], sheet_name)
        cells = _lost_cells(members[member])
        if cells:
            lost[sheet_name] = cells
    return lost


def _unpack(data: bytes) -> dict[str, bytes]:
    """Members that matter, fully read so that checksums are verified and no declared size is trusted."""
    members, total = {}, 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                with archive.open(info) as stream:
                    content = stream.read(MAX_UNCOMPRESSED_BYTES - total + 1)
                total += len(content)
                if total > MAX_UNCOMPRESSED_BYTES:
                    raise FileFault(
                        f"at most {MAX_UNCOMPRESSED_BYTES:,} bytes when unpacked", "more than that", "deliver the workbook in smaller parts"
                    )
                if info.filename.endswith((".xml", ".rels")):
                    _refuse_entities(content)
                    members[info.filename] = content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise FileFault("a complete xlsx archive", f"a truncated or damaged one ({error})", "download or export the file again") from error
    return members


def _sheet_members(members: dict[str, bytes]) -> list[tuple[str, str]]:
    """Pairs of sheet name and archive member of the worksheets, in the workbook's order."""
    try:
        workbook = _parse(members["xl/workbook.xml"])
        targets = {rel.get("Id"): rel.get("Target", "") for rel in _parse(members.get("xl/_rels/workbook.xml.rels", b"<Relationships/>"))}
    except ElementTree.ParseError as error:
        raise FileFault("a readable list of sheets", f"damaged XML ({error})", "export the workbook again") from error
    pairs = []
    for sheet in workbook.iter():
        if sheet.tag.rpartition("}")[2] != "sheet":
            continue
        target = targets.get(sheet.get(_REL), "")
        member = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
        if member in members:
            pairs.append((sheet.get("name", ""), member))
    return pairs


def _parse(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 -- entities were refused when the archive was unpacked


def _refuse_entities(content: bytes) -> None:
    """No workbook needs a document type: one can only name local files or swell when it is read."""
    # a single rare character is found much faster than a word
    if b"!" in content and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
        raise FileFault(
            "a workbook without XML entities", "a document type declaration", "save the workbook again with Excel or LibreOffice"
        )


def _check_extent(sheet: bytes, sheet_name: str) -> None:
    last_row, last_col = _last_cell(sheet)
    if last_col > MAX_COLUMNS or last_row * last_col > MAX_CELLS:
        raise FileFault(
            f"at most {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells",
            f"a table of {last_row:,} rows by {last_col:,} columns",
            "delete the stray cells far outside the table",
            f"sheet {sheet_name!r}",
        )


def _last_cell(sheet: bytes) -> tuple[int, int]:
    """Largest row and column of any cell's address, (0, 0) without cells."""
    # the last addresses are read again with spaces behind them, which is cheaper than a copy of the whole sheet with such spaces
    found = [_last_address(sheet), _last_address(sheet[-2 * _LONGEST_ADDRESS :] + b" " * _LONGEST_ADDRESS)]
    return max(row for row, _ in found), max(col for _, col in found)


def _last_address(sheet: bytes) -> tuple[int, int]:
    """The same, for the addresses that begin before the last ``_LONGEST_ADDRESS`` bytes.

    All of them are read at the same time: after `r="` up to nine letters, then up to twelve digits, then a quotation mark.
    """
    text = np.frombuffer(sheet, dtype=np.uint8)
    starts = np.flatnonzero(text[:-_LONGEST_ADDRESS] == ord("r"))
    starts = starts[(text[starts + 1] == ord("=")) & (text[starts + 2] == ord('"'))] + 3
    column, row, place = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64), starts.copy()
    for _ in range(_MOST_LETTERS):
        sign = text[place]
        is_letter = (sign >= ord("A")) & (sign <= ord("Z"))
        if not is_letter.any():
            break
        column = np.where(is_letter, column * 26 + sign - 64, column)
        place += is_letter
    for _ in range(_MOST_DIGITS):
        sign = text[place]
        is_digit = (sign >= ord("0")) & (sign <= ord("9"))
        if not is_digit.any():
            break
        row = np.where(is_digit, row * 10 + sign - 48, row)
        place += is_digit
    is_address = (text[place] == ord('"')) & (column > 0) & (row > 0)
    if not is_address.any():
        return 0, 0
    return int(row[is_address].max()), int(column[is_address].max())


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _lost_cells(sheet: bytes) -> LostCells:
    formulas = _formulas_without_plain_result(sheet)
    cells = _CELL.findall(sheet) if formulas is None else _cells_at(sheet, sorted({*formulas, *_errors(sheet)}))
    lost = {}
    for attributes, content in cells:
        address = _ADDRESS.search(attributes)
        text = _lost_text(attributes, content) if address else None
        if text is not None:
            lost[int(address.group(2)), _column_number(address.group(1))] = text
    return lost


def _cells_at(sheet: bytes, places: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    """Attributes and content of the cells in which these places lie; other cells are not searched."""
    for place in places:
        start = place
        for _ in range(_TAGS_OF_A_CELL):
            start = sheet.rfind(b"<", 0, start)
            cell = _CELL.match(sheet, start) if start >= 0 else None
            if cell:
                yield cell.groups()
            if cell or start < 0:
                break


def _errors(sheet: bytes) -> list[int]:
    return [found.start() for found in _ERROR.finditer(sheet)]


def _formulas_without_plain_result(sheet: bytes) -> list[int] | None:
    """Where formulas stand that are not followed by a value in the plain spelling that Excel writes; None where tags have a prefix.

    Only characters `f` are examined, which are few: nearly every cell of a delivered table is a number.
    """
    signs = np.frombuffer(sheet, dtype=np.uint8)
    places = np.flatnonzero(signs == ord("f"))
    before = signs[places - 1]
    if any(_PREFIXED_FORMULA.match(sheet, sheet.rfind(b"<", 0, place)) for place in places[before == ord(":")].tolist()):
        return None
    starts = (places[before == ord("<")] - 1).tolist()
    return [start for start in starts if not _FORMULA_WITH_RESULT.match(sheet, start)]


def _lost_text(attributes: bytes, content: bytes) -> str | None:
    value = _VALUE.search(content)
    stored = value.group(1) if value else b""
    if b't="e"' in attributes:
        return _plain(stored) or "#ERROR"
    formula = _FORMULA.search(content)
    if formula and not stored and b't="str"' not in attributes:
        return f"={_plain(formula.group(1))}"
    return None


def _plain(text: bytes) -> str:
    return html.unescape(text.decode("utf-8", "replace"))
