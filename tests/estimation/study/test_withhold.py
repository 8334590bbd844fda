"""Outcomes whose tests do not hold their size: the estimate and the reason stay, nothing of which a
p could be made.
"""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs, curve_specs
from estimation.analyses.without_p import why_no_p
from estimation.cli import main
from estimation.fit import fit_panel
from estimation.study.claims import Tables, find_coefficient
from estimation.study.withhold import INFERENCE, withhold
from tests.estimation.panels import long_table, random_panel

PART = "comove_growth_official"
MEASURES = ("comove", "dispersion")


def test_the_measures_are_those_of_the_study_and_the_whole_keeps_its_p():
    outcomes = {spec.outcome for spec in (*all_specs(), *curve_specs())}
    withheld = {name for name in outcomes if why_no_p(name)}
    parts = {f"{part}_growth_{s}" for part in MEASURES for s in ("official", "deflated")}
    assert parts <= withheld and all(name.startswith(MEASURES) for name in withheld)
    assert {"cm_growth_official", "neg_abs_gap_growth_official"} <= outcomes - withheld


@pytest.mark.parametrize("estimator", ["twfe", "event_study"])
def test_nothing_of_which_a_p_could_be_made_is_left(estimator):
    panel = random_panel(3, n_cities=40, n_pilots=12)
    full = fit_panel(panel, estimator=estimator, permutations=99)
    found = withhold(full, PART)
    assert [e.estimate for e in found.estimates] == [e.estimate for e in full.estimates]
    assert all(getattr(e, name) is None for e in found.estimates for name in INFERENCE)
    names = {name for name, _, _ in found.diagnostics}
    assert {"jackknife_n_provinces", "pilot_level_p"} <= names
    forbidden = "p_value|_variance|honest|breakdown|detectable|joint_|quantile|_t_|rank"
    assert not [name for name in names if re.search(forbidden, name)]
    assert found.warnings == (why_no_p(PART),)
    assert withhold(full, "cm_growth_official") is full


@pytest.mark.parametrize(("name", "is_withheld"), [(PART, True), ("comovement_of_mine", False)])
def test_fit_withholds_for_the_study_s_own_outcome_alone(tmp_path, capsys, name, is_withheld):
    table = long_table(random_panel(3, n_cities=40, n_pilots=12))
    columns = {
        "city_i_id": table["city_i"],
        "city_j_id": table["city_j"],
        "year": table["year"],
        "cohort_year": table["cohort"].where(table["cohort"] > 0),
        name: table["y"],
    }
    path = tmp_path / "panel.csv"
    pd.DataFrame(columns)[table["cohort"] >= 0].to_csv(path, index=False)
    assert main(["fit", str(path), "--outcome", name, "--permutations", "0", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    line = printed["estimates"][0]
    assert line["estimate"] is not None and (line["p_value"] is None) == is_withheld
    assert (why_no_p(PART) in printed["warnings"]) == is_withheld


def test_a_claim_on_such_a_coefficient_is_not_judged():
    row = {
        **dict.fromkeys(INFERENCE),
        "spec_id": f"study.{PART}.x",
        "term": "treated",
        "vcov": "permutation",
        "is_default": False,
        "estimate": 0.1,
        "n_pilots": 30,
        "family_size": None,
        "p_value_withheld_reason": why_no_p(PART),
    }
    diagnostic = pd.DataFrame(columns=["spec_id", "diagnostic", "term", "value"])
    tables = Tables(pd.DataFrame([row]), diagnostic, pd.DataFrame(columns=["spec_id", "reason"]))
    found = find_coefficient(tables, row["spec_id"], "treated", "permutation")
    assert (found.lacks, found.reason, found.estimate) == ("not_identified", why_no_p(PART), 0.1)
