"""Habits of statistics offices and of those who pass tables on, each as a small workbook with a
layout: read right, or refused clearly.

The habits were listed before the reader learned the keys that they need; the values are made up.
"""

import io
from typing import NamedTuple

import openpyxl
import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from tests.warehouse.ingest.delivered import csv_bytes, xlsx_bytes
from tests.warehouse.ingest.formats.old_workbook import (
    font_record,
    merged_record,
    number_cell,
    shared_text_cell,
    shared_texts,
    write_xls,
)
from warehouse.ingest.delivered_files import matches_path
from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import read_grids
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.sheets.choice import tables_for
from warehouse.ingest.sheets.observations import build_file_observations

GDP, POPULATION = "gdp_nominal_cny_100m", "population_registered_10k"
PRIMARY, SECONDARY = "value_added_primary_cny_100m", "value_added_secondary_cny_100m"
HEADER, ROW = ["城市", "年份", "GDP"], ["北京市", 2014, 1.0]
# of a table with a city and a year in each row, and product in a column
PLAIN = f"""
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{column: GDP, id: {GDP}}}]
"""
PLAIN_UNIT = PLAIN.replace(f"id: {GDP}", f"id: {GDP}, unit: 亿元")
BRACKETS = r"unit_pattern: '\(([^()]+)\)'"


class Habit(NamedTuple):
    """Tables of a layout, and a file; place, year, indicator, unit and value of what is taken, and
    address and reason of what is not.
    """

    tables: list[str]
    data: bytes
    taken: list[tuple]
    rejected: list[tuple] = ()
    name: str = "表.xlsx"


def read(tables: list[str], data: bytes, name: str = "表.xlsx") -> list[dict]:
    """Raw rows of one file by a layout with these tables."""
    texts = "".join('  - files: ["*"]\n' + table.lstrip("\n") for table in tables)
    layout = parse_layout(
        f"source_id: office\ndescription: A habit.\ntables:\n{texts}", "office.yml"
    )
    chosen = tables_for(layout, name, matches_path)
    grids = read_grids(data, name, encoding=chosen[0].encoding, delimiter=chosen[0].delimiter)
    return build_file_observations(grids, chosen, FileOrigin("office", None, name)).to_pylist()


def formatted() -> bytes:
    """A workbook whose cells show other texts than are stored."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(["城市", "年份", "比重", "GDP(亿元)", "人口(万人)"])
    sheet.append(["北京市", 2015, 0.1254, 23014.59, 13450])
    for address, code in (("C2", "0.0%"), ("B2", '0"年"'), ("D2", '0.0"亿元"'), ("E2", "#,##0,")):
        sheet[address].number_format = code
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def merged(*cells: str) -> bytes:
    """A workbook with merged cells."""
    workbook = openpyxl.Workbook()
    for row in ([*HEADER], *([name, 2014, 1.0] for name in ("石家庄市", "唐山市", "秦皇岛市"))):
        workbook.active.append(row)
    for each in cells:
        workbook.active.merge_cells(each)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def old_with_merged_headers() -> bytes:
    """An old workbook with a header of two rows, the first one merged, and a raised mark."""
    texts = [[("地    区", 0)], [("生 产 总 值", 0)], [("2018", 0)], [("石家庄市", 0), ("1", 5)]]
    places = [(0, 0), (0, 1), (1, 1), (2, 0)]
    cells = [shared_text_cell(*place, number) for number, place in enumerate(places)]
    cells += [number_cell(1, 2, 2019.0), number_cell(2, 1, 5.5), number_cell(2, 2, 6.5)]
    fonts = b"".join(map(font_record, (0, 0, 0, 0, 1)))
    cells.append(merged_record((0, 1, 0, 0), (0, 0, 1, 2)))
    return write_xls("2-5", cells, fonts + shared_texts(texts))


def labelled() -> bytes:
    """A Stata file with codes for cities, and their labels."""
    stream = io.BytesIO()
    frame = pd.DataFrame({"city": [1, 2], "year": [2015, 2015], "gdp": [1.5, 2.5]})
    labels = {"city": {1: "北京市", 2: "天津市"}}
    frame.to_stata(stream, write_index=False, value_labels=labels, version=118)
    return stream.getvalue()


def hidden() -> bytes:
    """A workbook with a hidden row in one sheet, and a hidden sheet beside it."""
    workbook = openpyxl.Workbook()
    for row in (HEADER, ROW, ["天津市", 2014, 2.0], ["石家庄市", 2014, 3.0]):
        workbook.active.append(row)
    workbook.active.row_dimensions[3].hidden = True
    draft = workbook.create_sheet("草稿")
    for row in (HEADER, ["唐山市", 2014, 4.0]):
        draft.append(row)
    draft.sheet_state = "hidden"
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


RAISED = CellRichText("12.3", TextBlock(InlineFont(vertAlign="superscript"), "1"))
MARKED = ["23014①", "1234²", RAISED, "-①", "0,123"]
MISSING = ["…", "——", "..", "N/A", "缺失", "－", "n.a."]
STACKED = xlsx_bytes(
    表=[
        ["表1 地区生产总值(亿元)"],
        ["地区", "2014年", "2015年"],
        ["北京市", 1.0, 2.0],
        ["续表 年末人口(万人)"],
        ["地区", "2014年", "2015年"],
        ["北京市", 5.0, 6.0],
        ["注:未包括港澳台。"],
    ]
)
ACROSS = r"""
    header: {find: [地区]%s}
    place: {level: city, name: 地区}
    year: {columns: "([0-9]{4})年"}
    sheet_indicators: {"*": {id: %s, unit_pattern: '%s\(([^()]+)\)'}}
