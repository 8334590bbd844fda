"""What the page says of 200 economies of the default landing, and how often intervals hold the
truth.

`python -m benchmarks.simulated_landing` writes estimation/analyses/simulated_landing.csv, which a
refresh publishes in `estimates.coverage`, and the table of docs/evidence/simulated-landing.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.draws import in_processes, keep
from benchmarks.page import markdown, write_between
from benchmarks.simulated_landing import summary
from benchmarks.simulated_landing.run import economy_rows
from estimation.study.coverage import MEASURED
from warehouse.hashing import code_files, hash_named_files

REPO = Path(__file__).resolve().parents[2]
PAGE = REPO / "docs" / "evidence" / "simulated-landing.md"
# What the figures depend on besides the seeds.
CODE = (
    "warehouse/ingest/simulation",
    "estimation/primary",
    "warehouse/seeds/city_roster.csv",
    "warehouse/seeds/pilot_zones.csv",
)
ECONOMIES, PERMUTATIONS = 200, 999


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulated_landing", description=__doc__
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="multiplies the economies (0.05 for a first look, which is printed only)",
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    n_economies = max(20, int(ECONOMIES * chosen.scale))
    home = Path(os.environ.get("CITYSYNC_HOME") or "data").absolute()
    rows = measure(n_economies, home / "simulation_study", chosen.processes)
    figures = summary.figures(rows).assign(measured_with=f"code {_hash()}, {datetime.date.today()}")
    table = markdown(summary.table(rows, figures))
    if chosen.scale != 1.0:
        print(table)
        return
    figures.to_csv(MEASURED, index=False)
    write_between(PAGE, "measured", table)


def measure(
    n_economies: int, folder: Path, processes: int, n_cities: int | None = None
) -> pd.DataFrame:
    """Rows of economies with the seeds 1 .. n; those that are there, made with the same code and
    numbers, are not drawn again.
    """
    path = folder / "landing.csv"
    draw = partial(_draw_chunk, n_cities)
    keep(
        path,
        f"{_hash()} {n_economies} {PERMUTATIONS} {n_cities}",
        partial(in_processes, draw, range(1, n_economies + 1), processes),
        partial(print, f"{n_economies} economies of the default landing", flush=True),
    )
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _draw_chunk(n_cities: int | None, seeds: range) -> list[dict]:
    return [row for seed in seeds for row in economy_rows(seed, PERMUTATIONS, n_cities)]


def _hash() -> str:
    return hash_named_files(REPO, code_files(REPO, CODE))[:12]


if __name__ == "__main__":
    main()
