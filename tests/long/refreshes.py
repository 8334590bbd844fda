"""Whole refreshes of six cities as processes, and what must be whole after each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.orchestration.conftest import REPO, SMALL, six_cities, write_tidy
from warehouse.publication.verification import verify_publication


def change(landing: Path, number: int) -> Path:
    """A landing with other last digits of the first value, so that a refresh has work to do."""
    rows = six_cities()
    return write_tidy(landing, [f"{rows[0]}{number + 1:05d}", *rows[1:]])


def start(home: Path, landing: Path, *before: str, **options) -> subprocess.Popen:
    """A refresh, with words of a command before it."""
    command = [*before, sys.executable, "-m", "orchestration", "refresh", f"--landing={landing}"]
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=REPO, env=env, **pipes, **options)


def require_whole(home: Path) -> str:
    """The publication opens, answers and has the hashes of its manifest; its run id."""
    assert verify_publication(home / "published") == []
    with duckdb.connect(str(home / "published" / "citysync.duckdb"), read_only=True) as con:
        return con.execute("select run_id from meta.run").fetchone()[0]
