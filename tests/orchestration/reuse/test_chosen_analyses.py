"""One analysis estimated anew: only its rows change, and they come out as in a run of the whole
study.
"""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from estimation.analyses.catalog import all_specs, curve_specs, primary_specs, radiation_specs
from estimation.study import run as study
from orchestration.assets.estimation import TABLES
from orchestration.reuse.chosen_analyses import (
    NoEstimates,
    UnknownAnalysis,
    choose_specs,
    only_these,
    read_estimates,
    replace_analyses,
)
from tests.orchestration.conftest import SMALL, Run


def test_specs_of_the_named_analyses_are_chosen() -> None:
    chosen = choose_specs(["dynamics"])
    assert {spec.analysis for spec in chosen.specs} == {"dynamics"} and chosen[1:] == ((), (), ())
    assert choose_specs(["specification_curve"]) == ((), curve_specs(), (), ())
    assert choose_specs(["primary", "radiation"]) == ((), (), primary_specs(), radiation_specs())
    assert choose_specs() == (all_specs(), curve_specs(), primary_specs(), radiation_specs())


def test_a_name_that_is_no_analysis_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        UnknownAnalysis, match=r"expected names among .*baseline, .*found dynamic, x; correct"
    ):
        choose_specs(["x", "baseline", "dynamic"])


def test_rows_of_other_analyses_stay() -> None:
    before = {
        "estimate": pd.DataFrame(
            {"spec_id": ["a.y.1", "b.y.1", "b.y.2"], "estimate": [1.0, 2.0, 3.0]}
        )
    }
    after = {"estimate": pd.DataFrame({"spec_id": ["b.y.1"], "estimate": [20.0]})}
    joined = replace_analyses(before, after, ["b"])["estimate"]
    assert joined.to_dict("list") == {"spec_id": ["a.y.1", "b.y.1"], "estimate": [1.0, 20.0]}


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


def test_without_an_earlier_study_there_is_nothing_to_replace_in() -> None:
    with (
        duckdb.connect() as con,
        pytest.raises(NoEstimates, match="run the study with all analyses"),
    ):
        read_estimates(con, TABLES)


@pytest.mark.e2e
def test_an_analysis_alone_gives_what_the_whole_study_gave(simulated: Run) -> None:
    """The samples of `dynamics` are shared with other analyses in a whole study; alone it must find
    the same.
    """
    with duckdb.connect(
        str(simulated.home / "published" / "citysync.duckdb"), read_only=True
    ) as con:
        before, marts = read_estimates(con, TABLES), study.read_marts(con)
    alone = study.run_study(
        marts, choose_specs(["dynamics"]).specs, permutations=int(SMALL["CITYSYNC_PERMUTATIONS"])
    )
    after = replace_analyses(before, vars(alone), ["dynamics"])
    assert len(alone.estimate)
    for table in TABLES:
        old, new = (
            frames[table].sort_values(list(before[table].columns), ignore_index=True)
            for frames in (before, after)
        )
        pd.testing.assert_frame_equal(new, old, check_dtype=False, check_exact=True)