"""
FIRST = "    ends: {matches: ^续表}\n" + ACROSS % ("", GDP, "生产总值")
SECOND = (
    ACROSS % (", after: ^续表", POPULATION, "人口")
    + '    drop_rows: [{column: "*", matches: ^注, reason: note under the table}]\n'
)
UNIT_ROW = f"""
    header: {{row: 1, unit_row: 1}}
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators:
      - {{column: 地区生产总值, id: {GDP}}}
      - {{column: 年末人口, id: {POPULATION}}}
"""
UNITS = [["城市", "年份", "地区生产总值", "年末人口"], ["", "", "(亿元)", "单位:万人"]]
TITLED = f"""
    header: {{find: [城市]}}
    place: {{level: city, name: 城市}}
    year: {{title: "[(]([0-9]{{4}})年[)]"}}
    indicators: [{{column: GDP, id: {GDP}}}]
"""
TITLE = [["2-3 各市地区生产总值（2015年）"], [], ["城市", "GDP"], ["北京市", 1.0]]
HALF = f"""
    span: "%s"
    place: {{level: city, name: 地区}}
    year: {{constant: 2015}}
    indicators: [{{column: GDP, id: {GDP}, unit: 亿元}}]
"""

HABITS = {
    "the corner above the cities is empty": Habit(
        [
            f"""
    place: {{level: city, name_letter: A}}
    year: {{columns: "([0-9]{{4}})年"}}
    sheet_indicators: {{表: {{id: {GDP}, unit: 亿元}}}}
"""
        ],
        xlsx_bytes(表=[["", "2014年", "2015年"], ["北京市", 1.0, 2.0]]),
        [("北京市", 2014, GDP, "亿元", 1), ("北京市", 2015, GDP, "亿元", 2)],
    ),
    "a second table stands below the first": Habit(
        [FIRST, SECOND],
        STACKED,
        [
            ("北京市", 2014, GDP, "亿元", 1),
            ("北京市", 2015, GDP, "亿元", 2),
            ("北京市", 2014, POPULATION, "万人", 5),
            ("北京市", 2015, POPULATION, "万人", 6),
        ],
        [("A7", "dropped_row"), ("A4", "dropped_row")],
    ),
    "rows below the end of a table are listed": Habit(
        [FIRST],
        STACKED,
        [("北京市", 2014, GDP, "亿元", 1), ("北京市", 2015, GDP, "亿元", 2)],
        [(f"A{row}", "dropped_row") for row in (4, 5, 6, 7)],
    ),
    "units stand in a row of their own": Habit(
        [UNIT_ROW],
        xlsx_bytes(表=[*UNITS, ["北京市", 2015, 1.0, 2.0]]),
        [("北京市", 2015, GDP, "亿元", 1), ("北京市", 2015, POPULATION, "万人", 2)],
    ),
    "cities stand across and the sheet names the indicator": Habit(
        [
            f"""
    place: {{level: city, columns: "(.+)"}}
    year: {{column: 年份}}
    sheet_indicators: {{地区生产总值: {{id: {GDP}, unit: 亿元}}}}
