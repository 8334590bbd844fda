"""Every run takes the lock of its home and gets its tags, wherever it was started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.dagster_ui.run_tags import LANDING
from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.supervision import hold_lock
from tests.orchestration.conftest import REPO

HOLD = (
    "import sys; from pathlib import Path; from orchestration.home import Home\n"
    "from orchestration.supervision import hold_lock\n"
    "with hold_lock(Home(Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()"
)


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


def test_a_run_of_the_ui_waits_for_no_lock_but_fails_and_names_the_holder(home: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", HOLD, str(home)]
    holder = subprocess.Popen(command, cwd=REPO, **pipes)
    try:
        assert holder.stdout.readline() == "held\n"
        refused = run()
        assert not refused.success and str(holder.pid) in said(refused)
    finally:
        holder.communicate("")
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
