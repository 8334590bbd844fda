"""Whatever a parser does, its file gets a fault that says so, and the next file is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.ingest.workers.jobs_that_fail import Act
from warehouse.ingest.workers.limits import MEMORY_BYTES, SECONDS, Limits, limits_for
from warehouse.ingest.workers.pool import ONE_WORKER_BYTES, Outcome, Pool, Task

LIMITS = Limits(400_000_000, 1, 60.0)
HASTY = Limits(400_000_000, 50, 1.0)
REPO = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


def run(pool: Pool, *acts: Act, limits: Limits = LIMITS) -> list[Outcome]:
    """Outcomes in the order of the acts."""
    found = {
        task.note: outcome
        for task, outcome in pool.run(Task(act, limits, note=n) for n, act in enumerate(acts))
    }
    return [found[n] for n in range(len(acts))]


def test_a_worker_does_one_job_after_the_other(pool):
    first, second, echo = run(pool, Act("pid"), Act("pid"), Act("echo", {"a": [1, None, "文"]}))
    assert first.value == second.value != os.getpid()
    assert echo.value == {"a": [1, None, "文"]}


def test_an_open_file_is_handed_over_and_closed_here(pool):
    with tempfile.TemporaryFile() as file:
        file.write(b"inside")
        file.flush()
        descriptor = os.dup(file.fileno())
        ((_, outcome),) = pool.run([Task(Act("read"), LIMITS, descriptor=descriptor)])
    assert outcome.value == "inside"
    with pytest.raises(OSError):
        os.fstat(descriptor)


@pytest.mark.parametrize(
    ("act", "message", "is_unforeseen"),
    [
        (Act("fault"), "sheet 'S': expected a good file; found a bad one; mend it", False),
        (
            Act("fill", 2_000_000_000),
            "within 400 MB of memory; found one that needs more; deliver it in smaller parts",
            False,
        ),
        (Act("abort"), "within 400 MB of memory; found one that needs more", False),
        (Act("raise", MemoryError()), "within 400 MB of memory", False),
        (Act("loop"), "that can be read within 1 s; found one that takes longer", False),
        (Act("signal", signal.SIGSEGV), r"found one at which the reader ended \(SIGSEGV\)", True),
        (Act("signal", signal.SIGKILL), r"found one at which the reader ended \(SIGKILL\)", True),
        (Act("exit", 3), r"found one at which the reader ended \(exit 3\)", True),
        (
            Act("raise", KeyError("x")),
            r"found one at which the reader stopped \(KeyError: 'x'\)",
            True,
        ),
        (
            Act("raise", OSError("no seek")),
            r"found one at which the reader stopped \(OSError: no seek\)",
            True,
        ),
        (Act("many"), r"found one at which the reader stopped \(RecursionError", True),
    ],
)
def test_whatever_a_parser_does_is_a_fault_of_its_file_and_the_next_is_read(
    pool, act, message, is_unforeseen
):
    started = time.monotonic()
    outcome, after = run(pool, act, Act("echo", "read"))
    assert outcome.fault is not None
    assert outcome.is_unforeseen is is_unforeseen
    with pytest.raises(type(outcome.fault), match=message):
        raise outcome.fault
    assert after.value == "read"
    assert time.monotonic() - started < 30


def test_a_parser_that_waits_for_ever_is_ended(pool):
    (outcome,) = run(pool, Act("sleep"), limits=HASTY)
    assert "within 1 s; found one whose reading does not end" in str(outcome.fault)
    assert run(pool, Act("echo", 1))[0].value == 1


def test_a_parser_that_is_at_work_is_not_ended_by_the_clock(pool):
    """On a machine that is busy with other things a second of work may take a minute."""
    (outcome,) = run(pool, Act("work", 1.0), limits=Limits(400_000_000, 50, 0.1))
    assert outcome.value == "done"


def test_a_parser_that_was_stopped_is_not_ended_by_the_clock(pool):
    """As by ctrl-z."""
    pid = run(pool, Act("pid"))[0].value
    for seconds, number in ((0.1, signal.SIGSTOP), (0.9, signal.SIGCONT)):
        threading.Timer(seconds, os.kill, (pid, number)).start()
    (outcome,) = run(pool, Act("nap", 0.2), limits=Limits(400_000_000, 50, 0.4))
    assert outcome.value == "woke"


def test_a_full_disk_is_no_fault_of_the_file(pool):
    with pytest.raises(OSError, match="No space left") as caught:
        run(pool, Act("raise", OSError(28, "No space left on device", "raw/a.parquet")))
    assert caught.value.filename == "raw/a.parquet"
    assert run(pool, Act("echo", 1))[0].value == 1


def test_a_worker_that_grew_is_replaced(pool):
    big = Limits(MEMORY_BYTES, 5, 20)
    worn, _, after = run(pool, Act("fill", 350_000_000), Act("pid"), Act("pid"), limits=big)
    assert worn.value == 350_000_000
    assert after.value


def test_more_to_read_is_shared_by_several_workers(pool):
    tasks = [Task(Act("pid"), LIMITS, size=ONE_WORKER_BYTES) for _ in range(8)]
    assert len({outcome.value for _, outcome in pool.run(tasks)}) == 2


def test_a_reading_that_is_given_up_ends_its_workers(pool):
    outcomes = pool.run([Task(Act("echo", 1), LIMITS), Task(Act("sleep"), Limits(10**8, 100, 300))])
    next(outcomes)
    started = time.monotonic()
    outcomes.close()
    assert time.monotonic() - started < 5
    assert run(pool, Act("echo", 2))[0].value == 2


def test_a_pool_that_was_closed_starts_again():
    pool = Pool(1)
    first = run(pool, Act("pid"))[0].value
    pool.close()
    assert not _is_running(first) and run(pool, Act("echo", 2))[0].value == 2
    pool.close()


def test_a_killed_refresh_leaves_no_parser_behind():
    script = (
        "from tests.warehouse.ingest.workers.jobs_that_fail import Act\n"
        "from warehouse.ingest.workers.limits import Limits\n"
        "from warehouse.ingest.workers.pool import Pool, Task\n"
        "pool = Pool(1)\n"
        "print(*(done.value for _, done in pool.run([Task(Act('pid'), Limits(10**9, 9, 99))])), "
        "flush=True)\n"
        "list(pool.run([Task(Act('loop'), Limits(10**9, 60, 99))]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    pids = [int(word) for word in process.stdout.readline().split()]
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while (left := [pid for pid in pids if _is_running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def _is_running(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False


def test_limits_grow_with_a_large_file_only():
    assert limits_for(5_000).cpu_seconds == limits_for(20_000_000).cpu_seconds == SECONDS
    assert limits_for(520_000_000).cpu_seconds == SECONDS + 500
    assert limits_for(10**9).memory_bytes == MEMORY_BYTES < 2 << 30
