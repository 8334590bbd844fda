"""Verify and roll back, as an operator does."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from orchestration.commands import publications
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


def test_rollback_goes_back_one_by_one_and_forward_by_name(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        end_of(publications.rollback, None) == 0 and (home / "published").resolve().name == RUNS[1]
    )
    assert (
        end_of(publications.rollback, None) == 0 and (home / "published").resolve().name == RUNS[0]
    )
    assert end_of(publications.rollback, None) == 2 and RUNS[2] in capsys.readouterr().out
    assert (
        end_of(publications.rollback, RUNS[2]) == 0
        and (home / "published").resolve().name == RUNS[2]
    )
    assert (
        end_of(publications.rollback, "../../etc") == 2
        and (home / "published").resolve().name == RUNS[2]
    )


def test_a_damaged_publication_is_not_put_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip_byte(home / "publications" / RUNS[1] / "citysync.duckdb")
    assert end_of(publications.rollback, None) == 2
    assert (
        "citysync.duckdb" in capsys.readouterr().out
        and (home / "published").resolve().name == RUNS[2]
    )
    assert end_of(publications.verify, RUNS[1]) == 1 and end_of(publications.verify, None) == 0


def test_no_rollback_during_a_refresh(home: Path) -> None:
    # the kernel's lock, as another process would hold it
    with open(home / "refresh.lock", "a+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert end_of(publications.rollback, None) == 3
    assert (home / "published").resolve().name == RUNS[2]


def test_a_whole_publication_verifies(
    simulated: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(simulated.home))
    assert end_of(publications.verify, None) == 0
    said = capsys.readouterr().out
    assert (
        f"run {simulated.manifest['run_id']}" in said
        and "report/index.html" in simulated.manifest["files"]
    )
    assert (
        simulated.manifest["settings"]["CITYSYNC_SIMULATED_CITIES"]
        == SMALL["CITYSYNC_SIMULATED_CITIES"]
    )
