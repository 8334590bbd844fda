"""Drafts from values: a column is what its values are, whatever its header says, and nothing is
mapped that does not fit.
"""

import duckdb
import numpy as np
import pytest

from tests.warehouse.ingest.delivered import csv_bytes, deliver, roster, xlsx_bytes
from warehouse.ingest.drafting.new_source import draft_folder, new_source, try_draft
from warehouse.ingest.drafting.value_matching import read_reference
from warehouse.ingest.errors import LayoutError
from warehouse.ingest.layouts import parse_layout

GDP, POPULATION, WAGE = "gdp_nominal_cny_100m", "population_registered_10k", "wage_avg_cny"
RATE = "gdp_growth_official_pct"
YEARS = range(2010, 2018)
RNG = np.random.default_rng(17)


CITIES = roster(40)
LEVELS = {
    name: dict(zip([code for _, code in CITIES], RNG.lognormal(size=40) * size, strict=True))
    for name, size in ((GDP, 2000), (POPULATION, 400), (WAGE, 50_000))
}


def value(indicator: str, code: int, year: int) -> float:
    """A made-up series: cities differ much, years by five per cent."""
    return round(
        LEVELS[indicator][code] * 1.05 ** (year - 2010) * (1 + (code % 13) / 1000 * (year - 2009)),
        3,
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "citysync.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts")
        con.execute(
            "create table marts.fct_indicator_observation (place_level varchar, city_id integer, "
            "year integer, indicator_id varchar, "
            "value double, quality_flag varchar, source_id varchar)"
        )
        rows = [
            ("city", code, year, name, value(name, code, year), "ok", "old")
            for name in LEVELS
            for _, code in CITIES
            for year in YEARS
        ]
        rows += [
            ("city", code, year, RATE, 7 + code % 17 / 10 + year % 3, "ok", "old")
            for _, code in CITIES
            for year in YEARS
        ]
        con.executemany(
            "insert into marts.fct_indicator_observation values (?, ?, ?, ?, ?, ?, ?)", rows
        )
    path.with_name("manifest.json").write_text('{"is_simulated": false}', encoding="utf-8")
    return path


def panel(header: list[str], columns: list) -> dict[str, bytes]:
    rows = [
        [name, year, *(column(code, year) for column in columns)]
        for name, code in CITIES
        for year in YEARS
    ]
    return {"new/a.csv": csv_bytes([["城市", "年份", *header], *rows])}


def draft_of(tmp_path, published, files: dict[str, bytes]):
    """The draft for these files beside what is published."""
    folder = deliver(tmp_path, files) / "new"
    return draft_folder(folder, "new", read_reference(published))[0]


def mapped(draft) -> dict[str, tuple[str, str | None]]:
    """Indicator and unit by header."""
    rules = parse_layout(draft.text, "new.yml").tables[0].indicators
    return {rule.columns[0]: (rule.id, rule.unit or rule.unit_pattern) for rule in rules}


#: Header and values of columns, and indicator and unit of those that are mapped: values decide, and
#: their power of ten is the unit; a header's unit counts where the values bear it out.
COLUMNS = [
    (
        {
            "x1": lambda code, year: value(GDP, code, year) * 10_000,
            "人口": lambda code, year: value(POPULATION, code, year),
            "在岗职工平均工资": lambda code, year: value(WAGE, code, year) * 1.3 + code % 977,
            "地区生产总值": lambda code, year: code % 7,
            "x2": lambda code, year: value(GDP, code, year) ** 0.5,
        },
        {"x1": (GDP, "万元"), "人口": (POPULATION, "10k")},
    ),
    (
        {
            "产值（万元）": lambda code, year: value(GDP, code, year) * 10_000,
            "人口（万人）": lambda code, year: value(POPULATION, code, year) * 10_000,
        },
        {"产值(万元)": (GDP, r"\((万元)\)"), "人口(万人)": (POPULATION, "人")},
    ),
]


@pytest.mark.parametrize(("columns", "found"), COLUMNS)
def test_values_decide_what_a_column_is(tmp_path, published, columns, found):
    files = panel([*columns], [*columns.values()])
    assert mapped(draft_of(tmp_path, published, files)) == found


def nominal_growth(code: int, year: int) -> float:
    return round(100 * (value(GDP, code, year) / value(GDP, code, year - 1) - 1), 2)


def of_2015() -> list[list]:
    """A sheet without years."""
    rows = [(city, value(GDP, code, 2015), value(POPULATION, code, 2015)) for city, code in CITIES]
    return [["城市", "甲", "乙"], *rows]


def across(n_cities: int) -> list[tuple]:
    """A row a city, years across."""
    return [(city, *(value(WAGE, c, year) for year in YEARS)) for city, c in CITIES[:n_cities]]


