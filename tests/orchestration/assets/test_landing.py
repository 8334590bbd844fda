"""A mount that fails is read again, a faulty file never; a simulated landing that changed is made
again.
"""

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
from warehouse.hashing import hash_file
from warehouse.ingest import snapshot


@pytest.mark.parametrize(
    ("error", "failures", "reads"),
    [
        (errno.ESTALE, 2, 3),
        (errno.EIO, 99, landing.RETRIES + 1),
        (errno.EACCES, 99, 1),
    ],
)
def test_a_failing_mount_is_read_again_and_a_file_that_may_not_be_read_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, failures: int, reads: int
) -> None:
    """Materialize raw/tidy while the first reads of its file fail."""
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(landing, "RETRY_SECONDS", 0)
    write_tidy(tmp_path / "landing", six_cities())
    tried, open_file = [], snapshot.open_file

    def failing(path: Path, inside: Path | None = None) -> BinaryIO:
        if path.name == "values.csv" and inside is not None:
            tried.append(path)
            if len(tried) <= failures:
                raise OSError(error, os.strerror(error), str(path))
        return open_file(path, inside)

    monkeypatch.setattr(snapshot, "open_file", failing)
    key, assets = dg.AssetKey(["raw", "tidy"]), landing.build_landing_assets()
    tidy = next(asset for asset in assets if key in asset.keys)
    settings = {"settings": Settings(landing=str(tmp_path / "landing"))}
    result = dg.materialize([tidy], resources=settings, raise_on_error=False)
    assert result.success == (failures < reads) and len(tried) == reads
    said = [str(e.event_specific_data.error) for e in result.all_events if e.is_step_failure]
    assert all("LandingError" in text and "values.csv" in text for text in said)


def simulate(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and time of each file of the simulated landing of a home, of few cities."""
    settings = {"settings": Settings(simulated_cities=48)}
    assert dg.materialize([landing.simulated_landing], resources=settings).success
    return {
        path.relative_to(folder).as_posix(): (hash_file(path), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_simulated_landing_is_left_alone_and_made_again_by_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "simulated"
    written = simulate(folder)
    assert simulate(folder) == written
    (folder / ".sha256").write_text("of other code", encoding="utf-8")
    again = simulate(folder)
    assert {k: v[0] for k, v in again.items()} == {k: v[0] for k, v in written.items()}
    assert again != written
