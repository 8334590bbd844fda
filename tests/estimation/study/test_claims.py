"""Verdicts on the study's claims, each word of them reached on purpose, the seed's ids against the
catalog, outcomes whose tests do not hold their size, and what is believed of rows below 5 %.
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from estimation.analyses import study_form
from estimation.analyses.catalog import every_spec
from estimation.analyses.primary import PRIMARY
from estimation.analyses.without_p import why_no_p
from estimation.cli import main
from estimation.fit_panel import fit_panel
from estimation.study.claims import build_claims
from estimation.study.stood_out import stood_out_rows
from estimation.study.tables import COLUMNS, typed
from estimation.study.withhold import INFERENCE, withhold
from tests.estimation.panels import contract_table, random_panel

SEED = Path(__file__).resolve().parents[3] / "warehouse" / "seeds" / "study_claims.csv"
FORM, OURS, TERM = "study_form.cm_y.form", "heterogeneity.cm_y.ours", "treated"


def line(spec_id: str, vcov: str, estimate: float, p_value: float | None, **changes) -> dict:
    """One row of estimates.estimate."""
    return {
        **dict.fromkeys(COLUMNS["estimate"]),
        "spec_id": spec_id,
        "term": TERM,
        "vcov": vcov,
        "is_default": vcov == "province_jackknife",
        "n_pilots": 30,
        "estimate": estimate,
        "p_value": p_value,
        "p_value_family": p_value,
        "ci_low": estimate - 1,
        "ci_high": estimate + 1,
        **changes,
    }


# of a positive effect of 0.05 at least
CLAIM = {
    "claim_id": "c",
    "claim_en": "en",
    "claim_zh": "zh",
    "study_finding": "positive",
    "expected_direction": "positive",
    "spec_id_study_form": FORM,
    "term_study_form": TERM,
    "spec_id": OURS,
    "term": TERM,
    "uses_primary": False,
    "smallest_effect": 0.05,
}


def tables(
    *rows: dict, smallest: float | None = 0.04, diagnostics=(), reasons=(), primary=()
) -> SimpleNamespace:
    """The study's form always rejects, with +0.03; `rows` are ours."""
    found = [line(FORM, "conventional", 0.03, 1e-9), *rows]
    of_ours = {"spec_id": OURS, "term": TERM}
    mde = of_ours | {"diagnostic": "minimum_detectable_effect", "value": smallest}
    lacking = [
        {"spec_id": spec_id, "analysis": "a", "reason": reason} for spec_id, reason in reasons
    ]
    return SimpleNamespace(
        estimate=typed(found, COLUMNS["estimate"]),
        diagnostic=typed([mde, *(of_ours | more for more in diagnostics)], COLUMNS["diagnostic"]),
        not_run=typed(lacking, COLUMNS["not_run"]),
        primary=typed(
            [dict.fromkeys(COLUMNS["primary"]) | row for row in primary], COLUMNS["primary"]
        ),
    )


def judged(given: SimpleNamespace, **changes) -> pd.Series:
    """The only row of estimates.claim."""
    frame = build_claims(pd.DataFrame([CLAIM | changes]), given)
    assert list(frame.columns) == list(COLUMNS["claim"])
    return frame.iloc[0]


def drawn(estimate: float, p_value: float | None, **changes) -> dict:
    return line(OURS, "permutation", estimate, p_value, **changes)


