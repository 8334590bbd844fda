"""`citysync bench`: one JSON object a line; speed as ratios to the floor and to a peer measured in
the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyfixest

from benchmarks.library import bench_library_fit, bench_library_reading
from benchmarks.measure import median_seconds, peak_mb
from benchmarks.pair_models import bench_files_by_year, bench_pair_models, build_city_years
from benchmarks.panels import as_long_frame, random_panel
from benchmarks.picture import draw
from benchmarks.reading import bench_reading
from benchmarks.scale import bench_size, growth_exponents
from benchmarks.whole_refresh import bench_whole_refresh
from estimation.fit import fit_panel
from warehouse.ingest.simulation.landing import write_simulated_landing

SEEDS = Path(__file__).resolve().parent.parent / "warehouse" / "seeds"
SIZES = (60, 120, 200, 290)
SCALE_SIZES = (120, 200, 290, 580)
# 0.4 and 1.6 million rows
LIBRARY_SIZES = (290, 580)
# put before the ten of the study where county size is asked for
YEARS_BEFORE_STUDY = 10
PEERS = ("pyfixest", "duckreg", "polars", "pandas")
# The floor of a pair-year estimate: reading every outcome once.
ONE_SCAN = "select treated, year, avg(y) from frame group by all"


def bench_twfe(n_cities: int) -> dict[str, Any]:
    """TWFE with conventional, dyadic and city errors against pyfixest's coefficient with errors
    clustered by pair.
    """
    panel = random_panel(n_cities)
    frame = as_long_frame(panel)
    lines = ("conventional", "dyadic", "city")
    ours = fit_panel(panel, vcov=lines, permutations=0)
    theirs = pyfixest.feols("y ~ treated | pair + year", frame, vcov={"CRV1": "pair"})
    seconds = median_seconds(lambda: fit_panel(panel, vcov=lines, permutations=0))
    floor = median_seconds(lambda: duckdb.query_df(frame, "frame", ONE_SCAN).fetchall())
    peer = median_seconds(
        lambda: pyfixest.feols("y ~ treated | pair + year", frame, vcov={"CRV1": "pair"}),
        repetitions=3,
    )
    return {
        "name": "twfe",
        "n_cities": n_cities,
        "rows": len(frame),
        "seconds": round(seconds, 5),
        "peak_mb": round(peak_mb(), 1),
        "ratio_to_floor": round(seconds / floor, 2),
        "ratio_to_peer": round(seconds / peer, 4),
        "peer": f"pyfixest {pyfixest.__version__}",
        "max_abs_difference": abs(ours.estimates[0].estimate - float(theirs.coef()["treated"])),
    }


def bench_permutation(n_cities: int, draws: int = 499) -> dict[str, Any]:
    """Studentised draws per second with the tie median retaken; the floor is one fit per draw."""
    panel = random_panel(n_cities)

    def permuted() -> object:
        return fit_panel(panel, vcov=("permutation",), permutations=draws, tie_quantile=0.5)

    seconds = median_seconds(permuted, repetitions=3)
    one_fit = median_seconds(
        lambda: fit_panel(panel, vcov=("city",), permutations=0, tie_quantile=0.5), repetitions=3
    )
    return {
        "name": "permutation_draw",
        "n_cities": n_cities,
        "rows": panel.n_pairs * len(panel.years),
        "seconds": round(seconds / draws, 6),
        "peak_mb": round(peak_mb(), 1),
        "ratio_to_floor": round(seconds / draws / one_fit, 4),
        "ratio_to_peer": None,
        "peer": None,
        "max_abs_difference": None,
    }


def all_benchmarks(large: int | None) -> Iterator[dict[str, Any]]:
    """Every benchmark at every size, and the scale benchmarks once at a large number of places if
    asked.
    """
    for n_cities in (*SIZES, LIBRARY_SIZES[-1]):
        yield bench_twfe(n_cities)
    yield from _library()
    for n_cities in SIZES:
        yield bench_permutation(n_cities)
    yield from _reading()
    yield from _pair_models(large)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as name:
        yield bench_whole_refresh(Path(name) / "home")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as name:
        for n_cities in SCALE_SIZES:
            yield from bench_size(
                n_cities, Path(name), PEERS if n_cities <= SIZES[-1] else PEERS[1:], repetitions=3
            )
        if large:
            yield from bench_size(large, Path(name), ("duckreg",), repetitions=2)


def _library() -> Iterator[dict[str, Any]]:
    """The library on frames and files."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as name:
        for n_cities in LIBRARY_SIZES:
            yield bench_library_fit(n_cities)
            yield from bench_library_reading(n_cities, Path(name))


def _reading() -> Iterator[dict[str, Any]]:
    """Reading of the simulated landing, and of delivered files where LANDING names them."""
    with tempfile.TemporaryDirectory() as scratch:
        roster, zones = (
            pd.read_csv(SEEDS / "city_roster.csv"),
            pd.read_csv(SEEDS / "pilot_zones.csv"),
        )
        write_simulated_landing(Path(scratch), roster=roster, pilot_zones=zones)
        yield from bench_reading("simulated", Path(scratch) / "with_effect")
    if os.environ.get("LANDING"):
        yield from bench_reading("delivered", Path(os.environ["LANDING"]))


def _pair_models(large: int | None) -> Iterator[dict[str, Any]]:
    """dbt against plain SQL on the simulated city-years, which are repeated with small moves where
    more places are asked for.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch_folder()) as name:
        roster, zones = (
            pd.read_csv(SEEDS / "city_roster.csv"),
            pd.read_csv(SEEDS / "pilot_zones.csv"),
        )
        write_simulated_landing(Path(name) / "landing", roster=roster, pilot_zones=zones)
        city_years = build_city_years(Path(name) / "landing" / "with_effect", Path(name))
        yield from bench_pair_models(city_years, SIZES[-1], Path(name), repetitions=7)
        if large:
            yield from bench_pair_models(
                city_years, large, Path(name), repetitions=2, more_years=YEARS_BEFORE_STUDY
            )
            yield from bench_files_by_year(
                city_years, large, Path(name), more_years=YEARS_BEFORE_STUDY
            )


def scratch_folder() -> Path:
    """Where panels lie while they are measured: in the home, never in the system's temporary
    folder, which may be memory.
    """
    folder = Path(os.environ.get("CITYSYNC_HOME") or "data").absolute() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Print one JSON object a line, then the growth exponents; draw them where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--large", type=int, help="number of places of one more size, 2850 for counties"
    )
    parser.add_argument("--picture", type=Path, help="write a picture of seconds by rows (SVG)")
    options = parser.parse_args()
    lines = []
    for line in all_benchmarks(options.large):
        lines.append(line)
        print(json.dumps(line), flush=True)
    for line in growth_exponents(lines):
        print(json.dumps(line), flush=True)
    if options.picture:
        draw(lines, options.picture)


if __name__ == "__main__":
    main()
