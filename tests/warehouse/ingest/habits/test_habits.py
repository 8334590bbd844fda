"""Habits of statistics offices and of those who pass tables on, each as a small workbook with a
layout: read right, or refused clearly.

The habits were listed before the reader learned the keys that they need; the values are made up.
"""

import io

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from tests.warehouse.ingest.delivered import csv_bytes, xlsx_bytes
from warehouse.ingest.delivered_files import matches_path
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.sheets.choice import tables_for
from warehouse.ingest.sheets.observations import build_file_observations

GDP, POPULATION = "gdp_nominal_cny_100m", "population_registered_10k"


def read(tables: str, data: bytes, name: str = "表.xlsx") -> list[dict]:
    """Raw rows of one file by a layout with these tables."""
    layout = parse_layout(
        f"source_id: office\ndescription: A habit.\ntables:\n{tables}", "office.yml"
    )
    chosen = tables_for(layout, name, matches_path)
    grids = read_grids(data, name, encoding=chosen[0].encoding, delimiter=chosen[0].delimiter)
    return build_file_observations(grids, chosen, FileOrigin("office", None, name)).to_pylist()


def taken(rows: list[dict]) -> list[tuple]:
    """Place, year, indicator, unit and value of what was taken, in order."""
    return [
        (
            row["place_text"] or row["place_code_text"],
            row["year"],
            row["indicator_id"],
            row["unit_text"],
            row["value"],
        )
        for row in rows
        if row["reason"] is None
    ]


def rejected(rows: list[dict]) -> list[tuple]:
    """Address and reason of what was not taken."""
    return [(row["cell_ref"], row["reason"]) for row in rows if row["reason"] is not None]


def test_01_the_corner_above_the_cities_is_empty():
    data = xlsx_bytes(表=[["", "2014年", "2015年"], ["北京市", 1.0, 2.0], ["天津市", 3.0, 4.0]])
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name_letter: A}}
    year: {{columns: "([0-9]{{4}})年"}}
    sheet_indicators: {{表: {{id: {GDP}, unit: 亿元}}}}
""",
        data,
    )
    assert taken(rows) == [
        (c, y, GDP, "亿元", v)
        for c, y, v in [
            ("北京市", 2014, 1),
            ("北京市", 2015, 2),
            ("天津市", 2014, 3),
            ("天津市", 2015, 4),
        ]
    ]
    assert rejected(rows) == []


STACKED = [
    ["表1 地区生产总值(亿元)"],
    ["地区", "2014年", "2015年"],
    ["北京市", 1.0, 2.0],
    ["续表 年末人口(万人)"],
    ["地区", "2014年", "2015年"],
    ["北京市", 5.0, 6.0],
    ["注:未包括港澳台。"],
]
STACKED_LAYOUT = rf"""
  - files: ["*"]
    header: {{find: [地区]}}
    ends: {{matches: ^续表}}
    place: {{level: city, name: 地区}}
    year: {{columns: "([0-9]{{4}})年"}}
    sheet_indicators: {{"*": {{id: {GDP}, unit_pattern: '生产总值\(([^()]+)\)'}}}}
  - files: ["*"]
    header: {{find: [地区], after: ^续表}}
    place: {{level: city, name: 地区}}
    year: {{columns: "([0-9]{{4}})年"}}
    sheet_indicators: {{"*": {{id: {POPULATION}, unit_pattern: '人口\(([^()]+)\)'}}}}
    drop_rows:
      - {{column: "*", matches: ^注, reason: note under the table}}
"""


def test_02_a_second_table_stands_below_the_first():
    rows = read(STACKED_LAYOUT, xlsx_bytes(表=STACKED))
    assert taken(rows) == [
        ("北京市", 2014, GDP, "亿元", 1),
        ("北京市", 2015, GDP, "亿元", 2),
        ("北京市", 2014, POPULATION, "万人", 5),
        ("北京市", 2015, POPULATION, "万人", 6),
    ]


def test_02_a_second_table_that_no_layout_names_is_refused():
    first_only = STACKED_LAYOUT[: STACKED_LAYOUT.index("  - files", 10)]
    with pytest.raises(
        FileFault,
        match=(
            r"texts in row 5 and numbers below them .地区, 2014年, 2015年.; "
            r"if a second table begins there"
        ),
    ):
        read(first_only.replace("    ends: {matches: ^续表}\n", ""), xlsx_bytes(表=STACKED))


def test_02_years_as_numbers_begin_a_second_table_too():
    rows = [
        ["地区", 2013, 2014, 2015],
        ["北京市", 1, 2, 3],
        ["城市", 2013, 2014, 2015],
        ["北京市", 7, 8, 9],
    ]
    layout = f"""
  - files: ["*"]
    place: {{level: city, name: 地区}}
    year: {{columns: "([0-9]{{4}})"}}
    sheet_indicators: {{"*": {{id: {GDP}}}}}
