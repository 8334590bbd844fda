"""Delivered files to raw Parquet: one asset per source, then the list of this run's files, and the
counterfactual build of simulated data.

Reading itself is in `warehouse/ingest`.
"""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import dagster as dg
import pandas as pd

from orchestration.counterfactual import begin, finish
from orchestration.home import REPO, Home
from orchestration.resources import Settings
from orchestration.run_settings import setting
from orchestration.stages import stages
from orchestration.supervision import begin_beside
from orchestration.terminal import detail
from warehouse.hashing import code_files, hash_named_files, hash_parts
from warehouse.ingest.landing import read_landing, read_source
from warehouse.ingest.landing_report import LandingReport
from warehouse.ingest.layouts import LAYOUT_FOLDER, layouts_of, load_layouts
from warehouse.ingest.workers.pool import close_readers, shared_pool
from warehouse.whole_files import remove_any

GROUP = "raw"
SEEDS = REPO / "warehouse" / "seeds"
SIMULATED = dg.AssetKey([GROUP, "simulated_landing"])
OBSERVATIONS, INPUT_FILES = (
    dg.AssetKey([GROUP, "observations"]),
    dg.AssetKey([GROUP, "input_files"]),
)
COUNTERFACTUAL = dg.AssetKey(["simulation", "counterfactual_synchronization"])
SOURCES = (*sorted(path.stem for path in LAYOUT_FOLDER.glob("*.yml")), "tidy", "policy_texts")
_begun: dict[str, Future[LandingReport]] = {}


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
    write_simulated(home, settings)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(home.simulated))})


@contextmanager
def landing_begun(home: Home) -> Iterator[None]:
    """Within it the simulated landing is written by another process, and files are read by the
    readers, beside whatever this one does; where that fails, the asset does it again and says why.
    """
    # on Linux alone, where a copy of this process needs not load what it has
    if sys.platform != "linux":
        yield
        return
    if not any(home.raw.glob("*.parquet")):
        shared_pool().start()
    settings = Settings.from_environment()
    with (
        ProcessPoolExecutor(1, get_context("fork"), begin_beside, (os.getpid(),)) as beside,
        ThreadPoolExecutor(1) as thread,
    ):
        if settings.is_simulated:
            written = beside.submit(_write_as_asked)
            thread.submit(written.result)
        for source in SOURCES:
            _begun[source] = thread.submit(_read, home, settings, source)
        try:
            yield
        finally:
            thread.shutdown(cancel_futures=True)
            _begun.clear()


def _write_as_asked() -> None:
    # settings are made anew: Dagster's record of them does not go from process to process
    write_simulated(Home.from_environment(), Settings.from_environment())


def _read(home: Home, settings: Settings, source_id: str) -> LandingReport:
    landing = settings.landing_path(home)
    found = read_source(landing, home.raw, source_id, layouts=layouts_of(landing))
    if settings.is_simulated:
        read_source(_without_effect(home), home.raw, source_id, layouts=load_layouts())
    return found


def _without_effect(home: Home) -> Path:
    return home.simulated / "without_effect"


def write_simulated(home: Home, settings: Settings) -> None:
    """Write both simulated landings, unless the stamp says that they are there."""
    stamp, wanted = home.simulated / ".sha256", _simulation_hash(settings)
    if stamp.is_file() and stamp.read_bytes() == wanted.encode():
        return
    # the stamp goes first: a run that is killed here must not leave it beside half a landing
    remove_any(stamp)
    remove_any(home.simulated)
    home.simulated.mkdir(parents=True)
    _write_simulated(home, settings)
    stamp.write_text(wanted, encoding="utf-8")
    detail("simulated landing written: with and without the planted effect")


def _write_simulated(home: Home, settings: Settings) -> None:
    """Prefectures as the seeds have them, or counties with a roster of their own
    (PLACES=county).
    """
    from warehouse.ingest.simulation.counties import DEFAULT_PLACES, county_roster, county_zones
    from warehouse.ingest.simulation.landing import write_simulated_landing

    roster, zones = pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")
    if setting("PLACES") == "county":
        roster = county_roster(roster, settings.simulated_cities or DEFAULT_PLACES)
        write_simulated_landing(
            home.simulated, roster=roster, pilot_zones=county_zones(zones, roster)
        )
    else:
        write_simulated_landing(
            home.simulated,
            roster=roster,
            pilot_zones=zones,
            n_cities=settings.simulated_cities or None,
        )


def _simulation_hash(settings: Settings) -> str:
    made_of = (
        "warehouse/ingest/simulation",
        "warehouse/seeds/city_roster.csv",
        "warehouse/seeds/pilot_zones.csv",
    )
    return hash_parts(
        [
            str(settings.simulated_cities),
            setting("PLACES"),
            hash_named_files(REPO, code_files(REPO, made_of)),
        ]
    )


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
        begun = _begun.pop(source_id, None)
        if begun is not None and begun.exception() is None:
            found = begun.result()
        else:
            found = _read(Home.from_environment(), settings, source_id)
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
        from orchestration import unit_workers

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
            read_landing(_without_effect(home), home.raw, home.counterfactual, layouts=load_layouts())
        # first, so that a copy of this process holds none of their pipes
        close_readers()
        if settings.is_simulated:
            begin(home)
        n_values = int(report.files["n_observations"].sum())
        unit_workers.begin(n_values)
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
