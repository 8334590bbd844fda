"""A publication that was handed over is data: its manifest sets no variable, leads to no other file
and ends in a sentence.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.commands import reproduce as module
from orchestration.commands.reproduce import reproduce
from orchestration.home import Home, python_version
from orchestration.supervision import hold_lock
from tests.orchestration.conftest import end_of
from tests.warehouse.publication.test_publish import put_out

RUN_ID = "20260101T000000.000000Z"
Hand = Callable[..., None]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Environments in which a refresh would have been started."""
    environments: list[dict[str, str]] = []

    def start(command: list[str], env: dict[str, str], **_: Any) -> subprocess.CompletedProcess:
        environments.append(env)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(module.subprocess, "run", start)
    return environments


@pytest.fixture
def hand_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    """Puts a publication with an edited manifest into the home."""
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    put_out(tmp_path, RUN_ID, simulated=True)
    path = tmp_path / "publications" / RUN_ID / "manifest.json"
    path.chmod(0o644)

    def hand(text: str | None = None, **parts: Any) -> None:
        usual = {
            "git_commit": "unknown",
            "inputs": [],
            "packages": {},
            "settings": {"CITYSYNC_PERMUTATIONS": "199"},
        }
        manifest = {**json.loads(path.read_text(encoding="utf-8")), **usual, **parts}
        path.write_text(json.dumps(manifest) if text is None else text, encoding="utf-8")

    return hand


def test_only_the_settings_of_the_run_reach_its_refresh(
    hand_over: Hand, started: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over()
    monkeypatch.setenv("WINDOW_FIRST_YEAR", "2012")
    assert end_of(reproduce, RUN_ID, None) == 1
    (environment,) = started
    assert environment["CITYSYNC_PERMUTATIONS"] == "199" and "WINDOW_FIRST_YEAR" not in environment
    assert environment.get("PYTHONPATH") == os.environ.get("PYTHONPATH")


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"settings": {"PYTHONPATH": "/evil"}}, "settings hold 'PYTHONPATH'"),
        ({"settings": {"LD_PRELOAD": "/evil.so", "STRICT": "1"}}, "settings hold 'LD_PRELOAD'"),
        (
            {"settings": {"CITYSYNC_PERMUTATIONS": "9999999999"}},
            "CITYSYNC_PERMUTATIONS is '9999999999'",
        ),
        ({"settings": [["PYTHONPATH", "/evil"]]}, "expected names and texts"),
        ({"run_id": "../../../evil"}, "run_id is"),
        ({"git_commit": "\x1b]0;owned\x07"}, "git_commit is"),
        ({"is_simulated": "yes"}, "is_simulated is"),
        (
            {"is_simulated": False, "inputs": [{"path": "../../etc/passwd", "sha256": "0" * 64}]},
            "inputs is",
        ),
        (
            {"is_simulated": False, "inputs": [{"path": "/etc/passwd", "sha256": "0" * 64}]},
            "inputs is",
        ),
        ({"is_simulated": False, "inputs": [{"path": "a\0b", "sha256": "0" * 64}]}, "inputs is"),
        ({"inputs": "all"}, "inputs is"),
        ({"tables": []}, "tables is"),
        ({"packages": 3}, "packages is"),
        ({"packages": {"python": "3.11; rm -rf ~"}}, "packages is"),
        ({"text": ""}, "expected JSON"),
        ({"text": "[" * 100_000}, "expected JSON"),
        ({"text": "[1, 2]"}, "expected names and values"),
        ({"text": "{"}, "expected JSON"),
    ],
)
def test_a_manifest_that_asks_for_more_is_refused(
    hand_over: Hand, started: list, capsys: pytest.CaptureFixture[str], parts: dict, named: str
) -> None:
    hand_over(**parts)
    assert end_of(reproduce, RUN_ID, None) == 2
    said = capsys.readouterr().out
    assert not started and named in said and "\x1b" not in said
    assert said.count("\n") == 1 and said.startswith("citysync: exit 2: ")


@pytest.mark.parametrize(("made_with", "is_said"), [(python_version(), False), ("3.10", True)])
def test_another_python_is_named_before_anything_is_built(
    hand_over: Hand,
    started: list,
    capsys: pytest.CaptureFixture[str],
    made_with: str,
    is_said: bool,
) -> None:
    hand_over(packages={"python": made_with})
    assert end_of(reproduce, RUN_ID, None) == 1 and started
    assert (
        f"remove .venv, then give PYTHON=python{made_with}" in capsys.readouterr().out
    ) == is_said


def test_it_does_not_run_beside_another_command(
    hand_over: Hand, started: list, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_over()
    with open(tmp_path / "refresh.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert end_of(reproduce, RUN_ID, None) == 3
    assert not started and "exit 3: another refresh" in capsys.readouterr().out
    with hold_lock(Home(tmp_path)):
        assert end_of(reproduce, RUN_ID, None) == 1


def test_it_needs_the_files_of_the_run(
    hand_over: Hand, started: list, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_over(is_simulated=False, inputs=[{"path": "tidy/a.csv", "sha256": "0" * 64}])
    assert end_of(reproduce, "20250101T000000.000000Z", None) == 2
    assert "kept are" in capsys.readouterr().out
    assert end_of(reproduce, RUN_ID, None) == 2 and "LANDING=path" in capsys.readouterr().out
    assert end_of(reproduce, RUN_ID, "/absent") == 2
    assert "tidy/a.csv: missing" in capsys.readouterr().out
    assert not started
