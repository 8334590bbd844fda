"""What moves together or for years: a province in another quantity, runs that leave and return, revisions that must stand, exchanged places
across provinces, and indicators that no threshold names."""

from __future__ import annotations

import numpy as np
import pytest

from tests.warehouse.test_detectors import build_graded
from tests.warehouse.test_witnesses import GDP, POPULATION, SOURCES, YEARS, cities_of, fabricate_sources

A, B = SOURCES[0], SOURCES[1]
# An indicator of each kind without thresholds of its own, with the noise of its yearly steps.
BY_KIND = {"patents_granted": 0.06, "fiscal_revenue_cny_100m": 0.03, "employed_education_10k": 0.02, "gdp_share_tertiary_pct": 0.015}


def fabricate() -> dict[tuple, float]:
    """Two independent sources of product, one of population, and one of an indicator of each kind."""
    rng = np.random.default_rng(21)
    panel = {key: value for key, value in fabricate_sources().items() if key[0] in (A, B)}
    for indicator, noise in BY_KIND.items():
        for city in cities_of(130000, 440000, 510000):
            walk = np.cumsum(rng.normal(0.0 if indicator.endswith("pct") else 0.06, noise, len(YEARS)))
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
            put((A, city, year, GDP), clean[A, city, year, GDP] * 0.34 * np.exp(rng.normal(0, 0.05)), "level_run")
    # no second source: a province, and one city for three years
    for city in sichuan[:18]:
        for year in (2012, 2013):
            put((B, city, year, POPULATION), clean[B, city, year, POPULATION] * 0.3, "level_run")
    for year in (2007, 2008, 2009):
        put((B, guangdong[3], year, POPULATION), clean[B, guangdong[3], year, POPULATION] * 2.2, "level_run")
    # a factor of 10^4 in indicators that nothing but their kind protects
    for nth, indicator in enumerate(BY_KIND):
        for k in range(25):
            city, year = guangdong[k % len(guangdong)] if k % 2 else sichuan[k % len(sichuan)], 2005 + (k * 3 + nth) % 13
            put(("patents", city, year, indicator), clean["patents", city, year, indicator] * (1e4 if k % 3 else 1e-4), "unit_factor")
    # a revision in one source for good, and one for five years that returns: both within what vintages differ by
    for year in range(2014, 2020):
        panel[A, guangdong[5], year, GDP] = round(clean[A, guangdong[5], year, GDP] * 0.72, 2)
        right.add((A, guangdong[5], year, GDP))
    for year, share in zip(range(2008, 2013), (0.4, 0.55, 0.7, 0.85, 1), strict=True):
        panel[A, guangdong[8], year, GDP] = round(clean[A, guangdong[8], year, GDP] * (1 + 0.25 * share), 2)
        right.add((A, guangdong[8], year, GDP))
    # first releases of two cities of two provinces within two per cent crosswise: nothing is exchanged
    here, there = guangdong[10], sichuan[12]
    for year in YEARS:
        level = clean[B, here, year, GDP]
        for key, factor in (((B, there), 1.015), ((A, here), 1.015), ((A, there), 1.0)):
            panel[*key, year, GDP] = round(level * factor, 2)
            right.add((*key, year, GDP))
        right.add((B, here, year, GDP))
    return panel, wrong, right


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    panel, wrong, right = plant(fabricate())
    return build_graded(panel, tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("dbt_target")), wrong, right


@pytest.mark.parametrize("rule", ["level_run", "unit_factor"])
def test_a_province_a_run_and_a_new_indicator_are_guarded(planted, rule):
    graded, wrong, _ = planted
    cells = [key for key, word in wrong.items() if word == rule]
    found = [key for key in cells if graded[key][0] == "blocked"]
    assert len(found) >= 0.97 * len(cells), sorted(set(cells) - set(found))[:10]
    assert sum(graded[key][1] == rule for key in found) >= 0.9 * len(found)


def test_revisions_and_chance_likeness_stand(planted):
    graded, _, right = planted
    assert {key: graded[key] for key in right if graded[key][0] == "blocked"} == {}


def test_nothing_else_is_blocked(planted):
    graded, wrong, _ = planted
    others = {key: flag for key, flag in graded.items() if flag[0] == "blocked" and key not in wrong}
    assert len(others) <= 0.003 * len(graded), list(others.items())[:5]


def test_the_detail_of_a_run_says_which_years_and_proposes_the_usual_level(planted):
    graded, wrong, _ = planted
    key = next(key for key, rule in wrong.items() if rule == "level_run" and key[3] == GDP)
    assert "another level from 2010 to 2011 that returns" in graded[key][2]


def test_a_figure_of_another_source_between_two_that_agree_is_not_current(tmp_path):
    """105.7, 284.0 and 107.9 in three years, of three sources: the middle one is of another area."""
    panel = {key: value for key, value in fabricate_sources().items() if key[0] in (A, B) and key[3] == GDP}
    city = cities_of(440000)[4]
    for year in YEARS:
        del panel[A if year == 2010 else B, city, year, GDP]
        if year > 2010:
            panel["industry_structure", city, year, GDP] = panel.pop((A, city, year, GDP))
    panel[B, city, 2010, GDP] = round(panel[A, city, 2009, GDP] * 2.9, 2)
    graded = build_graded(panel, tmp_path, tmp_path / "dbt_target")
    assert graded[B, city, 2010, GDP][:2] == ("blocked", "stitched")
    assert "between the values of csmar_region and industry_structure" in graded[B, city, 2010, GDP][2]
