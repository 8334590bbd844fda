"""The report and the publication. Both come after the last gate; the link moves only after
everything is written.

Not here: pages (`estimation/report`) and how a publication is written (`warehouse/publication`).
"""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from orchestration.assets.estimation import KEYS as ESTIMATES
from orchestration.assets.upstream import require_no_loss, require_upstream
from orchestration.dagster_ui.run_tags import git_commit
from orchestration.dbt_docs import DBT_DOCS, read_contracts, write_dbt_docs
from orchestration.home import Home, python_version
from orchestration.resources import Settings
from orchestration.reuse.fingerprint import require_same_code
from orchestration.run_settings import number, setting, uses_spark
from orchestration.stages import stages
from orchestration.terminal import progress
from warehouse.build_database import open_build, write_frame
from warehouse.ingest.layouts import load_layouts
from warehouse.publication.changes import Compared, write_changes
from warehouse.publication.publish import publish, run_id_of
from warehouse.publication.shrinkage import CONFIRMED
from warehouse.publication.table_comments import comment_tables
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


def describe_run(
    home: Home, settings: Settings, run_id: str, started_at: datetime
) -> dict[str, Any]:
    """The manifest of the run without its tables and files, which `publish` adds."""
    # not as a data frame: a link has no size, and a column of sizes would become one of fractions
    inputs = pq.read_table(
        home.build / "input_file.parquet", columns=["path", "sha256", "bytes"]
    ).sort_by("path")
    return {
        "run_id": run_id,
        "git_commit": git_commit(),
        "started_at": started_at.isoformat(timespec="microseconds"),
        "is_simulated": settings.is_simulated,
        "inputs": inputs.to_pylist(),
        "settings": settings.as_environment(),
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
    run = {k: manifest[k] for k in ("run_id", "git_commit", "started_at", "is_simulated")}
    run = pd.DataFrame([run | asdict(compared)]).astype(
        {"previous_run_id": "string", "not_compared": "string"}
    )
    files = (
        pd.read_parquet(home.build / "input_file.parquet")
        .drop(columns="raw_path")
        .sort_values("path", ignore_index=True)
    )
    with open_build(home.build) as con:
        write_frame(con, "meta", "run", run)
        write_frame(con, "meta", "input_file", files)
        write_frame(con, "meta", "source", describe_sources(sorted(files["source_id"].unique())))


def describe_sources(source_ids: Sequence[str]) -> pd.DataFrame:
    """`meta.source`: what the layouts say of where each source comes from; a layout that does not
    say is named on the terminal.
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
def report(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Write the tables of `meta` and every page of the site into the build."""
    from estimation.report.data import read_report_data
    from estimation.report.exhibits import write_exhibits
    from estimation.report.replication_files import write_replication
    from estimation.report.site import write_report

    require_upstream(context)
    home = Home.from_environment()
    now = datetime.now(UTC)
    compared = write_changes(home.published, home.build, settings.is_simulated)
    write_meta(home, describe_run(home, settings, run_id_of(now), now), compared)
    with open_build(home.build) as con:
        comment_tables(con)
    with open_build(home.build, read_only=True) as con:
        data = read_report_data(con)
        exhibits = write_exhibits(data, home.build / "report")
        write_replication(con, home.build / "report" / "replication")
        # last: it links to the files written above
        write_report(
            con,
            home.build / "report",
            data=data,
            repository=setting("CITYSYNC_REPOSITORY"),
            address=setting("CITYSYNC_ADDRESS"),
        )
    first = home.build / "report" / "index.html"
    sizes = {path: path.stat().st_size for path in first.parent.rglob("*") if path.is_file()}
    figures, tables = (
        len({path.stem for path in exhibits if path.parent.name == kind})
        for kind in ("figures", "tables")
    )
    pages, size = (
        len(list((first.parent / "zh").glob("*.html"))),
        sum(sizes.values()),
    )  # beside the English ones lie old addresses
    kinds = f"{figures} figures and {tables} tables in {len(exhibits)} files"
    stages.done(
        "report",
        (
            f"{pages} pages in two languages, {size / 1e6:.1f} MB, the first "
            f"{sizes[first] / 1e3:.0f} "
            f"kB; {kinds}"
        ),
    )
    path = dg.MetadataValue.path(str(first))
    return dg.MaterializeResult(
        metadata={"bytes": size, "pages": pages, "first_page_bytes": sizes[first], "path": path}
    )


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
def published(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Publish the build, under the run id that the report names."""
    require_upstream(context)
    home = Home.from_environment()
    with open_build(home.build, read_only=True) as con:
        run = con.execute("select run_id, git_commit, started_at from meta.run").df().iloc[0]
    manifest = describe_run(
        home, settings, run["run_id"], datetime.fromisoformat(run["started_at"])
    )
    require_no_loss(home, settings, context.run_id)
    require_same_code()
    write_dbt_docs(home, home.build / DBT_DOCS)
    folders = {name: home.build / name for name in ("report", "data_docs", DBT_DOCS)}
    tables = publish(
        home.database,
        home.published,
        manifest=manifest,
        kept=number("KEEP"),
        folders=folders,
        contracts=read_contracts(folders[DBT_DOCS]),
    )
    stages.done("publication", f"{len(tables)} tables as {manifest['run_id']}")
    rows = {name: entry["rows"] for name, entry in tables.items()}
    return dg.MaterializeResult(
        metadata={
            "run_id": manifest["run_id"],
            "rows": rows,
            "path": dg.MetadataValue.path(str(home.published.resolve())),
        }
    )
