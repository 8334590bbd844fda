"""The detectors on a fabricated landing with planted defects, far apart from each other, and on the
same landing without them.
"""

import copy

import numpy as np
import pytest

from tests.warehouse.dbt_build import build_up_to
from tests.warehouse.fabricate import cities_of, raw_row, write_raw

YEARS = range(2003, 2020)
GDP, POPULATION, GROWTH = (
    "gdp_nominal_cny_100m",
    "population_registered_10k",
    "gdp_growth_official_pct",
)
PROVINCES = (130000, 320000, 370000, 410000, 440000, 510000)


REVISED = [("csmar_region", 130200, 2013, POPULATION)]
MISMATCHED = [("csmar_region", 371000, 2014, GDP), ("finance_loans", 371000, 2014, GDP)]
UNDECIDED = ("csmar_region", 371300, 2012, GDP)


def fabricate_panel():
    """Rows of two independent sources for the cities of six provinces, keyed by (source, city,
    year, indicator).
    """
    rng = np.random.default_rng(7)
    panel = {}
    for province_id in PROVINCES:
        common = rng.normal(0.11, 0.03, len(YEARS))
        for city_id in cities_of(province_id):
            gdp = rng.uniform(150, 9000) * np.exp(
                np.cumsum(common + rng.normal(0, 0.015, len(YEARS)))
            )
            population = rng.uniform(80, 900) * np.exp(
                np.cumsum(rng.normal(0.004, 0.002, len(YEARS)))
            )
            for year, g, p in zip(YEARS, gdp, population, strict=True):
                for source_id in ("finance_loans", "csmar_region"):
                    panel[source_id, city_id, year, GDP] = round(
                        float(g * (1 + rng.normal(0, 0.0005))), 2
                    )
                panel["csmar_region", city_id, year, POPULATION] = round(float(p), 2)
                panel["csmar_region", city_id, year, GROWTH] = round(float(rng.normal(10, 1)), 1)
    return panel


