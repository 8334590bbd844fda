"""What a referee asks beyond the headline, on small marts: mechanisms, other policies,
spillovers.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses import confounders, leave_out, mechanisms, spillovers, study_form
from estimation.analyses.catalog import all_specs
from estimation.analyses.spec import Spec
from estimation.estimators.two_way import leave_one_out
from estimation.fit import PairPanel, fit_panel
from estimation.measures.derived_series import add_derived_series
from estimation.panel.pair_panel import build_sample
from estimation.sample.exposure import add_exposure
from estimation.sample.marts import Marts
from estimation.study.run import run_study
from tests.estimation.study.test_run import YEARS, economy

FAST = {"permutations": 19, "seed": 3}


@pytest.fixture(scope="module")
def marts() -> Marts:
    """The small economy on a line of places, with two programmes, employment and wages."""
    small = economy()[0]
    rng = np.random.default_rng(8)
    ids = small.cities["city_id"].to_numpy()
    place = dict(zip(ids, np.sort(rng.uniform(0, 2500, ids.size)), strict=True))
    apart = [
        abs(place[i] - place[j])
        for i, j in zip(small.pairs["city_i_id"], small.pairs["city_j_id"], strict=True)
    ]
    pairs = small.pairs.assign(distance_km=apart)
    cities = small.cities.assign(
        policy_year_low_carbon=pd.array(rng.choice([2012, 2017, 2030], ids.size), dtype="Int64"),
        policy_year_free_trade_zone=pd.array(
            rng.choice([2014, 2018, 2030], ids.size), dtype="Int64"
        ),
    )
    city_years = pd.DataFrame(
        {"city_id": np.repeat(ids, YEARS.size), "year": np.tile(YEARS, ids.size)}
    )
    for name in (
        "employed_10k",
        "wage_avg_cny",
        "gdp_nominal_cny_100m",
        "growth_employed_pct",
        "growth_wage_pct",
    ):
        city_years[name] = rng.uniform(1, 9, len(city_years))
    return Marts(
        add_exposure(cities, pairs, 2019),
        pairs,
        small.synchronization,
        add_derived_series(city_years),
    )


def test_what_the_marts_hold_is_run_and_the_rest_says_what_it_needs(marts):
    result = run_study(marts, mechanisms.SPECS, **FAST)
    run = set(result.estimate["outcome"])
    assert {
        "neg_abs_gap_labour_allocation",
        "mean_labour_misallocation",
        "neg_abs_gap_ln_wage",
        "comove_growth_employed",
    } <= run
    reasons = result.not_run.set_index("spec_id")["reason"]
    assert set(reasons.index) == {
        spec.spec_id for spec in mechanisms.SPECS if spec.outcome not in run or spec.dose
    }
    for word in ("capital", "patents", "firms"):
        needs = {
            "capital": "fixed_investment_cny_100m",
            "patents": "patents_granted",
            "firms": "firms_new",
        }[word]
        assert reasons[reasons.index.str.contains(word)].str.startswith(f"needs {needs}").all()


def test_capital_is_run_once_a_landing_delivers_investment(marts):
    rng = np.random.default_rng(5)
    rows = marts.city_years.assign(
        fixed_investment_cny_100m=rng.uniform(5, 9, len(marts.city_years)),
        cpi_prev_year_100=102.0,
        gdp_real_cny_100m=3.0,
    )
    richer = dataclasses.replace(marts, city_years=add_derived_series(rows))
    specs = [spec for spec in mechanisms.SPECS if "capital" in spec.outcome]
    result = run_study(richer, specs, **FAST)
    assert (
        set(result.estimate["outcome"]) == {spec.outcome for spec in specs} and result.not_run.empty
    )
    assert np.isfinite(result.estimate.loc[result.estimate["is_default"], "std_error"]).all()


def test_a_mechanism_is_the_regression_on_its_own_pair_series(marts):
    spec = next(s for s in mechanisms.SPECS if s.outcome == "mean_labour_misallocation")
    found = run_study(marts, [dataclasses.replace(spec, tie_rule="all")], **FAST).estimate
    wide = marts.city_years.pivot(
        index="city_id", columns="year", values="labour_misallocation"
    ).to_numpy()
    left, right = np.triu_indices(len(wide), 1)
    cohort = marts.cities["treated_year"].to_numpy(dtype=float, na_value=0).astype(int)
    panel = PairPanel(
        left,
        right,
        YEARS,
        (wide[left] + wide[right]) / 2,
        cohort,
        province=marts.cities["province_id"].to_numpy(),
    )
    assert found["estimate"].iloc[0] == pytest.approx(
        fit_panel(panel, permutations=0).estimates[0].estimate, rel=1e-12
    )


def test_a_mechanism_in_the_studys_form_is_that_of_the_calendar_year_clustered_by_pair(marts):
    later = pd.array(marts.cities["treated_year"] + 1, dtype="Int64")
    dated = dataclasses.replace(marts, cities=marts.cities.assign(treated_year=later))
    specs = [spec for spec in study_form.SPECS if spec.outcome == "neg_abs_gap_labour_allocation"]
    found = run_study(dated, specs, **FAST).estimate.set_index("vcov")
    ours = [spec for spec in mechanisms.SPECS if spec.outcome == "neg_abs_gap_labour_allocation"]
    same = run_study(marts, ours, **FAST).estimate.set_index("vcov")
    assert set(found.index) == {"conventional", "city", "province_jackknife"}
    assert found["estimate"].iloc[0] == pytest.approx(same["estimate"].iloc[0], rel=1e-12)
    assert found.loc["conventional", "p_value"] == pytest.approx(
        same.loc["conventional", "p_value"], rel=1e-9
    )


def test_a_policy_control_is_that_of_a_dummy_regression(marts):
    """Both coefficients equal least squares on pair and year dummies, written out."""
    spec = next(s for s in confounders.SPECS if s.variant == "given_free_trade_zone")
    spec = dataclasses.replace(spec, tie_rule="all")
    found = (
        run_study(marts, [spec], **FAST)
        .estimate.drop_duplicates("term")
        .set_index("term")["estimate"]
    )
    year = marts.cities.set_index("city_id")["treated_year"].astype("Float64").astype(float)
    policy = marts.cities.set_index("city_id")["policy_year_free_trade_zone"].astype(float)
    rows = marts.synchronization
    i, j = rows["city_i_id"], rows["city_j_id"]
    first, second = year.reindex(i).to_numpy(), year.reindex(j).to_numpy()
    keep = np.isnan(first) | np.isnan(second)
    treated = rows["year"].to_numpy() >= np.fmin(first, second)
    covered = sum(
        (rows["year"].to_numpy() >= policy.reindex(side).to_numpy()).astype(float)
        for side in (i, j)
    )
    effects = [
        pd.get_dummies(i.astype(str) + "-" + j.astype(str)).to_numpy(float),
        pd.get_dummies(rows["year"]).to_numpy(float)[:, 1:],
    ]
    x = np.column_stack([treated, covered, *effects])[keep]
    b = np.linalg.lstsq(x, rows["cm_growth_official"].to_numpy()[keep], rcond=None)[0]
    assert found["treated"] == pytest.approx(b[0], rel=1e-8)
    assert found["policy_free_trade_zone"] == pytest.approx(b[1], rel=1e-8)


def test_exclusions_and_exposure_rules_change_the_sample(marts):
    result = run_study(marts, [*confounders.SPECS, *spillovers.SPECS], **FAST)
    counts = result.diagnostic[
        result.diagnostic["diagnostic"].isin(["sample_n_cities", "sample_n_pilots"])
    ]
    counts = counts.pivot(index="spec_id", columns="diagnostic", values="value")
    n = len(marts.cities)
    assert counts.loc["confounders.cm_growth_official.without_guangdong", "sample_n_cities"] == n
    covered = (marts.cities["policy_year_low_carbon"] <= 2019).sum()
    assert (
        counts.loc["confounders.cm_growth_official.without_low_carbon", "sample_n_cities"]
        == n - covered
    )
    pilots = set(marts.cities.loc[marts.cities["treated_year"].notna(), "city_id"])
    near = marts.cities["treated_year_near_pilot_100"].notna()
    assert counts.loc[
        "spillovers.cm_growth_official.near_pilot_100", "sample_n_pilots"
    ] == near.sum() and not pilots & set(marts.cities.loc[near, "city_id"])
    assert result.not_run.set_index("spec_id")["reason"][
        "confounders.cm_growth_official.without_broadband_china"
    ].startswith("needs")


def test_the_headline_of_a_small_sample_is_untouched_by_the_new_fields(marts):
    plain = Spec("a.cm_growth_official.b", "a", "cm_growth_official", permutations=19)
    same = dataclasses.replace(plain, excluded=("province_440000",))
    first, second = (run_study(marts, [spec], **FAST).estimate for spec in (plain, same))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("tie_quantile", [None, 0.5])
def test_estimates_without_a_part_are_refits_of_a_smaller_panel(marts, tie_quantile):
    """Each city and province deleted by hand: a panel of the rows that are left, the tie mask as it
    was.
    """
    ids = marts.cities["city_id"].to_numpy()
    cohort = marts.cities["treated_year"].to_numpy(dtype=float, na_value=0).astype(int)
    province = marts.cities["province_id"].to_numpy()
    left, right = np.triu_indices(ids.size, 1)
    y = marts.synchronization["cm_growth_official"].to_numpy().reshape(-1, YEARS.size)
    tie = marts.pairs["tie_strength"].to_numpy(dtype=float)
    panel = PairPanel(left, right, YEARS, y, cohort, province=province, tie=tie, city_ids=ids)
    found = leave_one_out(panel, 0, tie_quantile)
    kept = build_sample(panel, (0,), tie_quantile).kept
    parts = {"city": ids, "province": province}
    for name, label in parts.items():
        assert set(found[name].blocks) <= set(label)
        for block, estimate in zip(
            found[name].blocks[:4], found[name].estimates[:4, 0], strict=True
        ):
            rest = kept & (label[left] != block) & (label[right] != block)
            smaller = PairPanel(left[rest], right[rest], YEARS, y[rest], cohort, city_ids=ids)
            assert estimate == pytest.approx(
                fit_panel(smaller, permutations=0).estimates[0].estimate, rel=1e-9
            )


def test_headlines_get_their_table_and_specs_without_a_cohort(marts):
    specs = [spec for spec in all_specs() if spec.spec_id == leave_out.TABLES[0]]
    result = run_study(marts, [*specs, *leave_out.SPECS], **FAST)
    table = result.diagnostic[result.diagnostic["diagnostic"].str.startswith("leave_out_")]
    assert set(table["spec_id"]) == {leave_out.TABLES[0]}
    counts = table["diagnostic"].value_counts()
    assert counts["leave_out_city"] == len(marts.cities)
    assert counts["leave_out_province"] == marts.cities["province_id"].nunique()
    values = result.diagnostic[result.diagnostic["diagnostic"] == "sample_n_pilots"].set_index(
        "spec_id"
    )["value"]
    for year in leave_out.COHORTS:
        expected = (marts.cities["treated_year"].dropna() != year).sum()
        assert values[f"leave_out.cm_growth_official.without_cohort_{year}"] == expected


def policy_zones(cities: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Texts of every pilot but one, from the year before admission on, with a count that differs by
    pilot and year.
    """
    pilots = cities.dropna(subset=["treated_year"])
    rows = [
        (int(c), y)
        for c, g in zip(pilots["city_id"][1:], pilots["treated_year"][1:], strict=True)
        for y in range(int(g) - 1, 2022)
    ]
    return pd.DataFrame(rows, columns=["city_id", "year"]).assign(
        measure_count=rng.integers(5, 40, len(rows))
    )


