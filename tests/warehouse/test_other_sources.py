"""Sources against sources: copies that repeat errors, families that disagree, sources that are
wrong everywhere, shifted codes. Adding any of them lifts no right block and blocks nothing that is
right, and what is wrong in them is not believed. A province in another quantity outvotes nobody."""

import duckdb
import numpy as np
import pytest

from tests.warehouse.fabricate import cities_of
from tests.warehouse.test_detectors import GDP, POPULATION, YEARS, blocked, build_graded

TEACHERS, STUDENTS = "teachers_college_10k", "students_college_10k"
SOURCES = ("csmar_region", "deflator", "finance_loans", "nbs_major_cities")
WRONG = SOURCES[0]
PROVINCES = (130000, 440000, 510000)
# Factors of planted errors; each leaves the trend by more than any revision does.
FACTORS = (0.55, 1.6, 2.0)


def fabricate_sources() -> dict[tuple, float]:
    """Product of the cities of three provinces in four independent sources, population in two;
    keyed by (source, city, year, indicator).
    """
    rng = np.random.default_rng(11)
    panel = {}
    for province in PROVINCES:
        common = rng.normal(0.11, 0.03, len(YEARS))
        for city in cities_of(province):
            per_head = rng.uniform(2, 6)
            people = rng.uniform(80, 900) * np.exp(np.cumsum(rng.normal(0.004, 0.002, len(YEARS))))
            product = (
                people[0] * per_head * np.exp(np.cumsum(common + rng.normal(0, 0.015, len(YEARS))))
            )
            for year, g, p in zip(YEARS, product, people, strict=True):
                for source in SOURCES:
                    panel[source, city, year, GDP] = round(
                        float(g * (1 + rng.normal(0, 0.0006))), 2
                    )
                for source in ("deflator", "resident_population"):
                    panel[source, city, year, POPULATION] = round(
                        float(p * (1 + rng.normal(0, 0.0006))), 2
                    )
    return panel


def plant_errors(panel: dict[tuple, float]) -> dict[tuple, float]:
    """Forty wrong values of one source, far apart."""
    cities = cities_of(*PROVINCES)
    errors = {}
    for nth in range(40):
        key = (WRONG, cities[nth % len(cities)], 2005 + (5 * nth) % 12, GDP)
        errors[key] = round(panel[key] * FACTORS[nth % 3], 2)
    return errors


def of_source(
    panel: dict[tuple, float], source: str, new: str, indicator: str = GDP
) -> dict[tuple, float]:
    """What a source holds, under another name."""
    return {
        (new, city, year, i): value
        for (s, city, year, i), value in panel.items()
        if s == source and i == indicator
    }


def partial_copy(panel, errors):
    """Right figures of its own, and every second error of the old source to the last digit."""
    rng = np.random.default_rng(5)
    own = {
        key: round(value * (1 + rng.normal(0, 0.0006)), 2)
        for key, value in of_source(panel, "finance_loans", "a_copy").items()
    }
    return own | {("a_copy", *key[1:]): value for key, value in list(errors.items())[::2]}


def two_families(panel, errors):
    """Two copies of the source with errors, two of a right one."""
    wrong = of_source(panel | errors, WRONG, "a_copy") | of_source(panel | errors, WRONG, "b_copy")
    return wrong | of_source(panel, "deflator", "c_copy") | of_source(panel, "deflator", "d_copy")


def noise(panel, errors):
    """A source that is wrong everywhere, each value by itself."""
    rng = np.random.default_rng(6)
    return {
        key: round(value * float(np.exp(rng.normal(0, 0.5))), 2)
        for key, value in of_source(panel, WRONG, "a_noise").items()
    }


def threefold(panel, errors):
    """A source that is wrong everywhere by the same factor."""
    return {
        key: round(value * 3, 2) for key, value in of_source(panel, WRONG, "a_threefold").items()
    }


def other_boundaries(panel, errors):
    """The city proper for a fifth of the cities in all years, and another fifth with a neighbour's
    county from 2014 on.
    """
    cities = cities_of(*PROVINCES)
    inner, larger = set(cities[::5]), set(cities[1::5])
    return {
        key: round(
            value
            * (0.55 if key[1] in inner else 1.3 if key[1] in larger and key[2] >= 2014 else 1),
            2,
        )
        for key, value in of_source(panel, "deflator", "a_boundaries").items()
    }


def under_the_next_code(panel):
    """Every city has the product of the next one."""
    cities = cities_of(*PROVINCES)
    following = dict(zip(cities, cities[1:] + cities[:1], strict=True))
    return {
        ("a_shifted", city, year, GDP): panel["finance_loans", following[city], year, GDP]
        for city in cities
        for year in YEARS
    }


def shifted_codes(panel, errors):
    """Every code one row off, but for two years of each city: a right value among wrong ones leaves
    the trend, and is no copied error.
    """
    cities = cities_of(*PROVINCES)
    right = {(city, 2005 + (nth + 6 * k) % 12) for nth, city in enumerate(cities) for k in range(2)}
    return {
        key: panel["finance_loans", *key[1:]] if key[1:3] in right else value
        for key, value in under_the_next_code(panel).items()
    }


def together(*attacks):
    """Several added sources at once."""
    return lambda panel, errors: {
        key: value for attack in attacks for key, value in attack(panel, errors).items()
    }


# Copies are added by themselves; what is wrong in other ways comes together, which is harder than
# one by one.
ADDED = {
    "partial copy": partial_copy,
    "two families": two_families,
    "wrong everywhere": together(noise, threefold, other_boundaries),
    "shifted codes": shifted_codes,
}
RARE = ("two families", "shifted codes")


@pytest.fixture(scope="module")
def delivered():
    panel = fabricate_sources()
    return panel, plant_errors(panel)


