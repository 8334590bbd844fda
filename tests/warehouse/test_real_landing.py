"""The delivered files of the reference folder through ingest and models: figures checked by hand against the published yearbooks."""

import pytest

from tests.warehouse.dbt_build import build_warehouse
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def warehouse(shared_dir, tmp_path_factory):
    build = tmp_path_factory.mktemp("real")
    read_landing(shared_dir / "landing", build / "cache", build, layouts=load_layouts())
    with build_warehouse(build, tmp_path_factory.mktemp("dbt_target"), with_tests=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("city_id", "year", "source_id", "value", "is_current"),
    [
        (110000, 2015, "csmar_region", 24779.1, True),
        (110000, 2015, "finance_loans", 23014.59, False),
        (310000, 2019, "csmar_region", 38155.32, True),
    ],
)
def test_nominal_gdp_of_every_source_is_kept_with_its_cell(warehouse, city_id, year, source_id, value, is_current):
    found = warehouse.execute(
        """select value, is_current, file_name is not null and cell_ref is not null from marts.fct_indicator_observation
           where city_id = ? and year = ? and source_id = ? and indicator_id = 'gdp_nominal_cny_100m'""",
        [city_id, year, source_id],
    ).fetchall()
    assert found == [(value, is_current, True)]


@pytest.mark.parametrize("series", ["growth_official_pct", "growth_deflated_pct"])
def test_at_least_290_cities_have_unbroken_growth(warehouse, series):
    complete = warehouse.execute(
        f"""select count(*) from (select city_id from marts.fct_city_year where year between 2005 and 2019
            group by city_id having count({series}) = 15)"""
    ).fetchone()[0]
    assert complete >= 290


def test_no_prefecture_of_the_panels_is_unknown(warehouse):
    """What is left without a city are county-level units, a collective row and the nation."""
    found = warehouse.execute(
        """select distinct place_code_text, place_text from quality.rejected_value where reason = 'unknown_city' and source_id in
           ('csmar_region', 'finance_loans', 'deflator', 'resident_population', 'industry_structure', 'fdi')"""
    ).fetchall()
    no_prefecture = {
        ("341282", "Jieshou(city)"),
        ("429000", "County Under the Direct Control of the Province"),
        ("652101", "Turpan(city)"),
        ("652201", "Kumul(city)"),
        (None, "中国"),
    }
    assert set(found) <= no_prefecture