"""
    with pytest.raises(FileFault, match="texts in row 3 and numbers below them"):
        read(layout, xlsx_bytes(表=rows))


def test_02_rows_below_the_end_of_a_table_are_listed():
    first_only = STACKED_LAYOUT[: STACKED_LAYOUT.index("  - files", 10)]
    rows = read(first_only, xlsx_bytes(表=STACKED))
    assert [row[4] for row in taken(rows)] == [1, 2]
    assert rejected(rows) == [(f"A{row}", "dropped_row") for row in (4, 5, 6, 7)]


def test_03_units_stand_in_a_row_of_their_own():
    data = xlsx_bytes(
        表=[
            ["城市", "年份", "地区生产总值", "年末人口"],
            ["", "", "(亿元)", "单位:万人"],
            ["北京市", 2015, 1.0, 2.0],
        ]
    )
    layout = f"""
  - files: ["*"]
    header: {{row: 1%s}}
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators:
      - {{column: 地区生产总值, id: {GDP}}}
      - {{column: 年末人口, id: {POPULATION}}}
"""
    assert taken(read(layout % ", unit_row: 1", data)) == [
        ("北京市", 2015, GDP, "亿元", 1),
        ("北京市", 2015, POPULATION, "万人", 2),
    ]
    with pytest.raises(FileFault, match=r"texts in row 2 and numbers below them .*header.unit_row"):
        read(layout % "", data)


def test_03_a_blank_in_the_row_of_units_is_a_fault():
    data = xlsx_bytes(表=[["城市", "年份", "地区生产总值"], ["", "", ""], ["北京市", 2015, 1.0]])
    layout = f"""
  - files: ["*"]
    header: {{row: 1, unit_row: 1}}
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: 地区生产总值, id: {GDP}}}]
"""
    with pytest.raises(FileFault, match=r"a unit in C2 .header.unit_row.; found a blank cell"):
        read(layout, data)


def test_04_cities_stand_across_and_the_sheet_names_the_indicator():
    data = xlsx_bytes(
        地区生产总值=[["年份", "北京市", "天津市"], [2014, 1.0, 2.0], [2015, 3.0, 4.0]]
    )
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, columns: "(.+)"}}
    year: {{column: 年份}}
    sheet_indicators: {{地区生产总值: {{id: {GDP}, unit: 亿元}}}}
""",
        data,
    )
    assert taken(rows) == [
        (c, y, GDP, "亿元", v)
        for c, y, v in [
            ("北京市", 2014, 1),
            ("天津市", 2014, 2),
            ("北京市", 2015, 3),
            ("天津市", 2015, 4),
        ]
    ]


def test_05_cities_across_with_indicators_below_them():
    data = xlsx_bytes(
        表=[
            ["年份", "北京市", "", "天津市", ""],
            ["", "GDP(亿元)", "人口(万人)", "GDP(亿元)", "人口(万人)"],
            [2015, 1, 2, 3, 4],
        ]
    )
    rows = read(
        rf"""
  - files: ["*"]
    header: {{row: 1, rows: 2}}
    place: {{level: city, columns: '(.+)\|.+'}}
    year: {{column: 年份}}
    indicators:
      - {{pattern: 'GDP\(.+\)', id: {GDP}, unit_pattern: '\(([^()]+)\)'}}
      - {{pattern: '人口\(.+\)', id: {POPULATION}, unit_pattern: '\(([^()]+)\)'}}
""",
        data,
    )
    assert taken(rows) == [
        ("北京市", 2015, GDP, "亿元", 1),
        ("北京市", 2015, POPULATION, "万人", 2),
        ("天津市", 2015, GDP, "亿元", 3),
        ("天津市", 2015, POPULATION, "万人", 4),
    ]


def test_06_the_year_is_the_sheets_name():
    rows = [["城市", "GDP"], ["北京市", 1.0]]
    got = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{sheet_name: "([0-9]{{4}})"}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
        xlsx_bytes(**{"2014年": rows, "2015年": rows}),
    )
    assert [(row[0], row[1], row[4]) for row in taken(got)] == [
        ("北京市", 2014, 1),
        ("北京市", 2015, 1),
    ]


