"""Grids to raw rows, against a literal loop over the cells, and one line for whatever is
not taken.
"""

import datetime
import random

import pytest
from openpyxl.utils import get_column_letter

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


def test_a_panel_equals_a_literal_loop():
    draw = random.Random(20150307)
    cells = [None, "", "-", "…", "NA", 12.5, 7.0, "１，２３４", "约1", "#DIV/0!", -3.0]
    grid = panel(
        *[[2000.0 + i % 40, "省", f"市{i}", float(i), draw.choice(cells)] for i in range(300)]
    )
    expected = []
    for row_no, (year, _, name, code, cell) in enumerate(grid.rows[2:], start=3):
        if cell not in (None, "", "-", "…", "NA"):
            number = {"１，２３４": 1234.0, "约1": None, "#DIV/0!": None}.get(cell, cell)
            raw = cell if isinstance(cell, str) else f"{cell:g}"
            expected.append(
                (
                    f"E{row_no}",
                    name,
                    f"{code:g}",
                    int(year),
                    raw,
                    number,
                    None if number is not None else "not_a_number",
                )
            )
    taken = [row for row in rows_of(grid) if row["indicator_id"]]
    keys = ("cell_ref", "place_text", "place_code_text", "year", "raw_text", "value", "reason")
    assert [tuple(row[key] for key in keys) for row in taken] == expected
    same = ("source_id", "edition_year", "file_name", "sheet_name", "unit_text", "place_level")
    constants = {tuple(row[key] for key in same) for row in taken}
    assert constants == {("panel", 2020, "a.xlsx", "S", "万元", "city")}


def test_years_across_equal_a_literal_loop():
    years = ["2019年", "2018年", 2017.0]
    body = [
        [f"市{i}", *(float(10 * i + j) if (i + j) % 4 else None for j in range(3))]
        for i in range(1, 30)
    ]
    grid = Grid("贷款", [["数据库"], ["单位：万元"], ["地区", *years], *body, ["数据来源：统计局"]])
    expected = [
        (
            f"{get_column_letter(col)}{row_no}",
            row[0],
            2021 - col,
            row[col - 1],
            "万元",
            "loans_cny_100m",
        )
        for row_no, row in enumerate(body, start=4)
        for col in (2, 3, 4)
        if row[col - 1] is not None
    ]
    found = rows_of(grid, source="sheets")
    keys = ("cell_ref", "place_text", "year", "value", "unit_text", "indicator_id")
    assert [tuple(row[key] for key in keys) for row in found if row["reason"] is None] == expected
    assert [(row["cell_ref"], row["reason"]) for row in found if row["reason"]] == [
        ("A33", "dropped_row")
    ]


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


FLAGGED = """
source_id: flagged
description: A flag beside the values says which of one indicator are imputed.
tables:
  - files: ["*.xlsx"]
    place: {level: city, name: 城市}
    year: {column: 年份}
    indicators:
      - column: 投资
        id: fixed_investment_cny_100m
        unit: 亿元
        left_out_where: {column: 插补, matches: '(?i)^true$', reason: imputed by the compiler}
      - {column: 贷款, id: loans_cny_100m, unit: 亿元}
"""


def test_a_flag_beside_a_value_leaves_out_that_indicator_alone():
    body = [
        [2016.0, "甲市", 3.0, 8.0, False],
        [2017.0, "甲市", 4.0, 9.0, True],
        [2018.0, "甲市", None, 9.5, True],
        [2019.0, "甲市", "约5", 7.0, "TRUE"],
    ]
    grid = Grid("S", [["年份", "城市", "投资", "贷款", "插补"], *body])
    found = build_file_observations(
        [grid], parse_layout(FLAGGED, "flagged.yml").tables, ORIGIN
    ).to_pylist()
    taken = [(row["cell_ref"], row["value"]) for row in found if row["reason"] is None]
    assert taken == [("C2", 3.0), ("D2", 8.0), ("D3", 9.0), ("D4", 9.5), ("D5", 7.0)]
    left = [
        (row["cell_ref"], row["raw_text"], row["reason"], row["detail"])
        for row in found
        if row["reason"]
    ]
    detail = "value left out by the layout: imputed by the compiler"
    assert left == [("C3", "4", "dropped_row", detail), ("C5", "约5", "dropped_row", detail)]
    unflagged = Grid("S", [row[:4] for row in grid.rows])
    with pytest.raises(FileFault, match="a column 插补"):
        build_file_observations([unflagged], parse_layout(FLAGGED, "flagged.yml").tables, ORIGIN)


OF_TWO_MEANINGS = """
source_id: changed
description: A column whose definition changes in 1998.
tables:
  - files: ["*.xlsx"]
    place: {level: city, name: 城市}
    year: {column: 年份}
    indicators:
      - column: 从业人员
        id: employed_10k
        unit: 万人
        other_id_where: {column: 年份, matches: '^199[0-7]$', id: employed_all_10k}
"""


def test_a_column_is_another_indicator_in_the_rows_that_the_layout_names():
    body = [[1997.0, "甲市", 400.0], [1998.0, "甲市", 100.0]]
    grid = Grid("S", [["年份", "城市", "从业人员"], *body])
    tables = parse_layout(OF_TWO_MEANINGS, "changed.yml").tables
    found = build_file_observations([grid], tables, ORIGIN).to_pylist()
    assert [(row["indicator_id"], row["value"], row["reason"]) for row in found] == [
        ("employed_all_10k", 400.0, None),
        ("employed_10k", 100.0, None),
    ]


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
