"""A column read at once equals its cells read one by one; repeated texts stand as codes."""

from __future__ import annotations

import datetime
import math
import random

import pytest

from warehouse.ingest.cells.cell_values import cell_number, cell_text, is_missing
from warehouse.ingest.cells.coded_texts import CodedTexts
from warehouse.ingest.cells.column_values import coded_column, filled_cells

FLOATS = [0.0, -0.0, 1.0, -12.5, 36631000.0, 1e16, 1.5e-7, 9999999999.9, math.nan, math.inf]
TEXTS = ["", " ", "12", " 12.5 ", "1,234", "３，６６３.5", "-", "—", "…", "1e400", "约12", "+.5"]
TEXTS += ["1_000", "−3", "\u3000", "inf", "nan", "0x10", "7.", "1", "0.0"]
OTHERS = [None, 7, 1, True, datetime.date(2015, 3, 7), "x"]


def test_a_column_equals_its_cells() -> None:
    cells = random.Random(7).choices([*FLOATS, *TEXTS, *OTHERS], k=500)
    missing = {"-", "…", "NA"}
    filled = filled_cells(cells, missing)
    positions = [i for i, cell in enumerate(cells) if not is_missing(cell, missing)]
    assert filled.positions.tolist() == positions
    assert filled.texts.to_pylist() == [cell_text(cells[i]) for i in positions]
    assert [None if math.isnan(number) else number for number in filled.numbers.tolist()] == [
        cell_number(cells[i]) for i in positions
    ]
    assert coded_column(cells).to_list() == [cell_text(cell) for cell in cells]
    assert filled_cells([], missing).texts.to_pylist() == []


def test_a_mark_of_a_missing_value_may_be_a_number() -> None:
    cells = ["12", "-9", " -9", "－9", "9", "", "0.5"]
    assert filled_cells(cells, {"-9"}).positions.tolist() == [0, 4, 6]


@pytest.mark.parametrize(
    ("unit", "decimal_comma", "numbers"),
    [
        (None, False, [12.5, 12.5, None, None, 7.5, 7.5]),
        ("万元", False, [12.5, None, 12.5, None, 7.5, 7.5]),
        (None, True, [None, None, None, 12.5, None, 7.5]),
    ],
)
def test_marks_and_units_behind_a_number_are_taken_off(unit, decimal_comma, numbers) -> None:
    cells = ["12.5①", "12.5%", "12.5万元", "12,5", "7.5", 7.5]
    filled = filled_cells(cells, (), unit, decimal_comma=decimal_comma)
    assert [None if math.isnan(number) else number for number in filled.numbers] == numbers
    assert filled.notes == ({} if decimal_comma else {0: "①"})
    assert filled.units == ({1: "%"} if unit is None and not decimal_comma else {})


def test_codes_stand_for_texts_that_are_mapped_joined_and_taken() -> None:
    texts = ["甲", None, "乙", "甲", " ", None]
    coded = CodedTexts.from_list(texts)
    assert coded.to_list() == texts == coded.to_arrow().to_pylist()
    mapped = coded.mapped(lambda text: None if text == "乙" else "丙")
    assert (mapped.to_list(), mapped.words) == (["丙", None, None, "丙", "丙", None], ["丙"])
    joined = CodedTexts.concat([coded, CodedTexts.constant("乙", 2), CodedTexts.constant(None, 1)])
    assert joined.to_list() == [*texts, "乙", "乙", None]
    assert joined.take([8, 1, 6]).to_list() == [None, None, "乙"]
    assert CodedTexts.concat([]).to_list() == []
