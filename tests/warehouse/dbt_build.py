"""dbt in this process, for tests: seeds and models, with the build folder, window and edition of
the test.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]


@contextmanager
def environment(build: Path, target: Path, settings: dict[str, str]):
    """The variables a refresh would set; the target folder is shared so that the project is parsed
    once.
    """
    variables = {
        "CITYSYNC_BUILD": str(build),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
        "DBT_PROFILES_DIR": str(REPOSITORY),
        "DO_NOT_TRACK": "1",
    }
    with mock.patch.dict(os.environ, variables | settings):
        for name in {"WINDOW_FIRST_YEAR", "WINDOW_LAST_YEAR", "AS_OF_EDITION"} - set(settings):
            os.environ.pop(name, None)
        yield


def run_dbt(
    command: list[str], build: Path, target: Path, settings: dict[str, str] | None = None
) -> None:
    """Run one dbt command; an AssertionError names every node that failed."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with environment(build, target, settings or {}):
        try:
            outcome = dbtRunner().invoke(
                [*command, "--quiet", "--log-level-file", "none", "--project-dir", str(REPOSITORY)]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
    results = getattr(outcome.result, "results", [])
    failed = [
        f"{r.node.name}: {r.message}"
        for r in results
        if str(r.status) in ("error", "fail", "runtime error", "skipped")
    ]
    assert outcome.success and not failed, failed or outcome.exception


def build_warehouse(
    build: Path,
    target: Path,
    settings: dict[str, str] | None = None,
    threads: int = 2,
    with_tests: bool = False,
):
    """Build seeds and models of the raw files in `build`; returns a read-only connection."""
    exclude = [] if with_tests else ["--exclude-resource-type", "test"]
    run_dbt(
        ["build", "--threads", str(threads), "--exclude-resource-type", "unit_test", *exclude],
        build,
        target,
        settings,
    )
    return duckdb.connect(str(build / "citysync.duckdb"), read_only=True)
