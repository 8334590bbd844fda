"""A publication that was handed over is data: its manifest sets no variable, leads to no other file
and ends in a sentence.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.commands import reproduce as module
from orchestration.commands.reproduce import reproduce
from tests.orchestration.conftest import end_of
from tests.warehouse.publication.small import THINGS, made_writable, put_out
from warehouse.hashing import hash_file
from warehouse.publication.manifest import MANIFEST, MANIFEST_HASH

RUN_ID = "20260101T000000.000000Z"
USUAL = {
    "git_commit": "unknown",
    "inputs": [],
    "packages": {},
    "settings": {"CITYSYNC_PERMUTATIONS": "199"},
}
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
def hand_over(home: Path) -> Hand:
    """Puts a publication with an edited manifest into the home."""
    put_out(home, RUN_ID, simulated=True)
    path = made_writable(home / "publications" / RUN_ID) / MANIFEST

    def hand(text: str | None = None, **parts: Any) -> None:
        manifest = json.loads(path.read_text(encoding="utf-8")) | USUAL | parts
        path.write_text(json.dumps(manifest) if text is None else text, encoding="utf-8")
        path.with_name(MANIFEST_HASH).write_text(hash_file(path), encoding="utf-8")

    return hand


def test_only_the_settings_of_the_run_reach_its_refresh(
    hand_over: Hand, started: list, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Another Python, with which tables may differ, is named before anything is built."""
    hand_over(packages={"python": "3.10"})
    monkeypatch.setenv("WINDOW_FIRST_YEAR", "2012")
    assert end_of(reproduce, RUN_ID, None) == 1
    (environment,) = started
    assert "python3.10" in capsys.readouterr().out
    assert environment["CITYSYNC_PERMUTATIONS"] == "199" and "WINDOW_FIRST_YEAR" not in environment


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ("", 0, "all 3 tables have the hashes of run"),
        ("; update marts.things set k = 9 where k = 1", 1, "1 of 3 tables differ"),
    ],
)
def test_a_table_that_differs_is_named(
    hand_over: Hand, monkeypatch: pytest.MonkeyPatch, capsys, changed: str, code: int, words: str
) -> None:
    hand_over()

    def publish(command: list[str], env: dict[str, str], **_: Any) -> subprocess.CompletedProcess:
        home = Path(env["CITYSYNC_HOME"])
        home.parent.mkdir()
        put_out(home, RUN_ID, THINGS + changed, simulated=True, **USUAL)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(module.subprocess, "run", publish)
    assert end_of(reproduce, RUN_ID, None) == code
    said = capsys.readouterr().out
    assert words in said and ("marts.things: " in said) == bool(code)


DELIVERED = {"is_simulated": False, "inputs": [{"path": "tidy/a.csv", "sha256": "0" * 64}]}


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
        # it needs the files of the run
        ({**DELIVERED, "asked": ("20250101T000000.000000Z", None)}, "kept are"),
        ({**DELIVERED, "asked": (RUN_ID, None)}, "--landing"),
        ({**DELIVERED, "asked": (RUN_ID, "/absent")}, "tidy/a.csv"),
    ],
)
def test_a_manifest_that_asks_for_more_or_lacks_its_files_is_refused(
    hand_over: Hand, started: list, capsys: pytest.CaptureFixture[str], parts: dict, named: str
) -> None:
    asked = parts.get("asked", (RUN_ID, None))
    hand_over(**{name: part for name, part in parts.items() if name != "asked"})
    assert end_of(reproduce, *asked) == 2
    said = capsys.readouterr().out
    assert not started and named in said and "\x1b" not in said
    assert said.count("\n") == 1 and "exit 2: " in said
