"""dbt in this process, for tests: seeds and models, with the build folder, window and edition of
the test.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

from orchestration.dbt_runner import ensure_manifest
from orchestration.home import Home
from tests.conftest import made_once

REPOSITORY = Path(__file__).resolve().parents[2]


def run_dbt(
    command: list[str], build: Path, target: Path, settings: dict[str, str] | None = None
) -> list[Any]:
    """Results of one dbt command on the project as refreshes have it parsed; an AssertionError
    names every node that failed.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    parsed = ensure_manifest(Home.from_environment()).with_name("partial_parse.msgpack")
    manifest = Manifest.from_msgpack(parsed.read_bytes())
    variables = {
        "CITYSYNC_BUILD": str(build),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
        "DBT_PROFILES_DIR": str(REPOSITORY),
        "DO_NOT_TRACK": "1",
    }
    quiet = ["--quiet", "--log-level-file", "none", "--project-dir", str(REPOSITORY)]
    with mock.patch.dict(os.environ, variables | (settings or {})):
        try:
            outcome = dbtRunner(manifest=manifest).invoke([*command, *quiet])
        finally:
            DuckDBConnectionManager.close_all_connections()
    results = getattr(outcome.result, "results", [])
    failed = [
        f"{r.node.name}: {r.message}"
        for r in results
        if str(r.status) in ("error", "fail", "runtime error", "skipped")
    ]
    assert outcome.success and not failed, failed or outcome.exception
    return results


def copy_seeds(build: Path, target: Path) -> None:
    """Begin a build's database with the seeds, which are loaded once for all workers."""
    seeded = made_once(
        target / "shared" / "seeded", lambda folder: run_dbt(["seed"], folder, target)
    )
    build.mkdir(parents=True, exist_ok=True)
    shutil.copy(seeded / "citysync.duckdb", build)


def build_warehouse(
    build: Path,
    target: Path,
    settings: dict[str, str] | None = None,
    *,
    select: tuple[str, ...] = (),
    threads: int = 2,
    with_tests: bool = False,
) -> duckdb.DuckDBPyConnection:
    """Build the models of the raw files in `build`; returns a read-only connection."""
    copy_seeds(build, target)
    left_out = ["seed", "unit_test", *([] if with_tests else ["test"])]
    exclude = [word for kind in left_out for word in ("--exclude-resource-type", kind)]
    # of tests those whose tables are all built
    chosen = ["--select", *select, "--indirect-selection", "cautious"] if select else []
    run_dbt(["build", "--threads", str(threads), *chosen, *exclude], build, target, settings)
    return duckdb.connect(str(build / "citysync.duckdb"), read_only=True)


def build_up_to(
    model: str, build: Path, target: Path, of_seeds: str = ""
) -> duckdb.DuckDBPyConnection:
    """A model and all that it reads, by the SQL that dbt compiles for them once for all workers:
    dbt's own start takes longer than the models. `of_seeds` is done to the seeds before.
    """

    def compile_it(folder: Path) -> None:
        run_dbt(["compile", "--select", f"+{model}"], folder, target)
        steps = compiled_steps(json.loads((target / "manifest.json").read_text()), model)
        (folder / "steps.json").write_text(json.dumps(steps))

    # its own path, not that of a worker's link: it stands in what is compiled
    compiled = made_once((target / "shared").resolve() / model, compile_it)
    copy_seeds(build, target)
    connection = duckdb.connect(str(build / "citysync.duckdb"))
    connection.execute(of_seeds)
    # `make_raw_views` does this where dbt runs the models
    for table, files in (("observations", "raw/*.parquet"), ("input_files", "input_file.parquet")):
        connection.execute(
            f"create view raw.{table} as select * from read_parquet('{build}/{files}', "
            "union_by_name = true, file_row_number = true)"
        )
    for schema, relation, query in json.loads((compiled / "steps.json").read_text()):
        connection.execute(f"create schema if not exists {schema}")
        here = query.replace(str(compiled), str(build))
        connection.execute(f"create table {relation} as ({here})")
    return connection


def compiled_steps(manifest: dict, model: str) -> list[tuple[str, str, str]]:
    """Schema, name and query of a model and of those that it reads, each after its parents."""
    nodes = manifest["nodes"]
    steps: dict[str, tuple[str, str, str]] = {}

    def add(name: str) -> None:
        node = nodes.get(name, {})
        if name not in steps and node.get("resource_type") == "model":
            for parent in node["depends_on"]["nodes"]:
                add(parent)
            steps[name] = node["schema"], node["relation_name"], node["compiled_code"]

    add(next(name for name, node in nodes.items() if node["name"] == model))
    return list(steps.values())
