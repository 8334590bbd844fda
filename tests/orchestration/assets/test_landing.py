"""A simulated landing is made again where its code changed."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets import landing
from orchestration.home import Home
from orchestration.resources import Settings


def test_a_simulated_landing_is_left_alone_and_made_again_by_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSYNC_HOME", str(tmp_path))
    written: list[int] = []

    def write(home: Home, settings: Settings) -> None:
        assert not list(home.simulated.iterdir()), "nothing of before may stay"
        written.append(settings.simulated_cities)
        (home.simulated / "values.csv").touch()

    monkeypatch.setattr(landing, "_write_simulated", write)

    def simulate(n_cities: int) -> None:
        settings = {"settings": Settings(simulated_cities=n_cities)}
        assert dg.materialize([landing.simulated_landing], resources=settings).success

    simulate(48)
    simulate(48)
    simulate(49)
    (tmp_path / "simulated" / ".sha256").write_text("of other code", encoding="utf-8")
    simulate(49)
    assert written == [48, 49, 49]
