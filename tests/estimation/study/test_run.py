"""The study on fabricated marts: the contract's frames, the exact split, the truth of simulated
data, what is said when it lacks, and its headlines by pyfixest and statsmodels.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs
from estimation.analyses.rules import CONCEPTS
from estimation.analyses.specification_curve import SPECS as CURVE
from estimation.fit_panel import PairPanel, fit_panel
from estimation.sample.build import build_group_sample
from estimation.sample.marts import Marts, read_marts
from estimation.sample.outcomes import split_outcome
from estimation.study import second_implementation
from estimation.study.run import run_study
from estimation.study.tables import COLUMNS
from tests.estimation.panels import VARIANCE_ESTIMATORS
from tests.estimation.report.sites import database
from tests.estimation.study.cities import TREATED_YEARS, YEARS, economy

HEADLINE = "baseline.cm_growth_official.headline"
FAST = {"permutations": 39, "seed": 3}
# every spec of the study's own marts on official growth, deflated growth in the first two analyses;
# of the curve over tie thresholds, its two ends; of moderators and tools that differ in the column
# alone, one; of analyses that fit the parts of synchronization as they fit the whole, the whole
# alone; test_referee.py has those that need more of the marts
SOME = {
    "matching": ("weak", "q90", "near"),
    "heterogeneity": (
        *("region_pair", "region_pair_own_years", "coastal"),
        *("infrastructure", "infrastructure_own_years", "infrastructure_gap"),
    ),
    "policy_tools": ("supply", "joint", "supply_talent"),
}
OF_THE_WHOLE = ("robustness", "policy_tools", "study_form", "matching")
NEED_MORE = ("mechanisms", "alternative_outcomes", "confounders", "spillovers", "leave_out")
SPECS = [
    spec
    for spec in all_specs()
    if spec.analysis not in NEED_MORE
    and (spec.series != "growth_deflated" or spec.analysis in ("baseline", "dynamics"))
    and spec.variant in SOME.get(spec.analysis, [spec.variant])
    and (spec.analysis != "study_form" or (spec.series == "growth_official" and not spec.dose))
    and (spec.analysis not in OF_THE_WHOLE or not spec.outcome.startswith(("comove", "dispersion")))
]


@pytest.fixture(scope="module")
def marts() -> tuple[Marts, Marts]:
    return economy()


@pytest.fixture(scope="module")
def result(marts):
    return run_study(simulated(marts), SPECS, **FAST)


def simulated(marts: tuple[Marts, Marts]) -> Marts:
    """Marts that know those without the effect."""
    return dataclasses.replace(marts[0], without=marts[1])


def points(frame: pd.DataFrame, spec_id: str) -> pd.Series:
    """Estimate by event time of a spec."""
    rows = frame[frame["spec_id"] == spec_id].drop_duplicates(["term", "cohort_year", "event_time"])
    return pd.Series(
        rows["estimate"].to_numpy(dtype=float),
        index=rows["event_time"].fillna(99).to_numpy(dtype=int),
    )


def test_without_pair_years_outcomes_are_made_from_city_series_one_by_one(marts, result) -> None:
    """The same rows and truths as with them, but for what city series do not give; the study holds
    one outcome at a time then.
    """
    bare = [
        dataclasses.replace(one, synchronization=one.synchronization.iloc[:0], years=(2010, 2019))
        for one in marts
    ]
    official = [
        spec
        for spec in SPECS
        if spec.series == "growth_official"
        and spec.analysis in ("baseline", "dynamics", "heterogeneity")
    ]
    study = run_study(simulated(bare), official, **FAST)
    found = study.estimate.reset_index(drop=True)
    ids = [spec.spec_id for spec in official]
    wanted = result.estimate[result.estimate["spec_id"].isin(ids)].reset_index(drop=True)
    keys = ["spec_id", "term", "cohort_year", "event_time", "vcov", "n_obs", "n_pairs", "n_pilots"]
    pd.testing.assert_frame_equal(found[keys], wanted[keys])
    numbers = ["estimate", "std_error", "ci_low", "ci_high", "p_value"]
    np.testing.assert_allclose(
        found[numbers].astype(float), wanted[numbers].astype(float), rtol=1e-9, atol=1e-12
    )
    of_pairs = next(spec for spec in all_specs() if split_outcome(spec.outcome) is None)
    (reason,) = run_study(bare[0], [of_pairs], **FAST).not_run["reason"]
    assert f"needs {of_pairs.outcome} of all pair-years, which are too many to hold" in reason
    wanted = result.truth[result.truth["spec_id"].isin(ids)].reset_index(drop=True)
    pd.testing.assert_frame_equal(study.truth, wanted, rtol=1e-9, atol=1e-12)
    assert len(wanted) > 30


def test_every_spec_is_run_with_one_default_line_or_says_why_not(result) -> None:
    columns = {
        "estimate": COLUMNS["estimate"],
        "diagnostic": COLUMNS["diagnostic"],
        "not_run": COLUMNS["not_run"],
        "warning": COLUMNS["warning"],
    }
    assert {name: list(getattr(result, name)) for name in columns} == {
        name: list(of) for name, of in columns.items()
    }
    run, not_run = result.estimate, result.not_run
    assert {*run["spec_id"], *not_run["spec_id"]} == {spec.spec_id for spec in SPECS}
    without_series = "hp|hamilton|fitzgerald|implicit|one_vintage|index|rolling|pre_growth"
    reasons = not_run.loc[~not_run["spec_id"].str.contains(without_series), "reason"]
    assert reasons.str.startswith("no pilot of the sample was approved in July to Dec").all()
    lines = run.loc[run["spec_id"] == HEADLINE, "vcov"]
    assert list(lines) == list(VARIANCE_ESTIMATORS)
    # the study's form takes no draws: a coefficient of fewer than 4 pilots has no line left to be
    # its default
    none_left = run["analysis"].eq("study_form") & run["n_pilots"].lt(4)
    keys = ["spec_id", "term", "cohort_year", "event_time"]
    assert run[~none_left].groupby(keys, dropna=False)["is_default"].sum().eq(1).all()
    assert not run.loc[none_left, "is_default"].any() and run.loc[none_left, "p_value"].isna().all()


def test_parts_of_synchronization_are_estimated_without_a_p(result) -> None:
    rows = result.estimate
    is_part = rows["outcome"].str.startswith(("comove", "dispersion"))
    inference = ["std_error", "ci_low", "ci_high", "p_value"]
    assert is_part.any() and rows.loc[is_part, "estimate"].notna().all()
    assert rows.loc[is_part, inference].isna().all().all()
    assert rows.loc[~is_part & rows["is_default"], inference].notna().all(axis=1).any()


def test_a_run_takes_at_most_the_draws_of_each_spec_and_one_seed(marts) -> None:
    """Of 9,999, 199 of the curve, and none of the study's form."""
    seen = {}

    def look(_, units, on_done) -> None:
        for unit in units:
            seen.update((spec.analysis, spec) for spec in unit.specs)
            on_done(unit, {})

    run_study(marts[0], (*SPECS, *CURVE), permutations=500, seed=7, run_units=look)
    draws = {name: spec.permutations for name, spec in seen.items()}
    assert draws["baseline"] == 500 and draws["specification_curve"] == 199
    assert draws["study_form"] == 0 and {spec.seed for spec in seen.values()} == {7}


