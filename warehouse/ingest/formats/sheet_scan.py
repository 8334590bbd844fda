"""One worksheet's XML: how far its cells reach, which shared texts they name, and which of them
calamine loses (pure).

Excel and the libraries that follow it write one spelling: no comments, no prefixes, every row and
cell with its address first. Such a sheet is looked at by its bytes, all cells at once. Any other
goes through an XML parser, cell by cell: ten times slower, and right for every spelling that XML
allows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np

from warehouse.ingest.character_references import unescape
from warehouse.ingest.errors import FileFault

LostCells = dict[tuple[int, int], str]
MAX_DEPTH = 1_000

_MOST_LETTERS, _MOST_DIGITS = 3, 7
_TAIL = 64
#: Further than any table: an address with more signs than a number can have.
_FAR = 1 << 40
# a formula is the first thing in its cell, an error stands in the cell's own tag
_TAGS_OF_A_CELL = 8

_ADDRESS = re.compile("([A-Za-z]+)([0-9]+)")
_ADDRESS_BYTES = re.compile(rb'\br="([A-Z]{1,9})([0-9]{1,12})"')
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_FORMULA = re.compile(rb"<f\b[^>]*?(?:/>|>(.*?)</f>)", re.DOTALL)
_ERROR = re.compile(rb't="e"')
_FORMULA_WITH_RESULT = re.compile(rb"<f(?![\w])[^<>]*(?:/>|>[^<]*</f>)<v>[^<]|<f\w")
_VALUE = re.compile(rb"<(?:v|is)\b[^>]*>(.*?)</(?:v|is)>", re.DOTALL)
_SHARED = re.compile(rb'<c [^<>]*t="s"[^<>]*><v>([0-9]{1,9})</v>')
_SHARED_AT = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^<>]*t="s"[^<>]*><v>([0-9]{1,9})</v>')
# an error cell is found by its attribute, so that attributes matter where there is an error;
# addresses are looked at in any case
_OTHER_ATTRIBUTES = (b"='", b' ="', b'= "', b"=\n", b"=\t")
_PREFIXED = re.compile(rb":(?:c|row|f|v|is)[\s/>]")


@dataclass
class SheetScan:
    """Largest row and column of any cell (0 without cells), lost cells by 1-based address, and how
    often each shared text is named.

    ``styled`` holds style and stored number of the cells whose style was asked for, ``named`` the
    shared text of those that name one that was asked for, by 1-based address.
    """

    last_row: int = 0
    last_col: int = 0
    lost: LostCells = field(default_factory=dict)
    shared: Counter[int] = field(default_factory=Counter)
    styled: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    named: dict[tuple[int, int], int] = field(default_factory=dict)


def scan_sheet(
    sheet: bytes,
    sheet_name: str,
    *,
    with_texts: bool,
    styles: Collection[str] = (),
    texts: Collection[int] = (),
) -> SheetScan:
    """Look at a worksheet.

    Parameters
    ----------
    sheet : bytes
        Its XML, without a document type.
    sheet_name : str
        For messages.
    with_texts : bool
        Whether shared texts are counted.
    styles : collection of str
        Styles whose numbers are asked for.
    texts : collection of int
        Shared texts whose cells are asked for.

    Raises
    ------
    FileFault
        The XML is in another spelling than Excel's and damaged, or nested beyond any use.
    """
    extent = _plain_extent(sheet)
    if extent is None:
        return _Parsed(sheet_name, styles, texts).scan(sheet)
    lost = {}
    for attributes, content in _cells_at(
        sheet, sorted({*_formulas_without_plain_result(sheet), *_errors(sheet)})
    ):
        address = _ADDRESS_BYTES.search(attributes)
        text = _lost_text(attributes, content or b"") if address else None
        if text is not None:
            lost[int(address.group(2)), column_number(address.group(1).decode())] = text
    shared = Counter(map(int, _SHARED.findall(sheet))) if with_texts else Counter()
    return SheetScan(*extent, lost, shared, *_asked_for(sheet, styles, texts))


def _asked_for(
    sheet: bytes, styles: Collection[str], texts: Collection[int]
) -> tuple[dict[tuple[int, int], tuple[str, str]], dict[tuple[int, int], int]]:
    """Numbers of some styles, and cells that name some shared texts; nothing is looked for that
    does not occur.
    """
    styled: dict[tuple[int, int], tuple[str, str]] = {}
    named: dict[tuple[int, int], int] = {}
    present = sorted(style for style in styles if b' s="%s"' % style.encode() in sheet)
    if present:
        cells = re.compile(
            (
                rb'<c r="([A-Z]+)([0-9]+)"(?=[^<>]* '
                rb's="(%s)")([^<>]*)>(?:<f[^<>]*(?:/>|>[^<]*</f>))?<v[^<>]*>([^<]*)</v>'
            )
            % "|".join(present).encode()
        )
        for letters, digits, style, attributes, stored in cells.findall(sheet):
            if b" t=" not in attributes or b' t="n"' in attributes:
                styled[int(digits), column_number(letters.decode())] = (
                    style.decode(),
                    stored.decode("ascii", "replace"),
                )
    if texts:
        for letters, digits, index in _SHARED_AT.findall(sheet):
            if int(index) in texts:
                named[int(digits), column_number(letters.decode())] = int(index)
    return styled, named


def column_number(letters: str) -> int:
    """Number of a column by its letters; XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _plain_extent(sheet: bytes) -> tuple[int, int] | None:
    """Largest row and column of a sheet in Excel's spelling; None where any row or cell is spelt in
    another way.
    """
    if b"\x00" in sheet or (b">#" in sheet and any(sign in sheet for sign in _OTHER_ATTRIBUTES)):
        return None
    text = np.frombuffer(sheet + bytes(_TAIL), dtype=np.uint8)
    tags = np.flatnonzero(text == ord("<")) + 1
    first = text[tags]
    if (first == ord("!")).any() or (first[1:] == ord("?")).any() or _PREFIXED.search(sheet):
        return None
    cells, rows = tags[first == ord("c")], tags[first == ord("r")]
    cells = cells[~_goes_on(text[cells + 1])]
    rows = rows[
        (text[rows + 1] == ord("o")) & (text[rows + 2] == ord("w")) & ~_goes_on(text[rows + 3])
    ]
    if not (_is_address_next(text, cells + 1) and _is_address_next(text, rows + 3)):
        return None
    column, place = np.zeros(len(cells), np.int64), cells + 5
    for _ in range(_MOST_LETTERS):
        sign = text[place]
        is_letter = (sign >= ord("A")) & (sign <= ord("Z"))
        if not is_letter.any():
            break
        column = np.where(is_letter, column * 26 + sign - 64, column)
        place = place + is_letter
    row = _numbers_at(text, place)
    row_of_rows = _numbers_at(text, rows + 7)
    if row is None or row_of_rows is None or not column.all():
        return None
    # a row without cells reserves nothing
    return int(row.max(initial=0)), int(column.max(initial=0))


