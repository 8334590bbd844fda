"""`citysync registered` on an archive: kept, changed, and the next rule, of any archived run."""

import json
from types import SimpleNamespace

import duckdb
import pandas as pd

from orchestration.commands.registered import registered
from orchestration.home import Home
from orchestration.stages.promises import check_promises, read_written
from tests.estimation.study.test_promises import SPEC, run, written
from tests.orchestration.conftest import end_of

__all__ = ["run"]

RUNS = [f"2026010{day}T000000.000000Z" for day in (1, 2)]
PROMISE = {
    "spec_id": "primary.cm_growth_official.newest",
    "rule_name": "committed",
    "first_year": 2010,
    "last_year": 2024,
    "written_by": RUNS[0],
    "status": "changed",
    "what_changed": "seed: 5 -> 1",
    "changed_since": "this run",
    "reason": "",
    "estimate_written": 0.01,
    "ci_low_written": -0.02,
    "ci_high_written": 0.04,
    "p_value_family_written": 0.5,
    "estimate": 0.02,
    "ci_low": -0.01,
    "ci_high": None,
    "p_value_family": 0.4,
}


def _archive(home, run_id, *, is_simulated=False, **tables):
    folder = home / "archive" / f"run_id={run_id}"
    folder.mkdir(parents=True)
    pd.DataFrame({"is_simulated": [is_simulated]}).to_parquet(folder / "meta.run.parquet")
    for name, rows in tables.items():
        pd.DataFrame(rows).to_parquet(folder / f"{name.replace('__', '.')}.parquet")


def test_any_archived_run_says_what_it_kept_and_what_it_wrote(home, capsys):
    following = [{**PROMISE, "rule": json.dumps({}), "rule_sha256": "ab" * 32}]
    _archive(home, RUNS[0], estimates__next_window=following)
    _archive(home, RUNS[1], meta__promise=[PROMISE], estimates__next_window=following)
    assert end_of(registered, RUNS[1]) == 0
    said = capsys.readouterr().out
    assert "changed since this run, written by 20260101T000000.000000Z: seed: 5 -> 1" in said
    assert "as written: +0.0100 (-0.0200 to +0.0400), p of both series 0.5000" in said
    assert "as it is now: +0.0200 (-0.0100 to no end)" in said
    assert f"next: {PROMISE['spec_id']}, rule committed, 2010-2024: sha256 {'ab' * 32}" in said
    assert end_of(registered, RUNS[0]) == 0
    assert "No earlier run" in capsys.readouterr().out
    assert end_of(registered, "20250101T000000.000000Z") == 2


def test_only_runs_of_the_same_kind_of_files_are_read(home):
    rows = [{**PROMISE, "rule": "{}", "rule_sha256": "ab"}]
    _archive(home, RUNS[0], is_simulated=True, estimates__next_window=rows)
    _archive(home, RUNS[1], estimates__next_window=rows)
    written = read_written(home / "archive", is_simulated=False)
    assert written["run_id"].tolist() == [RUNS[1]]


def test_the_stage_publishes_and_prints_a_planted_change(run, home, capsys, monkeypatch):
    marts, primary, last_year = run
    monkeypatch.setattr("estimation.analyses.primary.DECLARED", (SPEC,))
    _archive(home, RUNS[0], estimates__next_window=written(marts, last_year, seed=5))
    (home / "build").mkdir()
    settings = SimpleNamespace(is_simulated=False)
    check_promises(SimpleNamespace(home=Home(home), settings=settings), marts, primary)
    said = capsys.readouterr().out
    assert f"rule committed, 2010-{last_year}: changed since this run" in said
    assert "seed: 5 -> 1" in said
    assert f"rule adjusted, 2010-{last_year}: as written by {RUNS[0]}" in said
    with duckdb.connect(home / "build" / "citysync.duckdb", read_only=True) as con:
        rows = con.execute(
            "select rule_name, status, changed_since from meta.promise order by all"
        ).fetchall()
    as_written = ("adjusted", "as_written", None)
    assert rows == [as_written] * 2 + [("committed", "changed", "this run")] * 2
