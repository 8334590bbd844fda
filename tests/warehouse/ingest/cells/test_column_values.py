"""A column read at once equals its cells read one by one."""

from __future__ import annotations

import datetime
import math
import random
import unicodedata

import pytest

from warehouse.ingest.cells.cell_values import cell_number, cell_text, is_blank
from warehouse.ingest.cells.column_values import (
    column_numbers,
    column_texts,
    filled_cells,
    filled_positions,
)

FLOATS = [
    0.0,
    -0.0,
    1.0,
    -12.5,
    36631000.0,
    1e10,
    1e16,
    1.5e-7,
    9999999999.9,
    123456789.12,
    0.0001,
    1e300,
    math.nan,
    math.inf,
]
TEXTS = [
    "",
    " ",
    "12",
    " 12.5 ",
    "1,234",
    "３，６６３.5",
    "-",
    "—",
    "…",
    "1e5",
    "1e400",
    "9" * 400,
    "约12",
    "2015年",
    "+.5",
    "1_000",
]
TEXTS += ["−3", "\u3000", "inf", "-Infinity", "nan", "0x10", "1e-400", "+7", ".5", "7."]
OTHERS = [None, 7, True, datetime.date(2015, 3, 7), 3.25, "x"]


def same(left: object, right: object) -> bool:
    return left == right or (
        isinstance(left, float)
        and isinstance(right, float)
        and math.isnan(left)
        and math.isnan(right)
    )


@pytest.mark.parametrize(
    "pool", [FLOATS[:10], FLOATS, TEXTS, FLOATS + TEXTS, FLOATS + TEXTS + OTHERS, TEXTS + OTHERS]
)
def test_a_column_equals_its_cells(pool) -> None:
    rng = random.Random(7)
    numbers = (
        [round(rng.uniform(-1e6, 1e6), rng.randrange(6)) for _ in range(300)]
        if all(isinstance(cell, float) for cell in pool)
        else []
    )
    cells = [*pool, *numbers, *rng.choices(pool, k=200)]
    texts = column_texts(cells)
    assert texts.to_pylist() == [cell_text(cell) for cell in cells]
    assert all(
        same(a, b)
        for a, b in zip(
            column_numbers(cells, texts).to_pylist(), map(cell_number, cells), strict=True
        )
    )
    missing = {"-", "…", "NA"}

    def is_missing(cell: object) -> bool:
        return is_blank(cell) or (
            isinstance(cell, str) and unicodedata.normalize("NFKC", cell).strip() in missing
        )

    positions = [i for i, cell in enumerate(cells) if not is_missing(cell)]
    assert list(filled_positions(cells, missing)) == positions
    filled = filled_cells(cells, missing)
    assert filled.positions.tolist() == positions
    assert filled.texts.to_pylist() == [cell_text(cells[i]) for i in positions]
    assert [None if math.isnan(number) else number for number in filled.numbers.tolist()] == [
        cell_number(cells[i]) for i in positions
    ]


def test_a_mark_of_a_missing_value_may_be_a_number() -> None:
    cells = ["12", "-9", " -9", "－9", "9", "", "0.5"]
    assert filled_cells(cells, {"-9"}).positions.tolist() == [0, 4, 6]


def test_an_empty_column() -> None:
    assert column_texts([]).to_pylist() == []
    assert column_numbers([], column_texts([])).to_pylist() == []
    assert filled_cells([], {"-"}).texts.to_pylist() == []
