"""One worksheet's XML, read once beside calamine: how far its cells reach, which of them calamine
loses or shows otherwise than Excel, which rows are hidden (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.number_formats import changed_letters, shown_text

_MOST_LETTERS, _MOST_DIGITS = 6, 14
#: Further than any table: an address with more signs than a number can have.
_FAR = 1 << 40
#: What holds a text of its own, and its parts: a shared text is a cell without an address.
_CELLS, _PARTS = ("c", "si"), {"v": "v", "f": "f", "is": "is", "si": "is"}
_ADDRESS = re.compile("([A-Za-z]+)([0-9]+)")


@dataclass
class SheetScan:
    """What a sheet holds beside its values.

    Attributes
    ----------
    last_row, last_col : int
        Largest row and column of any cell (0 without cells).
    lost : dict of (int, int) to str
        By 1-based row and column: an error (``#DIV/0!``), a formula without a stored result
        (``=A1/B1``), a number as its format shows it (``12.5%``), a text with raised letters
        (``12.3¹``).
    hidden : set of int
        1-based rows.
    """

    last_row: int = 0
    last_col: int = 0
    lost: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)


def scan_sheet(
    sheet: bytes,
    sheet_name: str,
    styles: Mapping[str, str] | None = None,
    raised: Mapping[int, str] | None = None,
) -> SheetScan:
    """Look at a worksheet.

    Parameters
    ----------
    sheet : bytes
        Its XML.
    sheet_name : str
        For messages.
    styles : mapping of str to str, optional
        Codes of the number formats that show more than the stored number, by style.
    raised : mapping of int to str, optional
        Shared texts with raised letters.

    Raises
    ------
    FileFault
        The XML is damaged.
    """
    return _Parser(sheet_name, styles or {}, raised or {}).scan(sheet)


def raised_shared_texts(strings: bytes) -> dict[int, str]:
    """Shared texts with raised or lowered letters, by their number, such letters as ² or ₂.

    Parameters
    ----------
    strings : bytes
        ``xl/sharedStrings.xml`` of a workbook.

    Raises
    ------
    FileFault
        The XML is damaged.
    """
    if b"vertAlign" not in strings:
        return {}
    found = scan_sheet(strings, "shared texts").lost
    return {number - 1: text for (_, number), text in found.items()}


class _Parser:
    """Rows and cells without an address follow the one before, as readers have it."""

    def __init__(
        self, sheet_name: str, styles: Mapping[str, str], raised: Mapping[int, str]
    ) -> None:
        self.name, self.styles, self.raised, self.found = sheet_name, styles, raised, SheetScan()
        self.row = self.col = 0
        self.kind, self.style = None, "0"
        # texts of the cell by element, the element at hand, and how the run at hand is placed
        self.texts: dict[str, list[str]] = {}
        self.part: str | None = None
        self.place: str | None = None
        self.is_raised = False

    def scan(self, sheet: bytes) -> SheetScan:
        """Parse the sheet."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(sheet, True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise FileFault(
                "sheets of well-formed XML",
                f"damaged XML ({error})",
                "export the workbook again",
                f"sheet {self.name!r}",
            ) from error
        return self.found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local in _CELLS:
            self._cell(attributes.get("r", ""))
            self.kind, self.style = attributes.get("t"), attributes.get("s", "0")
            self.texts, self.is_raised = {}, False
        if local in _PARTS:
            self.part = _PARTS[local]
            self.texts.setdefault(self.part, [])
        elif local == "row":
            number = attributes.get("r", "")
            self.row, self.col = (_number(number) if number.isdecimal() else self.row + 1), 0
            if attributes.get("hidden") in ("1", "true"):
                self.found.hidden.add(self.row)
        elif self.part == "is" and local in ("r", "rPh"):
            self.place = None if local == "r" else "phonetic"
        elif self.part == "is" and local == "vertAlign":
            self.place = attributes.get("val")

    def _cell(self, address: str) -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None:
            self.col += 1
        else:
            letters, digits = match.groups()
            self.col = column_number(letters) if len(letters) <= _MOST_LETTERS else _FAR
            self.row = _number(digits)
        self.found.last_row = max(self.found.last_row, self.row)
        self.found.last_col = max(self.found.last_col, self.col)

    def _text(self, text: str) -> None:
        if self.part is None or (self.part == "is" and self.place == "phonetic"):
            return
        if self.part == "is" and self.place in ("superscript", "subscript"):
            text, self.is_raised = changed_letters(text, self.place), True
        self.texts[self.part].append(text)

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if _PARTS.get(local) == self.part:
            self.part = self.place = None
        if local in _CELLS:
            lost = self._lost()
            if lost is not None:
                self.found.lost[self.row, self.col] = lost
        elif local in ("r", "rPh"):
            self.place = None

    def _lost(self) -> str | None:
        """Return what calamine loses of the cell, or gives otherwise."""
        stored = "".join(self.texts.get("v") or self.texts.get("is") or ())
        if self.kind == "e":
            return stored or "#ERROR"
        if self.kind == "s" and stored.isdecimal() and len(stored) < 10:
            return self.raised.get(int(stored))
        if self.is_raised:
            return stored
        if "f" in self.texts and not stored and self.kind != "str":
            return f"={''.join(self.texts['f'])}"
        if self.style in self.styles and self.kind in (None, "n") and stored:
            return shown_text(self.styles[self.style], stored)
        return None


def column_number(letters: str) -> int:
    """Return the number of a column by its letters; XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else _FAR
