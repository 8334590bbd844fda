"""What the habits of statistics offices are played with: small files, pieces of layouts, and how a
file is read by them.
"""

from typing import NamedTuple

import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from tests.warehouse.ingest.delivered import saved, xlsx_bytes
from tests.warehouse.ingest.formats.old_workbook import (
    font_record,
    merged_record,
    number_cell,
    shared_text_cell,
    shared_texts,
    write_xls,
)
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

# a flag beside the values says which of one indicator are imputed
FLAGGED = """
    place: {level: city, name: 城市}
    year: {column: 年份}
    indicators:
      - column: 投资
        id: fixed_investment_cny_100m
        unit: 亿元
        left_out_where: {column: 插补, matches: '(?i)^true$', reason: imputed by the compiler}
      - {column: 贷款, id: loans_cny_100m, unit: 亿元}
"""


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
    chosen = tables_for(layout, name)
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
    return saved(workbook.save)


def merged(*cells: str) -> bytes:
    """A workbook with merged cells."""
    workbook = openpyxl.Workbook()
    for row in ([*HEADER], *([name, 2014, 1.0] for name in ("石家庄市", "唐山市", "秦皇岛市"))):
        workbook.active.append(row)
    for each in cells:
        workbook.active.merge_cells(each)
    return saved(workbook.save)


def old_with_merged_headers() -> bytes:
    """An old workbook with a header of two rows, the first one merged, and a raised mark."""
    texts = [[("地    区", 0)], [("生 产 总 值", 0)], [("2018", 0)], [("石家庄市", 0), ("1", 5)]]
    places = [(0, 0), (0, 1), (1, 1), (2, 0)]
    cells = [shared_text_cell(*place, number) for number, place in enumerate(places)]
    cells += [number_cell(1, 2, 2019.0), number_cell(2, 1, 5.5), number_cell(2, 2, 6.5)]
    fonts = b"".join(map(font_record, (0, 0, 0, 0, 1)))
    cells.append(merged_record((0, 1, 0, 0), (0, 0, 1, 2)))
    return write_xls("2-5", cells, fonts + shared_texts(texts))


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
    return saved(workbook.save)


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