@pytest.mark.parametrize(("variant", "tie_rule"), [("headline", "strong"), ("all_pairs", "all")])
def test_estimate_is_that_of_the_kept_pairs(marts, result, variant: str, tie_rule: str) -> None:
    """The shared pass equals a fit of one outcome on a panel from which everything else was removed
    by hand.
    """
    cities, pairs, sync = marts[0].cities, marts[0].pairs, marts[0].synchronization
    year = cities.set_index("city_id")["treated_year"].where(lambda y: y <= 2019)
    n_pilots = sum(pairs[side].map(year).notna().astype(int) for side in ("city_i_id", "city_j_id"))
    kept = pairs[n_pilots < 2]
    if tie_rule == "strong":
        kept = kept[kept["tie_strength"] > kept["tie_strength"].median()]
    ids = cities["city_id"].to_numpy()
    y = sync.merge(kept[["city_i_id", "city_j_id"]])["cm_growth_official"].to_numpy()
    panel = PairPanel(
        city_i=np.searchsorted(ids, kept["city_i_id"]),
        city_j=np.searchsorted(ids, kept["city_j_id"]),
        years=YEARS,
        y=y.reshape(len(kept), -1),
        city_cohort=year.fillna(0).to_numpy(dtype=int),
        province=cities["province_id"].to_numpy(),
    )
    spec_id = f"baseline.cm_growth_official.{variant}"
    rows = result.estimate[result.estimate["spec_id"] == spec_id].set_index("vcov")
    alone = fit_panel(panel, vcov=("dyadic", "province_jackknife"), permutations=0)
    for row in alone.estimates:
        found = rows.loc[row.vcov, ["estimate", "std_error"]].to_list()
        assert found == pytest.approx([row.estimate, row.std_error], abs=1e-11)


