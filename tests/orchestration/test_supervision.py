"""An interrupt ends a command at once, whatever it is doing, and every end has its last line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.supervision import ENDING
from tests.orchestration.conftest import REPO
from tests.processes import hear_signals

# busy in one call of C that hears no signal, as a compiled loop is; the process that it started
# sleeps
BUSY = (
    "child = subprocess.Popen(['sleep', '300']); print(os.getpid(), child.pid, flush=True); "
    "sum(range(10**11))"
)
# as Dagster does: an interrupt becomes an error of its own
DEAF = (
    "signal.signal(signal.SIGINT, lambda *_: None); signal.signal(signal.SIGTERM, lambda *_: "
    "None); "
) + BUSY

STARTED: list[subprocess.Popen] = []


def start(work: str, command: str = "refresh", **options) -> subprocess.Popen:
    """`work`, watched, as a command would be; its first line is read by the caller."""
    body = "\n    ".join(work.split("; "))
    code = (
        "import os, signal, subprocess, sys\n"
        "from orchestration.supervision import hold_signals, supervise\nhold_signals()\n\n"
        f"def work():\n    {body}\n    return 0\n\nsys.exit(supervise({command!r}, work))\n"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=REPO, **{"preexec_fn": hear_signals, **pipes, **options}
    )
    STARTED.append(process)
    return process


@pytest.fixture(autouse=True)
def nothing_runs_on() -> Iterator[None]:
    """What a failed test leaves busy is ended; the work dies with the process that watches it."""
    yield
    for process in STARTED:
        process.kill()
        process.wait(timeout=30)
    STARTED.clear()


def pids(process: subprocess.Popen) -> list[int]:
    return [int(word) for word in process.stdout.readline().split()]


def is_gone(pid: int) -> bool:
    """Whether a process has ended, within two seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
            # one that nobody has waited for yet has ended as well
            if (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
                in "ZX"
            ):
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("work", [BUSY, DEAF], ids=["busy", "deaf"])
@pytest.mark.parametrize(("number", "code"), [(number, 128 + number) for number in ENDING])
def test_a_signal_ends_it_at_once_with_one_line(
    number: signal.Signals, code: int, work: str
) -> None:
    process = start(work)
    started = pids(process)
    process.send_signal(number)
    # it would be busy for an hour
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == (
        f"citysync: exit {code}: interrupted ({number.name}); what was published stands, run "
        "it again when you like\n"
    )
    assert err == "" and all(is_gone(pid) for pid in started)


KILLED = {
    "os.kill(os.getpid(), 9)": "signal 9 (SIGKILL), perhaps because memory ran out",
    "os.abort()": "signal 6 (SIGABRT), see above",
    "os.kill(os.getpid(), 11)": "signal 11 (SIGSEGV), see above",
    "os.kill(os.getpid(), signal.SIGBUS)": "(SIGBUS), perhaps because the disk is full",
    "os.kill(os.getpid(), signal.SIGSYS)": "(SIGSYS), see above",
    "os.kill(os.getpid(), signal.SIGRTMIN + 5)": "(without a name), see above",
    (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 9)); sum(range(10**11))"
    ): "(SIGXCPU), this shell allows",
}


@pytest.mark.parametrize("work", KILLED)
def test_a_work_that_is_killed_has_a_last_line(work: str) -> None:
    process = start(f"print('so far', flush=True); {work}")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and not err
    first, last = out.splitlines()
    assert (
        first == "so far"
        and last.startswith("citysync: exit 1: ")
        and KILLED[work] in last
        and last.endswith("what was published stands")
    )


def test_the_work_ends_with_the_process_that_watches() -> None:
    process = start(BUSY)
    worker, _ = pids(process)
    process.kill()
    process.wait(timeout=30)
    assert is_gone(worker)


@pytest.mark.parametrize(("work", "code"), [("return 3", 3), ("sys.exit(2)", 2), ("print('x')", 0)])
def test_codes_are_handed_on(work: str, code: int) -> None:
    process = start(work)
    process.communicate(timeout=30)
    assert process.returncode == code


def test_an_error_of_the_code_has_a_traceback_and_a_last_line() -> None:
    process = start("raise ValueError('no\\n such')")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" in err
    assert out == "citysync: exit 1: ValueError: no such\n"


def test_a_second_ctrl_c_changes_nothing() -> None:
    process = start(BUSY)
    started = pids(process)
    for _ in range(20):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (
        process.returncode == 130
        and out.count("\n") == 1
        and not err
        and all(is_gone(pid) for pid in started)
    )


# each line is said by the work; what it wrote in the end says that it went on
TALKS = (
    "from orchestration.terminal import say; [say(str(n)) for n in range(2000)]; open({path!r}, "
    "'w').write('done'); say('end')"
)


@pytest.mark.parametrize("reader", ["goes away", "has a full disk", "was never there"])
def test_without_anybody_to_read_it_the_work_goes_on(tmp_path: Path, reader: str) -> None:
    """`make refresh | head -1`, a log on a full disk, and `>&-`: no traceback, and the code of the
    work.
    """
    work, options = TALKS.format(path=str(tmp_path / "end")), {}
    if reader == "has a full disk":
        options = {"stdout": open("/dev/full", "w")}  # noqa: SIM115 -- closed by the end of the test
    elif reader == "was never there":
        options = {"preexec_fn": lambda: [hear_signals(), os.close(1)]}
    process = start(work, **options)
    if reader == "goes away":
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        process.stdout = None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert (tmp_path / "end").read_text(encoding="utf-8") == "done"


def test_a_run_in_the_background_of_a_shell_keeps_running_at_ctrl_c() -> None:
    """A shell starts it with interrupts ignored; `kill` still ends it."""
    process = start(BUSY, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    pids(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    assert process.communicate(timeout=30)[0].startswith("citysync: exit 143: ")