def plant(clean):
    """The panel with defects; returns it with the rules that must find each cell."""
    panel, expected = copy.deepcopy(clean), {}
    cities = {p: sorted({c for _, c, *_ in clean if c // 10000 * 10000 == p}) for p in PROVINCES}

    def put(key, value, rule):
        panel[key], expected[key] = value, rule

    a, b = ("csmar_region", "finance_loans")
    put(
        (a, cities[130000][2], 2006, GDP),
        clean[a, cities[130000][2], 2006, GDP] * 1000,
        "unit_factor",
    )
    put((a, cities[130000][5], 2009, GDP), clean[a, cities[130000][5], 2009, GDP] * 1.25, "spike")
    put(
        (a, cities[130000][8], 2013, POPULATION),
        clean[a, cities[130000][8], 2013, POPULATION] * 1.3,
        "spike",
    )
    # of what no other source has
    lone = cities[440000][4]
    put((a, lone, 2006, POPULATION), clean[a, lone, 2006, POPULATION] * 10_000, "unit_factor")
    for year in (2010, 2011, 2012):
        key = (a, cities[440000][5], year, POPULATION)
        put(key, round(clean[key] * 2.2, 2), "level_run")
    put(
        (a, cities[130000][3], 2019, GDP),
        clean[a, cities[130000][3], 2019, GDP] * 1.4,
        "series_end",
    )
    put((a, cities[130000][7], 2012, GDP), -clean[a, cities[130000][7], 2012, GDP], "sign")
    for nth in range(2, 8):
        there = cities[320000][nth + 1]
        put((a, cities[320000][nth], 2011, GDP), clean[a, there, 2011, GDP], "row_shift")
    for city_id in cities[370000]:
        put((a, city_id, 2010, GDP), clean[a, city_id, 2010, GDP] / 10000, "unit_factor")
    by_size = sorted(cities[410000], key=lambda city_id: clean[a, city_id, 2008, POPULATION])
    left, right = by_size[3], by_size[-3]
    put((a, left, 2008, POPULATION), clean[a, right, 2008, POPULATION], "swap")
    put((a, right, 2008, POPULATION), clean[a, left, 2008, POPULATION], "swap")
    for year in (2006, 2007):
        put(
            (a, cities[510000][4], year, POPULATION),
            clean[a, cities[510000][12], year, POPULATION],
            "duplicated_block",
        )
        expected[a, cities[510000][12], year, POPULATION] = "duplicated_block"
    for city_id in [
        c for c in cities[440000][8:] if len(str(clean[a, c, 2014, POPULATION]).rstrip("0")) >= 6
    ]:
        put((a, city_id, 2015, POPULATION), clean[a, city_id, 2014, POPULATION], "stale")
    for city_id in cities[510000][8:11]:
        put(
            (a, city_id, 2016, GROWTH),
            round(clean[a, city_id, 2016, GROWTH] / 100, 4),
            "growth_fraction",
        )
    put(
        (a, cities[510000][2], 2012, GROWTH),
        clean[a, cities[510000][2], 2012, GROWTH] + 100,
        "index_for_growth",
    )
    # a table of growth at current prices
    for of_province in cities.values():
        for city_id in of_province:
            ratio = clean[a, city_id, 2018, GDP] / clean[a, city_id, 2017, GDP]
            put((a, city_id, 2018, GROWTH), round(100 * (ratio - 1), 2), "current_prices")
    for year in YEARS:
        put(
            (b, cities[510000][15], year, GDP),
            clean[b, cities[510000][15], year, GDP] * 13,
            "wrong_entity",
        )
    for year in range(2008, 2015):
        put(
            (b, cities[440000][6], year, GDP),
            clean[b, cities[440000][6], year - 1, GDP],
            "year_offset",
        )
    # the witness is of another vintage in some years of a run
    panel[a, cities[440000][6], 2011, GDP] = round(
        clean[a, cities[440000][6], 2011, GDP] * 1.006, 2
    )
    here, there = cities[440000][2], cities[130000][9]
    for year in range(2006, 2014):
        put((b, here, year, GDP), clean[b, there, year, GDP], "swap")
        put((b, there, year, GDP), clean[b, here, year, GDP], "swap")
    for year in (2008, 2009):
        panel[a, here, year, GDP] = round(clean[a, here, year, GDP] * 1.007, 2)
    for year in range(2013, 2020):
        panel[a, 130200, year, POPULATION] = round(clean[a, 130200, year, POPULATION] * 0.85, 2)
    panel[MISMATCHED[0]] = round(clean[MISMATCHED[0]] * 1.05, 2)
    panel[UNDECIDED] = round(clean[UNDECIDED] * 1.01, 2)
    return panel, expected


def build_graded(panel, build, target, file_of="{}.csv".format):
    """Grade of every cell as a dictionary of (quality_flag, quality_rule, detail, proposed value);
    `file_of` names an indicator's file.
    """
    rows = [
        raw_row(s, str(c), y, i, v, file_name=file_of(i))
        for (s, c, y, i), v in sorted(panel.items())
    ]
    write_raw(build, rows)
    with build_up_to("int_observations_graded", build, target) as connection:
        found = connection.execute(
            """select source_id, city_id, year, indicator_id, quality_flag, quality_rule,
                quality_detail, proposed_value
               from intermediate.int_observations_graded"""
        ).fetchall()
    return {row[:4]: row[4:] for row in found}


def blocked(graded) -> set[tuple]:
    return {key for key, flag in graded.items() if flag[0] == "blocked"}


@pytest.fixture(scope="module")
def planted(dbt_target, tmp_path_factory):
    """Grades, the rules that must find each cell, and the clean panel."""
    clean = fabricate_panel()
    panel, expected = plant(clean)
    return build_graded(panel, tmp_path_factory.mktemp("planted"), dbt_target), expected, clean


def test_every_planted_defect_is_blocked_by_a_rule_that_fits_it_and_nothing_else(planted):
    graded, expected, _ = planted
    assert blocked(graded) == set(expected)
    # a spike may be another rule's too, and a shifted row whose neighbours happen to be alike is a
    # spike at most
    for key, rule in expected.items():
        assert rule == "spike" or graded[key][1] in {rule, "spike" if rule == "row_shift" else rule}


def test_a_revised_level_is_warned_of_and_of_a_lone_difference_the_side_that_moved(planted):
    graded = planted[0]
    assert [graded[key][:2] for key in REVISED] == [("warned", "level_break")]
    assert [graded[key][0] for key in MISMATCHED] == ["quarantined", "ok"]
    # a city moves by as much from year to year, so nobody can tell
    assert graded[UNDECIDED][:2] == ("warned", "isolated_mismatch")


def test_a_block_proposes_what_was_expected(planted):
    graded, expected, clean = planted
    key = next(k for k, rule in expected.items() if rule == "unit_factor")
    assert graded[key][3] == pytest.approx(clean[key])
    shifted = [k for k in expected if graded[k][1] == "row_shift" and graded[k][3] is not None]
    # what the witness has for the row, of another release by up to 0.2 per cent
    assert shifted and [graded[k][3] for k in shifted] == pytest.approx(
        [clean[k] for k in shifted], rel=2e-3
    )
