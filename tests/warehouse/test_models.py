"""The models built on fabricated raw rows, against literal loops; and landings that lack almost
everything.
"""

import math
from collections import defaultdict

import duckdb
import pytest
from numpy.testing import assert_allclose

from tests.orchestration.conftest import six_cities
from tests.warehouse.dbt_build import build_warehouse
from tests.warehouse.fabricate import fabricate_economies, raw_row, write_raw
from tests.warehouse.reference import TIE_YEARS, WINDOW, Reference, treated_years
from warehouse.publication.tables import hash_table

GAP_CITY, NO_TIE_CITY = 1, 2  # places in the list of fabricated cities that get holes
RULES = {"second_half_next_year": "", "calendar_year": "_calendar_year"}


@pytest.fixture(scope="module")
def landing_rows():
    rows = fabricate_economies(30)
    cities = sorted({row["place_code_text"] for row in rows if row["source_id"] == "csmar_region"})

    def is_hole(row):
        gap = (
            row["indicator_id"] == "gdp_growth_official_pct"
            and row["place_code_text"] == cities[GAP_CITY]
            and row["year"] == 2013
        )
        no_tie = (
            row["indicator_id"].startswith("population")
            and row["place_code_text"] == cities[NO_TIE_CITY]
            and row["year"] > 2011
        )
        return gap or no_tie

    return [row for row in rows if not is_hole(row)]


@pytest.fixture(scope="module")
def warehouse(landing_rows, dbt_target, tmp_path_factory):
    build = tmp_path_factory.mktemp("build")
    write_raw(build, landing_rows)
    with build_warehouse(build, dbt_target, threads=1) as connection:
        yield connection


@pytest.fixture(scope="module")
def reference(landing_rows):
    values = defaultdict(lambda: defaultdict(dict))
    for row in landing_rows:
        if row["source_id"] != "finance_loans":
            values[row["indicator_id"]][int(row["place_code_text"])][row["year"]] = row["value"]
    return Reference(values)


def table(connection, name, keys):
    """Rows of a table as dictionaries, by key."""
    rows = connection.sql(f"from {name}").to_arrow_table().to_pylist()
    return {tuple(row[k] for k in keys): row for row in rows}


def close(found, expected):
    assert (found is None) == (expected is None)
    assert expected is None or found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_city_years_hold_growth_ratios_and_levels(warehouse, reference):
    found = table(warehouse, "marts.fct_city_year", ["city_id", "year"])
    assert len(found) == 30 * 19
    for (city, year), row in found.items():
        close(row["growth_official_pct"], reference.growth[city].get(year))
        close(row["growth_deflated_pct"], reference.deflated[city].get(year))
        value = {
            k: reference.values[k][city].get(year)
            for k in ("loans_cny_100m", "deposits_cny_100m", "gdp_nominal_cny_100m")
        }
        close(
            row["financial_development_ratio"],
            (value["loans_cny_100m"] + value["deposits_cny_100m"]) / value["gdp_nominal_cny_100m"],
        )
    city = reference.cities[0]
    chained = reference.values["gdp_nominal_cny_100m"][city][2010] * math.exp(
        sum(reference.growth[city][y] for y in range(2011, 2020)) / 100
    )
    close(found[city, 2019]["gdp_real_cny_100m"], chained)
    assert found[city, 2019]["gdp_real_base_year"] == 2010
    gap_city = reference.cities[GAP_CITY]
    assert [found[gap_city, y]["cycle_hp_pct"] is None for y in (2012, 2013)] == [False, False]
    assert (
        found[gap_city, 2013]["gdp_real_base_year"] == 2013
    )  # the gap is not bridged: a new run starts with the year before its growth


