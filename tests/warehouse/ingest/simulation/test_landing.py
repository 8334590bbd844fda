"""The simulated landing: its cities, what the effect touches, and bytes that repeat."""

from __future__ import annotations

import filecmp
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warehouse.ingest.simulation.cities import choose_cities, first_treated_years
from warehouse.ingest.simulation.economy import NO_EFFECT
from warehouse.ingest.simulation.landing import write_simulated_landing


@pytest.mark.parametrize(
    (
        "city_id",
        "year",
        # December 2019 counts from 2020; Yiwu does not treat Jinhua, admitted in January 2022;
        # Beijing July 2018; Baoding came in 2025, Xingtai never
    ),
    [
        (330100, 2015),
        (310000, 2016),
        (110000, 2019),
        (320300, 2020),
        (330700, 2022),
        (441900, 2019),
        (222400, 0),
        (130600, 2025),
        (130500, 0),
    ],
)
def test_a_city_is_first_treated_by_the_rule_of_the_second_half(seeds, city_id, year):
    assert first_treated_years(np.array([city_id]), seeds[1]).tolist() == [year]


@pytest.mark.parametrize("n_cities", [40, 120])
def test_small_choice_keeps_pilots_and_provinces(seeds, n_cities):
    cities = choose_cities(*seeds, n_cities, 2003, 2023)
    treated = first_treated_years(cities.city_id.to_numpy(), seeds[1])
    assert len(cities) == n_cities == cities.city_id.nunique()
    assert cities.province_id.nunique() >= 20
    assert ((treated > 0) & (treated <= 2019)).sum() >= 12
    with pytest.raises(ValueError, match="n_cities must lie between 2 and"):
        choose_cities(*seeds, 1000, 2003, 2023)


@pytest.fixture(scope="module")
def landings(seeds, tmp_path_factory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("simulated")
    for name, effect in (("a", None), ("b", None), ("none", NO_EFFECT)):
        write_simulated_landing(
            folder / name, roster=seeds[0], pilot_zones=seeds[1], n_cities=30, effect=effect
        )
    return folder / "a", folder / "b", folder / "none"


def relative_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_same_seed_same_bytes_and_no_effect_no_difference(landings):
    first, second, none = landings
    names = relative_files(first)
    assert len([name for name in names if "policy_texts" not in name]) == 9
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    inside = relative_files(none / "with_effect")
    assert filecmp.cmpfiles(
        none / "with_effect", none / "without_effect", inside, shallow=False
    ) == (inside, [], [])


def test_what_answers_to_admission_is_what_the_docs_say(seeds, landings):
    tidy = [
        pd.read_csv(landings[0] / name / "tidy" / "observations_simulated.csv")
        for name in ("with_effect", "without_effect")
    ]
    keys = ["city_id", "year", "indicator_id"]
    both = tidy[0].merge(tidy[1], on=keys, suffixes=("", "_without"), validate="one_to_one")
    assert len(both) == len(tidy[0]) == len(tidy[1])
    first = first_treated_years(both.city_id.to_numpy(), seeds[1])
    admitted, differs = (first > 0) & (both.year >= first), both.value != both.value_without
    assert not (differs & ~admitted).any()
    assert set(both[differs].indicator_id) == {
        "fixed_investment_cny_100m",
        "patents_granted",
        "firms_new",
        "night_lights_nw_cm2_sr",
    }
    for indicator, rise in (("patents_granted", 0.2), ("firms_new", 0.15)):
        rows = both[admitted & (both.indicator_id == indicator)]
        assert np.log(rows.value / rows.value_without).median() == pytest.approx(rise, abs=0.01)
