"""The headline from sums that Spark took, compared with the same fit from sums that DuckDB took; a
step of `make spark`.

`python -m estimation.out_of_core.parity fit PANEL FITS`, in `.venv-spark`, writes Spark's fits as
JSON; with `check` instead of `fit`, in `.venv`, it prints the largest difference as JSON and ends
with 1 where it is above 1e-9.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .sums import CollapsedFit, PairTable

OUTCOME = "cm_growth_official"
ESTIMATORS = ("twfe", "event_study")
FIELDS = ("estimate", "conventional", "dyadic", "score", "city")
COUNTS = ("n_obs", "n_pairs", "n_cities")
TOLERANCE = 1e-9
CITIES = """
select city_i_id as city, max(coalesce(city_i_cohort_year, 0)) as cohort from {panel}
    group by city_i_id
union all select city_j_id, max(coalesce(city_j_cohort_year, 0)) from {panel} group by city_j_id
"""


def fit_by_spark(panel: Path) -> dict[str, Any]:
    """Fits of every collapsed estimator on a folder of Parquet, and the seconds they took."""
    from pyspark.sql import SparkSession

    from .spark_sums import fit_collapsed_on_spark

    builder = SparkSession.builder.appName("citysync").master(
        os.environ.get("SPARK_MASTER", "local[2]")
    )
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(panel.parent / "spark" / "local"),
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "3g"),
        "spark.sql.shuffle.partitions": os.environ.get("SPARK_SHUFFLE_PARTITIONS", "8"),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(str(panel)).createOrReplaceTempView("panel")
    cohorts = _cohorts(tuple(row) for row in session.sql(CITIES.format(panel="panel")).collect())
    found: dict[str, Any] = {}
    for estimator in ESTIMATORS:
        start = time.perf_counter()
        fit = fit_collapsed_on_spark(
            session, PairTable("panel", OUTCOME), estimator=estimator, city_cohort=cohorts
        )
        found[estimator] = {**as_numbers(fit), "seconds": round(time.perf_counter() - start, 2)}
    session.stop()
    return found


def check_against_duckdb(panel: Path, fits: dict[str, Any]) -> dict[str, Any]:
    """Largest difference of any number to DuckDB's fit, relative to its size where that is above 1,
    by estimator.
    """
    import duckdb

    from .fit import fit_collapsed

    report: dict[str, Any] = {}
    with duckdb.connect(config={"threads": 2}) as con:
        pattern = str(panel / "*.parquet").replace("'", "''")
        con.execute(f"create view panel as select * from read_parquet('{pattern}')")
        cohorts = _cohorts(con.execute(CITIES.format(panel="panel")).fetchall())
        for estimator, theirs in fits.items():
            ours = as_numbers(
                fit_collapsed(
                    con, PairTable("panel", OUTCOME), estimator=estimator, city_cohort=cohorts
                )
            )
            if any(ours[name] != theirs[name] for name in ("terms", *COUNTS)):
                report[estimator] = {"fault": {name: (ours[name], theirs[name]) for name in COUNTS}}
                continue
            a, b = (np.array([fit[name] for name in FIELDS]) for fit in (ours, theirs))
            # a coefficient of a single pilot has no city error in either
            gaps = np.where(
                np.isnan(a) & np.isnan(b), 0.0, np.abs(a - b) / np.maximum(np.abs(a), 1)
            )
            report[estimator] = {
                "rows": ours["n_obs"],
                "max_difference": float(gaps.max()),
                "seconds_spark": theirs["seconds"],
            }
    return report


def _cohorts(rows: Iterable[tuple]) -> dict[Any, int]:
    """First treated year by city: a city stands on both sides of its pairs."""
    found: dict[Any, int] = {}
    for city, cohort in rows:
        found[city] = max(found.get(city, 0), int(cohort))
    return found


def as_numbers(fit: CollapsedFit) -> dict[str, Any]:
    """Every number of a fit that parity is judged by, as plain lists."""
    numbers = {name: np.asarray(getattr(fit, name)).tolist() for name in FIELDS}
    return {
        **numbers,
        **{name: getattr(fit, name) for name in COUNTS},
        "terms": [list(term) for term in fit.terms],
    }


def main() -> int:
    """Command line."""
    step, panel, path = sys.argv[1], Path(sys.argv[2]).absolute(), Path(sys.argv[3])
    if step == "fit":
        path.write_text(json.dumps(fit_by_spark(panel)), encoding="utf-8")
        return 0
    report = check_against_duckdb(panel, json.loads(path.read_text(encoding="utf-8")))
    equal = all(
        "fault" not in entry and entry["max_difference"] <= TOLERANCE for entry in report.values()
    )
    print(json.dumps({"collapsed_parity": report, "equal": equal}))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
