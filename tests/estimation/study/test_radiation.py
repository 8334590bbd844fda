"""Radiation or siphon on a small map, and whether the cycle of a pilot leads its partners': what is
planted is found, against loops, and what lacks says so.
"""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from estimation.analyses import radiation
from estimation.analyses.radiation import LEAD_SPECS
from estimation.analyses.rules import TIE_RULES
from estimation.measures.cycle_lead import lead_scores
from estimation.primary.exposure import Admitted, Ring, fit_exposure
from estimation.primary.within_block import fit_within_block
from estimation.sample.marts import Marts
from estimation.sample.ties import partners_elsewhere
from estimation.study.claims import build_claims
from estimation.study.multiplicity import correct_within_families
from estimation.study.radiation import run_radiation
from estimation.study.run import run_study
from estimation.study.tables import COLUMNS, ESTIMATE_COLUMNS, typed
from tests.estimation.study.cities import city_marts

SEED = Path(__file__).resolve().parents[3] / "warehouse" / "seeds" / "study_claims.csv"
YEARS = np.arange(2010, 2020)
PROVINCES, CITIES_EACH = 8, 12
GAIN = 3.0
# Each province: one pilot, its cities on a line; a ring ends at 100, 200 and 300 km.
PLACE = np.array([0, 40, 60, 80, 120, 150, 180, 220, 260, 290, 340, 400])
GROWTH = [
    dataclasses.replace(spec, permutations=199)
    for spec in radiation.SPECS
    if spec.outcome == "growth_official"
]


