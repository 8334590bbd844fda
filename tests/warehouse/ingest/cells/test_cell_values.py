"""One cell: numbers, years, addresses, headers; a column read at once equals its cells."""

import datetime
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from warehouse.ingest.cells.cell_values import (
    cell_number,
    cell_text,
    code_text,
    column_letters,
    is_missing,
    normal_header,
    parse_number,
    parse_year,
    read_number,
)
from warehouse.ingest.cells.column_values import coded_column, filled_cells

#: Texts that could be another number than they seem.
OTHER_NUMBERS = (
    *("-①", "0,123", "①23", "1²3", "⒈5", "1½", "10⁴", "1.2×10⁴", "-10¹", "3*10³", "x₂", "1₂", "≥5"),
)
#: What a reader of one cell makes of it.
READ = {
    parse_number: [
        ("24779.1000", 24779.1),
        ("３，６６３．５", 3663.5),
        ("1,234,567", 1234567.0),
        ("12 345 678.9", 12345678.9),
        (" -0.5 ", -0.5),
        ("−3.2", -3.2),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("7.", 7.0),
        ("\u00a05.5\u00a0", 5.5),
        *(
            (text, None)
            for text in (
                *("约12", "5亿元", "(5)", "1.O8", "0.81\n0.14", "1_000", "12,34", "1,234 567"),
                *("inf", "1e999", "nan", "0x10", "6.9%", "1.2.3", "", "#DIV/0!"),
                *OTHER_NUMBERS,
            )
        ),
    ],
    cell_number: [
        (cell, None) for cell in (True, math.inf, datetime.date(2015, 1, 1), None, "text")
    ],
    cell_text: [
        (36631000.0, "36631000"),
        (0.140000000596046, "0.140000000596046"),
        (-0.0, "-0"),
        (None, ""),
        (math.nan, ""),
        (True, "TRUE"),
    ],
    parse_year: [
        ("2015", 2015),
        ("2015.0", 2015),
        ("２０１５年", 2015),
        ("1900", 1900),
        ("2100", 2100),
        *(
            (text, None)
            for text in (
                *("1899", "2101", "2015.5", "15", "20155", "二〇一五"),
                *("2015-2016", "2015-12-31", ""),
            )
        ),
    ],
    # without space and width
    normal_header: [
        ("地区生产总值（亿元）", "地区生产总值(亿元)"),
        (" 城 市\n", "城市"),
        ("年份_x000D_\n", "年份"),
        ("ＧＤＰ", "GDP"),
    ],
    # without the decimals of a float column
    code_text: [
        ("110000", "110000"),
        ("110000.0", "110000"),
        (" 1100 ", "1100"),
        ("110000.5", "110000.5"),
    ],
}


@pytest.mark.parametrize(
    ("reader", "cell", "found"),
    [(reader, *case) for reader, cases in READ.items() for case in cases],
)
def test_a_cell_is_read(reader, cell, found):
    assert reader(cell) == found


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_workbooks_number_survives_its_text(number):
    assert parse_number(cell_text(number)) == number


def test_column_letters_agree_with_openpyxl():
    assert [column_letters(col) for col in range(1, 16385)] == [
        get_column_letter(col) for col in range(1, 16385)
    ]


#: Number, mark of a note and unit, by what the column says of its numbers; None where it is none.
BESIDE = [
    ({}, "23014①", (23014.0, "①", None)),
    ({}, "1234²", (1234.0, "²", None)),
    ({}, "12.3¹⁾", (12.3, "¹⁾", None)),
    ({}, "5*", (5.0, "*", None)),
    ({}, "12.5％", (12.5, None, "%")),
    ({}, "−1 234.5 ③", (-1234.5, "③", None)),
    ({}, "１２①†", (12.0, "①†", None)),
    ({}, "3‰①", (3.0, "①", "‰")),
    *(({}, text, None) for text in OTHER_NUMBERS),
    ({"decimal_comma": True}, "1,5", (1.5, None, None)),
    ({"decimal_comma": True}, "1.234,5", (1234.5, None, None)),
    ({"decimal_comma": True}, "1 234,5", (1234.5, None, None)),
    ({"decimal_comma": True}, "-,5", (-0.5, None, None)),
    ({"decimal_comma": True}, "0,123", (0.123, None, None)),
    ({"decimal_comma": True}, "1.234", (1234.0, None, None)),
    ({"decimal_comma": True}, "12", (12.0, None, None)),
    *(({"decimal_comma": True}, text, None) for text in ("1.5", "1,2,3", "1.23,4", ",", "")),
    ({"unit": "亿元"}, "12.5亿元", (12.5, None, None)),
    ({"unit": "万元"}, "12.5亿元", None),
    ({"unit": "万元"}, "12.5%", None),
    ({"unit": "pct"}, "12.5%", (12.5, None, "%")),
]


@pytest.mark.parametrize(("of_column", "text", "found"), BESIDE)
def test_marks_and_units_stand_beside_a_number(of_column, text, found):
    assert read_number(text, **of_column) == found


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
