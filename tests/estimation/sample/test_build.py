"""The sample builder against counts known in advance, a literal loop over pairs, and the refusals
it owes; pair outcomes made from city series against a literal loop; rings around pilots, ties to
them, and other programmes, against hand-worked small maps.
"""

import statistics

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.spec import SAME_ROWS, SampleError, Spec
from estimation.sample.build import build_sample, hash_sample
from estimation.sample.exposure import add_exposure, add_pair_controls, excluded_cities
from estimation.sample.outcomes import build_synchronization
from tests.estimation.study.cities import synchronize
from tests.warehouse.reference import pair_measures

YEARS = range(2010, 2020)


def spec(variant: str = "headline", outcome: str = "cm_growth_official", **changes) -> Spec:
    return Spec(
        spec_id=f"baseline.{outcome}.{variant}", analysis="baseline", outcome=outcome, **changes
    )


def fabricate(
    n_cities: int,
    n_pilots: int,
    *,
    gaps: tuple[int, ...] = (),
    no_tie: tuple[int, ...] = (),
):
    """Marts of `n_cities` cities; the first `n_pilots` (in a shuffled order) are admitted; gaps and
    lacking ties by position.
    """
    rng = np.random.default_rng(5)
    ids = 110000 + 100 * np.arange(n_cities)
    pilots = rng.permutation(n_cities)[:n_pilots]
    treated = np.full(n_cities, np.nan)
    treated[pilots] = rng.choice([2015, 2016, 2018, 2019], n_pilots)
    cities = {
        "city_id": ids,
        "province_id": ids // 1000 * 1000,
        "treated_year_calendar_year": treated,
        "treated_year": treated + np.isin(treated, [2018, 2019]),
        "gdp_mean_cny_100m": 1.0,
    }
    left, right = np.triu_indices(n_cities, 1)
    tie = rng.lognormal(size=left.size)
    tie[np.isin(left, no_tie) | np.isin(right, no_tie)] = np.nan
    pairs = {"city_i_id": ids[left], "city_j_id": ids[right], "tie_strength": tie}
    growth = rng.normal(size=(n_cities, len(YEARS)))
    growth[list(gaps)] = np.nan
    rows = synchronize(ids, growth_official=growth)
    return pd.DataFrame(cities), pd.DataFrame(pairs), rows


def test_published_rule_gives_the_published_number_of_rows() -> None:
    """254 cities, 55 pilots: 55*199 + 199*198/2 = 30,646 pairs, half of them above the median, 10
    years (docs/methods, section 1).
    """
    published = spec("calendar_year", treatment_rule="calendar_year")
    found = build_sample(*fabricate(254, 55), published).counts
    wanted = {"n_cities": 254, "n_pilots": 55, "n_pairs_both": 1_485, "n_pairs_one": 10_945}
    wanted |= {"n_pairs_none": 19_701, "n_pairs": 15_323, "n_rows": 153_230}
    assert {name: found[name] for name in wanted} == wanted


def literal_pool(
    cities, pairs, measure: str, column: str = "treated_year"
) -> dict[tuple[int, int], tuple[float, list[int]]]:
    """Measure and years of admission of each pair with at most one pilot."""
    year = dict(zip(cities["city_id"], cities[column], strict=True))
    rows = pairs[["city_i_id", "city_j_id", measure]].itertuples(index=False)
    pool = {(i, j): (m, [year[c] for c in (i, j) if year[c] <= 2019]) for i, j, m in rows}
    return {pair: found for pair, found in pool.items() if len(found[1]) < 2}


COLUMNS = {
    "calendar_year": "treated_year_calendar_year",
    "second_half_next_year": "treated_year",
}


