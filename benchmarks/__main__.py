"""`python -m benchmarks`: one JSON object a line; seconds of a whole refresh, and speed of `cs.fit`
as ratios to a scan of the same pair-years in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scale import bench_size
from orchestration.home import REPO

SCALE_SIZES = (120, 200, 290, 580)


def all_benchmarks(large: int | None) -> Iterator[dict[str, Any]]:
    """Every benchmark at every size, and the scale benchmarks once at a large number of places if
    asked.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as name:
        yield bench_whole_refresh(Path(name) / "home")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as name:
        for n_cities in SCALE_SIZES:
            yield from bench_size(n_cities, Path(name), repetitions=3)
        if large:
            yield from bench_size(large, Path(name), repetitions=2)


def bench_whole_refresh(home: Path) -> dict[str, Any]:
    """Refresh the default simulated landing in a new home, as a person would start it, with the
    loops compiled; return seconds by the clock and of the processors, and the memory.

    Parameters
    ----------
    home : Path
        A folder that does not exist yet.
    """
    env = {
        **os.environ,
        "CITYSYNC_HOME": str(home),
        "NUMBA_CACHE_DIR": str(home / "cache" / "numba"),
        "FORCE": "1",
    }
    _start(env, "estimation", "compile")
    before = _of_children()
    started = time.perf_counter()
    _start(env, "orchestration", "refresh")
    seconds = time.perf_counter() - started
    return {
        "name": "whole_refresh",
        "seconds": round(seconds, 1),
        "cpu_seconds": round(_of_children() - before, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1),
    }


def _of_children() -> float:
    """Processor seconds of the processes that this one started and that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _start(env: dict[str, str], *words: str) -> None:
    """Run a command of our own."""
    command = [sys.executable, "-m", *words]
    subprocess.run(command, cwd=REPO, env=env, check=True, stdout=subprocess.DEVNULL)


def scratch_folder() -> Path:
    """Where panels lie while they are measured: in the home, never in the system's temporary
    folder, which may be memory.
    """
    folder = Path(os.environ.get("CITYSYNC_HOME") or "data").absolute() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--large", type=int, help="number of places of one more size, 2850 for counties"
    )
    for line in all_benchmarks(parser.parse_args().large):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
