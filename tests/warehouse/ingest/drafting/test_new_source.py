"""Drafts for sources that no layout knows: what was drafted is read at once and compared with the
figures the files were made from.
"""

import io
from pathlib import Path

import pandas as pd
import pytest

from tests.warehouse.ingest.delivered import csv_bytes, deliver, stata_bytes, xlsx_bytes
from tests.warehouse.ingest.hostile_landings import E3, many_sheets, sheet
from warehouse.ingest.delivered_files import tables_of
from warehouse.ingest.drafting.header_matching import match_header
from warehouse.ingest.drafting.new_source import (
    draft_folder,
    new_source,
    read_catalog,
)
from warehouse.ingest.errors import LayoutError
from warehouse.ingest.layouts import parse_layout
from warehouse.ingest.place_names import SEEDS
from warehouse.ingest.raw_files import build_raw
from warehouse.ingest.raw_table import FileOrigin
from warehouse.ingest.workers import pool

GDP = {
    ("北京市", 2015): 23014.59,
    ("北京市", 2016): 25669.13,
    ("上海市", 2015): 25123.45,
    ("上海市", 2016): 28178.65,
    ("广州市", 2015): 18100.41,
    ("广州市", 2016): 19547.44,
}
CODES = {"北京市": 110000, "上海市": 310000, "广州市": 440100}
PINYIN = {"北京市": "Beijing", "上海市": "Shanghai", "广州市": "Guangzhou"}
YEARS = [2016, 2015]


def down(names: dict[str, object], header: list[str], factor: float = 1.0) -> list[list[object]]:
    return [header, *[[names[city], year, value * factor] for (city, year), value in GDP.items()]]


def across(names: dict[str, object], label: str, factor: float = 1.0) -> list[list[object]]:
    """Years as columns, latest first, with a last year for which nothing was published."""
    return [
        [label, *YEARS, 2014],
        *[
            [name, *[GDP[city, year] * factor for year in YEARS], None]
            for city, name in names.items()
        ],
    ]


