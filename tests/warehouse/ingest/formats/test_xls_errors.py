"""Error cells of an old workbook are named, not lost."""

from __future__ import annotations

from tests.warehouse.ingest.formats.old_workbook import (
    error_cell,
    failed_formula,
    format_record,
    hundredths_cells,
    number_cell,
    style_record,
    text_cell,
    write_xls,
)
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.formats.xls_errors import scan_old_workbook

CELLS = [
    text_cell(0, 0, "城市"),
    text_cell(0, 1, "地区生产总值"),
    number_cell(1, 1, 23014.59),
    error_cell(2, 1, 0x2A),
    failed_formula(3, 1, 0x07),
    error_cell(4, 3, 0x17),
]


def test_error_cells_are_given_as_their_text() -> None:
    data = write_xls("表一", CELLS)
    lost = scan_old_workbook(data)["表一"].lost
    assert lost == {(3, 2): "#N/A", (4, 2): "#DIV/0!", (5, 4): "#REF!"}
    (grid,) = read_grids(data, "old.xls")
    assert grid.sheet_name == "表一"
    assert grid.rows[0][:2] == ["城市", "地区生产总值"]
    assert grid.rows[1][1] == 23014.59
    assert [grid.rows[2][1], grid.rows[3][1], grid.rows[4][3]] == ["#N/A", "#DIV/0!", "#REF!"]


def test_numbers_are_given_as_their_format_shows_them() -> None:
    styles = (
        format_record(170, '0.0"亿元"')
        + style_record(0)
        + style_record(10)
        + style_record(170)
        + style_record(9)
    )
    cells = [
        text_cell(0, 0, "x"),
        number_cell(1, 0, 0.125, 1),
        number_cell(1, 1, 0.125),
        number_cell(2, 0, -12.5, 2),
        hundredths_cells(3, 0, [25, 7], 1),
        number_cell(4, 0, 0.5, 3),
    ]
    data = write_xls("表一", cells, styles)
    assert scan_old_workbook(data)["表一"].lost == {
        (2, 1): "12.5%",
        (3, 1): "-12.5亿元",
        (4, 1): "25%",
        (4, 2): "7%",
        (5, 1): "50%",
    }
    (grid,) = read_grids(data, "old.xls")
    assert grid.rows[1][:2] == ["12.5%", 0.125]
