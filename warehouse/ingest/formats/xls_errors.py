"""An old workbook (.xls) before calamine reads it: how far its cells reach, and the cells that it
loses or gives otherwise (pure).

Error cells come back as blanks, a per cent as its fraction (`xls_formats`), and a raised mark of a
note as a digit (`xls_raised`).

Records and codes: [MS-XLS] sections 2.4.28 (BoundSheet8), 2.4.24 (BoolErr), 2.4.127 (Formula),
2.4.221 (Row), 2.5.10 (Bes).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from warehouse.ingest.formats.sheet_scan import SheetScan
from warehouse.ingest.formats.xls_formats import read_formats, shown_cells
from warehouse.ingest.formats.xls_raised import raised_cells, raised_texts
from warehouse.ingest.formats.xlsx_guard import check_extent

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_BOUNDSHEET, _BOOLERR, _FORMULA, _EOF, _ROW = 0x0085, 0x0205, 0x0006, 0x000A, 0x0208
_HIDDEN = 0x20
_WIDE = 0x01
# Formula, Number, Label, BoolErr, Blank, LabelSst, RK, RString and the runs MulRk, MulBlank, which
# end with their last column
_RUNS = frozenset({0x00BD, 0x00BE})
_CELLS = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x0201, 0x00FD, 0x027E, 0x00D6}) | _RUNS
# result of a formula: bytes 6 and 7 both 0xFF mark something other than a number, byte 0 says what
_NO_NUMBER, _IS_ERROR = b"\xff\xff", 2


def scan_old_workbook(data: bytes) -> dict[str, SheetScan]:
    """Sheet name to what calamine loses or gives otherwise: errors such as ``#DIV/0!``, numbers
    shown as ``12.5%``, raised letters (``12.3¹``), hidden rows.

    Parameters
    ----------
    data : bytes
        A whole .xls file without encryption; for one that cannot be read the answer is empty,
        reading it then names the damage.

    Raises
    ------
    FileFault
        A cell lies far outside any table: calamine reserves every cell up to it.
    """
    try:
        stream = _workbook_stream(data)
        styles, texts = read_formats(_records(stream, 0)), raised_texts(_records(stream, 0))
        found = {}
        for name, start in _sheets(stream):
            scan = _scan_sheet(list(_records(stream, start)), name)
            lost = raised_cells(_records(stream, start), texts)
            lost |= shown_cells(_records(stream, start), styles)
            scan.lost = lost | scan.lost
            found[name] = scan
    except (OSError, struct.error, IndexError, ValueError):
        return {}
    return found


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


def _scan_sheet(records: list[tuple[int, bytes]], sheet_name: str) -> SheetScan:
    """Extent, errors and hidden rows of a sheet."""
    scan = SheetScan()
    for kind, content in records:
        if kind in _CELLS and len(content) >= 4:
            row, col = struct.unpack_from("<HH", content)
            if kind in _RUNS and len(content) >= 6:
                (col,) = struct.unpack_from("<H", content, len(content) - 2)
            scan.last_row, scan.last_col = max(scan.last_row, row + 1), max(scan.last_col, col + 1)
        code = None
        if kind == _BOOLERR and content[7]:
            code = content[6]
        elif kind == _FORMULA and content[12:14] == _NO_NUMBER and content[6] == _IS_ERROR:
            code = content[8]
        elif kind == _ROW and len(content) >= 16 and content[12] & _HIDDEN:
            scan.hidden.add(struct.unpack_from("<H", content)[0] + 1)
        if code is not None:
            scan.lost[row + 1, col + 1] = ERRORS.get(code, "#ERROR")
    check_extent(scan, scan.last_row * scan.last_col, sheet_name)
    return scan
