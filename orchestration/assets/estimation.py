"""The tables of the study as assets."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from estimation.study.tables import COLUMNS
from orchestration.assets.upstream import require_upstream
from orchestration.dagster_ui.metadata import describe_table, show_aside
from orchestration.run import Run
from orchestration.stages import estimates
from warehouse.build_database import open_build
from warehouse.publication.tables import read_comments

GROUP = "estimates"
KEYS = [dg.AssetKey([GROUP, table]) for table in COLUMNS]
PREVIEW = (
    "spec_id",
    "term",
    "vcov",
    "is_default",
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "p_value",
    "n_obs",
    "n_pilots",
)
HEADLINES = ("baseline.cm_growth_official.headline", "baseline.cm_growth_deflated.headline")


def build_study_asset(
    marts: Sequence[dg.AssetKey], counterfactual: dg.AssetKey
) -> dg.AssetsDefinition:
    """The study's tables, the claims among them."""
    comments = read_comments()

    @dg.multi_asset(
        name="study",
        group_name=GROUP,
        specs=[
            dg.AssetSpec(
                key,
                deps=[*marts, counterfactual],
                description=comments[".".join(key.path)]["table"],
                kinds={"python", "duckdb"},
                group_name=GROUP,
            )
            for key in KEYS
        ],
    )
    def study(
        context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]
    ) -> Iterator[dg.MaterializeResult]:
        """All specs with all methods of inference."""
        require_upstream(context, run.home)
        tables = estimates.estimate(run)
        with open_build(run.home.build, read_only=True) as con:
            for key in KEYS:
                metadata = _metadata(con, key.path[-1], tables[key.path[-1]])
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return study


def _metadata(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> dict[str, Any]:
    """What the UI shows of a table: size, columns, first rows; of the estimates the baseline
    regressions and their values by run.
    """
    metadata = describe_table(con, GROUP, table)
    if table != "estimate":
        return {**metadata, "preview": show_aside(frame.head(30))}
    headlines = frame[frame["spec_id"].isin(HEADLINES)]
    metadata["preview"] = show_aside(headlines[list(PREVIEW)])
    default = headlines[
        headlines["is_default"].fillna(False)
        & (headlines["spec_id"] == HEADLINES[0])
        & (headlines["term"] == "treated")
    ]
    for name in ("estimate", "std_error"):
        if len(default) and pd.notna(default[name].iloc[0]):
            metadata[f"headline_{name}"] = float(default[name].iloc[0])
    return metadata