@pytest.mark.parametrize(("rule", "suffix"), RULES.items())
def test_pairs_hold_ties_and_exposure(warehouse, reference, rule, suffix):
    found = table(warehouse, "marts.fct_city_pair", ["city_i_id", "city_j_id"])
    expected = reference.pairs(rule)
    assert found.keys() == expected.keys()
    assert {pair["exposure"] for pair in expected.values()} == {"none", "one", "both"}
    for (i, j), pair in expected.items():
        row = found[i, j]
        assert [row["exposure" + suffix], row["cohort_year" + suffix]] == [
            pair["exposure"],
            pair["cohort_year"],
        ]
        assert row["is_strong_tie" + suffix] is pair["strong"]
        assert row["is_balanced"] is pair["balanced"]
        close(row["tie_strength"], pair["tie"])
        close(row["tie_four_factor"], reference.four_factor(i, j))
        assert_allclose(row["distance_km"], reference.distance(i, j), rtol=1e-9)


def in_study(rows: dict) -> dict:
    return {key: row for key, row in rows.items() if row["is_study_window"]}


@pytest.mark.parametrize("series", ["growth_official", "growth_deflated"])
def test_synchronization_equals_literal_formulas(warehouse, reference, series):
    found = in_study(
        table(warehouse, "marts.fct_pair_synchronization", ["city_i_id", "city_j_id", "year"])
    )
    assert len(found) == 30 * 29 // 2 * 10
    growth = {"growth_official": reference.growth, "growth_deflated": reference.deflated}[series]
    names = ["cm", "comove", "dispersion", "cm_bounded", "neg_abs_gap", "neg_abs_residual"]
    n_null = 0
    for i, j in reference.pairs("calendar_year"):
        is_complete = reference.is_complete(i, growth) and reference.is_complete(j, growth)
        expected = reference.measures(i, j, growth) if is_complete else {}
        for year in WINDOW:
            for name in names:
                close(found[i, j, year][f"{name}_{series}"], expected.get(year, {}).get(name))
            if series == "growth_official":
                close(
                    found[i, j, year]["rolling_corr_growth_official"],
                    reference.rolling(i, j, year) if is_complete else None,
                )
            n_null += not is_complete
    assert n_null == (29 * 10 if series == "growth_official" else 0)


def test_panel_is_the_headline_sample(warehouse, reference):
    found = in_study(table(warehouse, "marts.panel_pair_year", ["city_i_id", "city_j_id", "year"]))
    pairs = {
        k: p
        for k, p in reference.pairs("second_half_next_year").items()
        if p["balanced"] and p["strong"]
    }
    assert found.keys() == {(i, j, year) for i, j in pairs for year in WINDOW}
    cohorts = treated_years("second_half_next_year")

    def control(city):
        nominal, people = (
            reference.values["gdp_nominal_cny_100m"][city],
            reference.values["population_resident_10k"].get(city),
        )
        people = people or reference.values["population_registered_10k"][city]
        return sum(math.log(nominal[y] / people[y] * 10000) for y in TIE_YEARS) / len(TIE_YEARS)

    for (i, j, year), row in found.items():
        cohort = pairs[i, j]["cohort_year"]
        assert row["is_treated"] is (cohort is not None and year >= cohort)
        assert [row["cohort_year"], row["city_i_cohort_year"], row["city_j_cohort_year"]] == [
            cohort,
            cohorts.get(i),
            cohorts.get(j),
        ]
        close(row["ln_gdp_per_capita_mean"], (control(i) + control(j)) / 2)
        close(row["ln_gdp_per_capita_absdiff"], abs(control(i) - control(j)))


