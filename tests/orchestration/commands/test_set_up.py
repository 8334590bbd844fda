"""A set-up is whole or not at all: an interrupted one is made again, an exchanged package
stops it.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.commands import set_up as module
from orchestration.commands.set_up import STAMP, SetUpFailed, main, set_up
from tests.orchestration.conftest import REPO

SCRIPT = REPO / "orchestration" / "commands" / "set_up.py"
PYTHON = f"python3.{sys.version_info.minor}"


def write_wheel(folder: Path, name: str, code: str, script: str = "") -> str:
    """A wheel of one module; its requirement line with hash."""
    info, files = f"{name}-1.0.dist-info", {f"{name}.py": code}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
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
    uv = (
        f"import subprocess, sys\n\ndef main():\n    return subprocess.run([{str(real)!r}, "
        "*sys.argv[1:]]).returncode\n"
    )
    (tmp_path / "requirements-installer.lock").write_text(
        write_wheel(tmp_path / "wheels", "uv", uv, "uv:main"), encoding="utf-8"
    )
    (tmp_path / "requirements.lock").write_text(
        write_wheel(tmp_path / "wheels", "tiny", "WORD = 'tiny'\n"), encoding="utf-8"
    )
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the steps that would have been run; each leaves a folder as half a step would, the
    last one a package and a program.
    """
    done: list[str] = []

    def run(command: list[str], *_: object) -> None:
        environment = Path(command[-1]) if "venv" in command else Path(command[0]).parent.parent
        packages = environment / "lib" / PYTHON / "site-packages"
        packages.mkdir(parents=True, exist_ok=True)
        (environment / "bin").mkdir(exist_ok=True)
        if "venv" in command:
            (environment / "bin" / "python").symlink_to(sys.executable)
        done.append("venv" if "venv" in command else Path(command[0]).name)
        if done[-1] == "uv":
            (packages / "tiny.py").touch()
            (environment / "bin" / "tiny").touch()

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module, "_with_settings_of_pip", lambda python, settings: settings)
    return done


def hash_of(checkout: Path) -> str:
    return hashlib.sha256((checkout / "requirements.lock").read_bytes()).hexdigest()


def run_set_up(checkout: Path) -> None:
    set_up(
        checkout / "env",
        checkout / "requirements.lock",
        checkout / "requirements-installer.lock",
        checkout=checkout,
    )


def test_it_is_made_once_and_again_with_another_lock(
    checkout: Path, steps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run_set_up(checkout)
    run_set_up(checkout)
    assert steps == ["venv", "python", "uv"] and not capsys.readouterr().out
    packages = checkout / "env" / "lib" / PYTHON / "site-packages"
    # relative: neither the characters of the checkout's path nor a link to the environment matter
    assert (packages / "citysync.pth").read_text(encoding="utf-8") == "../../../..\n"
    assert (packages / "citysync").readlink() == Path("../../../../estimation")
    (checkout / "env" / "left-over").touch()
    (checkout / "requirements.lock").write_text("# other\n", encoding="utf-8")
    run_set_up(checkout)
    assert len(steps) == 6 and not (checkout / "env" / "left-over").exists()
    assert "another lock file" in capsys.readouterr().out


@pytest.mark.parametrize(
    "left",
    [
        "empty folder",
        "bin without pip",
        "file",
        "dead link",
        "stamp cut short",
        "stamp is a folder",
        "stamp is a pipe",
        "stamp leads nowhere",
    ],
)
def test_whatever_an_earlier_one_left_is_made_again(
    checkout: Path, steps: list[str], left: str
) -> None:
    environment = checkout / "env"
    if left == "file":
        environment.touch()
    elif left == "pipe":
        os.mkfifo(environment)
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
    elif left == "stamp is a pipe":
        os.mkfifo(environment / STAMP)
    elif left == "stamp leads nowhere":
        (environment / STAMP).symlink_to(checkout / "elsewhere")
    run_set_up(checkout)
    assert steps == ["venv", "python", "uv"] and not module.what_is_wrong(
        environment, hash_of(checkout)
    )


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, SetUpFailed, OSError(28, "No space left on device")]
)
def test_a_step_that_fails_leaves_nothing_half(
    checkout: Path,
    steps: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: int,
    error: BaseException,
) -> None:
    run = module._run

    def fail(command: list[str], *more: object) -> None:
        run(command, *more)
        if len(steps) > step:
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "_run", fail)
        before = {number: signal.getsignal(number) for number in module.ENDING}
        code = main(["env", "requirements.lock"])
        for number, handler in before.items():
            signal.signal(number, handler)
    assert code == (130 if error is KeyboardInterrupt else 2) and not (checkout / "env").exists()
    said = capsys.readouterr().out
    assert said.startswith(f"citysync setup: exit {code}: ") and said.count("\n") == 1
    run_set_up(checkout)
    assert (checkout / "env" / STAMP).exists()