def test_a_spec_may_compare_with_pairs_that_are_treated_later(marts, result) -> None:
    name = "robustness.cm_growth_official."
    spec = next(spec for spec in SPECS if spec.spec_id == f"{name}not_yet_treated")
    sample = build_group_sample(marts[0], [spec])
    y = sample.panel.y[sample.outcomes.index(spec.outcome)]
    panel = dataclasses.replace(sample.panel, y=y, cohort=None)
    options = {"vcov": (), "permutations": 0, "tie_quantile": 0.5}
    alone = fit_panel(
        panel, estimator="callaway_santanna", control_pairs="not_yet_treated", **options
    )
    later = points(result.estimate, spec.spec_id)[99]
    assert later == pytest.approx(alone.estimates[0].estimate, abs=1e-12)
    assert abs(later - points(result.estimate, f"{name}callaway_santanna")[99]) > 1e-4


def test_truth_is_the_difference_of_the_two_estimates(marts, result) -> None:
    """Estimators are linear in the outcome: the truth of a spec is its estimate minus the one
    without the effect on the same sample.
    """
    wanted = (
        HEADLINE,
        "robustness.cm_growth_official.window_2012_2019",
        "dynamics.comove_growth_deflated.headline",
    )
    specs = [spec for spec in SPECS if spec.spec_id in wanted]
    truth = result.truth
    without = run_study(marts[1], specs, permutations=0)
    assert list(truth) == list(COLUMNS["truth"]) == list(without.truth) and without.truth.empty
    for spec_id in wanted:
        expected = points(result.estimate, spec_id) - points(without.estimate, spec_id)
        found = points(truth.rename(columns={"truth": "estimate"}), spec_id)
        np.testing.assert_allclose(found, expected, atol=1e-11)
    nothing = run_study(simulated((marts[0], marts[0])), specs, permutations=0).truth
    assert nothing["truth"].astype(float).abs().max() < 1e-12 and len(nothing) > 10


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pairs": lambda f: f.assign(tie_strength=np.nan)}, "population_resident_10k"),
        (
            {"cities": lambda f: f.assign(**dict.fromkeys(TREATED_YEARS, pd.NA))},
            "admitted as a pilot",
        ),
        (
            {"cities": lambda f: f.assign(treated_year=f["treated_year"].fillna(2015)[1:])},
            "two never-treated cities",
        ),
        (
            {
                "synchronization": lambda f: f.drop(columns=["cm_growth_official"]),
                "city_years": lambda f: f.drop(columns=["growth_official_pct"]),
            },
            "fct_city_year",
        ),
        ({"synchronization": lambda f: f.iloc[:0, :3]}, "study window with pairs"),
        (
            {"synchronization": lambda f: f.assign(cm_growth_official=np.nan)},
            "gdp_growth_official_pct",
        ),
    ],
)
def test_what_lacks_ends_in_not_run(marts, change: dict, reason: str) -> None:
    """A row with its reason, no exception; six cities of a bare level are such a landing."""
    small = dataclasses.replace(
        marts[0], **{name: edit(getattr(marts[0], name)) for name, edit in change.items()}
    )
    found = run_study(small, [spec for spec in all_specs() if spec.spec_id == HEADLINE], **FAST)
    assert list(found.not_run["spec_id"]) == [HEADLINE]
    assert reason in found.not_run["reason"].iloc[0]
    assert found.estimate.empty


