"""A panel's file, read and checked, against DuckDB's bare read; group-time effects beside a peer.

Timed by processor time; memory is the largest that Python and numpy held beyond the start.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from benchmarks.measure import peak_mb
from benchmarks.panels import random_panel
from estimation.api.fit import fit
from estimation.panel.pair_columns import CITY_COHORTS, COHORT, PROVINCES, TIME, UNIT, PairColumns
from estimation.panel.pair_file import read_pairs
from estimation.panel.pair_panel import PairPanel

NEEDED = (*UNIT, TIME, COHORT, "y", *PROVINCES, *CITY_COHORTS)
# as many as the published panel has
COLUMNS = 41
REPETITIONS = 9


def contract_frame(panel: PairPanel) -> pd.DataFrame:
    """The panel's sample under the names of the contract."""
    kept, years = np.flatnonzero(panel.cohort >= 0), panel.years
    i, j = np.repeat(panel.city_i[kept], len(years)), np.repeat(panel.city_j[kept], len(years))
    columns: dict[str, Any] = {
        UNIT[0]: 100_000 + i,
        UNIT[1]: 100_000 + j,
        TIME: np.tile(years, len(kept)),
    }
    columns[COHORT] = _blank_zero(np.repeat(panel.cohort[kept], len(years)))
    columns["y"] = panel.y[0][kept].reshape(-1)
    for names, values in ((PROVINCES, panel.province), (CITY_COHORTS, panel.city_cohort)):
        for name, side in zip(names, (i, j), strict=True):
            columns[name] = values[side] if names is PROVINCES else _blank_zero(values[side])
    return pd.DataFrame(columns)


def _blank_zero(years: np.ndarray) -> np.ndarray:
    return np.where(years > 0, years, np.nan)


def bench_library_group_time(n_cities: int) -> dict[str, Any]:
    """Callaway-Sant'Anna with errors by pair and dyadic, against StatsPAI's by pair."""
    from statspai import callaway_santanna  # takes seconds

    frame = contract_frame(random_panel(n_cities))
    theirs = frame.assign(
        pair=frame[UNIT[0]] * 1_000_000 + frame[UNIT[1]], first=frame[COHORT].fillna(0).astype(int)
    )

    def peer() -> Any:
        names = {"y": "y", "g": "first", "t": TIME, "i": "pair"}
        return callaway_santanna(theirs, **names, estimator="reg", base_period="varying")

    def ours() -> Any:
        given = {"unit": UNIT, "estimator": "callaway_santanna", "vcov": ["pair", "dyadic"]}
        return fit(frame, "y", permutations=0, **given)

    if abs(ours().coef()["att"] - peer().estimate) > 1e-10:
        raise AssertionError("the two estimates differ")
    used, used_by_peer = _cpu_seconds(ours), _cpu_seconds(peer)
    return {
        "name": "library_group_time",
        "rows": len(frame),
        "cpu_seconds": round(used, 5),
        "ratio_to_peer_cpu": round(used / used_by_peer, 4),
        "peer": "statspai",
    }


def bench_library_reading(n_cities: int, folder: Path) -> Iterator[dict[str, Any]]:
    """A Parquet file of 41 columns to checked arrays, against DuckDB's read of the needed ones into
    numpy.
    """
    frame = contract_frame(random_panel(n_cities))
    generator = np.random.default_rng(3)
    others = {f"x{k:02d}": generator.normal(size=len(frame)) for k in range(COLUMNS - len(NEEDED))}
    path = folder / f"panel_{n_cities}.parquet"
    frame.assign(**others).to_parquet(path)
    query = (
        f"select {', '.join(NEEDED)} from read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
    )
    columns = PairColumns("y", ordered=True)
    ours = _cpu_seconds(lambda: read_pairs(path, columns))
    with duckdb.connect() as con:
        floor = _cpu_seconds(lambda: con.execute(query).fetchnumpy())
    columns_bytes = frame[list(NEEDED)].memory_usage(index=False).sum()
    held = _held_bytes(lambda: read_pairs(path, columns))
    path.unlink()
    yield {
        "name": "library_reading",
        "n_cities": n_cities,
        "rows": len(frame),
        "seconds": round(ours, 5),
        "peak_mb": round(peak_mb(), 1),
        "ratio_to_floor": round(ours / floor, 2),
        "ratio_to_peer": None,
        "peer": f"duckdb {duckdb.__version__}",
        "max_abs_difference": None,
        "ratio_of_memory_to_columns": round(held / int(columns_bytes), 2),
    }


def _cpu_seconds(run: Callable[[], Any], repetitions: int = REPETITIONS) -> float:
    run()
    used = []
    for _ in range(repetitions):
        start = time.process_time()
        run()
        used.append(time.process_time() - start)
    return statistics.median(used)


def _held_bytes(run: Callable[[], Any]) -> int:
    """Largest memory of numpy and Python in a call; what Arrow maps from the file is not counted on
    either side.
    """
    tracemalloc.start()
    run()
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return largest
