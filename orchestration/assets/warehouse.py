"""dbt models as assets, in two steps: the gate of staging runs between them.

The SQL is in `warehouse/models`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)

from orchestration.assets.check_upstream import require_upstream, tables_of
from orchestration.dagster_ui.column_lineage import describe_lineage, read_schema
from orchestration.dagster_ui.metadata import count_rows, show_aside
from orchestration.dbt_runner import ensure_manifest, failed, raise_on_failure
from orchestration.home import REPO, Home
from orchestration.run import Run
from orchestration.stages import warehouse as stage
from warehouse.database import open_build

SAMPLE_ROWS = 20
# What is built before the gate of staging: names, codes and units are resolved, and the tables that
# the gate reads. By name, not by path: dbt looks for paths from where the command is called.
BEFORE_STAGING_GATE = tuple(
    f"fqn:citysync.{folder}" for folder in ("staging", "intermediate.raw", "quality.gates.staging")
)
GATES = "gates"


class CitysyncTranslator(DagsterDbtTranslator):
    """Folder = schema = Dagster group; a dbt source is the raw asset of the same name."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`<schema>/<name>`, for a source `raw/<name>`."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(["raw", dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Return the group of dbt."""
        # Dagster puts the whole group in the place of the model's own key `group`
        return [f"team:{dbt_resource_props['config'].get('group') or 'statistics'}"]

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the schema."""
        return dbt_resource_props["schema"]


def build_dbt_assets(home: Home) -> list[dg.AssetsDefinition]:
    """Return the two dbt steps: seeds, staging and what its gate reads; then everything else."""
    manifest = ensure_manifest(home)
    before = " ".join(BEFORE_STAGING_GATE)
    translator = CitysyncTranslator(DagsterDbtTranslatorSettings(enable_code_references=True))
    project = DbtProject(REPO, profiles_dir=REPO)

    @dbt_assets(
        manifest=manifest,
        select=f"resource_type:seed {before}",
        name="dbt_staging",
        project=project,
        dagster_dbt_translator=translator,
    )
    def staging(context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]) -> Iterator[Any]:
        require_upstream(context, run.home)
        results = stage.build_staging(run, _names(context, run.home))
        yield from _events(context, run.home, results)
        raise_on_failure(results)
        stage.require_values(run.home)

    @dbt_assets(
        manifest=manifest,
        select="resource_type:model",
        exclude=before,
        name="dbt_marts",
        project=project,
        dagster_dbt_translator=translator,
    )
    def marts(context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]) -> Iterator[Any]:
        require_upstream(context, run.home)
        results = stage.build_marts(run, _names(context, run.home))
        yield from _events(context, run.home, results)
        raise_on_failure(results)

    return [staging, marts]


def _names(context: dg.AssetExecutionContext, home: Home) -> list[str]:
    """Return the tables to build: the selected ones and `_also_built`."""
    keys = _selected(context)
    # the .keys of the step are the selected ones only
    others = _also_built(home, keys, context.assets_def.asset_deps)
    return [key.path[-1] for key in [*keys, *others]]


def _selected(context: dg.AssetExecutionContext) -> list[dg.AssetKey]:
    return sorted(context.selected_asset_keys, key=lambda key: key.path)


def _events(
    context: dg.AssetExecutionContext, home: Home, results: list[Any]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Yield what Dagster records of a step, also where something of it failed."""
    yield from _materializations(home, _selected(context), results)
    yield from _checks(context, home, results)


def _also_built(
    home: Home, selected: Sequence[dg.AssetKey], step: Iterable[dg.AssetKey]
) -> list[dg.AssetKey]:
    """Return the tables of a step that are built though nobody selected them: those that the build
    lacks and those that the gate reads. None where only seeds are selected.

    A rerun that starts at a source empties the build. Seeds, and models made of seeds alone, do not
    depend on a source, so Dagster does not select them; other models, the data tests, the gates and
    the report need them. The gate checks what was just built, so its tables are always built again.
    """
    if all(key.path[0] == "seeds" for key in selected):
        return []
    there = tables_of(home)
    others = [
        key
        for key in set(step).difference(selected)
        if key.path[0] == GATES or tuple(key.path) not in there
    ]
    return sorted(others, key=lambda key: key.path)


def _materializations(
    home: Home, keys: list[dg.AssetKey], results: list[Any]
) -> Iterator[dg.MaterializeResult]:
    """Yield the tables in the order in which dbt finished them: Dagster wants each after those that
    it depends on.
    """
    by_name = {key.path[-1]: key for key in keys}
    with open_build(home.build, read_only=True) as con:
        columns = read_schema(con)
        for result in results:
            key = by_name.get(result.node.name)
            if key is None or result.status != "success":
                continue
            schema, table = key.path
            metadata = {
                "dagster/row_count": count_rows(con, schema, table),
                "execution_seconds": result.execution_time,
            }
            # of the tables that people query alone: all others take ten times as long
            if schema == "marts":
                metadata |= describe_lineage(result.node.compiled_code, columns)
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def _checks(
    context: dg.AssetExecutionContext, home: Home, results: list[Any]
) -> Iterator[dg.AssetCheckResult]:
    by_id = {r.node.unique_id: r for r in results}
    for spec in context.assets_def.check_specs:
        result = by_id.get(spec.metadata.get("dagster_dbt/unique_id", ""))
        if result is None or result.status == "skipped":
            continue
        if spec.key not in context.selected_asset_check_keys:
            continue
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=result.status == "pass",
            severity=dg.AssetCheckSeverity.WARN
            if result.status == "warn"
            else dg.AssetCheckSeverity.ERROR,
            metadata={
                "failing_rows": result.failures or 0,
                "message": result.message or "passed",
                **_failing_rows(home, result),
            },
        )


def _failing_rows(home: Home, result: Any) -> dict[str, dg.MarkdownMetadataValue]:
    """Return the first rows that a failed data test selects; none where the test itself is
    broken.
    """
    sql = result.node.compiled_code
    if not failed(result) or not result.failures or not sql:
        return {}
    with open_build(home.build, read_only=True) as con:
        return {
            "sample_of_failing_rows": show_aside(
                con.execute(f"select * from ({sql}) limit {SAMPLE_ROWS}").df()
            )
        }
