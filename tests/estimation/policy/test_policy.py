"""Lists of units and dates: what is taken of them, what is refused, and what the test finds."""

import dataclasses

import citysync as cs
import numpy as np
import pandas as pd
import pytest

from estimation.primary.fit_primary import fit_primary
from tests.estimation.primary.economies import within_blocks

N_BLOCKS, PER_BLOCK = 10, 8
YEARS = np.arange(2005, 2022)


def draw(seed=1, calmer=0.0, chosen=None):
    """A panel of 80 units and a list of the first three of each block, from 2012 and 2015 on, whose
    own shocks lose the share `calmer` of their variance; `chosen` picks the list by the panel.
    """
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(N_BLOCKS), PER_BLOCK)
    ids = 100 * (block + 1) + np.tile(np.arange(PER_BLOCK), N_BLOCKS)
    own = rng.normal(size=(len(ids), len(YEARS)))
    cohort = np.tile([2012, 2015, 2015, *[0] * (PER_BLOCK - 3)], N_BLOCKS)
    if chosen is not None:
        cohort = chosen(own, block)
    treated = (cohort[:, None] > 0) & (YEARS[None, :] >= cohort[:, None])
    growth = 8 + rng.normal(size=len(YEARS)) + np.where(treated, np.sqrt(1 - calmer) * own, own)
    panel = pd.DataFrame(
        {
            "city_id": np.repeat(ids, len(YEARS)),
            "year": np.tile(YEARS, len(ids)),
            "growth": growth.ravel(),
            "block_id": np.repeat(block, len(YEARS)),
        }
    )
    listed = pd.DataFrame({"unit": ids, "year": cohort})[cohort > 0].reset_index(drop=True)
    return panel, listed, growth, cohort, block


@pytest.fixture(scope="module")
def panel():
    return draw()[0]


@pytest.fixture(scope="module")
def listed():
    return draw()[1]


def run(panel, listed, **more):
    return cs.policy(panel, listed, permutations=more.pop("permutations", 199), **more)


def test_a_planted_list_is_found_and_one_without_an_effect_is_not():
    panel, listed, *_ = draw(calmer=0.9)
    fit = run(panel, listed, permutations=999)
    assert fit.primary.rejects and fit.primary.result.estimate > 0
    assert not fit.is_refused and (fit.places()["status"] == "taken").all()
    assert sum(row["weight"] for row in fit.result.weights) == pytest.approx(1)
    panel, listed, *_ = draw()
    assert not run(panel, listed, permutations=999).primary.rejects


def test_it_is_the_primary_test_in_a_window_that_begins_five_years_before_the_first_start():
    panel, listed, growth, cohort, block = draw(calmer=0.5)
    fit = run(panel, listed)
    inside = YEARS >= 2007
    given = (np.ascontiguousarray(growth[:, inside]), YEARS[inside], cohort, block)
    expected = fit_primary(*given, permutations=199)
    assert dataclasses.asdict(fit.primary.result) == dataclasses.asdict(expected)


def test_a_list_chosen_on_past_growth_is_flagged_by_its_placebo():
    def fastest(own, block):
        past = own[:, YEARS < 2015].mean(axis=1)
        place = pd.Series(past).groupby(block).rank(ascending=False)
        return np.where(place <= 3, 2015, 0)

    panel, listed, *_ = draw(chosen=fastest)
    fit = run(panel, listed)
    assert any("chosen by growth" in text for text in fit.warnings)
    assert not any("chosen" in text for text in run(*draw()[:2]).warnings)


def test_rows_that_are_not_taken_say_why(panel, listed):
    block = panel.drop_duplicates("city_id").set_index("city_id")["block_id"]
    whole = pd.DataFrame({"unit": block.index[block == 9], "year": 2015})
    more = pd.DataFrame({"unit": [100, 903, 904, 905, 906], "year": [2016, 2040, 2001, 2015, 2015]})
    listed = pd.concat([listed[listed["unit"] < 1000], whole, more], ignore_index=True)
    listed["end"] = np.where(listed["unit"] == 905, "2018", "")
    listed["scope"] = np.where(listed["unit"] == 906, "county", "city")
    fit = run(panel, listed)
    n_rejected = (fit.places()["status"] == "rejected").sum()
    assert n_rejected and any("Rows of the list that are not taken" in t for t in fit.warnings)
    places = fit.places().drop_duplicates(["unit", "status"], keep="last")
    found = places.set_index(["unit", "status"])["reason"]
    assert found[100, "rejected"].startswith("The unit is in row 1 already, from 2012 on")
    assert "after the last year" in found[903, "untreated"]
    assert f"{903} 2040" in fit.result.rule["starts"]
    assert "no period before" in found[904, "left_out"]
    assert "ended in 2018" in found[905, "left_out"]
    assert "county" in found[906, "rejected"]
    assert set(places[places["status"] == "unidentified"]["unit"]) == set(whole["unit"])


