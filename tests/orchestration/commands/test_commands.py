"""The commands beside refresh: lock, settings, SQL prompt, sensor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.automation import fingerprint, landing_sensor
from orchestration.commands.sql_prompt import run_sql
from orchestration.home import Home, hold_lock
from orchestration.resources import Settings
from tests.orchestration.conftest import REPO, Run, refresh


def sql(home: Path, query: str) -> subprocess.CompletedProcess[str]:
    """`make sql Q=...` without make."""
    command = [sys.executable, "-m", "orchestration", "sql", "--query", query]
    return subprocess.run(command, cwd=REPO, env={**os.environ, "CITYSYNC_HOME": str(home)}, capture_output=True, text=True, check=False)


def test_a_second_refresh_ends_with_3_and_names_the_holder(tmp_path: Path) -> None:
    with hold_lock(Home(tmp_path)):
        run = refresh(tmp_path)
    assert run.code == 3
    assert run.last_line.startswith("citysync: exit 3:")
    assert str(os.getpid()) in run.last_line


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WINDOW_FIRST_YEAR": "twenty"}, "WINDOW_FIRST_YEAR is 'twenty'"),
        ({"WINDOW_FIRST_YEAR": "2019", "WINDOW_LAST_YEAR": "2010"}, "is not before"),
        ({"AS_OF_EDITION": "18"}, "AS_OF_EDITION is '18'"),
    ],
)
def test_settings_that_make_no_sense_end_with_2(tmp_path: Path, environment: dict[str, str], expected: str) -> None:
    run = refresh(tmp_path / "home", **environment)
    assert run.code == 2
    assert expected in run.last_line


@pytest.mark.e2e
@pytest.mark.parametrize(
    "query",
    [
        "create table x as select 1",
        "attach '{home}/other.duckdb' as other",
        "copy marts.dim_city to '{home}/out.csv'",
        "select * from read_csv('/etc/passwd')",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_the_sql_prompt_only_reads_the_publication(simulated: Run, tmp_path: Path, query: str) -> None:
    done = sql(simulated.home, query.format(home=tmp_path))
    assert done.returncode == 2
    assert done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.e2e
def test_the_sql_prompt_prints_a_table(simulated: Run) -> None:
    done = sql(simulated.home, "select count(*) as cities from marts.dim_city")
    assert done.returncode == 0
    assert "cities" in done.stdout


def test_a_result_becomes_a_csv_that_a_spreadsheet_cannot_execute(
    simulated: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    target = tmp_path / "out.csv"
    assert run_sql("select '=cmd|x' as text, '杭州' as name, 0.1::double as x, -2 as y, null as z", str(target)) == 0
    assert target.read_bytes().decode("utf-8-sig").splitlines() == ["text,name,x,y,z", "'=cmd|x,杭州,0.1,-2,"]
    assert run_sql("select 1", str(tmp_path / "absent" / "out.csv")) == 2 and "absent" in capsys.readouterr().err
    assert run_sql(None, str(target)) == 2


def test_the_sql_prompt_says_what_to_do_without_a_publication(tmp_path: Path) -> None:
    done = sql(tmp_path, "select 1")
    assert done.returncode == 2
    assert "make refresh" in done.stderr


def test_the_sensor_waits_until_the_landing_is_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tidy").mkdir()
    file = tmp_path / "tidy" / "a.csv"
    file.write_text("1", encoding="utf-8")
    monkeypatch.setenv("CITYSYNC_LANDING", str(tmp_path))
    with dg.instance_for_test() as instance:

        def tick(cursor: str | None) -> tuple[int, str | None]:
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = landing_sensor(context)
            return len(result.run_requests) if isinstance(result, dg.SensorResult) else 0, context.cursor

        requests, cursor = tick(None)
        assert requests == 0
        requests, cursor = tick(cursor)
        assert requests == 1
        requests, cursor = tick(cursor)
        assert requests == 0
        file.write_text("2", encoding="utf-8")
        requests, cursor = tick(cursor)
        assert requests == 0
        requests, cursor = tick(cursor)
        assert requests == 1
    before = fingerprint(tmp_path)
    os.utime(file, (1, 1))
    assert fingerprint(tmp_path) == before


def test_a_run_of_the_ui_waits_for_no_lock_but_fails_and_names_the_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys; from pathlib import Path; from orchestration.home import Home, hold_lock\n"
         "with hold_lock(Home(Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()", str(tmp_path)],
        cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

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
