"""A column of cells as delivered: its texts, its numbers, which are missing; the same as cell by cell, but many at a time (pure)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.ingest.cell_values import cell_number, cell_text, column_letters, is_blank

# Where Arrow spells a double as Python does; outside, exponents differ.
_SMALLEST, _LARGEST = 1e-4, 1e10
_SHORT = 40
_PLAIN_NUMBER = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?$"


def column_texts(cells: Sequence[object]) -> pa.Array:
    """``cell_text`` of every cell.

    Parameters
    ----------
    cells : sequence, length n

    Returns
    -------
    pyarrow.Array of string, length n
    """
    kinds = set(map(type, cells))
    if kinds <= {str}:
        return pa.array(cells, pa.string())
    if kinds == {float}:
        return _float_texts(cells)
    texts = [cell if cell.__class__ is str else cell_text(cell) for cell in cells] if float not in kinds else list(cells)
    if float in kinds:
        floats = [i for i, cell in enumerate(cells) if cell.__class__ is float]
        for i, text in zip(floats, _float_texts([cells[i] for i in floats]).to_pylist(), strict=True):
            texts[i] = text
        if not kinds <= {float, str}:
            texts = [text if text.__class__ is str else cell_text(text) for text in texts]
    return pa.array(texts, pa.string())


def _float_texts(cells: Sequence[float]) -> pa.Array:
    numbers = np.array(cells)
    size = np.abs(numbers)
    # a NaN fails both comparisons and is spelled cell by cell
    if (((size >= _SMALLEST) & (size < _LARGEST)) | ((numbers == 0) & ~np.signbit(numbers))).all():
        return pc.cast(pa.array(numbers), pa.string())
    return pa.array([cell_text(cell) for cell in cells], pa.string())


def column_numbers(cells: Sequence[object], texts: pa.Array) -> pa.Array:
    """``cell_number`` of every cell, null where it is none.

    Parameters
    ----------
    cells : sequence, length n
    texts : pyarrow.Array
        ``column_texts(cells)``.

    Returns
    -------
    pyarrow.Array of double, length n
    """
    kinds = set(map(type, cells))
    if kinds == {float}:
        numbers = np.array(cells)
        return pa.array(numbers, mask=~np.isfinite(numbers))
    if kinds == {str}:
        # so short a number with two digits of exponent is finite
        plain = pc.and_(pc.match_substring_regex(texts, _PLAIN_NUMBER), pc.less(pc.utf8_length(texts), _SHORT))
        if plain.true_count == len(texts):
            return pc.cast(texts, pa.float64())
        numbers = pc.cast(pc.if_else(plain, texts, None), pa.float64()).to_pylist()
        for i in np.flatnonzero(~plain.to_numpy(zero_copy_only=False)).tolist():
            numbers[i] = cell_number(cells[i])
        return pa.array(numbers, pa.float64())
    return pa.array([cell_number(cell) for cell in cells], pa.float64())


def filled_positions(cells: Sequence[object], missing: Collection[str]) -> Sequence[int]:
    """Positions of the cells that are neither blank nor one of the marks of a missing value (normalised by NFKC, trimmed)."""
    if set(map(type, cells)) == {float} and not np.isnan(np.array(cells)).any():
        return range(len(cells))
    marks = {"", *missing}
    return [
        i
        for i, cell in enumerate(cells)
        if (
            (cell.strip() not in marks if cell.isascii() else not _is_mark(cell, marks))
            if cell.__class__ is str
            else cell == cell  # noqa: PLR0124 -- false for NaN alone
            if cell.__class__ is float
            else not is_blank(cell)
        )
    ]


def _is_mark(text: str, marks: Collection[str]) -> bool:
    return unicodedata.normalize("NFKC", text).strip() in marks or not text.strip()


def cell_refs(col: int, row_nos: pa.Array) -> pa.Array:
    """Spreadsheet addresses of a 0-based column in 1-based rows (texts), such as B7."""
    return pc.binary_join_element_wise(column_letters(col + 1), row_nos, "")


def remembering_search(search: Callable[[str], object]) -> Callable[[str], bool]:
    """A search that looks at each text once: places and years repeat down a column."""
    return lru_cache(maxsize=65536)(lambda text: search(text) is not None)
