"""Stop a run that would lose data, read the marts, run the study, write and compare its tables.

Results are compared with what earlier runs wrote down (`meta.promise`) and with the last
publication (`meta.movement`). Algebra is in `estimation`; which earlier estimates may be used again
is in `orchestration/reuse`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import duckdb
import pandas as pd

from orchestration.run import Run
from orchestration.stages.losses import require_no_loss
from orchestration.stages.movement import measure_movement
from orchestration.stages.promises import check_promises
from orchestration.terminal import progress
from warehouse.database import open_build, write_frame
from warehouse.ingest.simulation.landing import PLANTED
from warehouse.publication.tables import comment_tables

SCHEMA = "estimates"
READ_BY_CLAIMS = ("estimate", "diagnostic", "not_run", "primary")


def estimate(run: Run) -> None:
    """Estimate every requested spec with all methods of inference, check the claims of the
    published study, write the tables, and compare the results with earlier runs.
    """
    from estimation.sample.marts import read_claims
    from estimation.study.claims import build_claims
    from estimation.study.tables import COLUMNS

    # a run that would lose data should end before it spends minutes on estimates
    require_no_loss(run)
    frames = _read_marts(run)
    tables = _run_study(run, frames)
    with open_build(run.home.build) as con:
        _write_tables(con, {name: tables[name] for name in COLUMNS if name in tables})
        written = {name: con.table(f"{SCHEMA}.{name}").df() for name in READ_BY_CLAIMS}
        claims = build_claims(read_claims(con), SimpleNamespace(**written))
        _write_tables(con, {"claim": claims})
    check_promises(run, frames, tables["primary"])
    measure_movement(run, frames, tables["primary"])
    found = int((claims["verdict"] == "found").sum())
    progress(f"  claims of the study: {len(claims)}, of which {found} found by the honest test")
    n_specs = tables["estimate"]["spec_id"].nunique()
    n_curve = len(tables["specification"])
    run.stage_lines.done(
        "estimates",
        f"{n_specs} specs estimated, {n_curve} of them in the curve, "
        f"{len(tables['not_run'])} not run",
    )


def _write_tables(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pd.DataFrame]) -> None:
    """Write tables with the types of `estimation.study.tables`, which an empty column would not
    have by itself.
    """
    from estimation.study.tables import COLUMNS

    for table, frame in frames.items():
        write_frame(con, SCHEMA, table, frame.astype(COLUMNS[table]))
    comment_tables(con)


def _run_study(run: Run, frames: Any) -> dict[str, pd.DataFrame]:
    """Return the tables of the study, of all analyses or of those that ANALYSES names."""
    from estimation.analyses.catalog import every_spec
    from estimation.study.run import run_study
    from orchestration.reuse.unit_cache import cached_units
    from orchestration.unit_workers import run_units

    chosen = run.settings.analyses
    specs = [spec for spec in every_spec() if _is_chosen(spec.analysis, chosen)]

    def count(done: int, of: int, name: str) -> None:
        run.stage_lines.count(done, of, f"specs estimated, last {name}")

    study = run_study(
        frames,
        specs,
        permutations=run.settings.permutations,
        on_progress=count,
        run_units=cached_units(run.home, run_units, code=run.code),
    )
    return add_not_asked_for(vars(study), chosen)


def _is_chosen(analysis: str, chosen: Sequence[str]) -> bool:
    return not chosen or analysis in chosen


def add_not_asked_for(
    tables: Mapping[str, pd.DataFrame], chosen: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return the tables of a study of some analyses, with a row of ``not_run`` added for each spec
    of the others.
    """
    from estimation.analyses.catalog import every_spec
    from estimation.study.tables import COLUMNS, not_run, typed

    reason = f"not asked for: ANALYSES={','.join(chosen)} leaves it out"
    others = [spec for spec in every_spec() if not _is_chosen(spec.analysis, chosen)]
    rows = typed(not_run(others, reason), COLUMNS["not_run"])
    return {**tables, "not_run": pd.concat([tables["not_run"], rows], ignore_index=True)}


def _read_marts(run: Run) -> Any:
    """Return the marts that the study reads, on simulated data also those without the effect. They
    lack pair-years where this machine has not the memory to hold them.
    """
    from estimation.analyses.catalog import all_specs
    from estimation.sample.marts import read_marts
    from orchestration.memory import holds_pair_years
    from orchestration.unit_workers import n_processes

    specs = all_specs()
    wanted = set()
    for spec in specs:
        wanted |= {spec.outcome, *spec.controls}
    with open_build(run.home.build, read_only=True) as con:
        is_held = holds_pair_years(con, wanted, processes=n_processes())
        marts = read_marts(con, specs, pair_years=is_held)
    if not run.settings.is_simulated:
        return marts
    with open_build(run.home.counterfactual, read_only=True) as con:
        without = read_marts(con, specs, pair_years=is_held)
    return replace(marts, without=without, planted=pd.read_csv(run.home.simulated / PLANTED))
