"""What the page says of 200 economies of the default landing, and how often intervals hold the
truth.

`python -m benchmarks.simulated_landing` writes estimation/analyses/simulated_landing.csv, which a
refresh publishes in `estimates.coverage`, and the table of docs/evidence/simulated-landing.md.
`--choose` prints how often the primary test finds the planted effect by its size, on other seeds.
"""

from __future__ import annotations

import argparse
import datetime
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from benchmarks.page import markdown, write_between
from benchmarks.simulated_landing import summary
from benchmarks.simulated_landing.run import economy_rows, found_share
from estimation.study.coverage import MEASURED
from warehouse.hashing import code_files, hash_named_files
from warehouse.ingest.simulation.economy import PlantedEffect

REPO = Path(__file__).resolve().parents[2]
PAGE = REPO / "docs" / "evidence" / "simulated-landing.md"
# What the figures depend on besides the seeds.
CODE = (
    "warehouse/ingest/simulation",
    "estimation/primary",
    "warehouse/seeds/city_roster.csv",
    "warehouse/seeds/pilot_zones.csv",
)
ECONOMIES, CHUNK, PERMUTATIONS = 200, 10, 999
# Seeds that sizes are chosen on, and the sizes; those that the figures are measured on begin at 1.
CHOICE_SEEDS, CHOICE_PERMUTATIONS = range(10_001, 10_401), 499
FALLS = (0.55, 0.6, 0.65, 0.7)


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
    parser.add_argument(
        "--choose",
        action="store_true",
        help="print the share found by size of the planted fall, and stop",
    )
    chosen = parser.parse_args()
    if chosen.choose:
        for fall, share in choose(CHOICE_SEEDS[: max(20, int(len(CHOICE_SEEDS) * chosen.scale))]):
            print(f"own_variance_fall {fall:.2f}: found in {share:.1%}", flush=True)
        return
    n_economies = max(20, int(ECONOMIES * chosen.scale))
    rows = measure(n_economies, _folder(), chosen.processes)
    figures = summary.figures(rows).assign(measured_with=code_state())
    table = markdown(summary.table(rows, figures))
    if chosen.scale != 1.0:
        print(table)
        return
    figures.to_csv(MEASURED, index=False)
    write_between(PAGE, "measured", table)


def choose(seeds: range) -> list[tuple[float, float]]:
    """Share of economies in which the primary test finds the effect, by the fall of own variance;
    other sizes as they are.
    """
    return [
        (fall, found_share(seeds, PlantedEffect(own_variance_fall=fall), CHOICE_PERMUTATIONS))
        for fall in FALLS
    ]


def measure(
    n_economies: int, folder: Path, processes: int, n_cities: int | None = None
) -> pd.DataFrame:
    """Rows of economies with the seeds 1 .. n, in their order whatever the number of processes;
    chunks that are there are not run again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starts = list(range(1, n_economies + 1, CHUNK))
    chunks = [
        (folder / f"{start:05d}.csv", range(start, min(start + CHUNK, n_economies + 1)), n_cities)
        for start in starts
    ]
    if processes == 1:
        parts = [_chunk(chunk) for chunk in chunks]
    else:
        with ProcessPoolExecutor(processes) as pool:
            parts = list(pool.map(_chunk, chunks))
    return pd.concat(parts, ignore_index=True)


def _chunk(chunk: tuple[Path, range, int | None]) -> pd.DataFrame:
    path, seeds, n_cities = chunk
    if not path.exists():
        rows = [row for seed in seeds for row in economy_rows(seed, PERMUTATIONS, n_cities)]
        draft = path.with_suffix(".partial")
        pd.DataFrame(rows).to_csv(draft, index=False, float_format="%.10g")
        os.replace(draft, path)
    found = pd.read_csv(path, keep_default_na=False, na_values=[""])
    return found[found["seed"].isin(seeds)]


def code_state() -> str:
    """Which code the figures were measured with, and when."""
    return f"code {_hash()}, {datetime.date.today().isoformat()}"


def _hash() -> str:
    return hash_named_files(REPO, code_files(REPO, CODE))[:12]


def _folder() -> Path:
    return (
        Path(os.environ.get("CITYSYNC_HOME") or "data").absolute()
        / "simulation_study"
        / f"landing_{_hash()}_{PERMUTATIONS}"
    )


if __name__ == "__main__":
    main()