"""
        ],
        xlsx_bytes(地区生产总值=[["年份", "北京市", "天津市"], [2014, 1.0, 2.0], [2015, 3.0, 4.0]]),
        [
            ("北京市", 2014, GDP, "亿元", 1),
            ("天津市", 2014, GDP, "亿元", 2),
            ("北京市", 2015, GDP, "亿元", 3),
            ("天津市", 2015, GDP, "亿元", 4),
        ],
    ),
    "cities across with indicators below them": Habit(
        [
            rf"""
    header: {{row: 1, rows: 2}}
    place: {{level: city, columns: '(.+)\|.+'}}
    year: {{column: 年份}}
    indicators:
      - {{pattern: 'GDP\(.+\)', id: {GDP}, {BRACKETS}}}
      - {{pattern: '人口\(.+\)', id: {POPULATION}, {BRACKETS}}}
"""
        ],
        xlsx_bytes(
            表=[
                ["年份", "北京市", "", "天津市", ""],
                ["", "GDP(亿元)", "人口(万人)", "GDP(亿元)", "人口(万人)"],
                [2015, 1, 2, 3, 4],
            ]
        ),
        [
            ("北京市", 2015, GDP, "亿元", 1),
            ("北京市", 2015, POPULATION, "万人", 2),
            ("天津市", 2015, GDP, "亿元", 3),
            ("天津市", 2015, POPULATION, "万人", 4),
        ],
    ),
    "the year is the sheet's name": Habit(
        [PLAIN.replace("{column: 年份}", '{sheet_name: "([0-9]{4})"}')],
        xlsx_bytes(
            **{y: [["城市", "GDP"], ["北京市", v]] for y, v in (("2014年", 1.0), ("2015年", 2.0))}
        ),
        [("北京市", 2014, GDP, None, 1), ("北京市", 2015, GDP, None, 2)],
    ),
    "the year stands in the title": Habit(
        [TITLED], xlsx_bytes(表=TITLE), [("北京市", 2015, GDP, None, 1)]
    ),
    "the year stands nowhere": Habit(
        [TITLED.replace('title: "[(]([0-9]{4})年[)]"', "constant: 2012")],
        xlsx_bytes(表=TITLE),
        [("北京市", 2012, GDP, None, 1)],
    ),
    "one value a row with indicator and unit beside it": Habit(
        [
            f"""
    place: {{level: city, name: 地区}}
    year: {{column: 时间}}
    row_indicators:
      column: 指标
      value: 数值
      unit_column: 单位
      indicators: [{{column: GDP, id: {GDP}}}, {{column: 年末人口, id: {POPULATION}}}]
"""
        ],
        csv_bytes(
            [
                ["指标", "地区", "时间", "数值", "单位"],
                ["GDP", "北京市", "2015年", "1", "亿元"],
                ["年末人口", "北京市", "2015年", "2", "万人"],
                ["降水量", "北京市", "2015年", "3", "毫米"],
            ]
        ),
        [("北京市", 2015, GDP, "亿元", 1), ("北京市", 2015, POPULATION, "万人", 2)],
        [("A4", "unmapped_column")],
        "长.csv",
    ),
    "merged cells hold year and city": Habit(
        [
            f"""
    place: {{level: city, name: 城市, fill_down: true}}
    year: {{column: 年份, fill_down: true}}
    row_indicators:
      column: 产业
      value: 值
      indicators:
        - {{column: 一, id: {PRIMARY}, unit: 亿元}}
        - {{column: 二, id: {SECONDARY}, unit: 亿元}}
