"""The primary test in a study: no verdict where a panel lacks what it needs, checks, placebos
judged jointly, selection; how far its estimate moved, in the unit of docs/methods, section 14.
"""

import dataclasses
import hashlib
import itertools
import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from estimation.analyses.primary import CHECKS, DECLARED, PRIMARY, cycle_id
from estimation.analyses.spec import SampleError
from estimation.defaults import DRAWS_OF_CHECKS
from estimation.measures.derived_series import add_derived_series
from estimation.primary.exposure import fit_exposure
from estimation.primary.fit_primary import fit_primary
from estimation.primary.measure import reference, standardise, synchronization
from estimation.primary.p_values import rank_p
from estimation.primary.permutation import permute_in_blocks
from estimation.primary.selection import growth_before, selection_rows, within_block_gap
from estimation.sample.exposure import exposure_of
from estimation.sample.marts import Marts
from estimation.study.claims import find_primary
from estimation.study.movement import movement_rows
from estimation.study.next_window import CODE_SHA256_UNTIL_2026_11_29, next_window_rows
from estimation.study.run import run_study
from estimation.study.tables import COLUMNS
from estimation.study.windows import Window, city_window, joint_p, settings_of, window_of
from tests.estimation.primary.economies import draw_panel, draws_of
from tests.estimation.study.cities import city_marts

STUDY = [spec for spec in DECLARED if spec.spec_id == PRIMARY]


def _marts(growth, years, cohort, block) -> Marts:
    ids = 100000 * (block + 1) + np.arange(len(cohort))
    rng, n_pairs = np.random.default_rng(2), ids.size * (ids.size - 1) // 2
    apart = rng.uniform(20, 900, n_pairs)
    ties = {"distance_km": apart, "tie_strength": rng.lognormal(size=n_pairs)}
    return city_marts(ids, cohort, growth, years, **ties)


def _only(keep):
    """The economy with these admissions alone, or these dates of them."""

    def change(growth, years, cohort, block):
        return growth, years, keep(cohort, block), block

    return change


