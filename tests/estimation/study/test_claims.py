"""Verdicts on the study's claims, each word of them reached on purpose; and the seed's ids against
the catalog.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estimation.analyses import heterogeneity, study_form
from estimation.analyses.catalog import all_specs, primary_specs, radiation_specs
from estimation.study.claims import Tables, build_claims, find_coefficient
from estimation.study.tables import (
    CLAIM_COLUMNS,
    DIAGNOSTIC_COLUMNS,
    ESTIMATE_COLUMNS,
    NOT_RUN_COLUMNS,
    typed,
)

SEED = Path(__file__).resolve().parents[3] / "warehouse" / "seeds" / "study_claims.csv"
FORM, OURS, TERM = "study_form.cm_y.form", "heterogeneity.cm_y.ours", "treated"


def line(spec_id: str, vcov: str, estimate: float, p_value: float | None, **changes) -> dict:
    """One row of estimates.estimate."""
    row = dict.fromkeys(ESTIMATE_COLUMNS)
    row |= {
        "spec_id": spec_id,
        "term": TERM,
        "vcov": vcov,
        "is_default": vcov == "province_jackknife",
        "n_pilots": 30,
    }
    return (
        row
        | {
            "estimate": estimate,
            "p_value": p_value,
            "ci_low": estimate - 1,
            "ci_high": estimate + 1,
        }
        | changes
    )


def claim(**changes) -> dict:
    """One claim, of a positive effect of 0.05 at least."""
    texts = {
        "claim_id": "c",
        "claim_en": "en",
        "claim_zh": "zh",
        "study_finding": "positive",
        "expected_direction": "positive",
    }
    ids = {"spec_id_study_form": FORM, "term_study_form": TERM, "spec_id": OURS, "term": TERM}
    return texts | ids | {"uses_primary": False, "smallest_effect": 0.05} | changes


def tables(
    *rows: dict, smallest: float | None = 0.04, diagnostics=(), reasons=(), primary=None
) -> Tables:
    """The study's form always rejects, with +0.03; `rows` are ours."""
    found = [line(FORM, "conventional", 0.03, 1e-9), *rows]
    numbers = [
        {
            "spec_id": OURS,
            "diagnostic": "minimum_detectable_effect",
            "term": TERM,
            "value": smallest,
        },
        *diagnostics,
    ]
    lacking = [
        {"spec_id": spec_id, "analysis": "a", "reason": reason} for spec_id, reason in reasons
    ]
    return Tables(
        typed(found, ESTIMATE_COLUMNS),
        typed(numbers, DIAGNOSTIC_COLUMNS),
        typed(lacking, NOT_RUN_COLUMNS),
        primary,
    )


def judged(given: Tables, **changes) -> pd.Series:
    """The only row of estimates.claim."""
    frame = build_claims(pd.DataFrame([claim(**changes)]), given)
    assert list(frame.columns) == list(CLAIM_COLUMNS)
    return frame.iloc[0]


def test_the_permutation_is_read_where_there_is_one_and_the_default_line_else():
    both = [
        line(OURS, "province_jackknife", 0.1, 0.001),
        line(OURS, "permutation", 0.1, 0.2, ci_low=-0.02),
    ]
    assert (judged(tables(*both))["p_value"], judged(tables(*both))["ci_low"]) == (0.2, -0.02)
    assert judged(tables(*both[:1]))["p_value"] == 0.001


@pytest.mark.parametrize(
    ("estimate", "p_value", "direction", "smallest", "verdict"),
    [
        (0.1, 0.01, "positive", 0.04, "found"),
        (-0.1, 0.01, "any", 0.04, "found"),
        (-0.1, 0.01, "negative", 0.04, "found"),
        (-0.1, 0.01, "positive", 0.04, "not_found_could_have_been"),
        (0.1, 0.05, "positive", 0.05, "not_found_could_have_been"),
        (0.1, 0.30, "positive", 0.06, "not_found_could_not_have_been"),
        (0.1, 0.30, "any", None, "not_found_could_not_have_been"),
    ],
)
def test_verdicts_of_the_honest_test(estimate, p_value, direction, smallest, verdict):
    row = judged(
        tables(line(OURS, "permutation", estimate, p_value), smallest=smallest),
        expected_direction=direction,
    )
    assert row["verdict"] == verdict
    assert f"p = {p_value:.3g} (permutation)" in row["reason"]
    assert ("opposite" in row["reason"]) == (p_value < 0.05 and verdict != "found")


