"""Reading ahead of the assets: what fails there is done by the asset, a run that fails gives it
up.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from orchestration import landing_ahead
from orchestration.home import Home
from orchestration.landing_ahead import SOURCES, landing_begun, take_simulated, take_source
from warehouse.ingest.errors import LandingError

# elsewhere the assets do all
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="is done ahead on Linux alone")
SECONDS = 0.1
THIS = os.getpid()


def read_here_alone(*_: object) -> str:
    """Stands for the reading of a source, which fails in another process."""
    if os.getpid() != THIS:
        raise LandingError("not there yet", ["a line of its own"])
    return "read"


def write_slowly(home: Home, n_cities: int) -> None:
    """Stands for the writing of the simulated landing: who writes while another does breaks it."""
    (home.simulated / "half").mkdir()
    time.sleep(SECONDS)
    (home.simulated / "half").rename(home.simulated / str(os.getpid()))


def read_slowly(*_: object) -> None:
    """Stands for the reading of a source."""
    time.sleep(SECONDS)


def test_what_failed_ahead_is_read_by_the_asset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_ahead, "_read", read_here_alone)
    with landing_begun(Home(tmp_path), str(tmp_path)):
        assert [take_source(Home(tmp_path), str(tmp_path), source) for source in SOURCES] == [
            "read"
        ] * len(SOURCES)


def test_the_simulated_landing_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_ahead, "_write_simulated", write_slowly)
    monkeypatch.setattr(landing_ahead, "_read", read_slowly)
    home = Home(tmp_path)
    with landing_begun(home, ""):
        take_simulated(home, 0)
        [written] = [path.name for path in home.simulated.iterdir() if path.is_dir()]
    assert written != str(os.getpid())


def test_a_run_that_fails_meanwhile_does_not_wait_for_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_ahead, "_read", read_slowly)
    began = time.monotonic()
    with pytest.raises(KeyError), landing_begun(Home(tmp_path), str(tmp_path)):
        # the first source is being read
        time.sleep(SECONDS / 2)
        raise KeyError
    assert time.monotonic() - began < SECONDS * len(SOURCES)