"""
        ],
        xlsx_bytes(
            表=[
                ["年份", "城市", "产业", "值"],
                [2014, "北京市", "一", 1.0],
                ["", "", "二", 2.0],
                [2015, "天津市", "一", 3.0],
                ["", "", "二", 4.0],
            ]
        ),
        [
            ("北京市", 2014, PRIMARY, "亿元", 1),
            ("北京市", 2014, SECONDARY, "亿元", 2),
            ("天津市", 2015, PRIMARY, "亿元", 3),
            ("天津市", 2015, SECONDARY, "亿元", 4),
        ],
    ),
    "marks of notes are no digits": Habit(
        [PLAIN],
        xlsx_bytes(表=[HEADER, *(["北京市①", 2011 + n, cell] for n, cell in enumerate(MARKED))]),
        [("北京市①", 2011 + n, GDP, None, v) for n, v in enumerate((23014, 1234, 12.3))],
        [("C5", "not_a_number"), ("C6", "not_a_number")],
    ),
    "subtotals and of which rows are left out by name": Habit(
        [
            PLAIN + "    drop_rows: [{column: 城市, matches: '省$|^#|^合计$', "
            "reason: total or part of the row above}]\n"
        ],
        xlsx_bytes(
            表=[HEADER, *([n, 2015, 1.0] for n in ("河北省", "石家庄市", "#市辖区", "合计"))]
        ),
        [("石家庄市", 2015, GDP, None, 1)],
        [(f"A{row}", "dropped_row") for row in (2, 4, 5)],
    ),
    "hidden rows and sheets are not taken": Habit(
        [PLAIN],
        hidden(),
        [("北京市", 2014, GDP, None, 1), ("石家庄市", 2014, GDP, None, 3)],
        [("A3", "hidden"), (None, "hidden")],
    ),
    "hidden rows and sheets are taken where the layout says so": Habit(
        ["    hidden: true" + PLAIN],
        hidden(),
        [
            (name, 2014, GDP, None, value)
            for value, name in enumerate(("北京市", "天津市", "石家庄市", "唐山市"), 1)
        ],
    ),
    "commas of two conventions are nobody's numbers": Habit(
        [PLAIN],
        csv_bytes(
            [
                HEADER,
                ["北京市", 2014, "271,580"],
                ["天津市", 2014, "6073,83"],
                ["保定市", 2014, 5.5],
            ]
        ),
        [("保定市", 2014, GDP, None, 5.5)],
        [("C2", "not_a_number"), ("C3", "not_a_number")],
        "export.csv",
    ),
    "years as suffixes": Habit(
        [
            f"""
    place: {{level: city, name: [city, 城市]}}
    year: {{columns: '.+_([0-9]{{4}})'}}
    indicators:
      - {{column: popu_, id: {POPULATION}, unit: 万人}}
      - {{column: gdp_, id: {GDP}, unit: 亿元}}
"""
        ],
        b"city,popu_2014,popu_2015,gdp_2014,gdp_2015\nBeijing,1,2,3,4\n",
        [
            ("Beijing", 2014, POPULATION, "万人", 1),
            ("Beijing", 2015, POPULATION, "万人", 2),
            ("Beijing", 2014, GDP, "亿元", 3),
            ("Beijing", 2015, GDP, "亿元", 4),
        ],
        (),
        "wide.csv",
    ),
    "a unit beside each row of years across": Habit(
        [
            f"""
    place: {{level: city, name: 地区}}
    year: {{columns: '([0-9]{{4}})年'}}
    row_indicators:
      column: 指标
      unit_column: [计量单位, 单位]
      indicators: [{{column: GDP, id: {GDP}}}, {{column: 人口, id: {POPULATION}}}]
"""
        ],
        xlsx_bytes(
            表=[
                ["地区", "指标", "单位", "2014年", "2015年"],
                ["北京市", "GDP", "亿元", 1.0, 2.0],
                ["北京市", "人口", "人", 3.0, 4.0],
            ]
        ),
        [
            ("北京市", 2014, GDP, "亿元", 1),
            ("北京市", 2015, GDP, "亿元", 2),
            ("北京市", 2014, POPULATION, "人", 3),
            ("北京市", 2015, POPULATION, "人", 4),
        ],
    ),
    "a comma separates decimals": Habit(
        ['    delimiter: ";"\n    decimal_comma: true' + PLAIN],
        "城市;年份;GDP\nBeijing;2015;23.014,6\nTianjin;2015;0,5\nBaoding;2015;1.5\n".encode(),
        [("Beijing", 2015, GDP, None, 23014.6), ("Tianjin", 2015, GDP, None, 0.5)],
        [("C4", "not_a_number")],
        "export.csv",
    ),
    "what a number format shows is read": Habit(
        [
            f"""
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators:
      - {{column: 比重, id: gdp_share_primary_pct}}
      - {{column: GDP(亿元), id: {GDP}, {BRACKETS}}}
      - {{column: 人口(万人), id: {POPULATION}, {BRACKETS}}}
