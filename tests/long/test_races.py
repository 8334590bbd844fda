"""While one refresh works, everything else that may be started beside it is refused or answered,
and readers see whole publications.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.long.refreshes import change, require_whole, start
from tests.orchestration.conftest import REPO, SMALL, refresh, six_cities, write_tidy
from tests.processes import HANG_SECONDS
from warehouse.publication.archive import verify_archive

N_READERS = 8
# All of them together leave the refresh the larger part of a processor, however slow the machine
# is.
READER = """
import sys, duckdb, json, pathlib, time
published, stop, seen = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), []
while not stop.exists():
    worked = time.process_time()
    folder = published.resolve()
    database = str(folder / "citysync.duckdb")
    with duckdb.connect(database, read_only=True, config={"threads": 1}) as con:
        (run,) = con.execute("select run_id from meta.run").fetchone()
        (n,) = con.execute("select count(*) from marts.fct_indicator_observation").fetchone()
    assert n == 102
    assert json.loads((folder / "manifest.json").read_text())["run_id"] == run == folder.name
    seen.append(run)
    time.sleep(max(0.5, 40 * (time.process_time() - worked)))
assert seen and seen == sorted(seen)
"""
REFUSED, ANSWERED = 3, 0
BESIDE = {
    "refresh --landing={landing}": REFUSED,
    "rollback": REFUSED,
    "clean": REFUSED,
    "reproduce --landing={landing}": REFUSED,
    "verify --landing={landing}": REFUSED,
    "verify": ANSWERED,
    'sql --query=from"meta".run': ANSWERED,
}


def run(home: Path, words: str) -> subprocess.CompletedProcess:
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home)}
    command = [sys.executable, "-m", "orchestration", *words.split()]
    return subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, check=False)


def wait_for_the_lock(home: Path, process: subprocess.Popen) -> None:
    """Until the refresh has said in the lock that it holds it."""
    while f'"pid": {process.pid},' not in (home / "refresh.lock").read_text(encoding="utf-8"):
        assert process.poll() is None
        time.sleep(0.05)


def test_beside_a_refresh_nothing_else_changes_the_home(tmp_path: Path) -> None:
    landing, home = write_tidy(tmp_path / "landing", six_cities()), tmp_path / "home"
    first = refresh(home, landing)
    assert first.code == 0, first.output
    before, stop = require_whole(home), tmp_path / "stop"
    reader = [sys.executable, "-c", READER, str(home / "published"), str(stop)]
    readers = [
        subprocess.Popen(reader, stderr=subprocess.PIPE, text=True) for _ in range(N_READERS)
    ]
    process = start(home, change(landing, 1))
    wait_for_the_lock(home, process)
    answers = {words: run(home, words.format(landing=landing)) for words in BESIDE}
    was_running = process.poll() is None
    output, _ = process.communicate(timeout=HANG_SECONDS)
    stop.touch()
    assert was_running, "the refresh ended before the others were through: nothing was tested"
    assert process.returncode == 0, output
    assert {words: answer.returncode for words, answer in answers.items()} == BESIDE, answers
    assert before in answers['sql --query=from"meta".run'].stdout
    assert require_whole(home) > before and verify_archive(home / "archive") == []
    for each in readers:
        _, said = each.communicate(timeout=HANG_SECONDS)
        assert each.returncode == 0, said


def test_two_refreshes_started_at_once_publish_once(tmp_path: Path) -> None:
    landing, home = write_tidy(tmp_path / "landing", six_cities()), tmp_path / "home"
    both = [start(home, landing) for _ in range(2)]
    outputs = [process.communicate(timeout=HANG_SECONDS)[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 3], outputs
    require_whole(home)
    assert len(list((home / "publications").iterdir())) == 1
