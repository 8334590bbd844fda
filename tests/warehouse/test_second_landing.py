"""The second landing through ingest and models: what the rules find of the defects known by other
means, and which columns it fills.
"""

import pytest

from tests.warehouse.dbt_build import build_warehouse

pytestmark = [pytest.mark.shared, pytest.mark.full]


@pytest.fixture(scope="module")
def warehouse(read_delivered, dbt_target):
    with build_warehouse(read_delivered("landing_2")[1], dbt_target) as connection:
        yield connection


@pytest.mark.parametrize(
    ("column", "city_id", "year", "value"),
    [
        ("fixed_investment_cny_100m", 440300, 2017, 5147.32),
        ("fixed_investment_cny_100m", 310000, 2015, 6352.70),
        ("patents_granted", 110000, 2015, 91028),
        ("firms_new", 440300, 2013, 378598),
        ("students_college_10k", 420100, 2015, 95.6789),
        ("telecom_revenue_cny_100m", 110000, 2011, 436.2841),
        ("night_lights_nw_cm2_sr", 500000, 2013, 164306.25),
    ],
)
def test_figures_that_bulletins_publish_are_current(warehouse, column, city_id, year, value):
    found = warehouse.execute(
        f"select {column} from marts.fct_city_year where city_id = ? and year = ?", [city_id, year]
    ).fetchone()
    assert found[0] == pytest.approx(value, abs=0.01)


def test_no_imputed_year_is_current(warehouse):
    found = warehouse.execute(
        """select max(year) filter (where source_id = 'urban_investment'),
            count(*) filter (where year > 2017)
           from marts.fct_indicator_observation where indicator_id = 'fixed_investment_cny_100m'"""
    ).fetchone()
    assert found[0] == 2016 and found[1] <= 9


def test_growth_of_light_begins_after_the_change_of_sensor(warehouse):
    found = warehouse.execute(
        """select min(year), count(distinct city_id), median(abs(growth_night_lights_pct))
            from marts.fct_city_year
           where growth_night_lights_pct is not null"""
    ).fetchone()
    assert found[0] == 2014 and found[1] >= 330 and found[2] < 15


def test_stand_ins_are_labelled(warehouse):
    bases = warehouse.execute(
        """select distinct human_capital_index_basis, infrastructure_index_basis,
            firms_new_basis from marts.fct_city_year
           where year = 2014 and students_college_10k is not null"""
    ).fetchall()
    assert {firms for _, _, firms in bases} <= {"proxy:entities_new", None}
    assert "primary" not in {basis for _, basis, _ in bases}


def flagged(connection, source_id, indicator_id, city_id, year):
    return connection.execute(
        """select quality_flag, quality_rule from intermediate.int_observations_graded
           where source_id = ? and indicator_id = ? and city_id = ? and year = ?""",
        [source_id, indicator_id, city_id, year],
    ).fetchone()


@pytest.mark.parametrize(
    ("source_id", "indicator_id", "city_id", "year", "flag", "rule"),
    [
        # Lhasa 2004 a tenth, Daxinganling 2011 a quarter of the years beside
        ("csmar_investment", "fixed_investment_cny_100m", 540100, 2004, "blocked", "unit_factor"),
        ("csmar_investment", "fixed_investment_cny_100m", 232700, 2011, "blocked", "spike"),
        # imports of Suzhou 2022 are imports and exports together
        ("market_entities", "imports_cny_100m", 320500, 2022, "quarantined", "spike"),
        # Shantou 2014: an index in the column of growth
        ("yearbook_export", "gdp_growth_official_pct", 440500, 2014, "blocked", "index_for_growth"),
    ],
)
def test_defects_known_by_other_means_are_found(
    warehouse, source_id, indicator_id, city_id, year, flag, rule
):
    assert flagged(warehouse, source_id, indicator_id, city_id, year) == (flag, rule)


def test_product_per_head_of_one_year_on_another_population_is_found(warehouse):
    """Shanghai and Shenzhen 2013 among them: the export divides by registered population in that
    year alone. Where nobody else has the column the smaller steps are what all cities do that year.
    """
    cities = warehouse.execute(
        """select list(city_id) from intermediate.int_observations_graded
            where source_id = 'yearbook_export'
           and indicator_id = 'gdp_per_capita_cny' and year = 2013
               and quality_flag in ('blocked', 'quarantined')"""
    ).fetchone()[0]
    assert {310000, 440300} <= set(cities) and 15 <= len(cities) <= 80


def test_true_falls_of_investment_are_not_blocked(warehouse):
    for city_id, year in [
        (210200, 2016),
        (210100, 2016),
        (210400, 2016),
        (140200, 2017),
        (140900, 2017),
        (621000, 2017),
    ]:
        assert flagged(warehouse, "csmar_investment", "fixed_investment_cny_100m", city_id, year)[
            0
        ] in ("ok", "warned"), (city_id, year)
