"""Error cells of an old workbook (.xls), which calamine returns as blanks: found in the records of its sheets (pure).

Records and codes: [MS-XLS] sections 2.4.28 (BoundSheet8), 2.4.24 (BoolErr), 2.4.127 (Formula), 2.5.10 (Bes).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
_BOUNDSHEET, _BOOLERR, _FORMULA, _EOF = 0x0085, 0x0205, 0x0006, 0x000A
_WIDE = 0x01
# result of a formula: bytes 6 and 7 both 0xFF mark something other than a number, byte 0 says what
_NO_NUMBER, _IS_ERROR = b"\xff\xff", 2


def find_error_cells(data: bytes) -> dict[str, dict[tuple[int, int], str]]:
    """Sheet name to {(row_no, col_no): text}, 1-based, for every cell that holds an error such as ``#DIV/0!``.

    Parameters
    ----------
    data : bytes
        A whole .xls file without encryption; for one that cannot be read the answer is empty, reading it then names the damage.
    """
    try:
        stream = _workbook_stream(data)
        found = {name: _errors_of_sheet(stream, start) for name, start in _sheets(stream)}
    except (OSError, struct.error, IndexError, ValueError):
        return {}
    return {name: cells for name, cells in found.items() if cells}


def _workbook_stream(data: bytes) -> bytes:
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as container:
        name = next((name for name in ("Workbook", "Book") if container.exists(name)), None)
        return container.openstream(name).read() if name else b""


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record from `start` to the end of its part."""
    place = start
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        if kind == _EOF:
            return
        yield kind, stream[place + 4 : place + 4 + length]
        place += 4 + length


def _sheets(stream: bytes) -> Iterator[tuple[str, int]]:
    for kind, content in _records(stream, 0):
        if kind == _BOUNDSHEET:
            start, _, _, n_signs, flags = struct.unpack_from("<IBBBB", content)
            is_wide = bool(flags & _WIDE)
            text = content[8 : 8 + n_signs * (2 if is_wide else 1)]
            yield text.decode("utf-16-le" if is_wide else "latin-1"), start


def _errors_of_sheet(stream: bytes, start: int) -> dict[tuple[int, int], str]:
    cells = {}
    for kind, content in _records(stream, start):
        code = None
        if kind == _BOOLERR and content[7]:
            code = content[6]
        elif kind == _FORMULA and content[12:14] == _NO_NUMBER and content[6] == _IS_ERROR:
            code = content[8]
        if code is not None:
            row, col = struct.unpack_from("<HH", content)
            cells[row + 1, col + 1] = ERRORS.get(code, "#ERROR")
    return cells