def test_a_dose_is_a_second_regressor_zero_before_admission(marts):
    """Both coefficients equal least squares on pair and year dummies; the pilot without texts
    stands at the mean.
    """
    rich = economy(n_cities=36, n_pilots=14)[0]
    zones = policy_zones(rich.cities, np.random.default_rng(2))
    spec = next(s for s in mechanisms.SPECS if s.dose == "measure_count")
    spec = dataclasses.replace(spec, tie_rule="all")
    result = run_study(dataclasses.replace(rich, policy_zones=zones), [spec], **FAST)
    found = result.estimate.drop_duplicates("term").set_index("term")["estimate"]
    assert set(result.estimate["vcov"]) == {
        "conventional",
        "dyadic",
        "city",
        "province_jackknife",
        "permutation",
    }
    assert not result.warning["warning"].str.contains("strength:|difference:").any()
    year = rich.cities.set_index("city_id")["treated_year"].astype("Float64").astype(float)
    count = zones.set_index(["city_id", "year"])["measure_count"]
    inside = count[[y >= year[c] and y <= 2019 for c, y in count.index]]
    rows = rich.synchronization
    sides = [year.reindex(rows[side]).to_numpy() for side in ("city_i_id", "city_j_id")]
    keep = np.isnan(sides[0]) | np.isnan(sides[1])
    rows, first = rows[keep], np.fmin(*sides)[keep]
    pilot = np.where(np.isnan(sides[1][keep]), rows["city_i_id"], rows["city_j_id"])
    treated = rows["year"].to_numpy() >= first
    key = pd.MultiIndex.from_arrays([pilot, rows["year"]])
    dose = np.where(
        treated,
        (count.reindex(key).to_numpy(dtype=float) - inside.mean()) / inside.std(ddof=0),
        0.0,
    )
    dose = np.nan_to_num(dose)
    pairs = pd.get_dummies(
        rows["city_i_id"].astype(str) + "-" + rows["city_j_id"].astype(str)
    ).to_numpy(float)
    x = np.column_stack([treated, dose, pairs, pd.get_dummies(rows["year"]).to_numpy(float)[:, 1:]])
    b = np.linalg.lstsq(x, rows["cm_growth_official"].to_numpy(), rcond=None)[0]
    assert found["treated"] == pytest.approx(b[0], rel=1e-7)
    assert found["dose"] == pytest.approx(b[1], rel=1e-7)


@pytest.mark.parametrize("zones", [None, "few", "alike"])
def test_too_few_texts_are_no_dose(marts, zones):
    spec = next(s for s in mechanisms.SPECS if s.dose == "measure_count")
    table = policy_zones(economy(n_cities=36, n_pilots=14)[0].cities, np.random.default_rng(2))
    given = {
        "few": table[table["city_id"].isin(table["city_id"].unique()[:4])],
        "alike": table.assign(measure_count=7),
    }.get(zones)
    small = dataclasses.replace(economy(n_cities=36, n_pilots=14)[0], policy_zones=given)
    reason = run_study(small, [spec], **FAST).not_run["reason"].iloc[0]
    found = {
        None: "0 different values among the 0 pilots",
        "few": "among the 4 pilots",
        "alike": "1 different values",
    }[zones]
    assert "at least 10 pilots" in reason and found in reason
