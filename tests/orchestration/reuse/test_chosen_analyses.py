"""Some analyses alone: their rows come out as in a run of the whole study."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs, curve_specs, primary_specs, radiation_specs
from estimation.study import run as study
from orchestration.reuse.chosen_analyses import choose_specs, only_these
from tests.orchestration.conftest import SMALL, Run


def test_specs_of_the_named_analyses_are_chosen() -> None:
    chosen = choose_specs(["dynamics"])
    assert {spec.analysis for spec in chosen.specs} == {"dynamics"} and chosen[1:] == ((), (), ())
    assert choose_specs(["specification_curve"]) == ((), curve_specs(), (), ())
    assert choose_specs(["primary", "radiation"]) == ((), (), primary_specs(), radiation_specs())
    assert choose_specs() == (all_specs(), curve_specs(), primary_specs(), radiation_specs())


def test_what_is_not_asked_for_is_listed_as_not_run() -> None:
    not_run = pd.DataFrame(
        {"spec_id": ["dynamics.y.1"], "analysis": ["dynamics"], "reason": ["needs y"]},
        dtype="string",
    )
    tables = {"not_run": not_run, "estimate": pd.DataFrame({"spec_id": []})}
    assert only_these(tables, ()) == tables
    found = only_these(tables, ("baseline", "dynamics"))["not_run"]
    specs = {
        spec.spec_id: spec.analysis
        for kind in choose_specs()
        for spec in kind
        if spec.analysis not in ("baseline", "dynamics")
    }
    assert dict(zip(found["spec_id"], found["analysis"], strict=True)) == {
        "dynamics.y.1": "dynamics",
        **specs,
    }
    assert found["reason"].unique().tolist() == [
        "needs y",
        "not asked for: ANALYSES=baseline,dynamics leaves it out",
    ]


@pytest.mark.e2e
def test_an_analysis_alone_gives_what_the_whole_study_gave(simulated: Run) -> None:
    """The samples of `dynamics` are shared with other analyses in a whole study; alone it must find
    the same.
    """
    with duckdb.connect(
        str(simulated.home / "published" / "citysync.duckdb"), read_only=True
    ) as con:
        marts = study.read_marts(con)
        query = "from estimates.estimate where spec_id like 'dynamics.%'"
        whole = con.execute(query).df()
    alone = study.run_study(
        marts, choose_specs(["dynamics"]).specs, permutations=int(SMALL["CITYSYNC_PERMUTATIONS"])
    ).estimate
    assert len(alone)
    columns = list(whole.columns)
    pd.testing.assert_frame_equal(
        alone[columns].sort_values(columns, ignore_index=True),
        whole.sort_values(columns, ignore_index=True),
        check_dtype=False,
        check_exact=True,
    )
