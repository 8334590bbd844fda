"""The closed form and the collapsed path against a scan of the same pair-years and against the
peers, at growing numbers of cities.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.measure import median_seconds, peak_mb
from estimation.closed_form.fit import CityPanel, fit_all_pairs
from estimation.closed_form.permutation import permute_all_pairs
from estimation.out_of_core.fit import PairTable, fit_collapsed

REPO = Path(__file__).resolve().parents[1]
PEER_PYTHON = REPO / ".venv-peers" / "bin" / "python"
N_YEARS = 20
COHORTS = np.array([2012, 2014, 2015, 2016, 2018])
MEMORY_LIMIT = "3500MB"
# every pair of cities but those of two pilots, as the study's sample has them
PAIRS = """
create or replace table panel as
select i.city as city_i_id, j.city as city_j_id, i.year,
    greatest(i.cohort, j.cohort) as cohort_year, 1 - (i.z - j.z) ** 2 / 2 as y
from city as i inner join city as j on i.year = j.year and i.city < j.city
where i.cohort = 0 or j.cohort = 0
"""
FOR_PEERS = """
copy (
    select cast(city_i_id as bigint) * 100000 + city_j_id as pair, year,
        cast(cohort_year > 0 and year >= cohort_year as double) as treated, y from panel
) to {path} (format parquet)
"""
BY_PAIR = (
    "select max(mean_y) from (select avg(y) as mean_y from panel group by city_i_id, city_j_id)"
)
BY_CELL = "select cohort_year, year, avg(y) from panel group by all"


def city_panel(n_cities: int, seed: int = 7) -> CityPanel:
    """Standard scores with a common cycle; a fifth of the cities are pilots of five years."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((n_cities, N_YEARS)) + 0.6 * rng.standard_normal(N_YEARS)
    z = (shocks - shocks.mean(axis=1, keepdims=True)) / shocks.std(axis=1, keepdims=True)
    cohort = np.where(rng.random(n_cities) < 0.2, rng.choice(COHORTS, n_cities), 0)
    return CityPanel(z, 2001 + np.arange(N_YEARS), cohort, np.arange(n_cities) // 10)


def write_pairs(panel: CityPanel, folder: Path) -> Path:
    """A database with every pair-year of the sample."""
    path = folder / f"pairs_{len(panel.values)}.duckdb"
    city, year = np.meshgrid(
        np.arange(len(panel.values), dtype=np.int32), np.arange(N_YEARS), indexing="ij"
    )
    with _open(path) as con:
        columns = {
            "city": city.ravel(),
            "year": panel.years[year.ravel()].astype(np.int32),
            "z": panel.values.ravel(),
        }
        columns["cohort"] = panel.city_cohort[city.ravel()].astype(np.int32)
        con.register(
            "arrays", {name: np.ascontiguousarray(values) for name, values in columns.items()}
        )
        con.execute("create or replace table city as select * from arrays")
        con.execute(PAIRS)
    return path


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        str(path),
        config={
            "threads": 2,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(path.parent / "spill"),
        },
    )


def run_peer(name: str, path: Path, repetitions: int) -> dict[str, Any]:
    """Time a peer in its own environment."""
    command = [
        str(PEER_PYTHON),
        str(REPO / "benchmarks" / "peers.py"),
        name,
        str(path),
        str(repetitions),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True
    )  # our own program and arguments
    return json.loads(done.stdout.splitlines()[-1])


def line(
    name: str,
    n_cities: int,
    rows: int,
    seconds: float,
    floor: float | None,
    peer: dict[str, Any] | None,
    mine: float,
) -> dict[str, Any]:
    """One line of the output."""
    theirs = None if peer is None else peer["estimate"]
    return {
        "name": name,
        "n_cities": n_cities,
        "rows": rows,
        "seconds": round(seconds, 6),
        "peak_mb": round(peak_mb(), 1),
        "ratio_to_floor": None if floor is None else round(seconds / floor, 6),
        "ratio_to_peer": None if peer is None else round(seconds / peer["seconds"], 6),
        "peer": None
        if peer is None
        else f"{peer['peer']} ({peer['seconds']:.3f} s, {peer['peak_mb']:.0f} MB)",
        "max_abs_difference": None if theirs is None else abs(mine - theirs),
    }


def bench_size(
    n_cities: int, folder: Path, peers: tuple[str, ...], repetitions: int
) -> Iterator[dict[str, Any]]:
    """Closed form, permutation draw and collapsed path at one size; the peers read the same
    rows.
    """
    panel = city_panel(n_cities)
    database = write_pairs(panel, folder)
    with _open(database) as con:
        rows = con.execute("select count(*) from panel").fetchone()[0]
        by_pair = median_seconds(lambda: con.execute(BY_PAIR).fetchall(), repetitions)
        by_cell = median_seconds(lambda: con.execute(BY_CELL).fetchall(), repetitions)
        collapsed = fit_collapsed(con, PairTable("panel", "y"))
        seconds = median_seconds(lambda: fit_collapsed(con, PairTable("panel", "y")), repetitions)
        closed = fit_all_pairs(panel)
        result = line("collapsed", n_cities, rows, seconds, by_pair, None, collapsed.estimate[0])
        gaps = [
            abs(getattr(collapsed, name)[0] - getattr(closed, name)[0])
            for name in ("estimate", "conventional", "dyadic", "score")
        ]
        yield {
            **result,
            "max_abs_difference": max(gaps),
            "floor": "mean by pair",
            "ratio_to_scan_by_cell": round(seconds / by_cell, 3),
        }
        parquet = folder / f"pairs_{n_cities}.parquet"
        if peers:
            con.execute(FOR_PEERS.format(path="'" + str(parquet).replace("'", "''") + "'"))
    seconds = median_seconds(lambda: fit_all_pairs(panel), 5)
    yield line("closed_form", n_cities, rows, seconds, by_pair, None, closed.estimate[0])
    for name in peers:
        peer = run_peer(name, parquet, repetitions)
        yield line(
            f"closed_form_against_{name}",
            n_cities,
            rows,
            seconds,
            by_pair,
            peer,
            closed.estimate[0],
        )
    draws = 999
    seconds = median_seconds(lambda: permute_all_pairs(panel, n_draws=draws), 3) / draws
    yield line(
        "permutation_draw_all_pairs", n_cities, rows, seconds, None, None, closed.estimate[0]
    )
    for path in folder.glob(f"pairs_{n_cities}.*"):
        path.unlink()


def growth_exponents(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Slope of log seconds on log rows for every name with four sizes or more."""
    for name in dict.fromkeys(item["name"] for item in lines):
        points = sorted(
            (item["rows"], item["seconds"])
            for item in lines
            if item["name"] == name and item.get("rows")
        )
        if len(points) >= 4:
            rows, seconds = np.log(np.array(points)).T
            yield {
                "name": f"growth_exponent.{name}",
                "sizes": len(points),
                "exponent_in_rows": round(float(np.polyfit(rows, seconds, 1)[0]), 3),
            }
