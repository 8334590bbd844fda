"""The environment and the ways to start the one command: what is in the locks, what is damaged is
made again, and words reach the command as they are.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from orchestration import command
from orchestration.supervision import exit_code_of
from tests.conftest import REPO

LOCKS = sorted((REPO / "requirements").glob("*.txt"))


def groups() -> dict[str, list[str]]:
    """Names of the packages that each group of pyproject.toml asks for."""
    found = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    of_group = found["dependency-groups"]
    base = of_group["base"] + found["project"]["dependencies"]
    return {
        group: [re.split(r"[\[<>=, ]", one)[0].lower().replace("_", "-") for one in names]
        for group, names in {**of_group, "base": base, "uv": ["uv"]}.items()
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_holds_what_its_group_asks_for_with_hashes(lock):
    text = lock.read_text(encoding="utf-8")
    packages = re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==\S+(.*(?:\n    --hash.*)+)", text, re.M)
    assert set(groups()[lock.stem]) <= {name for name, _ in packages}
    assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.M))
    assert "://" not in text


def citysync(*words: str, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "orchestration.command", *words],
        cwd=REPO,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("verify", "--no-such-option"),
        ("verify", "20200101T000000.000000Z"),
        ("rollback", "--run", "20200101T000000.000000Z"),
        ("docs",),
        ("check-source",),
        ("new-source",),
        ("fetch",),
        ("sql", "-q", "select 1"),
        ("ui", "--landing", "/nowhere"),
        ("refresh", "--landing=/nowhere"),
        ("fit", "nowhere.csv", "--outcome", "y"),
        ("primary", "nowhere.csv"),
        ("classify", "nowhere.csv"),
        ("fit",),
    ],
    ids=" ".join,
)
def test_every_fault_ends_in_the_one_last_line(words, home, monkeypatch, capfd):
    monkeypatch.setattr(command, "supervise", lambda _, work: exit_code_of(work))
    try:
        code = command.main([*words])
    except SystemExit as ended:
        code = ended.code
    said = "".join(capfd.readouterr())
    assert code == 2 and "Traceback" not in said
    assert re.match(r"citysync: exit 2: \S", said.strip().splitlines()[-1])


@pytest.mark.parametrize(
    "landing, said",
    [("a 'landing' {b}; $(c)",) * 2, ("", "LANDING is empty"), ("数据", r"\u6570\u636e does not")],
)
def test_what_stands_behind_make_reaches_the_command(tmp_path, landing, said):
    settings = {"CITYSYNC_MAKE": "1", "LANDING": landing, "PYTHONIOENCODING": "latin-1"}
    ended = citysync("refresh", CITYSYNC_HOME=str(tmp_path / "home"), **settings)
    assert said in ended.stdout and ended.returncode == 2


def test_what_lies_in_the_working_folder_is_not_run(tmp_path):
    for name in ("json", "orchestration", "warehouse"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)", encoding="utf-8")
    env = os.environ | {"CITYSYNC_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    command = [Path(sys.prefix) / "bin" / "citysync", "sql", "-q", "select 1"]
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert ended.returncode == 2 and b"nothing has been published" in ended.stderr


@pytest.mark.full
def test_an_environment_killed_or_damaged_is_mended_by_the_documented_step(tmp_path):
    checkout = tmp_path / "a checkout"
    subprocess.run(["git", "clone", "-q", str(REPO), str(checkout)], check=True)

    def make(*words: str) -> int:
        return subprocess.run(["make", *words], cwd=checkout, check=False).returncode

    for seconds in (0.3, 1.0, 2.5):
        started = subprocess.Popen(["make", "setup"], cwd=checkout, start_new_session=True)
        time.sleep(seconds)
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    if make("setup"):
        pytest.skip("no package index can be reached, nor is what is locked in a cache")
    packages = next((checkout / ".venv" / "lib").glob("python3*")) / "site-packages"
    shutil.move(packages / "duckdb", tmp_path / "away")
    command = [checkout / ".venv" / "bin" / "citysync", "sql", "-q", "select 1"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert re.match(r"citysync: exit 2: .*duckdb is gone.*`make setup`", ended.stderr)
    assert make("setup") == 0
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "nothing has been published" in ended.stderr
