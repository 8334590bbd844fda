"""Raised letters of an old workbook: a mark of a note is no digit of the number before it."""

from __future__ import annotations

import io

import pytest
import xlrd

from tests.warehouse.ingest.formats.old_workbook import (
    font_record,
    number_cell,
    shared_text_cell,
    shared_texts,
    write_xls,
)
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.formats.xls_errors import scan_old_workbook

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


def workbook(most_bytes: int = 8224) -> bytes:
    cells = [shared_text_cell(row, 0, row) for row in range(len(TEXTS))]
    return write_xls(
        "表一", [*cells, number_cell(0, 1, 7.0)], FONTS + shared_texts(TEXTS, most_bytes)
    )


@pytest.mark.parametrize("most_bytes", [8224, 40, 31, 22])
def test_raised_letters_are_marks_wherever_the_records_are_cut(most_bytes: int) -> None:
    data = workbook(most_bytes)
    assert scan_old_workbook(data)["表一"].lost == {
        (2, 1): "2284.6²",
        (3, 1): "秦皇岛市¹⁾(新区)",
        (4, 1): "CO₂",
    }
    (grid,) = read_grids(data, "old.xls")
    assert [row[0] for row in grid.rows] == ["地区", "2284.6²", "秦皇岛市¹⁾(新区)", "CO₂", "12.53"]


def test_an_independent_reader_finds_the_same_runs() -> None:
    book = xlrd.open_workbook(
        file_contents=workbook(40), formatting_info=True, logfile=io.StringIO()
    )
    sheet = book.sheet_by_index(0)
    assert [sheet.cell_value(row, 0) for row in range(5)] == [
        "".join(part for part, _ in runs) for runs in TEXTS
    ]
    raised = {
        row
        for (row, _), runs in sheet.rich_text_runlist_map.items()
        if any(book.font_list[font].escapement == 1 for _, font in runs)
    }
    assert raised == {1, 2}
