"""What Dagster shows and runs: its graph is found from the root and its gates block, a sensor asks
for a refresh, every run takes the lock of its home, a failed one is told to a program; a simulated
landing is made again where its code changed, a rerun of dbt builds missing tables."""

import fcntl
import json
import sys
import tomllib
from importlib import import_module
from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest
from dagster.components.definitions import LazyDefinitions

from expectations.suites import RULES
from orchestration import alerts, simulated_landing
from orchestration.assets import landing
from orchestration.assets.warehouse import (
    SAMPLE_ROWS,
    _also_built,
    _failing_rows,
)
from orchestration.dagster_ui.metadata import show_aside
from orchestration.dagster_ui.runs import LANDING, close_ended_runs, forget_old_runs
from orchestration.home import Home
from orchestration.refresh_job import landing_sensor, tell_of_failure
from orchestration.resources import RunSettings, run_of_ui
from orchestration.run import Run, open_run
from orchestration.stages.meta import describe_sources
from orchestration.stages.warehouse import require_values
from tests.conftest import REPO
from tests.orchestration.conftest import refresh
from warehouse.database import open_build
from warehouse.ingest.errors import LandingError
from warehouse.ingest.layouts import load_layouts


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


def test_gates_and_what_stops_block_and_every_expectation_is_a_check_of_its_own(
    definitions,
):
    specs = [spec for checks in definitions.asset_checks for spec in checks.check_specs]
    gates = {"gate_estimates", "gate_marts", "gate_raw", "gate_staging"}
    rules = [rule for of_stage in RULES.values() for rule in of_stage]
    stops = {rule.check_id for rule in rules if rule.severity == "stop"}
    assert {spec.name for spec in specs if spec.blocking} == gates | stops
    assert {spec.name for spec in specs} == gates | {rule.check_id for rule in rules}
    assert len({spec.key for spec in specs}) == len(specs), "two rules of a stage have one name"
    waits = {spec.name: {dep.asset_key.path[0] for dep in spec.additional_deps} for spec in specs}
    assert waits["gate_staging"] == {"gates"} and waits["gate_marts"] == {"gates", "marts"}
    of_assets = [s for asset in definitions.assets for s in getattr(asset, "check_specs", ())]
    assert len(of_assets) > 150 and all(spec.description for spec in specs)


def test_every_owner_of_a_table_is_a_group_of_dbt(definitions):
    owners = {}
    for asset in definitions.resolve_asset_graph().assets_defs:
        owners |= {key.to_user_string(): spec.owners for key, spec in asset.specs_by_key.items()}
    assert owners["marts/dim_city"] == ["team:statistics"]
    assert owners["marts/panel_pair_year"] == ["team:synchronization"]
    assert owners["marts/dim_pilot_zone"] == ["team:policy"]
    groups = {"team:statistics", "team:synchronization", "team:policy"}
    assert {owner for found in owners.values() for owner in found} <= groups


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
def anything(run: dg.ResourceParam[Run]) -> None:
    """Stands for any asset of the graph."""


def run(landing: str = "", permutations: int = 9999, **options) -> dg.ExecuteInProcessResult:
    settings = RunSettings(landing=landing, permutations=permutations)
    resources = {"settings": settings, "run": run_of_ui}
    return dg.materialize([anything], resources=resources, raise_on_error=False, **options)


