"""Estimates as assets: read the marts, call the study, write its tables.

Not here: algebra (`estimation`), and which earlier estimates may be used again
(`orchestration/reuse`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from orchestration.assets.upstream import require_no_loss, require_upstream
from orchestration.dagster_ui.metadata import describe_table, show_aside
from orchestration.home import Home
from orchestration.resources import Settings
from orchestration.stages import stages
from orchestration.terminal import progress
from warehouse.build_database import open_build, write_frame
from warehouse.ingest.simulation.landing import PLANTED
from warehouse.publication.table_comments import comment_tables

GROUP = "estimates"
DESCRIPTIONS = {
    "estimate": "One coefficient under one method of inference.",
    "diagnostic": "One diagnostic number of a spec.",
    "not_run": "A spec without the series, ties or clusters it needs, with the reason.",
    "warning": "A warning that belongs beside a spec's estimates.",
    "specification": "The choices of a spec of the specification curve.",
    "curve_test": (
        "The joint permutation of the specification curve, over all outcomes and for each."
    ),
    "primary": "The primary test on one window and series, with its verdict.",
    "check": "The primary test on other cities, years, dates, series, beside its headline.",
    "channel": "One channel of synchronization beside a primary test.",
    "power": "How often the primary test finds an effect that is imposed on the panel.",
    "placebo": (
        "The primary test where nothing can have happened: earlier years, cities without a zone."
    ),
    "next_window": "The window that the next yearbook brings, with its rule and the rule's hash.",
    "truth": (
        "The truth of a spec on simulated data: its own estimator on the difference of the "
        "outcomes with and without the effect. Empty for delivered files."
    ),
    "coverage": (
        "How many intervals hold their truth, in this economy and over the many that were "
        "measured. Empty for delivered files."
    ),
    "claim": (
        "A claim of the published study: the study's own form on these data, honest inference "
        "beside it, and two verdicts."
    ),
}
KEYS = [dg.AssetKey([GROUP, table]) for table in DESCRIPTIONS]
READ_BY_CLAIMS = ("estimate", "diagnostic", "not_run", "primary")
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
#: Pair-years from which a study takes longer than processes take to load.
WORTH_PROCESSES = 50_000
HEADLINES = ("baseline.cm_growth_official.headline", "baseline.cm_growth_deflated.headline")


def build_study_asset(
    marts: Sequence[dg.AssetKey], counterfactual: dg.AssetKey
) -> dg.AssetsDefinition:
    """The study's tables, the claims among them."""

    @dg.multi_asset(
        name="study",
        group_name=GROUP,
        specs=[
            dg.AssetSpec(
                [GROUP, table],
                deps=[*marts, counterfactual],
                description=description,
                kinds={"python", "duckdb"},
                group_name=GROUP,
            )
            for table, description in DESCRIPTIONS.items()
        ],
    )
    def study(
        context: dg.AssetExecutionContext, settings: Settings
    ) -> Iterator[dg.MaterializeResult]:
        """All specs with all methods of inference."""
        from estimation.sample.marts import read_claims
        from estimation.study.claims import build_claims

        require_upstream(context)
        home = Home.from_environment()
        # here, since it saves the minutes of the estimates
        require_no_loss(home, settings, context.run_id)
        tables = _estimate(home, settings)
        with open_build(home.build) as con:
            _write_tables(con, {name: tables[name] for name in DESCRIPTIONS if name in tables})
            written = {name: con.table(f"{GROUP}.{name}").df() for name in READ_BY_CLAIMS}
            claims = build_claims(read_claims(con), SimpleNamespace(**written))
            _write_tables(con, {"claim": claims})
            tables["claim"] = claims
            metadata = {name: _metadata(con, name, tables[name]) for name in DESCRIPTIONS}
        found = int((claims["verdict"] == "found").sum())
        progress(f"  claims of the study: {len(claims)}, of which {found} found by the honest test")
        n_specs, n_curve = tables["estimate"]["spec_id"].nunique(), len(tables["specification"])
        stages.done(
            "estimates",
            f"{n_specs} specs estimated, {n_curve} of them in the curve, "
            f"{len(tables['not_run'])} not run",
        )
        for key in KEYS:
            yield dg.MaterializeResult(asset_key=key, metadata=metadata[key.path[-1]])

    return study


