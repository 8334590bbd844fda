"""The delivered files of the second landing: single cells looked up by hand, what is left out and
why, and what the texts state.
"""

from collections import Counter

import duckdb
import openpyxl
import pandas as pd
import pytest

pytestmark = pytest.mark.shared

#: Source, cell, indicator, year, place code or name, unit, raw text, value; figures that yearbooks
#: and bulletins publish, or differ from.
CELLS = [
    (
        "csmar_investment",
        "G7587",
        "fixed_investment_cny_100m",
        2017,
        "440300",
        "万元",
        "51473200",
        51473200.0,
    ),
    (
        "csmar_investment",
        "G5140",
        "fixed_investment_cny_100m",
        2010,
        "110000",
        "万元",
        "54935000",
        54935000.0,
    ),
    ("csmar_investment", "G6802", "fdi_usd_1m", 2017, "440300", "万美元", "740129", 740129.0),
    (
        "urban_investment",
        "U6487",
        "fixed_investment_cny_100m",
        2015,
        "440300",
        "亿元",
        "3298.3076",
        3298.3076,
    ),
    (
        "urban_investment",
        "U2305",
        "fixed_investment_cny_100m",
        2015,
        "310000",
        "亿元",
        "6349.3886",
        6349.3886,
    ),
    (
        "urban_investment",
        "Z27",
        "fiscal_revenue_cny_100m",
        2015,
        "110000",
        "亿元",
        "4723.8597",
        4723.8597,
    ),
    (
        "urban_investment",
        "AA6487",
        "fiscal_expenditure_cny_100m",
        2015,
        "440300",
        "亿元",
        "3521.6708",
        3521.6708,
    ),
    ("patents", "L17", "patents_granted", 2015, "110000", "件", "91028", 91028.0),
    ("patents", "L4581", "patents_granted", 2019, "440300", "件", "166863", 166863.0),
    ("patents", "M4577", "patents_granted_invention", 2015, "440300", "件", "15825", 15825.0),
    ("market_entities", "AJ2864", "entities_new", 2013, "440300", "户", "378598", 378598.0),
    ("market_entities", "Q78", "students_college_10k", 2015, "310000", "人", "511623", 511623.0),
    (
        "market_entities",
        "M2869",
        "exports_cny_100m",
        2018,
        "440300",
        "万元",
        "162746899",
        162746899.0,
    ),
    (
        "market_entities",
        "N605",
        "fiscal_expenditure_cny_100m",
        2015,
        "110000",
        "万元",
        "57377011",
        57377011.0,
    ),
    ("industry_employment", "D10", "employed_10k", 2014, "110000", "万人", "755.86", 755.86),
    (
        "industry_employment",
        "E5",
        "employed_private_10k",
        2019,
        "110000",
        "人",
        "5514378",
        5514378.0,
    ),
    (
        "industry_employment",
        "S5",
        "employed_information_10k",
        2019,
        "110000",
        "万人",
        "85.913",
        85.913,
    ),
    (
        "yearbook_export",
        "O291",
        "telecom_volume_cny_100m",
        2010,
        "北京市",
        "万元",
        "10668311",
        10668311.0,
    ),
    (
        "yearbook_export",
        "N576",
        "telecom_revenue_cny_100m",
        2011,
        "北京市",
        "万元",
        "4362841.0",
        4362841.0,
    ),
    (
        "yearbook_export",
        "K1161",
        "students_college_10k",
        2015,
        "杭州市",
        "人",
        "475558.0",
        475558.0,
    ),
    ("yearbook_export", "K218", "gdp_growth_official_pct", 2015, "北京市", "%", "6.9", 6.9),
    ("firm_stock", "E2", "firms_stock", 2012, "110000", "家", "665708", 665708.0),
    (
        "night_lights",
        "H4388",
        "night_lights_nw_cm2_sr",
        2012,
        "500000",
        "nw_cm2_sr",
        "69170.68665649096",
        69170.68665649096,
    ),
    (
        "night_lights",
        "H4759",
        "night_lights_nw_cm2_sr",
        2013,
        "500000",
        "nw_cm2_sr",
        "164306.2516369965",
        164306.2516369965,
    ),
    (
        "prefecture_lights",
        "AD8012",
        "night_lights_nw_cm2_sr",
        2013,
        "500000",
        "nw_cm2_sr",
        "164306.25",
        164306.25,
    ),
    (
        "prefecture_lights",
        "Z3",
        "night_lights_dmsp_dn",
        1992,
        "340800",
        "dn",
        "13496.694",
        13496.694,
    ),
    (
        "gridded_population",
        "H4",
        "population_gridded_10k",
        2001,
        "340800",
        "人",
        "5236882.0156862745",
        5236882.0156862745,
    ),
]
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
    ("zhongshan_2023_23_fund_notice", "中商务电字〔2023〕23号", "2023-07-25", ""),
]


