"""Read samples of the sheets of an unknown file, in a worker of `new_source`. Loads the parsers.

A worker returns JSON, so a cell is text, a number, a truth value or null: a date is its text, which
is what a draft compares. Of a long sheet the first rows and every n-th of the others are taken.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from warehouse.ingest.cells.cell_values import cell_text
from warehouse.ingest.formats.grids import check_format, named_format, read_grids
from warehouse.ingest.formats.row_batches import Cell, find_encoding, read_parts
from warehouse.ingest.unchanged_files import open_delivered

#: So many rows of a sheet are taken from its beginning, and about as many from the rest.
HEAD_ROWS, OTHER_ROWS = 2_000, 8_000
#: The separator is looked for in the first lines of a text.
_SEPARATORS, _LINES = (",", ";", "\t", "|"), 30


@dataclass(frozen=True)
class SampleJob:
    """A file to its separator and a sample of its sheets."""

    location: str
    file_name: str

    def run(self, _: None) -> dict[str, object]:
        """``delimiter`` and ``sheets``, pairs of name and rows; of a large text or Parquet file its
        first part.

        Raises
        ------
        FileFault
            The file cannot be read.
        """
        delimiter = ","
        with open_delivered(Path(self.location)) as stream:
            kind = named_format(self.file_name)
            if kind in ("csv", "parquet"):
                check_format(stream.read(4096), self.file_name)
                stream.seek(0)
                delimiter = _delimiter(stream) if kind == "csv" else delimiter
                sheets = [(None, next(read_parts(stream, kind, delimiter=delimiter)))]
            else:
                grids = read_grids(stream.read(), self.file_name)
                sheets = [(grid.sheet_name, grid.rows) for grid in grids]
        return {
            "delimiter": delimiter,
            "sheets": [(name, _sample_rows(rows)) for name, rows in sheets],
        }


def _delimiter(stream: BinaryIO) -> str:
    """Return the commonest of comma, semicolon, tabulator and bar in the first line that
    holds one.
    """
    encoding, _ = find_encoding(stream)
    text = io.TextIOWrapper(stream, encoding=encoding)
    lines = list(islice(text, _LINES))
    text.detach().seek(0)
    for line in lines:
        counts = {sign: line.count(sign) for sign in _SEPARATORS}
        if any(counts.values()):
            return max(counts, key=counts.__getitem__)
    return ","


def _sample_rows(rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    others = rows[HEAD_ROWS:]
    sample = [*rows[:HEAD_ROWS], *others[:: max(1, len(others) // OTHER_ROWS)]]
    return [list(map(_plain, row)) for row in sample]


def _plain(cell: Cell) -> Cell:
    return cell if cell is None or isinstance(cell, str | bool | int | float) else cell_text(cell)
