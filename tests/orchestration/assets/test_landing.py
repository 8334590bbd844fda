"""A mount that fails is read again; a faulty file and a check never are."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

import dagster as dg
import pytest

from orchestration.assets import landing
from orchestration.resources import Settings
from tests.orchestration.conftest import six_cities, write_tidy
from warehouse.ingest import snapshot


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: int, failures: int
) -> tuple[dg.ExecuteInProcessResult, int]:
    """Materialize raw/tidy while the first reads of its file fail; the result and the number of
    reads.
    """
    monkeypatch.setenv("CITYSYNC_HOME", str(folder / "home"))
    monkeypatch.setattr(landing, "RETRY_SECONDS", 0)
    write_tidy(folder / "landing", six_cities())
    reads, open_file = [], snapshot.open_file

    def failing(path: Path, inside: Path | None = None) -> BinaryIO:
        if path.name != "values.csv" or inside is None:
            return open_file(path, inside)
        reads.append(path)
        if len(reads) <= failures:
            raise OSError(error, os.strerror(error), str(path))
        return open_file(path, inside)

    monkeypatch.setattr(snapshot, "open_file", failing)
    tidy = next(
        asset
        for asset in landing.build_landing_assets()
        if dg.AssetKey(["raw", "tidy"]) in asset.keys
    )
    settings = {"settings": Settings(landing=str(folder / "landing"))}
    return dg.materialize([tidy], resources=settings, raise_on_error=False), len(reads)


def test_a_failing_mount_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, reads = run(tmp_path, monkeypatch, errno.ESTALE, failures=2)
    assert result.success and reads == 3


def test_a_mount_that_stays_away_ends_as_bad_input_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, reads = run(tmp_path, monkeypatch, errno.EIO, failures=99)
    assert not result.success and reads == landing.RETRIES + 1
    failed = next(
        event for event in result.all_events if event.is_step_failure
    ).event_specific_data.error
    assert "LandingError" in str(failed) and "values.csv" in str(failed) and "resume" in str(failed)


def test_a_file_that_may_not_be_read_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, reads = run(tmp_path, monkeypatch, errno.EACCES, failures=99)
    assert not result.success and reads == 1


def simulate(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """The simulated landing of a home, of few cities."""
    monkeypatch.setenv("CITYSYNC_HOME", str(folder / "home"))
    result = dg.materialize(
        [landing.simulated_landing], resources={"settings": Settings(simulated_cities=48)}
    )
    assert result.success
    return folder / "home" / "simulated"


def test_a_simulated_landing_as_it_was_written_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = simulate(monkeypatch, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert {
        path: path.stat().st_mtime_ns for path in simulate(monkeypatch, tmp_path).rglob("*")
    } == times