def further_than(added, panel, log_points: float) -> set[tuple]:
    """Added values that lie further than that from what the right sources have."""
    return {
        key
        for key, value in added.items()
        if abs(np.log(value / panel["finance_loans", *key[1:]])) > log_points
    }


def test_the_planted_errors_are_blocked_and_nothing_else(delivered, dbt_target, tmp_path):
    panel, errors = delivered
    assert blocked(build_graded(panel | errors, tmp_path, dbt_target)) == set(errors)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.full if n in RARE else ()) for n in ADDED]
)
def test_an_added_source_lifts_no_block_and_blocks_nothing_that_is_right(
    delivered, dbt_target, tmp_path, name
):
    """What it has wrong beyond vintages is not believed, what it has right is kept."""
    panel, errors = delivered
    added = ADDED[name](panel, errors)
    graded = build_graded(panel | errors | added, tmp_path, dbt_target)
    assert blocked(graded) & set(panel) == set(errors)
    wrong = further_than(added, panel, 0.85) or {
        key for key in added if (WRONG, *key[1:]) in errors
    } & further_than(added, panel, 0.4)
    assert wrong and len(wrong & blocked(graded)) >= 0.95 * len(wrong)
    far = further_than(added, panel, 0.02)
    if name == "partial copy":
        assert not blocked(graded) & (set(added) - far)
    if name == "shifted codes":
        assert len(far & blocked(graded)) >= 0.95 * len(far)
        assert sum(graded[key][1] == "row_shift" for key in far) >= 0.9 * len(far)


def test_cells_that_nobody_else_has_are_blocked_with_their_row(delivered, dbt_target, tmp_path):
    """Product stands under the next city's code, and so do the teachers in its file; the students
    of another file do not.
    """
    panel, _ = delivered
    rng = np.random.default_rng(13)
    cities, added = cities_of(*PROVINCES), under_the_next_code(panel)
    for city in cities:
        for indicator in (TEACHERS, STUDENTS):
            level = rng.uniform(0.5, 5)
            added |= {
                ("a_shifted", city, year, indicator): round(level * 1.04 ** (year - YEARS[0]), 4)
                for year in YEARS
            }
    graded = build_graded(
        panel | added,
        tmp_path,
        dbt_target,
        lambda indicator: "rows.csv" if indicator in (GDP, TEACHERS) else f"{indicator}.csv",
    )
    # the last city stands under the first one's code, further than codes are shifted
    beside = [key for key in added if key[3] == TEACHERS and key[1] != cities[-1]]
    assert all(graded[key][:2] == ("blocked", "row_shift") for key in beside)
    assert not [key for key in blocked(graded) if key[3] == STUDENTS or key in panel]


@pytest.mark.full
@pytest.mark.parametrize("has_others", [True, False])
def test_a_shifted_copy_of_a_source_of_another_vintage_blocks_nothing_of_it(
    delivered, dbt_target, tmp_path, has_others
):
    """The others agree with each other and with neither side of the shift, or are not there: they
    do not tell which is shifted, sizes do. Three cities are rich beyond all others, which alone
    makes none the wrong place."""
    panel, _ = delivered
    rng = np.random.default_rng(8)
    cities = cities_of(*PROVINCES)
    revised = {city: 1 + rng.uniform(0.03, 0.06) for city in cities}
    rich = set(cities[5::20])
    apart = {}
    for key, value in panel.items():
        factor = (
            1.0
            if key[3] != GDP
            else (1.0 if key[0] == "finance_loans" else revised[key[1]])
            * (8 if key[1] in rich else 1)
        )
        if has_others or key[3] != GDP or key[0] == "finance_loans":
            apart[key] = round(value * factor, 2)
    added = shifted_codes(apart, {})
    graded = build_graded(apart | added, tmp_path / "apart", dbt_target)
    # the last city stands under the first one's code, not under a neighbour's
    assert {key for key in blocked(graded) & set(apart) if key[1] != cities[-1]} == set()
    far = further_than(added, apart, 0.1)
    assert len(far & blocked(graded)) >= 0.95 * len(far)


@pytest.mark.full
def test_a_copy_in_another_unit_confirms_nothing(delivered, dbt_target, tmp_path):
    """A source alone, then beside every figure of it three times: the same errors, which leave the
    trend alike, are no second word.
    """
    panel, errors = delivered
    alone = of_source(panel | errors, WRONG, WRONG)
    thrice = {("a_threefold", *key[1:]): round(value * 3, 2) for key, value in alone.items()}
    found = blocked(build_graded(alone, tmp_path / "alone", dbt_target)) & set(errors)
    assert len(found) >= 0.9 * len(errors)
    assert found - blocked(build_graded(alone | thrice, tmp_path / "beside", dbt_target)) == set()


@pytest.mark.full
def test_a_copy_of_a_province_in_another_quantity_outvotes_nobody(delivered, dbt_target, tmp_path):
    """Where a run of years begins its own trend is lost: neither the source nor its copy denies
    anything, and they are one voice still.
    """
    panel, _ = delivered
    two = {
        key: value
        for key, value in panel.items()
        if key[0] in (WRONG, "deflator") and key[3] == GDP
    }
    hebei = {
        (WRONG, city, year, GDP): round(panel[WRONG, city, year, GDP] * 0.34, 2)
        for city in cities_of(130000)
        for year in (2010, 2011)
    }
    graded = build_graded(
        two | hebei | of_source(two | hebei, WRONG, "a_copy"), tmp_path / "province", dbt_target
    )
    assert len(set(hebei) & blocked(graded)) >= 0.8 * len(hebei)
    assert {key for key in blocked(graded) if key[0] == "deflator"} == set()


A, DEFLATED, LENDER = SOURCES[:3]


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
