"""The delivered files themselves: single cells looked up by hand, and every workbook cell against a
second reader.
"""

import duckdb
import openpyxl
import pytest

from warehouse.ingest.errors import FileFault
from warehouse.ingest.formats.grids import read_grids

pytestmark = pytest.mark.shared

#: Source, sheet, cell, indicator, year, place code or name, unit, raw text, value.
CELLS = """
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
"""
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


@pytest.fixture(scope="module")
def real(read_delivered):
    """What is said of the files, and their raw rows as a table."""
    report, build = read_delivered("landing")
    with duckdb.connect() as con:
        files = f"read_parquet('{build}/raw/*.parquet', union_by_name = true)"
        con.execute(f"create table raw as from {files}")
        yield report, con


def test_cells_looked_up_by_hand(real):
    found = """select coalesce(sheet_name, ''), coalesce(unit_text, ''), raw_text, "value" from raw
        where source_id = ? and cell_ref = ? and indicator_id = ? and "year" = ?
        and coalesce(nullif(place_code_text, ''), place_text, '') = ?"""
    for line in CELLS.strip("\n").split("\n"):
        source, sheet, cell_ref, indicator, year, place, unit, text, value = line.split("|")
        rows = real[1].execute(found, [source, cell_ref, indicator, int(year), place]).fetchall()
        assert rows == [(sheet, unit, text, float(value) if value else None)], line


def test_every_source_gives_its_known_counts(real):
    sources = real[0].files.groupby("source_id")[["n_observations", "n_rejected"]].sum()
    counts = {source: tuple(sources.loc[source]) for source in COUNTS}
    assert counts == COUNTS
    assert len(real[0].files) == 48


def test_reasons_are_the_contracts_words(real):
    counts = "select reason, count(*), count(detail) from raw where reason <> '' group by all"
    assert set(real[1].execute(counts).fetchall()) == {
        ("dropped_row", 8873, 8873),
        ("not_a_number", 335, 335),
        ("unmapped_column", 385, 385),
    }


def test_every_value_of_a_workbook_a_source_is_what_a_second_reader_finds_in_its_cell(
    real, shared_dir
):
    """One workbook a source: of the others single cells are looked up by hand."""
    report, con = real
    books = report.files[
        report.files["status"].eq("taken") & report.files["path"].str.endswith(".xlsx")
    ]
    of_book = """select row_no, col_no, "value",
        reason is null or detail like '%stands for a missing one%' as is_number from raw
        where source_id || '/' || file_name = ? and sheet_name = ? and indicator_id is not null"""
    for path in books.groupby("source_id")["path"].last():
        book = openpyxl.load_workbook(shared_dir / "landing" / path, read_only=True, data_only=True)
        n_taken = 0
        for sheet in book:
            taken = con.execute(of_book, [path, sheet.title]).fetchall()
            n_taken += len(taken)
            cells = list(sheet.iter_rows(values_only=True)) if taken else []
            for row_no, col_no, value, is_number in taken:
                cell = cells[row_no - 1][col_no - 1]
                expected = float(str(cell).replace(" ", "")) if is_number else None
                assert value == expected, (path, sheet.title, row_no, col_no, cell)
        assert n_taken


def test_an_xls_export_keeps_its_addresses(shared_dir):
    (grid,) = read_grids(
        (shared_dir / "landing" / "nbs_major_cities" / "20_Major_GDP.xls").read_bytes(),
        "20_Major_GDP.xls",
    )
    assert grid.rows[1][0] == "指标：国内生产总值(亿元)"
    column = grid.rows[3].index("2015年")
    assert {row[0]: row[column] for row in grid.rows[4:] if len(row) > column}["北京"] == 23014.59


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


def test_advertisements_and_notes_are_lines_not_values(real):
    adverts = "select reason, count(*) from raw where raw_text similar to '.*(淘宝|taobao).*'"
    found = real[1].execute(f"{adverts} group by reason").fetchall()
    assert found == [("dropped_row", 3 + 10 + 2 + 10)]
    left = "select distinct sheet_name from raw where reason = 'dropped_row' and cell_ref is null"
    sheets = {name for (name,) in real[1].execute(f"{left} and sheet_name <> ''").fetchall()}
    assert sheets == {
        "计算过程-以上海市为例",
        "数据说明",
        "数据来源",
        "2023",
        "CNKI",
        "Sheet3",
        "Sheet4",
    }