def said(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(str(event.event_specific_data) for event in result.all_events)


def test_a_run_of_the_ui_waits_for_no_lock_but_fails_beside_another(home):
    home.mkdir()
    with open(home / "refresh.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run()
    assert not refused.success and "is at work in" in said(refused)
    assert run().success


@pytest.mark.usefixtures("home")
def test_a_selection_without_assets_makes_none():
    resources = {"settings": RunSettings(), "run": run_of_ui}
    definitions = dg.Definitions([anything], resources=resources)
    job = definitions.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(asset_selection=[anything.key]).success
    # as `dg launch` does where --assets matches nothing
    refused = job.execute_in_process(asset_selection=[], raise_on_error=False)
    assert not refused.success and "at least one selected asset" in said(refused)


@pytest.mark.usefixtures("home")
def test_a_run_that_resumes_another_landing_is_refused(tmp_path):
    landing = str(tmp_path)
    with dg.instance_for_test() as instance:
        first = run(landing, instance=instance)
        tags = instance.get_run_by_id(first.run_id).tags
        assert tags[LANDING] == landing and tags["citysync/permutations"] == "9999"
        again = {"instance": instance, "tags": {LANDING: landing}}
        assert run(landing, **again).success
        refused = run("", **again)
        assert not refused.success and landing in said(refused)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("settings", "text"),
    [({"landing": "/no/such"}, "does not exist"), ({"permutations": -5}, "a number of draws")],
)
def test_a_run_of_the_ui_refuses_its_settings_at_once(settings, text):
    refused = run(**settings)
    assert not refused.success and text in said(refused)


@pytest.mark.usefixtures("home")
def test_the_history_keeps_the_newest_runs():
    with dg.instance_for_test() as instance:
        made = [run(instance=instance).run_id for _ in range(3)]
        forget_old_runs(instance, kept=2)
        assert [one.run_id for one in instance.get_runs()] == made[:0:-1]


def test_runs_whose_process_was_killed_are_closed_by_the_next_start():
    status = dg.DagsterRunStatus
    with dg.instance_for_test() as instance:
        for one in (status.NOT_STARTED, status.STARTING, status.STARTED, status.SUCCESS):
            instance.add_run(dg.DagsterRun(job_name="refresh", status=one))
        assert close_ended_runs(instance) == 3
        found = [one.status for one in instance.get_runs()]
    assert found.count(status.FAILURE) == 3 and found.count(status.SUCCESS) == 1


ALERTED = """import pathlib, socket, sys
pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())
socket.getaddrinfo("localhost", 80), socket.getaddrinfo("telemetry.example", 80)
"""


def test_a_failed_refresh_sends_its_reason_to_a_program_whose_look_ups_are_heard(home, tmp_path):
    """No shell reads the setting; what a refresh starts has the hook that the tests have."""
    script, kept, log = (tmp_path / name for name in ("write it.py", "got;touch", "log"))
    script.write_text(ALERTED, encoding="utf-8")
    settings = {
        "CITYSYNC_ON_FAILURE": f"{sys.executable} '{script}' '{kept}'",
        "CITYSYNC_TEST_LOOKUPS": str(log),
        "WINDOW_FIRST_YEAR": "twenty",
    }
    failed = refresh(home, **settings)
    assert failed.code == 2, failed.output
    message = json.loads(kept.read_text(encoding="utf-8"))
    assert (message["command"], message["exit"]) == ("citysync refresh", 2)
    assert f"citysync: exit 2: {message['reason']}" in failed.output
    (line,) = log.read_text(encoding="utf-8").splitlines()
    assert line.startswith("look-up of telemetry.example")


@pytest.mark.parametrize("to", ["/no/such", "'open", "false"])
def test_an_alert_that_cannot_be_sent_is_one_line(monkeypatch, capsys, to):
    monkeypatch.setenv(alerts.SETTING, to)
    alerts.send("refresh", 2, "x")
    told = capsys.readouterr()
    assert not told.out and told.err.count("\n") == 1


def test_a_run_of_the_ui_in_which_several_steps_fail_sends_one_alert(monkeypatch):
    def broken(name: str) -> dg.AssetsDefinition:
        @dg.asset(name=name)
        def fails() -> None:
            raise ValueError(f"no such {name}")

        return fails

    job = dg.define_asset_job(
        "job", selection="*", hooks={tell_of_failure}, executor_def=dg.in_process_executor
    )
    assets = [broken(name) for name in ("one", "two")]
    refresh_job = dg.Definitions(assets=assets, jobs=[job]).resolve_job_def("job")
    sent: list[tuple] = []
    monkeypatch.setattr(alerts, "send", lambda *told: sent.append(told))
    # a command that watches its run sends the alert itself
    for by_command, n_sent in (("1", 0), ("", 1), ("", 2)):
        monkeypatch.setenv(alerts.BY_COMMAND, by_command)
        refresh_job.execute_in_process(raise_on_error=False)
        assert len(sent) == n_sent
    assert all("no such one" in str(told) or "no such two" in str(told) for told in sent)


def test_a_simulated_landing_is_left_alone_and_made_again_by_other_code(home, monkeypatch):
    written: list[int] = []

    def write(home: Home, n_cities: int) -> None:
        assert not list(home.simulated.iterdir()), "nothing of before may stay"
        written.append(n_cities)
        (home.simulated / "values.csv").touch()

    monkeypatch.setattr(simulated_landing, "_write_simulated", write)
    for n_cities, is_other_code in ((48, False), (48, False), (49, False), (49, True)):
        if is_other_code:
            (home / "simulated" / ".sha256").write_text("of other code", encoding="utf-8")
        settings = RunSettings(simulated_cities=n_cities)
        with open_run(Home(home), settings, code={}) as given:
            made = dg.materialize([landing.simulated_landing], resources={"run": given})
        assert made.success
    assert written == [48, 49, 49]


def test_each_source_has_a_row_and_a_silent_layout_is_named(monkeypatch, capsys):
    layouts = load_layouts()
    assert [name for name, layout in layouts.items() if layout.origin is None] == []
    silent = layouts["fdi"].model_copy(update={"origin": None})
    # where a source comes from does not change how it is read
    assert silent.content == layouts["fdi"].content
    given = {**layouts, "fdi": silent}
    monkeypatch.setattr("orchestration.stages.meta.load_layouts", lambda **_: given)
    table = describe_sources(["fdi", "sim_wide_panel", "tidy"]).set_index("source_id")
    assert table.loc["sim_wide_panel", "producer"] == "citysync"
    assert table.loc[["fdi", "tidy"], "producer"].isna().all()
    assert table["description"].isna().to_dict() == {
        "fdi": False,
        "sim_wide_panel": False,
        "tidy": True,
    }
    assert "the layouts of fdi do not say" in capsys.readouterr().out


@pytest.fixture
def built(tmp_path):
    """A home with an empty folder for a build."""
    (tmp_path / "build").mkdir()
    return Home(tmp_path)


def test_a_rerun_builds_what_the_build_lacks(built):
    seed, severity, aliases, cells = step = [
        dg.AssetKey(path)
        for path in (["seeds", "a"], ["seeds", "b"], ["staging", "c"], ["staging", "d"])
    ]
    assert _also_built(built, [cells], step) == [seed, severity, aliases]
    assert _also_built(built, [seed], step) == []
    with open_build(built.build) as con:
        con.execute("create schema seeds; create table seeds.a as select 1 as city_id")
        con.execute("create schema staging; create view staging.c as select * from seeds.a")
    assert _also_built(built, [cells], step) == [severity]
    assert _also_built(built, step, step) == []


def test_a_failed_data_test_shows_the_rows_it_found(built):
    with open_build(built.build) as con:
        con.execute(
            "create table pairs as select range as city_i_id, range - 1 as city_j_id from "
            "range(100)"
        )
    sql = "select * from pairs where city_i_id > city_j_id order by city_i_id"
    failed = SimpleNamespace(status="fail", failures=100, node=SimpleNamespace(compiled_code=sql))
    shown = _failing_rows(built, failed)["sample_of_failing_rows"]
    rows = shown.md_str.splitlines()
    assert len(rows) == 2 + SAMPLE_ROWS and rows[5] == "| 3 | 2 |"
    assert _failing_rows(built, SimpleNamespace(**{**vars(failed), "status": "pass"})) == {}


def test_a_landing_of_which_nothing_is_taken_is_refused_with_the_most_frequent_reason(
    built,
):
    with open_build(built.build) as con:
        con.execute("create schema intermediate")
        con.execute("create table intermediate.int_raw_observations as select 1 as k")
        con.execute(
            "create table intermediate.int_raw_rejections as from (values ('unknown_unit', 'x'), "
            "('unknown_city', '999999'), ('unknown_city', '999999')) as t(reason, detail)"
        )
    require_values(built)
    with open_build(built.build) as con:
        con.execute("delete from intermediate.int_raw_observations")
    with pytest.raises(LandingError, match="2 lines for one reason, the first: 999999"):
        require_values(built)


def test_long_cells_cannot_break_out_of_their_table():
    shown = show_aside(pd.DataFrame({"sample": ["a|b\n<script>", None], "n": [1.5, 2.0]})).md_str
    assert shown.splitlines() == [
        "| sample | n |",
        "| --- | --- |",
        "| a/b &lt;script&gt; | 1.5 |",
        "|  | 2.0 |",
    ]
