"""The report and the publication as assets. Both come after the last gate; the link moves only
after everything is written.
"""

from datetime import timedelta

import dagster as dg

from orchestration.assets.check_upstream import require_upstream
from orchestration.assets.estimation import KEYS as ESTIMATES
from orchestration.run import Run
from orchestration.stages import publication as stage
from orchestration.stages import report as report_stage


@dg.asset(
    key=dg.AssetKey(["publication", "report"]),
    group_name="publication",
    deps=ESTIMATES,
    kinds={"python", "html"},
    description=(
        "The site: result, robustness, for whom and how, cities, policy texts, data, methods, in "
        "English and Chinese."
    ),
)
def report(context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]) -> dg.MaterializeResult:
    """Write the tables of `meta` and every page of the site into the build."""
    require_upstream(context, run.home)
    n_pages = report_stage.write(run)
    path = dg.MetadataValue.path(str(run.home.build / "report" / "index.html"))
    return dg.MaterializeResult(metadata={"pages": n_pages, "path": path})


@dg.asset(
    key=dg.AssetKey(["publication", "published"]),
    group_name="publication",
    deps=[report],
    # the yearbook comes once a year: a publication older than thirteen months missed one
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=395), warn_window=timedelta(days=370)
    ),
    kinds={"duckdb", "parquet"},
    description=(
        "The publication: a read-only database, Parquet files, report, Data Docs, dbt docs and "
        "manifest, switched in one rename."
    ),
)
def published(
    context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]
) -> dg.MaterializeResult:
    """Publish the build, under the run id that the report names."""
    require_upstream(context, run.home)
    manifest = stage.publish(run)
    rows = {name: entry["rows"] for name, entry in manifest["tables"].items()}
    path = dg.MetadataValue.path(str(run.home.published.resolve()))
    return dg.MaterializeResult(metadata={"run_id": manifest["run_id"], "rows": rows, "path": path})
