"""Raised and lowered letters of an old workbook (.xls): the same as `raised_texts` for the records
of Excel 97-2003 (pure).

Records: [MS-XLS] sections 2.4.122 (Font), 2.4.265 (SST), 2.4.58 (Continue), 2.4.149 (LabelSst),
2.5.293 (XLUnicodeRichExtendedString).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from warehouse.ingest.formats.raised_texts import changed_letters

_FONT, _SST, _CONTINUE, _LABEL_SST = 0x0031, 0x00FC, 0x003C, 0x00FD
_PLACES = {1: "superscript", 2: "subscript"}
_WIDE, _EXTENDED, _RICH = 0x01, 0x04, 0x08
# the font of this number does not exist: those after it are numbered one higher than they stand
_NO_FONT = 4

Records = Iterable[tuple[int, bytes]]


def raised_texts(globals_: Records) -> dict[int, str]:
    """Shared texts with raised or lowered letters, by their number, such letters as ² or ₂.

    Parameters
    ----------
    globals_ : iterable of (int, bytes)
        Records of the workbook's first part: its fonts and its shared texts.

    Returns
    -------
    dict of int to str
        Empty where no font is raised or lowered, and where the table of texts is damaged: reading
        the file then names the damage.
    """
    fonts, pieces, is_cut = [], [], False
    for kind, content in globals_:
        if kind == _FONT:
            fonts.append(struct.unpack_from("<H", content, 8)[0])
        elif kind == _SST or (kind == _CONTINUE and is_cut):
            pieces.append(content)
        # the records that continue the table follow it at once
        is_cut = kind == _SST or (kind == _CONTINUE and is_cut)
    # most workbooks know no such font, and their texts need not be looked at
    if not pieces or not _PLACES.keys() & set(fonts):
        return {}
    try:
        return dict(_changed(pieces, fonts))
    except (struct.error, IndexError):
        return {}


def _changed(pieces: list[bytes], fonts: list[int]) -> Iterator[tuple[int, str]]:
    """Number and shown text of each shared text that its fonts change."""
    (n_texts,) = struct.unpack_from("<I", pieces[0], 4)
    reader = _Pieces(pieces, start=8)
    for number in range(n_texts):
        text, runs = reader.read_text()
        shown = _shown(text, runs, fonts) if runs else text
        if shown != text:
            yield number, shown


def raised_cells(sheet: Records, texts: dict[int, str]) -> dict[tuple[int, int], str]:
    """Text of each cell of a sheet that names one of these shared texts, by 1-based row and
    column.
    """
    cells = {}
    for kind, content in sheet if texts else ():
        if kind == _LABEL_SST:
            row, col, _, number = struct.unpack_from("<HHHI", content)
            if number in texts:
                cells[row + 1, col + 1] = texts[number]
    return cells


def _shown(text: str, runs: list[tuple[int, int]], fonts: list[int]) -> str:
    """The text with the letters of each run as its font shows them; a run reaches to the
    next one.
    """
    parts = [text[: runs[0][0]]]
    for (start, font), end in zip(
        runs, [start for start, _ in runs[1:]] + [len(text)], strict=True
    ):
        place = font - 1 if font > _NO_FONT else font
        form = fonts[place] if place < len(fonts) else 0
        run = text[start:end]
        parts.append(changed_letters(run, _PLACES.get(form)))
    return "".join(parts)


class _Pieces:
    """The table of shared texts, which is cut into records of at most 8,224 bytes: inside a text
    the next one begins with its own width.
    """

    def __init__(self, pieces: list[bytes], start: int) -> None:
        self.pieces, self.number, self.place = pieces, 0, start

    def read_text(self) -> tuple[str, list[tuple[int, int]]]:
        """The next text, and the first letter and font of each run in it."""
        n_signs, flags = struct.unpack("<HB", self._read(3))
        n_runs = struct.unpack("<H", self._read(2))[0] if flags & _RICH else 0
        n_extra = struct.unpack("<I", self._read(4))[0] if flags & _EXTENDED else 0
        text = "".join(self._signs(n_signs, is_wide=bool(flags & _WIDE)))
        runs = [struct.unpack("<HH", self._read(4)) for _ in range(n_runs)]
        self._read(n_extra)
        return text, runs

    def _signs(self, n_signs: int, *, is_wide: bool) -> Iterator[str]:
        while n_signs > 0:
            width = 2 if is_wide else 1
            n_here = min(n_signs, (len(self.pieces[self.number]) - self.place) // width)
            yield self._read(n_here * width).decode(
                "utf-16-le" if is_wide else "latin-1", "replace"
            )
            n_signs -= n_here
            if n_signs > 0:
                self.number, self.place = self.number + 1, 0
                is_wide = bool(self._read(1)[0] & _WIDE)

    def _read(self, n_bytes: int) -> bytes:
        """Bytes across the records' borders."""
        parts = []
        while n_bytes > 0:
            piece = self.pieces[self.number][self.place : self.place + n_bytes]
            parts.append(piece)
            n_bytes, self.place = n_bytes - len(piece), self.place + len(piece)
            if n_bytes > 0:
                self.number, self.place = self.number + 1, 0
        return b"".join(parts)
