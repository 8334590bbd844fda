"""What earlier runs wrote down for a window is compared with what is run, and run as written."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from estimation.analyses.primary import DECLARED, PRIMARY, cycle_id
from estimation.primary.written_rule import text_and_hash
from estimation.study.next_window import (
    CODE_SHA256_UNTIL_2026_11_29,
    next_window_rows,
    rules_of,
)
from estimation.study.primary import run_primary_spec
from estimation.study.primary_checks import adjusted_over_refreshes, fit_adjusted_window
from estimation.study.promises import promise_rows
from estimation.study.windows import city_window
from tests.estimation.primary.economies import draw_panel
from tests.estimation.study.cities import city_marts

(SPEC,) = [dataclasses.replace(s, permutations=99) for s in DECLARED if s.spec_id == PRIMARY]
NONE = [None, None]


@pytest.fixture(scope="module")
def run():
    """Marts with size and coast, `estimates.primary` of a run, and its last year."""
    growth, years, cohort, block = draw_panel(3, calmer=0.6)
    ids = 100000 * (block + 1) + np.arange(len(cohort))
    marts = city_marts(ids, cohort, growth, years)
    product = pd.DataFrame({"city_id": ids, "year": 2009, "gdp_nominal_cny_100m": 9.0 + ids % 37})
    others = marts.city_years.drop(columns="gdp_nominal_cny_100m", errors="ignore")
    city_years = pd.concat([product, others])
    marts = dataclasses.replace(
        marts, cities=marts.cities.assign(is_coastal=ids % 2 == 0), city_years=city_years
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_power_rows", "check_rows", "placebos_in_space", "placebo_of_later"):
            patch.setattr(f"estimation.study.primary.{name}", lambda *given: [])
        rows = run_primary_spec(marts, [SPEC])
    return marts, pd.DataFrame(rows["primary"]), int(years[-1])


def written(marts, last_year, run_id="20260101T000000.000000Z", **changes):
    """What a run of the year before wrote, with changes of the committed rule."""
    rows = pd.DataFrame(next_window_rows(marts, SPEC, last_year - 1, NONE, NONE))
    for place, row in rows.iterrows():
        if changes and row["rule_name"] == "committed":
            text, digest = text_and_hash({**json.loads(row["rule"]), **changes})
            rows.loc[place, ["rule", "rule_sha256"]] = text, digest
    return rows.assign(run_id=run_id)


def _promises(run, written):
    marts, primary, _ = run
    return promise_rows(marts, [SPEC], primary, written).set_index(["rule_name", "spec_id"])


def test_a_rule_that_did_not_change_was_run_as_written(run):
    marts, primary, last_year = run
    # the draws of this test are fewer than those of the rule, in this run and in what was written
    found = _promises(run, written(marts, last_year))
    assert (found["status"] == "as_written").all() and len(found) == 4
    row, own = found.loc["committed", PRIMARY], primary.set_index("spec_id").loc[PRIMARY]
    assert row["estimate"] == row["estimate_written"] == own["estimate"]
    assert row["rule_sha256"] == row["rule_sha256_written"] == own["rule_sha256"]
    assert row["p_value_refreshes"] == own["p_value_refreshes"]
    adjusted = found.loc["adjusted", cycle_id(PRIMARY)]
    assert adjusted["estimate"] == adjusted["estimate_written"] != own["estimate"]
    assert found["is_found_at_last"].notna().all()


def test_one_look_alone_has_the_p_of_the_larger_measure(run):
    marts, _, _ = run
    settings = {"permutations": 199, "seed": 4}
    window = city_window(marts, SPEC)
    assert window.years[-1] == 2019
    alone = fit_adjusted_window(marts, window, settings)
    larger = (alone.p_value_larger, alone.cycle.p_value_larger)
    assert adjusted_over_refreshes(marts, window, settings) == larger


def test_a_planted_change_is_reported_with_both_results(run):
    marts, _, last_year = run
    first = written(marts, last_year, seed=5, permutations=199)
    later = written(marts, last_year, "20260201T000000.000000Z")
    found = _promises(run, pd.concat([first, later], ignore_index=True))
    row = found.loc["committed", PRIMARY]
    assert row["status"] == "changed"
    assert row["what_changed"] == "permutations: 199 -> 9999; seed: 5 -> 1"
    assert row["written_by"] == "20260101T000000.000000Z"
    assert row["changed_since"] == "20260201T000000.000000Z"
    assert row["estimate_written"] == row["estimate"] and row["reason"] == ""
    assert row["p_value_family_written"] != row["p_value_family"]
    assert (found.loc["adjusted", "status"] == "as_written").all()
    # changed by this run alone
    alone = _promises(run, first).loc["committed", PRIMARY]
    assert alone["changed_since"] == "this run"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"statistic_version": 0}, "has version 0 of the statistic"),
        ({"pilots_sha256": "0" * 64}, "pilots_sha256 changed"),
        ({"controls": "of_the_moon"}, "controls is 'of_the_moon', this code knows never_in"),
        ({"treatment": "when it rains"}, "treatment is 'when it rains'"),
        ({"permutations": 5}, "permutations is 5, a whole number of at least 20"),
    ],
)
def test_a_rule_that_its_text_cannot_run_says_why(run, changes, said):
    marts, _, last_year = run
    row = _promises(run, written(marts, last_year, **changes)).loc["committed", PRIMARY]
    assert row["status"] == "changed" and said in row["reason"]
    assert pd.isna(row["estimate_written"]) and not pd.isna(row["estimate"])


def test_a_fault_of_the_code_is_no_rule_that_cannot_be_run(run, monkeypatch):
    def faulty(*given, **settings):
        raise KeyError("cohort")

    monkeypatch.setattr("estimation.study.promises.fit_window", faulty)
    marts, _, last_year = run
    with pytest.raises(KeyError, match="cohort"):
        _promises(run, written(marts, last_year, permutations=199))


def test_a_rule_that_this_run_lacks_the_data_for_says_so(run):
    marts, primary, last_year = run
    rows = written(marts, last_year)
    others = marts.city_years.drop(columns="gdp_nominal_cny_100m")
    found = _promises((dataclasses.replace(marts, city_years=others), primary, last_year), rows)
    row = found.loc["adjusted", PRIMARY]
    assert "needs gdp_nominal_cny_100m" in row["reason"]
    assert pd.isna(row["estimate"]) and not pd.isna(found.loc["committed", PRIMARY]["estimate"])


def test_rules_of_earlier_publications_are_read_in_their_form(run):
    marts, _, last_year = run
    rows = written(marts, last_year).query("rule_name == 'committed'")
    rule = rules_of(marts, SPEC, last_year)["committed"]
    earlier = {key: value for key, value in rule.items() if key != "statistic_version"}
    earlier["code_sha256"] = CODE_SHA256_UNTIL_2026_11_29
    text, digest = text_and_hash(earlier)
    rows = rows.assign(rule=text, rule_sha256=digest).drop(columns="rule_name")
    assert _promises(run, rows)["status"].tolist() == ["as_written"] * 2


def test_without_a_promise_there_is_no_row(run):
    marts, _, last_year = run
    assert _promises(run, pd.DataFrame()).empty
    assert _promises(run, written(marts, last_year + 1)).empty