@pytest.mark.parametrize(
    ("year", "title", "expected"),
    [
        ('title: "[(]([0-9]{4})年[)]"', "2-3 各市地区生产总值（2015年）", 2015),
        ("constant: 2012", "各市地区生产总值", 2012),
    ],
)
def test_07_the_year_stands_in_the_title_or_nowhere(year, title, expected):
    got = read(
        f"""
  - files: ["*"]
    header: {{find: [城市]}}
    place: {{level: city, name: 城市}}
    year: {{{year}}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
        xlsx_bytes(表=[[title], [], ["城市", "GDP"], ["北京市", 1.0]]),
    )
    assert taken(got) == [("北京市", expected, GDP, None, 1)]


def test_07_a_title_without_its_year_is_a_fault():
    with pytest.raises(FileFault, match=r"a title above row 2 that names the year"):
        read(
            f"""
  - files: ["*"]
    header: {{find: [城市]}}
    place: {{level: city, name: 城市}}
    year: {{title: "([0-9]{{4}})年"}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
            xlsx_bytes(表=[["各市地区生产总值"], ["城市", "GDP"], ["北京市", 1.0]]),
        )


def test_08_one_value_a_row_with_indicator_and_unit_beside_it():
    header = ["指标", "地区", "时间", "数值", "单位"]
    values = [
        ["GDP", "北京市", "2015年", "1", "亿元"],
        ["年末人口", "北京市", "2015年", "2", "万人"],
        ["降水量", "北京市", "2015年", "3", "毫米"],
    ]
    data = csv_bytes([header, *values])
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: 地区}}
    year: {{column: 时间}}
    row_indicators:
      column: 指标
      value: 数值
      unit_column: 单位
      indicators:
        - {{column: GDP, id: {GDP}}}
        - {{column: 年末人口, id: {POPULATION}}}
""",
        data,
        "长.csv",
    )
    assert taken(rows) == [
        ("北京市", 2015, GDP, "亿元", 1),
        ("北京市", 2015, POPULATION, "万人", 2),
    ]
    assert rejected(rows) == [("A4", "unmapped_column")]


def test_09_merged_cells_hold_year_and_city():
    data = xlsx_bytes(
        表=[
            ["年份", "城市", "产业", "值"],
            [2014, "北京市", "一", 1.0],
            ["", "", "二", 2.0],
            [2015, "北京市", "一", 3.0],
            ["", "", "二", 4.0],
        ]
    )
    rows = read(
        """
  - files: ["*"]
    place: {level: city, name: 城市, fill_down: true}
    year: {column: 年份, fill_down: true}
    row_indicators:
      column: 产业
      value: 值
      indicators:
        - {column: 一, id: value_added_primary_cny_100m, unit: 亿元}
        - {column: 二, id: value_added_secondary_cny_100m, unit: 亿元}
""",
        data,
    )
    assert [(row[0], row[1], row[2][12:15], row[4]) for row in taken(rows)] == [
        ("北京市", 2014, "pri", 1),
        ("北京市", 2014, "sec", 2),
        ("北京市", 2015, "pri", 3),
        ("北京市", 2015, "sec", 4),
    ]


def marked_workbook() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["城市", "年份", "GDP"])
    for year, cell in enumerate(
        [
            "23014①",
            "1234²",
            CellRichText("12.3", TextBlock(InlineFont(vertAlign="superscript"), "1")),
            "-①",
            "0,123",
        ],
        2011,
    ):
        sheet.append(["北京市①", year, cell])
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def test_10_marks_of_notes_are_no_digits():
    layout = f"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}}}]
"""
    rows = read(layout, marked_workbook())
    assert [(row["value"], row["observation_note"]) for row in rows if row["reason"] is None] == [
        (23014, "①"),
        (1234, "²"),
        (12.3, "¹"),
    ]
    assert rejected(rows) == [("C5", "not_a_number"), ("C6", "not_a_number")]


def test_11_subtotals_and_of_which_rows_are_left_out_by_name():
    data = xlsx_bytes(
        表=[
            ["地区", "年份", "GDP"],
            ["河北省", 2015, 9.0],
            ["石家庄市", 2015, 1.0],
            ["#市辖区", 2015, 0.5],
            ["合计", 2015, 1.0],
        ]
    )
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: 地区}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}}}]
    drop_rows:
      - {{column: 地区, matches: '省$|^#|^合计$', reason: total or part of the row above}}
""",
        data,
    )
    assert [row[0] for row in taken(rows)] == ["石家庄市"]
    assert [reason for _, reason in rejected(rows)] == ["dropped_row"] * 3


def test_12_a_comma_separates_decimals():
    text = "city;year;GDP\nBeijing;2015;23.014,6\nTianjin;2015;0,5\nBaoding;2015;1.5\n"
    rows = read(
        f"""
  - files: ["*"]
    delimiter: ";"
    decimal_comma: true
    place: {{level: city, name: city}}
    year: {{column: year}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
        text.encode(),
        "export.csv",
    )
    assert [row[4] for row in taken(rows)] == [23014.6, 0.5]
    assert rejected(rows) == [("C4", "not_a_number")]


