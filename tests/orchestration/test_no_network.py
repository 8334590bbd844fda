"""No host but this machine is looked up: the hook that watches for it works, and a whole refresh
under it left no trace.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.orchestration.conftest import Run


def test_a_look_up_of_another_host_fails_and_is_written_down(tmp_path: Path) -> None:
    env = {**os.environ, "CITYSYNC_TEST_LOOKUPS": str(tmp_path / "log")}
    code = "import socket, sys; socket.getaddrinfo(sys.argv[1], 80)"
    for host, is_own in (("localhost", True), ("telemetry.example", False)):
        command = [sys.executable, "-c", code, host]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == is_own == (not (tmp_path / "log").exists())
    assert "look-up of telemetry.example" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_refresh_looks_up_no_other_host(simulated: Run) -> None:
    """The refresh of `simulated` ran with the hook; what it had looked up, swallowed or not, would
    stand in the log.
    """
    assert simulated.code == 0
    log = Path(os.environ["CITYSYNC_TEST_LOOKUPS"])
    assert not log.exists(), log.read_text(encoding="utf-8")