@pytest.mark.parametrize("n_cities", [13, 14, 15])
@pytest.mark.parametrize("rule", COLUMNS)
@pytest.mark.parametrize("tie_rule", ["strong", "all", "weak", "q75", "near", "partners_5"])
def test_sample_equals_a_literal_loop(tie_rule: str, rule: str, n_cities: int) -> None:
    """Pair by pair: exposure inside the window, `both` out before the median, strictly above it,
    cities with gaps or ties lacking out. Weak: at or below the median; q75: above the third
    quartile; near: below the median distance.
    """
    cities, pairs, sync = fabricate(n_cities, 5, gaps=(3,), no_tie=(5,))
    pairs["distance_km"] = np.random.default_rng(2).uniform(50, 2000, len(pairs))
    measure = "distance_km" if tie_rule == "near" else "tie_strength"
    out = {110300} if tie_rule in ("all", "near") else {110300, 110500}
    whole = literal_pool(cities, pairs, measure, COLUMNS[rule])
    pool = {pair: found for pair, found in whole.items() if not out & set(pair)}
    values = [tie for tie, _ in pool.values()]
    never = {city for pair, (_, years) in pool.items() if not years for city in pair}
    by_city = {
        c: sorted((tie for p, (tie, _) in pool.items() if c in p and never & (set(p) - {c})))
        for c in cities["city_id"]
    }
    strongest = {tie for ties in by_city.values() for tie in ties[-5:]}
    wanted = {
        "all": lambda _: True,
        "strong": lambda tie: tie > statistics.median(values),
        "weak": lambda tie: tie <= statistics.median(values),
        "q75": lambda tie: tie > np.quantile(values, 0.75),
        "near": lambda tie: tie < statistics.median(values),
        "partners_5": lambda tie: tie in strongest,
    }[tie_rule]
    expected = {pair: (*years, 0)[0] for pair, (tie, years) in pool.items() if wanted(tie)}
    sample = build_sample(
        cities,
        pairs.sample(frac=1, random_state=1),
        sync.sample(frac=1, random_state=2),
        spec("x", treatment_rule=rule, tie_rule=tie_rule),
    )
    panel, kept = sample.panel, sample.kept
    ends = (panel.city_ids[end[kept]].tolist() for end in (panel.city_i, panel.city_j))
    found = dict(zip(zip(*ends, strict=True), panel.cohort[kept], strict=True))
    assert found == expected
    if tie_rule in ("weak", "near"):
        assert sample.counts["tie_median"] == pytest.approx(statistics.median(values))
    rows = sync.set_index(["city_i_id", "city_j_id", "year"])["cm_growth_official"]
    for p, pair in list(zip(np.flatnonzero(kept), found, strict=True))[:5]:
        np.testing.assert_array_equal(panel.y[0, p], rows.loc[pair].loc[list(YEARS)])


def test_strata_are_province_by_tercile_and_short_exposure_is_counted() -> None:
    """Terciles over the sample's cities; a city without GDP stands with its like; second-half
    approvals are short in their first year.
    """
    cities, pairs, sync = fabricate(9, 3)
    gdp = [5.0, 1.0, 9.0, 2.0, np.nan, 3.0, 7.0, 8.0, np.nan]
    cities = cities.assign(province_id=[110000] * 5 + [120000] * 4, gdp_mean_cny_100m=gdp)
    cities["treated_year_calendar_year"] = [2018.0, 2016.0, *[np.nan] * 7]
    cities["treated_year"] = [2019.0, 2016.0, *[np.nan] * 7]
    sample = build_sample(
        cities,
        pairs,
        sync,
        spec(shuffle="province_gdp_tercile", tie_rule="all", treatment_rule="calendar_year"),
    )
    assert list(sample.strata) == [
        1100001,
        1100000,
        1100002,
        1100000,
        1100009,
        1200000,
        1200001,
        1200002,
        1200009,
    ]
    assert sample.counts["share_short_exposure"] == pytest.approx(7 / (7 * 2 + 7 * 4))
    assert build_sample(cities, pairs, sync, spec()).counts["share_short_exposure"] == 0
    assert build_sample(cities, pairs, sync, spec()).strata is None


def test_hash_depends_on_content_only() -> None:
    cities, pairs, sync = fabricate(12, 4)
    reference = hash_sample(build_sample(cities, pairs, sync, spec()), 0)
    shuffled = hash_sample(
        build_sample(cities[::-1], pairs[::-1], sync.sample(frac=1, random_state=4), spec()), 0
    )
    kept = build_sample(cities, pairs, sync, spec())
    p = np.flatnonzero(kept.kept)[0]
    i, j = kept.panel.city_ids[kept.panel.city_i[p]], kept.panel.city_ids[kept.panel.city_j[p]]
    at = sync.index[(sync["city_i_id"] == i) & (sync["city_j_id"] == j)][0]
    changed = sync.copy()
    changed.loc[at, "cm_growth_official"] += 1e-12
    assert shuffled == reference
    assert hash_sample(build_sample(cities, pairs, changed, spec()), 0) != reference


