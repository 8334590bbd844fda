"""Some analyses alone: their specs, and a reason for each other one."""

from __future__ import annotations

import pandas as pd

from estimation.analyses.catalog import all_specs, curve_specs, primary_specs, radiation_specs
from orchestration.reuse.chosen_analyses import choose_specs, only_these


def test_specs_of_the_named_analyses_are_chosen() -> None:
    chosen = choose_specs(["dynamics"])
    assert {spec.analysis for spec in chosen.specs} == {"dynamics"} and chosen[1:] == ((), (), ())
    assert choose_specs(["specification_curve"]) == ((), curve_specs(), (), ())
    assert choose_specs(["primary", "radiation"]) == ((), (), primary_specs(), radiation_specs())
    assert choose_specs() == (all_specs(), curve_specs(), primary_specs(), radiation_specs())


def test_what_is_not_asked_for_is_listed_as_not_run() -> None:
    row = {"spec_id": "dynamics.y.1", "analysis": "dynamics", "reason": "needs y"}
    tables = {"not_run": pd.DataFrame([row], dtype="string"), "estimate": pd.DataFrame()}
    assert only_these(tables, ()) == tables
    found = only_these(tables, ("baseline", "dynamics"))["not_run"]
    others = [spec for kind in choose_specs() for spec in kind]
    others = {spec.spec_id: spec.analysis for spec in others}
    wanted = {k: v for k, v in others.items() if v not in ("baseline", "dynamics")}
    listed = dict(zip(found["spec_id"], found["analysis"], strict=True))
    assert listed == {"dynamics.y.1": "dynamics", **wanted}
    said = "not asked for: ANALYSES=baseline,dynamics leaves it out"
    assert found["reason"].unique().tolist() == ["needs y", said]
