"""`cs.fit` by each engine against a scan of the same pair-years and against the peers, at growing
numbers of cities.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

import estimation as cs
from benchmarks.measure import median_seconds, peak_mb
from estimation.measures.synchronization import standardise

REPO = Path(__file__).resolve().parents[1]
PEER_PYTHON = REPO / ".venv-peers" / "bin" / "python"
N_YEARS = 20
COHORTS = np.array([2012, 2014, 2015, 2016, 2018])
MEMORY_LIMIT = "3500MB"
# every pair of cities but those of two pilots, as the study's sample has them
PAIRS = """
create or replace table panel as
select i.city as city_i_id, j.city as city_j_id, i.year, i.cohort as first_i, j.cohort as first_j,
    i.block as block_i, j.block as block_j, 1 - (i.z - j.z) ** 2 / 2 as y
from city as i inner join city as j on i.year = j.year and i.city < j.city
where i.cohort is null or j.cohort is null
order by 1, 2, 3
"""
FOR_PEERS = """
copy (
    select cast(city_i_id as bigint) * 100000 + city_j_id as pair, year,
        cast(coalesce(year >= coalesce(first_i, first_j), false) as double) as treated, y
    from panel
) to {path} (format parquet)
"""
BY_PAIR = (
    "select max(mean_y) from (select avg(y) as mean_y from panel group by city_i_id, city_j_id)"
)


def unit_table(n_cities: int) -> pa.Table:
    """Growth with a common cycle; a fifth of the cities are pilots of five years."""
    rng = np.random.default_rng(7)
    growth = rng.standard_normal((n_cities, N_YEARS)) + 0.6 * rng.standard_normal(N_YEARS)
    cohort = np.where(rng.random(n_cities) < 0.2, rng.choice(COHORTS, n_cities), 0)
    city = np.repeat(np.arange(n_cities), N_YEARS)
    return pa.table(
        {
            "city": city,
            "year": np.tile(2001 + np.arange(N_YEARS), n_cities),
            "growth": growth.ravel(),
            "z": standardise(growth).ravel(),
            "cohort": pa.array(cohort[city], mask=cohort[city] == 0),
            "block": city // 10,
        }
    )


def write_pairs(units: pa.Table, folder: Path) -> Path:
    """Every pair-year of the sample as Parquet."""
    n_cities = units.num_rows // N_YEARS
    with _open(folder / f"pairs_{n_cities}.duckdb") as con:
        con.register("city", units)
        con.execute(PAIRS)
        path = folder / f"pairs_{n_cities}.parquet"
        con.execute(f"copy panel to '{path}' (format parquet)")
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
    # our own program, which imports what lies beside it
    env = {**os.environ, "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def bench_size(
    n_cities: int, folder: Path, peers: tuple[str, ...], repetitions: int
) -> Iterator[dict[str, Any]]:
    """`cs.fit` by each engine at one size, beside peers that read the same rows."""
    units = unit_table(n_cities)
    path = write_pairs(units, folder)
    of_pairs = {
        "unit": ("city_i_id", "city_j_id"),
        "cohort": ("first_i", "first_j"),
        "block": ("block_i", "block_j"),
    }
    of_units = {"unit": "city", "series": "growth", "cohort": "cohort", "block": "block"}
    with _open(folder / f"pairs_{n_cities}.duckdb") as con:
        rows = con.execute("select count(*) from panel").fetchall()[0][0]
        floor = median_seconds(lambda: con.execute(BY_PAIR).fetchall(), repetitions)
        frame = con.execute("select * from panel").to_arrow_table()
        if peers:
            con.execute(FOR_PEERS.format(path="'" + str(folder / "peers.parquet") + "'"))
    runs = {
        "all_pairs": lambda: cs.fit(units, "cm", **of_units, permutations=0),
        "arrays": lambda: cs.fit(frame, "y", engine="arrays", **of_pairs, permutations=0),
        "database": lambda: cs.fit(path, "y", engine="database", **of_pairs, permutations=0),
    }
    estimates = {name: run().estimates[0].estimate for name, run in runs.items()}
    found = [run_peer(name, folder / "peers.parquet", repetitions) for name in peers]
    for name, run in runs.items():
        seconds = median_seconds(run, repetitions)
        own = {"n_cities": n_cities, "rows": rows, "seconds": round(seconds, 6)}
        own |= {"peak_mb": round(peak_mb(), 1), "ratio_to_floor": round(seconds / floor, 6)}
        gap = max(abs(estimates[name] - other) for other in estimates.values())
        yield {"name": name, **own, "max_abs_difference": gap}
        for peer_name, peer in zip(peers, found, strict=True):
            yield {
                "name": f"{name}_against_{peer_name}",
                **own,
                "ratio_to_peer": round(seconds / peer["seconds"], 6),
                "peer": f"{peer['peer']} ({peer['seconds']:.3f} s, {peer['peak_mb']:.0f} MB)",
                "max_abs_difference": abs(estimates[name] - peer["estimate"]),
            }
    for made in (*folder.glob(f"pairs_{n_cities}.*"), folder / "peers.parquet"):
        made.unlink(missing_ok=True)
