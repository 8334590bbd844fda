"""What moves together or for years: a province in another quantity, runs that leave and return,
revisions that must stand, exchanged places across provinces, and indicators that no threshold
names."""

import duckdb
import numpy as np
import pytest

from tests.warehouse.fabricate import cities_of
from tests.warehouse.test_detectors import GDP, POPULATION, YEARS, blocked, build_graded
from tests.warehouse.test_witnesses import SOURCES, fabricate_sources

A, B = SOURCES[0], SOURCES[1]
# An indicator of each kind without thresholds of its own, with the noise of its yearly steps.
BY_KIND = {
    "patents_granted": 0.06,
    "fiscal_revenue_cny_100m": 0.03,
    "employed_education_10k": 0.02,
    "gdp_share_tertiary_pct": 0.015,
}


def fabricate() -> dict[tuple, float]:
    """Two independent sources of product, one of population, and one of an indicator of
    each kind.
    """
    rng = np.random.default_rng(21)
    panel = {key: value for key, value in fabricate_sources().items() if key[0] in (A, B)}
    for indicator, noise in BY_KIND.items():
        for city in cities_of(130000, 440000, 510000):
            walk = np.cumsum(
                rng.normal(0.0 if indicator.endswith("pct") else 0.06, noise, len(YEARS))
            )
            for year, value in zip(YEARS, rng.uniform(30, 60) * np.exp(walk), strict=True):
                panel["patents", city, year, indicator] = round(float(value), 3)
    return panel


def plant(clean):
    """The panel with defects, what must be blocked by which rule, and what must stand."""
    panel, wrong, right = dict(clean), {}, set()

    def put(key, value, rule):
        panel[key], wrong[key] = round(value, 3), rule

    rng = np.random.default_rng(22)
    hebei, guangdong, sichuan = cities_of(130000), cities_of(440000), cities_of(510000)
    # a whole province holds a third for two years; the other source stays
    for city in hebei:
        for year in (2010, 2011):
            put(
                (A, city, year, GDP),
                clean[A, city, year, GDP] * 0.34 * np.exp(rng.normal(0, 0.05)),
                "level_run",
            )
    # no second source: a province, and one city for three years
    for city in sichuan[:18]:
        for year in (2012, 2013):
            put((B, city, year, POPULATION), clean[B, city, year, POPULATION] * 0.3, "level_run")
    for year in (2007, 2008, 2009):
        put(
            (B, guangdong[3], year, POPULATION),
            clean[B, guangdong[3], year, POPULATION] * 2.2,
            "level_run",
        )
    # a factor of 10^4 in indicators that nothing but their kind protects
    for nth, indicator in enumerate(BY_KIND):
        for k in range(25):
            city, year = (
                guangdong[k % len(guangdong)] if k % 2 else sichuan[k % len(sichuan)],
                2005 + (k * 3 + nth) % 13,
            )
            put(
                ("patents", city, year, indicator),
                clean["patents", city, year, indicator] * (1e4 if k % 3 else 1e-4),
                "unit_factor",
            )
    # a revision in one source for good, and one for five years that returns: both within what
    # vintages differ by
    for year in range(2014, 2020):
        panel[A, guangdong[5], year, GDP] = round(clean[A, guangdong[5], year, GDP] * 0.72, 2)
        right.add((A, guangdong[5], year, GDP))
    for year, share in zip(range(2008, 2013), (0.4, 0.55, 0.7, 0.85, 1), strict=True):
        panel[A, guangdong[8], year, GDP] = round(
            clean[A, guangdong[8], year, GDP] * (1 + 0.25 * share), 2
        )
        right.add((A, guangdong[8], year, GDP))
    # first releases of two cities of two provinces within two per cent crosswise: nothing is
    # exchanged
    here, there = guangdong[10], sichuan[12]
    for year in YEARS:
        level = clean[B, here, year, GDP]
        for key, factor in (((B, there), 1.015), ((A, here), 1.015), ((A, there), 1.0)):
            panel[*key, year, GDP] = round(level * factor, 2)
            right.add((*key, year, GDP))
        right.add((B, here, year, GDP))
    return panel, wrong, right