WAGE_KNOWN = (f"id: {WAGE}", "agree with those known")
PRODUCT = ["地区生产总值"]
#: Files, and what their draft says: values stand under another year, the year of a sheet without
#: one is that of its values, years across are known by their values, of many cities a row each or
#: of one that stands in the title, an indicator a row.
SAID = [
    (
        panel(PRODUCT, [lambda code, year: value(GDP, code, year - 1)]),
        ["100% are those of the year before: put the years right"],
    ),
    (
        panel(PRODUCT, [lambda code, year: value(GDP, code, year + 1)]),
        ["100% are those of the year after: put the years right"],
    ),
    (
        panel(["GDP增长率（%）"], [nominal_growth]),
        ["only 0% of", f"100% are growth at current prices, of {GDP}: leave them out"],
    ),
    ({"new/book.xlsx": xlsx_bytes(S=of_2015())}, ["year: {constant: 2015}", GDP, POPULATION]),
    (
        {"new/book_2016.xlsx": xlsx_bytes(S=of_2015())},
        ["year: {edition_offset: -1}", GDP, POPULATION],
    ),
    ({"new/a.xlsx": xlsx_bytes(无题=[["城市", *YEARS], *across(40)])}, WAGE_KNOWN),
    (
        {
            "new/a.xlsx": xlsx_bytes(
                无题=[
                    [f"地区:{CITIES[0][0]}"],
                    ["指标", *YEARS],
                    ["某指标", *across(1)[0][1:]],
                ]
            )
        },
        WAGE_KNOWN,
    ),
]


@pytest.mark.parametrize(("change", "is_copy"), [(0, True), (0.003, False)])
def test_a_copy_of_a_known_source_is_named(tmp_path, published, change, is_copy):
    files = panel(PRODUCT, [lambda code, year: value(GDP, code, year) * (1 + change * (year % 2))])
    notes = draft_of(tmp_path, published, files).notes
    assert any("a copy of old: 1 of 1 indicators" in note for note in notes) == is_copy


@pytest.mark.parametrize(("files", "said"), SAID)
def test_a_draft_says_what_the_values_tell(tmp_path, published, files, said):
    text = draft_of(tmp_path, published, files).text
    assert [words for words in said if words not in text] == []


def test_columns_of_another_year_are_not_called_unknown_to_the_catalog(tmp_path, published):
    files, (said,) = SAID[0]
    notes = draft_of(tmp_path, published, files).notes
    assert any(said in note for note in notes)


def test_years_as_suffixes_are_known_by_their_values_and_read(tmp_path, published):
    rows = [
        ["city", *(f"x_{year}" for year in YEARS), *(f"metro_{year}" for year in YEARS)],
        *(
            [city, *(value(WAGE, code, year) for year in YEARS), *range(len(YEARS))]
            for city, code in CITIES
        ),
    ]
    folder = deliver(tmp_path, {"new/a.csv": csv_bytes(rows)}) / "new"
    draft, files = draft_folder(folder, "new", read_reference(published))
    found = {one.id: one.column for one in parse_layout(draft.text, "new.yml").tables[0].indicators}
    assert found == {WAGE: "x_", "metro_count": "metro_"}
    n_values = 2 * len(YEARS) * len(CITIES)
    assert f"the draft reads {n_values:,} values" in try_draft(draft, "new", folder, files)[0]


BIOGRAPHIES = [
    ["name", "birthplace", "birth year", "births", "works"],
    *([f"poet {i}", city, 1900 + i, i % 5 + 1, i % 11] for i, (city, _) in enumerate(CITIES)),
]


@pytest.mark.parametrize(
    "rows", [BIOGRAPHIES, [["a", "b"], ["x", 1], ["y", 2]]], ids=["biographies", "no places"]
)
def test_a_folder_without_statistics_is_told_so(tmp_path, published, rows, capsys):
    folder = deliver(tmp_path, {"new/a.csv": csv_bytes(rows)}) / "new"
    with pytest.raises(LayoutError, match="the folder seems to hold no statistics"):
        draft_folder(folder, "new", read_reference(published))
    assert new_source(str(folder), published=str(published)) == 2
    assert "no statistics" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("manifest", "file", "said"),
    [
        ('{"is_simulated": true}', "a.csv", "the publication here is simulated"),
        ("{}", "a.csv", "does not say whether it is simulated"),
        ('{"is_simulated": "no"}', "a.csv", "does not say whether it is simulated"),
        (None, "a.csv", "does not say whether it is simulated"),
        ('{"is_simulated": false}', "a_模拟.csv", "these files are simulated"),
        ('{"is_simulated": false}', "a_simulated.csv", "these files are simulated"),
        ('{"is_simulated": false}', "a.csv", None),
    ],
)
def test_only_statistics_bear_witness_to_statistics(
    tmp_path, published, capsys, manifest, file, said
):
    """Beside made-up values a file of other values is drafted by its header, and says why."""
    place = published.with_name("manifest.json")
    place.unlink() if manifest is None else place.write_text(manifest, encoding="utf-8")
    files = panel(["地区生产总值(亿元)"], [lambda code, year: value(POPULATION, code, year) * 1.7])
    folder = deliver(tmp_path, {f"new/{file}": files["new/a.csv"]}) / "new"
    code = new_source(str(folder), published=str(published))
    told = capsys.readouterr()
    if said is None:
        assert code == 0 and f"the header is like {GDP}, but only" in told.out
    else:
        assert code == 0 and GDP in told.out and said in told.err
        assert "values are not compared" in told.err
