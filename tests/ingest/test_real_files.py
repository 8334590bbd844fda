"""The delivered files themselves: single cells looked up by hand, and every workbook cell against a second reader."""

from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.ingest.delivered import shipped_layouts
from warehouse.ingest.errors import FileFault
from warehouse.ingest.grids import read_grids
from warehouse.ingest.landing import LandingReport, read_landing

pytestmark = pytest.mark.shared

#: Source, sheet, cell, indicator, year, place code or name, unit, raw text, value.
CELLS = [
    ("csmar_region", None, "G7960", "gdp_nominal_cny_100m", 2015, "110000", "亿元", "24779.1000", 24779.1),
    ("csmar_region", None, "G9379", "gdp_nominal_cny_100m", 2019, "310000", "亿元", "38155.3200", 38155.32),
    ("csmar_region", None, "G2", "gdp_nominal_cny_100m", 1990, "650100", "亿元", "59.5939", 59.5939),
    ("csmar_region", None, "G10183", "gdp_nominal_cny_100m", 2021, "130400", "亿元", "4114.8208", 4114.8208),
    ("csmar_region", None, "L7960", "gdp_growth_official_pct", 2015, "110000", "pct", "6.9000", 6.9),
    ("csmar_region", None, "L7606", "gdp_growth_official_pct", 2014, "440500", "pct", "109.0000", 109.0),
    ("csmar_region", None, "J7960", "gdp_share_tertiary_pct", 2015, "110000", "pct", "81.6000", 81.6),
    ("csmar_region", None, "K9379", "gdp_per_capita_cny", 2019, "310000", "元", "157279.0000", 157279.0),
    ("csmar_region", None, "M7960", "value_added_primary_cny_100m", 2015, "110000", "万元", "1404000.0000", 1404000.0),
    ("csmar_region", None, "O10183", "value_added_tertiary_cny_100m", 2021, "130400", "万元", "18118798.1044", 18118798.1044),
    ("csmar_region", None, "G2", "population_registered_10k", 1978, "110000", "万人", "849.7000", 849.7),
    ("csmar_region", None, "K8392", "employed_10k", 2015, "110000", "万人", "777.3448", 777.3448),
    ("csmar_region", None, "Q8392", "wage_bill_cny_10k", 2015, "110000", "万元", "82252242.0000", 82252242.0),
    ("csmar_region", None, "R10684", "wage_avg_cny", 2021, "632800", "元", "120999.6567", 120999.6567),
    ("csmar_region", None, "D2", "cpi_prev_year_100", 1951, "110000", "index_100", "116.1700", 116.17),
    ("csmar_region", None, "D2003", "cpi_prev_year_100", 2021, "460000", "index_100", "100.3000", 100.3),
    ("finance_loans", "Sheet1", "G14", "gdp_nominal_cny_100m", 2015, "110000", "万元", "230145900", 230145900.0),
    ("finance_loans", "Sheet1", "G2", "gdp_nominal_cny_100m", 2003, "110000", "万元", "36631000", 36631000.0),
    ("finance_loans", "Sheet1", "H14", "loans_cny_100m", 2015, "110000", "万元", "488531687", 488531687.0),
    ("finance_loans", "Sheet1", "I6301", "deposits_cny_100m", 2023, "650500", "万元", "11928764", 11928764.0),
    ("finance_loans", "Sheet1", "J520", "financial_development_delivered_ratio", 2017, "150100", "ratio", "#DIV/0!", None),
    ("deflator", "Sheet1", "D449", "gdp_nominal_cny_100m", 2015, "北京市", "亿元", "24779.1", 24779.1),
    ("deflator", "Sheet1", "D21", "gdp_nominal_cny_100m", 2019, "上海市", "亿元", "37987.6", 37987.6),
    ("deflator", "Sheet1", "E449", "gdp_index_prev_year_100", 2015, "北京市", "index_100", "106.9", 106.9),
    ("deflator", "Sheet1", "F7105", "gdp_real_cny_100m", 2023, "齐齐哈尔市", "亿元", "1090.424", 1090.424),
    ("deflator", "Sheet1", "G2", "gdp_deflator_base_1", 2000, "上海市", "ratio", "1", 1.0),
    ("resident_population", "面板数据", "G19", "population_resident_10k", 2015, "110000", "万人", "2188.3", 2188.3),
    ("resident_population", "面板数据", "H6968", "population_resident_interpolated_10k", 1998, "540100", "万人", "48.4971", 48.4971),
    ("resident_population", "面板数据", "F8047", "area_km2", 2024, "650500", "平方公里", "137222", 137222.0),
    ("industry_structure", "面板数据2000-2023", "F17", "gdp_nominal_cny_100m", 2015, "110000", "亿元", "24779.1", 24779.1),
    ("industry_structure", "面板数据2000-2023", "F1721", "gdp_nominal_cny_100m", 2019, "310000", "亿元", "38155.32", 38155.32),
    ("industry_structure", "面板数据2000-2023", "F5497", "gdp_nominal_cny_100m", 2023, "469003", "亿元", "1002.84", 1002.84),
    ("industry_structure", "面板数据2000-2023", "I7975", "value_added_tertiary_cny_100m", 2023, "654300", "亿元", "201.01", 201.01),
    ("fdi", "Sheet1", "C3", "fdi_usd_1m", 1997, "七台河", "百万美元", "0.140000000596046", 0.140000000596046),
    ("fdi", "Sheet1", "C8261", "fdi_usd_1m", 2023, "龙岩", "百万美元", "51", 51.0),
]
#: Values and rejected lines of each source; values are the non-blank cells of the mapped columns, counted without the ingest.
COUNTS = {
    "csmar_region": (169917, 9),
    "deflator": (28352, 5),
    "fdi": (7000, 1),
    "finance_loans": (24360, 239),
    "industry_structure": (55797, 9),
    "resident_population": (31106, 13),
}


