"""Tables as statistics offices write them, made by code, with what a person reads from each.

They were written in one go by someone in the place of an office clerk, before he saw the reader or
its documentation; the layouts in ``office_layouts.yml`` were then written from docs/layouts.md
alone. Figures are made up.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl

from tests.warehouse.ingest.formats.old_workbook import (
    font_record,
    merged_record,
    number_cell,
    shared_text_cell,
    shared_texts,
    write_xls,
)

CITIES = [
    (130100, "石家庄市"),
    (130200, "唐山市"),
    (130300, "秦皇岛市"),
    (130400, "邯郸市"),
    (130500, "邢台市"),
    (130600, "保定市"),
    (130700, "张家口市"),
    (130800, "承德市"),
]
ENGLISH = [
    "Shijiazhuang",
    "Tangshan",
    "Qinhuangdao",
    "Handan",
    "Xingtai",
    "Baoding",
    "Zhangjiakou",
    "Chengde",
]
GDP, POPULATION, WAGE, DEPOSITS = (
    "gdp_nominal_cny_100m",
    "population_registered_10k",
    "wage_avg_cny",
    "deposits_cny_100m",
)
GROWTH, INDEX, PRIMARY = (
    "gdp_growth_official_pct",
    "gdp_index_prev_year_100",
    "value_added_primary_cny_100m",
)

Truth = dict[tuple[int, int, str], float]
Habit = tuple[dict[str, bytes], Truth]
HABITS: dict[str, Callable[[], Habit]] = {}


def habit(make: Callable[[], Habit]) -> Callable[[], Habit]:
    HABITS[make.__name__] = make
    return make


def gdp(city: int, year: int) -> float:
    return round((city % 1000) * 3.17 + 900 + (year - 2010) * 83.4 + (city // 100 % 7) * 11.3, 2)


def population(city: int, year: int) -> float:
    return round(300 + (city // 100 % 10) * 71.3 + (year - 2010) * 2.45, 2)


def wage(city: int, year: int) -> float:
    return 40000 + (city // 100 % 10) * 731 + (year - 2010) * 2417


def truth(
    *years: int,
    of: dict[str, Callable[[int, int], float]] | None = None,
    cities: list[tuple[int, str]] = CITIES,
) -> Truth:
    """What every city has in these years; product where nothing else is said."""
    return {
        (city, year, name): make(city, year)
        for name, make in (of or {GDP: gdp}).items()
        for city, _ in cities
        for year in years
    }


BOTH = {GDP: gdp, POPULATION: population}


def book(
    change: Callable[[openpyxl.Workbook], None] | None = None, **sheets: list[list[object]]
) -> bytes:
    """A workbook of these sheets; ``change`` merges and hides cells before it is saved."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if change is not None:
        change(workbook)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


@habit
def header_of_three_rows() -> Habit:
    rows = [
        ["2-3 各市地区生产总值和人口"],
        ["地区", "地区生产总值", None, None, None, "年末户籍人口(万人)"],
        [None, "2018年", None, "2019年"],
        [
            None,
            "绝对数(亿元)",
            "比上年增长(%)",
            "绝对数(亿元)",
            "比上年增长(%)",
            "2018年",
            "2019年",
        ],
        ["全省", 32494.6, 6.5, 35104.5, 6.8, 7556.3, 7591.97],
        *(
            [
                "　　" + n,
                gdp(c, 2018),
                6.1,
                gdp(c, 2019),
                6.4,
                population(c, 2018),
                population(c, 2019),
            ]
            for c, n in CITIES
        ),
        [],
        ["注：1.本表绝对数按当年价格计算，增长速度按可比价格计算。"],
        ["　　2.人口为公安年报数。"],
        ["资料来源：省统计局。"],
    ]

    def merge(workbook: openpyxl.Workbook) -> None:
        for cells in ("A1:G1", "A2:A4", "B2:E2", "F2:G3", "B3:C3", "D3:E3"):
            workbook.active.merge_cells(cells)

    growth = {
        (c, year, GROWTH): value for c, _ in CITIES for year, value in ((2018, 6.1), (2019, 6.4))
    }
    return {"2-3.xlsx": book(merge, 表=rows)}, truth(2018, 2019, of=BOTH) | growth


@habit
def two_units_stacked() -> Habit:
    """The second table's unit is another one, and its title names it as the first table's does."""
    thousands = {GDP: gdp, DEPOSITS: lambda c, y: round(gdp(c, y) * 20000) / 10000}
    rows = [
        ["生产总值", "单位：亿元"],
        ["地区", 2018, 2019],
        *([n, gdp(c, 2018), gdp(c, 2019)] for c, n in CITIES),
        ["续表 存款余额", "单位：万元"],
        ["地区", 2018, 2019],
        *([n, *(round(gdp(c, y) * 20000) for y in (2018, 2019))] for c, n in CITIES),
    ]
    return {"续.xlsx": book(表=rows)}, truth(2018, 2019, of=thousands)


