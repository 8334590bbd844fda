"""The delivered files of the reference folder through ingest and models: figures checked by hand
against the published yearbooks.
"""

import shutil

import duckdb
import pytest

from tests.warehouse.dbt_build import build_up_to, build_warehouse

pytestmark = pytest.mark.shared

JUDGED = (
    *("gdp_nominal_cny_100m", "gdp_growth_official_pct", "gdp_index_prev_year_100"),
    *("gdp_real_cny_100m", "gdp_per_capita_cny", "value_added_primary_cny_100m"),
    *("value_added_secondary_cny_100m", "value_added_tertiary_cny_100m"),
    *("population_registered_10k", "population_resident_10k"),
)
OF_CITIES = (
    *("+fct_city_year", "+fct_indicator_conflict", "+fct_indicator_revision", "+fct_coverage"),
    *("+fct_indicator_observation", "+fct_series_passage", "+dim_codebook", "+rejected_value"),
)
CSMAR_FILES, HEILONGJIANG = (
    ("csmar_region", "industry_structure"),
    (230800, 230900, 231000, 231100, 231200),
)
GANSU_2021 = (
    620200,
    620300,
    620400,
    620500,
    620600,
    620700,
    620800,
    620900,
    621000,
    621100,
    621200,
    622900,
    623000,
)


@pytest.fixture(scope="module")
def warehouse(read_delivered, dbt_target):
    """All about cities and sources; pairs of cities are the same formulas on any data."""
    build = read_delivered("landing")[1]
    with build_warehouse(build, dbt_target, select=OF_CITIES) as connection:
        yield connection


@pytest.fixture(scope="module")
def uncorrected(read_delivered, dbt_target, tmp_path_factory):
    """Product, growth and population of the same files without a single correction: what the rules
    find by themselves.
    """
    delivered, build = read_delivered("landing")[1], tmp_path_factory.mktemp("uncorrected")
    shutil.copy(delivered / "input_file.parquet", build)
    (build / "raw").mkdir()
    judged = f"from '{delivered}/raw/*.parquet' where indicator_id in {JUDGED}"
    duckdb.execute(f"copy ({judged}) to '{build}/raw/judged.parquet'")
    without = "delete from seeds.value_corrections"
    with build_up_to("int_observations_graded", build, dbt_target, without) as connection:
        yield connection


@pytest.mark.full
@pytest.mark.parametrize(
    ("city_id", "year", "source_id", "value", "is_current"),
    [
        (110000, 2015, "csmar_region", 24779.1, True),
        (110000, 2015, "finance_loans", 23014.59, False),
        (310000, 2019, "csmar_region", 38155.32, True),
    ],
)
def test_nominal_gdp_of_every_source_is_kept_with_its_cell(
    warehouse, city_id, year, source_id, value, is_current
):
    found = warehouse.execute(
        """select value, is_current, file_name is not null and cell_ref is not null
            from marts.fct_indicator_observation
           where city_id = ? and year = ? and source_id = ?
               and indicator_id = 'gdp_nominal_cny_100m'""",
        [city_id, year, source_id],
    ).fetchall()
    assert found == [(value, is_current, True)]


@pytest.mark.full
@pytest.mark.parametrize("series", ["growth_official_pct", "growth_deflated_pct"])
def test_at_least_290_cities_have_unbroken_growth(warehouse, series):
    complete = warehouse.execute(
        f"""select count(*) from (select city_id from marts.fct_city_year
            where year between 2005 and 2019
            group by city_id having count({series}) = 15)"""
    ).fetchone()[0]
    assert complete >= 290


@pytest.mark.full
def test_no_prefecture_of_the_panels_is_unknown(warehouse):
    """What is left without a city are county-level units, a collective row and the nation."""
    found = warehouse.execute(
        """select distinct place_code_text, place_text from quality.rejected_value
            where reason = 'unknown_city' and source_id in
           ('csmar_region', 'finance_loans', 'deflator', 'resident_population',
               'industry_structure', 'fdi')"""
    ).fetchall()
    no_prefecture = {
        ("341282", "Jieshou(city)"),
        ("429000", "County Under the Direct Control of the Province"),
        ("652101", "Turpan(city)"),
        ("652201", "Kumul(city)"),
        (None, "中国"),
    }
    assert set(found) <= no_prefecture


def blocked(connection, source_id, indicator_id, year):
    """Rule by city of the blocked values of a source, indicator and year."""
    rows = connection.execute(
        """select city_id, quality_rule from intermediate.int_observations_graded
           where source_id = ? and indicator_id = ? and year = ? and quality_flag = 'blocked'""",
        [source_id, indicator_id, year],
    ).fetchall()
    return dict(rows)


