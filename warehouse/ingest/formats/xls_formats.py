"""Numbers of an old workbook (.xls) whose format shows more than the stored number, such as per
cent (pure).

Records: [MS-XLS] sections 2.4.126 (Format), 2.4.353 (XF), 2.4.180 (Number), 2.4.220 (RK), 2.4.175
(MulRk), 2.4.127 (Formula), 2.5.217 (RkNumber).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from warehouse.ingest.formats.number_formats import BUILT_IN, not_plain, shown_text

_FORMAT, _XF, _NUMBER, _RK, _MULRK, _FORMULA = 0x041E, 0x00E0, 0x0203, 0x027E, 0x00BD, 0x0006
_WIDE = 0x01
_NO_NUMBER = b"\xff\xff"
# the number of an RK: hundredths, or whole; what remains are its upper bits
_HUNDREDTHS, _WHOLE = 1, 2

Records = Iterable[tuple[int, bytes]]


def read_formats(globals_: Records) -> dict[str, str]:
    """Style of a cell (number of its XF record) to the code of its number format, for those that
    show more than the stored number.
    """
    codes, kinds = dict(BUILT_IN), []
    for kind, content in globals_:
        if kind == _FORMAT and len(content) >= 5:
            number, n_signs, flags = struct.unpack_from("<HHB", content)
            text = content[5 : 5 + n_signs * (2 if flags & _WIDE else 1)]
            codes[number] = text.decode("utf-16-le" if flags & _WIDE else "latin-1", "replace")
        elif kind == _XF and len(content) >= 4:
            kinds.append(struct.unpack_from("<H", content, 2)[0])
    return not_plain({str(style): codes[kind] for style, kind in enumerate(kinds) if kind in codes})


def shown_cells(sheet: Records, styles: dict[str, str]) -> dict[tuple[int, int], str]:
    """Text of each number as a person reads it, by 1-based row and column, for the styles given."""
    cells = {}
    for row, col, style, number in _numbers(sheet) if styles else ():
        code = styles.get(str(style))
        text = shown_text(code, repr(number)) if code is not None else None
        if text is not None:
            cells[row + 1, col + 1] = text
    return cells


def _numbers(sheet: Records) -> Iterator[tuple[int, int, int, float]]:
    for kind, content in sheet:
        if kind == _NUMBER:
            yield struct.unpack_from("<HHHd", content)
        elif kind == _RK:
            row, col, style, rk = struct.unpack_from("<HHHI", content)
            yield row, col, style, _rk_number(rk)
        elif kind == _MULRK:
            row, first = struct.unpack_from("<HH", content)
            for n in range((len(content) - 6) // 6):
                style, rk = struct.unpack_from("<HI", content, 4 + 6 * n)
                yield row, first + n, style, _rk_number(rk)
        elif kind == _FORMULA and content[12:14] != _NO_NUMBER:
            yield struct.unpack_from("<HHHd", content)


def _rk_number(rk: int) -> float:
    if rk & _WHOLE:
        number = float(struct.unpack("<i", struct.pack("<I", rk & 0xFFFFFFFC))[0] >> 2)
    else:
        number = struct.unpack("<d", b"\x00\x00\x00\x00" + struct.pack("<I", rk & 0xFFFFFFFC))[0]
    return number / 100 if rk & _HUNDREDTHS else number
