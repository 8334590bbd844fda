"""What city pages state of a city of each kind, in fabricated tables, and their growth compared
with those tables; the tests of refreshes compare that of published ones.
"""

import math
import re

import pandas as pd
import pytest

from estimation.report.site import write_report
from tests.estimation.report.city_pages import city_page_faults, page_data
from tests.estimation.report.fabricated import full
from tests.estimation.report.fabricated_data import table
from tests.estimation.report.sites import database

YEARS = range(2009, 2020)
DOCUMENT = "国函〔2015〕44号"
#: City, province, first treated year, first year with growth, basis of its growth.
CITIES = {
    "alone in its province": (110000, 110000, 2016, 2010, "rate"),
    "two inside, none of its own": (150700, 150000, None, 2010, "index"),
    "never a zone": (150800, 150000, None, 2010, "level"),
    "whole, and one inside before": (330700, 330000, 2018, 2010, "rate"),
    "never a zone, some years missing": (330800, 330000, None, 2013, "rate"),
    "of its own until its province": (460100, 460000, 2015, 2010, "level"),
    "by its province alone": (460300, 460000, 2018, 2020, "rate"),
    "after the window": (460400, 460000, 2025, 2010, "index"),
    "one inside until it was whole": (652700, 650000, 2022, 2010, "rate"),
}
ZONES = (
    ("北京市", "Beijing", 110000, 3, "2016-03-07", None, True),
    ("满洲里市", "Manzhouli", 150700, 5, "2014-04-27", None, False),
    ("二连浩特市", "Erenhot", 150700, 6, "2015-04-27", None, False),
    ("义乌市", "Yiwu", 330700, 2, "2013-07-24", None, False),
    ("金华市", "Jinhua", 330700, 4, "2018-01-22", None, True),
    ("海口市", "Haikou", 460100, 2, "2014-07-24", "2018-04-25", True),
    ("海南全岛", "Hainan", 460000, 5, "2018-04-25", None, True),
    ("阿拉山口市", "Alashankou", 652700, 4, "2018-01-22", "2022-04-25", False),
    ("博尔塔拉州", "Bortala", 652700, 6, "2022-04-25", None, True),
)
#: Kinds of the sentences of each city with the dates and years in them; the first year on the map;
#: years of the main test without growth; and years in which growth changes its basis.
STATED = {
    "alone in its province": (
        "zone_whole 2016-03-07; test_with 2010 2019 2016; test_alone",
        2016,
        [],
        ["2013", "2014"],
    ),
    "two inside, none of its own": (
        "no_zone_of_its_own; zone_inside 2014-04-27; zone_inside 2015-04-27; "
        "test_without_inside 2010 2019",
        None,
        [],
        [],
    ),
    "never a zone": ("no_zone; test_without 2010 2019", None, [], []),
    "whole, and one inside before": (
        "zone_whole 2018-01-22; zone_inside 2013-07-24; test_with 2010 2019 2018; test_alone",
        2018,
        [],
        [],
    ),
    "never a zone, some years missing": (
        "no_zone; test_missing 2010 2019 2010 2012",
        None,
        [2010, 2011, 2012],
        [],
    ),
    "of its own until its province": (
        "zone_whole_ended 2014-07-24 2018-04-25; zone_province 2018-04-25; "
        "test_with 2010 2019 2015",
        2014,
        [],
        [],
    ),
    "by its province alone": (
        "zone_province 2018-04-25; test_missing 2010 2019 2010 2019",
        2018,
        [*range(2010, 2020)],
        [],
    ),
    "after the window": (
        "zone_province 2018-04-25; test_without_later 2010 2019 2025",
        2018,
        [],
        [],
    ),
    "one inside until it was whole": (
        "zone_whole 2022-04-25; zone_inside_ended 2018-01-22 2022-04-25; "
        "test_without_later 2010 2019 2022; test_alone",
        2022,
        [],
        [],
    ),
}


