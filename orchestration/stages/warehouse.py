"""Build the SQL models in two steps: the gate of staging runs between them.

The SQL is in `warehouse/models`. What failed is in the results: the assets report it to Dagster
before they raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestration.dbt_runner import failed
from orchestration.home import Home
from orchestration.run import Run
from warehouse.database import open_build
from warehouse.ingest.errors import LandingError

# `make test` runs them
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


def build_staging(run: Run, names: Sequence[str]) -> list[Any]:
    """Build seeds, staging and what the gate of staging reads, and run their data tests; return
    dbt's result of each.
    """
    options = [*WITHOUT_UNIT_TESTS, "--indirect-selection", "cautious"]
    results = run.dbt.build_models(
        names, build=run.home.build, options=options, pairs=False, tests=True
    )
    run.stage_lines.done("staging", _summary(results))
    return results


def build_marts(run: Run, names: Sequence[str]) -> list[Any]:
    """Build all other models and run their data tests; return dbt's result of each."""
    options = [*WITHOUT_UNIT_TESTS, "--indirect-selection", "eager"]
    results = run.dbt.build_models(
        names, build=run.home.build, options=options, pairs=True, tests=True
    )
    run.stage_lines.done("marts", _summary(results))
    return results


def require_values(home: Home) -> None:
    """Refuse a landing of which no value could be taken: that is bad input, not a failed check.

    Raises
    ------
    LandingError
        If no delivered value survived names, codes and units; the message quotes the most frequent
        reason.
    """
    with open_build(home.build, read_only=True) as con:
        if con.execute("select count(*) from intermediate.int_raw_observations").fetchone()[0]:
            return
        reasons = (
            "select any_value(detail), count(*) from intermediate.int_raw_rejections group by "
            "reason order by 2 desc"
        )
        most = con.execute(reasons).fetchone()
    raise LandingError(
        f"nothing of the landing could be taken; {most[1]:,} lines for one reason, the first: "
        f"{most[0]}"
    )


def _summary(results: list[Any]) -> str:
    models = [r for r in results if r.node.resource_type in ("model", "seed")]
    tests = [r for r in results if r.node.resource_type == "test"]
    passed = sum(r.status == "pass" for r in tests)
    return (
        f"{sum(not failed(r) for r in models)} of {len(models)} tables built, {passed} of "
        f"{len(tests)} data tests passed"
    )
