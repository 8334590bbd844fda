"""Rings around pilots, ties to them, and other programmes, against hand-worked small maps."""

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.spec import SampleError, Spec
from estimation.sample.build import build_sample
from estimation.sample.exposure import add_exposure, add_pair_controls, excluded_cities

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
