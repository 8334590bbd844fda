"""Whatever a parser does, its file gets a fault that says so, and the next file is read."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.conftest import REPO
from tests.processes import children_of, is_gone
from tests.warehouse.ingest.workers.jobs_that_fail import Act
from warehouse.ingest.workers.pool import (
    MEMORY_BYTES,
    SECONDS,
    Limits,
    Outcome,
    Pool,
    Task,
    limits_for,
)

LIMITS = Limits(400_000_000, 1)


@pytest.fixture(scope="module")
def pool():
    pool = Pool(2)
    yield pool
    pool.close()


def run(pool: Pool, *codes: str, limits: Limits = LIMITS) -> list[Outcome]:
    """Outcomes in the order of the acts."""
    tasks = (Task(Act(code), limits, note=n) for n, code in enumerate(codes))
    found = {task.note: outcome for task, outcome in pool.run(tasks)}
    return [found[n] for n in range(len(codes))]


def test_workers_do_one_job_after_the_other_beside_one_another(pool):
    *pids, echo = run(pool, *["os.getpid()"] * 8, "{'a': [1, None, '文']}")
    assert len({outcome.value for outcome in pids} - {os.getpid()}) == 2
    assert echo.value == {"a": [1, None, "文"]}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("fault()", "sheet 'S': expected a good file; found a bad one; mend it"),
        (
            "len(bytearray(2_000_000_000))",
            "within 400 MB of memory; found one that needs more; deliver it in smaller parts",
        ),
        ("os.abort()", "within 400 MB of memory; found one that needs more"),
        ("fail(MemoryError())", "within 400 MB of memory"),
        ("work(600)", "that can be read within 1 s; found one that takes longer"),
        (
            "os.kill(os.getpid(), signal.SIGSEGV)",
            r"found one at which the reader ended \(SIGSEGV\)",
        ),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            r"found one at which the reader ended \(SIGKILL\)",
        ),
        ("os._exit(3)", r"found one at which the reader ended \(exit 3\)"),
        (
            "fail(KeyError('x'))",
            r"found one at which the reader stopped \(KeyError: 'x'\)",
        ),
        ("nest()", r"found one at which the reader stopped \(RecursionError"),
    ],
)
def test_whatever_a_parser_does_is_a_fault_of_its_file_and_the_next_is_read(pool, code, message):
    outcome, after = run(pool, code, "'read'")
    with pytest.raises(type(outcome.fault), match=message):
        raise outcome.fault
    assert after.value == "read"


def test_a_worker_that_ran_out_of_memory_is_replaced():
    """What it still holds would be counted against the next file."""
    pool = Pool(1)
    try:
        before, fault, after = run(pool, "os.getpid()", "fail(MemoryError())", "os.getpid()")
    finally:
        pool.close()
    assert fault.fault is not None and before.value != after.value


def test_a_full_disk_is_no_fault_of_the_file(pool):
    with pytest.raises(OSError, match="No space left") as caught:
        run(pool, "fail(OSError(28, 'No space left on device', 'raw/a.parquet'))")
    assert caught.value.filename == "raw/a.parquet"
    assert run(pool, "1")[0].value == 1


def test_a_killed_refresh_leaves_no_parser_behind():
    script = (
        "from tests.warehouse.ingest.workers.jobs_that_fail import Act\n"
        "from warehouse.ingest.workers.pool import Limits\n"
        "from warehouse.ingest.workers.pool import Pool, Task\n"
        "print('began', flush=True)\n"
        "list(Pool(1).run([Task(Act('work(600)'), Limits(10**9, 60))]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    # the process that starts parsers, and the parser
    while len(pids := list(children_of(process.pid))) < 2:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert all(map(is_gone, pids))


def test_limits_grow_with_a_large_file_only():
    assert limits_for(5_000).cpu_seconds == limits_for(20_000_000).cpu_seconds == SECONDS
    assert limits_for(520_000_000).cpu_seconds == SECONDS + 500
    assert limits_for(10**9).memory_bytes == MEMORY_BYTES < 2 << 30


def test_a_killed_process_that_forks_the_readers_is_replaced():
    """Also where it is killed while a reader waits for it."""
    pool = Pool(1)
    pool.start()
    children = children_of(os.getpid()).items()
    # its children have its command line
    server = min(pid for pid, line in children if "multiprocessing.forkserver" in line)
    os.kill(server, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (server, signal.SIGKILL)).start()
    (answer,) = run(pool, "'read'")
    pool.close()
    assert answer.value == "read"