@pytest.mark.parametrize("source_id", CSMAR_FILES)
def test_the_row_shift_of_2011_is_found_in_both_files_that_carry_it(uncorrected, source_id):
    assert (
        blocked(uncorrected, source_id, "gdp_nominal_cny_100m", 2011).items()
        >= dict.fromkeys(HEILONGJIANG, "row_shift").items()
    )


def test_indexes_in_the_growth_column_are_found(uncorrected):
    assert blocked(uncorrected, "csmar_region", "gdp_growth_official_pct", 2021) == dict.fromkeys(
        GANSU_2021, "index_for_growth"
    )
    assert blocked(uncorrected, "csmar_region", "gdp_growth_official_pct", 2014) == {
        440500: "index_for_growth"
    }


def test_the_series_of_another_place_is_found_in_all_its_years(uncorrected):
    found = uncorrected.execute(
        """select count(*), count(*) filter (where quality_rule = 'wrong_entity')
            from intermediate.int_observations_graded
           where source_id = 'finance_loans' and indicator_id = 'gdp_nominal_cny_100m'
               and city_id = 632500"""
    ).fetchone()
    assert found[0] == found[1] > 0


def test_a_copy_is_told_from_a_witness_by_the_errors_it_repeats(uncorrected):
    found = uncorrected.execute(
        """select other_source_id, repeats
            from intermediate.int_sources_related
           where source_id = 'csmar_region' and indicator_id = 'gdp_nominal_cny_100m'"""
    ).fetchall()
    repeats = {other for other, is_copy in found if is_copy}
    assert repeats == {"industry_structure"} and {"finance_loans", "deflator"} <= {
        other for other, _ in found
    }


@pytest.mark.parametrize(
    ("source_id", "cities", "year"),
    [
        ("csmar_region", (210300, 211000), 2016),
        ("industry_structure", (210300, 211000), 2016),
        ("csmar_region", (220200,), 2019),
        ("industry_structure", (150200, 150500), 2017),
        ("csmar_region", (150600,), 2005),
    ],
)
def test_official_revisions_are_not_blocked(uncorrected, source_id, cities, year):
    assert not set(cities) & set(blocked(uncorrected, source_id, "gdp_nominal_cny_100m", year))


def test_few_values_are_blocked_or_quarantined(uncorrected):
    shares = uncorrected.execute(
        """select indicator_id, avg(cast(quality_flag = 'blocked' as integer)),
            avg(cast(quality_flag = 'quarantined' as integer))
           from intermediate.int_observations_graded
           where indicator_id in ('gdp_nominal_cny_100m', 'population_registered_10k',
               'population_resident_10k') group by 1"""
    ).fetchall()
    limits = {
        "gdp_nominal_cny_100m": (0.01, 0.02),
        "population_registered_10k": (0.02, 0.05),
        "population_resident_10k": (0.01, 0.05),
    }
    assert len(shares) == 3 and all(
        b < limits[name][0] and q < limits[name][1] for name, b, q in shares
    )


@pytest.mark.full
def test_corrections_replace_what_they_name_and_nothing_else(warehouse):
    named = warehouse.execute("select count(*) from seeds.value_corrections").fetchone()[0]
    corrected = warehouse.execute(
        """select count(*), count(*) filter (where is_current)
            from marts.fct_indicator_observation where quality_flag = 'corrected'"""
    ).fetchone()
    assert corrected == (named, named)


def test_the_census_of_2018_shows_as_a_change_of_vintage(uncorrected):
    """Nominal growth of 2019 in a file that holds 2018 as first released and 2019 after the census
    is not growth.
    """
    found = uncorrected.execute(
        """select count(distinct city_id) from intermediate.int_observations_flagged as f
           inner join intermediate.int_observations_corrected as o on f.observation_id =
               o.observation_id
           where f.rule = 'vintage' and o.source_id = 'csmar_region'
               and o.indicator_id = 'gdp_nominal_cny_100m' and o.year = 2019"""
    ).fetchone()[0]
    assert found >= 80


def test_a_province_that_holds_another_quantity_for_two_years_is_found(uncorrected):
    """Registered population of Henan 2012 and 2013 is a third of what the yearbook and the years
    around have.
    """
    for year in (2012, 2013):
        found = blocked(uncorrected, "csmar_region", "population_registered_10k", year)
        assert sum(rule == "level_run" for city, rule in found.items() if city // 10000 == 41) >= 14
