"""Drafts for sources that no layout knows: what was drafted is read at once and compared with the
figures the files were made from.
"""

from pathlib import Path

import pandas as pd
import pytest

from tests.warehouse.ingest.delivered import csv_bytes, deliver, stata_bytes, xlsx_bytes
from tests.warehouse.ingest.hostile_files import WORKBOOKS
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
from warehouse.ingest.workers import limits

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


def stata(rows: list[list[object]]) -> bytes:
    return stata_bytes(pd.DataFrame(rows[1:], columns=rows[0]))


CHINESE = {city: city for city in CODES}
FOUR_DIGITS = {city: code // 100 for city, code in CODES.items()}


def semicolons() -> bytes:
    return b"city;year;GDP\n" + b"".join(
        f"{PINYIN[city]};{year};{value}\n".encode() for (city, year), value in GDP.items()
    )


def a_sheet_an_indicator() -> dict[str, bytes]:
    return {
        "a.xlsx": xlsx_bytes(
            地区生产总值=[["单位：亿元"], *across(CHINESE, "地区")], 说明=[["说明"], ["来源"]]
        )
    }


def a_csv_with_years_across() -> dict[str, bytes]:
    return {
        "a.csv": csv_bytes(
            [["Gross domestic product (billion yuan)", "", "", ""], *across(PINYIN, "city", 0.1)]
        )
    }


def a_file_a_year() -> dict[str, bytes]:
    header = ["city", "GDP(亿元)"]
    return {
        f"book_{year}.xlsx": xlsx_bytes(
            S=[header, *[[PINYIN[c], v] for (c, y), v in GDP.items() if y == year]]
        )
        for year in YEARS
    }


def a_file_a_city() -> dict[str, bytes]:
    def table(city: str) -> list[list[object]]:
        header = ["指标", "2016年", "2015年", "2014年"]
        return [
            ["数据库：年度数据"],
            [f"地区：{city}"],
            header,
            ["地区生产总值(亿元)", *[GDP[city, year] for year in YEARS], None],
        ]

    return {f"{PINYIN[city]}.xlsx": xlsx_bytes(S=table(city)) for city in CODES}


def two_header_rows() -> dict[str, bytes]:
    top = [["全国"], ["城市", "年份", "地区生产总值(亿元)", None], [None, None, "全市", "市辖区"]]
    return {
        "a.xlsx": xlsx_bytes(
            S=[*top, *[[city, year, value, value / 2] for (city, year), value in GDP.items()]]
        )
    }


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
    "semicolons": ({"a.csv": semicolons()}, 1, None, PINYIN),
    "four_digit_codes": (
        {"a.xlsx": xlsx_bytes(S=down(FOUR_DIGITS, ["code", "year", "gdp_nominal"]))},
        1,
        None,
        FOUR_DIGITS,
    ),
    "stata": ({"a.dta": stata(down(PINYIN, ["city", "year", "gdp"]))}, 1, None, PINYIN),
    "a_sheet_an_indicator": (a_sheet_an_indicator(), 1, "亿元", CHINESE),
    "years_across_csv": (a_csv_with_years_across(), 0.1, "billionyuan", PINYIN),
    "a_file_a_year": (a_file_a_year(), 1, "亿元", PINYIN),
    "a_file_a_city": (a_file_a_city(), 1, "亿元", CHINESE),
    "two_header_rows": (two_header_rows(), 1, "亿元", CHINESE),
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


@pytest.mark.shared
def test_the_province_panel_is_drafted_and_read(shared_dir):
    """Bilingual headers, persons for ten thousand persons, provinces:

    Beijing 2015 has 24,779.1 and 603,557 students (PROVENANCE.md).
    """
    folder, name = shared_dir / "reference" / "province_panel", "control V.xlsx"
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
    table = pd.read_excel(folder / name, sheet_name=sheet, engine="calamine")
    table = table[table.iloc[:, 0].notna()]
    assert len(table) >= 310
    for row in table.itertuples(index=False):
        assert cells[row[2], int(row[0]), "gdp_nominal_cny_100m"]["value"] == row[3]
        assert cells[row[2], int(row[0]), "loans_cny_100m"]["value"] == row[17]


def test_the_command_writes_a_layout_and_says_what_it_could_not_match(tmp_path, capsys):
    rows = [
        ["城市", "年份", "地区生产总值(亿元)", "星星数"],
        ["北京市", 2015, 1.0, 2.0],
        ["上海市", 2015, 1.5, 2.0],
    ]
    folder = (
        deliver(tmp_path, {"new/a [1].xlsx": xlsx_bytes(S=rows), "new/b.xlsx": b"PK\x03\x04broken"})
        / "new"
    )
    assert new_source(str(folder), output=str(tmp_path / "new.yml")) == 0
    said = capsys.readouterr()
    assert "column '星星数' was not matched" in said.err
    assert "b.xlsx: expected a complete xlsx archive" in said.err
    assert "a [1].xlsx: the draft reads 2 values" in said.err
    assert (
        parse_layout((tmp_path / "new.yml").read_text(encoding="utf-8"), "new.yml").source_id
        == "new"
    )


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


def test_a_bomb_is_a_note_and_the_others_are_drafted(tmp_path, capsys, monkeypatch):
    """The last one is foreseen by no guard: its process is ended by the limit of time."""
    monkeypatch.setattr(limits, "SECONDS", 1)
    bombs = {
        f"new/{n}.xlsx": WORKBOOKS[name][0]()["panel/a.xlsx"]
        for n, name in enumerate(("sheet: apostrophes", "one sheet under 2,000 names"))
    }
    good = [["城市", "年份", "地区生产总值(亿元)"], ["北京市", 2015, 1.0], ["上海市", 2015, 1.5]]
    folder = deliver(tmp_path, {**bombs, "new/good.xlsx": xlsx_bytes(S=good)}) / "new"
    assert new_source(str(folder), output=str(tmp_path / "new.yml")) == 0
    said = capsys.readouterr().err
    assert "good.xlsx: the draft reads 2 values" in said
    assert "0.xlsx: " in said and "1.xlsx: expected a file that can be read within 1 s" in said


def test_a_long_sheet_is_sampled_and_read_whole(tmp_path, capsys):
    cities = pd.read_csv(SEEDS / "city_roster.csv")["city_name_zh"].drop_duplicates()
    rows = [
        ["城市", "年份", "地区生产总值(亿元)"],
        *[[city, year, 1.5 + n] for year in range(1950, 2024) for n, city in enumerate(cities)],
    ]
    folder = deliver(tmp_path, {"new/a.csv": csv_bytes(rows)}) / "new"
    assert new_source(str(folder)) == 0
    assert f"a.csv: the draft reads {len(rows) - 1:,} values" in capsys.readouterr().err
