"""Which engine builds a model: DuckDB all of them, or Spark those of pairs (ENGINE=spark), between
two calls of dbt on DuckDB.

Not here: how Spark is asked (`warehouse/spark/engine.py`), and what dbt is told (`dbt_runner.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from orchestration.dbt_runner import DbtFailed, NodeResult, ensure_manifest, run_dbt
from orchestration.home import Home
from orchestration.run_settings import uses_spark
from orchestration.terminal import progress

PAIRS = "tag:pair_grain+"


def build_models(
    home: Home, names: Sequence[str], *, build: Path, options: Sequence[str], tests: bool
) -> list[NodeResult]:
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
    tests : bool
        Whether Spark is asked the data tests too. What came back is tested on DuckDB as `options`
        say, whichever engine built it.

    Returns
    -------
    list of NodeResult
        As `run_dbt`; where a node fails before Spark's turn, that is all.

    Raises
    ------
    DbtFailed
        If dbt itself fails, or a model or test on Spark.
    SparkFault
        If Spark cannot work.
    """
    if not (uses_spark() and _holds_pairs(home, names)):
        return run_dbt(home, "build", names, build=build, options=options)
    from warehouse.spark.engine import SparkFailed, pair_tables

    before = run_dbt(home, "build", names, build=build, options=[*options, "--exclude", PAIRS])
    if any(result.failed for result in before):
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


def _holds_pairs(home: Home, names: Sequence[str]) -> bool:
    """Whether any of the nodes, or of those they select upstream, is one of the pair models or
    depends on one.
    """
    manifest = json.loads(ensure_manifest(home).read_text(encoding="utf-8"))
    waiting = [key for key, node in manifest["nodes"].items() if "pair_grain" in node["tags"]]
    found: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += manifest["child_map"].get(key, [])
    return bool({key.split(".")[-1] for key in found} & {name.removeprefix("+") for name in names})