def hashes(connection):
    """One hash a table, in whatever order its rows lie."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name <> 'seeds'"
    ).fetchall()
    return {name: hash_table(connection, ".".join(name)) for name in tables}


@pytest.mark.full
def test_tables_have_the_same_bytes_on_two_threads(warehouse, landing_rows, dbt_target, tmp_path):
    write_raw(tmp_path, landing_rows)
    with build_warehouse(tmp_path, dbt_target, threads=2) as other:
        assert other.execute("select current_setting('threads')").fetchone()[0] >= 2
        assert hashes(other) == hashes(warehouse)


#: Delivered real output of Shanghai by year.
SHANGHAI = {
    int(year): float(value)
    for city, year, _, value in (row.split(",") for row in six_cities())
    if city == "310000"
}


@pytest.fixture(scope="module")
def bare(six):
    """The published tables of six cities with a real level only."""
    with duckdb.connect(six.run.home / "published/citysync.duckdb", read_only=True) as connection:
        yield connection


def dirty_rows():
    """Good rows in two editions, and one row for every way of being bad."""
    good = [
        raw_row("tidy", "110000", y, "gdp_nominal_cny_100m", 100.0 + y + e % 2021, edition_year=e)
        for e in (2021, 2022)
        for y in range(2005, e)
    ]
    name = {"file_name": "book.xlsx", "sheet_name": "one'sheet"}
    bad = [
        raw_row("tidy", "999999", 2010, "gdp_nominal_cny_100m", 1.0),
        raw_row("other", "No Such Place", 2010, "gdp_nominal_cny_100m", 1.0, **name),
        raw_row("tidy", "110000", 2010, "no_such_indicator", 1.0),
        raw_row("tidy", "110000", None, "gdp_nominal_cny_100m", 1.0),
        raw_row("tidy", "110000", 2010, "area_km2", 1.0, unit_text="furlongs"),
        raw_row(
            "tidy",
            "110000",
            2010,
            "area_km2",
            None,
            raw_text="n.a.",
            reason="not_a_number",
            detail="expected a number",
        ),
        raw_row("other", "北京", 2011, "area_km2", 5.0, **name),
        raw_row("other", "110000", 2011, "area_km2", 5.0, **name),
        raw_row("other", "110000", 2012, "area_km2", 5.0, **name),
        raw_row("other", "北京市", 2012, "area_km2", 6.0, **name),
        raw_row("other", "3301", 2012, "area_km2", 6.0, **name),
        raw_row("csmar_region", "110000", 2010, "gdp_growth_official_pct", 110.0),
        raw_row("csmar_region", "110000", 2011, "gdp_nominal_cny_100m", -5.0),
    ]
    return good + bad


@pytest.fixture(scope="module")
def dirty(dbt_target, tmp_path_factory):
    build = tmp_path_factory.mktemp("dirty")
    write_raw(build, dirty_rows())
    tables = ("+rejected_value", "+fct_indicator_revision", "+fct_indicator_observation")
    with build_warehouse(build, dbt_target, select=tables, with_tests=True) as connection:
        yield connection


#: Which build is asked, the query and its rows.
ASKED = {
    "a pair's mean measure is its correlation": (
        "warehouse",
        """select max(abs(mean_cm - r)) < 1e-9 from (
            select avg(s.cm_hp) as mean_cm, corr(i.cycle_hp_pct, j.cycle_hp_pct) as r
            from marts.fct_pair_synchronization as s
            inner join marts.fct_city_year as i on s.city_i_id = i.city_id and s.year = i.year
            inner join marts.fct_city_year as j on s.city_j_id = j.city_id and s.year = j.year
            where s.is_study_window group by s.city_i_id, s.city_j_id)""",
        {(True,)},
    ),
    "pairs reach the newest year, where the measures of the study are missing": (
        "bare",
        """select "year", is_study_window, count(*), count(cm_growth_official),
        count(cm_newest_growth_official) from marts.fct_pair_synchronization
        where "year" in (2019, 2021) group by all""",
        {(2019, True, 15, 15, 15), (2021, False, 15, 0, 15)},
    ),
    "every measure of a pair follows from the scores of its cities": (
        "bare",
        """select s.time_window, max(abs(1 - pow(i.z - j.z, 2) / 2
            - if(s.time_window = 'study', p.cm_growth_official, p.cm_newest_growth_official)))
            < 1e-12
        from marts.fct_pair_synchronization as p
        cross join (values ('study'), ('newest')) as s(time_window)
        inner join marts.fct_city_score as i on i.city_id = p.city_i_id and i."year" = p."year"
            and i.series = 'growth_official' and i.time_window = s.time_window
        inner join marts.fct_city_score as j on j.city_id = p.city_j_id and j."year" = p."year"
            and j.series = 'growth_official' and j.time_window = s.time_window
        group by s.time_window""",
        {("study", True), ("newest", True)},
    ),
    "every indicator of cities has thresholds by its kind": (
        "warehouse",
        """select d.indicator_id from marts.dim_indicator as d
        left join intermediate.int_indicator_limits as l using (indicator_id)
        where d.place_level = 'city' and d.rule_kind <> 'rate'
        and (l.spike_block is null or l.unit_factor_spike is null or l.revision_max is null)""",
        set(),
    ),
    "a real level alone gives growth and cycles from its second year on": (
        "bare",
        f"""select "year", gdp_real_cny_100m = {SHANGHAI[2015]!r}, cycle_hp_pct is not null,
        abs(growth_official_pct - {100 * math.log(SHANGHAI[2015] / SHANGHAI[2014])!r}) < 1e-9
        from marts.fct_city_year where city_id = 310000 and "year" in (2005, 2015)""",
        {(2005, False, True, None), (2015, True, True, True)},
    ),
    "a real level alone gives synchronization of official growth and no ties": (
        "bare",
        """select count(*), count(cm_growth_official), count(cm_hp), count(cm_growth_deflated),
        (select count(tie_strength) + count(is_strong_tie) from marts.fct_city_pair),
        (select count(*) from marts.panel_pair_year) from marts.fct_pair_synchronization
        where is_study_window""",
        {(15 * 10, 15 * 10, 15 * 10, 0, 0, 0)},
    ),
    "the better source is current and both are kept": (
        "warehouse",
        """select source_id, is_current, unit_delivered = '万元' and cell_ref like 'D%',
        round("value" / max("value") filter (is_current) over (), 3)
        from marts.fct_indicator_observation where indicator_id = 'gdp_nominal_cny_100m'
        and "year" = 2015 and city_id = (select min(city_id)
            from marts.fct_indicator_observation where source_id = 'csmar_region')""",
        {("csmar_region", True, None, 1.0), ("finance_loans", False, True, 1.01)},
    ),
    "every bad row is rejected with its reason": (
        "dirty",
        """select reason, count(*), count_if(detail like '%expected%found%')
        from quality.rejected_value group by 1""",
        {
            ("unknown_city", 2, 2),
            ("unknown_indicator", 1, 1),
            ("unknown_year", 1, 1),
            ("unknown_unit", 1, 1),
            ("not_a_number", 1, 0),
            ("duplicate", 1, 1),
            ("conflicting_duplicate", 2, 2),
        },
    ),
    "blocked values are kept, and never current": (
        "dirty",
        """select indicator_id, quality_rule, proposed_value, is_current
        from marts.fct_indicator_observation where quality_flag = 'blocked'""",
        {
            ("gdp_growth_official_pct", "index_for_growth", 10.0, False),
            ("gdp_nominal_cny_100m", "sign", None, False),
        },
    ),
    "later editions revise earlier ones": (
        "dirty",
        """select old_edition_year, new_edition_year, new_value - old_value, count(*)
        from marts.fct_indicator_revision group by all""",
        {(2021, 2022, 1.0, 16)},
    ),
    "the latest edition is current": (
        "dirty",
        """select distinct edition_year from marts.fct_indicator_observation
        where is_current and source_id = 'tidy'""",
        {(2022,)},
    ),
}


@pytest.mark.parametrize(("build", "query", "rows"), ASKED.values(), ids=ASKED)
def test_a_build_answers(request, build, query, rows):
    found = request.getfixturevalue(build).execute(query).fetchall()
    assert set(found) == rows and len(found) == len(rows)


def test_settings_reach_the_models_when_they_run(dbt_target, tmp_path):
    write_raw(tmp_path, dirty_rows())
    settings = {
        "AS_OF_EDITION": "2021",
        "AS_OF_YEAR": "2017",
        "WINDOW_FIRST_YEAR": "2006",
        "WINDOW_LAST_YEAR": "2015",
    }
    tables = ("+int_study_window", "+fct_indicator_observation")
    with build_warehouse(tmp_path, dbt_target, settings, select=tables) as connection:
        assert connection.execute(
            "select window_first_year, window_last_year from intermediate.int_study_window"
        ).fetchall() == [(2006, 2015)]
        assert connection.execute(
            'select max(edition_year), max("year") from marts.fct_indicator_observation'
        ).fetchone() == (2021, 2017)
