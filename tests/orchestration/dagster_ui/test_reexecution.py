"""A failed run is resumed from failure: only what is left runs, and it publishes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestration.conftest import REPO, SMALL, refresh, six_cities, write_tidy


@pytest.mark.e2e
@pytest.mark.full
def test_a_failed_run_is_resumed_from_failure_and_publishes(tmp_path: Path) -> None:
    home, landing = tmp_path / "home", write_tidy(tmp_path / "landing", [])
    (landing / "tidy" / "values.csv").write_text(
        "city_id,year,value\n110000,2010,1\n", encoding="utf-8"
    )
    failed = refresh(home, landing)
    assert failed.code == 2, failed.output
    write_tidy(landing, six_cities())
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home)}
    code = (
        "import sys; from tests.orchestration.dagster_ui.resumed import resume; resume(sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(landing)]
    done = subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = {
        line.removeprefix("step ") for line in done.stdout.splitlines() if line.startswith("step ")
    }
    assert {"raw__tidy", "study", "publication__published"} <= steps
    assert not steps & {"raw__csmar_region", "raw__simulated_landing"}  # they had succeeded
    assert (home / "published" / "citysync.duckdb").exists()
