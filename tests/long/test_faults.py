"""A refresh that is killed, runs out of disk or may not write leaves the last publication whole,
and the next refresh succeeds.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.long.conftest import Counts
from tests.orchestration.conftest import (
    REPO,
    SMALL,
    Run,
    SixCities,
    refresh,
    six_cities,
    write_tidy,
)
from tests.processes import HANG_SECONDS, hear_signals, let_work
from warehouse.publication.verification import verify_publication

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tidy(tmp_path_factory.mktemp("faults") / "landing", six_cities())


@pytest.fixture(scope="module")
def published(six: SixCities, landing: Path, counts: Counts) -> tuple[Path, float]:
    """A home with one publication, and the seconds of processor time that a refresh of a changed
    landing takes.

    Moments are told by the work that is done by then: on a busy machine the clock says little of
    where in a refresh it is. In the quick form about half of it, so that a refresh is hit while it
    works.
    """
    home = landing.parent / "home"
    if counts.kills == 1:
        return shutil.copytree(six.run.home, home, symlinks=True), 6.0
    for number in range(2):
        change(landing, 50_000 + number)
        used = _used_by_children()
        run = ended(start(home, landing), home)
        assert run.code == 0, run.output
    return home, _used_by_children() - used


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def change(landing: Path, number: int) -> None:
    """Other last digits of the first value, so that the next refresh has work to do."""
    rows = six_cities()
    write_tidy(landing, [f"{rows[0]}{number + 1:05d}", *rows[1:]])


def start(home: Path, landing: Path, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "orchestration", "refresh", "--landing", str(landing)]
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home)}
    return subprocess.Popen(
        command,
        cwd=REPO,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def require_whole(home: Path) -> str:
    """The publication opens, answers and has the hashes of its manifest; its run id."""
    assert verify_publication(home / "published") == []
    with duckdb.connect(str(home / "published" / "citysync.duckdb"), read_only=True) as con:
        return con.execute("select run_id from meta.run").fetchone()[0]


def test_a_killed_refresh_leaves_the_last_publication_and_no_lock(
    published, landing: Path, counts: Counts, capsys
) -> None:
    home, seconds = published
    moments = random.Random(20150307)
    killed = 0
    for number in range(counts.kills):
        before = require_whole(home)
        change(landing, number)
        process = start(home, landing)
        if let_work(process, moments.uniform(0.05, 0.95) * seconds):
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        if process.returncode != 0:
            # a run that is killed after its switch has published: what stands is whole and never
            # older
            assert require_whole(home) >= before
        after = refresh(home, landing)
        assert after.code == 0, after.output
        require_whole(home)
    assert not list((home / "publications").glob(".*")), (
        "drafts of killed runs are cleared by the next publication"
    )
    with capsys.disabled():
        print(
            f"\n{killed} of {counts.kills} refreshes killed at random moments; each left a whole "
            "publication, each next refresh succeeded"
        )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_refresh_ends_at_once_with_one_sentence(
    published, landing: Path, counts: Counts, capsys, number: signal.Signals, code: int
) -> None:
    home, seconds = published
    moments, slowest, interrupted = random.Random(int(number)), 0.0, 0
    for k in range(counts.interrupts):
        before = require_whole(home)
        change(landing, 1000 * number + k)
        process = start(home, landing, preexec_fn=hear_signals)
        # in the quick form while it works for certain; in full at any moment
        let_work(process, moments.uniform(0.02, 0.95) * seconds if counts.interrupts > 1 else 1.0)
        told = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=HANG_SECONDS)
        if process.returncode == 0:
            continue
        interrupted, slowest = (
            interrupted + 1,
            max(slowest, (time.monotonic() - told) / _start_of_python()),
        )
        assert process.returncode == code, output
        assert (
            output.splitlines()[-1].startswith(
                f"citysync: exit {code}: interrupted ({number.name})"
            )
            and "Traceback" not in output
        )
        assert require_whole(home) >= before
    with capsys.disabled():
        told = f"{interrupted} of {counts.interrupts} refreshes ended by {number.name}"
        print(
            f"\n{told}, the slowest in the time of {slowest:.1f} starts of Python; each left a "
            "whole publication"
        )
    assert slowest < 100


def _start_of_python() -> float:
    """Seconds that Python takes here and now to start: what 'at once' means on a machine that is
    busy with other things.
    """
    started = time.monotonic()
    subprocess.run([sys.executable, "-I", "-c", ""], check=True)
    return time.monotonic() - started


def ended(process: subprocess.Popen, home: Path) -> Run:
    output, _ = process.communicate(timeout=HANG_SECONDS)
    return Run(process.returncode, output, home)


def test_a_full_disk_ends_the_run_and_not_the_publication(
    published, landing: Path, counts: Counts, capsys
) -> None:
    """A limit on the size of a file stands for the full disk: writing beyond it fails."""
    home, _ = published
    said = []
    for kilobytes in counts.disks:
        before = require_whole(home)
        change(landing, 10_000 + kilobytes)
        limit = kilobytes * 1024
        run = ended(
            start(
                home,
                landing,
                preexec_fn=lambda size=limit: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (size, size)
                ),
            ),
            home,
        )
        if run.code == 0:  # so much room is enough
            continue
        assert run.last_line.startswith(f"citysync: exit {run.code}: ") and run.code in (1, 2), (
            run.output
        )
        said.append("ulimit -f" in run.last_line)
        assert require_whole(home) == before
    with capsys.disabled():
        assert all(said), "each says which limit it was"
        print(
            f"\n{len(said)} of {len(counts.disks)} limits ended a refresh, {sum(said)} with the "
            "limit's sentence; publications whole"
        )


@pytest.mark.skipif(
    shutil.which("setpriv") is None,
    reason="setpriv (util-linux) takes away root's right to write anywhere",
)
def test_a_home_that_cannot_be_written_is_named(published, landing: Path) -> None:
    home, _ = published
    before = require_whole(home)
    change(landing, 90_000)
    folders = [home, *(path for path in home.rglob("*") if path.is_dir() and not path.is_symlink())]
    modes = {folder: folder.stat().st_mode for folder in folders}
    for folder in folders:
        folder.chmod(0o555)
    try:
        command = [
            "setpriv",
            "--inh-caps=-all",
            "--bounding-set=-all",
            sys.executable,
            "-m",
            "orchestration",
            "refresh",
            "--landing",
            str(landing),
        ]
        env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home)}
        done = subprocess.run(
            command,
            cwd=REPO,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)
    assert done.returncode == 2, done.stdout
    last = done.stdout.strip().splitlines()[-1]
    assert str(home) in last and "check that the folder can be read and written" in last
    assert require_whole(home) == before
