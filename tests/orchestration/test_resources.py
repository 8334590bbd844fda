"""Every run takes the lock of its home and gets its tags, wherever it was started."""

from __future__ import annotations

import fcntl
from pathlib import Path

import dagster as dg
import pytest

from orchestration.dagster_ui.run_tags import LANDING
from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.supervision import hold_lock


@dg.asset
def anything(settings: Settings) -> None:
    """Stands for any asset of the graph."""


def run(landing: str = "", **options) -> dg.ExecuteInProcessResult:
    settings = {"settings": Settings(landing=landing)}
    return dg.materialize([anything], resources=settings, raise_on_error=False, **options)


def said(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(str(event.event_specific_data) for event in result.all_events)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    return tmp_path


def test_a_run_of_the_ui_waits_for_no_lock_but_fails_beside_another(home: Path) -> None:
    with open(home / "refresh.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run()
    assert not refused.success and "is at work in" in said(refused)
    with hold_lock(Home(home)):
        assert run().success


def test_a_run_that_resumes_another_landing_is_refused() -> None:
    with dg.instance_for_test() as instance:
        first = run("/srv/2026", instance=instance)
        tags = instance.get_run_by_id(first.run_id).tags
        assert tags[LANDING] == "/srv/2026" and tags["citysync/permutations"] == "9999"
        again = {"instance": instance, "tags": {LANDING: "/srv/2026"}}
        assert run("/srv/2026", **again).success
        refused = run("", **again)
        assert not refused.success and "/srv/2026" in said(refused)
