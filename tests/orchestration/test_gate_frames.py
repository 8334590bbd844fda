"""The frames that gates judge, on small tables written here."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from expectations.gate import run_gate
from expectations.suites import RULES
from orchestration.gate_frames import DEFAULTS

ESTIMATE = "create table estimates.estimate(spec_id text, term text, cohort_year int, event_time int, vcov text, is_default boolean, "


@pytest.fixture
def con():
    """An empty in-memory warehouse."""
    with duckdb.connect() as connection:
        connection.execute("create schema estimates")
        connection.execute(ESTIMATE + "std_error double, n_pilots int)")
        yield connection


def judge_defaults(con: duckdb.DuckDBPyConnection, tmp_path: Path, rows: list[tuple]) -> dict[str, bool]:
    """Outcome by check of the default-line rules on rows of (term, vcov, is_default, std_error, n_pilots)."""
    for term, vcov, is_default, std_error, n_pilots in rows:
        con.execute("insert into estimates.estimate values ('s', ?, null, null, ?, ?, ?, ?)", [term, vcov, is_default, std_error, n_pilots])
    rules = [rule for rule in RULES["estimates"] if rule.dataset == "defaults"]
    result = run_gate("estimates", rules, {"defaults": con.execute(DEFAULTS).df()}, tmp_path / "work", tmp_path / "docs")
    return dict(zip(result.results["check_id"], result.results["success"], strict=True))


def test_few_pilots_without_permutation_do_not_stop_a_run(con, tmp_path: Path) -> None:
    rows = [("three", "city", False, None, 3), ("three", "dyadic", False, None, 3), ("many", "city", True, 0.1, 12)]
    assert judge_defaults(con, tmp_path, rows) == {"estimates_one_default": True, "estimates_default_given": True}


@pytest.mark.parametrize(
    ("rows", "failing"),
    [
        ([("two", "city", True, 0.1, 12), ("two", "permutation", True, None, 12)], "estimates_one_default"),
        ([("none", "city", False, 0.1, 12), ("none", "dyadic", False, 0.1, 12)], "estimates_default_given"),
        ([("few", "permutation", False, None, 3), ("other", "city", True, 0.1, 12)], "estimates_default_given"),
    ],
)
def test_a_wrong_number_of_default_lines_stops(con, tmp_path: Path, rows, failing: str) -> None:
    outcome = judge_defaults(con, tmp_path, rows)
    assert [name for name, holds in outcome.items() if not holds] == [failing]
