"""Read a column of delivered cells: their texts, numbers, marks and units (pure)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.ingest.cells.cell_values import (
    ReadNumber,
    cell_number,
    cell_text,
    is_missing,
    read_number,
)
from warehouse.ingest.cells.coded_texts import CodedTexts

_NO_NUMBER = ReadNumber(math.nan)


@dataclass(frozen=True)
class FilledCells:
    """The filled cells of a column.

    Attributes
    ----------
    positions : ndarray of int, shape (n,)
        Their positions in the column.
    texts : pyarrow.Array of string, length n
    numbers : ndarray of float, shape (n,)
        NaN where a cell is no number.
    notes, units : dict of int to str
        The mark behind a number, and the unit that a cell states itself, by place in ``texts``; few
        cells have any.
    """

    positions: np.ndarray
    texts: pa.Array
    numbers: np.ndarray
    notes: dict[int, str]
    units: dict[int, str]


def filled_cells(
    cells: Sequence[object],
    missing: Collection[str],
    unit: str | None = None,
    *,
    decimal_comma: bool = False,
) -> FilledCells:
    """Return cells that are neither blank nor one of the signs for a missing value, each distinct
    one read once.

    Parameters
    ----------
    cells : sequence, length n
    missing : collection of str
        Signs for a missing value, normalised by NFKC and trimmed.
    unit : str, optional
        Unit of the column, which a cell may repeat after its number.
    decimal_comma : bool
        Whether the texts of this column write 1.234,5; its numbers of a workbook are numbers all
        the same.
    """
    known: dict[tuple[type, str], ReadNumber | None] = {}
    positions, texts, numbers, notes, units = [], [], [], {}, {}
    for position, cell in enumerate(cells):
        text = cell if cell.__class__ is str else cell_text(cell)
        key = (cell.__class__, text)
        if key not in known:
            is_filled = not is_missing(cell, missing)
            known[key] = _read(cell, unit, decimal_comma=decimal_comma) if is_filled else None
        found = known[key]
        if found is None:
            continue
        if found.mark:
            notes[len(texts)] = found.mark
        if found.unit:
            units[len(texts)] = found.unit
        positions.append(position)
        texts.append(text)
        numbers.append(found.number)
    return FilledCells(
        np.array(positions, np.int64),
        pa.array(texts, pa.string()),
        np.array(numbers, np.float64),
        notes,
        units,
    )


def _read(cell: object, unit: str | None, *, decimal_comma: bool) -> ReadNumber:
    """Return the number of a cell; of a text that is none alone, also with a mark, a per cent sign
    or the unit behind it.
    """
    is_text = isinstance(cell, str)
    number = None if is_text and decimal_comma else cell_number(cell)
    if number is not None:
        return ReadNumber(number)
    found = read_number(cell, unit=unit, decimal_comma=decimal_comma) if is_text else None
    return found or _NO_NUMBER


def coded_column(cells: Sequence[object]) -> CodedTexts:
    """``cell_text`` of every cell, for a column whose cells repeat."""
    return CodedTexts.from_list(
        [cell if cell.__class__ is str else cell_text(cell) for cell in cells]
    )
