"""The models built on fabricated raw rows, against literal loops; and landings that lack almost
everything.
"""

import math
from collections import defaultdict

import duckdb
import pytest

from tests.orchestration.conftest import six_cities
from tests.warehouse.dbt_build import build_warehouse
from tests.warehouse.fabricate import fabricate_economies, raw_row, write_raw
from tests.warehouse.reference import Reference

GAP_CITY, NO_TIE_CITY = 1, 2  # places in the list of fabricated cities that get holes


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


def test_means_before_any_zone_enter_ties_and_controls(warehouse, reference):
    found = table(warehouse, "intermediate.int_city_ties", ["city_id"])
    assert [city for (city,) in sorted(found)] == reference.cities
    for (city,), row in found.items():
        for name, expected in reference.tie_means(city).items():
            close(row[name], expected)
    assert found[reference.cities[NO_TIE_CITY],]["population_10k"] is None


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


#: Measures of the pairs whose cities have a series, against scores and growth of the two cities;
#: all measures that are there are these.
OF_SCORES = """
select count(*), count(*) = (select count(cm_{0}) from marts.fct_pair_synchronization),
    max(abs(p.comove_{0} - i.z * j.z)) < 1e-9,
    max(abs(p.dispersion_{0} - 1 + (i.z * i.z + j.z * j.z) / 2)) < 1e-9,
    max(abs(p.cm_{0} - 1 + pow(i.z - j.z, 2) / 2)) < 1e-9,
    max(abs(p.cm_bounded_{0} - 0.5 * ln((1 + clipped / 17) / (1 - clipped)))) < 1e-9,
    max(abs(p.neg_abs_gap_{0} + abs(a.{0}_pct - b.{0}_pct))) < 1e-9,
    max(abs(p.neg_abs_residual_{0} + abs(i.z * i.sd - j.z * j.sd))) < 1e-9
from (
    select *, least(greatest(cm_{0}, -17 + 1e-6), 1 - 1e-6) as clipped
    from marts.fct_pair_synchronization where is_study_window
) as p
inner join marts.fct_city_score as i on i.city_id = p.city_i_id and i."year" = p."year"
    and i.series = '{0}' and i.time_window = 'study'
inner join marts.fct_city_score as j on j.city_id = p.city_j_id and j."year" = p."year"
    and j.series = '{0}' and j.time_window = 'study'
inner join marts.fct_city_year as a on a.city_id = p.city_i_id and a."year" = p."year"
inner join marts.fct_city_year as b on b.city_id = p.city_j_id and b."year" = p."year"
"""
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
    **{
        f"every measure of {series} follows from scores and growth of the cities": (
            "warehouse",
            OF_SCORES.format(series),
            {(n_pairs * 10, *[True] * 7)},
        )
        # one city of thirty has a gap in official growth
        for series, n_pairs in (("growth_official", 29 * 14), ("growth_deflated", 15 * 29))
    },
    "a rolling correlation is that of five years of growth": (
        "warehouse",
        """select count(*), max(abs(r - rolling)) < 1e-9 from (
            select any_value(p.rolling_corr_growth_official) as rolling,
                corr(i.growth_official_pct, j.growth_official_pct) as r
            from marts.fct_pair_synchronization as p
            inner join marts.fct_city_year as i on i.city_id = p.city_i_id
                and i."year" between p."year" - 4 and p."year"
            inner join marts.fct_city_year as j on j.city_id = p.city_j_id and i."year" = j."year"
            where p.is_study_window and p.cm_growth_official is not null
            group by p.city_i_id, p.city_j_id, p."year")""",
        {(29 * 14 * 10, True)},
    ),
    # by the law of cosines
    "pairs have their distance, and all but those of one city a tie": (
        "warehouse",
        """select count(*), count(tie_strength), count(tie_four_factor), count_if(is_balanced),
        count(distinct exposure), max(abs(distance_km / (6371.0088 * acos(
            sin(radians(i.lat_deg)) * sin(radians(j.lat_deg)) + cos(radians(i.lat_deg))
            * cos(radians(j.lat_deg)) * cos(radians(i.lon_deg - j.lon_deg)))) - 1)) < 1e-9
        from marts.fct_city_pair as p inner join seeds.city_roster as i on i.city_id = p.city_i_id
        inner join seeds.city_roster as j on j.city_id = p.city_j_id""",
        {(15 * 29, 29 * 14, 29 * 14, 29 * 14, 3, True)},
    ),
    "the panel has the study's years of strong pairs of complete cities, with their controls": (
        "warehouse",
        """select count(*) > 0, count(*) = (select 10 * count(*) from marts.fct_city_pair
            where is_strong_tie and is_balanced and exposure <> 'both'),
        max(abs(p.ln_gdp_per_capita_mean - (i.ln_gdp_per_capita + j.ln_gdp_per_capita) / 2)) < 1e-9,
        max(abs(p.ln_gdp_per_capita_absdiff - abs(i.ln_gdp_per_capita - j.ln_gdp_per_capita)))
            < 1e-9
        from marts.panel_pair_year as p
        inner join intermediate.int_city_ties as i on i.city_id = p.city_i_id
        inner join intermediate.int_city_ties as j on j.city_id = p.city_j_id
        where p.is_study_window""",
        {(True, True, True, True)},
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
    tables = ("+int_study_window", "+int_raw_observations")
    with build_warehouse(tmp_path, dbt_target, settings, select=tables) as connection:
        assert connection.execute(
            "select window_first_year, window_last_year from intermediate.int_study_window"
        ).fetchall() == [(2006, 2015)]
        assert connection.execute(
            'select max(edition_year), max("year") from intermediate.int_raw_observations'
        ).fetchone() == (2021, 2017)