COULD, COULD_NOT = "not_found_could_have_been", "not_found_could_not_have_been"
R2 = {"diagnostic": "strength_r2_on_cohort_and_year", "term": "supply"}
SAME = {"diagnostic": "same_regressor_as", "term": "tax", "value": 1.0}
NO_YEARS = "twfe: not identified beside the pair and year effects: treatment."
# tables, what differs in the claim, the verdict, and a part of its reason
CASES = {
    "found": (tables(drawn(0.1, 0.01)), {}, "found", "p = 0.01 (permutation)"),
    "any direction": (tables(drawn(-0.1, 0.01)), {"expected_direction": "any"}, "found", ""),
    "negative": (tables(drawn(-0.1, 0.01)), {"expected_direction": "negative"}, "found", ""),
    "the other direction": (tables(drawn(-0.1, 0.01)), {}, COULD, "opposite"),
    "p of 0.05": (tables(drawn(0.1, 0.05), smallest=0.05), {}, COULD, "p = 0.05"),
    "too small to see": (tables(drawn(0.1, 0.3), smallest=0.06), {}, COULD_NOT, "p = 0.3"),
    "no size": (tables(drawn(0.1, 0.3), smallest=None), {}, COULD_NOT, ""),
    "size by the city error": (
        tables(drawn(0.1, 0.3), line(OURS, "city", 0.1, 0.3, std_error=0.01), smallest=None),
        {},
        COULD,
        "",
    ),
    "size of the study's form": (
        tables(drawn(0.1, 0.3), smallest=0.031),
        {"smallest_effect": None},
        COULD_NOT,
        "0.03, the size of the study's form",
    ),
    "the default before the permutation": (
        tables(drawn(0.1, 0.001), line(OURS, "province_jackknife", 0.1, 0.2)),
        {},
        COULD,
        "p = 0.2 (province jackknife)",
    ),
    "corrected within its family": (
        tables(
            line(OURS, "province_jackknife", 0.1, 0.01, p_value_family=0.06, family_size=7),
        ),
        {},
        COULD,
        "p = 0.06 (province jackknife, corrected for 7 tests)",
    ),
    "the default alone": (
        tables(line(OURS, "dyadic", 0.1, 0.5), line(OURS, "province_jackknife", 0.1, 0.001)),
        {},
        "found",
        "p = 0.001 (province jackknife)",
    ),
    "four pilots": (tables(drawn(0.1, 0.01, n_pilots=4)), {}, "found", ""),
    "three pilots": (tables(drawn(0.1, 0.01, n_pilots=3)), {}, "not_identified", "at least 4"),
    "no p": (
        tables(line(OURS, "province_jackknife", 0.1, None)),
        {},
        "not_identified",
        "",
    ),
    "explained by cohort and year": (
        tables(drawn(0.1, 0.001), diagnostics=[R2 | {"value": 0.97}]),
        {},
        "not_identified",
        "97.0%",
    ),
    "not explained": (
        tables(drawn(0.1, 0.001), diagnostics=[R2 | {"value": 0.9}]),
        {},
        "found",
        "",
    ),
    "one regressor": (
        tables(drawn(0.1, 0.01), diagnostics=[SAME]),
        {},
        "found",
        "the very same regressor as tax: one result under several names",
    ),
    "a series lacks": (tables(reasons=[(OURS, "needs patents")]), {}, "not_run", "needs patents"),
    "not identified": (tables(reasons=[(OURS, NO_YEARS)]), {}, "not_identified", NO_YEARS),
    "no verdict": (
        tables(reasons=[(OURS, "No verdict: 1 provinces")]),
        {},
        "not_identified",
        "No verdict",
    ),
    "a class without pilots": (
        tables(drawn(0.1, 0.2)),
        {"term": "difference:none-both"},
        "not_identified",
        "no coefficient difference:none-both",
    ),
    "an unknown spec": (tables(), {}, "not_run", f"needs the specification {OURS}"),
    "withheld": (
        tables(drawn(0.1, None, p_value_withheld_reason="Estimate alone")),
        {},
        "not_identified",
        "Estimate alone",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_verdicts_of_the_honest_test(case: str) -> None:
    given, changes, verdict, reason = CASES[case]
    row = judged(given, **changes)
    assert row["verdict"] == verdict and reason in row["reason"]
    assert ("opposite" in row["reason"]) == (reason == "opposite")
    if verdict == "not_identified":
        assert row[["ci_low", "ci_high", "p_value", "minimum_detectable_effect"]].isna().all()


@pytest.mark.parametrize(
    ("given", "changes", "verdict"),
    [
        (tables(), {}, "reproduced"),
        (tables(), {"expected_direction": "negative"}, "not_reproduced"),
        (tables(line("f.y.x", "conventional", 0.03, 0.06)), {}, "not_reproduced"),
        (tables(reasons=[("f.y.x", "needs loans")]), {}, "not_run"),
        (tables(), {"spec_id_study_form": None}, "study_gives_none"),
    ],
)
def test_the_studys_form_is_reproduced_only_in_its_direction(given, changes, verdict) -> None:
    other = {"spec_id_study_form": "f.y.x"} if verdict != "reproduced" and not changes else {}
    assert judged(given, **changes, **other)["verdict_study_form"] == verdict


def test_the_primary_test_answers_where_the_claim_says_so() -> None:
    numbers = ("estimate", "ci_low", "ci_high", "p_value", "minimum_detectable_effect")
    row = {
        "spec_id": OURS,
        "reason": None,
        "p_value_family": 0.03,
        **dict(zip(numbers, (0.06, 0.01, 0.1, 0.02, 0.05), strict=True)),
    }
    none = {**dict.fromkeys(numbers), "spec_id": OURS, "reason": "No verdict: 2 years"}
    none["p_value_family"] = None
    for given, verdict, reason in (
        ([row], "found", "primary test"),
        # what is found is decided by the p of both series alone
        ([row | {"p_value_family": 0.06}], "not_found_could_have_been", ""),
        ([none], "not_identified", "No verdict: 2 years"),
        ([], "not_run", ""),
    ):
        found = judged(tables(primary=given), uses_primary=True)
        assert found["verdict"] == verdict and reason in found["reason"]


def test_the_seed_names_specs_that_are_run() -> None:
    """Each claim's two specs are in the catalog; what differs is compared by the same coefficient
    in both forms; the study's form counts from the calendar year on strong ties, without draws.
    """
    seed = pd.read_csv(SEED)
    known = {spec.spec_id for spec in every_spec()}
    assert len(seed) >= 11 and seed["claim_id"].is_unique
    assert seed["claim_no"].tolist() == list(range(1, len(seed) + 1))
    assert {*seed["spec_id_study_form"].dropna(), *seed["spec_id"]} <= known
    # a claim rests on a regression of its own question, or on none
    assert (
        seed["spec_id_study_form"].duplicated(keep=False).sum()
        == seed["spec_id_study_form"].isna().sum()
    )
    primary = seed["uses_primary"]
    assert seed.loc[primary, "spec_id"].str.startswith("primary.").all()
    assert seed.loc[~primary, "term"].notna().all()
    differs = seed[seed["study_finding"] == "differs"]
    assert (differs["term"] == differs["term_study_form"]).all()
    assert (differs["expected_direction"] == "any").all()
    settings = {
        (spec.treatment_rule, spec.tie_rule, spec.permutations, "conventional" in spec.vcov)
        for spec in study_form.SPECS
    }
    assert settings == {("calendar_year", "strong", 0, True)}


PART = "comove_growth_official"


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
    path = tmp_path / "panel.csv"
    table = contract_table(random_panel(3, n_cities=40, n_pilots=12))
    table.rename(columns={"y": name}).to_csv(path, index=False)
    assert main(["fit", str(path), "--outcome", name, "--permutations", "0", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    line = printed["estimates"][0]
    assert line["estimate"] is not None and (line["p_value"] is None) == is_withheld
    assert (why_no_p(PART) in printed["warnings"]) == is_withheld


def _frame(table: str, *rows: dict) -> pd.DataFrame:
    return typed([dict.fromkeys(COLUMNS[table]) | row for row in rows], COLUMNS[table])


def test_every_row_below_5_per_cent_has_its_family_and_what_is_believed():
    own = {"is_default": True, "analysis": "mechanisms", "family": "mechanisms", "family_size": 3}
    placebo = {"term": "treated", "diagnostic": "placebo_before_p"}
    in_curve = {"analysis": "specification_curve", "is_default": True, "p_value": 0.001}
    of_city = {"spec_id": PRIMARY, "p_value": 0.001, "p_value_family": 0.01}
    of_city |= {"family": "other_own_outcomes", "family_size": 8}
    frames = {
        "estimate": _frame(
            "estimate",
            {"spec_id": "a.b.c", "term": "treated", "p_value": 0.01, "p_value_family": 0.03, **own},
            {"spec_id": "a.b.d", "term": "treated", "p_value": 0.02, "p_value_family": 0.06, **own},
            {"spec_id": "a.b.g", "term": "treated", "p_value": 0.01, "p_value_family": 0.03, **own},
            {"spec_id": "a.b.e", "term": "treated", "p_value": 0.2, "p_value_family": 0.2, **own},
            {"spec_id": "a.b.c", "term": "treated", "p_value": 0.001, "is_default": False},
            {"spec_id": "a.b.f", "term": "event", "event_time": -2, "p_value": 0.04}
            | {"is_default": True, "analysis": "dynamics"},
            {"spec_id": "c.b.s1", "term": "treated", **in_curve},
        ),
        "diagnostic": _frame(
            "diagnostic",
            {"spec_id": "a.b.g", "value": 0.04, **placebo},
            {"spec_id": "a.b.c", "value": 0.4, **placebo},
        ),
        "primary": _frame("primary", {"spec_id": PRIMARY, "p_value": 0.04, "p_value_family": 0.08}),
        "channel": _frame(
            "channel",
            {"spec_id": PRIMARY, "channel": "loading", "p_value": 0.03, "p_value_bh": 0.06},
            {"spec_id": PRIMARY, "channel": "own_variance", "p_value": 0.5, "p_value_bh": 0.5},
        ),
        "placebo": _frame("placebo", {"spec_id": PRIMARY, "name": "3", "p_value": 0.02}),
        # the test of employment rejects too often where admissions follow size, that of exports not
        "own_outcome": _frame(
            "own_outcome",
            {"outcome": "employment", "comparison": "all_cities", "n_cities": 267, **of_city},
            {"outcome": "exports", "comparison": "all_cities", "n_cities": 261, **of_city},
        ),
    }
    zones = {"policy": "pilot_zones", "outcome": "growth"}
    frames["policy"] = _frame(
        "policy",
        {"spec_id": "policy.growth.zones", "comparison": "plain", "p_value": 0.01, **zones},
        {"spec_id": "policy.growth.net", "comparison": "net_of_others", "p_value": 0.03, **zones},
    )
    rows = typed(stood_out_rows(frames), COLUMNS["stood_out"])
    found = rows[["source_table", "spec_id", "belief", "family", "family_size"]].astype(object)
    assert found.where(found.notna(), None).to_numpy().tolist() == [
        ["own_outcome", PRIMARY, "found", "other_own_outcomes", 8],
        ["estimate", "a.b.c", "found", "mechanisms", 3],
        ["own_outcome", PRIMARY, "doubted", "other_own_outcomes", 8],
        ["estimate", "a.b.g", "doubted", "mechanisms", 3],
        ["estimate", "a.b.d", "not_found", "mechanisms", 3],
        ["channel", PRIMARY, "not_found", "channels", 2],
        ["primary", PRIMARY, "not_found", "growth_and_cycle", 2],
        ["placebo", PRIMARY, "no_test", None, None],
        ["policy", "policy.growth.net", "no_test", None, None],
        ["estimate", "a.b.f", "no_test", None, None],
    ]
