"""Grids to raw rows: one line for whatever is not taken, and faults of files that lack what their
layout names; what is taken: tests/warehouse/ingest/habits and the second readers of whole files.
"""

import datetime

import pytest

from tests.warehouse.ingest.delivered import HEADER, layouts
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import Grid
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.raw_table import RAW_SCHEMA, FileOrigin
from warehouse.ingest.sheets.choice import tables_for
from warehouse.ingest.sheets.observations import build_file_observations

ORIGIN = FileOrigin("panel", 2020, "a.xlsx")
TITLE = ["全国城市", None, None, None, None]


def rows_of(*grids: Grid, source: str = "panel") -> list[dict]:
    table = build_file_observations(list(grids), layouts()[source].tables, ORIGIN)
    assert table.schema == RAW_SCHEMA
    return table.to_pylist()


def panel(*rows: list, header=HEADER, sheet: str | None = "S") -> Grid:
    return Grid(sheet, [TITLE, header, *rows])


GOOD = [2015.0, "省", "甲市", 110000.0, 5.0]


@pytest.mark.parametrize(
    ("grid", "line"),
    [
        (panel(GOOD), ("B2", "省份", "unmapped_column", "by the layout: the roster has it")),
        (
            panel([2015.0, "省", "甲市", 1.0, "约5"]),
            ("E3", "约5", "not_a_number", "expected a number, found '约5'"),
        ),
        (
            panel([2015.0, "省", "甲市", 1.0, True]),
            ("E3", "TRUE", "not_a_number", "expected a number, found 'TRUE'"),
        ),
        (
            panel([2015.0, "省", "甲市", 1.0, datetime.date(2015, 3, 7)]),
            ("E3", "2015-03-07", "not_a_number", "found '2015-03-07'"),
        ),
        (
            panel([2015.0, "省", "甲市", 1.0, "=B1*2"]),
            ("E3", "=B1*2", "not_a_number", "formula without a stored result"),
        ),
        (
            panel(["去年", "省", "甲市", 1.0, 5.0]),
            ("E3", "5", "unknown_year", "expected a year from 1900 to 2100, found '去年'"),
        ),
        (panel([2015.5, "省", "甲市", 1.0, 5.0]), ("E3", "5", "unknown_year", "found '2015.5'")),
        (panel([None, "省", "甲市", 1.0, 5.0]), ("E3", "5", "unknown_year", "found None")),
        (
            panel([2015.0, "省", "河北省合计", None, 5.0]),
            ("C3", "河北省合计", "dropped_row", "subtotal of a province"),
        ),
        (
            panel(["注：含郊区", None, None, None, None]),
            ("A3", "注：含郊区", "dropped_row", "found a row without any"),
        ),
        (
            panel(GOOD, header=[*HEADER, "备注"]),
            ("F2", "备注", "unmapped_column", "add it to ignore_columns"),
        ),
        (
            panel([*GOOD, "关注淘宝店"]),
            ("F3", "关注淘宝店", "dropped_row", "advertisement of the seller"),
        ),
        (
            panel([*GOOD, "改动"]),
            ("F2", "改动", "unmapped_column", "expected a header above the 1 cells"),
        ),
        (
            panel([*GOOD, "5"], sheet=None),
            ("A3", "2015", "dropped_row", "expected 5 cells as in the header, found 6"),
        ),
    ],
)
def test_what_is_not_taken_has_one_line_with_its_cell(grid, line):
    *said, detail = line
    (found,) = [
        row
        for row in rows_of(grid)
        if row["reason"] and (row["raw_text"] != "省份" or "省份" in said)
    ]
    assert [found[key] for key in ("cell_ref", "raw_text", "reason")] == said
    assert detail in found["detail"]


def test_sheets_that_are_not_read_have_a_line():
    loans = Grid("贷款", [["单位:亿元"], ["地区", "2019"], ["甲", 1.0]])
    found = [
        *rows_of(loans, Grid("汇总", [["x"]]), source="sheets"),
        *rows_of(panel(GOOD), Grid("说明", [["x"]])),
    ]
    assert [
        (row["sheet_name"], row["reason"], "notes in words" in row["detail"])
        for row in found
        if row["reason"] and row["cell_ref"] is None
    ] == [("汇总", "dropped_row", False), ("说明", "dropped_row", True)]


