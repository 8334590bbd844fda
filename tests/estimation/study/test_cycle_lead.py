"""Does the cycle of a pilot lead its partners': against loops, and found on a small economy where
it does.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from estimation.analyses.radiation import LEAD_SPECS
from estimation.analyses.rules import TIE_RULES
from estimation.measures.cycle_lead import lead_scores
from estimation.sample.marts import Marts
from estimation.sample.partners_elsewhere import partners_elsewhere
from estimation.study.radiation import run_radiation
from tests.estimation.study.cities import city_marts

YEARS = np.arange(2010, 2020)
PROVINCES, CITIES_EACH = 10, 8
SPECS = {
    spec.variant: dataclasses.replace(spec, permutations=199)
    for spec in LEAD_SPECS
    if spec.outcome == "lead_growth_official"
}


def economy(lead: float, seed: int = 5) -> Marts:
    """Two pilots a province, whose growth takes up `lead` times next year's national cycle from
    admission on, last year's if negative.
    """
    rng = np.random.default_rng(seed)
    number = np.arange(PROVINCES * CITIES_EACH)
    ids = 100000 * (1 + number // CITIES_EACH) + 100 * (number % CITIES_EACH)
    admitted = np.where(number % CITIES_EACH < 2, 2014 + number % 2, 0)
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
        for t in range(1, 5):
            mine = [z[j] for j in range(6) if partners[i, j]]
            if not mine:
                assert np.isnan(found[i, t - 1])
                continue
            mean = sum(mine) / len(mine)
            assert found[i, t - 1] == pytest.approx(
                z[i, t - 1] * mean[t] - z[i, t] * mean[t - 1], abs=1e-12
            )


@pytest.mark.parametrize("tie_rule", ["all", "strong", "partners_10"])
def test_partners_are_never_pilots_of_other_provinces(tie_rule):
    marts = economy(0.0)
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
    specs = [SPECS["all"], SPECS["strong"], SPECS["partners_10"]]
    found = {lead: run_radiation(economy(lead), specs) for lead in (1.5, -1.5, 0.0)}
    for lead, rows in found.items():
        assert [row["spec_id"] for row in rows["estimate"]] == [spec.spec_id for spec in specs]
        for row in rows["estimate"]:
            assert (row["term"], row["estimator"], row["n_pilots"], row["vcov"]) == (
                "treated",
                "within_block",
                20,
                "permutation",
            )
            assert (row["p_value"] < 0.05) == (lead != 0)
            assert lead == 0 or np.sign(row["estimate"]) == np.sign(lead)
            assert row["ci_low"] < row["estimate"] < row["ci_high"]
    names = {row["diagnostic"] for row in found[0.0]["diagnostic"]}
    assert {"minimum_detectable_effect", "within_block_error", "placebo_before_p"} <= names


@pytest.mark.parametrize(("date", "n_pilots"), [(2019, 10), (2018, 20)])
def test_cities_admitted_in_the_last_year_are_left_out(date: int, n_pilots: int):
    """They have no treated year that another follows."""
    marts = economy(0.0)
    late = marts.cities["treated_year"].replace(2015, date)
    changed = dataclasses.replace(
        marts, cities=marts.cities.assign(treated_year=late, treated_year_calendar_year=late)
    )
    (row,) = run_radiation(changed, [SPECS["all"]])["estimate"]
    assert (row["n_pilots"], row["n_cities"]) == (n_pilots, 60 + n_pilots)
    assert row["n_obs"] == (60 + n_pilots) * 9 and row["n_pairs"] == 0


def test_what_is_missing_is_named():
    marts = economy(0.0)
    without = dataclasses.replace(marts, pairs=marts.pairs.drop(columns="tie_strength"))
    (row,) = run_radiation(without, [SPECS["strong"]])["not_run"]
    assert (row["analysis"], row["spec_id"]) == ("radiation", SPECS["strong"].spec_id)
    assert "needs population_resident_10k" in row["reason"]