"""
        ],
        formatted(),
        [
            ("北京市", 2015, "gdp_share_primary_pct", "%", 12.54),
            ("北京市", 2015, GDP, "亿元", 23014.59),
        ],
        # shown as 13: whether the header's unit is meant before or after the division, nobody can
        # know
        [("E2", "not_a_number")],
    ),
    "signs of a missing value are no values": Habit(
        [PLAIN],
        xlsx_bytes(
            表=[
                HEADER,
                *(["北京市", 2010 + i, sign] for i, sign in enumerate(MISSING)),
                ["北京市", 2020, 1.0],
            ]
        ),
        [("北京市", 2020, GDP, None, 1)],
    ),
    "a line of units ends the table": Habit(
        [PLAIN_UNIT + "    ends: {matches: 单位|Unit}\n"],
        xlsx_bytes(表=[HEADER, ["北京市", 2014, 1.0], ["单位：万元"], ["北京市", 2015, 20000]]),
        [("北京市", 2014, GDP, "亿元", 1)],
        [("A3", "dropped_row"), ("A4", "dropped_row")],
    ),
    "a line that repeats the unit changes nothing": Habit(
        ["    header: {row: 2}" + PLAIN_UNIT],
        xlsx_bytes(
            表=[
                ["单位:亿元"],
                HEADER,
                ["北京市", 2014, 1.0],
                ["单位:亿元"],
                ["北京市", 2015, 2.0],
            ]
        ),
        [("北京市", 2014, GDP, "亿元", 1), ("北京市", 2015, GDP, "亿元", 2)],
        [("A4", "dropped_row")],
    ),
    "two halves of a table stand side by side": Habit(
        [HALF % "A:B", HALF % "C:D"],
        xlsx_bytes(
            表=[["地区", "GDP", "地区", "GDP", "备注"], ["北京市", 1.0, "石家庄市", 3.0, "x"]]
        ),
        [("北京市", 2015, GDP, "亿元", 1), ("石家庄市", 2015, GDP, "亿元", 3)],
        [("E1", "unmapped_column")],
    ),
    "years stand under each indicator": Habit(
        [
            rf"""
    header: {{row: 1, rows: 2}}
    place: {{level: city, name: 地区}}
    year: {{columns: '.+\|([0-9]{{4}})年'}}
    indicators:
      - {{pattern: 'GDP\(.+\)', id: {GDP}, {BRACKETS}}}
      - {{pattern: '人口\(.+\)', id: {POPULATION}, {BRACKETS}}}
"""
        ],
        xlsx_bytes(
            表=[
                ["地区", "GDP(亿元)", "", "人口(万人)", ""],
                ["", "2014年", "2015年", "2014年", "2015年"],
                ["北京市", 1, 2, 3, 4],
            ]
        ),
        [
            ("北京市", 2014, GDP, "亿元", 1),
            ("北京市", 2015, GDP, "亿元", 2),
            ("北京市", 2014, POPULATION, "万人", 3),
            ("北京市", 2015, POPULATION, "万人", 4),
        ],
    ),
    "quarters and ranges are no years": Habit(
        [PLAIN],
        xlsx_bytes(
            表=[
                HEADER,
                ["北京市", "2015年1季度", 1.0],
                ["北京市", "2014/15", 2.0],
                ["北京市", "2015①", 3.0],
            ]
        ),
        [("北京市", 2015, GDP, None, 3)],
        [("C2", "unknown_year"), ("C3", "unknown_year")],
    ),
    "the header is repeated on every page": Habit(
        [PLAIN],
        xlsx_bytes(表=[HEADER, ["北京市", 2014, 1.0], HEADER, ["北京市", 2015, 3.0]]),
        [("北京市", 2014, GDP, None, 1), ("北京市", 2015, GDP, None, 3)],
        [("C3", "not_a_number")],
    ),
    "a header of three rows": Habit(
        [
            rf"""
    header: {{row: 1, rows: 3}}
    place: {{level: city, name: 地区}}
    year: {{columns: '.+\|([0-9]{{4}})年(?:\|.+)?'}}
    indicators:
      - {{pattern: '生产总值\|绝对数', id: {GDP}, unit: 亿元}}
      - {{pattern: '生产总值\|增长', id: gdp_growth_official_pct, unit: "%"}}
      - {{pattern: '人口', id: {POPULATION}, unit: 万人}}
