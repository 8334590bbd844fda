"""The delivered files of both landings themselves: single cells looked up by hand, every cell of
some files against a second reader, what is left out and why, and what the texts state.
"""

from collections import Counter
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import read_grids

pytestmark = pytest.mark.shared

#: Source, sheet, cell, indicator, year, place code or name, unit, raw text, value: figures that
#: yearbooks and bulletins publish, or differ from.
CELLS = {
    "landing": """
csmar_region||G7960|gdp_nominal_cny_100m|2015|110000|亿元|24779.1000|24779.1
csmar_region||G9379|gdp_nominal_cny_100m|2019|310000|亿元|38155.3200|38155.32
csmar_region||G2|gdp_nominal_cny_100m|1990|650100|亿元|59.5939|59.5939
csmar_region||G10183|gdp_nominal_cny_100m|2021|130400|亿元|4114.8208|4114.8208
csmar_region||L7960|gdp_growth_official_pct|2015|110000|pct|6.9000|6.9
csmar_region||L7606|gdp_growth_official_pct|2014|440500|pct|109.0000|109.0
csmar_region||J7960|gdp_share_tertiary_pct|2015|110000|pct|81.6000|81.6
csmar_region||K9379|gdp_per_capita_cny|2019|310000|元|157279.0000|157279.0
csmar_region||M7960|value_added_primary_cny_100m|2015|110000|万元|1404000.0000|1404000.0
csmar_region||O10183|value_added_tertiary_cny_100m|2021|130400|万元|18118798.1044|18118798.1044
csmar_region||G2|population_registered_10k|1978|110000|万人|849.7000|849.7
csmar_region||K8392|employed_10k|2015|110000|万人|777.3448|777.3448
csmar_region||Q8392|wage_bill_cny_10k|2015|110000|万元|82252242.0000|82252242.0
csmar_region||R10684|wage_avg_cny|2021|632800|元|120999.6567|120999.6567
csmar_region||D2|cpi_prev_year_100|1951|110000|index_100|116.1700|116.17
csmar_region||D2003|cpi_prev_year_100|2021|460000|index_100|100.3000|100.3
finance_loans|Sheet1|G14|gdp_nominal_cny_100m|2015|110000|万元|230145900|230145900.0
finance_loans|Sheet1|G2|gdp_nominal_cny_100m|2003|110000|万元|36631000|36631000.0
finance_loans|Sheet1|H14|loans_cny_100m|2015|110000|万元|488531687|488531687.0
finance_loans|Sheet1|I6301|deposits_cny_100m|2023|650500|万元|11928764|11928764.0
finance_loans|Sheet1|J520|financial_development_delivered_ratio|2017|150100|ratio|#DIV/0!|
deflator|Sheet1|D449|gdp_nominal_cny_100m|2015|北京市|亿元|24779.1|24779.1
deflator|Sheet1|D21|gdp_nominal_cny_100m|2019|上海市|亿元|37987.6|37987.6
deflator|Sheet1|E449|gdp_index_prev_year_100|2015|北京市|index_100|106.9|106.9
deflator|Sheet1|F7105|gdp_real_cny_100m|2023|齐齐哈尔市|亿元|1090.424|1090.424
deflator|Sheet1|G2|gdp_deflator_base_1|2000|上海市|ratio|1|1.0
resident_population|面板数据|G19|population_resident_10k|2015|110000|万人|2188.3|2188.3
resident_population|面板数据|H6968|population_resident_interpolated_10k|1998|540100|万人|48.4971|48.4971
resident_population|面板数据|F8047|area_km2|2024|650500|平方公里|137222|137222.0
industry_structure|面板数据2000-2023|F17|gdp_nominal_cny_100m|2015|110000|亿元|24779.1|24779.1
industry_structure|面板数据2000-2023|F1721|gdp_nominal_cny_100m|2019|310000|亿元|38155.32|38155.32
industry_structure|面板数据2000-2023|F5497|gdp_nominal_cny_100m|2023|469003|亿元|1002.84|1002.84
industry_structure|面板数据2000-2023|I7975|value_added_tertiary_cny_100m|2023|654300|亿元|201.01|201.01
fdi|Sheet1|C3|fdi_usd_1m|1997|七台河|百万美元|0.140000000596046|0.140000000596046
fdi|Sheet1|C8261|fdi_usd_1m|2023|龙岩|百万美元|51|51.0
exchange_rate|Sheet1|B2|exchange_rate_cny_per_usd|2007||cny_per_usd|7.604|7.604
exchange_rate|Sheet1|B10|exchange_rate_cny_per_usd|2015||cny_per_usd|6.2371|6.2371
exchange_rate|Sheet1|B18|exchange_rate_cny_per_usd|2023||cny_per_usd|7.0467|7.0467
road_area|地级市+县级市|F2|road_area_per_capita_m2|2002|110000|平方米|8.05|8.05
road_area|地级市+县级市|F10553|road_area_per_capita_m2|2015|440300|平方米|10.4|10.4
road_area|地级市+县级市|F13487|road_area_per_capita_m2|2023|532900|平方米|19.148|19.148
road_area|地级市+县级市|G14609|road_area_per_capita_interpolated_m2|2023|650200|平方米|40.151|40.151
nbs_major_cities|主要城市年度数据|E5|gdp_nominal_cny_100m|2015|北京|亿元|23014.59|23014.59
nbs_major_cities|主要城市年度数据|U5|gdp_nominal_cny_100m|1999|北京|亿元|2678.82|2678.82
nbs_major_cities|主要城市年度数据|C40|gdp_nominal_cny_100m|2017|乌鲁木齐|亿元|2743.82|2743.82
nbs_major_cities|主要城市年度数据|C5|gdp_nominal_cny_100m|2017|广州|亿元|21503.15|21503.15
nbs_major_cities|主要城市年度数据|E7|value_added_secondary_cny_100m|2015|广州|亿元|5726.08|5726.08
nbs_major_cities|主要城市年度数据|C6|value_added_primary_cny_100m|2017|深圳|亿元|19.57|19.57
nbs_major_cities|主要城市年度数据|E8|value_added_tertiary_cny_100m|2015|深圳|亿元|10288.28|10288.28
yearbook_cnki|1-7|C4|gdp_nominal_districts_cny_100m|2017|北京市|万元|280149400|280149400.0
yearbook_cnki|1-7|D4|gdp_per_capita_districts_cny|2017|北京市|元|128994|128994.0
yearbook_cnki|1-7|E4|gdp_growth_official_districts_pct|2017|北京市|%|6.70|6.7
yearbook_cnki|1-7|E366|gdp_share_tertiary_districts_pct|2017|  哈密市|pct|37.73|37.73
yearbook_cnki|1-7|C6|green_area_districts_km2|2017|北京市|公顷|83501|83501.0
yearbook_cnki|1-7|D231|park_area_districts_km2|2017|  深圳市|公顷|19980|19980.0
yearbook_cnki|1-7|F360|green_cover_share_districts_pct|2017|  哈密市|%|39.08|39.08
yearbook_cnki|1-7|C5|population_registered_10k|2017|北京市|万人|1359|1359.0
yearbook_cnki|1-7|D359|population_registered_districts_10k|2017|  哈密市|万人|43|43.0
yearbook_cnki|1-7|G230|households_10k|2017|  深圳市|万户|108|108.0
yearbook_cnki|1-7|E230|deaths_10k|2017|  深圳市|人|7012|7012.0
yearbook_cnki|1-7|G5|population_natural_growth_permille|2017|北京市|‰|-5.79|-5.79
yearbook_merged|Sheet1|C4|population_registered_10k|2005|  北京市|万人|1180.7|1180.7
yearbook_merged|Sheet1|AQ289|employed_education_10k|2005|    克拉玛依市|万人|0.6|0.6
yearbook_merged|Sheet1|K4|unemployed_registered_10k|2006|  北京市|万人|10.3986|10.3986
yearbook_merged|Sheet1|M6|employed_agriculture_10k|2006|    石家庄市|万人|0.46|0.46
yearbook_merged|Sheet1|I4|employed_private_10k|2007|  北京市|万人|323.071|323.071
yearbook_merged|Sheet1|BD4|population_density_per_km2|2008|  北京市|人/平方公里|792.06|792.06
yearbook_merged|Sheet1|W192|employed_transport_10k|2008|    广州市|万人|20.94|20.94
yearbook_merged|Sheet1|AE71|employed_finance_10k|2009|  上海市|万人|21.71|21.71
yearbook_merged|Sheet1|Y194|employed_information_10k|2010|    深圳市|万人|5.19|5.19
yearbook_merged|Sheet1|AY4|area_km2|2011|北京市|平方公里|1641|1641.0
yearbook_merged|Sheet1|O64|employed_mining_10k|2011|  大庆市|万人|12.15|12.15
yearbook_merged|Sheet1|W4|employed_transport_10k|2012|北京市|万人|57.84|57.84
yearbook_merged|Sheet1|AW229|employed_public_administration_10k|2013|  成都市|万人|16.83|16.83
yearbook_merged|Sheet1|C260|population_registered_10k|2011|西安市|万人|791.8|791.8
yearbook_merged|Sheet1|C112|population_registered_10k|2010|宣城市|万人|278.36|278.36
yearbook_merged|Sheet1|W4|employed_wholesale_retail_10k|2014|北京市|万人|72.2818|72.2818
yearbook_merged|Sheet1|Y4|employed_transport_10k|2014|北京市|万人|60.2262|60.2262
yearbook_merged|Sheet1|BB4|population_density_per_km2|2014|北京市|人/平方公里|812.5|812.5
yearbook_merged|Sheet1|E4|population_average_10k|2015|北京市|万人|1339.30|1339.3
yearbook_merged|Sheet1|C259|population_registered_10k|2015|  西安市|万人|815.66|815.66
yearbook_merged|Sheet1|AS287|employed_health_10k|2016|  乌鲁木齐市|万人|3.9069|3.9069
yearbook_merged|Sheet1|AC288|employed_information_10k|2016|  克拉玛依市|万人|0.1227|0.1227
""",
    "landing_2": """
csmar_investment||G7587|fixed_investment_cny_100m|2017|440300|万元|51473200|51473200.0
csmar_investment||G5140|fixed_investment_cny_100m|2010|110000|万元|54935000|54935000.0
csmar_investment||G6802|fdi_usd_1m|2017|440300|万美元|740129|740129.0
urban_investment||U6487|fixed_investment_cny_100m|2015|440300|亿元|3298.3076|3298.3076
urban_investment||U2305|fixed_investment_cny_100m|2015|310000|亿元|6349.3886|6349.3886
urban_investment||Z27|fiscal_revenue_cny_100m|2015|110000|亿元|4723.8597|4723.8597
urban_investment||AA6487|fiscal_expenditure_cny_100m|2015|440300|亿元|3521.6708|3521.6708
patents||L17|patents_granted|2015|110000|件|91028|91028.0
patents||L4581|patents_granted|2019|440300|件|166863|166863.0
patents||M4577|patents_granted_invention|2015|440300|件|15825|15825.0
market_entities||AJ2864|entities_new|2013|440300|户|378598|378598.0
market_entities||Q78|students_college_10k|2015|310000|人|511623|511623.0
market_entities||M2869|exports_cny_100m|2018|440300|万元|162746899|162746899.0
market_entities||N605|fiscal_expenditure_cny_100m|2015|110000|万元|57377011|57377011.0
industry_employment|原始数据（有缺失）|D10|employed_10k|2014|110000|万人|755.86|755.86
industry_employment|原始数据（有缺失）|E5|employed_private_10k|2019|110000|人|5514378|5514378.0
industry_employment|原始数据（有缺失）|S5|employed_information_10k|2019|110000|万人|85.913|85.913
yearbook_export|Sheet1|O291|telecom_volume_cny_100m|2010|北京市|万元|10668311|10668311.0
yearbook_export|Sheet1|N576|telecom_revenue_cny_100m|2011|北京市|万元|4362841.0|4362841.0
yearbook_export|Sheet1|K1161|students_college_10k|2015|杭州市|人|475558.0|475558.0
yearbook_export|Sheet1|K218|gdp_growth_official_pct|2015|北京市|%|6.9|6.9
firm_stock||E2|firms_stock|2012|110000|家|665708|665708.0
night_lights||H4388|night_lights_nw_cm2_sr|2012|500000|nw_cm2_sr|69170.68665649096|69170.68665649096
night_lights||H4759|night_lights_nw_cm2_sr|2013|500000|nw_cm2_sr|164306.2516369965|164306.2516369965
prefecture_lights||AD8012|night_lights_nw_cm2_sr|2013|500000|nw_cm2_sr|164306.25|164306.25
prefecture_lights||Z3|night_lights_dmsp_dn|1992|340800|dn|13496.694|13496.694
gridded_population||H4|population_gridded_10k|2001|340800|人|5236882.0156862745|5236882.0156862745
""",
}
#: Values and rejected lines of each source; values are the non-blank cells of the mapped columns,
#: counted without the ingest.
COUNTS = {
    "csmar_region": (169917, 9),
    "deflator": (28352, 5),
    "exchange_rate": (17, 0),
    "fdi": (7000, 1),
    "finance_loans": (24360, 239),
    "industry_structure": (55797, 9),
    "nbs_major_cities": (718, 3),
    "resident_population": (31106, 13),
    "road_area": (13299, 8352),
    "yearbook_cnki": (4890, 269),
    "yearbook_merged": (95410, 693),
}
#: File, number, date, zones as PROVENANCE.md has them; None and blank where the visible part does
#: not state it in a form the rules read.
TEXTS = [
    ("bengbu_2023_plan", None, "2023-04-03", "蚌埠"),
    ("chengdu_support_measures_part", None, None, ""),
    ("datong_2020_75_plan", "晋政办发〔2020〕75号", "2020-09-18", "大同"),
    ("deyang_mianyang_2021_plan", "川府函〔2021〕9号", "2021-01-11", "德阳 绵阳"),
    (
        "guangdong_2020_123_seven_cities_plan",
        "粤府函〔2020〕123号",
        None,
        "梅州 惠州 中山 江门 湛江 茂名 肇庆市",
    ),
    (
        "guangdong_2022_58_eight_cities_plan",
        "粤府函〔2022〕58号",
        "2022-04-12",
        "韶关 河源 汕尾 阳江 清远 潮州 揭阳 云浮",
    ),
    ("hangzhou_2016_progress_news", None, None, ""),
    ("hezhou_2023_45_plan", "桂政办函〔2023〕45号", "2023-11-05", "贺州"),
    ("honghe_2022_plan", None, "2022-06-26", "红河"),
    ("huaian_2024_3_action_plan", "淮政办发〔2024〕3号", None, ""),
    ("huhehaote_2018_plan", None, "2018-12-28", "呼和浩特"),
    ("kunming_2019_plan", None, "2019-01-25", "昆明"),
    ("lasa_2023_19_plan", "藏政发〔2023〕19号", "2023-08-18", "拉萨"),
    ("lianyungang_2020s_implementation_opinions_mojibake", None, None, "连云港"),
    ("lianyungang_2021_plan", None, "2021-02-18", "连云港"),
    ("lianyungang_2024_opinions", None, "2024-11-20", "连云港市"),
    ("liaoning_2026_province_action_plan", None, "2026-02-14", ""),
    ("lishui_2021_67_interpretation", "丽政办发〔2021〕67号", "2021-12-10", ""),
    ("manzhouli_2020_68_plan", "内政字〔2020〕68号", "2020-07-23", "满洲里"),
    ("nanchang_2018_plan", None, "2018-12-04", "南昌"),
    ("nanjing_2019_plan", None, None, "南京"),
    ("qingdao_2016_plan_encyclopaedia", None, None, "青岛"),
    ("sanya_2020_207_plan", "琼府办函〔2020〕207号", "2020-07-31", "三亚"),
    ("shanghai_2016_plan_summary", None, None, ""),
    ("shenzhen_2025_detailed_rules_draft", None, "2025-10-10", ""),
    ("shijiazhuang_2020_plan", None, "2020-02-15", "石家庄"),
    ("suzhou_2024_three_year_action_plan", None, "2024-04-08", "苏州"),
    ("taiyuan_2020_plan", None, "2020-05-30", "太原"),
    (
        "tianjin_etc_2016_guohan17_encyclopaedia",
        None,
        None,
        "天津市 上海市 重庆市 合肥市 郑州市 广州市 成都市 大连市 宁波市 青岛市 深圳市 苏州市",
    ),
    ("tongjiang_2025_measures_not_a_zone", None, None, ""),
    ("unknown_city_support_items", None, None, ""),
    ("weihai_2018_306_plan", "鲁政字〔2018〕306号", "2018-12-26", "威海"),
    ("wuhu_anqing_2020_plan", None, "2020-08-27", "芜湖 安庆"),
    ("xiamen_2022_5_fund_measures", "厦商务规〔2022〕5号", "2022-04-18", "厦门市"),
    ("xian_2018_plan", None, None, "西安"),
    ("yancheng_2023_policies", None, "2023-11-25", "盐城市"),
    ("zhongshan_2023_23_fund_notice", "中商务电字〔2023〕23号", "2023-07-25", "中山市"),
]


