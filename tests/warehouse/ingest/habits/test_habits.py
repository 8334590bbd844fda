"""Habits of statistics offices and of those who pass tables on, each as a small workbook with a
layout: read right, or refused clearly.

The habits were listed before the reader learned the keys that they need; the values are made up.
"""

import pytest

from tests.warehouse.ingest.delivered import csv_bytes, xlsx_bytes
from tests.warehouse.ingest.habits.more_habits import MORE_HABITS
from tests.warehouse.ingest.habits.office import (
    ACROSS,
    BRACKETS,
    FIRST,
    FLAGGED,
    GDP,
    HALF,
    HEADER,
    MARKED,
    PLAIN,
    PLAIN_UNIT,
    POPULATION,
    PRIMARY,
    ROW,
    SECOND,
    SECONDARY,
    STACKED,
    TITLE,
    TITLED,
    UNIT_ROW,
    UNITS,
    Habit,
    hidden,
    read,
)
from warehouse.ingest.errors import FileFault

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
    "of two titles the nearer one counts": Habit(
        [TITLED], xlsx_bytes(表=[["总表（2013年）"], *TITLE]), [("北京市", 2015, GDP, None, 1)]
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
            PLAIN + "    drop_rows: [{column: 城市, matches: '省$|^#', reason: total or part}, "
            "{column: '*', matches: ^合计$, reason: total of all}]\n"
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
}


@pytest.mark.parametrize("habit", (HABITS | MORE_HABITS).values(), ids=[*HABITS, *MORE_HABITS])
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
    if habit is HABITS["commas of two conventions are nobody's numbers"]:
        assert all("decimal_comma" in row["detail"] for row in rows if row["reason"])
    if habit is MORE_HABITS["a value merged over two cities belongs to neither"]:
        assert [row["reason"] for row in rows if "C2:C3" in (row["detail"] or "")] == [
            "not_a_number"
        ]
    if habit.data == HABITS["marks of notes are no digits"].data:
        assert [row["observation_note"] for row in rows[:3]] == ["①", "²", "¹"]


LIST_OF_KEYS = """
    sheets: {names: [数据]}
    ignore_sheets: [{name: 名录, reason: list of keys}]"""
OF_PROVINCE = [HEADER, ["Suzhou", 2014, 1]]
#: A layout and a file; code, name, what it lies within and value of each place.
PLACES = {
    "a row of the province tells places of one name apart": (
        PLAIN.replace("name: 城市", "name: 城市, within: {row: '(.+) Province$'}"),
        xlsx_bytes(
            表=[
                HEADER,
                ["Jiangsu Province", 2014, None],
                ["Suzhou", 2014, 1],
                ["Anhui Province", 2014, None],
                ["Suzhou", 2014, 3],
            ]
        ),
        [(None, "Suzhou", "Jiangsu", 1), (None, "Suzhou", "Anhui", 3)],
    ),
    "the name of the sheet does": (
        PLAIN.replace("name: 城市", 'name: 城市, within: {sheet_name: "(.+)"}'),
        xlsx_bytes(Jiangsu=OF_PROVINCE, Anhui=OF_PROVINCE),
        [(None, "Suzhou", "Jiangsu", 1), (None, "Suzhou", "Anhui", 1)],
    ),
    "a place is looked up in another sheet": (
        LIST_OF_KEYS
        + PLAIN.replace(
            "name: 城市", "looked_up: {sheet: 名录, key: 编号, name: 城市, code: 代码}"
        ),
        xlsx_bytes(
            数据=[["编号", "年份", "GDP"], [1, 2015, 10.0], [9, 2015, 30.0]],
            名录=[["编号", "城市", "代码"], [1, "北京市", 110000]],
        ),
        [("110000", "北京市", None, 10), (None, "9", None, 30)],
    ),
}


@pytest.mark.parametrize(("table", "data", "places"), PLACES.values(), ids=PLACES)
def test_a_place_is_known_by_what_stands_elsewhere(table, data, places):
    keys = ("place_code_text", "place_text", "place_within_text", "value")
    taken = [row for row in read([table], data) if row["reason"] is None]
    assert [tuple(row[key] for key in keys) for row in taken] == places


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
            HALF % "A:B",
            [["地区", "GDP"], ["北京市", 1], ["地区", "人口"], ["北京市", 5]],
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
        (FLAGGED, [["年份", "城市", "投资", "贷款"], [2016, "甲市", 3.0, 8.0]], "a column 插补"),
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