"""
        ],
        xlsx_bytes(
            表=[
                ["地区", "生产总值", None, None, None, "人口"],
                [None, "2018年", None, "2019年"],
                [None, "绝对数", "增长", "绝对数", "增长", "2018年", "2019年"],
                ["北京市", 1, 2, 3, 4, 5, 6],
            ]
        ),
        [
            ("北京市", 2018, GDP, "亿元", 1),
            ("北京市", 2018, "gdp_growth_official_pct", "%", 2),
            ("北京市", 2019, GDP, "亿元", 3),
            ("北京市", 2019, "gdp_growth_official_pct", "%", 4),
            ("北京市", 2018, POPULATION, "万人", 5),
            ("北京市", 2019, POPULATION, "万人", 6),
        ],
    ),
    "a file for each city": Habit(
        [
            f"""
    header: {{find: [指标, 单位]}}
    place: {{level: city, title: '^(.+)主要年份'}}
    year: {{columns: '^([0-9]{{4}})$'}}
    row_indicators:
      column: 指标
      indicators:
        - {{column: 地区生产总值, id: {GDP}, unit: 亿元}}
        - {{column: "#第一产业", id: {PRIMARY}, unit: 亿元}}
    ignore_columns: [{{column: 单位, reason: each rule has its unit}}]
    drop_rows: [{{column: 指标, matches: '^[一二三]、', reason: heading}}]
"""
        ],
        xlsx_bytes(
            表=[
                ["北京市主要年份国民经济指标"],
                ["指标", "单位", "2015", "2018"],
                ["一、综合"],
                ["地区生产总值", "亿元", 1, 2],
                ["  #第一产业", "亿元", 3, 4],
            ]
        ),
        [
            ("北京市", 2015, GDP, "亿元", 1),
            ("北京市", 2018, GDP, "亿元", 2),
            ("北京市", 2015, PRIMARY, "亿元", 3),
            ("北京市", 2018, PRIMARY, "亿元", 4),
        ],
        [("B2", "unmapped_column"), ("A3", "dropped_row")],
    ),
    "a city over its indicators": Habit(
        [
            f"""
    place: {{level: city, name: 指标, name_pattern: '^(.+市)$', fill_down: true}}
    year: {{columns: '([0-9]{{4}})'}}
    row_indicators: {{column: 指标, indicators: [{{column: 生产总值, id: {GDP}}}]}}
"""
        ],
        xlsx_bytes(
            表=[["指标", 2018], ["北京市"], ["  生产总值", 1], ["天津市"], ["  生产总值", 2]]
        ),
        [("北京市", 2018, GDP, None, 1), ("天津市", 2018, GDP, None, 2)],
        [("A2", "dropped_row"), ("A4", "dropped_row")],
    ),
    "a hidden column of the same name": Habit(
        [
            PLAIN.replace("column: GDP", "column: GDP, letter: D")
            + "    ignore_columns: [{column: GDP, letter: C, reason: hidden first release}]\n"
        ],
        xlsx_bytes(表=[[*HEADER, "GDP"], [*ROW, 2.0]]),
        [("北京市", 2014, GDP, None, 2)],
        [("C1", "unmapped_column")],
    ),
    "a value merged over two cities belongs to neither": Habit(
        [PLAIN],
        merged("C2:C3"),
        [("秦皇岛市", 2014, GDP, None, 1)],
        [("C2", "not_a_number")],
    ),
    "an old workbook with merged headers": Habit(
        [
            rf"""
    header: {{row: 1, rows: 2}}
    place: {{level: city, name: 地区}}
    year: {{columns: '.+\|([0-9]{{4}})'}}
    indicators: [{{pattern: 生产总值, id: {GDP}, unit: 亿元}}]
"""
        ],
        old_with_merged_headers(),
        [("石家庄市¹", 2018, GDP, "亿元", 5.5), ("石家庄市¹", 2019, GDP, "亿元", 6.5)],
        name="2-5.xls",
    ),
    "Stata shows labels for codes": Habit(
        [
            f"""
    place: {{level: city, name: city}}
    year: {{column: year}}
    indicators: [{{column: gdp, id: {GDP}}}]