@pytest.fixture(scope="module")
def second(read_delivered):
    """What is said of the files, their raw rows as a table, and the policy texts."""
    report, build = read_delivered("landing_2")
    with duckdb.connect() as con:
        for name in ("raw", "policy"):
            files = f"read_parquet('{build}/{name}/*.parquet', union_by_name = true)"
            con.execute(f"create table {name} as from {files}")
        yield report, con


def ask(second, query: str, *values: object) -> list[tuple]:
    return second[1].execute(query, values).fetchall()


def test_cells_looked_up_by_hand(second):
    found = """select unit_text, raw_text, "value", reason from raw where source_id = ?
        and cell_ref = ? and indicator_id = ? and "year" = ?
        and coalesce(nullif(place_code_text, ''), place_text) = ?"""
    for *keys, unit, raw_text, value in CELLS:
        assert ask(second, found, *keys) == [(unit, raw_text, value, None)], keys


def test_values_of_a_data_file_stand_in_their_cells_for_a_second_reader(second, shared_dir):
    taken = """select row_no, col_no, "value" from raw where source_id || '/' || file_name = ?
        and indicator_id is not null and reason is null"""
    for path in (
        "csmar_investment/CRE_Invcsct.csv",
        "urban_investment/china_city_panel_real.csv",
        "market_entities/data_sm_br_ma.dta",
    ):
        file = shared_dir / "landing_2" / path
        frame = (
            pd.read_csv(file, encoding="utf-8-sig")
            if file.suffix == ".csv"
            else pd.read_stata(file, convert_categoricals=False)
        )
        rows = ask(second, taken, path)
        assert rows and all(float(frame.iat[row - 2, col - 1]) == v for row, col, v in rows), path


def test_values_of_an_export_stand_beside_their_label_area_and_year_for_a_second_reader(
    second, shared_dir
):
    taken = """select row_no, col_no, place_text, "year", unit_text, "value" from raw
        where file_name = ? and indicator_id is not null"""
    for name in ("中介变量.xlsx", "导出详情单locate1.xlsx"):
        book = openpyxl.load_workbook(
            shared_dir / "landing_2" / "yearbook_export" / name, read_only=True, data_only=True
        )
        cells = [list(row) for row in book["Sheet1"].iter_rows(values_only=True)]
        rows = ask(second, taken, name)
        assert len(rows) > 4000
        for row_no, col_no, place, year, unit, value in rows:
            line = cells[row_no - 1]
            assert (place, f"{year}年", f"({unit})") == (
                line[1],
                cells[0][col_no - 1],
                line[0][-len(unit) - 2 :],
            )
            assert value == float(line[col_no - 1])


def test_imputed_and_filled_values_are_never_taken(second):
    investment = """select min("year"), max("year"), count(*), count(distinct "year"),
        bool_and(detail like '%imputed by the compiler%') from raw
        where source_id = 'urban_investment' and indicator_id = 'fixed_investment_cny_100m'
        and reason is {} null"""
    assert ask(second, investment.format("not")) == [(2017, 2023, 2025, 7, True)]
    assert ask(second, investment.format(""))[0][1] == 2016
    whole = ask(
        second,
        """select distinct source_id, coalesce(nullif(sheet_name, ''), file_name) from raw
        where reason = 'dropped_row' and cell_ref is null""",
    )
    assert {
        ("industry_employment", "线性插值数据"),
        ("yearbook_export", "1_插值补充后数据.xlsx"),
    } <= set(whole)
    notes = second[0].files.set_index("path")["note"]
    assert "interpolation" in notes["yearbook_export/1_插值补充后数据.xlsx"]
    filled = """from raw where indicator_id = 'fdi_usd_1m' and source_id = 'csmar_investment'
        and reason is null and "year" > 2017"""
    assert ask(second, filled) == []


def test_every_file_is_taken_or_left_out_with_its_reason(second):
    files = second[0].files
    assert len(files) == 57 and Counter(files["status"]) == {
        "taken": 50,
        "ignored": 6,
        "skipped": 1,
    }
    assert files.loc[files["status"] != "taken", "note"].str.len().min() > 20
    unknown = "from raw where reason = 'unmapped_column' and detail not like ?"
    assert ask(second, unknown, "%left out by the layout%") == []


def test_what_the_texts_state(second):
    texts = ask(second, "select file_name, document_no, issue_date, zone_texts from policy")
    assert len(texts) == len(TEXTS) == 37
    notes = second[0].files.set_index("path")
    note = notes.loc["policy_texts/hangzhou_2016_regulations_english.txt"]
    assert note["status"] == "skipped" and "deliver the Chinese original" in note["note"]
    stated = {
        name.removesuffix(".txt"): (number, issued and str(issued), " ".join(zones))
        for name, number, issued, zones in texts
    }
    assert stated == {name: (number, dated, zones) for name, number, dated, zones in TEXTS}