def test_13_the_sheet_is_the_province_of_its_cities():
    rows = [["City", "2014", "2015"], ["Suzhou", "1", "2"]]
    got = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: City, within: {{sheet_name: "(.+)"}}}}
    year: {{columns: "([0-9]{{4}})"}}
    sheet_indicators: {{"*": {{id: {GDP}}}}}
""",
        xlsx_bytes(Jiangsu=rows, Anhui=rows),
    )
    assert [(row["place_text"], row["place_within_text"], row["year"]) for row in got] == [
        ("Suzhou", "Jiangsu", 2014),
        ("Suzhou", "Jiangsu", 2015),
        ("Suzhou", "Anhui", 2014),
        ("Suzhou", "Anhui", 2015),
    ]


def test_14_another_sheet_explains_the_keys():
    data = xlsx_bytes(
        数据=[["编号", "年份", "GDP"], [1, 2015, 10.0], [2, 2015, 20.0], [9, 2015, 30.0]],
        名录=[["编号", "城市", "代码"], [1, "北京市", 110000], [2, "天津市", 120000]],
    )
    rows = read(
        f"""
  - files: ["*"]
    sheets: {{names: [数据]}}
    ignore_sheets: [{{name: 名录, reason: list of the keys}}]
    place: {{level: city, looked_up: {{sheet: 名录, key: 编号, name: 城市, code: 代码}}}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
        data,
    )
    assert [
        (row["place_code_text"], row["place_text"], row["value"])
        for row in rows
        if row["reason"] is None
    ] == [
        ("110000", "北京市", 10),
        ("120000", "天津市", 20),
        (None, "9", 30),
    ]


def formatted_workbook() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["城市", "年份", "比重", "GDP(亿元)", "人口(万人)"])
    sheet.append(["北京市", 2015, 0.1254, 23014.59, 13450])
    for address, code in (("C2", "0.0%"), ("B2", '0"年"'), ("D2", '0.0"亿元"'), ("E2", "#,##0,")):
        sheet[address].number_format = code
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def test_15_what_a_number_format_shows_is_read():
    rows = read(
        rf"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators:
      - {{column: 比重, id: gdp_share_primary_pct}}
      - {{column: GDP(亿元), id: {GDP}, unit_pattern: '\(([^()]+)\)'}}
      - {{column: 人口(万人), id: {POPULATION}, unit_pattern: '\(([^()]+)\)'}}
""",
        formatted_workbook(),
    )
    assert taken(rows) == [
        ("北京市", 2015, "gdp_share_primary_pct", "%", 12.54),
        ("北京市", 2015, GDP, "亿元", 23014.59),
    ]
    # shown as 13: whether the header's unit is meant before or after the division, nobody can know
    assert rejected(rows) == [("E2", "not_a_number")]


def test_16_signs_of_a_missing_value_are_no_values():
    signs = ["…", "——", "..", "N/A", "缺失", "－", "n.a."]
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
        xlsx_bytes(
            表=[
                ["城市", "年份", "GDP"],
                *(["北京市", 2010 + i, sign] for i, sign in enumerate(signs)),
                ["北京市", 2020, 1.0],
            ]
        ),
    )
    assert [row[1] for row in taken(rows)] == [2020]
    assert rejected(rows) == []


@pytest.mark.parametrize("line", ["单位：万元", "Unit: 10000 yuan", "（单位:万元）"])
def test_17_a_line_of_units_in_the_body_is_refused(line):
    layout = f"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}, unit: 亿元}}]
%s"""
    rows = [["城市", "年份", "GDP"], ["北京市", 2014, 1.0], [line], ["北京市", 2015, 20000]]
    with pytest.raises(FileFault, match="a line of units in row 3"):
        read(layout % "", xlsx_bytes(表=rows))
    got = read(layout % "    ends: {matches: 单位|Unit}\n", xlsx_bytes(表=rows))
    assert [row[4] for row in taken(got)] == [1]
    assert rejected(got) == [("A3", "dropped_row"), ("A4", "dropped_row")]


def test_17_a_line_that_repeats_the_unit_changes_nothing():
    rows = [
        ["单位:亿元"],
        ["城市", "年份", "GDP"],
        ["北京市", 2014, 1.0],
        ["单位:亿元"],
        ["北京市", 2015, 2.0],
    ]
    got = read(
        f"""
  - files: ["*"]
    header: {{row: 2}}
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}, unit: 亿元}}]
""",
        xlsx_bytes(表=rows),
    )
    assert [row[4] for row in taken(got)] == [1, 2]


def test_18_two_halves_of_a_table_stand_side_by_side():
    half = f"""
  - files: ["*"]
    span: "%s"
    place: {{level: city, name: 地区}}
    year: {{constant: 2015}}
    indicators: [{{column: GDP, id: {GDP}, unit: 亿元}}]
"""
    data = xlsx_bytes(
        表=[
            ["地区", "GDP", "地区", "GDP", "备注"],
            ["北京市", 1.0, "石家庄市", 3.0, "x"],
            ["天津市", 2.0, "唐山市", 4.0, ""],
        ]
    )
    rows = read(half % "A:B" + half % "C:D", data)
    assert [(row[0], row[4]) for row in taken(rows)] == [
        ("北京市", 1),
        ("天津市", 2),
        ("石家庄市", 3),
        ("唐山市", 4),
    ]
    assert rejected(rows) == [("E1", "unmapped_column")]


def test_19_years_stand_under_each_indicator():
    data = xlsx_bytes(
        表=[
            ["地区", "GDP(亿元)", "", "人口(万人)", ""],
            ["", "2014年", "2015年", "2014年", "2015年"],
            ["北京市", 1, 2, 3, 4],
        ]
    )
    rows = read(
        rf"""
  - files: ["*"]
    header: {{row: 1, rows: 2}}
    place: {{level: city, name: 地区}}
    year: {{columns: '.+\|([0-9]{{4}})年'}}
    indicators:
      - {{pattern: 'GDP\(.+\)', id: {GDP}, unit_pattern: '\(([^()]+)\)'}}
      - {{pattern: '人口\(.+\)', id: {POPULATION}, unit_pattern: '\(([^()]+)\)'}}
""",
        data,
    )
    assert taken(rows) == [
        ("北京市", 2014, GDP, "亿元", 1),
        ("北京市", 2015, GDP, "亿元", 2),
        ("北京市", 2014, POPULATION, "万人", 3),
        ("北京市", 2015, POPULATION, "万人", 4),
    ]


def test_20_quarters_and_ranges_are_no_years():
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 时间}}
    indicators: [{{column: GDP, id: {GDP}}}]
