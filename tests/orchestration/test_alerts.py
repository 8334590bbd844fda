"""Alerts of a failed refresh go to a program; never a reason to fail; off unless asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration import alerts
from orchestration.automation import tell_of_failure
from tests.orchestration.conftest import refresh


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, Path]:
    """A program that keeps what it is given, and where; no shell reads the setting."""
    script, kept = tmp_path / "write it.py", tmp_path / "got;touch"
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    script.write_text(code, encoding="utf-8")
    return f"{sys.executable} '{script}' '{kept}'", kept


def test_a_failed_refresh_sends_its_reason(tmp_path: Path, program: tuple[str, Path]) -> None:
    command, kept = program
    told = {"CITYSYNC_ON_FAILURE": command, "WINDOW_FIRST_YEAR": "twenty"}
    failed = refresh(tmp_path / "home", **told)
    assert failed.code == 2, failed.output
    message = json.loads(kept.read_text(encoding="utf-8"))
    assert (message["command"], message["exit"]) == ("citysync refresh", 2)
    assert f"citysync: exit 2: {message['reason']}" in failed.output


@pytest.mark.parametrize("to", ["/no/such", "'open", "false"])
def test_an_alert_that_cannot_be_sent_is_one_line(monkeypatch, capsys, to: str) -> None:
    monkeypatch.setenv(alerts.SETTING, to)
    alerts.send("refresh", 2, "x")
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1


def test_a_run_of_the_ui_is_reported_by_the_job(
    program: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def broken() -> None:
        raise ValueError("no such thing")

    job = dg.define_asset_job(
        "job", selection="*", hooks={tell_of_failure}, executor_def=dg.in_process_executor
    )
    refresh_job = dg.Definitions(assets=[broken], jobs=[job]).resolve_job_def("job")
    command, kept = program
    monkeypatch.setenv(alerts.SETTING, command)
    # a command that watches its run sends the alert itself
    for by_command, is_sent in (("1", False), ("", True)):
        monkeypatch.setenv(alerts.BY_COMMAND, by_command)
        refresh_job.execute_in_process(raise_on_error=False)
        assert kept.exists() == is_sent
    reason = json.loads(kept.read_text(encoding="utf-8"))["reason"]
    assert "broken" in reason and "no such thing" in reason
