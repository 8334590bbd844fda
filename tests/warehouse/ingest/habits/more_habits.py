"""More habits of statistics offices, each as a small file with a layout; the values are made up."""

import pandas as pd

from tests.warehouse.ingest.delivered import stata_bytes, xlsx_bytes
from tests.warehouse.ingest.habits.office import (
    BRACKETS,
    FLAGGED,
    GDP,
    HALF,
    HEADER,
    MISSING,
    PLAIN,
    PLAIN_UNIT,
    POPULATION,
    PRIMARY,
    ROW,
    Habit,
    formatted,
    merged,
    old_with_merged_headers,
)

MORE_HABITS = {
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
    "a flag beside the values leaves out that indicator alone": Habit(
        [FLAGGED],
        xlsx_bytes(
            表=[
                ["年份", "城市", "投资", "贷款", "插补"],
                [2016, "甲市", 3.0, 8.0, False],
                [2017, "甲市", 4.0, 9.0, True],
                [2018, "甲市", None, 9.5, True],
                [2019, "甲市", "约5", 7.0, "TRUE"],
            ]
        ),
        [
            ("甲市", 2016, "fixed_investment_cny_100m", "亿元", 3),
            *(
                ("甲市", year, "loans_cny_100m", "亿元", value)
                for year, value in ((2016, 8), (2017, 9), (2018, 9.5), (2019, 7))
            ),
        ],
        [("C3", "dropped_row"), ("C5", "dropped_row")],
    ),
    "a column is another indicator in the rows that the layout names": Habit(
        [
            """
    place: {level: city, name: 城市}
    year: {column: 年份}
    indicators:
      - column: 从业人员
        id: employed_10k
        unit: 万人
        other_id_where: {column: 年份, matches: '^199[0-7]$', id: employed_all_10k}
"""
        ],
        xlsx_bytes(表=[["年份", "城市", "从业人员"], [1997, "甲市", 400], [1998, "甲市", 100]]),
        [
            ("甲市", 1997, "employed_all_10k", "万人", 400),
            ("甲市", 1998, "employed_10k", "万人", 100),
        ],
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
        ["    header: {row: 2}" + PLAIN_UNIT + "    ends: {matches: 单位|Unit}\n"],
        xlsx_bytes(
            表=[
                ["单位：亿元"],
                HEADER,
                ["北京市", 2014, 1.0],
                ["单位：万元"],
                ["北京市", 2015, 20000],
            ]
        ),
        [("北京市", 2014, GDP, "亿元", 1)],
        [("A4", "dropped_row"), ("A5", "dropped_row")],
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
        # codes for cities, and their labels
        stata_bytes(
            pd.DataFrame({"city": [1, 2], "year": [2015, 2015], "gdp": [1.5, 2.5]}),
            {"city": {1: "北京市", 2: "天津市"}},
        ),
        [("北京市", 2015, GDP, None, 1.5), ("天津市", 2015, GDP, None, 2.5)],
        name="panel.dta",
    ),
}
