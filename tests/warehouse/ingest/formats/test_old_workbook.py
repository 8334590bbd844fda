"""An old workbook (.xls) is read as a person sees it: errors named, formats and raised marks
shown, merged and hidden cells known.
"""

from __future__ import annotations

import struct

from tests.warehouse.ingest.formats.old_workbook import (
    error_cell,
    failed_formula,
    font_record,
    format_record,
    hundredths_cells,
    number_cell,
    record,
    shared_text_cell,
    shared_texts,
    style_record,
    text_cell,
    write_xls,
)
from warehouse.ingest.formats.grids import read_grids

# the fonts of Excel are numbered 0 to 3 and from 5 on
FONTS = b"".join(map(font_record, (0, 0, 0, 0, 1, 2)))
RAISED, LOWERED = 5, 6
TEXTS = [
    [("地区", 0)],
    [("2284.6", 0), ("2", RAISED)],
    [("秦皇岛市", 0), ("1)", RAISED), ("(新区)", 0)],
    [("CO", 0), ("2", LOWERED)],
    [("12.5", 0), ("3", 1)],
]
STYLES = (
    format_record(170, '0.0"亿元"')
    + style_record(0)
    + style_record(10)
    + style_record(170)
    + style_record(14)
)


def rows_of(*cells: bytes, before: bytes = b"") -> list[list[object]]:
    (grid,) = read_grids(write_xls("表一", list(cells), before), "old.xls")
    assert grid.sheet_name == "表一"
    return grid.rows


def test_error_cells_are_given_as_their_text() -> None:
    rows = rows_of(
        text_cell(0, 0, "城市"),
        number_cell(1, 1, 23014.59),
        error_cell(2, 1, 0x2A),
        failed_formula(3, 1, 0x07),
    )
    assert rows[0] == ["城市"]
    assert [row[1] for row in rows[1:]] == [23014.59, "#N/A", "#DIV/0!"]


def test_numbers_are_given_as_their_format_shows_them() -> None:
    rows = rows_of(
        number_cell(0, 0, 0.125, 1),
        number_cell(0, 1, 0.125),
        number_cell(1, 0, -12.5, 2),
        hundredths_cells(2, 0, [25, 7], 1),
        number_cell(3, 0, 42369.0, 3),
        before=STYLES,
    )
    assert rows[:3] == [["12.5%", 0.125], ["-12.5亿元"], ["25%", "7%"]]
    assert str(rows[3][0]) == "2015-12-31"


def test_raised_letters_are_marks_of_notes_and_no_digits() -> None:
    cells = [shared_text_cell(row, 0, row) for row in range(len(TEXTS))]
    rows = rows_of(*cells, before=FONTS + shared_texts(TEXTS, 40))
    assert rows == [["地区"], ["2284.6²"], ["秦皇岛市¹⁾(新区)"], ["CO₂"], ["12.53"]]


def test_hidden_rows_and_merged_cells_are_known() -> None:
    hidden = record(0x0208, struct.pack("<HHHHHHHH", 1, 0, 2, 255, 0, 0, 0x20, 0))
    merged = record(0x00E5, struct.pack("<HHHHH", 1, 0, 2, 1, 1))
    data = write_xls("S", [hidden, text_cell(0, 0, "a"), number_cell(1, 0, 5.0), merged])
    (grid,) = read_grids(data, "old.xls")
    assert grid.hidden_rows == {2} and grid.merged == (((0, 1), (2, 1)),)
