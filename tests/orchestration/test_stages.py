"""One line per stage with its place and times; details in the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration import stages as module
from orchestration import terminal
from orchestration.home import Home
from orchestration.stages import ALL_STAGES, Stages


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that stages see; a test sets it on."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def run_all(home: Home, clock: list[float], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines of a run whose stages take one second, two, three and so on."""
    stages = Stages()
    stages.plan(home, "all", simulated=False)
    for k, name in enumerate(name for name in ALL_STAGES if name not in module.OF_SIMULATED):
        clock[0] += k + 1
        stages.done(name, "done")
    stages.keep()
    return capsys.readouterr().out.splitlines()


def test_the_second_run_knows_the_times_of_the_first(
    tmp_path: Path, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (run_all(Home(tmp_path), clock, capsys) for _ in range(2))
    assert len(first) == 7 and "last time" not in "".join(first)
    assert first[3].endswith("[3/6] marts: done (3 s)")
    assert "about 21 s as last time" in second[0]
    assert second[3].endswith("[3/6] marts: done (3 s, about 15 s to go)")


def test_a_count_is_a_line_every_half_minute_and_all_of_it_in_the_log(
    tmp_path: Path,
    clock: list[float],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terminal, "_log", [])
    terminal.keep_log(tmp_path / "refresh.log")
    stages = Stages()
    stages.plan(Home(tmp_path), "estimates", simulated=False)
    capsys.readouterr()
    for k in range(100):
        clock[0] += 1
        stages.count(k + 1, 100, "specs")
    said = capsys.readouterr().out.splitlines()
    assert [re.sub(r"^ *-?\d+ s +", "", line) for line in said] == [
        "specs, 30 of 100",
        "specs, 60 of 100",
        "specs, 90 of 100",
    ]
    kept = (tmp_path / "refresh.log").read_text(encoding="utf-8")
    assert kept.count("specs, ") == 100 and "specs, 100 of 100" in kept