PLACES_YAML = r"""
source_id: places
description: Headers of two rows, places in merged cells, titles and indicators in rows.
edition_year: {fixed: 2018}
tables:
  - files: [merged.xlsx]
    header: {row: 2, rows: 2}
    place: {level: city, name: 城市, fill_down: true, respell: {四安市: 西安市}}
    year: {edition_offset: -1}
    indicators:
      - pattern: '人口.*\|全市'
        id: population_registered_10k
        unit_pattern: '\((.+?)\)'
        zero_is_missing: no city is empty
      - {pattern: '从业.*\|全市', id: employed_10k, unit: 万人, files: [other.xlsx]}
    ignore_columns:
      - {pattern: '.*\|市辖区', reason: another scope}
      - {letter: B, reason: the name in English}
  - files: [title.xlsx]
    header: {find: [指标]}
    place: {level: city, title: '^地区:(.+)$'}
    year: {columns: '([0-9]{4})年'}
    row_indicators:
      column: 指标
      indicators:
        - {pattern: '生产总值\(.+\)', id: gdp_nominal_cny_100m, unit_pattern: '\((.+)\)$'}
        - {column: 贷款, id: loans_cny_100m, unit: 亿元, optional: true}
"""
MERGED_TOP = [["2-1 人口"], ["城  市", None, "人口(万人)", None], [None, None, "全 市", "市辖区"]]
#: Layouts of files whose sheets lack something as a whole.
OF_FILES = {**layouts(), "places": parse_layout(PLACES_YAML, "places.yml")}
TITLED = ["指标", "2016年"]


@pytest.mark.parametrize(
    ("grids", "source", "message"),
    [
        (
            [panel(GOOD, header=["年份", "省份", "城市", "城市代码"])],
            "panel",
            r"sheet 'S': expected a column 地区生产总值\(万元\); found none .*holds: 年份",
        ),
        (
            [panel(GOOD, header=["年份", "城市", "城市"])],
            "panel",
            "城市代码; .*城市 once; .*duplicate header at B2, C2",
        ),
        (
            [panel([*GOOD, 2015.0], header=[*HEADER, "年份"])],
            "panel",
            "the column 年份 once; found a duplicate header at A2, F2",
        ),
        (
            [panel(GOOD, header=["年份 ", "地区", "名称"])],
            "panel",
            "expected a header row with 年份, 城市 among the first 30 rows; found no such row",
        ),
        ([panel(GOOD, header=[*HEADER, "外资"])], "panel", "expected a column 单位; found none"),
        (
            [Grid("S", [[None]])],
            "panel",
            "expected a filled sheet that the layout selects; found nothing but blank cells",
        ),
        (
            [Grid("存款", [["地区", "2019"], ["甲", 1.0]])],
            "sheets",
            "expected filled sheets 贷款; found 存款",
        ),
        (
            [Grid("贷款", [["地区", "2019"], ["甲", 1.0]])],
            "sheets",
            r"a unit .* at the rows above row 1",
        ),
        (
            [Grid("贷款", [["单位:元"], ["地区", "2019", "2019年"], ["甲", 1.0, 2.0]])],
            "sheets",
            "the year 2019 once for an indicator; found a duplicate header at B2, C2",
        ),
        (
            [Grid("贷款", [["单位:元"], ["地区", "名称"], ["甲", 1.0]])],
            "sheets",
            "columns headed by years",
        ),
        (
            [
                panel(GOOD, sheet="甲", header=["年份", "城市"]),
                panel(GOOD, sheet="乙", header=["年份", "城市"]),
            ],
            "panel",
            "sheet '甲'.*sheet '乙'",
        ),
        (
            [Grid("S", MERGED_TOP)],
            "places/merged.xlsx",
            "expected the edition in the file's name or folder",
        ),
        (
            [Grid("S", [["广州"], TITLED, ["生产总值(亿元)", 2.0]])],
            "places/title.xlsx",
            "a title above row 2 that names the place",
        ),
        (
            [Grid("S", [["地区：广州"], TITLED, ["贷款", 2.0]])],
            "places/title.xlsx",
            r"a row pattern 生产总值.* under 指标",
        ),
        (
            [Grid("S", [["地区：广州"], TITLED, *[["生产总值(亿元)", 2.0]] * 2])],
            "places/title.xlsx",
            "a duplicate at A3, A4",
        ),
    ],
)
def test_a_file_without_what_its_layout_names_is_a_file_fault(grids, source, message):
    source_id, _, name = source.partition("/")
    tables = tables_for(OF_FILES[source_id], name or "a.xlsx")
    with pytest.raises(FileFault, match=message):
        build_file_observations(grids, tables, FileOrigin(source_id, None, name or "a.xlsx"))