def test_without_a_diagnostic_the_smallest_effect_is_that_of_the_city_error():
    rows = (line(OURS, "permutation", 0.1, 0.3), line(OURS, "city", 0.1, 0.3, std_error=0.01))
    row = judged(tables(*rows, smallest=None))
    assert (
        row["minimum_detectable_effect"] == pytest.approx(0.028)
        and row["verdict"] == "not_found_could_have_been"
    )


def test_without_a_declared_size_the_size_of_the_studys_form_is_looked_for():
    row = judged(tables(line(OURS, "permutation", 0.1, 0.3), smallest=0.031), smallest_effect=None)
    assert (
        row["verdict"] == "not_found_could_not_have_been"
        and "0.03, the size of the study's form" in row["reason"]
    )
    nothing = Tables(
        *(
            frame[frame["spec_id"] == OURS]
            for frame in vars(tables(line(OURS, "permutation", 0.1, 0.3))).values()
            if frame is not None
        )
    )
    row = judged(nothing, smallest_effect=None)
    assert (row["verdict_study_form"], row["verdict"]) == (
        "not_run",
        "not_found_could_not_have_been",
    )


def test_fewer_than_four_pilots_or_no_p_is_not_identified_and_prints_no_p():
    row = judged(tables(line(OURS, "permutation", 0.1, 0.01, n_pilots=3)))
    assert row["verdict"] == "not_identified" and "at least 4" in row["reason"]
    assert (
        row[["ci_low", "ci_high", "p_value", "minimum_detectable_effect"]].isna().all()
        and row["estimate"] == 0.1
    )
    assert (
        judged(tables(line(OURS, "province_jackknife", 0.1, None)))["verdict"] == "not_identified"
    )


def test_a_tool_that_cohort_and_year_explain_is_not_identified():
    explained = {
        "spec_id": OURS,
        "diagnostic": "strength_r2_on_cohort_and_year",
        "term": "supply",
        "value": 0.97,
    }
    row = judged(tables(line(OURS, "permutation", 0.1, 0.001), diagnostics=[explained]))
    assert row["verdict"] == "not_identified" and "97.0%" in row["reason"]
    row = judged(
        tables(line(OURS, "permutation", 0.1, 0.001), diagnostics=[explained | {"value": 0.9}])
    )
    assert row["verdict"] == "found"


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("needs patents_granted without gaps", "not_run"),
        ("twfe: not identified beside the pair and year effects: treatment.", "not_identified"),
        (
            (
                "No verdict: 1 provinces hold both pilots and never-pilots, at least 3 are needed; "
                "give more cities"
            ),
            "not_identified",
        ),
    ],
)
def test_what_was_not_run_says_why(reason, verdict):
    row = judged(tables(reasons=[(OURS, reason)]))
    assert (row["verdict"], row["reason"]) == (verdict, reason)


def test_a_class_without_pilots_is_not_identified_and_an_unknown_spec_is_not_run():
    row = judged(tables(line(OURS, "permutation", 0.1, 0.2)), term="difference:none-both")
    assert (
        row["verdict"] == "not_identified"
        and "no coefficient difference:none-both" in row["reason"]
    )
    row = judged(tables())
    assert row["verdict"] == "not_run" and f"needs the specification {OURS}" in row["reason"]