@pytest.mark.parametrize("drop", [True, False])
def test_a_year_without_rows_ends_the_window_like_a_year_without_values(panel, listed, drop):
    gap = panel["year"] == 2009
    changed = panel[~gap] if drop else panel.assign(growth=panel["growth"].mask(gap))
    fit = run(changed, listed)
    assert fit.result.rule["window"] == [2010, 2021]
    shortened, refused = fit.warnings
    assert "2010" in shortened and refused.startswith("Refused: 2 years before the first start")
    counted = panel.assign(year=panel["year"] - 2004)
    with pytest.raises(cs.PanelError, match="column year: expected years"):
        run(counted, listed)
    every_second = panel[panel["year"] % 2 == 1].query("year >= 2005")
    assert not run(every_second, listed).is_refused


def test_checks_are_rows_and_the_placebo_in_time_is_printed(panel, listed):
    fit = run(panel, listed)
    rows = fit.checks().set_index("check")
    assert list(rows.index) == [*3 * ["selection"], "time", "capped", "a_year_earlier"]
    assert rows.loc["capped", "estimate"] == dict(fit.result.checks)["capped"].estimate
    shown = f"change {rows.loc['time', 'estimate']:+.4f}  p {rows.loc['time', 'p_value']:.4f}"
    assert f"placebo in time, {rows.loc['time', 'name']}: {shown}" in str(fit)
    assert len(run(panel, listed.head(3)).checks()) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda listed: listed.head(3), "3 units of the list can be compared"),
        (lambda listed: listed.assign(year=1999), "no unit of the list can be tested"),
        (lambda listed: listed.assign(year=2040), "no unit of the list can be tested"),
        (lambda listed: listed.assign(year=2007), "2 years before the first start (2007)"),
        (lambda listed: listed[listed["unit"] < 500], "4 blocks hold units of the list and others"),
    ],
)
def test_a_list_that_the_rules_refuse_has_a_sentence_and_no_figure(panel, listed, change, reason):
    fit = run(panel, change(listed))
    assert fit.is_refused and fit.primary.result.estimate is None
    assert any(reason in text for text in fit.warnings), fit.warnings
    assert reason in " ".join(str(fit.summary()).replace("\n  ", " ").split("\n"))


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"unit": [100, 77777], "year": [2015, 2015]}, "'77777' in row 2"),
        ({"unit": [100], "year": ["soon"]}, "column year: expected a year, or a date"),
        ({"unit": [100], "date": ["2015-13-01"]}, "expected a year, or a date"),
        ({"unit": [100, 101], "year": [2015, 2015.1]}, "row 2, column year: expected a year"),
        ({"unit": [100]}, "expected a column date or year"),
        ({"year": [2015]}, "expected a column city or unit"),
        ({"unit": [100], "year": [2015], "scope": ["moon"]}, "expected one of city, province"),
        ({"unit": [100], "year": [2015], "scope": ["province"]}, "column unit: expected a block"),
        ({"unit": [9], "year": [2015]}, "expected a unit, found the block '9'; write province in"),
        ({"unit": [100, 101], "year": 2 * [2015], "outcome": ["a", "b"]}, "expected one outcome"),
        (
            {"unit": [100], "year": [2015], "outcome": ["wages"]},
            "expected synchronization, that of",
        ),
        ({"unit": [100], "year": [2015], "outcome": ["growth"]}, "found 'growth'; leave out the"),
        ({"unit": [100], "date": ["2014-09-01"], "year": [2016]}, "row 1, column year: expected"),
    ],
)
def test_a_fault_of_the_list_names_its_row_and_column(listed, said):
    with pytest.raises(cs.PanelError) as error:
        run(draw()[0], listed)
    assert said in str(error.value)


def test_a_row_that_is_taken_in_part_says_so(panel, listed):
    block = listed.assign(unit=listed["unit"].astype(object), scope="city")
    row = pd.DataFrame({"unit": [0], "year": [2015], "scope": ["province"]})
    fit = run(panel, pd.concat([block, row], ignore_index=True))
    (said,) = [text for text in fit.warnings if text.startswith("Rows of the list")]
    assert "not taken in full" in said and said.endswith(": 31.")


def test_columns_of_other_lengths_are_those_of_the_list(panel):
    with pytest.raises(cs.PanelError, match=r"list: .* found 2 in unit, 1 in year"):
        run(panel, {"unit": [100, 101], "year": [2012]})


