"""What a referee asks beyond the headline, on small marts: mechanisms, other policies,
spillovers.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses import confounders, leave_out, mechanisms, spillovers
from estimation.analyses.catalog import all_specs
from estimation.fit_panel import PairPanel, fit_panel
from estimation.measures.derived_series import add_derived_series
from estimation.sample.exposure import add_exposure
from estimation.sample.marts import Marts
from estimation.study.run import run_study
from tests.estimation.panels import VARIANCE_ESTIMATORS, beside_dummies
from tests.estimation.study.cities import YEARS, economy

FAST = {"permutations": 19, "seed": 3}
SERIES = (
    "employed_10k",
    "wage_avg_cny",
    "gdp_nominal_cny_100m",
    "growth_employed_pct",
    "growth_wage_pct",
)


@pytest.fixture(scope="module")
def marts() -> Marts:
    """The small economy on a line of places, with two programmes, employment and wages."""
    small = economy()[0]
    rng = np.random.default_rng(8)
    ids = small.cities["city_id"].to_numpy()
    place = dict(zip(ids, np.sort(rng.uniform(0, 2500, ids.size)), strict=True))
    ends = (small.pairs[side].map(place) for side in ("city_i_id", "city_j_id"))
    pairs = small.pairs.assign(distance_km=abs(next(ends) - next(ends)))
    cities = small.cities.assign(
        policy_year_low_carbon=pd.array(rng.choice([2012, 2017, 2030], ids.size), dtype="Int64"),
        policy_year_free_trade_zone=pd.array(
            rng.choice([2014, 2018, 2030], ids.size), dtype="Int64"
        ),
    )
    rows = {"city_id": np.repeat(ids, YEARS.size), "year": np.tile(YEARS, ids.size)}
    for name in SERIES:
        rows[name] = rng.uniform(1, 9, ids.size * YEARS.size)
    of_cities = add_derived_series(pd.DataFrame(rows))
    return Marts(add_exposure(cities, pairs, 2019), pairs, small.synchronization, of_cities)


def least_squares(rows: pd.DataFrame, *regressors: np.ndarray) -> np.ndarray:
    """Coefficients beside dummies of pairs and years."""
    pair = rows.groupby(["city_i_id", "city_j_id"]).ngroup().to_numpy()
    y, x = rows["cm_growth_official"].to_numpy(), np.column_stack(regressors)
    return beside_dummies(y, x.astype(float), pair, rows["year"].to_numpy())[0]


def kept_rows(marts: Marts) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Pair-years with at most one pilot, the pair's year of admission, and its pilot."""
    year = marts.cities.set_index("city_id")["treated_year"].astype("Float64").astype(float)
    rows = marts.synchronization
    first, second = (year.reindex(rows[side]).to_numpy() for side in ("city_i_id", "city_j_id"))
    keep = np.isnan(first) | np.isnan(second)
    pilot = np.where(np.isnan(second), rows["city_i_id"], rows["city_j_id"])
    return rows[keep], np.fmin(first, second)[keep], pilot[keep]


def test_what_the_marts_hold_is_run_and_the_rest_says_what_it_needs(marts):
    """Capital once a landing delivers investment."""
    result = run_study(marts, mechanisms.SPECS, **FAST)
    run = set(result.estimate["outcome"])
    assert {
        "neg_abs_gap_labour_allocation",
        "mean_labour_misallocation",
        "neg_abs_gap_ln_wage",
        "comove_growth_employed",
    } <= run
    reasons = result.not_run.set_index("spec_id")["reason"]
    lacking = [spec for spec in mechanisms.SPECS if spec.outcome not in run or spec.dose]
    assert set(reasons.index) == {spec.spec_id for spec in lacking}
    needs = {"capital": "fixed_investment_cny_100m", "patents": "patents_granted"}
    for word, series in (*needs.items(), ("firms", "firms_new")):
        assert reasons[reasons.index.str.contains(word)].str.startswith(f"needs {series}").all()
    investment = np.random.default_rng(5).uniform(5, 9, len(marts.city_years))
    rows = marts.city_years.assign(
        fixed_investment_cny_100m=investment, cpi_prev_year_100=102.0, gdp_real_cny_100m=3.0
    )
    richer = dataclasses.replace(marts, city_years=add_derived_series(rows))
    specs = [spec for spec in mechanisms.SPECS if "capital" in spec.outcome]
    result = run_study(richer, specs, **FAST)
    assert set(result.estimate["outcome"]) == {spec.outcome for spec in specs}
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


