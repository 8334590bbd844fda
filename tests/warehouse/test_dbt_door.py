"""What a person who knows dbt finds when they start it by hand: something to read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.dbt_build import REPOSITORY
from warehouse.dbt_by_hand import prepare


def run_by_hand(home: Path, *arguments: str) -> str:
    """Start dbt as its own program does, in the checkout, with nothing set but the home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CITYSYNC_", "DBT_"))}
    target = {"DBT_TARGET_PATH": str(home / "target"), "DBT_LOG_PATH": str(home / "logs")}
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments]
    env = {**kept, "CITYSYNC_HOME": str(home), **target, "DO_NOT_TRACK": "1"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout + done.stderr


@pytest.mark.full
def test_a_first_build_by_hand_reads_a_small_simulated_landing(tmp_path: Path) -> None:
    assert "48 simulated cities are written" in run_by_hand(
        tmp_path, "run", "--select", "stg_raw__cells"
    )
    assert (tmp_path / "dbt" / "citysync.duckdb").exists() and not (tmp_path / "build").exists()
    landing = sorted(path.stat().st_mtime_ns for path in (tmp_path / "dbt").rglob("*.parquet"))
    prepare(tmp_path)
    again = sorted(path.stat().st_mtime_ns for path in (tmp_path / "dbt").rglob("*.parquet"))
    assert landing and again == landing


def test_after_a_refresh_its_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "build" / "raw").mkdir(parents=True)
    for content in (b"first", b"second"):
        (tmp_path / "build" / "raw" / "a.parquet").write_bytes(content)
        (tmp_path / "build" / "input_file.parquet").write_bytes(b"list of " + content)
        prepare(tmp_path)
        assert (tmp_path / "dbt" / "raw" / "a.parquet").read_bytes() == content