def test_marts_are_read_from_duckdb(marts) -> None:
    """Missing outcome columns are left out."""
    sync = marts[0].synchronization
    cities = marts[0].cities.drop(columns=["gdp_mean_cny_100m", "is_coastal", *CONCEPTS])
    tool = {"tool_class": "supply", "tool": "talent"}
    later = int(
        cities.loc[cities["treated_year"].notna() & (cities["city_id"] != 110000), "city_id"].iloc[
            0
        ]
    )
    baseline = {"population_10k": 3.0, "gdp_per_head_cny": 1.0, "trade": 0.0, "is_coastal": True}
    tables = {
        "dim_other_policy": {
            "policy": "low_carbon",
            "city_id": [110000, 110000, 110100],
            "treated_year": [2013, 2011, 2017],
            "covers_city": [True, True, False],
            "is_verified": [True, True, False],
        },
        "dim_pilot_zone": {"zone_name_zh": ["a", "b"], "is_whole_prefecture": [True, False]},
        "fct_policy_tool": tool
        | {
            "city_id": [110000, 110000, 110000, later],
            "zone_name_zh": ["a", "a", "b", "a"],
            "year": [2015, 2016, 2016, 2020],
            "strength": [2.0, 3.0, 50.0, 4.0],
        },
        "dim_city_baseline": {"city_id": [110000], "human_capital": 0.2, **baseline},
        "dim_city": cities.assign(city_name_en="x", batch=1),
        "fct_city_year": {
            "city_id": np.repeat(cities["city_id"], 2),
            "year": [2010, 2011] * 30,
            "gdp_nominal_cny_100m": [1.5, 2.5] * 30,
        },
        "fct_city_pair": marts[0].pairs,
        "fct_pair_synchronization": sync.drop(columns=sync.filter(like="deflated").columns).assign(
            is_study_window=True
        ),
    }
    con = database({f"marts.{name}": pd.DataFrame(table) for name, table in tables.items()})
    read = read_marts(con, all_specs())
    of_city = read.cities.set_index("city_id")
    assert list(of_city["gdp_mean_cny_100m"]) == [2.0] * 30
    assert of_city["policy_year_low_carbon"].dropna().to_dict() == {110000: 2011.0}
    assert of_city["human_capital"].dropna().to_dict() == {110000: 0.2}
    # a zone in a county-level city does not speak for its prefecture; every pilot but city 110000
    # is without texts in the years of the study
    assert sorted(read.strengths["strength"]) == [2.0, 3.0, 4.0]
    without = of_city["treated_year"].mask(of_city.index == 110000)
    assert of_city["treated_year_without_texts"].equals(without)
    baseline = [spec for spec in SPECS if spec.analysis == "baseline"]
    found = run_study(read, baseline, permutations=19, seed=1)
    lacking = {spec.spec_id for spec in baseline if spec.series == "growth_deflated"}
    assert set(found.not_run["spec_id"]) == lacking
    # the build without the effect has no texts: nobody is marked as without, and the specs say what
    # they need
    con.execute("drop table marts.fct_policy_tool")
    bare = read_marts(con, all_specs())
    assert bare.strengths.empty and bare.cities["treated_year_without_texts"].isna().all()
    tools = [spec for spec in SPECS if spec.analysis == "policy_tools"][:1]
    assert "policy texts" in run_study(bare, tools, permutations=0).not_run["reason"].iloc[0]


def test_curve_is_what_the_general_estimators_give(marts) -> None:
    """A tenth of the curve's specs on a window of their own, each against the same spec through the
    general path, hash of the panel too.
    """
    curve = [
        dataclasses.replace(spec, window=(2010, 2019))
        for spec in CURVE
        if spec.window is None and spec.series == "growth_official"
    ]
    found = run_study(marts[0], curve)
    assert list(found.specification) == list(COLUMNS["specification"])
    assert list(found.specification["spec_id"]) == [spec.spec_id for spec in curve]
    general = [spec for spec in curve if spec.effects == ("pair", "year")][::10]
    elsewhere = [
        dataclasses.replace(
            spec, analysis="x", spec_id=spec.spec_id.replace("specification_curve", "x")
        )
        for spec in general
    ]
    expected = run_study(marts[0], elsewhere).estimate
    expected["spec_id"] = expected["spec_id"].str.replace("x.", "specification_curve.", regex=False)
    lines = expected["is_default"] | (expected["vcov"] == "conventional")
    keys = ["spec_id", "vcov"]
    expected, rows = (
        frame.sort_values(keys).reset_index(drop=True)
        for frame in (
            expected[expected["term"].isin(["treated", "att"]) & lines],
            found.estimate[found.estimate["spec_id"].isin([spec.spec_id for spec in general])],
        )
    )
    assert len(rows) == 2 * len(general) > 10
    counts = ["n_obs", "n_pairs", "n_cities", "n_pilots", "panel_hash"]
    exact = [*keys, "term", "is_default", *counts, "tie_rule", "treatment_rule"]
    pd.testing.assert_frame_equal(rows[exact], expected[exact])
    numbers = ["estimate", "std_error", "ci_low", "ci_high", "p_value"]
    np.testing.assert_allclose(
        rows[numbers].astype(float), expected[numbers].astype(float), rtol=1e-8, atol=1e-11
    )


def test_curve_says_what_it_lacks_once_an_outcome(marts) -> None:
    """A series that the landing lacks gives one row for each outcome made of it, not one for each
    combination of choices.
    """
    of_hp = [spec for spec in CURVE if spec.outcome == "cm_hp"]
    (reason,) = run_study(marts[0], of_hp).not_run["reason"]
    assert "cycle_hp_pct" in reason
    bare = dataclasses.replace(marts[0], synchronization=marts[0].synchronization.iloc[:0])
    assert len(run_study(bare, CURVE).not_run) == 16