def test_controls_treated_soon_after_the_window_are_left_out() -> None:
    """Two years for `late_left_out`, every later one for `never_at_all`; the tie median is taken
    among those that stay.
    """
    cities, pairs, sync = fabricate(16, 4)
    never = cities.index[cities["treated_year"].isna()]
    for position, year in zip(never[:3], (2020, 2021, 2022), strict=True):
        cities.loc[position, ["treated_year", "treated_year_calendar_year"]] = year
    later = dict(zip(cities["city_id"], cities["treated_year"], strict=True))
    for group, last in (("never_in_window", 2019), ("late_left_out", 2021), ("never_at_all", 2099)):
        sample = build_sample(cities, pairs, sync, spec("x", control_group=group))
        out = {city for city, year in later.items() if 2019 < year <= last}
        assert set(sample.panel.city_ids.tolist()) == set(later) - out
        ties = [
            tie
            for pair, (tie, _) in literal_pool(cities, pairs, "tie_strength").items()
            if not out & set(pair)
        ]
        assert sample.counts["tie_median"] == pytest.approx(statistics.median(ties))


CITY_YEARS = range(2008, 2020)


def city_years(gaps: dict[int, int]) -> pd.DataFrame:
    """Four cities; `gaps` names a year without a value by city."""
    rng = np.random.default_rng(3)
    rows = [
        (city, year, np.nan if gaps.get(city) == year else growth, rng.uniform(0.1, 0.4))
        for city in (110000, 120000, 130100, 130200)
        for year in CITY_YEARS
        for growth in (rng.normal(8, 2),)
    ]
    columns = ["city_id", "year", "growth_official_pct", "development_index"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("measure", SAME_ROWS)
def test_measures_equal_a_literal_loop_on_another_window(measure: str) -> None:
    """The window is cut before anything is standardised; a city with a gap inside it is out, a gap
    before it does no harm.
    """
    frame = city_years({130100: 2015, 120000: 2008})
    found = build_synchronization(frame, (f"{measure}_growth_official",), (2010, 2018))
    by_city = (
        frame[frame["year"].between(2010, 2018)]
        .groupby("city_id")["growth_official_pct"]
        .apply(list)
    )
    assert len(found) == 3 * 9
    for row in found.itertuples(index=False):
        expected = pair_measures(by_city[row.city_i_id], by_city[row.city_j_id])[row.year - 2010]
        assert row[3] == pytest.approx(expected[measure], abs=1e-12)


def test_an_index_enters_as_its_change_and_the_first_year_cannot_exist() -> None:
    found = build_synchronization(city_years({}), ("neg_abs_gap_development_index",), (2008, 2019))
    assert list(found["year"].unique()) == list(range(2009, 2020))
    wide = (
        city_years({})
        .pivot(index="year", columns="city_id", values="development_index")
        .diff()
        .dropna()
        * 100
    )
    first = found[(found["city_i_id"] == 110000) & (found["city_j_id"] == 120000)]
    np.testing.assert_allclose(first.iloc[:, 3], -(wide[110000] - wide[120000]).abs())


@pytest.mark.parametrize(
    ("outcome", "window", "message"),
    [
        ("rolling_corr_growth_official", (2010, 2019), "study window only"),
        ("cm_growth_official", (1990, 1995), "without gaps from 1990 to 1995"),
    ],
)
def test_what_lacks_is_named(outcome: str, window: tuple[int, int], message: str) -> None:
    with pytest.raises(SampleError, match=message):
        build_synchronization(city_years({}), (outcome,), window)


# 1 and 2 are pilots of the window, 3 is admitted after it; distances in km along a line at these
# places
PLACES = {1: 0, 2: 400, 3: 60, 4: 130, 5: 305, 6: 900}
TREATED = {1: 2016, 2: 2019, 3: 2022}
TIES = {(4, 1): 5.0, (4, 2): 7.0, (5, 2): 6.0, (6, 1): 1.0, (3, 1): 2.0}


@pytest.fixture
def cities():
    treated = pd.array([TREATED.get(c) for c in PLACES], dtype="Int64")
    return pd.DataFrame(
        {
            "city_id": list(PLACES),
            "province_id": [10, 20, 10, 10, 20, 30],
            "gdp_mean_cny_100m": 1.0,
            "treated_year": treated,
            "treated_year_calendar_year": treated,
            "policy_year_low_carbon": pd.array([2011, None, 2017, None, 2020, None], dtype="Int64"),
        }
    )


@pytest.fixture
def pairs():
    rows = [
        (i, j, float(abs(PLACES[i] - PLACES[j])), TIES.get((j, i), TIES.get((i, j))))
        for i in PLACES
        for j in PLACES
        if i < j
    ]
    return pd.DataFrame(rows, columns=["city_i_id", "city_j_id", "distance_km", "tie_strength"])


def years(frame, column):
    return {
        c: None if pd.isna(y) else int(y)
        for c, y in zip(frame["city_id"], frame[column], strict=True)
    }


def test_rings_are_dated_by_the_pilots_inside(cities, pairs):
    marked = add_exposure(cities, pairs, 2019)
    nobody = dict.fromkeys(PLACES)
    # city 3, 60 km from pilot 1, is no pilot of the window; city 5 has pilot 2 at 95 km; city 6 is
    # far from both
    assert years(marked, "treated_year_near_pilot_100") == nobody | {3: 2016, 5: 2019}
    assert years(marked, "treated_year_near_pilot_200") == nobody | {4: 2016}
    assert years(marked, "treated_year_near_pilot_300") == nobody
    pd.testing.assert_series_equal(
        marked["treated_year_near_pilot_100"],
        marked["treated_year_near_pilot_100_calendar_year"],
        check_names=False,
    )
    # strongest ties of 3, 4, 5, 6: 2, 7, 6, 1; the median is 4; that of city 4 is with pilot 2
    assert years(marked, "treated_year_tied_to_pilot") == nobody | {4: 2019, 5: 2019}
    # without city 6 the median is the tie of city 5, which does not lie above it
    fewer = add_exposure(
        cities[:5], pairs[(pairs[["city_i_id", "city_j_id"]] < 6).all(axis=1)], 2019
    )
    assert years(fewer, "treated_year_tied_to_pilot") == dict.fromkeys(range(1, 6)) | {4: 2019}


def test_no_pilot_or_no_tie_marks_nobody(cities, pairs):
    marked = add_exposure(cities, pairs.assign(tie_strength=np.nan), 2019)
    assert marked["treated_year_tied_to_pilot"].isna().all()
    marked = add_exposure(cities, pairs, 2010)
    assert marked.filter(like="_pilot").isna().all(axis=None)
    assert add_exposure(cities, pairs.iloc[:0], 0).filter(like="_pilot").isna().all(axis=None)


def test_controls_count_the_covered_cities_of_a_pair(cities):
    frame = pd.DataFrame(
        {
            "city_i_id": [1, 1, 1, 4, 3],
            "city_j_id": [3, 3, 4, 6, 5],
            "year": [2010, 2018, 2018, 2018, 2021],
        }
    )
    made = add_pair_controls(frame, cities, ("policy_low_carbon", "policy_free_trade_zone", "gap"))
    assert made["policy_low_carbon"].tolist() == [0, 2, 1, 0, 2]
    assert list(made.columns) == ["city_i_id", "city_j_id", "year", "policy_low_carbon"]
    assert add_pair_controls(frame, cities, ("gap",)) is frame


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("pilots", {1, 2}),
        ("cohort_2019", {2}),
        ("province_20", {2, 5}),
        ("policy_low_carbon", {1, 3}),
        ("near_pilot_100", {3, 5}),
        ("tied_to_pilot", {4, 5}),
    ],
)
def test_groups_that_a_spec_leaves_out(cities, pairs, group, expected):
    marked = add_exposure(cities, pairs, 2019)
    assert set(marked["city_id"][excluded_cities(marked, group, 2019)]) == expected


def test_an_excluded_group_leaves_the_sample_and_an_unknown_one_is_named(cities, pairs):
    keys = pairs[["city_i_id", "city_j_id"]].merge(
        pd.DataFrame({"year": [2015, 2016, 2017]}), "cross"
    )
    since = keys["year"] - 2015
    rows = keys.assign(y=0.1 * keys["city_i_id"] + 0.01 * keys["city_j_id"] * since)

    def sample_of(of_cities, **changes):
        spec = Spec("a.y.b", "a", "y", tie_rule="all", **changes)
        return build_sample(of_cities, pairs, rows, spec).panel

    assert sample_of(cities, excluded=("province_20",)).city_ids.tolist() == [1, 3, 4, 6]
    marked = add_exposure(cities, pairs, 2017)
    panel = sample_of(marked, treatment_rule="near_pilot_100", excluded=("pilots",))
    assert panel.city_ids[panel.city_cohort > 0].tolist() == [3]
    with pytest.raises(SampleError, match="policy_year_free_trade_zone"):
        sample_of(cities, excluded=("policy_free_trade_zone",))
