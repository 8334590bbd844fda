"""Run every spec on the marts: one sample and one pass of draws for specs that share them; frames
as the contract's `estimates` tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from ..analyses.catalog import all_specs
from ..analyses.spec import Spec
from ..inference.multiple_testing import benjamini_hochberg
from ..sample.marts import Marts, read_frames
from .coverage import build_coverage
from .multiplicity import judge_estimates
from .tables import COLUMNS, ESTIMATE_COLUMNS, typed
from .units import Done, Rows, Unit, run_here, study_units


@dataclass(frozen=True)
class StudyResult:
    """Frames for the tables of schema ``estimates`` of the same names; ``truth`` and ``coverage``
    are of simulated data.
    """

    estimate: pd.DataFrame
    diagnostic: pd.DataFrame
    not_run: pd.DataFrame
    warning: pd.DataFrame
    specification: pd.DataFrame
    curve_test: pd.DataFrame
    primary: pd.DataFrame
    check: pd.DataFrame
    channel: pd.DataFrame
    power: pd.DataFrame
    placebo: pd.DataFrame
    next_window: pd.DataFrame
    truth: pd.DataFrame
    coverage: pd.DataFrame


#: Whose rows come first in a table.
ORDER = ("group", "city", "curve", "primary")


class RunUnits(Protocol):
    """Runs units in any order: `units.run_here`, or processes."""

    def __call__(self, marts: Marts, units: Iterable[Unit], on_done: Done) -> None:
        """Call `on_done` with every unit and its rows."""


def read_marts(con: Any, specs: Sequence[Spec] | None = None, *, pair_years: bool = True) -> Marts:
    """Read what the specs need from a duckdb connection; default is every spec of the analyses.

    See `marts.read_frames`.
    """
    return read_frames(con, all_specs() if specs is None else specs, pair_years=pair_years)


def run_study(
    marts: Marts,
    specs: Sequence[Spec] | None = None,
    *,
    curve: Sequence[Spec] = (),
    primary: Sequence[Spec] = (),
    radiation: Sequence[Spec] = (),
    permutations: int | None = None,
    seed: int | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
    run_units: RunUnits = run_here,
) -> StudyResult:
    """Estimate every spec; one that lacks series, ties, pilots or never-pilots becomes a row of
    ``not_run``.

    Parameters
    ----------
    marts : Marts
        Where it holds those without the effect, every spec gets its truth: its own estimator on the
        difference of the two outcomes, on the factual sample.
    specs : sequence of Spec, optional
        Default is every spec of the analyses.
    curve : sequence of Spec
        Specs of the specification curve; none by default.
    primary : sequence of Spec
        Windows and series of the primary test; none by default.
    radiation : sequence of Spec
        Specs of city-level outcomes (`radiation.run_radiation`); none by default.
    permutations, seed : int, optional
        The most draws a spec may take, and the seed of all.
    on_progress : callable, optional
        Called with how many specs are done, how many there are, and what was done last.
    run_units : callable, optional
        Where the units of the study are run; default is one after another in this process.

    Returns
    -------
    StudyResult
        Rows in order of the specs, the same bytes wherever the units were run.

    Raises
    ------
    StudyError
        Naming the specs at which an estimator failed.
    """
    chosen = (all_specs() if specs is None else specs, curve, primary, radiation)
    specs, curve, primary, radiation = (
        tuple(_with_settings(spec, permutations, seed) for spec in kind) for kind in chosen
    )
    # where pair-years are too many to hold, one outcome of a sample is made at a time
    by_outcome = marts.years is not None
    units = study_units(specs, curve, primary, radiation, by_outcome=by_outcome)
    n_specs = sum(len(unit.specs) for unit in units)
    found: dict[Unit, Rows] = {}

    def on_done(unit: Unit, rows: Rows) -> None:
        found[unit] = rows
        if on_progress:
            on_progress(sum(len(unit.specs) for unit in found), n_specs, unit.name)

    run_units(marts, units, on_done)
    rows = _in_order(found, units, (*specs, *curve))
    adjusted = benjamini_hochberg([row["p_value"] for row in rows["channel"]])
    rows["channel"] = [
        {**row, "p_value_bh": p} for row, p in zip(rows["channel"], adjusted, strict=True)
    ]
    rows["not_run"] = _share_reasons(curve, rows["not_run"])
    frames = {name: typed(rows[name], COLUMNS[name]) for name in rows if name != "estimate"}
    frames["estimate"] = judge_estimates(typed(rows["estimate"], ESTIMATE_COLUMNS))
    known = (frames[name] for name in ("estimate", "primary", "channel", "truth"))
    return StudyResult(**frames, coverage=build_coverage(*known))


def _with_settings(spec: Spec, permutations: int | None, seed: int | None) -> Spec:
    draws = spec.permutations if permutations is None else min(permutations, spec.permutations)
    return dataclasses.replace(spec, permutations=draws, seed=spec.seed if seed is None else seed)


def _in_order(found: dict[Unit, Rows], units: Sequence[Unit], specs: Sequence[Spec]) -> Rows:
    """Rows by table whoever was done first: by kind, of specs that share units in the order of the
    specs, else of the units.
    """
    place = {spec.spec_id: k for k, spec in enumerate(specs)}
    tables: Rows = {name: [] for name in StudyResult.__dataclass_fields__ if name != "coverage"}
    for kind in ORDER:
        own = [found[unit] for unit in units if unit.kind == kind]
        for name in dict.fromkeys(name for rows in own for name in rows):
            rows = [row for of_unit in own for row in of_unit.get(name, ())]
            rows.sort(key=lambda row: place.get(row["spec_id"], 0))
            tables[name] += rows
    return tables


def _share_reasons(specs: Sequence[Spec], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of ``not_run``; a reason that all specs of the curve on an outcome share is one row."""
    reasons = {row["spec_id"]: row["reason"] for row in rows}
    by_outcome: dict[str, list[Spec]] = {}
    for spec in specs:
        by_outcome.setdefault(spec.outcome, []).append(spec)
    for outcome, members in by_outcome.items():
        shared = {reasons.get(spec.spec_id) for spec in members}
        if len(shared) == 1:
            first, *others = (spec.spec_id for spec in members)
            every = f"{members[0].analysis}.{outcome}.every"
            rows = [
                {**row, "spec_id": every if row["spec_id"] == first else row["spec_id"]}
                for row in rows
                if row["spec_id"] not in others
            ]
    return rows