def _goes_on(sign: np.ndarray) -> np.ndarray:
    """Whether a name goes on with this sign: a letter, a digit, or anything but a blank, `/` and
    `>`.
    """
    return (sign > ord(" ")) & (sign != ord("/")) & (sign != ord(">"))


def _is_address_next(text: np.ndarray, places: np.ndarray) -> bool:
    return all((text[places + n] == sign).all() for n, sign in enumerate(b' r="'))


def _numbers_at(text: np.ndarray, place: np.ndarray) -> np.ndarray | None:
    """Numbers that begin at these places and end with a quotation mark; None where one does not."""
    number = np.zeros(len(place), np.int64)
    for _ in range(_MOST_DIGITS):
        sign = text[place]
        is_digit = (sign >= ord("0")) & (sign <= ord("9"))
        if not is_digit.any():
            break
        number = np.where(is_digit, number * 10 + sign - 48, number)
        place = place + is_digit
    return number if (text[place] == ord('"')).all() and number.all() else None


def _cells_at(sheet: bytes, places: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    """Attributes and content of the cells in which these places lie, without a look at the
    others.
    """
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


def _formulas_without_plain_result(sheet: bytes) -> list[int]:
    """Where formulas stand that are not followed by a value in the plain spelling that Excel
    writes.

    Only signs `f` are looked at, which are few: nearly every cell of a delivered table is a number.
    """
    signs = np.frombuffer(sheet, dtype=np.uint8)
    places = np.flatnonzero(signs == ord("f"))
    starts = (places[signs[places - 1] == ord("<")] - 1).tolist()
    return [start for start in starts if not _FORMULA_WITH_RESULT.match(sheet, start)]


def _lost_text(attributes: bytes, content: bytes) -> str | None:
    value = _VALUE.search(content)
    stored = value.group(1) if value else b""
    if b't="e"' in attributes:
        return _plain(stored) or "#ERROR"
    formula = _FORMULA.search(content)
    if formula and not stored and b't="str"' not in attributes:
        return f"={_plain(formula.group(1) or b'')}"
    return None


def _plain(text: bytes) -> str:
    return unescape(text.decode("utf-8", "replace"))


class _Parsed:
    """The same by an XML parser: rows and cells without an address follow the one before, as
    readers have it.
    """

    def __init__(
        self, sheet_name: str, styles: Collection[str] = (), texts: Collection[int] = ()
    ) -> None:
        self.name, self.found = sheet_name, SheetScan()
        self.styles, self.shared_texts, self.style = styles, texts, ""
        self.depth = self.row = self.col = 0
        self.kind: str | None = None
        self.texts: dict[str, list[str]] = {}
        self.part: str | None = None

    def scan(self, sheet: bytes) -> SheetScan:
        """Parse the sheet."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._text, self._doctype
        try:
            parser.Parse(sheet, True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            where = f"sheet {self.name!r}"
            raise FileFault(
                "sheets of well-formed XML",
                f"damaged XML ({error})",
                "export the workbook again",
                where,
            ) from error
        return self.found

    def _doctype(self, *_: object) -> None:
        raise FileFault(
            "a workbook without XML entities",
            "a document type declaration",
            "save the workbook again with Excel or LibreOffice",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FileFault(
                f"XML of at most {MAX_DEPTH:,} levels",
                "more",
                "export the workbook again",
                f"sheet {self.name!r}",
            )
        local = name.rpartition(":")[2]
        if local == "row":
            number = attributes.get("r", "")
            self.row, self.col = (_number(number) if number.isdecimal() else self.row + 1), 0
        elif local == "c":
            self._cell(attributes.get("r", ""))
            self.kind, self.texts, self.style = attributes.get("t"), {}, attributes.get("s", "0")
        elif local in ("v", "is", "f"):
            self.part = local
            self.texts.setdefault(local, [])

    def _cell(self, address: str) -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None:
            self.col += 1
        else:
            self.col = (
                column_number(match.group(1)) if len(match.group(1)) <= 2 * _MOST_LETTERS else _FAR
            )
            self.row = _number(match.group(2))
        self.found.last_row, self.found.last_col = (
            max(self.found.last_row, self.row),
            max(self.found.last_col, self.col),
        )

    def _text(self, text: str) -> None:
        if self.part is not None:
            self.texts[self.part].append(text)

    def _end(self, name: str) -> None:
        self.depth -= 1
        local = name.rpartition(":")[2]
        if local == self.part:
            self.part = None
        if local != "c":
            return
        stored = "".join(self.texts.get("v") or self.texts.get("is") or [])
        if self.kind == "s" and stored.isdecimal() and len(stored) < 10:
            self.found.shared[int(stored)] += 1
            if int(stored) in self.shared_texts:
                self.found.named[self.row, self.col] = int(stored)
        if self.kind in (None, "n") and self.style in self.styles and stored:
            self.found.styled[self.row, self.col] = (self.style, stored)
        if self.kind == "e":
            self.found.lost[self.row, self.col] = stored or "#ERROR"
        elif "f" in self.texts and not stored and self.kind != "str":
            self.found.lost[self.row, self.col] = f"={''.join(self.texts['f'])}"
        self.texts = {}


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= 2 * _MOST_DIGITS else _FAR
