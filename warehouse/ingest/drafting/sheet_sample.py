"""The sheets of an unknown file, as far as a draft looks at them: what a worker does for
`new_source`. Loads the parsers.

What a worker answers is JSON, so a cell is text, a number, a truth value or nothing: a date is its
text, which is what a draft compares. Of a long sheet the first rows and every so-manieth of the
others are taken.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.ingest.cells.cell_values import cell_text
from warehouse.ingest.formats.grids import FIELD_BYTES, Cell, check_format, decode_text, read_grids
from warehouse.ingest.formats.parts import read_csv_parts, read_parquet_parts
from warehouse.ingest.raw_files import large_kind

#: So many rows of a sheet are taken from its beginning, and about as many from the rest.
HEAD_ROWS, OTHER_ROWS = 2_000, 8_000
#: The separator is looked for in the first lines of a text.
_SEPARATORS, _LINES, _HEAD_BYTES = (",", ";", "\t", "|"), 30, 30 * FIELD_BYTES


@dataclass(frozen=True)
class SampleJob:
    """A file, as bytes or (`data` None) as an open one, to its separator and a sample of its
    sheets.
    """

    data: bytes | None
    file_name: str

    def run(self, descriptor: int | None) -> dict[str, object]:
        """``delimiter`` and ``sheets``, pairs of name and rows.

        Raises
        ------
        FileFault
            The file cannot be read.
        """
        with (
            io.BytesIO(self.data)
            if self.data is not None
            else os.fdopen(os.dup(descriptor), "rb") as stream
        ):
            return _sample_file(stream, self.file_name)


def _sample_file(stream: io.BufferedIOBase, file_name: str) -> dict[str, object]:
    stream.seek(0)
    kind = check_format(stream.read(4096), file_name)
    stream.seek(0)
    delimiter = _delimiter(stream.read(_HEAD_BYTES)) if kind == "csv" else ","
    stream.seek(0)
    large = large_kind(stream, file_name)
    if large == "csv":
        sheets = [(None, next(read_csv_parts(stream, delimiter=delimiter)))]
    elif large == "parquet":
        header, parts = read_parquet_parts(stream)
        sheets = [(None, [header, *next(parts, [])])]
    else:
        grids = read_grids(stream.read(), file_name, delimiter=delimiter)
        sheets = [(grid.sheet_name, grid.rows) for grid in grids]
    return {"delimiter": delimiter, "sheets": [(name, _sample_rows(rows)) for name, rows in sheets]}


def _delimiter(head: bytes) -> str:
    """The commonest of comma, semicolon, tabulator and bar in the first line that holds one."""
    # the cut may have parted a character: what stands before the last line's end is whole
    whole = head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    for line in decode_text(whole).splitlines()[:_LINES]:
        counts = {sign: line.count(sign) for sign in _SEPARATORS}
        if any(counts.values()):
            return max(counts, key=counts.__getitem__)
    return ","


def _sample_rows(rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    others = rows[HEAD_ROWS:]
    return [
        [_plain(cell) for cell in row]
        for row in (*rows[:HEAD_ROWS], *others[:: max(1, len(others) // OTHER_ROWS)])
    ]


def _plain(cell: Cell) -> Cell:
    return cell if cell is None or isinstance(cell, str | bool | int | float) else cell_text(cell)
