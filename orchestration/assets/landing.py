"""Delivered files to raw Parquet as assets: one per source, then the list of this run's files, and
the counterfactual build of simulated data.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from orchestration.home import Home
from orchestration.resources import RunSettings
from orchestration.reuse.fingerprint import hash_landing, hash_of_files
from orchestration.run import Run
from orchestration.simulated_landing import landing_path
from orchestration.stages import counterfactual as counterfactual_stage
from orchestration.stages import landing as stage
from warehouse.ingest.layouts import LAYOUT_FOLDER

GROUP = "raw"
SOURCES = (*sorted(path.stem for path in LAYOUT_FOLDER.glob("*.yml")), "tidy", "policy_texts")
DELIVERED = "landing"
SIMULATED = dg.AssetKey([GROUP, "simulated_landing"])
OBSERVATIONS = dg.AssetKey([GROUP, "observations"])
INPUT_FILES = dg.AssetKey([GROUP, "input_files"])
COUNTERFACTUAL = dg.AssetKey(["simulation", "counterfactual_synchronization"])


def build_landing_assets() -> list[dg.AssetsDefinition]:
    """Return the assets of the simulated landing, of each source, of this run's raw tables and of
    the counterfactual build.
    """
    sources = [_source_asset(source) for source in SOURCES]
    return [
        simulated_landing,
        *sources,
        _raw_tables([source.key for source in sources]),
        counterfactual,
    ]


def _version(files: Mapping[str, str], source_id: str) -> dg.DataVersion:
    """Return the version of a source for Dagster: a hash of its files' paths and contents."""
    return dg.DataVersion(hash_of_files(files, source_id)[:16])


def delivered_files(source_id: str) -> dg.SourceAsset:
    """Return the asset that observes the delivered files of a source."""

    @dg.observable_source_asset(
        key=[DELIVERED, source_id],
        group_name=DELIVERED,
        tags={"dagster/kind/file": ""},
        description=(
            f"Files of the source {source_id} in the landing. Observe: where they changed since "
            f"raw/{source_id} was made, that is marked as out of date."
        ),
    )
    def delivered(settings: RunSettings) -> dg.DataVersion:
        landing = landing_path(Home.from_environment(), settings.landing)
        files = {}
        if (landing / source_id).exists():
            of_source = hash_landing(landing / source_id)
            files = {f"{source_id}/{path}": text for path, text in of_source.items()}
        return _version(files, source_id)

    return delivered


@dg.asset(
    key=SIMULATED,
    group_name=GROUP,
    kinds={"python"},
    description=(
        "Two landings from the same shocks, with and without a planted effect. Written only when "
        "no delivered files are given."
    ),
)
def simulated_landing(
    context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]
) -> dg.MaterializeResult:
    """Write both simulated landings, unless they are there from the same code, seeds and number of
    cities; give Dagster the version of each source before its files are read.
    """
    stage.simulate(run)
    for source in SOURCES:
        version = _version(stage.files_of(run), source)
        tags = {"dagster/data_version": version.value}
        context.log_event(dg.AssetObservation([DELIVERED, source], tags=tags))
    if not run.settings.is_simulated:
        return dg.MaterializeResult(
            metadata={"status": "delivered files are given: nothing simulated"}
        )
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(run.home.simulated))})


def _source_asset(source_id: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey([GROUP, source_id]),
        group_name=GROUP,
        deps=[SIMULATED, dg.AssetKey([DELIVERED, source_id])],
        kinds={"file", "parquet"},
        description=(
            f"Files of the source {source_id} as delivered, one raw Parquet per file; an "
            "unchanged file is not read again."
        ),
    )
    def source(run: dg.ResourceParam[Run]) -> dg.MaterializeResult:
        found = stage.read_source(run, source_id)
        return dg.MaterializeResult(
            data_version=_version(stage.files_of(run), source_id),
            metadata={
                "files": stage.count_taken(found),
                "values": int(found.files["n_observations"].sum()),
                "rejected": int(found.files["n_rejected"].sum()),
                "files_not_read_again": found.n_reused,
            },
        )

    return source


def _raw_tables(sources: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="raw_tables",
        specs=[
            dg.AssetSpec(
                OBSERVATIONS,
                deps=sources,
                group_name=GROUP,
                kinds={"parquet"},
                description="Every delivered cell of this run's files.",
            ),
            dg.AssetSpec(
                INPUT_FILES,
                deps=sources,
                group_name=GROUP,
                kinds={"parquet"},
                description="Every file of this run's landing.",
            ),
        ],
    )
    def raw_tables(run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult]:
        files = stage.prepare_build(run).files
        n_values = int(files["n_observations"].sum())
        yield dg.MaterializeResult(asset_key=OBSERVATIONS, metadata={"dagster/row_count": n_values})
        yield dg.MaterializeResult(
            asset_key=INPUT_FILES, metadata={"dagster/row_count": len(files)}
        )

    return raw_tables


@dg.asset(
    key=COUNTERFACTUAL,
    group_name="simulation",
    deps=[OBSERVATIONS],
    kinds={"dbt", "duckdb"},
    description=(
        "The same warehouse from the landing without the effect: what the cities would have done. "
        "Only on simulated data."
    ),
    # it is built in the background: with a lower priority this step waits after the other models
    op_tags={"dagster/priority": "-1"},
)
def counterfactual(run: dg.ResourceParam[Run]) -> dg.MaterializeResult:
    """Wait for the warehouse of the landing without the effect, in `build/counterfactual/`."""
    if not run.settings.is_simulated:
        return dg.MaterializeResult(
            metadata={"status": "delivered files: no counterfactual exists"}
        )
    counterfactual_stage.wait(run)
    return dg.MaterializeResult(metadata={"status": "built"})
