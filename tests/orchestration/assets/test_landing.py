"""A mount that fails is read again; a faulty file and a check never are."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets import landing
from orchestration.resources import Settings
from tests.orchestration.commands.test_refresh import six_cities, write_tidy
from warehouse.ingest import landing as reader


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, error: int, failures: int) -> tuple[dg.ExecuteInProcessResult, int]:
    """Materialize raw/tidy while the first reads of its file fail; the result and the number of reads."""
    monkeypatch.setenv("CITYSYNC_HOME", str(folder / "home"))
    monkeypatch.setattr(landing, "RETRY_SECONDS", 0)
    write_tidy(folder / "landing", six_cities())
    reads, read_bytes = [], Path.read_bytes

    def failing(path: Path) -> bytes:
        if path.name != "values.csv":
            return read_bytes(path)
        reads.append(path)
        if len(reads) <= failures:
            raise OSError(error, os.strerror(error), str(path))
        return read_bytes(path)

    monkeypatch.setattr(reader.Path, "read_bytes", failing)
    tidy = next(asset for asset in landing.build_landing_assets() if dg.AssetKey(["raw", "tidy"]) in asset.keys)
    settings = {"settings": Settings(landing=str(folder / "landing"))}
    return dg.materialize([tidy], resources=settings, raise_on_error=False), len(reads)


def test_a_failing_mount_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, reads = run(tmp_path, monkeypatch, errno.ESTALE, failures=2)
    assert result.success and reads == 3


def test_a_mount_that_stays_away_ends_as_bad_input_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, reads = run(tmp_path, monkeypatch, errno.EIO, failures=99)
    assert not result.success and reads == landing.RETRIES + 1
    failed = next(event for event in result.all_events if event.is_step_failure).event_specific_data.error
    assert "LandingError" in str(failed) and "values.csv" in str(failed) and "resume" in str(failed)


def test_a_file_that_may_not_be_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, reads = run(tmp_path, monkeypatch, errno.EACCES, failures=99)
    assert not result.success and reads == 1
