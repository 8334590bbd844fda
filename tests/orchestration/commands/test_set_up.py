"""A set-up is whole or not at all: an interrupted one is made again, an exchanged package stops it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from orchestration.commands import set_up as module
from orchestration.commands.set_up import STAMP, SetUpFailed, main, set_up
from tests.orchestration.conftest import REPO

SCRIPT = REPO / "orchestration" / "commands" / "set_up.py"


def write_wheel(folder: Path, name: str, code: str, script: str = "") -> str:
    """A wheel of one module; its requirement line with hash."""
    info, files = f"{name}-1.0.dist-info", {f"{name}.py": code}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {script}\n"
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, text in files.items():
            wheel.writestr(inside, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tiny lock file and its packages beside it; nothing is asked of a network."""
    real = Path(sys.executable).with_name("uv")
    uv = f"import subprocess, sys\n\ndef main():\n    return subprocess.run([{str(real)!r}, *sys.argv[1:]]).returncode\n"
    (tmp_path / "requirements-installer.lock").write_text(write_wheel(tmp_path / "wheels", "uv", uv, "uv:main"), encoding="utf-8")
    (tmp_path / "requirements.lock").write_text(write_wheel(tmp_path / "wheels", "tiny", "WORD = 'tiny'\n"), encoding="utf-8")
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the steps that would have been run; each leaves a folder as half a step would."""
    done: list[str] = []

    def run(command: list[str], text: str) -> None:
        environment = Path("env").absolute()
        (environment / "lib" / "python3.11" / "site-packages").mkdir(parents=True, exist_ok=True)
        done.append("venv" if "venv" in command else Path(command[0]).name)

    monkeypatch.setattr(module, "_run", run)
    return done


def run_set_up(checkout: Path) -> None:
    set_up(checkout / "env", checkout / "requirements.lock", checkout / "requirements-installer.lock", checkout=checkout)


def test_it_is_made_once_and_again_with_another_lock(checkout: Path, steps: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run_set_up(checkout)
    run_set_up(checkout)
    assert steps == ["venv", "python", "uv"] and not capsys.readouterr().out
    assert (checkout / "env/lib/python3.11/site-packages/citysync.pth").read_text(encoding="utf-8") == f"{checkout}\n"
    assert (checkout / "env/lib/python3.11/site-packages/citysync").readlink() == checkout / "estimation"
    (checkout / "env" / "left-over").touch()
    (checkout / "requirements.lock").write_text("# other\n", encoding="utf-8")
    run_set_up(checkout)
    assert len(steps) == 6 and not (checkout / "env" / "left-over").exists()
    assert "another lock file" in capsys.readouterr().out


@pytest.mark.parametrize("left", ["empty folder", "bin without pip", "file", "dead link", "stamp cut short", "stamp is a folder"])
def test_whatever_an_earlier_one_left_is_made_again(checkout: Path, steps: list[str], left: str) -> None:
    environment = checkout / "env"
    if left == "file":
        environment.touch()
    elif left == "dead link":
        environment.symlink_to(checkout / "elsewhere")
    else:
        (environment / "bin").mkdir(parents=True)
    if left == "bin without pip":
        (environment / "bin" / "python").symlink_to(sys.executable)
    elif left == "stamp cut short":
        (environment / STAMP).write_text("abc", encoding="utf-8")
    elif left == "stamp is a folder":
        (environment / STAMP).mkdir()
    run_set_up(checkout)
    assert steps == ["venv", "python", "uv"] and len((environment / STAMP).read_text(encoding="utf-8")) == 64


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SetUpFailed, OSError(28, "No space left on device")])
def test_a_step_that_fails_leaves_nothing_half(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: int, error: BaseException
) -> None:
    run = module._run

    def fail(command: list[str], text: str) -> None:
        run(command, text)
        if len(steps) > step:
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "_run", fail)
        before = signal.getsignal(signal.SIGTERM)
        code = main(["env", "requirements.lock"])
        signal.signal(signal.SIGTERM, before)
    assert code == (130 if error is KeyboardInterrupt else 2) and not (checkout / "env").exists()
    said = capsys.readouterr().out
    assert said.startswith(f"citysync setup: exit {code}: ") and said.count("\n") == 1
    run_set_up(checkout)
    assert (checkout / "env" / STAMP).exists()


def test_a_second_one_waits_and_finds_the_work_done(checkout: Path, steps: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run_set_up(checkout)
    with open(checkout / "env-lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = [sys.executable, "-I", str(SCRIPT), "env", "requirements.lock"]
        waiting = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True)
        assert "waiting for it" in waiting.stdout.readline()
        assert waiting.poll() is None
    assert waiting.wait(timeout=60) == 0 and len(steps) == 3


def test_killed_made_again_and_stopped_by_an_exchanged_package(checkout: Path) -> None:
    """The same with real tools: killed in its first second, run again, then a package whose hash is not the locked one."""
    command = [sys.executable, "-I", str(SCRIPT), "env", "requirements.lock", "--checkout", "."]
    killed = subprocess.Popen(command, cwd=checkout, start_new_session=True)
    end = time.monotonic() + 60
    while not (checkout / "env" / "bin" / "python").exists() and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait(timeout=60)
    assert (checkout / "env" / "bin").exists() and not (checkout / "env" / STAMP).exists()
    again = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert again.returncode == 0 and "a set-up that did not end" in again.stdout, again.stdout + again.stderr
    answer = subprocess.run(
        [checkout / "env/bin/python", "-c", "import tiny; print(tiny.WORD)"], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "tiny\n"

    lock = checkout / "requirements.lock"
    good = lock.read_text(encoding="utf-8")
    lock.write_text(good.replace(good[-65:-1], "0" * 64), encoding="utf-8")
    stopped = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert stopped.returncode == 2 and not (checkout / "env").exists()
    assert stopped.stdout.splitlines()[-1].startswith("citysync setup: exit 2: requirements.lock could not be installed")
    assert "git checkout requirements.lock" in stopped.stdout and "hash" in stopped.stderr.lower()


def test_what_installs_the_rest_is_locked_too() -> None:
    lines = (REPO / "requirements-installer.lock").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("uv==") and all("--hash=sha256:" in line for line in lines[1:]) and len(lines) > 5
