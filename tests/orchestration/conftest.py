"""Whole refreshes in a subprocess, as a user runs them; one small simulated publication is shared by the tests that only look."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

REPO = Path(__file__).resolve().parents[2]
SMALL = {"CITYSYNC_SIMULATED_CITIES": "48", "CITYSYNC_PERMUTATIONS": "199"}


@dataclass(frozen=True)
class Run:
    """A finished command: exit code, what it printed, and the home it worked in."""

    code: int
    output: str
    home: Path

    @property
    def last_line(self) -> str:
        return self.output.strip().splitlines()[-1]

    @property
    def manifest(self) -> dict:
        return json.loads((self.home / "published" / "manifest.json").read_text(encoding="utf-8"))


def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the parallel workers of one test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Homes of the tests share what tools compile, else every run would parse and compile anew."""
    if "CITYSYNC_CACHE" in os.environ:
        return
    cache = of_all_workers(tmp_path_factory) / "cache"
    kernels = Path(os.environ.get("CITYSYNC_HOME") or REPO / "data").absolute() / "cache" / "numba"
    kernels.mkdir(parents=True, exist_ok=True)
    cache.mkdir(exist_ok=True)
    # what the estimators' own tests have compiled serves here too
    with suppress(FileExistsError):
        (cache / "numba").symlink_to(kernels)
    os.environ["CITYSYNC_CACHE"] = str(cache)


def refresh(home: Path, landing: Path | None = None, **environment: str) -> Run:
    """Run `python -m orchestration refresh` with a small simulated landing or the given one."""
    command = [sys.executable, "-m", "orchestration", "refresh", *(["--landing", str(landing)] if landing else [])]
    env = {**os.environ, **SMALL, "CITYSYNC_HOME": str(home), **environment}
    done = subprocess.run(command, cwd=REPO, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return Run(done.returncode, done.stdout, home)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One publication from the small simulated landing, made by the worker that asks first."""
    folder = of_all_workers(tmp_path_factory) / "simulated"
    with FileLock(f"{folder}.lock"):
        done = folder / "run.json"
        if not done.exists():
            run = refresh(folder / "home")
            done.write_text(json.dumps({"code": run.code, "output": run.output}), encoding="utf-8")
    run = Run(**json.loads(done.read_text(encoding="utf-8")), home=folder / "home")
    assert run.code == 0, run.output
    return run
