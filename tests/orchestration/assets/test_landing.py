"""A simulated landing is made again where its code changed."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets import landing
from orchestration.resources import Settings
from warehouse.hashing import hash_file


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