@pytest.fixture(scope="module")
def real(shared_dir: Path, tmp_path_factory) -> tuple[LandingReport, list[dict]]:
    home = tmp_path_factory.mktemp("home")
    report = read_landing(shared_dir / "landing", home / "raw", home / "build", layouts=shipped_layouts())
    tables = [pq.read_table(file) for file in sorted((home / "build" / "raw").glob("*.parquet"))]
    return report, pa.concat_tables(tables).to_pylist()


def test_cells_looked_up_by_hand(real):
    found = {(row["source_id"], row["cell_ref"], row["indicator_id"]): row for row in real[1] if row["indicator_id"]}
    for source, sheet, cell_ref, indicator, year, place, unit, raw_text, value in CELLS:
        row = found[source, cell_ref, indicator]
        assert (row["sheet_name"], row["year"], row["place_code_text"] or row["place_text"]) == (sheet, year, place), (source, cell_ref)
        assert (row["unit_text"], row["raw_text"], row["value"]) == (unit, raw_text, value), (source, cell_ref)


def test_counts_of_every_source(real):
    sources = real[0].sources.set_index("source_id")
    counts = {source: (sources.loc[source, "n_observations"], sources.loc[source, "n_rejected"]) for source in COUNTS}
    assert counts == COUNTS
    assert sources["n_files"].sum() == len(real[0].files) == 48


def test_reasons_are_the_contracts_words(real):
    assert real[0].reasons == {"dropped_row": 44, "not_a_number": 236, "unmapped_column": 18}
    assert not [row for row in real[1] if row["reason"] and not row["detail"]]


def test_every_value_of_a_workbook_stands_in_its_cell_for_a_second_reader(real, shared_dir):
    report, rows = real
    for path in report.files.loc[report.files["status"].eq("taken") & report.files["path"].str.endswith(".xlsx"), "path"]:
        source_id, _, file_name = path.partition("/")
        taken = [row for row in rows if row["source_id"] == source_id and row["file_name"] == file_name and row["indicator_id"]]
        assert taken
        book = openpyxl.load_workbook(shared_dir / "landing" / path, read_only=True, data_only=True)
        for sheet_name in {row["sheet_name"] for row in taken}:
            cells = [list(row) for row in book[sheet_name].iter_rows(values_only=True)]
            for row in taken:
                cell = cells[row["row_no"] - 1][row["col_no"] - 1]
                assert row["value"] == (None if row["reason"] else float(cell)), (path, row["cell_ref"], cell)


def test_an_xls_export_keeps_its_addresses(shared_dir):
    (grid,) = read_grids((shared_dir / "landing" / "nbs_major_cities" / "20_Major_GDP.xls").read_bytes(), "20_Major_GDP.xls")
    assert grid.rows[1][0] == "指标：国内生产总值(亿元)"
    column = grid.rows[3].index("2015年")
    assert {row[0]: row[column] for row in grid.rows[4:] if len(row) > column}["北京"] == 23014.59


@pytest.mark.parametrize(
    ("path", "cut", "message"),
    [
        ("yearbook_cnki/Composition of GRP.xls", 1.0, "found an encrypted one; open it in Excel"),
        ("nbs_major_cities/20_Major_GDP.xls", 0.6, "a truncated or damaged one"),
        ("fdi/1996-2023年地级市外商直接投资FDI.xlsx", 0.9, "a truncated or damaged one"),
    ],
)
def test_protected_and_truncated_workbooks(shared_dir, path, cut, message):
    data = (shared_dir / "landing" / path).read_bytes()
    with pytest.raises(FileFault, match=message):
        read_grids(data[: int(len(data) * cut)], path)


def test_advertisements_and_notes_are_lines_not_values(real):
    adverts = [row for row in real[1] if row["raw_text"] and ("淘宝" in row["raw_text"] or "taobao" in row["raw_text"])]
    assert len(adverts) == 3 + 10 + 2
    assert {row["reason"] for row in adverts} == {"dropped_row"}
    sheets = {row["sheet_name"] for row in real[1] if row["reason"] == "dropped_row" and row["cell_ref"] is None and row["sheet_name"]}
    assert sheets == {"计算过程-以上海市为例", "数据说明", "数据来源", "2023"}