""",
        xlsx_bytes(
            表=[
                ["城市", "时间", "GDP"],
                ["北京市", "2015年1季度", 1.0],
                ["北京市", "2014/15", 2.0],
                ["北京市", "2015①", 3.0],
            ]
        ),
    )
    assert [(row[1], row[4]) for row in taken(rows)] == [(2015, 3)]
    assert [reason for _, reason in rejected(rows)] == ["unknown_year"] * 2


def test_21_the_header_is_repeated_on_every_page():
    header = ["城市", "年份", "GDP", "人口"]
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}}}, {{column: 人口, id: {POPULATION}}}]
""",
        xlsx_bytes(表=[header, ["北京市", 2014, 1.0, 2.0], header, ["北京市", 2015, 3.0, 4.0]]),
    )
    assert [row[4] for row in taken(rows)] == [1, 2, 3, 4]
    assert [address for address, _ in rejected(rows)] == ["C3", "D3"]


def test_22_a_greedy_pattern_does_not_take_half_a_header_for_a_unit():
    layout = rf"""
  - files: ["*"]
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{pattern: 'GDP.*', id: {GDP}, unit_pattern: '\((.+)\)$'}}]
"""
    with pytest.raises(
        FileFault, match=r"a unit at C1, one without brackets or bars .*found '亿元\)\(当年价格'"
    ):
        read(
            layout,
            xlsx_bytes(表=[["城市", "年份", "GDP（亿元）（当年价格）"], ["北京市", 2015, 1.0]]),
        )


def test_23_stata_shows_labels_for_codes():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"city": [1, 2], "year": [2015, 2015], "gdp": [1.5, 2.5]})
    stream = io.BytesIO()
    frame.to_stata(
        stream, write_index=False, value_labels={"city": {1: "北京市", 2: "天津市"}}, version=118
    )
    rows = read(
        f"""
  - files: ["*"]
    place: {{level: city, name: city}}
    year: {{column: year}}
    indicators: [{{column: gdp, id: {GDP}}}]
""",
        stream.getvalue(),
        "panel.dta",
    )
    assert [(row[0], row[4]) for row in taken(rows)] == [("北京市", 1.5), ("天津市", 2.5)]