def tables() -> dict[str, pd.DataFrame]:
    """The fabricated publication with these cities, their zones, and delivered values behind each
    growth, among values of another source that give none.
    """
    frames = full()
    cities, growth, values = [], [], []
    for name, (city_id, province_id, treated, first, basis) in CITIES.items():
        cities.append((city_id, name, f"市{city_id}", province_id, f"P{province_id}", treated))
        level = 100.0
        for year in YEARS:
            rate = 5 + (city_id // 100 + year) % 7
            earlier, level = level, level * (1 + rate / 100)
            official = deflated = None
            if year >= first:
                official = 100 * math.log(level / earlier)
                deflated = 100 * (math.log(2 * level) - math.log(2 * earlier) - math.log(1.03))
            growth.append((city_id, year, official, deflated, *_basis_of(name, year, basis)))
            values += [
                (city_id, year, "gdp_growth_official_pct", float(rate), "good"),
                (city_id, year, "gdp_index_prev_year_100", 100.0 + rate, "good"),
                (city_id, year, "gdp_real_cny_100m", level, "good"),
                (city_id, year, "gdp_nominal_cny_100m", 2 * level, "good"),
                (city_id, year, "gdp_growth_official_pct", rate + 1.0, "other"),
                (city_id, year, "gdp_nominal_cny_100m", 2 * level + year, "other"),
            ]
    for place in sorted({row[1] for row in CITIES.values()}):
        values += [(place, year, "cpi_prev_year_100", 103.0, "good") for year in YEARS]
    frames["marts.dim_city"] = table(
        "city_id city_name_en city_name_zh province_id province_name_en treated_year",
        *cities,
        province_name_zh="省",
        lon_deg=116.4,
        lat_deg=39.9,
        batch=1,
        treated_year_calendar_year=None,
    ).astype({"treated_year": "Int64"})
    frames["marts.dim_pilot_zone"] = table(
        "zone_name_zh zone_name_en city_id batch approval_date revoked_date is_whole_prefecture",
        *ZONES,
        document_no=DOCUMENT,
    ).astype({"approval_date": "datetime64[s]", "revoked_date": "datetime64[s]"})
    frames["marts.fct_city_year"] = table(
        "city_id year growth_official_pct growth_deflated_pct growth_official_basis "
        "growth_official_basis_before growth_official_evidence",
        *growth,
        growth_official_source_id="good",
        growth_official_edition_year=None,
        growth_deflated_source_id="good",
        cpi_prev_year_100=103.0,
    )
    observed = table("city_id year indicator_id value source_id", *values)
    frames["marts.fct_indicator_observation"] = observed.assign(
        raw_text=observed["value"].astype(str),
        edition_year=None,
        file_name="a.csv",
        sheet_name=None,
        row_no=range(len(observed)),
        col_no=2,
        cell_ref=[f"B{row}" for row in range(len(observed))],
        unit_delivered=None,
        unit="cny_100m",
        priority=1,
        is_current=observed["source_id"].eq("good"),
        quality_flag="ok",
        quality_rule=None,
        quality_detail=None,
        observation_note=None,
    ).astype({"edition_year": "Int64"})
    return frames


def _basis_of(name: str, year: int, basis: str) -> tuple[str, str | None, str | None]:
    """Basis, the basis before where it is another one, and evidence: of one city the index stands
    for a single year without a printed rate.
    """
    before = None
    if name == "alone in its province" and year == 2013:
        basis, before = "index", "rate"
    elif name == "alone in its province" and year == 2014:
        before = "index"
    evidence = {"rate": "printed", "index": "index_alone", "level": None}[basis]
    return basis, before, evidence


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of the whole site, and of the public one."""
    folders = {False: tmp_path_factory.mktemp("whole"), True: tmp_path_factory.mktemp("public")}
    for is_public, folder in folders.items():
        write_report(database(tables()), folder, is_public=is_public)
    return folders


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("is_public", [False, True])
def test_a_city_of_each_kind_states_its_zones_and_the_main_test(written, is_public, language):
    page = page_data(written[is_public], f"pages/cities_{language}")
    for place, (name, (city_id, province_id, _, first, _)) in enumerate(CITIES.items()):
        stated, (kinds, admitted, missing, changes) = page["statements"][place], STATED[name]
        said = [" ".join([kind, *_years_in(text)]) for kind, text in stated["said"]]
        assert "; ".join(said) == kinds
        assert page["cities"]["admitted"][place] == admitted
        assert [year for year, is_known in stated["strip"] if not is_known] == missing
        assert len(stated["strip"]) == (10 if missing else 0)
        of_growth = "growth_withheld" if is_public else None
        if first > YEARS[-1]:
            of_growth = "growth_unknown"
        assert (stated["growth"] or [None])[0] == of_growth
        assert _years_in((stated["basis"] or ["", ""])[1]) == ([] if is_public else changes)
        zones = [zone for zone in ZONES if zone[2] in (city_id, province_id)]
        lines = [line["text"] for line in page["zones"].get(str(city_id), [])]
        assert len(lines) == len(zones)
        for chinese, english, of_city, batch, approved, revoked, is_whole in zones:
            zone = english if language == "en" else chinese
            (line,) = [line for line in lines if zone in line]
            assert all(fact in line for fact in (str(batch), approved, revoked or "", DOCUMENT))
            is_named = any(zone in text and approved in text for _, text in stated["said"])
            assert is_named or (is_whole and of_city == city_id)


def _years_in(text: str) -> list[str]:
    return re.findall(r"(?<!\d)\d{4}(?:-\d\d-\d\d)?(?!\d)", text)


def test_growth_is_what_the_tables_and_the_printed_formulas_give(written) -> None:
    assert city_page_faults(database(tables()), written[False]) == (len(CITIES), [])


PLANTED = {
    "a year of growth gone": "update marts.fct_city_year set growth_official_pct = null "
    "where city_id = 150800 and year = 2012",
    "another basis": "update marts.fct_city_year set growth_official_basis = 'index' "
    "where city_id = 110000 and year = 2012",
    "other evidence": "update marts.fct_city_year set growth_official_evidence = 'printed' "
    "where city_id = 150700 and year = 2012",
    "another growth": "update marts.fct_city_year set growth_deflated_pct = 9 "
    "where city_id = 110000 and year = 2012",
    "another cell": "update marts.fct_indicator_observation set cell_ref = 'Z1' "
    "where city_id = 110000 and year = 2012 and source_id = 'good'",
}
OFTEN = ("another basis", "another growth", "another cell")


@pytest.mark.parametrize(
    "planted", [pytest.param(n, marks=() if n in OFTEN else pytest.mark.full) for n in PLANTED]
)
def test_a_page_that_states_something_else_is_found(written, planted: str) -> None:
    """The comparison itself: tables that were changed after the pages were written."""
    con = database(tables())
    con.execute(PLANTED[planted])
    assert city_page_faults(con, written[False])[1] != []
