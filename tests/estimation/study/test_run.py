"""The study on fabricated marts: the contract's frames, the exact split, the truth of simulated
data, and what is said when it lacks.
"""

from __future__ import annotations

import dataclasses
import re

import duckdb
import numpy as np
import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs, curve_specs
from estimation.analyses.rules import CONCEPTS, TOOLS, TREATMENT_RULES
from estimation.fit import PairPanel, fit_panel
from estimation.sample.marts import Marts
from estimation.sample.outcomes import split_outcome
from estimation.study.run import read_marts, run_study
from estimation.study.samples import build_group_sample
from estimation.study.tables import (
    DIAGNOSTIC_COLUMNS,
    ESTIMATE_COLUMNS,
    NOT_RUN_COLUMNS,
    SPECIFICATION_COLUMNS,
    TRUTH_COLUMNS,
    WARNING_COLUMNS,
    empty_truth,
)
from estimation.study.truth import compute_truth

YEARS = np.arange(2010, 2020)
HEADLINE = "baseline.cm_growth_official.headline"
FAST = {"permutations": 99, "seed": 3}
TREATED_YEARS = sorted({rule.column for rule in TREATMENT_RULES.values()})
# every spec of the study's own marts; of the curve over tie thresholds, its two ends;
# test_referee.py has those that need more of the marts
NEED_MORE = ("mechanisms", "alternative_outcomes", "confounders", "spillovers", "leave_out")
SPECS = [
    spec
    for spec in all_specs()
    if spec.analysis not in NEED_MORE
    and (spec.analysis != "matching" or spec.variant in ("weak", "q90", "near"))
    and (spec.analysis != "study_form" or (spec.series == "growth_official" and not spec.dose))
]


def synchronize(ids: np.ndarray, **growth: np.ndarray) -> pd.DataFrame:
    """cm, comove and dispersion of every pair and year, from growth (N, T) by series."""
    left, right = np.triu_indices(len(ids), 1)
    frame = {
        "city_i_id": np.repeat(ids[left], len(YEARS)),
        "city_j_id": np.repeat(ids[right], len(YEARS)),
        "year": np.tile(YEARS, left.size),
    }
    for series, d in growth.items():
        z = (d - d.mean(1, keepdims=True)) / d.std(1, keepdims=True)
        whole, together = 1 - (z[left] - z[right]) ** 2 / 2, z[left] * z[right]
        frame |= {
            f"cm_{series}": whole.ravel(),
            f"comove_{series}": together.ravel(),
            f"dispersion_{series}": (whole - together).ravel(),
        }
    return pd.DataFrame(frame)


