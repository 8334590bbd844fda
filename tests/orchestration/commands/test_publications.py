"""Verify and roll back, as an operator does."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.commands.publications import rollback, verify
from tests.orchestration.conftest import SMALL, Run, end_of
from tests.warehouse.publication.test_publish import put_out
from tests.warehouse.publication.test_verification import flip_byte

RUNS = [f"2026010{day}T000000.000000Z" for day in (1, 2, 3)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with three publications."""
    for run_id in RUNS:
        put_out(tmp_path, run_id)
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    return tmp_path


def current(home: Path) -> str:
    return (home / "published").resolve().name


def test_rollback_goes_back_one_by_one_and_forward_by_name(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = ((None, 0, RUNS[1]), (None, 0, RUNS[0]), (None, 2, RUNS[0]), (RUNS[2], 0, RUNS[2]))
    for asked, code, now in steps:
        assert (end_of(rollback, asked), current(home)) == (code, now)
    assert RUNS[2] in capsys.readouterr().out
    assert (end_of(rollback, "../../etc"), current(home)) == (2, RUNS[2])


def test_a_damaged_publication_is_found_and_not_put_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip_byte(home / "publications" / RUNS[1] / "citysync.duckdb")
    assert (end_of(rollback, None), current(home)) == (2, RUNS[2])
    assert "citysync.duckdb" in capsys.readouterr().out
    assert (end_of(verify, RUNS[1]), end_of(verify, None)) == (1, 0)


def test_a_whole_publication_verifies(
    simulated: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    assert end_of(verify, None) == 0
    assert f"run {simulated.manifest['run_id']}" in capsys.readouterr().out
    assert "report/index.html" in simulated.manifest["files"]
    assert SMALL.items() <= simulated.manifest["settings"].items()
