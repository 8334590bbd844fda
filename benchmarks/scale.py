"""`cs.fit` by each engine against a scan of the same pair-years, at growing numbers of cities."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

import estimation as cs
from estimation.measures.synchronization import standardise

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
BY_PAIR = (
    "select max(mean_y) from (select avg(y) as mean_y from panel group by city_i_id, city_j_id)"
)


def median_seconds(run: Callable[[], Any], repetitions: int) -> float:
    """Median wall time of `run` after one warm-up."""
    run()
    seconds = []
    for _ in range(repetitions):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def peak_mb() -> float:
    """Largest resident size of this program so far, in MB.

    From the kernel's mark of this program's own memory: `ru_maxrss` also counts the process that
    started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


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


def bench_size(n_cities: int, folder: Path, repetitions: int) -> Iterator[dict[str, Any]]:
    """Time `cs.fit` by each engine at one size, and compare the engines' estimates."""
    units = unit_table(n_cities)
    database = folder / "pairs.duckdb"
    of_pairs = {
        "unit": ("city_i_id", "city_j_id"),
        "cohort": ("first_i", "first_j"),
        "block": ("block_i", "block_j"),
    }
    of_units = {"unit": "city", "series": "growth", "cohort": "cohort", "block": "block"}
    config = {"threads": 2, "memory_limit": MEMORY_LIMIT, "temp_directory": str(folder / "spill")}
    with duckdb.connect(str(database), config=config) as con:
        con.register("city", units)
        con.execute(PAIRS)
        rows = con.execute("select count(*) from panel").fetchall()[0][0]
        floor = median_seconds(lambda: con.execute(BY_PAIR).fetchall(), repetitions)
        frame = con.execute("select * from panel").to_arrow_table()
    runs = {
        "all_pairs": lambda: cs.fit(units, "cm", **of_units, permutations=0),
        "arrays": lambda: cs.fit(frame, "y", engine="arrays", **of_pairs, permutations=0),
    }
    estimates = {name: run().estimates[0].estimate for name, run in runs.items()}
    for name, run in runs.items():
        seconds = median_seconds(run, repetitions)
        yield {
            "name": name,
            "n_cities": n_cities,
            "rows": rows,
            "seconds": round(seconds, 6),
            "peak_mb": round(peak_mb(), 1),
            "ratio_to_floor": round(seconds / floor, 6),
            "max_abs_difference": max(abs(estimates[name] - one) for one in estimates.values()),
        }
    database.unlink()