def test_tools_that_are_one_regressor_are_said_to_be_one(marts) -> None:
    """Taxes in the same places as trade facilitation, three times as strong: in units of their
    means the same; talent stands alone.
    """
    strengths = marts[0].strengths
    trade = strengths[strengths["tool"] == "trade_facilitation"]
    tax = trade.assign(tool_class="environment", tool="tax", strength=3 * trade["strength"])
    rows = pd.concat([strengths[strengths["tool"] != "tax"], tax], ignore_index=True)
    variants = ("demand_trade_facilitation", "environment_tax", "supply_talent")
    ids = [f"policy_tools.cm_growth_official.{variant}" for variant in variants]
    specs = [spec for spec in all_specs() if spec.spec_id in ids]
    same = {ids[0]: "tax", ids[1]: "trade_facilitation"}
    alike = run_study(dataclasses.replace(marts[0], strengths=rows), specs, permutations=0)
    for found, expected in ((alike, same), (run_study(marts[0], specs, permutations=0), {})):
        named = found.diagnostic[found.diagnostic["diagnostic"] == "same_regressor_as"]
        assert dict(zip(named["spec_id"], named["term"], strict=True)) == expected
        said = found.warning["warning"].str.contains("one result under several names")
        assert set(found.warning.loc[said, "spec_id"]) == set(expected)
    of_spec = alike.estimate.drop_duplicates("spec_id").set_index("spec_id")["estimate"]
    assert of_spec[ids[0]] == pytest.approx(of_spec[ids[1]])


#: The headlines that are held against pyfixest and statsmodels.
HELD = [spec for spec in all_specs() if spec.spec_id in second_implementation.SPEC_IDS]
PACKAGES = (("baseline", "pyfixest"), ("baseline", "statsmodels"), ("dynamics", "pyfixest"))


def gaps(marts, estimate: pd.DataFrame) -> dict[tuple[str, str], float]:
    rows = pd.DataFrame(differences(marts, estimate))
    found = rows[rows["diagnostic"].str.endswith("_gap") & (rows["spec_id"] != HELD[1].spec_id)]
    analyses = found["spec_id"].str.split(".").str[0]
    return dict(zip(zip(analyses, found["diagnostic"], strict=True), found["value"], strict=True))


def differences(marts, estimate: pd.DataFrame) -> list[dict]:
    rows = estimate.astype(object).where(estimate.notna(), None).to_dict("records")
    sample = build_group_sample(marts, HELD)
    return second_implementation.differences(sample, HELD, rows)


@pytest.mark.parametrize("rows_of_pyfixest", [None, 1_000])
def test_both_packages_find_the_same(marts, result, monkeypatch, rows_of_pyfixest) -> None:
    """Also where a sample is too large for pyfixest, and is held against it in part."""
    assert {spec.spec_id for spec in HELD} == set(second_implementation.SPEC_IDS)
    if rows_of_pyfixest:
        monkeypatch.setattr(second_implementation, "ROWS_OF_PYFIXEST", rows_of_pyfixest)
    found = gaps(marts[0], result.estimate)
    assert found == {
        (analysis, f"{package}_{column}_gap"): 0.0
        for column in ("estimate", "std_error")
        for analysis, package in PACKAGES
    }


def test_a_study_keeps_the_differences_beside_its_headlines(result) -> None:
    rows = result.diagnostic[result.diagnostic["diagnostic"].str.endswith("_gap")]
    assert set(rows["spec_id"]) == set(second_implementation.SPEC_IDS)
    assert (rows["value"] < 1e-9).all()


@pytest.mark.parametrize("column", ["estimate", "std_error"])
def test_a_headline_that_is_wrong_is_seen(marts, result, column: str) -> None:
    wrong = result.estimate.copy()
    wrong.loc[wrong["vcov"] == "conventional", column] *= 1.0001
    found = gaps(marts[0], wrong)
    for analysis in ("baseline", "dynamics"):
        assert found[analysis, f"pyfixest_{column}_gap"] > 1e-6


def test_statsmodels_would_see_a_mistake_of_the_solver(marts, result, monkeypatch) -> None:
    true_fit = second_implementation.fit_outcomes

    def wrong_fit(panel, **settings):
        panel.y[...] *= 1.001
        return true_fit(panel, **settings)

    monkeypatch.setattr(second_implementation, "fit_outcomes", wrong_fit)
    assert gaps(marts[0], result.estimate)["baseline", "statsmodels_estimate_gap"] > 1e-6


def test_a_spec_that_was_not_run_has_no_difference(marts, result) -> None:
    without = result.estimate[result.estimate["spec_id"] != HELD[0].spec_id]
    rows = differences(marts[0], without)
    assert HELD[0].spec_id not in {row["spec_id"] for row in rows}
