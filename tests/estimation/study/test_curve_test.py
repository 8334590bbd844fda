"""The joint permutation of the specification curve against the curve itself, on the real admissions
and on ones permuted again.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.specification_curve import SPECS as CURVE
from estimation.study import curve_test
from estimation.study.specification_curve import run_curve
from estimation.study.tables import COLUMNS, typed
from tests.estimation.study.cities import economy

DRAWS = 99
# every choice of the curve but its series and windows, of which the fabricated marts have one each
SPECS = tuple(
    dataclasses.replace(spec, permutations=DRAWS, seed=3)
    for spec in CURVE
    if spec.series == "growth_official" and spec.window is None
)


@pytest.fixture(scope="module")
def marts():
    """Marts in which the rules of admission differ, some pilots come after the window, and some
    pairs have no tie.
    """
    marts, _ = economy(30, 12)
    cities = marts.cities.copy()
    year = cities["treated_year"].astype(float).to_numpy(copy=True)
    year[np.flatnonzero(np.isnan(year))[[1, 5]]] = 2021
    cities["treated_year"] = pd.array(year, dtype="Int64")
    cities["treated_year_calendar_year"] = pd.array(year - (year == 2019), dtype="Int64")
    pairs = marts.pairs.copy()
    pairs.loc[pairs.index % 17 == 0, "tie_strength"] = np.nan
    return dataclasses.replace(marts, cities=cities, pairs=pairs)


def of_the_curve(marts, specs=SPECS) -> dict[str, float]:
    """Estimates by spec in standard deviations of their outcome, as the curve has them."""
    rows = run_curve(marts, specs)
    estimates = {row["spec_id"]: row["estimate"] for row in rows["estimate"]}
    return {
        row["spec_id"]: estimates[row["spec_id"]] / row["outcome_sd"]
        for row in rows["specification"]
    }


@pytest.fixture(scope="module")
def estimated(marts):
    return of_the_curve(marts)


@pytest.fixture(scope="module")
def members(estimated):
    return [spec for spec in SPECS if spec.spec_id in estimated and curve_test.in_the_test(spec)]


@pytest.fixture(scope="module")
def in_sd(marts, members):
    return curve_test.standardised_estimates(marts, members)


def test_specs_without_a_p_or_with_effects_of_provinces_take_no_part(members):
    assert {spec.outcome.split("_growth")[0] for spec in members} == {
        "cm",
        "cm_bounded",
        "neg_abs_gap",
    }
    assert {spec.effects[1] for spec in members} == {"year", "region_pair_year"}
    assert len(members) == len(SPECS) * 3 // 4 * 4 // 5


def test_a_draw_is_the_curve_of_other_admissions(marts, members, in_sd):
    """A city takes the whole record of another of its province: cohort under each rule, and
    admission after the window.
    """
    cities = marts.cities
    records = curve_test._draw_records(cities["province_id"].to_numpy(), DRAWS, 3)
    columns = [name for name in cities if name.startswith("treated_year")]
    for draw in (0, 1, DRAWS):
        assert (cities["province_id"].to_numpy()[records[draw]] == cities["province_id"]).all()
        moved = cities.copy()
        moved[columns] = cities[columns].iloc[records[draw]].to_numpy()
        again = of_the_curve(dataclasses.replace(marts, cities=moved), members)
        np.testing.assert_allclose(
            in_sd[draw], [again.get(spec.spec_id, np.nan) for spec in members], atol=1e-12
        )


def test_p_values_count_assignments(marts, members, in_sd):
    """Written out: ranks among the real assignment and all draws."""
    rows = {row["outcome"]: row for row in curve_test.run_curve_test(marts, members)}
    assert list(rows) == [
        "all",
        "cm_bounded_growth_official",
        "cm_growth_official",
        "neg_abs_gap_growth_official",
    ]
    rejects = np.zeros(in_sd.shape)
    for s in range(in_sd.shape[1]):
        for a in range(DRAWS + 1):
            rejects[a, s] = (np.abs(in_sd[:, s]) >= abs(in_sd[a, s]) - 1e-12).mean() <= 0.05
    np.testing.assert_array_equal(curve_test._rejects(in_sd), rejects)
    for outcome, row in rows.items():
        own = [outcome in ("all", spec.outcome) for spec in members]
        medians, shares = np.abs(np.median(in_sd[:, own], axis=1)), rejects[:, own].mean(axis=1)
        assert row["n_specs"] == sum(own) and row["draws"] == DRAWS
        assert abs(row["median_sd"]) == pytest.approx(medians[0])
        assert row["share_rejects"] == pytest.approx(shares[0])
        assert row["p_value_median"] == pytest.approx((medians >= medians[0] - 1e-9).mean())
        assert row["p_value_share"] == pytest.approx((shares >= shares[0] - 1e-9).mean())
    assert (
        typed(list(rows.values()), COLUMNS["curve_test"])["spec_id"].iloc[0]
        == "specification_curve.all.every"
    )


def test_without_regions_or_specs(marts, members) -> None:
    """Only specs that were estimated come in, so a landing without regions has none with effects of
    regions.
    """
    few = [spec for spec in members if spec.tie_rule == "all" and spec.effects[1] == "year"][:2]
    bare = dataclasses.replace(
        marts,
        cities=marts.cities.drop(columns="region"),
        pairs=marts.pairs.drop(columns="distance_km"),
    )
    assert curve_test.run_curve_test(bare, few)[0]["n_specs"] == 2
    undrawn = [dataclasses.replace(spec, permutations=0) for spec in few]
    comove = [spec for spec in SPECS if spec.outcome == "comove_growth_official"]
    for none in ([], undrawn, comove):
        assert curve_test.run_curve_test(marts, none) == []
