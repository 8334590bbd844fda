"""Rows below 5 % before correction, of every table, with what is believed of them."""

import pandas as pd

from estimation.study.stood_out import stood_out_rows
from estimation.study.tables import COLUMNS, typed

SPEC = "primary.cm_growth_official.newest"


def _frame(table: str, *rows: dict) -> pd.DataFrame:
    return typed([dict.fromkeys(COLUMNS[table]) | row for row in rows], COLUMNS[table])


def test_every_row_below_5_per_cent_has_its_family_and_what_is_believed():
    own = {"is_default": True, "analysis": "mechanisms", "family": "mechanisms", "family_size": 3}
    placebo = {"term": "treated", "diagnostic": "placebo_before_p"}
    in_curve = {"analysis": "specification_curve", "is_default": True, "p_value": 0.001}
    of_city = {"spec_id": SPEC, "p_value": 0.001, "p_value_family": 0.01}
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
        "primary": _frame("primary", {"spec_id": SPEC, "p_value": 0.04, "p_value_family": 0.08}),
        "channel": _frame(
            "channel",
            {"spec_id": SPEC, "channel": "loading", "p_value": 0.03, "p_value_bh": 0.06},
            {"spec_id": SPEC, "channel": "own_variance", "p_value": 0.5, "p_value_bh": 0.5},
        ),
        "placebo": _frame("placebo", {"spec_id": SPEC, "name": "3", "p_value": 0.02}),
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
        ["own_outcome", SPEC, "found", "other_own_outcomes", 8],
        ["estimate", "a.b.c", "found", "mechanisms", 3],
        ["own_outcome", SPEC, "doubted", "other_own_outcomes", 8],
        ["estimate", "a.b.g", "doubted", "mechanisms", 3],
        ["estimate", "a.b.d", "not_found", "mechanisms", 3],
        ["channel", SPEC, "not_found", "channels", 2],
        ["primary", SPEC, "not_found", "growth_and_cycle", 2],
        ["placebo", SPEC, "no_test", None, None],
        ["policy", "policy.growth.net", "no_test", None, None],
        ["estimate", "a.b.f", "no_test", None, None],
    ]
