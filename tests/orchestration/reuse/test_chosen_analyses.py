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


def test_specs_of_the_named_analyses_are_chosen_and_a_wrong_name_is_refused() -> None:
    chosen = choose_specs(["dynamics"])
    assert {spec.analysis for spec in chosen.specs} == {"dynamics"} and chosen[1:] == ((), (), ())
    assert choose_specs(["specification_curve"]) == ((), curve_specs(), (), ())
    assert choose_specs(["primary", "radiation"]) == ((), (), primary_specs(), radiation_specs())
    assert choose_specs() == (all_specs(), curve_specs(), primary_specs(), radiation_specs())
    said = r"expected names among .*baseline, .*found dynamic, x; correct"
    with pytest.raises(UnknownAnalysis, match=said):
        choose_specs(["x", "baseline", "dynamic"])


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


def test_without_an_earlier_study_there_is_nothing_to_replace_in() -> None:
    with duckdb.connect() as con, pytest.raises(NoEstimates, match="run the study with all"):
        read_estimates(con, TABLES)


@pytest.mark.e2e
def test_an_analysis_alone_gives_what_the_whole_study_gave(simulated: Run) -> None:
    """The samples of `dynamics` are shared with other analyses in a whole study; alone it must find
    the same, and rows of other analyses stay.
    """
    path = simulated.home / "published" / "citysync.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        before, marts = read_estimates(con, TABLES), study.read_marts(con)
    draws = int(SMALL["CITYSYNC_PERMUTATIONS"])
    alone = study.run_study(marts, choose_specs(["dynamics"]).specs, permutations=draws)
    assert len(alone.estimate)
    after = replace_analyses(before, vars(alone), ["dynamics"])
    for table in TABLES:
        old, new = (
            frames[table].sort_values(list(before[table].columns), ignore_index=True)
            for frames in (before, after)
        )
        pd.testing.assert_frame_equal(new, old, check_dtype=False, check_exact=True)