@pytest.fixture(scope="module")
def delivered(read_delivered):
    """What is said of the files of each landing, and its raw rows and policy texts as tables."""
    found = {}
    for landing in CELLS:
        report, build = read_delivered(landing)
        con = duckdb.connect()
        for name in ("raw", "policy"):
            files = f"read_parquet('{build}/{name}/*.parquet', union_by_name = true)"
            con.execute(f"create table {name} as from {files}")
        found[landing] = report.files, con
    return found


def ask(delivered, landing: str, query: str, *values: object) -> list[tuple]:
    return delivered[landing][1].execute(query, values).fetchall()


@pytest.mark.parametrize("landing", CELLS)
def test_cells_looked_up_by_hand(delivered, landing):
    found = """select coalesce(sheet_name, ''), coalesce(unit_text, ''), raw_text, "value" from raw
        where source_id = ? and cell_ref = ? and indicator_id = ? and "year" = ?
        and coalesce(nullif(place_code_text, ''), place_text, '') = ?"""
    for line in CELLS[landing].strip("\n").split("\n"):
        source, sheet, cell_ref, indicator, year, place, unit, text, value = line.split("|")
        rows = ask(delivered, landing, found, source, cell_ref, indicator, int(year), place)
        assert rows == [(sheet, unit, text, float(value) if value else None)], line


