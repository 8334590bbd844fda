"""Classes, gaps, year effects by class and strengths of tools against hand-worked small samples;
families of tests.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from estimation.analyses.spec import SampleError, Spec
from estimation.inference.multiple_testing import benjamini_hochberg, holm
from estimation.sample.build import build_sample
from estimation.sample.moderators import build_heterogeneity
from estimation.study.multiplicity import correct_within_families, family_of
from estimation.study.run import run_study
from tests.estimation.study.cities import economy

OUTCOME = "cm_growth_official"


def _spec(variant, **changes):
    return Spec(f"x.{OUTCOME}.{variant}", "x", OUTCOME, tie_rule="all", **changes)


@pytest.fixture(scope="module")
def given():
    marts, _ = economy()
    sample = build_sample(marts.cities, marts.pairs, marts.synchronization, _spec("a"))
    return marts, sample


def _class_of_pairs(given, moderator):
    marts, sample = given
    moderation, (diagnostics, warnings) = build_heterogeneity(
        sample, marts.cities, None, _spec("b", moderator=moderator)
    )
    names = np.array(moderation.class_names)[moderation.pair_class]
    found = {
        (int(i), int(j)): n
        for i, j, n in zip(
            sample.panel.city_ids[sample.panel.city_i],
            sample.panel.city_ids[sample.panel.city_j],
            names,
            strict=True,
        )
    }
    return found, diagnostics, warnings


def test_halves_count_the_cities_above_the_median(given):
    marts, _ = given
    level = marts.cities.set_index("city_id")["infrastructure"]
    found, diagnostics, warnings = _class_of_pairs(given, "infrastructure")
    ordered = level.dropna().sort_values()
    low, high, unknown = int(ordered.index[0]), int(ordered.index[-1]), 113000
    assert ("split_median", None, pytest.approx(float(level.median()))) in diagnostics
    assert found[min(low, high), max(low, high)] == "one_high"
    assert found[min(low, unknown), max(low, unknown)] == "unknown"
    assert found[tuple(sorted(int(c) for c in ordered.index[:2]))] == "both_low"
    assert found[tuple(sorted(int(c) for c in ordered.index[-2:]))] == "both_high"
    # a stand-in is named as one
    assert warnings == [
        (
            "infrastructure: information infrastructure is measured by a stand-in "
            "(employed_information_10k)."
        )
    ]


def test_places_divide_pairs(given):
    assert {
        pair: _class_of_pairs(given, "region_pair")[0][pair]
        for pair in ((110000, 111000), (110000, 119000), (118000, 119000))
    } == {
        (110000, 111000): "east_east",
        (110000, 119000): "east_west",
        (118000, 119000): "west_west",
    }
    provinces = _class_of_pairs(given, "same_province")[0]
    assert (
        provinces[110000, 110100] == "within_provinces"
        and provinces[110000, 111000] == "across_provinces"
    )
    coast = _class_of_pairs(given, "coastal")[0]
    assert (coast[110000, 110200], coast[110000, 110100], coast[110100, 111100]) == (
        "both",
        "one",
        "none",
    )


def test_gap_is_standardised_over_the_kept_pairs(given):
    marts, sample = given
    moderation, (diagnostics, _) = build_heterogeneity(
        sample, marts.cities, None, _spec("c", moderator="human_capital_gap")
    )
    logs = np.log(
        marts.cities.set_index("city_id")["human_capital"].loc[sample.panel.city_ids].to_numpy()
    )
    gap = np.abs(logs[sample.panel.city_i] - logs[sample.panel.city_j])
    known = sample.kept & np.isfinite(gap)
    np.testing.assert_allclose(
        moderation.gap[known], (gap[known] - gap[known].mean()) / gap[known].std()
    )
    np.testing.assert_array_equal(np.isnan(moderation.gap), np.isnan(gap))
    assert ("n_cities_unknown", None, 1) in diagnostics


def test_strength_is_in_units_of_its_mean_after_admission(given):
    marts, sample = given
    spec = _spec("d", strength=("supply", "tax"))
    moderation, (diagnostics, _) = build_heterogeneity(sample, marts.cities, marts.strengths, spec)
    treated = (sample.panel.city_cohort[:, None] > 0) & (
        sample.panel.years[None] >= sample.panel.city_cohort[:, None]
    )
    assert (moderation.city_path[~treated] == 0).all()
    np.testing.assert_allclose(moderation.city_path[treated].mean(axis=0), 1.0)
    pilot = int(np.flatnonzero(sample.panel.city_cohort > 0)[0])
    year = int(np.flatnonzero(treated[pilot])[-1])
    rows = marts.strengths[
        (marts.strengths["city_id"] == sample.panel.city_ids[pilot])
        & (marts.strengths["year"] == sample.panel.years[year])
    ]
    mean = {term: value for name, term, value in diagnostics if name == "strength_mean"}
    np.testing.assert_allclose(
        moderation.city_path[pilot, year],
        [
            rows.loc[rows["tool_class"] == "supply", "strength"].sum() / mean["supply"],
            rows.loc[rows["tool"] == "tax", "strength"].sum() / mean["tax"],
        ],
    )


def test_variation_within_cohorts_by_regression_on_dummies(given):
    """A tool that only repeats the cohort says so."""
    marts, sample = given
    spec, panel = _spec("e", strength=("tax",)), sample.panel
    built = build_heterogeneity(sample, marts.cities, marts.strengths, spec)
    moderation, (diagnostics, _) = built
    treated = (panel.city_cohort > 0)[:, None] & (panel.years >= panel.city_cohort[:, None])
    city, year = np.nonzero(treated)
    cell = panel.city_cohort[city] * 10_000 + year
    table = pd.DataFrame({"s": moderation.city_path[city, year, 0], "cell": cell})
    peer = smf.ols("s ~ C(cell)", table).fit()
    found = {name: value for name, _, value in diagnostics}
    within = np.sqrt((peer.resid**2).mean())
    assert found["strength_r2_on_cohort_and_year"] == pytest.approx(peer.rsquared, rel=1e-8)
    assert found["strength_sd_within_cohort"] == pytest.approx(within, rel=1e-8)
    same = marts.strengths.assign(strength=1.0)
    _, (diagnostics, warnings) = build_heterogeneity(sample, marts.cities, same, spec)
    assert ("strength_r2_on_cohort_and_year", "tax", 1.0) in diagnostics
    assert any("hardly tell the tool from admission" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("edit", "changes", "reason"),
    [
        (
            lambda c: c.drop(columns="human_capital"),
            {"moderator": "human_capital"},
            "human capital of 2010-2014",
        ),
        (
            lambda c: c.assign(human_capital=c["human_capital"].where(c.index < 9)),
            {"moderator": "human_capital_gap"},
            "at least 20 cities",
        ),
        (lambda c: c.assign(trade=1), {"strength": ("demand",)}, "policy texts"),
        (
            lambda c: c,
            {"moderator": "human_capital_gap", "effects": ("pair", "class_year")},
            "divides pairs into classes",
        ),
    ],
)
def test_what_the_marts_lack_is_named(given, edit, changes, reason):
    marts, sample = given
    with pytest.raises(SampleError, match=reason):
        build_heterogeneity(sample, edit(marts.cities), None, _spec("g", **changes))


def test_few_zones_with_texts_are_no_evidence(given):
    marts, _ = given
    few = marts.strengths[marts.strengths["city_id"].isin(marts.strengths["city_id"].unique()[:4])]
    result = run_study(
        dataclasses.replace(marts, strengths=few),
        [_spec("h", strength=("supply",))],
        permutations=0,
    )
    assert result.estimate.empty
    assert "at least 10 pilot cities of the sample, found 4" in result.not_run["reason"].iloc[0]


def test_adjusted_p_values_against_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).beta(0.4, 1.0, size=40)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1])
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    holes = np.where(np.arange(40) % 3 == 0, np.nan, p)
    np.testing.assert_allclose(
        benjamini_hochberg(holes)[np.isfinite(holes)],
        multipletests(p[np.isfinite(holes)], method="fdr_bh")[1],
    )
    assert np.isnan(benjamini_hochberg(holes)[::3]).all()


def test_families_do_not_mix_outcomes_or_kinds():
    ids = [
        ("heterogeneity.a.human_capital", "treated:both_high"),
        ("heterogeneity.a.coastal", "treated:both"),
    ]
    ids += [
        ("heterogeneity.a.coastal", "difference:both-none"),
        ("heterogeneity.b.coastal", "treated:both"),
        ("baseline.a.headline", "treated"),
    ]
    table = pd.DataFrame(ids, columns=["spec_id", "term"])
    table = table.assign(
        analysis=table["spec_id"].str.split(".").str[0],
        outcome=table["spec_id"].str.split(".").str[1],
        vcov="province_jackknife",
        is_default=True,
        p_value=[0.01, 0.03, 0.02, 0.04, 0.05],
    )
    judged = correct_within_families(table)
    assert judged["p_value_family"].tolist()[:4] == pytest.approx([0.02, 0.03, 0.02, 0.04])
    assert judged["family_size"].tolist()[:4] == [2, 2, 1, 1]
    assert judged["is_found"].tolist()[:4] == [True, True, True, True]
    # of no family, whatever its p
    columns = ["family", "family_size", "p_value_family", "is_found"]
    assert judged[columns].iloc[4].isna().all()
    other_line = correct_within_families(table.assign(is_default=[True, False, True, True, False]))
    assert other_line["is_found"].isna().tolist() == [False, True, False, False, True]
    no_p = correct_within_families(table.assign(p_value=[0.01, np.nan, 0.02, 0.04, 0.05]))
    assert no_p["family_size"].tolist()[0] == 1 and no_p[columns].iloc[1].isna().all()
    assert other_line["p_value_family"][0] == 0.01
    assert family_of("heterogeneity.a.human_capital_gap", "treated") is None
    assert family_of("policy_tools.a.joint", "strength:supply") == "joint_fit"
    assert family_of("heterogeneity.a.human_capital_gap", "treated:gap") == "differences"


def test_mechanisms_and_radiation_are_each_one_family_of_all_outcomes():
    ids = [
        ("mechanisms.mean_ln_patents_per_head.headline", "treated", 0.02),
        ("mechanisms.neg_abs_gap_ln_wage.headline", "treated", 0.3),
        ("mechanisms.cm_growth_official.by_novelty", "dose", 0.5),
        ("mechanisms.cm_growth_official.by_novelty", "treated", 0.001),
        ("radiation.growth_official.near_pilot_100", "exposed", 0.01),
        ("radiation.ln_fdi_per_head.own_admission", "treated", 0.02),
        ("radiation.lead_growth_official.strong", "treated", 0.03),
    ]
    table = pd.DataFrame(ids, columns=["spec_id", "term", "p_value"])
    parts = table["spec_id"].str.split(".")
    table = table.assign(analysis=parts.str[0], outcome=parts.str[1], is_default=True)
    judged = correct_within_families(table)
    corrected = [0.06, 0.6, 0.6, np.nan, 0.03, 0.04, 0.04]
    np.testing.assert_allclose(judged["p_value_family"].astype(float), corrected)
    assert judged["family"].dropna().tolist() == ["mechanisms"] * 3 + ["radiation"] * 3
    assert judged["family_size"].dropna().tolist() == [3] * 6
    assert judged["is_found"].fillna(False).tolist() == [False] * 4 + [True] * 3
