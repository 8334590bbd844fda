"""Check that build/ has the tables and files that an asset reads, before it reads them. Assets of
the landing read delivered files instead and need no such check.
"""

from __future__ import annotations

import dagster as dg

from orchestration.home import Home
from warehouse.database import open_build
from warehouse.errors import Refused


class NotMaterialized(Refused):
    """The tables that a requested asset reads are not in build/."""


def tables_of(home: Home) -> set[tuple[str, ...]]:
    """Return schema and name of every table and view of the build."""
    if not home.database.exists():
        return set()
    query = (
        "select schema_name, table_name from duckdb_tables() union all "
        "select schema_name, view_name from duckdb_views()"
    )
    with open_build(home.build, read_only=True) as con:
        return set(con.execute(query).fetchall())


def require_upstream(context: dg.AssetExecutionContext, home: Home) -> None:
    """Require that every asset that a step reads is in build/.

    Raises
    ------
    NotMaterialized
        Naming those that are not.
    """
    step = context.assets_def
    files = {
        ("raw", "observations"): home.build / "raw",
        ("raw", "input_files"): home.build / "input_file.parquet",
        ("simulation", "counterfactual_synchronization"): home.build,
        ("publication", "report"): home.build / "report" / "index.html",
    }
    wanted: set[dg.AssetKey] = set()
    for key in context.selected_asset_keys:
        wanted |= step.asset_deps[key]
    wanted -= set(step.keys)
    there = tables_of(home) | {path for path, file in files.items() if file.exists()}
    missing = sorted(key.to_user_string() for key in wanted if tuple(key.path) not in there)
    if missing:
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        raise NotMaterialized(
            f"{step.op.name}: expected {', '.join(missing[:8])}{more} in {home.build}, found none; "
            "materialize them first, or run the job refresh"
        )