def test_every_source_gives_its_known_counts(delivered):
    files = delivered["landing"][0]
    sources = files.groupby("source_id")[["n_observations", "n_rejected"]].sum()
    assert {source: tuple(sources.loc[source]) for source in COUNTS} == COUNTS
    assert len(files) == 48


INVESTMENT = """select min("year"), max("year"), count(*), count(distinct "year"),
    bool_and(detail like '%imputed by the compiler%') from raw
    where source_id = 'urban_investment' and indicator_id = 'fixed_investment_cny_100m'
    and reason is {} null"""
#: What is left out of a landing and why: the query, and its rows or what holds of them.
LEFT_OUT = {
    "reasons": (
        "landing",
        "select reason, count(*), count(detail) from raw where reason <> '' group by all",
        [
            ("dropped_row", 8873, 8873),
            ("not_a_number", 335, 335),
            ("unmapped_column", 385, 385),
        ],
    ),
    "advertisements are lines and no values": (
        "landing",
        """select reason, count(*) from raw where raw_text similar to '.*(淘宝|taobao).*'
        group by reason""",
        [("dropped_row", 3 + 10 + 2 + 10)],
    ),
    "sheets of notes": (
        "landing",
        """select distinct sheet_name from raw where reason = 'dropped_row'
        and cell_ref is null and sheet_name <> ''""",
        [
            *(("2023",), ("CNKI",), ("Sheet3",), ("Sheet4",), ("数据来源",), ("数据说明",)),
            ("计算过程-以上海市为例",),
        ],
    ),
    "imputed investment": ("landing_2", INVESTMENT.format("not"), [(2017, 2023, 2025, 7, True)]),
    "measured investment": (
        "landing_2",
        f"""select column1 from ({INVESTMENT.format("")}) as t(column0, column1, a, b, c)""",
        [(2016,)],
    ),
    "sheets and files that are filled": (
        "landing_2",
        """select distinct source_id, coalesce(nullif(sheet_name, ''), file_name) as what from raw
        where reason = 'dropped_row' and cell_ref is null
        and what in ('线性插值数据', '1_插值补充后数据.xlsx')""",
        [
            ("industry_employment", "线性插值数据"),
            ("yearbook_export", "1_插值补充后数据.xlsx"),
        ],
    ),
    "years that a source filled": (
        "landing_2",
        """from raw where indicator_id = 'fdi_usd_1m' and source_id = 'csmar_investment'
        and reason is null and "year" > 2017""",
        [],
    ),
    "no column is unknown": (
        "landing_2",
        """from raw where reason = 'unmapped_column'
        and detail not like '%left out by the layout%'""",
        [],
    ),
}


