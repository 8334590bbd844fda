"""A refresh that is killed, interrupted or runs out of disk leaves the last publication whole, and
the next refresh succeeds.
"""

import os
import random
import resource
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.orchestration.conftest import REPO, SMALL, refresh, six_cities, write_tidy
from tests.processes import HANG_SECONDS, hear_signals, let_work
from warehouse.publication.verification import verify_publication


def change(landing: Path, number: int) -> Path:
    """A landing with other last digits of the first value, so that a refresh has work to do."""
    rows = six_cities()
    return write_tidy(landing, [f"{rows[0]}{number + 1:05d}", *rows[1:]])


def start(home: Path, landing: Path, **options) -> subprocess.Popen:
    """A refresh."""
    command = [REPO / ".venv" / "bin" / "citysync", "refresh", f"--landing={landing}"]
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=REPO, env=env, **pipes, **options)


def require_whole(home: Path) -> str:
    """The publication opens, answers and has the hashes of its manifest; its run id."""
    assert verify_publication(home / "published") == []
    with duckdb.connect(str(home / "published" / "citysync.duckdb"), read_only=True) as con:
        return con.execute("select run_id from meta.run").fetchone()[0]


def used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, float]:
    """A home with one publication, its landing, and the seconds of processor time that a refresh of
    a changed landing takes: on a busy machine the clock says little of where in a refresh it is.
    """
    folder = tmp_path_factory.mktemp("faults")
    for number in range(2):
        before = used_by_children()
        process = start(folder / "home", change(folder / "landing", 50_000 + number))
        output, _ = process.communicate()
        assert process.returncode == 0, output
    return folder / "home", folder / "landing", used_by_children() - before


@pytest.mark.parametrize(
    ("number", "code", "times"),
    [(signal.SIGKILL, -9, 12), (signal.SIGINT, 130, 8), (signal.SIGTERM, 143, 8)],
)
def test_a_refresh_ended_at_any_moment_leaves_a_whole_publication(
    published: tuple[Path, Path, float], number: signal.Signals, code: int, times: int
) -> None:
    home, landing, seconds = published
    moments = random.Random(int(number))
    for k in range(times):
        before = require_whole(home)
        process = start(home, change(landing, 1000 * number + k), preexec_fn=hear_signals)
        let_work(process, moments.uniform(0.02, 0.95) * seconds)
        process.send_signal(number)
        output, _ = process.communicate(timeout=HANG_SECONDS)
        assert process.returncode in (0, code), output
        # a run that is ended after its switch has published: what stands is never older
        assert require_whole(home) >= before
        if process.returncode == code > 0:
            assert output.splitlines()[-1].startswith(f"citysync: exit {code}: interrupted")
            assert "Traceback" not in output
    after = refresh(home, landing)
    assert after.code == 0, after.output
    require_whole(home)
    assert not list((home / "publications").glob(".*")), "drafts of ended runs are cleared"


@pytest.mark.parametrize("kilobytes", [int(4 * 2**k) for k in range(11)])
def test_a_full_disk_ends_the_run_and_not_the_publication(
    published: tuple[Path, Path, float], kilobytes: int
) -> None:
    """A limit on the size of a file stands for the full disk: writing beyond it fails."""
    home, landing, _ = published
    before, size = require_whole(home), kilobytes * 1024
    process = start(
        home,
        change(landing, 10_000 + kilobytes),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    output, _ = process.communicate(timeout=HANG_SECONDS)
    if process.returncode != 0:
        assert process.returncode in (1, 2), output
        assert "ulimit -f" in output.strip().splitlines()[-1]
        assert require_whole(home) == before