def economy(n_cities: int = 30, n_pilots: int = 10) -> tuple[Marts, Marts]:
    """Marts with and without an effect: after admission a pilot's growth moves towards the common
    path.
    """
    rng = np.random.default_rng(11)
    ids = 110000 + 1000 * (np.arange(n_cities) // 3) + 100 * (np.arange(n_cities) % 3)
    year = np.full(n_cities, np.nan)
    year[rng.permutation(n_cities)[:n_pilots]] = rng.choice(
        [2015, 2016, 2019], n_pilots, p=[0.4, 0.4, 0.2]
    )
    cities = pd.DataFrame(
        {
            "city_id": ids,
            "province_id": ids // 1000 * 1000,
            "province_name_en": [f"Province {i // 1000}" for i in ids],
        }
    )
    for name in TREATED_YEARS:
        cities[name] = pd.array(year, dtype="Int64")
    cities["region"] = np.where(ids < 115000, "east", "west")
    cities["gdp_mean_cny_100m"] = rng.lognormal(size=n_cities)
    cities["is_coastal"] = ids % 200 == 0
    for concept in CONCEPTS:
        cities[concept] = np.where(
            ids == 113000, np.nan, np.random.default_rng(ids).lognormal(size=n_cities)
        )
        cities[f"{concept}_basis"] = (
            "primary" if concept != "infrastructure" else "proxy:employed_information_10k"
        )
    cities["treated_year_without_texts"] = pd.array(np.full(n_cities, np.nan), dtype="Int64")
    left, right = np.triu_indices(n_cities, 1)
    pairs = pd.DataFrame(
        {
            "city_i_id": ids[left],
            "city_j_id": ids[right],
            "tie_strength": rng.lognormal(size=left.size),
        }
    )
    pairs["tie_four_factor"], pairs["distance_km"] = (
        rng.lognormal(size=left.size),
        rng.uniform(50, 2000, size=left.size),
    )
    common, own = rng.normal(size=YEARS.size), rng.normal(size=(n_cities, YEARS.size))
    treated = np.nan_to_num(year, nan=9999)[:, None] <= YEARS
    without, with_effect = (
        common + own,
        common * np.where(treated, 2, 1) + own * np.where(treated, 0.5, 1),
    )
    noise = rng.normal(scale=0.3, size=own.shape)
    found = []
    for growth in (with_effect, without):
        synchronization = synchronize(ids, growth_official=growth, growth_deflated=growth + noise)
        found.append(
            Marts(
                cities,
                pairs,
                synchronization,
                city_years(ids, growth),
                strengths=texts(ids[year > 0]),
            )
        )
    return tuple(found)


def texts(pilots: np.ndarray) -> pd.DataFrame:
    """Strength of every tool in the texts of the pilots from 2015 on, another in each."""
    rng = np.random.default_rng(4)
    rows = [
        (city, year, kind, tool)
        for city in pilots
        for year in range(2015, 2020)
        for kind, tools in TOOLS.items()
        for tool in tools
    ]
    frame = pd.DataFrame(rows, columns=["city_id", "year", "tool_class", "tool"])
    return frame.assign(strength=rng.integers(1, 40, size=len(frame)) * 0.7)


def city_years(ids: np.ndarray, growth: np.ndarray) -> pd.DataFrame:
    """Growth of the cities by year; no other series."""
    frame = {
        "city_id": np.repeat(ids, len(YEARS)),
        "year": np.tile(YEARS, len(ids)),
        "growth_official_pct": growth.ravel(),
    }
    return pd.DataFrame(frame)


@pytest.fixture(scope="module")
def marts() -> tuple[Marts, Marts]:
    return economy()


@pytest.fixture(scope="module")
def result(marts):
    return run_study(marts[0], SPECS, **FAST)


def points(frame: pd.DataFrame, spec_id: str) -> pd.Series:
    """Estimate by event time of a spec."""
    rows = frame[frame["spec_id"] == spec_id].drop_duplicates(["term", "cohort_year", "event_time"])
    return pd.Series(
        rows["estimate"].to_numpy(dtype=float),
        index=rows["event_time"].fillna(99).to_numpy(dtype=int),
    )


def test_without_pair_years_outcomes_are_made_from_city_series_one_by_one(marts, result) -> None:
    """The same rows as with them, but for what city series do not give; the study holds one outcome
    at a time then.
    """
    bare = dataclasses.replace(
        marts[0], synchronization=marts[0].synchronization.iloc[:0], years=(2010, 2019)
    )
    official = [
        spec
        for spec in SPECS
        if spec.series == "growth_official"
        and spec.analysis in ("baseline", "dynamics", "heterogeneity")
    ]
    found = run_study(bare, official, **FAST)
    keys = ["spec_id", "term", "cohort_year", "event_time", "vcov"]
    wanted = result.estimate[result.estimate["spec_id"].isin([spec.spec_id for spec in official])]
    numbers = [
        "estimate",
        "std_error",
        "ci_low",
        "ci_high",
        "p_value",
        "n_obs",
        "n_pairs",
        "n_cities",
        "n_pilots",
    ]
    pd.testing.assert_frame_equal(
        found.estimate[keys].reset_index(drop=True), wanted[keys].reset_index(drop=True)
    )
    for name in numbers:
        np.testing.assert_allclose(
            found.estimate[name].astype(float),
            wanted[name].astype(float),
            rtol=1e-9,
            atol=1e-12,
            err_msg=name,
        )
    of_pairs = next(spec for spec in all_specs() if split_outcome(spec.outcome) is None)
    assert run_study(bare, [of_pairs], **FAST).not_run["reason"].tolist() == [
        (
            f"needs {of_pairs.outcome} of all pair-years, which are too many to hold here: "
            "outcomes "
            "are made from series of cities"
        )
    ]


def test_truths_without_pair_years_are_those_with_them(marts) -> None:
    bare = [
        dataclasses.replace(one, synchronization=one.synchronization.iloc[:0], years=(2010, 2019))
        for one in marts
    ]
    specs = [
        spec
        for spec in SPECS
        if spec.series == "growth_official" and spec.analysis in ("baseline", "dynamics")
    ]
    keys = ["spec_id", "cohort_year", "event_time"]
    found, wanted = (compute_truth(*pair, specs).sort_values(keys) for pair in (bare, marts))
    assert found["spec_id"].tolist() == wanted["spec_id"].tolist() and len(found) > 3
    np.testing.assert_allclose(found["truth"], wanted["truth"], rtol=1e-9, atol=1e-12)


def test_frames_have_the_contracts_columns(result) -> None:
    expected = {
        "estimate": ESTIMATE_COLUMNS,
        "diagnostic": DIAGNOSTIC_COLUMNS,
        "not_run": NOT_RUN_COLUMNS,
        "warning": WARNING_COLUMNS,
    }
    for name, columns in expected.items():
        assert list(getattr(result, name).columns) == list(columns)
    assert set(result.estimate["spec_id"]) | set(result.not_run["spec_id"]) == {
        spec.spec_id for spec in SPECS
    }
    without_series = re.compile(
        "hp|hamilton|fitzgerald|implicit|one_vintage|index|rolling|pre_growth"
    )
    unexplained = result.not_run[~result.not_run["spec_id"].str.contains(without_series)]
    assert (
        unexplained["reason"]
        .str.startswith("no pilot of the sample was approved in July to December")
        .all()
    )
    assert result.estimate["analysis"].nunique() == 7
    treated = result.estimate[result.estimate["spec_id"] == HEADLINE]
    assert (
        points(result.estimate, HEADLINE)[99]
        == points(result.estimate, HEADLINE.replace("headline", "gdp_tercile"))[99]
    )
    assert list(treated["vcov"]) == [
        "conventional",
        "dyadic",
        "city",
        "province_jackknife",
        "permutation",
    ]
    # the study's form takes no draws: a coefficient of fewer than 4 pilots has no line left to be
    # its default
    none_left = result.estimate["analysis"].eq("study_form") & result.estimate["n_pilots"].lt(4)
    keys = ["spec_id", "term", "cohort_year", "event_time"]
    assert result.estimate[~none_left].groupby(keys, dropna=False)["is_default"].sum().eq(1).all()
    assert (
        not result.estimate.loc[none_left, "is_default"].any()
        and result.estimate.loc[none_left, "p_value"].isna().all()
    )


def test_parts_add_up_to_the_whole(result) -> None:
    """`cm` = `comove` + `dispersion`, so every coefficient splits exactly."""
    for spec in SPECS:
        if (
            spec.outcome.startswith("cm_growth_official")
            and spec.variant not in ("gdp_tercile", "twfe")
            and not spec.variant.endswith("_own_years")
        ):
            parts = [
                points(result.estimate, spec.spec_id.replace(".cm_", f".{part}_"))
                for part in ("cm", "comove", "dispersion")
            ]
            np.testing.assert_allclose(parts[0], parts[1] + parts[2], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("variant", "tie_rule"), [("headline", "strong"), ("all_pairs", "all")])
def test_estimate_is_that_of_the_kept_pairs(marts, result, variant: str, tie_rule: str) -> None:
    """The shared pass equals a fit of one outcome on a panel from which everything else was removed
    by hand.
    """
    cities, pairs, sync = marts[0].cities, marts[0].pairs, marts[0].synchronization
    year = cities.set_index("city_id")["treated_year"].where(lambda y: y <= 2019)
    n_pilots = (
        pairs["city_i_id"].map(year).notna().astype(int) + pairs["city_j_id"].map(year).notna()
    )
    kept = pairs[n_pilots < 2]
    if tie_rule == "strong":
        kept = kept[kept["tie_strength"] > kept["tie_strength"].median()]
    ids = cities["city_id"].to_numpy()
    y = (
        sync.merge(kept[["city_i_id", "city_j_id"]])["cm_growth_official"]
        .to_numpy()
        .reshape(len(kept), -1)
    )
    panel = PairPanel(
        city_i=np.searchsorted(ids, kept["city_i_id"]),
        city_j=np.searchsorted(ids, kept["city_j_id"]),
        years=YEARS,
        y=y,
        city_cohort=year.fillna(0).to_numpy(dtype=int),
        province=cities["province_id"].to_numpy(),
    )
    alone = {
        row.vcov: row
        for row in fit_panel(panel, vcov=("dyadic", "province_jackknife"), permutations=0).estimates
    }
    rows = result.estimate[
        result.estimate["spec_id"] == f"baseline.cm_growth_official.{variant}"
    ].set_index("vcov")
    for line, row in alone.items():
        assert rows.loc[line, "estimate"] == pytest.approx(row.estimate, abs=1e-11)
        assert rows.loc[line, "std_error"] == pytest.approx(row.std_error, abs=1e-11)


def test_a_spec_may_compare_with_pairs_that_are_treated_later(marts, result) -> None:
    never, later = (
        points(result.estimate, f"robustness.cm_growth_official.{name}")
        for name in ("callaway_santanna", "not_yet_treated")
    )
    spec = next(
        spec for spec in SPECS if spec.spec_id == "robustness.cm_growth_official.not_yet_treated"
    )
    sample = build_group_sample(marts[0], [spec])
    m = sample.outcomes.index(spec.outcome)
    panel = dataclasses.replace(sample.panel, y=sample.panel.y[m], cohort=None)
    alone = fit_panel(
        panel,
        estimator="callaway_santanna",
        control_pairs="not_yet_treated",
        vcov=(),
        permutations=0,
        tie_quantile=0.5,
    )
    assert later[99] == pytest.approx(alone.estimates[0].estimate, abs=1e-12)
    assert abs(later[99] - never[99]) > 1e-4


def test_truth_is_the_difference_of_the_two_estimates(marts, result) -> None:
    """Estimators are linear in the outcome: the truth of a spec is its estimate minus the one
    without the effect on the same sample.
    """
    truth = compute_truth(*marts, SPECS)
    without = run_study(dataclasses.replace(marts[1]), SPECS, permutations=0)
    assert list(truth.columns) == list(TRUTH_COLUMNS) == list(empty_truth().columns)
    for spec_id in (
        HEADLINE,
        "robustness.cm_growth_official.window_2012_2019",
        "dynamics.comove_growth_deflated.headline",
    ):
        expected = points(result.estimate, spec_id) - points(without.estimate, spec_id)
        np.testing.assert_allclose(
            points(truth.rename(columns={"truth": "estimate"}), spec_id), expected, atol=1e-11
        )
    assert compute_truth(marts[0], marts[0], SPECS)["truth"].astype(float).abs().max() < 1e-12


def test_order_of_rows_does_not_matter(marts, result) -> None:
    given = {field.name: getattr(marts[0], field.name) for field in dataclasses.fields(Marts)}
    shuffled = Marts(
        **{
            name: None if frame is None else frame.sample(frac=1, random_state=5)
            for name, frame in given.items()
        }
    )
    again = run_study(shuffled, SPECS, **FAST)
    for name in ("estimate", "diagnostic", "not_run", "warning"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(again, name), check_exact=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pairs": lambda f: f.assign(tie_strength=np.nan)}, "population_resident_10k"),
        (
            {"cities": lambda f: f.assign(**dict.fromkeys(TREATED_YEARS, pd.NA))},
            "admitted as a pilot",
        ),
        (
            {
                "synchronization": lambda f: f.drop(columns=["cm_growth_official"]),
                "city_years": lambda _: None,
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


def test_marts_are_read_from_duckdb_and_tables_keep_their_types(marts) -> None:
    """Missing outcome columns are left out, empty frames become tables with typed columns."""
    con = duckdb.connect()
    con.execute("create schema marts")
    sync = marts[0].synchronization.drop(
        columns=[c for c in marts[0].synchronization if c.endswith("deflated")]
    )
    levels = pd.DataFrame(
        {
            "city_id": np.repeat(marts[0].cities["city_id"], 2),
            "year": [2010, 2011] * 30,
            "gdp_nominal_cny_100m": [1.5, 2.5] * 30,
        }
    )
    policy = {
        "policy": ["low_carbon"] * 3,
        "city_id": [110000, 110000, 110100],
        "treated_year": [2013, 2011, 2017],
    }
    tables = {
        "dim_other_policy": pd.DataFrame(policy | {"covers_city": [True, True, False]}),
        "dim_pilot_zone": pd.DataFrame(
            {"zone_name_zh": ["a", "b"], "is_whole_prefecture": [True, False]}
        ),
        "fct_policy_tool": pd.DataFrame(
            {
                "zone_name_zh": ["a", "a", "b"],
                "city_id": 110000,
                "year": [2015, 2016, 2016],
                "tool_class": "supply",
                "tool": "talent",
                "strength": [2.0, 3.0, 50.0],
            }
        ),
        "dim_city_baseline": pd.DataFrame(
            {
                "city_id": [110000],
                "population_10k": 3.0,
                "gdp_per_head_cny": 1.0,
                "trade": 0.0,
                "is_coastal": True,
                "human_capital": 0.2,
            }
        ),
        "dim_city": marts[0]
        .cities.drop(columns=["gdp_mean_cny_100m", "is_coastal", *CONCEPTS])
        .assign(city_name_en="x"),
        "fct_city_year": levels,
        "fct_city_pair": marts[0].pairs,
        "fct_pair_synchronization": sync,
    }
    for name, frame in tables.items():
        con.register("incoming", frame)
        con.execute(f"create table marts.{name} as select * from incoming order by random()")
    read = read_marts(con)
    assert list(read.cities["gdp_mean_cny_100m"]) == [2.0] * 30
    assert read.cities["policy_year_low_carbon"].dropna().to_dict() == {0: 2011.0}
    assert read.cities["human_capital"].dropna().to_dict() == {0: 0.2}
    # a zone in a county-level city does not speak for its prefecture; every pilot but city 110000
    # is without texts
    assert read.strengths["strength"].tolist() == [2.0, 3.0]
    without = read.cities.set_index("city_id")
    assert (
        without["treated_year_without_texts"]
        .drop(110000)
        .equals(without["treated_year"].drop(110000))
    )
    assert without["treated_year_without_texts"].isna()[110000]
    found = run_study(
        read, [spec for spec in SPECS if spec.analysis == "baseline"], permutations=19, seed=1
    )
    # the build without the effect has no texts: nobody is marked as without, and the specs say what
    # they need
    con.execute("drop table marts.fct_policy_tool")
    bare = read_marts(con)
    assert bare.strengths.empty and bare.cities["treated_year_without_texts"].isna().all()
    tools = [spec for spec in SPECS if spec.analysis == "policy_tools"][:1]
    assert "policy texts" in run_study(bare, tools, permutations=0).not_run["reason"].iloc[0]
    assert set(found.not_run["spec_id"]) == {
        s.spec_id for s in SPECS if s.analysis == "baseline" and s.series == "growth_deflated"
    }
    for frame, columns in (
        (empty_truth(), TRUTH_COLUMNS),
        (found.estimate.iloc[:0], ESTIMATE_COLUMNS),
    ):
        con.register("incoming", frame)
        types = [row[1] for row in con.execute("describe select * from incoming").fetchall()]
        assert types == [
            {"str": "VARCHAR", "Int64": "BIGINT", "Float64": "DOUBLE", "boolean": "BOOLEAN"}[kind]
            for kind in columns.values()
        ]


def test_curve_is_what_the_general_estimators_give(marts) -> None:
    """A tenth of the curve's specs on a window of their own, each against the same spec through the
    general path, hash of the panel too.
    """
    window = [
        dataclasses.replace(spec, window=(2010, 2019))
        for spec in curve_specs()
        if spec.window is None
    ]
    chosen = [spec for spec in window if spec.series == "growth_official"]
    found = run_study(marts[0], [], curve=chosen)
    assert list(found.specification.columns) == list(SPECIFICATION_COLUMNS)
    assert list(found.specification["spec_id"]) == [spec.spec_id for spec in chosen]
    general = [spec for spec in chosen if spec.effects == ("pair", "year")][::10]
    expected = run_study(marts[0], general).estimate
    expected = expected[
        expected["term"].isin(["treated", "att"])
        & (expected["is_default"] | (expected["vcov"] == "conventional"))
    ]
    rows = found.estimate[found.estimate["spec_id"].isin([spec.spec_id for spec in general])]
    keys = ["spec_id", "vcov"]
    expected, rows = (frame.sort_values(keys).reset_index(drop=True) for frame in (expected, rows))
    assert len(rows) == 2 * len(general) > 10
    exact = [
        *keys,
        "term",
        "is_default",
        "n_obs",
        "n_pairs",
        "n_cities",
        "n_pilots",
        "panel_hash",
        "tie_rule",
        "treatment_rule",
    ]
    pd.testing.assert_frame_equal(rows[exact], expected[exact])
    for name in ("estimate", "std_error", "ci_low", "ci_high", "p_value"):
        np.testing.assert_allclose(
            rows[name].to_numpy(dtype=float),
            expected[name].to_numpy(dtype=float),
            rtol=1e-8,
            atol=1e-11,
        )


def test_curve_says_what_it_lacks_once_an_outcome(marts) -> None:
    """A series that the landing lacks gives one row for each outcome made of it, not one for each
    combination of choices.
    """
    found = run_study(marts[0], [], curve=curve_specs())
    lacking = found.not_run[found.not_run["spec_id"].str.startswith("specification_curve.cm_hp.")]
    assert len(lacking) == 1
    assert "cycle_hp_pct" in lacking["reason"].iloc[0]
    assert (
        len(
            run_study(
                dataclasses.replace(marts[0], city_years=None), [], curve=curve_specs()
            ).not_run
        )
        == 16
    )


def test_tools_that_are_one_regressor_are_said_to_be_one(marts) -> None:
    """Taxes in the same places as trade facilitation, three times as strong: in units of their
    means the same; talent stands alone.
    """
    strengths = marts[0].strengths
    trade = strengths[strengths["tool"] == "trade_facilitation"]
    tax = trade.assign(tool_class="environment", tool="tax", strength=3 * trade["strength"])
    alike = dataclasses.replace(
        marts[0],
        strengths=pd.concat([strengths[strengths["tool"] != "tax"], tax], ignore_index=True),
    )
    names = {
        "trade_facilitation": "demand_trade_facilitation",
        "tax": "environment_tax",
        "talent": "supply_talent",
    }
    ids = {tool: f"policy_tools.cm_growth_official.{variant}" for tool, variant in names.items()}
    specs = [spec for spec in all_specs() if spec.spec_id in ids.values()]
    for of_marts, same in (
        (alike, {"trade_facilitation": "tax", "tax": "trade_facilitation"}),
        (marts[0], {}),
    ):
        found = run_study(of_marts, specs, permutations=0)
        rows = found.diagnostic[found.diagnostic["diagnostic"] == "same_regressor_as"]
        assert dict(zip(rows["spec_id"], rows["term"], strict=True)) == {
            ids[tool]: other for tool, other in same.items()
        }
        said = found.warning[
            found.warning["warning"].str.contains("one result under several names")
        ]
        assert set(said["spec_id"]) == {ids[tool] for tool in same}
    # the two rows are one result
    points = (
        run_study(alike, specs, permutations=0)
        .estimate.drop_duplicates("spec_id")
        .set_index("spec_id")["estimate"]
    )
    assert points[ids["tax"]] == pytest.approx(points[ids["trade_facilitation"]])