LACKING = {
    "provinces": (
        _only(lambda c, b: np.where(b < 2, c, 0)),
        "2 {}s hold both pilots and never-treated cities, at least 3 are needed",
    ),
    "pilots": (
        _only(
            lambda c, b: np.where(np.isin(np.arange(c.size), np.flatnonzero(c)[[0, 2, 4]]), c, 0)
        ),
        "3 pilots have a never-treated city in their {}, at least 4 are needed",
    ),
    "years": (
        _only(lambda c, b: np.where(c > 0, 2012, 0)),
        "2 years before the first admission (2012), at least 3 are needed",
    ),
    "admissions": (
        _only(lambda c, b: np.where(c > 0, 2031, 0)),
        "no city is admitted inside the window",
    ),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_lacks_gives_no_verdict(case):
    """In a study, in its claims, and of the test itself, where it says what to give."""
    change, said = LACKING[case]
    growth, years, cohort, block = change(*draw_panel(3))
    tables = run_study(_marts(growth, years, cohort, block), STUDY, permutations=99)
    (row,) = tables.primary.to_dict("records")
    assert row["verdict"] == "not_identified"
    assert row["reason"] == f"No verdict: {said.format('province')}."
    numbers = ("estimate", "ci_low", "ci_high", "p_value", "minimum_detectable_effect")
    assert all(pd.isna(row[name]) for name in numbers)
    assert tables.channel.empty and tables.power.empty and tables.placebo.empty
    found = find_primary(tables, PRIMARY)
    assert (found.lacks, found.reason, found.p_value) == ("not_identified", row["reason"], None)
    alone = fit_primary(growth, years, cohort, block, permutations=99, seed=1)
    (text,) = [text for text in alone.warnings if text.startswith("No verdict")]
    assert alone.p_value is None and said.format("block") in text and "; give" in text


def _longer(n_years: int):
    growth, _, cohort, block = draw_panel(4)
    more = np.random.default_rng(1).normal(8, 1, size=(len(growth), n_years - 10))
    return np.concatenate([growth, more], axis=1), np.arange(2010, 2010 + n_years), cohort, block


def test_the_newest_window_follows_the_data_and_the_study_window_does_not():
    marts = _marts(*_longer(13))
    study = marts.synchronization.query("year <= 2019")
    marts = dataclasses.replace(marts, synchronization=study)
    specs = {spec.variant: spec for spec in DECLARED if "official" in spec.spec_id}
    ends = [window_of(marts, specs[name])[1] for name in ("newest", "study_window")]
    assert ends == [2022, 2019]
    # of the cities with growth in 2019 a fifth may lack a year, not more
    ids = np.unique(marts.city_years["city_id"])
    for lost, last in ((len(ids) // 5, 2022), (len(ids) // 5 + 1, 2021)):
        gone = (marts.city_years["year"] == 2022) & marts.city_years["city_id"].isin(ids[:lost])
        thinner = dataclasses.replace(marts, city_years=marts.city_years[~gone])
        assert window_of(thinner, specs["newest"])[1] == last
    # without 2019 it counts from the last delivered year of the study window
    early = dataclasses.replace(marts, city_years=marts.city_years.query("year < 2018"))
    assert window_of(early, specs["newest"]) == (2010, 2017)
    with pytest.raises(SampleError, match="growth_official"):
        window_of(dataclasses.replace(marts, city_years=marts.city_years[:0]), specs["newest"])


def test_both_series_of_a_window_have_rows_and_checks_stand_beside_them():
    marts = _marts(*_longer(13))
    windows = {spec.variant: city_window(marts, spec) for spec in (*STUDY, *CHECKS)}
    real = windows["newest"]
    assert (windows["a_year_earlier"].cohort == np.where(real.cohort > 0, real.cohort - 1, 0)).all()
    assert windows["without_2020_to_2022"].years.tolist() == [*range(2010, 2020)]
    tables = run_study(marts, CHECKS, permutations=99)
    of_channels = tables.channel["p_value"].to_numpy(dtype=float)
    # channels are one family
    corrected = multipletests(of_channels, method="fdr_bh")[1]
    assert tables.channel["p_value_bh"].tolist() == pytest.approx(corrected)
    assert tables.primary["spec_id"].tolist() == [
        spec_id for spec in CHECKS for spec_id in (spec.spec_id, cycle_id(spec.spec_id))
    ]
    assert tables.primary["p_value"].notna().all()
    rows = tables.primary
    assert (rows["after"] - rows["without_admission"] - rows["estimate"]).abs().max() < 1e-12
    assert (rows["p_value_family"] >= rows["p_value"]).all()
    assert ((rows["verdict"] == "found") == (rows["p_value_family"] < 0.05)).all()
    # the curve of power and the placebos belong to the declared test
    assert tables.power.empty and tables.placebo.empty


@pytest.fixture(scope="module")
def eleven_years():
    """Panel, marts and study of a window that ends a year after 2019, with one row for a curve of
    power.
    """
    given = _longer(11)
    marts = _marts(*given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "estimation.study.primary._power_rows",
            lambda spec, *given: [dict.fromkeys(COLUMNS["power"]) | {"spec_id": spec.spec_id}],
        )
        return given, marts, run_study(marts, DECLARED, permutations=99)


def test_power_is_drawn_for_official_growth_of_both_windows(eleven_years):
    drawn = eleven_years[2].power["spec_id"].str.removeprefix("primary.cm_growth_official.")
    assert drawn.tolist() == ["newest", "study_window"]


def test_refreshes_since_2019_are_judged_jointly(eleven_years):
    (growth, years, cohort, block), marts, tables = eleven_years
    row = tables.primary.iloc[0]
    ids = np.unique(marts.city_years["city_id"])
    windows = [Window(growth[:, :n], years[:n], cohort, block, ids) for n in (10, 11)]
    assert row["p_value_refreshes"] == joint_p(windows, permutations=99, seed=1)
    # however few are asked for, 20 draws at least
    few = dataclasses.replace(STUDY[0], permutations=5, seed=7)
    assert settings_of(few) == {"permutations": 20, "seed": 7}


def test_the_next_window_is_written_down_with_its_rule(eleven_years):
    (growth, years, cohort, block), _, tables = eleven_years
    last, rows = int(years[-1]), tables.next_window
    assert rows["spec_id"].tolist() == [PRIMARY, cycle_id(PRIMARY)] * 2
    assert rows["rule_name"].tolist() == ["committed"] * 2 + ["adjusted"] * 2
    # the looks of 2019 and of this window spend 5 % together
    assert rows["share_of_level"].between(0, 0.05).all()
    assert rows[["first_year", "last_year"]].drop_duplicates().values.tolist() == [[2010, last + 1]]
    assert tables.primary["rule_name"].dropna().unique().tolist() == ["committed"]
    for text, digest in zip(rows["rule"], rows["rule_sha256"], strict=True):
        assert hashlib.sha256(text.encode()).hexdigest() == digest
    rule = json.loads(rows["rule"].iloc[0])
    assert rule["window"] == [2010, last + 1] and rule["pilots"] == (cohort > 0).sum()
    # the rule is next year's, however few draws this run was given
    assert rule["permutations"] == 9999
    # the form of the publications until 2026-11-29 can be compared with theirs
    earlier = {name: value for name, value in rule.items() if name != "statistic_version"}
    earlier["code_sha256"] = CODE_SHA256_UNTIL_2026_11_29
    text = json.dumps(earlier, sort_keys=True, ensure_ascii=False)
    earlier_form = rows["rule_sha256_until_2026_11_29"].dropna()
    assert set(earlier_form) == {hashlib.sha256(text.encode()).hexdigest()}
    # over draws the statistic of a window moves with that of the window before
    permuted = permute_in_blocks(block, 99, [1, 0])
    drawn = [
        draws_of((growth[:, :n], years[:n], cohort, block), permuted).statistic()[1:]
        for n in (10, 11)
    ]
    expected = np.corrcoef(drawn)[0, 1]
    assert rows["correlation_with_last"].iloc[0] == pytest.approx(expected) and expected > 0.5
    # a date inside the window changes the rule, one after it does not
    for date, is_same in ((last + 5, True), (last, False)):
        dated = cohort.copy()
        dated[np.flatnonzero(cohort == 0)[0]] = date
        marts = _marts(growth, years, dated, block)
        other = next_window_rows(marts, STUDY[0], last, [None, None], [None, None])[0]
        assert (other["rule_sha256"] == rows["rule_sha256"].iloc[0]) is is_same


def test_checks_are_the_same_test_on_other_cities_years_and_dates(monkeypatch):
    monkeypatch.setattr("estimation.study.primary._power_rows", lambda *given: [])
    growth, _, cohort, block = _longer(13)
    # years before the window, for placebos in time
    earlier = np.random.default_rng(2).normal(8, 1, size=(len(growth), 8))
    marts = _marts(np.hstack([earlier, growth]), np.arange(2002, 2023), cohort, block)
    inside = marts.synchronization.query("year >= 2010")
    # an index that is near growth, and one city whose growth of one year rests on it alone
    of_cities = marts.city_years
    noise = np.random.default_rng(3).normal(0, 0.3, len(of_cities))
    index = of_cities["growth_official_pct"] + noise
    alone = of_cities["city_id"].eq(of_cities["city_id"].max()) & of_cities["year"].eq(2013)
    evidence = np.where(alone, "index_alone", "printed")
    of_cities = of_cities.assign(growth_index_pct=index, growth_official_evidence=evidence)
    marts = dataclasses.replace(
        marts, synchronization=inside, city_years=add_derived_series(of_cities)
    )
    tables = run_study(marts, STUDY, permutations=99)
    rows = tables.check.set_index(["check", "name", "series"]).sort_index()
    real = city_window(marts, STUDY[0])
    wide = of_cities.pivot(index="city_id", columns="year", values="growth_index_pct")
    for name, values, kept in (
        ("index_alone", wide[real.years].to_numpy(), slice(None)),
        ("without_index_alone", real.growth, slice(None, -1)),
    ):
        alone = fit_primary(
            values[kept], real.years, real.cohort[kept], real.block[kept], permutations=99
        )
        row = rows.loc[("evidence", name, "growth")]
        assert row["estimate"] == alone.estimate and row["n_cities"] == len(values[kept])
        assert (row["first_year"], row["last_year"]) == (2010, 2022)
        assert rows.loc[("evidence", name, "cycle"), "p_value"] == alone.cycle.p_value
    assert rows.loc["evidence", "joint_p_value"].isna().all()
    for kind, name, left_out in (
        ("batch", "1", real.cohort == 2014),
        ("province", "200000", real.block == 200000),
    ):
        kept = ~left_out
        alone = fit_primary(
            real.growth[kept], real.years, real.cohort[kept], real.block[kept], permutations=99
        )
        assert rows.loc[(kind, name, "growth"), "estimate"] == alone.estimate
        assert rows.loc[(kind, name, "cycle"), "p_value"] == alone.cycle.p_value
    assert (rows.loc["years"]["estimate"] != rows.loc["headline"]["estimate"].iloc[0]).all()
    (joint,) = set(rows["joint_p_value"].dropna())
    assert joint >= rows["p_value"].min()
    # what a landing lacks, and no city admitted after the window, are said
    said = rows[rows["p_value"].isna()].drop("drift")["reason"]
    assert said.str.startswith(("Not run: ", "No verdict: ")).all() and len(said) >= 4
    drift = rows.loc[("drift", "hides_a_rise", "growth")]
    placebo = tables.placebo.query("placebo == 'time'")["estimate"].abs().max()
    assert drift["estimate"] == tables.primary["ci_low"].iloc[0]
    assert drift["relative_magnitude"] == -drift["estimate"] / placebo > 0


def test_windows_judged_jointly_move_alike():
    growth, years, cohort, block = draw_panel(5)
    ids = np.arange(len(cohort))
    one = Window(growth, years, cohort, block, ids)
    alone = fit_primary(growth, years, cohort, block, permutations=199).p_value
    assert joint_p([one, one], permutations=199) == alone
    # a window without a block takes the draws of the others' cities
    rows, permuted, statistics = block > 0, permute_in_blocks(block, 199, [1, 0]), []
    fewer = Window(growth[rows], years, cohort[rows], block[rows], ids[rows])
    for window, draws in ((one, permuted), (fewer, permuted[:, rows] - 6)):
        given = (window.growth, years, window.cohort, window.block)
        statistics.append(np.abs(draws_of(given, draws).statistic()))
    largest = np.max(statistics, axis=0)
    assert joint_p([fewer, one], permutations=199) == (largest >= largest[0]).mean()
    assert joint_p([]) is None
    assert joint_p([one, dataclasses.replace(one, cohort=0 * cohort)], permutations=199) is None


def test_placebos_in_space_are_judged_jointly(monkeypatch):
    monkeypatch.setattr("estimation.study.primary._power_rows", lambda *given: [])
    marts = _marts(*draw_panel(5, per_block=8))
    placebo = run_study(marts, STUDY, permutations=99).placebo
    space = placebo[placebo["placebo"] == "space"]
    assert len(space) >= 2
    real, settings = city_window(marts, STUDY[0]), {"permutations": 99, "seed": 1}
    z, block = standardise(real.growth), np.unique(real.block, return_inverse=True)[1]
    y = synchronization(z, *reference(z, real.cohort == 0, block))
    reached = marts.cities, marts.pairs
    drawn = [
        fit_exposure(y, real.years, *exposure_of(*reached, rule, real.city_ids, 2019), **settings)[
            1
        ]
        for rule in space["name"]
    ]
    assert space["p_value"].tolist() == [rank_p(one.statistic()) for one in drawn]
    largest = np.max([np.abs(one.statistic()) for one in drawn], axis=0)
    assert set(space["joint_p_value"]) == {rank_p(largest)}
    selection = placebo[placebo["placebo"] == "selection"]
    assert selection["name"].tolist() == ["mean growth", "trend of growth", "spread of growth"]
    assert (selection["last_year"] == 2013).all()


def test_selection_is_least_squares_within_blocks_and_its_exact_permutation():
    rng = np.random.default_rng(6)
    years, block = np.arange(2010, 2016), np.repeat([0, 1, 2], 4)
    growth = rng.normal(size=(12, 6))
    cohort = np.zeros(12, dtype=int)
    cohort[[0, 4, 5, 8]] = 2014
    found = selection_rows(growth, years, cohort, block, permutations=9999, seed=1)
    for row, values in zip(found, growth_before(growth, years, 2014).values(), strict=True):
        dummies = (block[:, None] == np.arange(3)).astype(float)
        peer = sm.OLS(values, np.column_stack([cohort > 0, dummies])).fit(cov_type="HC0")
        assert row["estimate"] == pytest.approx(peer.params[0], abs=1e-12)
        gap, error = within_block_gap(values, (cohort > 0)[None], block)
        assert error[0] == pytest.approx(peer.bse[0], rel=1e-9)
        assert row["ci_high"] - row["estimate"] == pytest.approx(row["estimate"] - row["ci_low"])
        statistics = []
        for first, second, third in itertools.product(
            range(4), itertools.combinations(range(4, 8), 2), range(8, 12)
        ):
            admitted = np.isin(np.arange(12), [first, *second, third])
            b, e = within_block_gap(values, admitted[None], block)
            statistics.append(abs(b[0]) / e[0])
        assert row["p_value"] == pytest.approx(
            np.mean(np.array(statistics) >= abs(gap[0]) / error[0] - 1e-9)
        )
    moved = growth + 5.0 * (cohort > 0)[:, None]
    assert (
        selection_rows(moved, years, cohort, block, permutations=9999, seed=1)[0]["p_value"] < 0.05
    )


@pytest.fixture(scope="module")
def a_year_more():
    growth, years, cohort, block = _longer(11)
    return [(growth[:, :n], years[:n], cohort, block) for n in (10, 11)]


def primary_of(panel) -> pd.DataFrame:
    found = fit_primary(*panel, permutations=99, seed=1)
    rows = [(PRIMARY, found.last_year, found.estimate)]
    rows.append((cycle_id(PRIMARY), found.last_year, found.cycle.estimate))
    return pd.DataFrame(rows, columns=["spec_id", "last_year", "estimate"])


def test_a_move_is_divided_by_its_deviation_under_one_dealing(a_year_more):
    marts = [_marts(*panel) for panel in a_year_more]
    old, new = (primary_of(panel) for panel in a_year_more)
    rows = movement_rows(*marts, STUDY, old, new).set_index("spec_id")
    assert rows.index.tolist() == [PRIMARY, cycle_id(PRIMARY)]
    # a draw of admissions moves both windows alike
    permuted = permute_in_blocks(a_year_more[0][3], DRAWS_OF_CHECKS, [1, 0])
    drawn = [draws_of(panel, permuted).estimate for panel in a_year_more]
    deviation = np.std((drawn[1] - drawn[0])[1:], ddof=1)
    row = rows.loc[PRIMARY]
    assert (row["old_last_year"], row["last_year"]) == (2019, 2020)
    assert row["change"] == pytest.approx(new["estimate"][0] - old["estimate"][0])
    assert row["deviation"] == pytest.approx(deviation)
    assert row["change_in_deviations"] == pytest.approx(row["change"] / deviation)


def test_the_same_data_have_no_unit_and_a_window_that_lacks_says_why(a_year_more):
    marts, primary = _marts(*a_year_more[1]), primary_of(a_year_more[1])
    rows = movement_rows(marts, marts, STUDY, primary, primary)
    assert (rows["change"] == 0).all() and rows["change_in_deviations"].isna().all()
    without = dataclasses.replace(
        marts, city_years=marts.city_years.drop(columns="growth_official_pct")
    )
    rows = movement_rows(without, marts, STUDY, primary, primary)
    assert rows["deviation"].isna().all()
    assert rows["reason"].str.startswith("Not computed: needs the column").all()
