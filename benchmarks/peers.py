"""What a peer needs for the same estimate; run by `.venv-peers`, which has nothing of this project:
only the timing beside this file.

`python benchmarks/peers.py NAME PARQUET REPETITIONS` prints one JSON object: seconds (median),
peak_mb and estimate. The Parquet file holds pair, year, treated and y.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys

from measure import median_seconds, peak_mb


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
        model = DuckDoubleDemeaning(
            db_name=database,
            table_name="panel",
            n_bootstraps=0,
            seed=1,
            keep_connection_open=True,
            outcome_var="y",
            treatment_var="treated",
            unit_col="pair",
            time_col="year",
        )
        model.fit()
        estimate = float(model.point_estimate.reshape(-1)[1])
        model.conn.close()
        return estimate

    return run


PEERS = {"pyfixest": run_pyfixest, "duckreg": run_duckreg}


def main() -> None:
    """Time one peer."""
    name, path, repetitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = PEERS[name](path)
    result = {
        "peer": f"{name} {importlib.metadata.version(name)}",
        "seconds": median_seconds(run, repetitions),
        "peak_mb": peak_mb(),
        "estimate": run(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