def _write_tables(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame]) -> None:
    """In the contract's types, which a column without values does not show itself."""
    from estimation.study.tables import COLUMNS

    for table, frame in frames.items():
        write_frame(con, GROUP, table, frame.astype(COLUMNS[table]))
    comment_tables(con)


def _estimate(home: Home, settings: Settings) -> dict[str, pd.DataFrame]:
    """Tables of the study, of all analyses or of those that ANALYSES names."""
    from estimation.analyses.catalog import every_spec
    from estimation.study.run import run_study

    frames = _read_marts(home, settings)
    study = run_study(
        frames,
        [spec for spec in every_spec() if _is_chosen(spec.analysis, settings.analyses)],
        permutations=settings.permutations,
        on_progress=lambda done, of, name: stages.count(done, of, f"specs estimated, last {name}"),
        run_units=unit_runner(home, frames),
    )
    return with_others(vars(study), settings.analyses)


def _is_chosen(analysis: str, chosen: Sequence[str]) -> bool:
    return not chosen or analysis in chosen


def with_others(
    tables: Mapping[str, pd.DataFrame], chosen: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """The tables of a study of some analyses, with a row of ``not_run`` for each spec of the
    others.
    """
    from estimation.analyses.catalog import every_spec
    from estimation.study.tables import COLUMNS, not_run, typed

    reason = f"not asked for: ANALYSES={','.join(chosen)} leaves it out"
    others = [spec for spec in every_spec() if not _is_chosen(spec.analysis, chosen)]
    rows = typed(not_run(others, reason), COLUMNS["not_run"])
    return {**tables, "not_run": pd.concat([tables["not_run"], rows], ignore_index=True)}


def _read_marts(home: Home, settings: Settings) -> Any:
    """What the study reads, of simulated data also the marts without the effect; without pair-years
    where they are too many for this machine.
    """
    from estimation.analyses.catalog import all_specs
    from estimation.sample.marts import read_marts
    from orchestration.memory import holds_pair_years
    from orchestration.unit_workers import n_processes

    specs = all_specs()
    wanted = {name for spec in specs for name in (spec.outcome, *spec.controls)}
    with open_build(home.build, read_only=True) as con:
        is_held = holds_pair_years(con, wanted, processes=n_processes())
        marts = read_marts(con, specs, pair_years=is_held)
    if not settings.is_simulated:
        return marts
    with open_build(home.counterfactual, read_only=True) as con:
        without = read_marts(con, specs, pair_years=is_held)
    return replace(marts, without=without, planted=pd.read_csv(home.simulated / PLANTED))


def unit_runner(home: Home, frames: Any) -> Any:
    """Where units of the study are run: in as many processes as CITYSYNC_THREADS says, in this one
    where that is one, there is little, or not even a unit for each process.

    Units that an earlier call has kept are not run again.
    """
    from estimation.study.units import run_here
    from orchestration.reuse.kept_units import keep_units
    from orchestration.unit_workers import n_processes, run_in_workers

    size = n_processes()

    def run(marts: Any, units: Sequence[Any], on_done: Any) -> None:
        if size == 1 or len(units) <= size or len(frames.synchronization) < WORTH_PROCESSES:
            run_here(marts, units, on_done)
        else:
            run_in_workers(size, marts, units, on_done)

    return keep_units(home, run)


def _metadata(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> dict[str, Any]:
    """What the UI shows of a table: size, columns, first rows; of the estimates the headlines
    and their values by run.
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
