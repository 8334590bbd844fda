"""Gates as blocking asset checks, one after each stage.

Rules are in `expectations/suites`. `frames.py` reads the data that they check.
"""

from collections.abc import Iterator, Sequence

import dagster as dg
import duckdb
import pandas as pd

from expectations.gate import GateResult, run_gate
from expectations.suites import RULES
from orchestration.dagster_ui.metadata import show_aside
from orchestration.gates.frames import read_gate_frames, read_severity
from orchestration.gates.known_warnings import Known, check_changes, read_known
from orchestration.home import Home
from orchestration.run import Run
from orchestration.terminal import progress
from warehouse.database import open_build
from warehouse.publication.publish import run_id_of

# "Re-execute from failure" would only check the tables again that are already built.
TRY_AGAIN = (
    "mend the files, the layout or a correction, then run the job refresh: the gate checks what is "
    "read and built anew"
)

#: What a person looks for first: failed checks, stops before warnings, each with its values.
WORST_FIRST = ["success", "severity", "check_id"]
SHOWN = [
    "check_id",
    "dataset",
    "column_name",
    "success",
    "severity",
    "observed",
    "unexpected_count",
    "sample_rows",
    "why",
]


def check_stage(
    home: Home, stage: str, known: Known | None = None, run_name: str | None = None
) -> GateResult:
    """Run the gate of a stage and keep its rows in quality.expectation_result of the build; its
    pages name the run.

    Warnings that are `known` of the publication before are printed in one line.
    """
    with open_build(home.build) as con:
        frames = read_gate_frames(con, stage, str(home.build))
        result = run_gate(
            stage,
            RULES[stage],
            frames,
            home.build / "gx",
            home.build / "data_docs",
            severity=read_severity(stage),
            run_name=run_name,
        )
        _keep(con, "expectation_result", result.results, stage)
        _keep(con, "expectation_row", result.rows, stage)
    progress(
        f"  gate {stage}: {len(result.results)} expectations, {len(result.failed('warn'))} "
        f"warnings, {len(result.failed('stop'))} stops"
    )
    changes = check_changes(result.results, result.rows, known or Known())
    is_known = (
        (changes["severity"] == "warn")
        & changes["known_since"].notna()
        & (changes["n_new_rows"] == 0)
    )
    old = changes[is_known]
    for sentence in result.sentences(without=set(old["check_id"])):
        progress(f"    {sentence}")
    if len(old):
        names = ", ".join(f"{row.check_id} ({row.known_since})" for row in old.itertuples())
        progress(f"    {len(old)} warnings known since the day named, nothing new in them: {names}")
    return result


def _keep(con: duckdb.DuckDBPyConnection, table: str, results: pd.DataFrame, stage: str) -> None:
    """Replace a stage's rows of a table of the schema quality."""
    con.execute("create schema if not exists quality")
    con.register("incoming_results", results)
    con.execute(
        f"create table if not exists quality.{table} as select * from incoming_results limit 0"
    )
    con.execute(f"delete from quality.{table} where stage = ?", [stage])
    con.execute(f"insert into quality.{table} by name select * from incoming_results")
    con.unregister("incoming_results")


def build_gate(
    stage: str, asset: dg.AssetKey, also: Sequence[dg.AssetKey]
) -> dg.AssetChecksDefinition:
    """The checks of a stage, after `asset` and all of `also`: each expectation on the table that it
    checks, and on `asset` the one that sums them up.
    """
    deps = [key for key in also if key != asset]
    keys = [asset, *deps]
    whole = dg.AssetCheckSpec(
        name=f"gate_{stage}",
        asset=asset,
        additional_deps=deps,
        blocking=True,
        description=(
            f"Great Expectations suite of the stage {stage}; an expectation of severity stop "
            "blocks everything downstream."
        ),
    )
    each = []
    for rule in RULES[stage]:
        checked = _checked_asset(stage, rule.dataset, keys)
        spec = dg.AssetCheckSpec(
            name=rule.check_id,
            asset=checked,
            additional_deps=[key for key in keys if key != checked],
            # so that Dagster's error names it
            blocking=rule.severity == "stop",
            description=rule.why,
        )
        each.append(spec)

    @dg.multi_asset_check(name=f"gate_{stage}", specs=[whole, *each], can_subset=True)
    def gate(
        context: dg.AssetCheckExecutionContext, run: dg.ResourceParam[Run]
    ) -> Iterator[dg.AssetCheckResult]:
        known = read_known(run.home, simulated=run.settings.is_simulated)
        result = check_stage(run.home, stage, known, run_name=run_id_of(run.started_at))
        asked = context.selected_asset_check_keys
        # the first that fails is the run's last line
        if whole.key in asked:
            yield dg.AssetCheckResult(
                check_name=whole.name,
                asset_key=asset,
                passed=result.passed,
                description="; ".join(result.sentences()) or "all expectations hold",
                metadata={
                    "expectations": len(result.results),
                    "failed_stop": len(result.failed("stop")),
                    "failed_warn": len(result.failed("warn")),
                    **({} if result.passed else {"to_try_again": TRY_AGAIN}),
                    "results": show_aside(result.results.sort_values(WORST_FIRST)[SHOWN]),
                },
            )
        for spec in each:
            if spec.key in asked:
                yield _result_of_expectation(result, spec.name, spec.asset_key)

    return gate


def _checked_asset(stage: str, dataset: str, keys: Sequence[dg.AssetKey]) -> dg.AssetKey:
    """Return the table of a data set: of its own name, else what a gate reads, else the stage's."""
    for name in (dataset, f"gate_{stage}__{dataset}"):
        for key in keys:
            if key.path[-1] == name:
                return key
    return keys[0]


def _result_of_expectation(
    result: GateResult, check_id: str, asset: dg.AssetKey
) -> dg.AssetCheckResult:
    """Return one expectation as a check of its own, with every failing row."""
    found = result.results[result.results["check_id"] == check_id]
    if found.empty:
        return dg.AssetCheckResult(
            check_name=check_id,
            asset_key=asset,
            passed=True,
            description="not checked: this run has no data for it",
        )
    row = found.iloc[0]
    failing = result.rows[result.rows["check_id"] == check_id]
    severity = dg.AssetCheckSeverity.WARN
    if row["severity"] == "stop":
        severity = dg.AssetCheckSeverity.ERROR
    description = f"found {row['observed']}"
    if not row["success"]:
        description += f". {row['why']}"
    metadata = {"dataset": row["dataset"]}
    if not failing.empty:
        metadata["failing_rows"] = show_aside(failing)
    return dg.AssetCheckResult(
        check_name=check_id,
        asset_key=asset,
        passed=bool(row["success"]),
        severity=severity,
        description=description,
        metadata=metadata,
    )
