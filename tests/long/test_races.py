"""While one refresh works, everything else that may be started beside it is refused or answered,
and readers see whole publications.

In full (`make test-long`) with 16 readers, in the quick form with 2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.long.conftest import Counts
from tests.long.test_faults import change, require_whole, start
from tests.orchestration.conftest import REPO, SMALL, refresh, six_cities, write_tidy
from tests.processes import HANG_SECONDS
from warehouse.publication.archive import verify_archive

pytestmark = pytest.mark.e2e

# All of them together leave the refresh the larger part of a processor, however slow the machine
# is.
READER = """
import sys, duckdb, json, pathlib, time
published, stop, seen = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), []
while not stop.exists():
    worked = time.process_time()
    folder = published.resolve()
    with duckdb.connect(str(folder / "citysync.duckdb"), read_only=True, config={"threads": 1}) as
        con:
        (run,) = con.execute("select run_id from meta.run").fetchone()
        assert con.execute("select count(*) from marts.fct_indicator_observation").fetchone() ==
            (102,)
    assert json.loads((folder / "manifest.json").read_text())["run_id"] == run == folder.name
    seen.append(run)
    time.sleep(max(0.5, 40 * (time.process_time() - worked)))
assert seen == sorted(seen)
print(len(seen), len(set(seen)))
"""
# A run as the UI starts it: the same job, in a process that was told of the UI's landing.
UI_RUN = """
import os, sys
from orchestration.home import Home, set_tool_environment
from orchestration.definitions import load_definitions
set_tool_environment(Home.from_environment())
result = load_definitions().resolve_job_def("refresh").execute_in_process(raise_on_error=False)
print([str(event.event_specific_data.error) for event in result.all_events if event.is_failure
    and event.event_specific_data][:1])
sys.exit(0 if result.success else 5)
"""


def run(
    home: Path, *words: str, program: tuple[str, ...] = ("-m", "orchestration"), **environment: str
) -> subprocess.CompletedProcess:
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home), **environment}
    return subprocess.run(
        [sys.executable, *program, *words],
        cwd=REPO,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def wait_for_the_lock(home: Path, process: subprocess.Popen) -> None:
    """Until the refresh has said in the lock that it holds it."""
    deadline = time.monotonic() + HANG_SECONDS
    while f'"pid": {process.pid},' not in (home / "refresh.lock").read_text(encoding="utf-8"):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def test_beside_a_refresh_nothing_else_changes_the_home(
    tmp_path: Path, counts: Counts, capsys: pytest.CaptureFixture[str]
) -> None:
    landing, home = write_tidy(tmp_path / "landing", six_cities()), tmp_path / "home"
    first = refresh(home, landing)
    assert first.code == 0, first.output
    change(landing, 1)
    before, stop = require_whole(home), tmp_path / "stop"
    reader = [sys.executable, "-c", READER, str(home / "published"), str(stop)]
    readers = [
        subprocess.Popen(reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(counts.race_readers)
    ]
    process = start(home, landing)
    wait_for_the_lock(home, process)
    ui = {"CITYSYNC_LANDING": str(landing), "CITYSYNC_UI_LANDING": str(landing)}
    answers = {
        "refresh": run(home, "refresh", "--landing", str(landing)),
        "rollback": run(home, "rollback"),
        "clean": run(home, "clean"),
        "reproduce": run(home, "reproduce", "--landing", str(landing)),
        "verify of the landing": run(home, "verify", "--landing", str(landing)),
        "run of the UI": run(home, "-c", UI_RUN, program=(), **ui),
        "verify": run(home, "verify"),
        "sql": run(home, "sql", "--query", "select run_id from meta.run"),
    }
    was_running = process.poll() is None
    output, _ = process.communicate(timeout=HANG_SECONDS)
    stop.touch()
    read = [(reader.communicate(timeout=HANG_SECONDS), reader.returncode) for reader in readers]
    assert was_running, "the refresh ended before the others were through: nothing was tested"
    assert process.returncode == 0, output
    codes = {name: answer.returncode for name, answer in answers.items()}
    assert codes == dict.fromkeys(list(answers)[:5], 3) | {
        "run of the UI": 5,
        "verify": 0,
        "sql": 0,
    }, answers
    for name in list(answers)[:6]:
        assert f"another refresh of {home} is running" in answers[name].stdout, answers[name]
    assert before in answers["sql"].stdout
    after = require_whole(home)
    assert after > before and verify_archive(home / "archive") == []
    assert [code for _, code in read] == [0] * len(readers), [err for (_, err), _ in read]
    n_reads = [tuple(map(int, out.split())) for (out, _), _ in read]
    with capsys.disabled():
        said = (
            f"{len(readers)} readers, {sum(n for n, _ in n_reads)} reads through a refresh, no "
            "error, no mixed state"
        )
        print(f"\nbeside a refresh: 6 commands and runs refused, 2 answered; {said}")


def test_two_refreshes_started_at_once_publish_once(tmp_path: Path) -> None:
    landing, home = write_tidy(tmp_path / "landing", six_cities()), tmp_path / "home"
    both = [start(home, landing) for _ in range(2)]
    outputs = [process.communicate(timeout=HANG_SECONDS)[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 3], outputs
    require_whole(home)
    assert (
        len(list((home / "publications").iterdir())) == len(list((home / "archive").iterdir())) == 1
    )
    with duckdb.connect(str(home / "published" / "citysync.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from marts.fct_indicator_observation").fetchone() == (
            102,
        )