CHINESE = {city: city for city in CODES}
FOUR_DIGITS = {city: code // 100 for city, code in CODES.items()}


#: Files, the unit their values are in (as a factor and as delivered), the place as delivered.
SOURCES = {
    "chinese_gb18030": (
        {
            "a.csv": csv_bytes(
                down(CHINESE, ["城市", "年份", "地区生产总值（万元）"], 1e4), "gb18030"
            )
        },
        1e4,
        "万元",
        CHINESE,
    ),
    "english_bom": (
        {"a.csv": csv_bytes(down(PINYIN, ["city", "year", "GDP (million yuan)"], 100))},
        100,
        "millionyuan",
        PINYIN,
    ),
    "semicolons": (
        {"a.csv": csv_bytes(down(PINYIN, ["city", "year", "GDP"])).replace(b",", b";")},
        1,
        None,
        PINYIN,
    ),
    "four_digit_codes": (
        {"a.xlsx": xlsx_bytes(S=down(FOUR_DIGITS, ["code", "year", "gdp_nominal"]))},
        1,
        None,
        FOUR_DIGITS,
    ),
    "stata": (
        {"a.dta": stata_bytes(pd.DataFrame(down(PINYIN, [])[1:], columns=["city", "year", "gdp"]))},
        1,
        None,
        PINYIN,
    ),
    "a_sheet_an_indicator": (
        {
            "a.xlsx": xlsx_bytes(
                地区生产总值=[["单位：亿元"], *across(CHINESE, "地区")], 说明=[["说明"], ["来源"]]
            )
        },
        1,
        "亿元",
        CHINESE,
    ),
    "years_across_csv": (
        {
            "a.csv": csv_bytes(
                [
                    ["Gross domestic product (billion yuan)", "", "", ""],
                    *across(PINYIN, "city", 0.1),
                ]
            )
        },
        0.1,
        "billionyuan",
        PINYIN,
    ),
    "a_file_a_year": (
        {
            f"book_{year}.xlsx": xlsx_bytes(
                S=[
                    ["city", "GDP(亿元)"],
                    *[[PINYIN[c], v] for (c, y), v in GDP.items() if y == year],
                ]
            )
            for year in YEARS
        },
        1,
        "亿元",
        PINYIN,
    ),
    "a_file_a_city": (
        {
            f"{name}.xlsx": xlsx_bytes(
                S=[
                    ["数据库：年度数据"],
                    [f"地区：{city}"],
                    ["指标", "2016年", "2015年", "2014年"],
                    ["地区生产总值(亿元)", *[GDP[city, year] for year in YEARS], None],
                ]
            )
            for city, name in PINYIN.items()
        },
        1,
        "亿元",
        CHINESE,
    ),
    "years_in_two_headers": (
        {
            "a.csv": csv_bytes(
                [
                    ["city", "gdp_2015", "gdp_2016", "remark"],
                    *[[n, GDP[city, 2015], GDP[city, 2016], "x"] for city, n in PINYIN.items()],
                ]
            )
        },
        1,
        None,
        PINYIN,
    ),
    "a_province_beside_codes": (
        {
            "a.csv": csv_bytes(
                [
                    ["省份", "代码", "年份", "地区生产总值_亿元"],
                    *[["广东省", CODES[city], year, v] for (city, year), v in GDP.items()],
                ]
            )
        },
        1,
        "亿元",
        CODES,
    ),
    "a_province_beside_names": (
        {
            "a.csv": csv_bytes(
                [
                    ["省份", "城市", "年份", "地区生产总值(单位：亿元)"],
                    *[["广东省", city, year, v] for (city, year), v in GDP.items()],
                ]
            )
        },
        1,
        "亿元",
        CHINESE,
    ),
    "two_header_rows": (
        {
            "a.xlsx": xlsx_bytes(
                S=[
                    ["全国"],
                    ["城市", "年份", "地区生产总值(亿元)", None],
                    [None, None, "全市", "市辖区"],
                    *[[city, year, value, value / 2] for (city, year), value in GDP.items()],
                ]
            )
        },
        1,
        "亿元",
        CHINESE,
    ),
}


def read_by(draft_text: str, folder: Path) -> list[dict]:
    """Raw rows of a folder through a drafted layout, from the bytes on."""
    layout = parse_layout(draft_text, "new.yml")
    rows = []
    for path in sorted(folder.iterdir()):
        years = [int(part) for part in path.stem.split("_") if part.isdigit()]
        origin = FileOrigin("new", years[0] if years else None, path.name)
        with path.open("rb") as stream:
            for part in build_raw(stream, origin, tables_of(layout, path.name)):
                rows += part.to_pylist()
    return [row for row in rows if row["indicator_id"] and row["reason"] is None]


@pytest.mark.parametrize("source", SOURCES)
def test_a_draft_reads_what_the_source_was_made_from(source, tmp_path):
    files, factor, unit, names = SOURCES[source]
    folder = deliver(tmp_path, {f"new/{name}": data for name, data in files.items()}) / "new"
    draft, _ = draft_folder(folder, "new")
    rows = read_by(draft.text, folder)
    cities = {str(name): city for city, name in names.items()}
    found = {
        (cities[row["place_code_text"] or row["place_text"]], row["year"]): row["value"] / factor
        for row in rows
    }
    assert found == pytest.approx(GDP)
    assert {row["indicator_id"] for row in rows} == {"gdp_nominal_cny_100m"}
    assert {row["unit_text"].replace(" ", "") if row["unit_text"] else None for row in rows} == {
        unit
    }


@pytest.mark.parametrize(
    ("header", "indicator_id", "how", "unit"),
    [
        ("gdp_nominal_cny_100m", "gdp_nominal_cny_100m", "exact", None),
        ("常住人口（万人）", "population_resident_10k", "exact", "万人"),
        ("名义GDP", "gdp_nominal_cny_100m", "alias", None),
        ("Resident population", "population_resident_10k", "exact", None),
        ("年末金融机构各项贷款余额/亿元", "loans_cny_100m", "exact", "亿元"),
        ("固定资产投资额(亿元) investment_fa", "fixed_investment_cny_100m", "fuzzy", "亿元"),
        ("gdp_pc1", "gdp_per_capita_cny", "fuzzy", None),
        ("地区生产总值_万元", "gdp_nominal_cny_100m", "exact", "万元"),
        ("公路里程(公里)", None, None, None),
        ("x17", None, None, None),
    ],
)
def test_headers_are_matched_exactly_by_wording_or_by_likeness(header, indicator_id, how, unit):
    match = match_header(header, read_catalog())
    assert (match and match.indicator_id, match and match.how, match and match.unit) == (
        indicator_id,
        how,
        unit,
    )
    assert match is None or (match.score == 1) == (how != "fuzzy")


def test_a_new_indicator_has_an_id_that_a_layout_takes_and_the_unit_that_is_stated(tmp_path):
    columns = [["城市", "年份", "2010年口径", "收入:万元"], ["北京市", 2015, 1.5, 2.5]]
    files = {
        "new/a.xlsx": xlsx_bytes(**{"110000": [["单位：万元"], *across(CHINESE, "城市")]}),
        "new/b.csv": csv_bytes([*columns, ["上海市", 2015, 2.5, 3.5]]),
    }
    draft, _ = draft_folder(deliver(tmp_path, files) / "new", "new")
    tables = parse_layout(draft.text, "new.yml").tables
    rules = [rule for table in tables for rule in rules_of(table)]
    assert all(rule.id.startswith("new_") for rule in rules)
    assert [rule.id.split("_", 2)[2] for rule in rules] == ["cny", "count", "cny"]


def rules_of(table):
    """Rules of the indicators of a table, by column or by sheet."""
    return [*table.indicators, *table.sheet_indicators.values()]


@pytest.mark.shared
def test_the_province_panel_is_drafted_and_read(shared_dir, tmp_path):
    """Bilingual headers, persons for ten thousand persons, provinces:

    Beijing 2015 has 24,779.1 and 603,557 students (PROVENANCE.md).
    """
    book = (shared_dir / "reference" / "province_panel" / "control V.xlsx").read_bytes()
    folder = deliver(tmp_path, {"province_panel/control V.xlsx": book}) / "province_panel"
    draft, _ = draft_folder(folder, "province_panel")
    assert any("was not matched" in note for note in draft.notes)
    cells = {
        (row["place_text"], row["year"], row["indicator_id"]): row
        for row in read_by(draft.text, folder)
    }
    gdp, students = (
        cells["北京市", 2015, indicator]
        for indicator in ("gdp_nominal_cny_100m", "students_college_10k")
    )
    assert (gdp["value"], gdp["unit_text"], gdp["place_level"]) == (24779.1, "亿元", "province")
    assert (students["value"], students["unit_text"]) == (603557.0, "人")
    sheet = "Control Variables(originaldata)"
    table = pd.read_excel(io.BytesIO(book), sheet_name=sheet, engine="calamine")
    table = table[table.iloc[:, 0].notna()]
    assert len(table) >= 310
    for row in table.itertuples(index=False):
        assert cells[row[2], int(row[0]), "gdp_nominal_cny_100m"]["value"] == row[3]
        assert cells[row[2], int(row[0]), "loans_cny_100m"]["value"] == row[17]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "expected a folder"),
        ({"readme.docx": b"x"}, "expected files of type"),
        ({"a.xlsx": b"rubbish"}, "another format than its name says"),
        ({"a.csv": b"a,b\n1,2\n"}, "expected a table of places and years"),
    ],
)
def test_what_cannot_be_drafted_is_an_error(files, message, tmp_path, capsys):
    if files is not None:
        deliver(tmp_path, {f"new/{name}": data for name, data in files.items()})
    with pytest.raises(LayoutError, match=message):
        draft_folder(tmp_path / "new", "new")
    assert new_source(str(tmp_path / "new")) == 2
    assert "citysync: exit 2: " in capsys.readouterr().err


