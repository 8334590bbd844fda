"""The manifest of a run, and the tables of `meta` that say what the run was: the run itself, its
input files, its sources, and the failed checks of its gates.

Not here: what changed since the last publication (`warehouse/publication/change_tables.py`), and
`meta.promise` and `meta.movement`, which the estimates write.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from orchestration.gates.known_warnings import check_changes, read_known
from orchestration.home import Home, python_version
from orchestration.reuse.fingerprint import git_commit
from orchestration.run import Run
from orchestration.settings import number, uses_spark
from orchestration.terminal import progress
from warehouse.database import open_build, write_frame
from warehouse.ingest.layouts import load_layouts
from warehouse.publication.change_tables import Compared
from warehouse.publication.losses import CONFIRMED
from warehouse.spark.engine import spark_packages

PACKAGES = (
    "dagster",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "numpy",
    "pandas",
    "pyfixest",
    "scipy",
    "statsmodels",
)
# of a layout's `origin`, in the order of meta.source
ORIGIN = ("producer", "title", "licence", "address", "accessed", "citation")


def write_check_changes(run: Run) -> None:
    """Write `meta.check_change`: each failed check of every gate, and since when it is known."""
    known = read_known(run.home, simulated=run.settings.is_simulated)
    with open_build(run.home.build) as con:
        results = con.table("quality.expectation_result").df()
        rows = con.table("quality.expectation_row").df()
        write_frame(con, "meta", "check_change", check_changes(results, rows, known))


def manifest_of(run: Run, run_id: str, started_at: str) -> dict[str, Any]:
    """Return the manifest of a run without its tables and files, which `publish` adds."""
    # not as a data frame: a link has no size, and a column of sizes would become one of fractions
    inputs = pq.read_table(
        run.home.build / "input_file.parquet", columns=["path", "sha256", "bytes"]
    ).sort_by("path")
    return {
        "run_id": run_id,
        "git_commit": git_commit(),
        "started_at": started_at,
        "is_simulated": run.settings.is_simulated,
        "inputs": inputs.to_pylist(),
        "settings": run.settings.as_environment(),
        CONFIRMED: bool(number("CONFIRM_SHRINK")),
        # the lock file has other versions of numpy and scipy for some Pythons
        "packages": {
            "python": python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
            **(spark_packages() if uses_spark() else {}),
        },
    }


def write_meta(home: Home, manifest: dict[str, Any], compared: Compared) -> None:
    """Write `meta.run` (one row), `meta.input_file` (one row a file of the landing) and
    `meta.source` (one row a source) into the build.
    """
    named = ("run_id", "git_commit", "started_at", "is_simulated")
    facts = {name: manifest[name] for name in named}
    run_row = pd.DataFrame([facts | asdict(compared)]).astype(
        {"previous_run_id": "string", "not_compared": "string"}
    )
    files = (
        pd.read_parquet(home.build / "input_file.parquet")
        .drop(columns="raw_path")
        .sort_values("path", ignore_index=True)
    )
    with open_build(home.build) as con:
        write_frame(con, "meta", "run", run_row)
        write_frame(con, "meta", "input_file", files)
        write_frame(con, "meta", "source", describe_sources(sorted(files["source_id"].unique())))


def describe_sources(source_ids: Sequence[str]) -> pd.DataFrame:
    """Return `meta.source`: where each source comes from, by its layout. Layouts that do not state
    it are named at the terminal.
    """
    layouts = load_layouts(needed=source_ids)
    silent = [name for name in source_ids if name in layouts and layouts[name].origin is None]
    if silent:
        progress(
            f"  origin: the layouts of {', '.join(silent)} do not say who made the files and what "
            "may be done with them (docs/layouts.md)"
        )
    rows = []
    for name in source_ids:
        layout = layouts.get(name)
        origin = (
            {} if layout is None or layout.origin is None else layout.origin.model_dump(mode="json")
        )
        rows.append(
            {
                "source_id": name,
                "description": layout.description if layout else None,
                **{key: origin.get(key) for key in ORIGIN},
            }
        )
    return pd.DataFrame(rows, columns=["source_id", "description", *ORIGIN], dtype="string")
