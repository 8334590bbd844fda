"""Delivered files to raw Parquet: one asset per source, then the list of this run's files, and the
counterfactual build of simulated data.

Reading itself is in `warehouse/ingest`.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.counterfactual import begin, finish
from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.run_settings import setting
from orchestration.simulated_landing import without_effect, write_simulated
from orchestration.stages import stages
from orchestration.terminal import detail
from warehouse.ingest.landing import read_landing, read_source
from warehouse.ingest.layouts import LAYOUT_FOLDER, layouts_of, load_layouts
from warehouse.ingest.workers.pool import close_readers
from warehouse.whole_files import remove_any

GROUP = "raw"
SOURCES = (*sorted(path.stem for path in LAYOUT_FOLDER.glob("*.yml")), "tidy", "policy_texts")
SIMULATED = dg.AssetKey([GROUP, "simulated_landing"])
OBSERVATIONS, INPUT_FILES = (
    dg.AssetKey([GROUP, "observations"]),
    dg.AssetKey([GROUP, "input_files"]),
)
COUNTERFACTUAL = dg.AssetKey(["simulation", "counterfactual_synchronization"])


def build_landing_assets() -> list[dg.AssetsDefinition]:
    """The simulated landing, one asset per source, this run's raw tables, and the counterfactual
    build.
    """
    sources = [_source_asset(source) for source in SOURCES]
    return [
        simulated_landing,
        *sources,
        _raw_tables([key for source in sources for key in source.keys]),
        counterfactual,
    ]


@dg.asset(
    key=SIMULATED,
    group_name=GROUP,
    kinds={"python"},
    description=(
        "Two landings from the same shocks, with and without a planted effect. Written only when "
        "no delivered files are given."
    ),
)
def simulated_landing(settings: Settings) -> dg.MaterializeResult:
    """Write both simulated landings, unless they are there from the same code, seeds and number of
    cities.
    """
    if not settings.is_simulated:
        return dg.MaterializeResult(
            metadata={"status": "delivered files are given: nothing simulated"}
        )
    home = Home.from_environment()
    write_simulated(home, settings.simulated_cities)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(home.simulated))})


def _source_asset(source_id: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey([GROUP, source_id]),
        group_name=GROUP,
        deps=[SIMULATED],
        kinds={"file", "parquet"},
        description=(
            f"Files of the source {source_id} as delivered, one raw Parquet per file; an "
            "unchanged file is not read again."
        ),
    )
    def source(settings: Settings) -> dg.MaterializeResult:
        home = Home.from_environment()
        path = settings.landing_path(home)
        found = read_source(path, home.raw, source_id, layouts=layouts_of(path))
        if settings.is_simulated:
            read_source(without_effect(home), home.raw, source_id, layouts=load_layouts())
        n_files = int((found.files["status"] == "taken").sum())
        n_values = int(found.files["n_observations"].sum())
        if n_files > found.n_reused:
            detail(
                f"  {source_id}: {n_values:,} values from {n_files} files, "
                f"{found.n_reused} of them unchanged"
            )
        return dg.MaterializeResult(
            metadata={
                "files": n_files,
                "values": n_values,
                "files_not_read_again": found.n_reused,
            }
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
    def raw_tables(settings: Settings) -> Iterator[dg.MaterializeResult]:
        home = Home.from_environment()
        reset_build(home)
        report = read_landing(
            settings.landing_path(home),
            home.raw,
            home.build,
            layouts=layouts_of(settings.landing_path(home)),
            strict=setting("STRICT") == "1",
        )
        if settings.is_simulated:
            home.counterfactual.mkdir()
            read_landing(
                without_effect(home), home.raw, home.counterfactual, layouts=load_layouts()
            )
        close_readers()
        if settings.is_simulated:
            begin(home)
        n_values = int(report.files["n_observations"].sum())
        # how many files were read again is in the lines of the sources: by now all of them are in
        # the cache
        n_taken = int((report.files["status"] == "taken").sum())
        stages.done("landing", f"{n_values:,} values from {n_taken} of {len(report.files)} files")
        yield dg.MaterializeResult(asset_key=OBSERVATIONS, metadata={"dagster/row_count": n_values})
        yield dg.MaterializeResult(
            asset_key=INPUT_FILES, metadata={"dagster/row_count": len(report.files)}
        )

    return raw_tables


def reset_build(home: Home) -> None:
    """Start a run from an empty build: it is a cache and holds only one run."""
    home.build.mkdir(parents=True, exist_ok=True)
    # its content alone: the folder may be a link to another disk
    for path in list(home.build.iterdir()):
        remove_any(path)


@dg.asset(
    key=COUNTERFACTUAL,
    group_name="simulation",
    deps=[OBSERVATIONS],
    kinds={"dbt", "duckdb"},
    description=(
        "The same warehouse from the landing without the effect: what the cities would have done. "
        "Only on simulated data."
    ),
    # a refresh has begun it beside the other stages: it is waited for when all else is done
    op_tags={"dagster/priority": "-1"},
)
def counterfactual(settings: Settings) -> dg.MaterializeResult:
    """Build the warehouse of the landing without the effect in `build/counterfactual/`."""
    if not settings.is_simulated:
        return dg.MaterializeResult(
            metadata={"status": "delivered files: no counterfactual exists"}
        )
    finish(Home.from_environment())
    stages.done("counterfactual", "the warehouse without the effect is built")
    return dg.MaterializeResult(metadata={"status": "built"})
