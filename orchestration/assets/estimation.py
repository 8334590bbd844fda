"""The tables of the study as assets."""

from collections.abc import Iterator, Sequence

import dagster as dg

from estimation.study.tables import COLUMNS
from orchestration.assets.check_upstream import require_upstream
from orchestration.dagster_ui.metadata import describe_table
from orchestration.run import Run
from orchestration.stages import estimates
from warehouse.database import open_build
from warehouse.publication.tables import read_comments

GROUP = "estimates"
KEYS = [dg.AssetKey([GROUP, table]) for table in COLUMNS]


def build_study_asset(
    marts: Sequence[dg.AssetKey], counterfactual: dg.AssetKey
) -> dg.AssetsDefinition:
    """Return the asset of the study's tables, claims included."""
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
        """Estimate all specs with all methods of inference."""
        require_upstream(context, run.home)
        estimates.estimate(run)
        with open_build(run.home.build, read_only=True) as con:
            for key in KEYS:
                metadata = describe_table(con, GROUP, key.path[-1])
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return study
