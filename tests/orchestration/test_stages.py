"""One line per stage with its place and times; details in the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration import stages as module
from orchestration import terminal
from orchestration.home import Home
from orchestration.stages import ALL_STAGES, FILE, Stages


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that stages see; a test sets it on."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def run_all(home: Home, clock: list[float]) -> None:
    stages = Stages()
    stages.plan(home, "all", simulated=False)
    for k, name in enumerate(name for name in ALL_STAGES if name not in module.OF_SIMULATED):
        clock[0] += k + 1
        stages.done(name, "done")
    stages.keep()


def test_the_second_run_knows_the_times_of_the_first(
    tmp_path: Path, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    run_all(Home(tmp_path), clock)
    assert '"publication": 6' in (tmp_path / FILE).read_text(encoding="utf-8")
    first = capsys.readouterr().out.splitlines()
    assert (
        len(first) == 7
        and "6 stages; every line is kept in" in first[0]
        and str(tmp_path / "refresh.log") in first[0]
    )
    assert first[3].endswith("[3/6] marts: done (3 s)") and "last time" not in "".join(first)
    run_all(Home(tmp_path), clock)
    second = capsys.readouterr().out.splitlines()
    assert "6 stages, about 21 s as last time" in second[0]
    assert second[3].endswith("[3/6] marts: done (3 s, about 15 s to go)")
    assert second[6].endswith("[6/6] publication: done (6 s)")


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