@pytest.mark.parametrize(("landing", "query", "rows"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_not_taken_is_left_out_with_its_reason(delivered, landing, query, rows):
    assert sorted(ask(delivered, landing, query)) == rows


def sheets_of(path: Path) -> dict[str, list]:
    """Cells of a file by sheet, as a second reader has them."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}
    if path.suffix == ".csv":
        frame = pd.read_csv(path, encoding="utf-8-sig", dtype=str)
    else:
        frame = pd.read_stata(path, convert_categoricals=False)
    return {"": [list(frame), *frame.to_numpy(dtype=object)]}


EXPORTS = ("yearbook_export/中介变量.xlsx", "yearbook_export/导出详情单locate1.xlsx")
DATA_FILES = (
    "csmar_investment/CRE_Invcsct.csv",
    "urban_investment/china_city_panel_real.csv",
    "market_entities/data_sm_br_ma.dta",
)


@pytest.mark.parametrize("landing", CELLS)
def test_every_value_of_a_file_is_what_a_second_reader_finds_in_its_cell(
    delivered, shared_dir, landing
):
    """One workbook a source: of the others single cells are looked up by hand."""
    files = delivered[landing][0]
    books = files[files["status"].eq("taken") & files["path"].str.endswith(".xlsx")]
    last = books.groupby("source_id")["path"].last()
    of_file = """select coalesce(sheet_name, ''), row_no, col_no, place_text, "year", unit_text,
        "value", reason is null or detail like '%stands for a missing one%' as is_number from raw
        where source_id || '/' || file_name = ? and indicator_id is not null
        and coalesce(detail, '') not like '%imputed by the compiler%'"""
    for path in last if landing == "landing" else (*EXPORTS, *DATA_FILES):
        cells = sheets_of(shared_dir / landing / path)
        taken = ask(delivered, landing, of_file, path)
        assert taken
        for sheet, row_no, col_no, place, year, unit, value, is_number in taken:
            line, where = cells[sheet][row_no - 1], (path, sheet, row_no, col_no)
            cell = line[col_no - 1]
            assert value == (float(str(cell).replace(" ", "")) if is_number else None), where
            if path in EXPORTS:
                # the label with its unit, then the area; a column a year
                said = line[1], cells[sheet][0][col_no - 1], line[0][-len(unit) - 2 :]
                assert said == (place, f"{year}年", f"({unit})"), where


@pytest.mark.parametrize(
    ("path", "cut", "message"),
    [
        (
            "yearbook_cnki/Composition of GRP.xls",
            0.5,
            "an encrypted one that is truncated or damaged|a truncated or damaged one",
        ),
        ("nbs_major_cities/20_Major_GDP.xls", 0.6, "a truncated or damaged one"),
        ("fdi/1996-2023年地级市外商直接投资FDI.xlsx", 0.9, "a truncated or damaged one"),
    ],
)
def test_a_protected_or_truncated_workbook_is_refused(shared_dir, path, cut, message):
    data = (shared_dir / "landing" / path).read_bytes()
    with pytest.raises(FileFault, match=message):
        read_grids(data[: int(len(data) * cut)], path)


def test_every_file_is_taken_or_left_out_with_its_reason(delivered):
    files = delivered["landing_2"][0]
    assert len(files) == 57 and Counter(files["status"]) == {
        "taken": 50,
        "ignored": 6,
        "skipped": 1,
    }
    assert files.loc[files["status"] != "taken", "note"].str.len().min() > 20
    notes = files.set_index("path")["note"]
    assert "interpolation" in notes["yearbook_export/1_插值补充后数据.xlsx"]


def test_what_the_texts_state(delivered):
    texts = ask(
        delivered, "landing_2", "select file_name, document_no, issue_date, zone_texts from policy"
    )
    assert len(texts) == len(TEXTS) == 37
    notes = delivered["landing_2"][0].set_index("path")
    note = notes.loc["policy_texts/hangzhou_2016_regulations_english.txt"]
    assert note["status"] == "skipped" and "deliver the Chinese original" in note["note"]
    stated = {
        name.removesuffix(".txt"): (number, issued and str(issued), " ".join(zones))
        for name, number, issued, zones in texts
    }
    assert stated == {name: (number, dated, zones) for name, number, dated, zones in TEXTS}