HEADER = ["城市", "年份", "地区生产总值(亿元)"]
GOOD = xlsx_bytes(S=[HEADER, ["北京市", 2015, 1.0], ["上海市", 2015, 1.5]])
STARS = xlsx_bytes(S=[[*HEADER, "星星数"], ["北京市", 2015, 1.0, 2.0], ["上海市", 2015, 1.5, 2.0]])
NAMES = pd.read_csv(SEEDS / "city_roster.csv")["city_name_zh"].drop_duplicates()
LONG = [[city, year, 1.5 + n] for year in range(1950, 2024) for n, city in enumerate(NAMES)]
#: Files, and what is said of them.
DRAFTED = {
    "what could not be matched": (
        lambda: {"a [1].xlsx": STARS, "b.xlsx": b"PK\x03\x04broken"},
        (
            "column '星星数' was not matched",
            "b.xlsx: expected a complete xlsx archive",
            "a [1].xlsx: the draft reads 2 values",
        ),
    ),
    # the last one is foreseen by no guard: its process is ended by the limit of time
    "bombs beside a good file": (
        lambda: {
            "0.xlsx": sheet(E3, b"r='XFD1048576'")["panel/a.xlsx"],
            "1.xlsx": many_sheets(2_000)["panel/a.xlsx"],
            "good.xlsx": GOOD,
        },
        (
            "good.xlsx: the draft reads 2 values",
            "0.xlsx: ",
            "1.xlsx: expected a file that can be read within 1 s",
        ),
    ),
    "a long sheet is sampled and read whole": (
        lambda: {"a.csv": csv_bytes([HEADER, *LONG])},
        (f"a.csv: the draft reads {len(LONG):,} values",),
    ),
}


@pytest.mark.parametrize("name", DRAFTED)
def test_the_command_writes_a_layout_and_says_what_it_read(tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr(pool, "SECONDS", 1)
    files, told = DRAFTED[name]
    deliver(tmp_path, {f"new/{path}": data for path, data in files().items()})
    assert new_source(str(tmp_path / "new"), output=str(tmp_path / "new.yml")) == 0
    said = capsys.readouterr().err
    assert [words for words in told if words not in said] == []
    draft = (tmp_path / "new.yml").read_text(encoding="utf-8")
    assert parse_layout(draft, "new.yml").source_id == "new"
    # what somebody has worked on since stays
    assert new_source(str(tmp_path / "new"), output=str(tmp_path / "new.yml")) == 2
    assert (tmp_path / "new.yml").read_text(encoding="utf-8") == draft