def test_a_second_one_waits_and_finds_the_work_done(
    checkout: Path, steps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run_set_up(checkout)
    aside = (checkout / "env" / STAMP).rename(checkout / "stamp")
    with open(checkout / "env-lock", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = [sys.executable, "-I", str(SCRIPT), "env", "requirements.lock"]
        waiting = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True)
        assert "waiting for it" in waiting.stdout.readline()
        assert waiting.poll() is None
        aside.rename(checkout / "env" / STAMP)
    assert waiting.wait(timeout=60) == 0 and len(steps) == 3


def moved(checkout: Path) -> None:
    """As if the environment had been made elsewhere and come here with its checkout."""
    stamp = checkout / "env" / STAMP
    stamp.write_text(
        stamp.read_text(encoding="utf-8").replace(str(checkout), "/elsewhere"), encoding="utf-8"
    )


def another_python(checkout: Path) -> None:
    """The system was upgraded: the same link leads to a later Python."""
    (checkout / "env" / "bin" / "python").unlink()
    (checkout / "env" / "bin" / "python").write_text(
        "#!/bin/sh\necho python3.99\n", encoding="utf-8"
    )
    (checkout / "env" / "bin" / "python").chmod(0o755)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a package is gone": (
        lambda checkout: (checkout / "env" / "lib" / PYTHON / "site-packages" / "tiny.py").unlink(),
        "lacks tiny.py",
    ),
    "a program is gone": (
        lambda checkout: (checkout / "env" / "bin" / "tiny").unlink(),
        "lacks bin/tiny",
    ),
    "all packages are gone": (
        lambda checkout: shutil.rmtree(checkout / "env" / "lib"),
        "has no interpreter that runs",
    ),
    "its interpreter is gone": (
        lambda checkout: (checkout / "env" / "bin" / "python").unlink(),
        "has no interpreter that runs",
    ),
    "its interpreter is another one": (another_python, "has no interpreter that runs"),
    "it was moved": (moved, "was made at /elsewhere/env, which its scripts name"),
    "the lock is another one": (
        lambda checkout: (checkout / "requirements.lock").write_text("# other\n"),
        "is of another lock file",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_one_is_made_again_whatever_the_dates_say(
    checkout: Path, steps: list[str], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    damage, reason = DAMAGE[name]
    run_set_up(checkout)
    damage(checkout)
    os.utime(checkout / "requirements.lock", (0, 0))
    os.utime(checkout / "env" / STAMP, (4e9, 4e9))
    run_set_up(checkout)
    assert len(steps) == 6 and f"env {reason}: made again" in capsys.readouterr().out
    run_set_up(checkout)
    assert len(steps) == 6


def test_one_that_is_whole_is_left_alone(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by somebody who may not write there, also through a link, also one of before the stamp
    named what was installed.
    """
    run_set_up(checkout)
    (checkout / "other").mkdir()
    (checkout / "other" / "env").symlink_to(checkout / "env")
    monkeypatch.setattr(
        module,
        "_hold",
        lambda path: pytest.fail("nothing is to be done, so nothing is to be locked"),
    )
    set_up(
        checkout / "other" / "env",
        checkout / "requirements.lock",
        checkout / "requirements-installer.lock",
    )
    (checkout / "env" / STAMP).write_text(hash_of(checkout), encoding="utf-8")
    run_set_up(checkout)
    assert len(steps) == 3 and (checkout / "other" / "env").is_symlink()
    assert main(["env", "requirements.lock", "--is-whole"]) == 0
    (checkout / "env" / STAMP).unlink()
    assert main(["env", "requirements.lock", "--is-whole"]) == 1


@pytest.mark.parametrize("kind", ["text of a dead process", "pipe", "link to nothing"])
def test_whatever_stands_in_the_lock_s_place_holds_nothing_up(
    checkout: Path, steps: list[str], kind: str
) -> None:
    lock = checkout / "env-lock"
    if kind == "pipe":
        os.mkfifo(lock)
    elif kind == "link to nothing":
        lock.symlink_to(checkout / "elsewhere")
    else:
        lock.write_text("4194304\n", encoding="utf-8")
    run_set_up(checkout)
    assert steps == ["venv", "python", "uv"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(checkout: Path, closed: str) -> None:
    """As a timer or a service may start it.

    Real tools: what they would print must not end in the lock.
    """
    words = " ".join(
        shlex.quote(word)
        for word in [sys.executable, "-I", str(SCRIPT), "env", "requirements.lock"]
    )
    done = subprocess.run(["sh", "-c", f"{words} {closed}"], cwd=checkout, check=False)
    assert done.returncode == 0 and not module.what_is_wrong(checkout / "env", hash_of(checkout))
    assert (checkout / "env-lock").read_bytes() == b""


def test_a_folder_in_the_lock_s_place_is_named(
    checkout: Path, steps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "env-lock").mkdir()
    before = {number: signal.getsignal(number) for number in module.ENDING}
    assert main(["env", "requirements.lock"]) == 2 and not steps
    for number, handler in before.items():
        signal.signal(number, handler)
    said = capsys.readouterr().out
    assert said == (
        f"citysync setup: exit 2: {checkout / 'env-lock'}: {os.strerror(errno.EISDIR)}; move "
        "it away, then run make again\n"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("a:b", "a colon"), ("one\ntwo", "a line break"), ("x\nimport os", "a line break")],
)
def test_a_path_that_no_environment_can_have_is_refused(
    checkout: Path, steps: list[str], name: str, said: str
) -> None:
    (checkout / name).mkdir()
    with pytest.raises(
        SetUpFailed,
        match=f"holds {said}, with which Python makes no environment; move the checkout",
    ):
        set_up(
            checkout / name / "env",
            checkout / "requirements.lock",
            checkout / "requirements-installer.lock",
        )
    assert not steps and not list((checkout / name).iterdir())


def test_variables_and_files_of_settings_say_where_packages_come_from_and_nothing_else(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where they go, which ones they are, or that their hashes do not matter."""
    hostile = {
        "PIP_TARGET": "/elsewhere",
        "PIP_REQUIREMENT": "foreign.txt",
        "PIP_CONSTRAINT": "old.txt",
        "PIP_DRY_RUN": "1",
        "PIP_USER": "1",
        "PIP_PYTHON": "/other/python",
        "UV_OVERRIDE": "foreign.txt",
        "UV_NO_VERIFY_HASHES": "1",
        "UV_EXCLUDE_NEWER": "2015-01-01",
        "UV_CONFIG_FILE": "/foreign.toml",
        "UV_SYSTEM_PYTHON": "1",
        "PYTHONPATH": "/foreign",
        "PYTHONHOME": "/foreign",
    }
    for name, value in (
        hostile
        | {
            "PIP_CONFIG_FILE": str(checkout / "pip.conf"),
            "PIP_RETRIES": "2",
            "UV_HTTP_TIMEOUT": "9",
        }
    ).items():
        monkeypatch.setenv(name, value)
    for name in (
        "UV_NO_INDEX",
        "UV_FIND_LINKS",
        "PIP_FIND_LINKS",
        "PIP_NO_INDEX",
        "PIP_CERT",
        "SSL_CERT_FILE",
        "PIP_INDEX_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    (checkout / "pip.conf").write_text(
        "[global]\nindex-url = https://one/simple\nfind-links = /a\n  /b\ncert = /ca.pem\nno-deps "
        "= true\n[install]\ntarget = /x\n"
        "index-url = https://two/simple\n",
        encoding="utf-8",
    )
    calls: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(
        module, "_run", lambda command, text, held, settings: calls.append((command, settings))
    )
    module._build(
        Path(sys.prefix),
        checkout / "requirements.lock",
        checkout / "requirements-installer.lock",
        None,
        0,
    )
    (_, of_venv), (pip, of_pip), (uv, of_uv) = calls
    assert not set(hostile) & {*of_venv, *of_pip, *of_uv} and "-I" in pip and "--no-config" in uv
    assert "--require-hashes" in pip and "--require-hashes" in uv
    # those of the test's own file; this machine may have further ones
    assert (
        of_pip == of_uv
        and of_uv.items()
        >= {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "https://two/simple",
            "PIP_FIND_LINKS": "/a\n/b",
            "PIP_CERT": "/ca.pem",
            "PIP_RETRIES": "2",
            "UV_DEFAULT_INDEX": "https://two/simple",
            "UV_FIND_LINKS": "/a,/b",
            "UV_HTTP_TIMEOUT": "9",
            "SSL_CERT_FILE": "/ca.pem",
        }.items()
    )


def test_a_step_that_outlives_its_set_up_keeps_the_lock(tmp_path: Path) -> None:
    """The next set-up would remove what this step still writes."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import set_up, pathlib\n"
        "with set_up._hold(pathlib.Path('lock')) as held: set_up._run(['sh', '-c', 'echo begun; "
        "sleep 60'], '', held, {})"
    )
    command = [sys.executable, "-I", "-c", code, str(SCRIPT.parent)]
    killed = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert killed.stdout.readline() == "begun\n"
    (group,) = [
        int(child)
        for child in Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
    ]
    killed.kill()
    killed.wait()
    with open(tmp_path / "lock") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.killpg(group, signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_an_interrupt_ends_a_step_with_all_that_it_started(tmp_path: Path) -> None:
    def ring(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    with open(tmp_path / "lock", "a") as held, pytest.raises(KeyboardInterrupt):
        module._run(
            [
                "sh",
                "-c",
                f"(sleep 60; touch {tmp_path / 'late'}) & echo $! > {tmp_path / 'pid'}; wait",
            ],
            "",
            held.fileno(),
            {},
        )
    signal.signal(signal.SIGALRM, before)
    child = Path("/proc") / (tmp_path / "pid").read_text().strip() / "stat"
    end = time.monotonic() + 10
    while (
        child.exists()
        and child.read_text().rpartition(")")[2].split()[0] != "Z"
        and time.monotonic() < end
    ):
        time.sleep(0.01)
    assert not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z"


def test_killed_made_again_and_stopped_by_an_exchanged_package(checkout: Path) -> None:
    """The same with real tools: killed in its first second, run again, then a package whose hash is
    not the locked one.
    """
    command = [sys.executable, "-I", str(SCRIPT), "env", "requirements.lock", "--checkout", "."]
    killed = subprocess.Popen(command, cwd=checkout, start_new_session=True)
    end = time.monotonic() + 60
    while not (checkout / "env" / "bin" / "python").exists() and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait(timeout=60)
    assert (checkout / "env" / "bin").exists() and not (checkout / "env" / STAMP).exists()
    again = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert again.returncode == 0 and "a set-up that did not end" in again.stdout, (
        again.stdout + again.stderr
    )
    answer = subprocess.run(
        [checkout / "env/bin/python", "-c", "import tiny; print(tiny.WORD)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "tiny\n"

    lock = checkout / "requirements.lock"
    good = lock.read_text(encoding="utf-8")
    lock.write_text(good.replace(good[-65:-1], "0" * 64), encoding="utf-8")
    stopped = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert stopped.returncode == 2 and not (checkout / "env").exists()
    assert stopped.stdout.splitlines()[-1].startswith(
        "citysync setup: exit 2: requirements.lock could not be installed"
    )
    assert "git checkout requirements.lock" in stopped.stdout and "hash" in stopped.stderr.lower()


def test_what_installs_the_rest_is_locked_too() -> None:
    lines = (REPO / "requirements-installer.lock").read_text(encoding="utf-8").splitlines()
    assert (
        lines[0].startswith("uv==")
        and all("--hash=sha256:" in line for line in lines[1:])
        and len(lines) > 5
    )