def numbered(n_provinces: int, n_cities: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids of cities, their province's number, and theirs within it."""
    province, city = np.divmod(np.arange(n_provinces * n_cities), n_cities)
    return 100000 * (1 + province) + 100 * city, province, city


def economy(trend: float = 0.0, gain: float = GAIN) -> Marts:
    """Cities within 100 km of the pilot gain `gain` points of growth from its admission; `trend` is
    theirs in every year.
    """
    rng = np.random.default_rng(7)
    ids, province, position = numbered(PROVINCES, CITIES_EACH)
    place = PLACE[position] + 5000.0 * province
    admitted = np.where(position == 0, 2015 + province % 3, 0)
    left, right = np.triu_indices(ids.size, 1)
    apart = np.abs(place[left] - place[right])
    near = (position > 0) & (PLACE[position] <= 100)
    first = np.repeat(admitted[admitted > 0], CITIES_EACH)
    growth = rng.normal(size=(ids.size, YEARS.size)) + rng.normal(size=YEARS.size)
    growth += near[:, None] * (gain * (first[:, None] <= YEARS) + trend * (YEARS - 2010))
    ties = {"distance_km": apart, "tie_strength": 1 / apart**2}
    return city_marts(ids, admitted, growth, YEARS, **ties)


@pytest.fixture(scope="module")
def marts() -> Marts:
    return economy()


@pytest.fixture(scope="module")
def rows(marts) -> dict:
    return run_radiation(marts, GROWTH)


def by_variant(rows: list[dict]) -> dict[str, dict]:
    return {row["spec_id"].rsplit(".", 1)[1]: row for row in rows}


def test_the_gain_of_the_near_ring_is_found_and_no_other(rows):
    found = by_variant(rows["estimate"])
    near = found["near_pilot_100"]
    assert near["estimate"] == pytest.approx(GAIN, abs=0.6) and near["p_value"] < 0.05
    assert near["ci_low"] < GAIN < near["ci_high"] and near["ci_low"] > 0
    assert near["n_pilots"] == 3 * PROVINCES and near["n_cities"] == (CITIES_EACH - 1) * PROVINCES
    assert found["near_pilot_200"]["p_value"] > 0.05 and found["near_pilot_300"]["p_value"] > 0.05
    # the nearer rings are left out of the comparison of a farther one
    assert found["near_pilot_200"]["n_cities"] == near["n_cities"] - near["n_pilots"]
    assert found["own_admission"]["term"] == "treated" and near["term"] == "exposed"


def test_a_row_is_the_estimate_of_its_cities(marts, rows):
    wide = marts.city_years.pivot(index="city_id", columns="year", values="growth_official_pct")
    cities, pairs = marts.cities.set_index("city_id"), marts.pairs
    cohort = cities["treated_year"].fillna(0).to_numpy(dtype=int)
    place = cities.index.to_numpy().searchsorted(pairs[["city_i_id", "city_j_id"]].to_numpy())
    apart = np.full((len(cities), len(cities)), np.nan)
    apart[place[:, 0], place[:, 1]] = apart[place[:, 1], place[:, 0]] = pairs["distance_km"]
    block, own = cities["province_id"].to_numpy(), np.arange(len(cities))
    settings = {"permutations": 199, "seed": 1}
    given = (wide.to_numpy(), YEARS)
    for variant, alone in {
        "near_pilot_100": fit_exposure(
            *given, Admitted(cohort, block, own), Ring(apart, 0, 100), **settings
        )[0],
        "own_admission": fit_within_block(*given, cohort, block, **settings),
    }.items():
        row = by_variant(rows["estimate"])[variant]
        numbers = ("estimate", "p_value", "ci_low")
        assert [row[name] for name in numbers] == [getattr(alone, name) for name in numbers]
        error = {
            d["diagnostic"]: d["value"]
            for d in rows["diagnostic"]
            if d["spec_id"] == row["spec_id"]
        }
        assert error["within_block_error"] == alone.std_error
        assert error["minimum_detectable_effect"] > 2.8 * alone.std_error


def test_a_trend_of_earlier_years_is_warned_of(rows):
    assert not [row for row in rows["warning"] if "near_pilot_100" in row["spec_id"]]
    drifting = run_radiation(economy(trend=1.5), GROWTH[:1])
    assert (
        "already before" in drifting["warning"][0]["warning"]
        and "may be an earlier trend" in drifting["warning"][0]["warning"]
    )


@pytest.mark.parametrize("gain", [GAIN, -GAIN])
def test_a_claim_of_radiation_is_found_only_in_its_direction(gain):
    """And the study's net effect lends it no badge."""
    claims = pd.read_csv(SEED).query("term == 'exposed'")
    rows = run_radiation(economy(gain=gain), GROWTH)
    tables = SimpleNamespace(
        estimate=correct_within_families(typed(rows["estimate"], ESTIMATE_COLUMNS)),
        diagnostic=typed(rows["diagnostic"], COLUMNS["diagnostic"]),
        not_run=typed(rows["not_run"], COLUMNS["not_run"]),
    )
    found = build_claims(claims, tables)
    assert found["claim_id"].tolist() == ["radiation_neighbours", "radiation_partners"]
    assert (found["estimate"] * gain > 0).all() and (found["p_value"] < 0.05).all()
    assert ((found["verdict"] == "found") == (gain > 0)).all()
    assert (found["verdict_study_form"] == "study_gives_none").all()
    assert found["estimate_study_form"].isna().all()


def test_what_lacks_is_a_row_of_not_run_in_the_studys_words(marts):
    other = [spec for spec in radiation.LEVEL_SPECS if spec.outcome != "growth_official"]
    found = run_radiation(marts, other)
    assert not found["estimate"] and len(found["not_run"]) == len(other)
    assert all(row["reason"].startswith("needs ") for row in found["not_run"])
    two = dataclasses.replace(marts, cities=marts.cities[marts.cities["province_id"] <= 200000])
    series = two.city_years[two.city_years["city_id"].isin(two.cities["city_id"])]
    (row,) = run_radiation(dataclasses.replace(two, city_years=series), GROWTH[:1])["not_run"]
    said = "2 provinces hold both exposed cities and unexposed cities, at least 3 are needed."
    assert row["reason"] == f"No verdict: {said}"
    untied = dataclasses.replace(marts, pairs=marts.pairs.drop(columns="tie_strength"))
    (row,) = run_radiation(untied, [LEADS["strong"]])["not_run"]
    assert (row["analysis"], row["spec_id"]) == ("radiation", LEADS["strong"].spec_id)
    assert "needs population_resident_10k" in row["reason"]


def test_the_study_takes_its_rows_into_its_tables(marts):
    result = run_study(marts, radiation.LEVEL_SPECS, permutations=19)
    assert len(result.estimate) == len(GROWTH)
    assert len(result.estimate) + len(result.not_run) == len(radiation.LEVEL_SPECS)
    assert result.estimate["std_error"].isna().all() and result.estimate["is_default"].all()
    assert set(result.diagnostic["spec_id"]) == set(result.estimate["spec_id"])


LEAD_PROVINCES, LEAD_CITIES = 10, 8
LEADS = {
    spec.variant: dataclasses.replace(spec, permutations=199)
    for spec in LEAD_SPECS
    if spec.outcome == "lead_growth_official"
}


def leading_economy(lead: float) -> Marts:
    """Two pilots a province, whose growth takes up `lead` times next year's national cycle from
    admission on, last year's if negative.
    """
    rng = np.random.default_rng(5)
    ids, _, city = numbered(LEAD_PROVINCES, LEAD_CITIES)
    admitted = np.where(city < 2, 2014 + city % 2, 0)
    national = rng.normal(size=YEARS.size + 2)
    growth = national[1:-1] + rng.normal(size=(ids.size, YEARS.size))
    other = national[2:] if lead > 0 else national[:-2]
    growth += abs(lead) * ((admitted[:, None] > 0) & (admitted[:, None] <= YEARS)) * other
    n_pairs = ids.size * (ids.size - 1) // 2
    return city_marts(ids, admitted, growth, YEARS, tie_strength=rng.lognormal(size=n_pairs))


def test_scores_are_the_literal_loop():
    rng = np.random.default_rng(1)
    z, partners = rng.normal(size=(6, 5)), rng.random((6, 6)) < 0.5
    partners[3] = False
    found = lead_scores(z, partners)
    for i in range(6):
        mean = z[partners[i]].mean(axis=0) if partners[i].any() else np.full(5, np.nan)
        expected = [z[i, t - 1] * mean[t] - z[i, t] * mean[t - 1] for t in range(1, 5)]
        np.testing.assert_allclose(found[i], expected, atol=1e-12)


@pytest.mark.parametrize("tie_rule", ["all", "strong", "partners_10"])
def test_partners_are_never_pilots_of_other_provinces(tie_rule):
    marts = leading_economy(0.0)
    members = marts.cities.assign(cohort=marts.cities["treated_year"].fillna(0).astype(int))
    found = partners_elsewhere(members, marts.pairs, TIE_RULES[tie_rule])
    ids, tie = members["city_id"].to_numpy(), {}
    for i, j, value in marts.pairs.itertuples(index=False):
        tie[i, j] = tie[j, i] = value
    median = marts.pairs["tie_strength"].median()
    for row in range(0, len(ids), 7):
        allowed = [
            c
            for c, other in members.iterrows()
            if other["cohort"] == 0 and other["province_id"] != members["province_id"][row]
        ]
        if tie_rule == "strong":
            allowed = [c for c in allowed if tie[ids[row], ids[c]] > median]
        if tie_rule == "partners_10":
            allowed = sorted(allowed, key=lambda c: -tie[ids[row], ids[c]])[:10]
        assert np.flatnonzero(found[row]).tolist() == sorted(allowed)


def test_a_planted_lead_is_found_with_its_sign_and_none_where_there_is_none():
    specs = [LEADS["all"], LEADS["strong"], LEADS["partners_10"]]
    found = {lead: run_radiation(leading_economy(lead), specs) for lead in (1.5, -1.5, 0.0)}
    for lead, rows in found.items():
        assert [row["spec_id"] for row in rows["estimate"]] == [spec.spec_id for spec in specs]
        for row in rows["estimate"]:
            assert (row["term"], row["n_pilots"]) == ("treated", 20)
            assert (row["estimator"], row["vcov"]) == ("within_block", "permutation")
            assert (row["p_value"] < 0.05) == (lead != 0)
            assert lead == 0 or np.sign(row["estimate"]) == np.sign(lead)
            assert row["ci_low"] < row["estimate"] < row["ci_high"]
    names = {row["diagnostic"] for row in found[0.0]["diagnostic"]}
    assert {"minimum_detectable_effect", "within_block_error", "placebo_before_p"} <= names


@pytest.mark.parametrize(("date", "n_pilots"), [(2019, 10), (2018, 20)])
def test_cities_admitted_in_the_last_year_are_left_out(date: int, n_pilots: int):
    """They have no treated year that another follows."""
    marts = leading_economy(0.0)
    late = marts.cities["treated_year"].replace(2015, date)
    changed = dataclasses.replace(
        marts, cities=marts.cities.assign(treated_year=late, treated_year_calendar_year=late)
    )
    (row,) = run_radiation(changed, [LEADS["all"]])["estimate"]
    assert (row["n_pilots"], row["n_cities"]) == (n_pilots, 60 + n_pilots)
    assert row["n_obs"] == (60 + n_pilots) * 9 and row["n_pairs"] == 0
