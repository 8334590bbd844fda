"""An interrupt ends a command at once, whatever it is doing, and every end has its last line; one
line per stage with its place and times.
"""

import signal
import subprocess
import sys
import time

import pytest

from orchestration import stage_lines as module
from orchestration.home import Home
from orchestration.stage_lines import BEFORE_ESTIMATES, FROM_ESTIMATES, StageLines
from tests.conftest import REPO
from tests.processes import hear_signals, is_gone

# busy in one call of C that hears no signal, as a compiled loop is; the process that it started
# sleeps
BUSY = (
    "child = subprocess.Popen(['sleep', '300']); print(os.getpid(), child.pid, flush=True); "
    "sum(range(10**11))"
)
# as Dagster does: an interrupt becomes an error of its own
DEAF = "[signal.signal(n, lambda *_: None) for n in (signal.SIGINT, signal.SIGTERM)]; " + BUSY
STARTED: list[subprocess.Popen] = []


def start(work: str, **options) -> subprocess.Popen:
    """`work`, watched, as a command would be; its first line is read by the caller."""
    body = "\n    ".join(work.split("; "))
    code = (
        "import os, signal, subprocess, sys\n"
        "from orchestration.supervision import hold_signals, supervise\nhold_signals()\n\n"
        f"def work():\n    {body}\n    return 0\n\nsys.exit(supervise('refresh', work))\n"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    settings = {"preexec_fn": hear_signals, **pipes, **options}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=REPO, **settings)
    STARTED.append(process)
    return process


@pytest.fixture(autouse=True)
def nothing_runs_on():
    """What a failed test leaves busy is ended; the work dies with the process that watches it."""
    yield
    for process in STARTED:
        process.kill()
        process.wait(timeout=30)
    STARTED.clear()


def pids(process: subprocess.Popen) -> list[int]:
    return [int(word) for word in process.stdout.readline().split()]


@pytest.mark.parametrize(
    ("number", "work"),
    [(signal.SIGINT, DEAF), (signal.SIGTERM, DEAF), (signal.SIGHUP, BUSY)],
)
def test_a_signal_ends_it_at_once_with_one_line(number, work, tmp_path, monkeypatch):
    """However often it is sent."""
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    process = start(work)
    started = pids(process)
    for _ in range(3):
        process.send_signal(number)
    # it would be busy for an hour
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number and not err and all(map(is_gone, started))
    line = f"citysync: exit {128 + number}: interrupted ({number.name}), run it again when you like"
    assert out == f"{line}; there is no publication yet\n"


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        ("return 3", 3, ""),
        ("sys.exit(2)", 2, ""),
        ("raise ValueError('no\\n such')", 1, "citysync: exit 1: ValueError: no such\n"),
        ("os.kill(os.getpid(), 9)", 1, "signal 9 (SIGKILL), perhaps because memory ran out"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 5)", 1, "(without a name), see above"),
    ],
)
def test_every_other_end_has_its_code_and_its_last_line(work, code, said):
    process = start(work)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code and said in out and out.count("\n") == bool(said)
    assert ("Traceback" in err) == ("ValueError" in work)


def test_the_work_ends_with_the_process_that_watches():
    process = start(BUSY)
    worker, _ = pids(process)
    process.kill()
    process.wait(timeout=30)
    assert is_gone(worker)


# each line is said by the work; what it wrote in the end says that it went on
TALKS = (
    "from orchestration.terminal import say; [say(str(n)) for n in range(2000)]; open({path!r}, "
    "'w').write('done'); say('end')"
)


@pytest.mark.parametrize("reader", ["goes away", "has a full disk"])
def test_without_anybody_to_read_it_the_work_goes_on(tmp_path, reader):
    """`refresh | head -1`, and a log on a full disk: no traceback, and the code of the work."""
    work = TALKS.format(path=str(tmp_path / "end"))
    with open("/dev/full", "w") as full:
        process = start(work, **({"stdout": full} if reader == "has a full disk" else {}))
    if reader == "goes away":
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        process.stdout = None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert (tmp_path / "end").read_text(encoding="utf-8") == "done"


def test_a_run_in_the_background_of_a_shell_keeps_running_at_ctrl_c():
    """`kill` still ends it."""

    def in_the_background() -> None:
        hear_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = start(BUSY, preexec_fn=in_the_background)
    pids(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    assert process.communicate(timeout=30)[0].startswith("citysync: exit 143: ")


def test_the_second_run_knows_the_times_of_the_first(tmp_path, capsys, monkeypatch):
    """Stages take one second, two, three and so on; a count is a line every half minute."""
    seconds = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: seconds[0])
    for _ in range(2):
        stages = StageLines()
        stages.announce(Home(tmp_path), is_whole=True, is_simulated=False)
        for k, name in enumerate((*BEFORE_ESTIMATES, *FROM_ESTIMATES)):
            seconds[0] += k + 1
            stages.done(name, "done")
        stages.note_seconds()
    for k in range(100):
        seconds[0] += 1
        stages.count(k + 1, 100, "specs")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 17 and "last time" not in "".join(said[:7])
    assert "about 21 s as last time" in said[7]
    assert said[10].endswith("[3/6] marts: done (3 s, about 15 s to go)")
    assert [line.split("specs, ")[1] for line in said[14:]] == [f"{n} of 100" for n in (30, 60, 90)]
