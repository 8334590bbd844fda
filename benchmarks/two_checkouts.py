"""Reading a landing with the code of two checkouts, in turn: what a change of the reader costs,
everything included.

`python -m benchmarks.two_checkouts OTHER LANDING --pairs 11` prints one JSON object. A run is a
whole process with an empty cache: start of Python, libraries, reading, the processes that parse.
Pairs in turn, and medians, so that what else the machine does meets both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestration.home import REPO

CODE = """
import sys
from pathlib import Path
from warehouse.ingest.landing import read_landing
from warehouse.ingest.layouts import load_layouts
landing, out = map(Path, sys.argv[1:])
report = read_landing(landing, out / "raw", out / "build", layouts=load_layouts())
print(report.files["n_observations"].sum())
"""


def read_once(checkout: Path, landing: Path) -> tuple[float, float, int]:
    """Seconds of processor time and of the clock of one reading, and the number of values read."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-P", "-c", CODE, str(landing), out]
        environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": ""}
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, check=True
        )  # our own code
        seconds, after = time.perf_counter() - started, os.times()
    used = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return used, seconds, int(done.stdout.split()[-1])


def compare(other: Path, landing: Path, pairs: int) -> dict[str, object]:
    """Medians of both, and of the ratios of each pair (this checkout to the other)."""
    for checkout in (other, REPO):
        read_once(checkout, landing)  # compiles what has no bytecode yet
    runs = []
    for number in range(pairs):
        # each goes first in every second pair
        order = (other, REPO) if number % 2 else (REPO, other)
        taken = {checkout: read_once(checkout, landing) for checkout in order}
        runs.append((taken[REPO], taken[other]))
    values = {tuple(run[2] for run in pair) for pair in runs}
    found: dict[str, object] = {
        "landing": str(landing),
        "pairs": pairs,
        "values_here_and_there": sorted(values),
    }
    for at, name in enumerate(("cpu_seconds", "clock_seconds")):
        here, there = ([run[side][at] for run in runs] for side in (0, 1))
        found[name] = {
            "here": round(statistics.median(here), 3),
            "other": round(statistics.median(there), 3),
            "ratio": round(statistics.median(a / b for a, b in zip(here, there, strict=True)), 3),
        }
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "other",
        type=Path,
        help="checkout to compare with, such as a `git worktree` of an earlier commit",
    )
    parser.add_argument("landing", type=Path, help="folder of delivered files")
    parser.add_argument("--pairs", type=int, default=11)
    chosen = parser.parse_args()
    print(json.dumps(compare(chosen.other.absolute(), chosen.landing.absolute(), chosen.pairs)))


if __name__ == "__main__":
    main()
