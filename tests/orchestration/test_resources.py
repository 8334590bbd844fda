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


def test_a_run_of_the_ui_waits_for_no_lock_but_fails_and_names_the_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from orchestration.home import Home; "
            "from orchestration.supervision import hold_lock\n"
            "with hold_lock(Home(Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        cwd=REPO,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    @dg.asset
    def anything(settings: Settings) -> None:
        """Stands for any asset of the graph."""

    try:
        assert holder.stdout.readline() == "held\n"
        run = dg.materialize([anything], resources={"settings": Settings()}, raise_on_error=False)
        assert not run.success
        assert any(str(holder.pid) in str(event.event_specific_data) for event in run.all_events)
    finally:
        holder.communicate("")
    assert dg.materialize([anything], resources={"settings": Settings()}).success
    with hold_lock(Home(tmp_path)):
        assert dg.materialize([anything], resources={"settings": Settings()}).success


def test_a_run_that_resumes_another_landing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))

    @dg.asset
    def anything(settings: Settings) -> None:
        """Stands for any asset of the graph."""

    with dg.instance_for_test() as instance:

        def run(landing: str, **tags: str) -> dg.ExecuteInProcessResult:
            settings = {"settings": Settings(landing=landing)}
            return dg.materialize(
                [anything], instance=instance, resources=settings, tags=tags, raise_on_error=False
            )

        first = run("/srv/2026")
        tags = instance.get_run_by_id(first.run_id).tags
        assert (
            tags[LANDING] == "/srv/2026"
            and tags["citysync/citysync_permutations"] == "9999"
            and tags["citysync/commit"]
        )
        assert run("/srv/2026", **{LANDING: "/srv/2026"}).success
        refused = run("", **{LANDING: "/srv/2026"})
        assert not refused.success
        assert any(
            "citysync ui --landing /srv/2026" in str(event.event_specific_data)
            for event in refused.all_events
        )
