"""What Dagster shows and runs: its graph is found from the root and its gates block, a sensor asks
for a refresh, every run takes the lock of its home, and a failed one is told to a program.
"""

import fcntl
import json
import sys
import tomllib
from importlib import import_module

import dagster as dg
import pytest
from dagster.components.definitions import LazyDefinitions

from expectations.suites import RULES
from orchestration import alerts
from orchestration.automation import landing_sensor, tell_of_failure
from orchestration.dagster_ui.run_tags import LANDING
from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.supervision import hold_lock
from tests.conftest import REPO
from tests.orchestration.conftest import refresh


@pytest.fixture(scope="module")
def definitions():
    from orchestration.definitions import load_definitions

    return load_definitions()


def test_dagster_and_dg_find_these_definitions_from_the_root():
    tool = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    names = {tool["dagster"]["module_name"], tool["dg"]["project"]["code_location_target_module"]}
    assert names == {"orchestration.definitions"}
    # what both look for in a module: one object of this kind
    found = [
        value
        for value in vars(import_module(names.pop())).values()
        if isinstance(value, (dg.Definitions, LazyDefinitions))
    ]
    assert len(found) == 1


def test_four_gates_block_and_every_expectation_is_a_check_of_its_own(
    definitions,
):
    specs = [spec for checks in definitions.asset_checks for spec in checks.check_specs]
    gates = sorted(spec.name for spec in specs if spec.blocking)
    assert gates == ["gate_estimates", "gate_marts", "gate_raw", "gate_staging"]
    rules = [rule.check_id for of_stage in RULES.values() for rule in of_stage]
    assert sorted(spec.name for spec in specs if not spec.blocking) == sorted(rules)
    of_assets = [s for asset in definitions.assets for s in getattr(asset, "check_specs", ())]
    assert len(of_assets) > 200 and all(spec.description for spec in specs)


def test_schedule_and_sensor_ship_stopped(definitions):
    shipped = [*definitions.schedules, *definitions.sensors]
    assert {one.default_status.value for one in shipped} == {"STOPPED"}


def test_the_sensor_waits_until_the_landing_is_still(tmp_path, monkeypatch):
    monkeypatch.setenv("CITYSYNC_LANDING", str(tmp_path))
    asked, cursor = [], None
    with dg.instance_for_test() as instance:
        for text in ("1", None, None, "2", None):
            if text:
                (tmp_path / "a.csv").write_text(text, encoding="utf-8")
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            asked.append(isinstance(landing_sensor(context), dg.RunRequest))
            cursor = context.cursor
    assert asked == [False, True, False, False, True]


@dg.asset
def anything(settings: Settings) -> None:
    """Stands for any asset of the graph."""


def run(landing: str = "", **options) -> dg.ExecuteInProcessResult:
    settings = {"settings": Settings(landing=landing)}
    return dg.materialize([anything], resources=settings, raise_on_error=False, **options)


def said(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(str(event.event_specific_data) for event in result.all_events)


def test_a_run_of_the_ui_waits_for_no_lock_but_fails_beside_another(home):
    home.mkdir()
    with open(home / "refresh.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run()
    assert not refused.success and "is at work in" in said(refused)
    with hold_lock(Home(home)):
        assert run().success


@pytest.mark.usefixtures("home")
def test_a_run_that_resumes_another_landing_is_refused():
    with dg.instance_for_test() as instance:
        first = run("/srv/2026", instance=instance)
        tags = instance.get_run_by_id(first.run_id).tags
        assert tags[LANDING] == "/srv/2026" and tags["citysync/permutations"] == "9999"
        again = {"instance": instance, "tags": {LANDING: "/srv/2026"}}
        assert run("/srv/2026", **again).success
        refused = run("", **again)
        assert not refused.success and "/srv/2026" in said(refused)


@pytest.fixture
def program(tmp_path):
    """A program that keeps what it is given, and where; no shell reads the setting."""
    script, kept = tmp_path / "write it.py", tmp_path / "got;touch"
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    script.write_text(code, encoding="utf-8")
    return f"{sys.executable} '{script}' '{kept}'", kept


def test_a_failed_refresh_sends_its_reason(home, program):
    command, kept = program
    told = {"CITYSYNC_ON_FAILURE": command, "WINDOW_FIRST_YEAR": "twenty"}
    failed = refresh(home, **told)
    assert failed.code == 2, failed.output
    message = json.loads(kept.read_text(encoding="utf-8"))
    assert (message["command"], message["exit"]) == ("citysync refresh", 2)
    assert f"citysync: exit 2: {message['reason']}" in failed.output


@pytest.mark.parametrize("to", ["/no/such", "'open", "false"])
def test_an_alert_that_cannot_be_sent_is_one_line(monkeypatch, capsys, to):
    monkeypatch.setenv(alerts.SETTING, to)
    alerts.send("refresh", 2, "x")
    told = capsys.readouterr()
    assert not told.out and told.err.count("\n") == 1


def test_a_run_of_the_ui_is_reported_by_the_job(program, monkeypatch):
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
