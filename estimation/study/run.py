"""Run every spec on the marts: one sample and one pass of draws for specs that share them; frames
as the contract's `estimates` tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from ..analyses.catalog import all_specs
from ..analyses.spec import Spec
from ..inference.multiple_testing import benjamini_hochberg
from ..sample.marts import Marts, read_frames
from . import second_implementation
from .multiplicity import judge_estimates
from .tables import COLUMNS, ESTIMATE_COLUMNS, TRUTH_COLUMNS, typed
from .units import Done, Frames, Rows, Unit, run_here, study_units, truth_units


@dataclass(frozen=True)
class StudyResult:
    """Frames for the tables of schema ``estimates`` of the same names, but for ``truth``."""

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


#: Kinds of units that are begun when others are done, and estimate no spec of their own.
LOOK_AT_ROWS = ("second", "curve_test")
#: Whose rows come first in a table.
ORDER = ("group", "city", "curve", "primary", *LOOK_AT_ROWS)


class RunUnits(Protocol):
    """Runs units, and those that `on_done` returns, in any order:

    `units.run_here`, or processes.
    """

    def __call__(self, frames: Frames, units: Iterable[Unit], on_done: Done) -> None:
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
    specs = tuple(
        _with_settings(spec, permutations, seed)
        for spec in (all_specs() if specs is None else specs)
    )
    # where pair-years are too many to hold, one outcome of a sample is made at a time
    units = study_units(
        specs, curve, primary, radiation, permutations, seed, by_outcome=marts.years is not None
    )
    n_specs = sum(len(unit.specs) for unit in units)
    found: dict[Unit, Rows] = {}
    curve_units = [unit for unit in units if unit.kind == "curve"]

    def on_done(unit: Unit, rows: Rows) -> list[Unit]:
        found[unit] = rows
        if on_progress:
            on_progress(
                sum(len(unit.specs) for unit in found if unit.kind not in LOOK_AT_ROWS),
                n_specs,
                unit.name,
            )
        if unit.kind == "curve" and all(other in found for other in curve_units):
            # the curve is permuted as a whole, by the specs that could be estimated
            done = {
                row["spec_id"]
                for other in curve_units
                for row in found[other].get("specification", ())
            }
            estimated = tuple(spec for spec in curve if spec.spec_id in done)
            return [Unit("curve_test", estimated, permutations, seed)] if estimated else []
        if unit.kind != "group":
            return []
        return [
            Unit(
                "second",
                (spec,),
                given=tuple(row for row in rows["estimate"] if row["spec_id"] == spec.spec_id),
            )
            for spec in unit.specs
            if spec.spec_id in second_implementation.SPEC_IDS
        ]

    run_units({"factual": marts}, units, on_done)
    rows = _in_order(found, {unit: k for k, unit in enumerate(units)}, (*specs, *curve))
    adjusted = benjamini_hochberg([row["p_value"] for row in rows["channel"]])
    rows["channel"] = [
        {**row, "p_value_bh": p} for row, p in zip(rows["channel"], adjusted, strict=True)
    ]
    rows["not_run"] = _share_reasons(curve, rows["not_run"])
    frames = {name: typed(rows[name], COLUMNS[name]) for name in rows if name != "estimate"}
    estimate = judge_estimates(typed(rows["estimate"], ESTIMATE_COLUMNS))
    return StudyResult(estimate=estimate, **frames)


def compute_truth(
    marts: Marts,
    counterfactual: Marts,
    specs: Sequence[Spec] | None = None,
    *,
    of_primary: pd.DataFrame | None = None,
    run_units: RunUnits = run_here,
) -> pd.DataFrame:
    """Truth of every spec on simulated data: its own estimator on the difference of the two
    outcomes, on the factual sample.

    Parameters
    ----------
    marts : Marts
        Of the landing with the effect.
    counterfactual : Marts
        Of the landing from the same shocks without it; only its synchronization is used.
    specs : sequence of Spec, optional
        Default is every spec of the analyses.
    of_primary : DataFrame, optional
        Of `planted.primary_truths`: spec_id, term, truth and planted of the primary test and its
        channels, which come last.
    run_units : callable, optional
        As of `run_study`.

    Returns
    -------
    DataFrame
        For ``estimates.truth``; a spec that cannot be run has no row.
    """
    units = truth_units(all_specs() if specs is None else specs, by_outcome=marts.years is not None)
    found: dict[Unit, list[dict[str, Any]]] = {}

    def on_done(unit: Unit, of_unit: Rows) -> list[Unit]:
        found[unit] = of_unit["truth"]
        return []

    run_units({"factual": marts, "counterfactual": counterfactual}, units, on_done)
    rows = [row for unit in units for row in found[unit]]
    if of_primary is not None:
        rows += [
            {**row, "cohort_year": None, "event_time": None}
            for row in of_primary.to_dict("records")
        ]
    return typed(rows, TRUTH_COLUMNS)


def _with_settings(spec: Spec, permutations: int | None, seed: int | None) -> Spec:
    draws = spec.permutations if permutations is None else min(permutations, spec.permutations)
    return dataclasses.replace(spec, permutations=draws, seed=spec.seed if seed is None else seed)


def _in_order(found: Mapping[Unit, Rows], units: Mapping[Unit, int], specs: Sequence[Spec]) -> Rows:
    """Rows by table whoever was done first: by kind, of specs that share units in the order of the
    specs, else of the units.
    """
    place = {spec.spec_id: k for k, spec in enumerate(specs)}
    tables: Rows = {name: [] for name in StudyResult.__dataclass_fields__}
    for kind in ORDER:
        own = sorted(
            (unit for unit in found if unit.kind == kind), key=lambda unit: units.get(unit, 0)
        )
        for name in dict.fromkeys(name for unit in own for name in found[unit]):
            rows = [row for unit in own for row in found[unit].get(name, ())]
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