"""
        ],
        labelled(),
        [("北京市", 2015, GDP, None, 1.5), ("天津市", 2015, GDP, None, 2.5)],
        name="panel.dta",
    ),
}


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_a_habit_is_read_as_a_person_reads_it(habit: Habit):
    rows = read(habit.tables, habit.data, habit.name)
    assert [
        (
            row["place_text"],
            row["year"],
            row["indicator_id"],
            row["unit_text"],
            row["value"],
        )
        for row in rows
        if row["reason"] is None
    ] == habit.taken
    assert [(row["cell_ref"], row["reason"]) for row in rows if row["reason"]] == [*habit.rejected]
    if habit.data == HABITS["marks of notes are no digits"].data:
        assert [row["observation_note"] for row in rows[:3]] == ["①", "²", "¹"]


def test_a_row_of_the_province_tells_places_of_one_name_apart():
    table = PLAIN.replace("name: 城市", "name: 城市, within: {row: '(.+) Province$'}")
    rows = [HEADER]
    for province in ("Jiangsu", "Anhui"):
        rows += [[f"{province} Province", 2014, None], ["Suzhou", 2014, len(rows)]]
    found = [row for row in read([table], xlsx_bytes(表=rows)) if row["reason"] is None]
    assert [(row["place_text"], row["place_within_text"], row["value"]) for row in found] == [
        ("Suzhou", "Jiangsu", 1),
        ("Suzhou", "Anhui", 3),
    ]


def test_a_place_may_be_looked_up_and_lie_within_another():
    data = xlsx_bytes(
        数据=[["编号", "年份", "GDP"], [1, 2015, 10.0], [9, 2015, 30.0]],
        名录=[["编号", "城市", "代码"], [1, "北京市", 110000]],
    )
    looked_up = PLAIN.replace(
        "name: 城市", "looked_up: {sheet: 名录, key: 编号, name: 城市, code: 代码}"
    )
    sheets = "    sheets: {names: [数据]}\n    ignore_sheets: [{name: 名录, reason: list of keys}]"
    rows = [row for row in read([sheets + looked_up], data) if row["reason"] is None]
    assert [(row["place_code_text"], row["place_text"], row["value"]) for row in rows] == [
        ("110000", "北京市", 10),
        (None, "9", 30),
    ]
    within = PLAIN.replace("name: 城市", 'name: 城市, within: {sheet_name: "(.+)"}')
    same = [HEADER, ["Suzhou", 2014, 1]]
    rows = read([within], xlsx_bytes(Jiangsu=same, Anhui=same))
    assert [row["place_within_text"] for row in rows] == ["Jiangsu", "Anhui"]


@pytest.mark.parametrize(
    ("table", "rows", "said"),
    [
        (
            ACROSS % ("", GDP, "生产总值"),
            [
                ["生产总值(亿元)"],
                ["地区", "2014年", "2015年"],
                ["北京市", 1, 2],
                ["人口(万人)"],
                ["地区", "2014年", "2015年"],
                ["北京市", 5, 6],
            ],
            r"texts in row 5 and numbers below them .地区, 2014年, 2015年.; if a second table",
        ),
        (
            f"""
    place: {{level: city, name: 地区}}
    year: {{columns: "([0-9]{{4}})"}}
    sheet_indicators: {{"*": {{id: {GDP}}}}}
""",
            [
                ["地区", 2013, 2014, 2015],
                ["北京市", 1, 2, 3],
                ["城市", 2013, 2014, 2015],
                ["北京市", 7, 8, 9],
            ],
            "texts in row 3 and numbers below them",
        ),
        (
            UNIT_ROW.replace(", unit_row: 1", ""),
            [*UNITS, ["北京市", 2015, 1.0, 2.0]],
            r"texts in row 2 and numbers below them .*header.unit_row",
        ),
        (
            UNIT_ROW,
            [UNITS[0], ["", "", "", "万人"], ["北京市", 2015, 1.0, 2.0]],
            r"a unit in C2 .header.unit_row.; found a blank cell",
        ),
        (TITLED, [["各市地区生产总值"], *TITLE[1:]], "a title above row 3 that names the year"),
        *(
            (PLAIN_UNIT, [HEADER, ROW, [line], ROW], "a line of units in row 3")
            for line in ("单位：万元", "Unit: 10000 yuan", "（单位:万元）")
        ),
        (
            rf"""
    place: {{level: city, name: 城市}}
    year: {{column: 年份}}
    indicators: [{{pattern: 'GDP.*', id: {GDP}, unit_pattern: '\((.+)\)$'}}]
""",
            [["城市", "年份", "GDP（亿元）（当年价格）"], ["北京市", 2015, 1.0]],
            r"a unit at C1, one without brackets or bars .*found '亿元\)\(当年价格'",
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(table, rows, said):
    with pytest.raises(FileFault, match=said):
        read([table], xlsx_bytes(表=rows))
