"""No host but this machine is looked up: the hook that watches for it works, and a whole refresh
under it left no trace.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.orchestration.conftest import Run

LOOK_UP = "import socket; socket.getaddrinfo({host!r}, 80)"


def look_up(host: str, log: Path) -> subprocess.CompletedProcess:
    env = {**os.environ, "CITYSYNC_TEST_LOOKUPS": str(log)}
    return subprocess.run(
        [sys.executable, "-c", LOOK_UP.format(host=host)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_look_up_of_another_host_fails_and_is_written_down(tmp_path: Path) -> None:
    assert (
        look_up("localhost", tmp_path / "log").returncode == 0 and not (tmp_path / "log").exists()
    )
    refused = look_up("telemetry.example", tmp_path / "log")
    assert refused.returncode == 1 and "test without network" in refused.stderr
    assert "look-up of telemetry.example" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_refresh_looks_up_no_other_host(simulated: Run) -> None:
    """The refresh of `simulated` ran with the hook; what it had looked up, swallowed or not, would
    stand in the log.
    """
    assert simulated.code == 0
    log = Path(os.environ["CITYSYNC_TEST_LOOKUPS"])
    assert not log.exists(), log.read_text(encoding="utf-8")
