"""Which engine builds a model: DuckDB all of them, or Spark those of pairs (ENGINE=spark), between
two calls of dbt on DuckDB.

Not here: how Spark is asked (`warehouse/spark/engine.py`), and what dbt is told (`dbt_runner.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestration.dbt_runner import DbtFailed, failed, run_dbt
from orchestration.home import Home
from orchestration.run_settings import uses_spark
from orchestration.terminal import progress

PAIRS = "tag:pair_grain+"


def build_models(
    home: Home,
    names: Sequence[str],
    *,
    build: Path,
    options: Sequence[str],
    pairs: bool,
    tests: bool,
) -> list[Any]:
    """`dbt build` on the named nodes; with ENGINE=spark the pair models and what depends on them
    are built by Spark and come back as files.

    Parameters
    ----------
    home : Home
    names : sequence of str
        Selectors of dbt.
    build : Path
        Folder of the build.
    options : sequence of str
        Further options of dbt.
    pairs : bool
        Whether there may be pair models among them: Spark is not started for others.
    tests : bool
        Whether Spark is asked the data tests too. What came back is tested on DuckDB as `options`
        say, whichever engine built it.

    Returns
    -------
    list
        As `run_dbt`; where a node fails before Spark's turn, that is all.

    Raises
    ------
    DbtFailed
        If dbt itself fails, or a model or test on Spark.
    SparkFault
        If Spark cannot work.
    """
    if not (uses_spark() and pairs):
        return run_dbt(home, "build", names, build=build, options=options)
    from warehouse.spark.engine import SparkFailed, pair_tables

    before = run_dbt(home, "build", names, build=build, options=[*options, "--exclude", PAIRS])
    if any(failed(result) for result in before):
        return before
    try:
        with pair_tables(build, tests=tests, on_progress=lambda text: progress(f"  {text}")):
            return [
                *before,
                *run_dbt(
                    home,
                    "build",
                    [f"{name},{PAIRS}" for name in names],
                    build=build,
                    options=options,
                ),
            ]
    except SparkFailed as error:
        raise DbtFailed(str(error)) from error