def test_the_studys_form_is_reproduced_only_in_its_direction():
    assert judged(tables())["verdict_study_form"] == "reproduced"
    assert judged(tables(), expected_direction="negative")["verdict_study_form"] == "not_reproduced"
    weak = tables()
    weak.estimate.loc[0, "p_value"] = 0.06
    assert judged(weak)["verdict_study_form"] == "not_reproduced"
    assert (
        judged(tables(reasons=[("f.y.x", "needs loans")]), spec_id_study_form="f.y.x")[
            "verdict_study_form"
        ]
        == "not_run"
    )


def test_the_primary_test_answers_where_the_claim_says_so():
    row = {
        "spec_id": OURS,
        "estimate": 0.06,
        "ci_low": 0.01,
        "ci_high": 0.1,
        "p_value": 0.02,
        "p_value_family": 0.03,
        "minimum_detectable_effect": 0.05,
    }
    # what is found is decided by the p of both series alone
    apart = pd.DataFrame([row | {"p_value_family": 0.06, "reason": ""}])
    assert judged(tables(primary=apart), uses_primary=True)["verdict"] != "found"
    found = judged(tables(primary=pd.DataFrame([row | {"reason": None}])), uses_primary=True)
    assert (
        found["verdict"] == "found"
        and found["ci_low"] == 0.01
        and "primary test" in found["reason"]
    )
    none = row | dict.fromkeys(
        ("estimate", "ci_low", "ci_high", "p_value_family", "minimum_detectable_effect"), None
    )
    none |= {"reason": "No verdict: 2 years before the first admission"}
    row = judged(tables(primary=pd.DataFrame([none])), uses_primary=True)
    assert (row["verdict"], row["reason"]) == ("not_identified", none["reason"])
    for empty in (None, pd.DataFrame({"spec_id": []})):
        assert judged(tables(primary=empty), uses_primary=True)["verdict"] == "not_run"


def test_a_line_that_lacks_is_replaced_by_the_default():
    found = find_coefficient(
        tables(line(OURS, "dyadic", 1.0, 0.5), line(OURS, "province_jackknife", 2.0, 0.4)),
        OURS,
        TERM,
        "permutation",
    )
    assert (found.estimate, found.line) == (2.0, "province jackknife")


def test_the_seed_names_specs_that_are_run():
    """Each claim's two specs are in the catalog."""
    seed = pd.read_csv(SEED)
    known = {spec.spec_id for spec in (*all_specs(), *primary_specs(), *radiation_specs())}
    ours = seed[~seed["uses_primary"]]
    assert (
        len(seed) >= 11
        and seed["claim_id"].is_unique
        and seed["claim_no"].tolist() == list(range(1, len(seed) + 1))
    )
    assert {*seed["spec_id_study_form"], *seed["spec_id"]} <= known
    assert (
        seed.loc[seed["uses_primary"], "spec_id"].str.startswith("primary.").all()
        and ours["term"].notna().all()
    )
    # what differs is compared by the same coefficient in both forms
    differs = seed[seed["study_finding"] == "differs"]
    assert (differs["term"] == differs["term_study_form"]).all() and (
        differs["expected_direction"] == "any"
    ).all()


def test_the_studys_form_counts_from_the_calendar_year_on_strong_ties():
    for spec in study_form.SPECS:
        assert (spec.treatment_rule, spec.tie_rule, spec.permutations) == (
            "calendar_year",
            "strong",
            0,
        )
        assert "conventional" in spec.vcov
    assert set(study_form.DIFFERS) <= {spec.variant for spec in heterogeneity.SPECS}


def test_a_tool_that_cannot_be_told_from_another_is_said_to_be_one_with_it():
    same = {"spec_id": OURS, "diagnostic": "same_regressor_as", "term": "tax", "value": 1.0}
    row = judged(tables(line(OURS, "permutation", 0.1, 0.01), diagnostics=[same]))
    assert row["verdict"] == "found" and row["reason"].endswith(
        "the very same regressor as tax: one result under several names"
    )
    assert "regressor" not in judged(tables(line(OURS, "permutation", 0.1, 0.01)))["reason"]
