"""`citysync bench`: one JSON object a line; seconds of a whole refresh, and speed of `cs.fit` as
ratios to a scan of the same pair-years in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scale import bench_size
from benchmarks.whole_refresh import bench_whole_refresh

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