def test_a_province_a_run_and_a_new_indicator_are_guarded_and_revisions_stand(dbt_target, tmp_path):
    panel, wrong, right = plant(fabricate())
    graded = build_graded(panel, tmp_path, dbt_target)
    found = blocked(graded)
    for rule in ("level_run", "unit_factor"):
        cells = {key for key, word in wrong.items() if word == rule}
        assert len(cells & found) >= 0.97 * len(cells), sorted(cells - found)[:10]
        assert sum(graded[key][1] == rule for key in cells) >= 0.9 * len(cells & found)
    assert found & right == set()
    assert len(found - set(wrong)) <= 0.003 * len(graded)


LENDER, DEFLATED = "finance_loans", "deflator"


@pytest.fixture(scope="module")
def stitched(dbt_target, tmp_path_factory):
    """Grades, and the source of each current value, of a landing whose sources come and go or stand
    at unlike levels.
    """
    folder = tmp_path_factory.mktemp("stitched")
    panel = {
        key: value
        for key, value in fabricate_sources().items()
        if key[0] in (A, DEFLATED, LENDER) and key[3] == GDP
    }
    alone, doubted, handed_on = cities_of(440000)[4:7]
    for year in YEARS:
        # 105.7, 284.0 and 107.9 in three years, of three sources: the middle one is of another area
        del (
            panel[A if year == 2010 else DEFLATED, alone, year, GDP],
            panel[LENDER, alone, year, GDP],
        )
        if year > 2010:
            panel["industry_structure", alone, year, GDP] = panel.pop((A, alone, year, GDP))
        # a source whose level is another one all along, beside one value of A that a rule doubts by
        # a hair
        panel[DEFLATED, doubted, year, GDP] = round(panel[A, doubted, year, GDP] * 0.7, 2)
        del panel[LENDER, doubted, year, GDP]
        if year == 2012:
            panel[A, doubted, year, GDP] = round(panel[A, doubted, year, GDP] * 1.07, 2)
        # A ends, and only a source at nine tenths of its level goes on
        del panel[LENDER, handed_on, year, GDP]
        panel[DEFLATED, handed_on, year, GDP] = round(panel[A, handed_on, year, GDP] * 0.9, 2)
        if year > 2012:
            del panel[A, handed_on, year, GDP]
    panel[DEFLATED, alone, 2010, GDP] = round(panel[A, alone, 2009, GDP] * 2.9, 2)
    graded = build_graded(panel, folder, dbt_target)
    with duckdb.connect(str(folder / "citysync.duckdb"), read_only=True) as con:
        current = con.execute(
            "select city_id, year, source_id from intermediate.int_observations_graded where "
            "choice_rank = 1 and is_usable"
        ).fetchall()
    return graded, {row[:2]: row[2] for row in current}, (alone, doubted, handed_on)


def test_a_source_that_leaves_the_level_of_those_beside_it_is_doubted_and_passages_are_told(
    stitched,
):
    graded, current, (alone, doubted, handed_on) = stitched
    assert graded[DEFLATED, alone, 2010, GDP][:2] == ("blocked", "stitched")
    assert (alone, 2010) not in current
    # a doubted value is better than one at another level
    assert graded[A, doubted, 2012, GDP][:2] == ("quarantined", "spike")
    assert graded[DEFLATED, doubted, 2012, GDP][:2] == ("quarantined", "stitched")
    assert {current[doubted, year] for year in YEARS} == {A}
    assert [current[handed_on, year] for year in (2012, 2013)] == [A, DEFLATED]
    assert graded[DEFLATED, handed_on, 2013, GDP][:2] == ("warned", "stitched")
    # sources that agree where both have a value may follow one another without a word
    assert sum(word[1] == "stitched" for word in graded.values()) == 3