def test_a_policy_control_is_that_of_a_dummy_regression(marts):
    """Both coefficients equal least squares on pair and year dummies, written out."""
    spec = next(s for s in confounders.SPECS if s.variant == "given_free_trade_zone")
    estimate = run_study(marts, [dataclasses.replace(spec, tie_rule="all")], **FAST).estimate
    found = estimate.drop_duplicates("term").set_index("term")["estimate"]
    policy = marts.cities.set_index("city_id")["policy_year_free_trade_zone"].astype(float)
    rows, first, _ = kept_rows(marts)
    year = rows["year"].to_numpy()
    covered = sum(
        (year >= policy.reindex(rows[side]).to_numpy()).astype(float)
        for side in ("city_i_id", "city_j_id")
    )
    b = least_squares(rows, year >= first, covered)
    wanted = dict(zip(("treated", "policy_free_trade_zone"), b, strict=True))
    assert found[list(wanted)].to_dict() == pytest.approx(wanted, rel=1e-8)


def test_exclusions_and_exposure_rules_change_the_sample(marts):
    result = run_study(marts, [*confounders.SPECS, *spillovers.SPECS], **FAST)
    counts = result.diagnostic.set_index(["spec_id", "diagnostic"])["value"]
    n, cities = len(marts.cities), marts.cities.set_index("city_id")
    without = "confounders.cm_growth_official.without_"
    assert counts[f"{without}guangdong", "sample_n_cities"] == n
    covered = (cities["policy_year_low_carbon"] <= 2019).sum()
    assert counts[f"{without}low_carbon", "sample_n_cities"] == n - covered
    near = cities["treated_year_near_pilot_100"].notna()
    spec_id = "spillovers.cm_growth_official.near_pilot_100"
    assert counts[spec_id, "sample_n_pilots"] == near.sum()
    assert not (near & cities["treated_year"].notna()).any()
    reasons = result.not_run.set_index("spec_id")["reason"]
    assert reasons[f"{without}broadband_china"].startswith("needs")


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
    assert set(result.estimate["vcov"]) == set(VARIANCE_ESTIMATORS)
    year = rich.cities.set_index("city_id")["treated_year"].astype("Float64").astype(float)
    count = zones.set_index(["city_id", "year"])["measure_count"]
    inside = count[[y >= year[c] and y <= 2019 for c, y in count.index]]
    rows, first, pilot = kept_rows(rich)
    treated = rows["year"].to_numpy() >= first
    at = count.reindex(pd.MultiIndex.from_arrays([pilot, rows["year"]])).to_numpy(dtype=float)
    dose = np.where(treated, (at - inside.mean()) / inside.std(ddof=0), 0.0)
    b = least_squares(rows, treated, np.nan_to_num(dose))
    assert found[["treated", "dose"]].to_list() == pytest.approx(b.tolist(), rel=1e-7)


@pytest.mark.parametrize(
    ("zones", "found"),
    [
        (None, "0 different values among the 0 pilots"),
        ("few", "among the 4 pilots"),
        ("alike", "1 different values"),
    ],
)
def test_too_few_texts_are_no_dose(zones, found):
    spec = next(s for s in mechanisms.SPECS if s.dose == "measure_count")
    rich = economy(n_cities=36, n_pilots=14)[0]
    table = policy_zones(rich.cities, np.random.default_rng(2))
    few = table["city_id"].isin(table["city_id"].unique()[:4])
    given = {"few": table[few], "alike": table.assign(measure_count=7)}.get(zones)
    result = run_study(dataclasses.replace(rich, policy_zones=given), [spec], **FAST)
    (reason,) = result.not_run["reason"]
    assert "at least 10 pilots" in reason and found in reason