def test_a_date_of_july_to_december_counts_from_the_next_year(panel, listed):
    dated = listed.assign(date=[f"{year}-{7 - k % 2:02d}-01" for k, year in enumerate(listed.year)])
    starts = run(panel, dated.drop(columns="year")).places()["start"]
    assert (starts - listed["year"]).tolist() == [1 - k % 2 for k in range(len(listed))]


def test_a_province_stands_for_all_units_of_the_block_and_a_named_outcome_is_that_tested(
    panel, listed
):
    block = panel.drop_duplicates("city_id").set_index("city_id")["block_id"]
    listed = listed[listed["unit"] < 1000]
    rows = pd.DataFrame({"unit": [9], "year": 2015, "scope": "province"})
    found = run(panel, pd.concat([listed, rows]).assign(outcome="synchronization"))
    whole = pd.DataFrame({"unit": block.index[block == 9], "year": 2015})
    expected = run(panel, pd.concat([listed, whole]))
    assert found.result.sample.cohort.tolist() == expected.result.sample.cohort.tolist()
    assert found.primary.result == expected.primary.result
    assert (found.places()["status"] == "unidentified").sum() == PER_BLOCK
    area = listed.assign(scope="area")
    assert run(panel, area).primary.result == run(panel, listed).primary.result


def test_a_date_takes_its_own_year_beside_it_and_units_with_gaps_are_named(panel, listed):
    dated = listed.assign(date=[f"{year - 1}-09-01" for year in listed["year"]])
    calendar = dated.assign(year=dated["year"] - 1)
    for given in (dated, calendar):
        assert run(panel, given).places()["start"].tolist() == listed["year"].tolist()
    gap = (panel["city_id"] == 107) & (panel["year"] == 2015)
    fit = run(panel.assign(growth=panel["growth"].mask(gap)), listed)
    assert any("not compared with: 107." in text for text in fit.warnings)
    assert not any("not compared with" in text for text in run(panel, listed).warnings)


def test_ids_of_digits_with_zeros_in_front_are_found(panel, listed):
    texts = [
        frame.assign(**{name: frame[name].astype(str).str.zfill(5)})
        for frame, name in ((panel, "city_id"), (listed, "unit"))
    ]
    found = run(*texts)
    assert str(found) == str(run(panel, listed))
    assert found.places()["unit"].tolist() == texts[1]["unit"].tolist()


def test_overlaps_are_counted_and_the_net_estimate_is_that_of_the_joint_regression():
    panel, listed, _, cohort, block = draw(calmer=0.5)
    other = dict(zip(listed["unit"][::2], listed["year"][::2] - 1, strict=True)) | {103: 2014}
    fit = run(panel, listed, others={"other": other})
    (overlap,) = fit.result.overlaps
    assert (overlap["n_units"], overlap["n_both"]) == (16, 15) and 0 < overlap["correlation"] < 1
    sample = fit.result.sample
    y = sample.panel.measured(sample.panel.growth)[2]
    years = sample.years
    first = np.array([other.get(unit, 9999) for unit in sample.city_ids])
    paths = [(start[:, None] > 0) & (years >= start[:, None]) for start in (cohort, first)]
    (expected, _), _ = within_blocks(y, paths, block)
    assert fit.result.net.estimate == pytest.approx(expected, abs=1e-9)
    assert fit.result.net.estimate != pytest.approx(fit.primary.result.estimate, abs=1e-6)
    as_text = {str(unit): year for unit, year in other.items()}
    assert run(panel, listed, others={"other": as_text}).result.net == fit.result.net
    with pytest.raises(cs.PanelError, match="a 0/1 dummy does not do"):
        run(panel, listed, others={"other": dict.fromkeys(other, 1)})
    with pytest.raises(cs.PanelError, match="expected units of the panel"):
        run(panel, listed, others={"other": {9999: 2014}})
    same = run(panel, listed, others={"same": dict(zip(listed.unit, listed.year, strict=True))})
    assert "same units and years" in same.result.net.reason


def test_another_policy_that_is_nearly_the_list_is_not_taken_out_of_it():
    panel, listed, *_ = draw(calmer=0.5)
    other = dict(zip(listed["unit"][::2], listed["year"][::2] - 1, strict=True)) | {103: 2014}
    same = dict(zip(listed["unit"], listed["year"] - (listed.index == 0), strict=True))
    fit = run(panel, listed, others={"other": other, "same": same})
    found = {row["other"]: row["correlation"] for row in fit.result.overlaps}
    assert found["same"] > 0.9 > found["other"]
    assert any("leaves out same: nearly the list's" in text for text in fit.warnings)
    assert fit.result.net == run(panel, listed, others={"other": other}).result.net
