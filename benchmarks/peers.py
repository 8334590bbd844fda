"""What a peer needs for the same estimate; run by `.venv-peers`, so it imports nothing of this
project.

`python benchmarks/peers.py NAME PARQUET REPETITIONS` prints one JSON object: seconds (median),
peak_mb and, where there is one, estimate. The Parquet file holds pair, year, treated and y.
"""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import sys
import time
from pathlib import Path


def run_pyfixest(path: str):
    """Two-way effects with errors clustered by pair, the panel in memory before the clock
    starts.
    """
    import pandas as pd
    import pyfixest

    frame = pd.read_parquet(path)
    return lambda: float(
        pyfixest.feols("y ~ treated | pair + year", frame, vcov={"CRV1": "pair"}).coef()["treated"]
    )


def run_duckreg(path: str):
    """Double demeaning without standard errors, the panel in a DuckDB table before the clock
    starts.
    """
    import duckdb
    from duckreg.estimators import DuckDoubleDemeaning

    database = path + ".duckdb"
    with duckdb.connect(database) as con:
        con.execute("create or replace table panel as select * from read_parquet(?)", [path])

    def run() -> float:
        columns = {
            "outcome_var": "y",
            "treatment_var": "treated",
            "unit_col": "pair",
            "time_col": "year",
        }
        model = DuckDoubleDemeaning(
            db_name=database,
            table_name="panel",
            n_bootstraps=0,
            seed=1,
            keep_connection_open=True,
            **columns,
        )
        model.fit()
        estimate = float(model.point_estimate.reshape(-1)[1])
        model.conn.close()
        return estimate

    return run


def run_polars(path: str):
    """Means by treatment and year, streaming from Parquet: the floor of a scan."""
    import polars

    scan = polars.scan_parquet(path).group_by("treated", "year").agg(polars.col("y").mean())
    return lambda: scan.collect(engine="streaming").height and None


def run_pandas(path: str):
    """The same with the panel in memory before the clock starts."""
    import pandas as pd

    frame = pd.read_parquet(path)
    return lambda: len(frame.groupby(["treated", "year"])["y"].mean()) and None


PEERS = {
    "pyfixest": run_pyfixest,
    "duckreg": run_duckreg,
    "polars": run_polars,
    "pandas": run_pandas,
}


def peak_mb() -> float:
    """Largest resident size of this program (the resource module would count the one that started
    it).
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Time one peer."""
    name, path, repetitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = PEERS[name](path)
    estimate, times = run(), []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    result = {
        "peer": f"{name} {importlib.metadata.version(name)}",
        "seconds": statistics.median(times),
        "peak_mb": peak_mb(),
        "estimate": estimate,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