@habit
def hidden_column_of_the_same_name() -> Habit:
    header = ["城市", "年份", "地区生产总值(亿元)", "地区生产总值(亿元)", "户籍人口(万人)"]
    rows = [
        header,
        *([n, 2019, gdp(c, 2019) * 1.2, gdp(c, 2019), population(c, 2019)] for c, n in CITIES),
    ]

    def hide(workbook: openpyxl.Workbook) -> None:
        workbook["数据"].column_dimensions["C"].hidden = True
        workbook["备份"].sheet_state = "hidden"

    return {
        "hidden.xlsx": book(hide, 数据=rows, 备份=[header[:3], ["石家庄市", 2019, 1.0]])
    }, truth(2019, of=BOTH)


@habit
def raised_marks_in_an_old_workbook() -> Habit:
    texts, cells = [[(text, 0)] for text in ("地区", "地区生产总值(亿元)", "户籍人口(万人)")], []
    cells = [shared_text_cell(0, col, col) for col in range(3)]
    for row, (c, n) in enumerate(CITIES, start=1):
        texts.append([(n, 0), ("1", 5)] if row == 3 else [(n, 0)])
        cells += [
            shared_text_cell(row, 0, len(texts) - 1),
            number_cell(row, 2, population(c, 2019)),
        ]
        if row == 2:
            texts.append([(str(gdp(c, 2019)), 0), ("2", 5)])
        cells.append(
            shared_text_cell(row, 1, len(texts) - 1)
            if row == 2
            else number_cell(row, 1, gdp(c, 2019))
        )
    fonts = b"".join(map(font_record, (0, 0, 0, 0, 1)))
    return {"raised.xls": write_xls("2019", cells, fonts + shared_texts(texts))}, truth(
        2019, of=BOTH
    )


@habit
def file_for_each_city() -> Habit:
    years, files = (2015, 2018, 2019), {}
    for c, n in CITIES[:3]:
        rows = [
            [f"{n}主要年份国民经济指标"],
            ["指标", "单位", *map(str, years)],
            ["一、综合"],
            ["地区生产总值", "亿元", *(gdp(c, y) for y in years)],
            ["  #第一产业", "亿元", 100, 110, 120],
            ["二、人口"],
            ["年末户籍总人口", "万人", *(population(c, y) for y in years)],
        ]
        files[f"{n}.xlsx"] = book(**{"1": rows})
    primary = {
        (c, year, PRIMARY): value
        for c, _ in CITIES[:3]
        for year, value in zip(years, (100, 110, 120), strict=True)
    }
    return files, truth(*years, of=BOTH, cities=CITIES[:3]) | primary


@habit
def cells_that_need_a_person() -> Habit:
    own = [gdp(c, 2019) for c, _ in CITIES]
    cells = [
        f"{own[0]}亿元",
        "#DIV/0!",
        f"\u00a0{own[2]} ",
        f"'{own[3]}",
        f"{own[4]}(3)",
        f"约{own[5]}",
        f"{own[6]}p",
        f"{own[7]}*",
    ]
    rows = [
        [n, 2019, cell, str(population(c, 2019))]
        for (c, n), cell in zip(CITIES, cells, strict=True)
    ]
    plain = [CITIES[k] for k in (0, 2, 7)]
    table = book(表=[["城市", "年份", "地区生产总值(亿元)", "户籍人口(万人)"], *rows])
    return {"dirty.xlsx": table}, truth(2019, of={POPULATION: population}) | truth(
        2019, cities=plain
    )


@habit
def city_over_its_indicators() -> Habit:
    rows: list[list[object]] = [["指标", 2018, 2019]]
    for c, n in CITIES[:4]:
        rows += [
            [n],
            ["  地区生产总值(亿元)", gdp(c, 2018), gdp(c, 2019)],
            ["  户籍人口(万人)", population(c, 2018), population(c, 2019)],
        ]
    return {"blocks.xlsx": book(表=rows)}, truth(2018, 2019, of=BOTH, cities=CITIES[:4])


@habit
def old_workbook_with_merged_headers() -> Habit:
    texts = [
        "2-5 各市生产总值  单位：亿元",
        "地    区",
        "生 产 总 值",
        "2019年为\n2018年%",
        "2018",
        *(f"{n[0]} {n[1:-1]}" for _, n in CITIES),
    ]
    places = [(0, 0), (1, 0), (1, 1), (1, 3), (2, 1), *((3 + row, 0) for row in range(len(CITIES)))]
    cells = [shared_text_cell(*place, number) for number, place in enumerate(places)] + [
        number_cell(2, 2, 2019.0)
    ]
    for row, (c, _) in enumerate(CITIES, start=3):
        cells += [
            number_cell(row, 1, gdp(c, 2018)),
            number_cell(row, 2, gdp(c, 2019)),
            number_cell(row, 3, 106.7),
        ]
    cells.append(merged_record((0, 0, 0, 3), (1, 2, 0, 0), (1, 1, 1, 2), (1, 2, 3, 3)))
    data = write_xls("2-5", cells, shared_texts([[(text, 0)] for text in texts]))
    return {"2-5.xls": data}, truth(2018, 2019) | truth(2019, of={INDEX: lambda c, y: 106.7})


@habit
def one_value_for_two_cities() -> Habit:
    rows = [["城市", "年份", "GDP(亿元)"], *([n, 2019, gdp(c, 2019)] for c, n in CITIES)]
    return {
        "merged.xlsx": book(lambda workbook: workbook.active.merge_cells("C2:C3"), 表=rows)
    }, truth(2019, cities=CITIES[2:])
