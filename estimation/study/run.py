"""Run every spec on the marts: one sample for specs that share it; frames
as the contract's `estimates` tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any

from ..analyses.spec import Spec
from ..analyses.specification_curve import ANALYSIS
from ..inference.multiple_testing import benjamini_hochberg
from ..sample.marts import Marts
from .coverage import build_coverage
from .multiplicity import correct_within_families
from .stood_out import stood_out_rows
from .tables import COLUMNS, ESTIMATE_COLUMNS, Tables, typed
from .units import KINDS, RunUnits, Unit, run_here, study_units

#: Tables that are made from the others, not by units.
LAST = ("coverage", "claim", "stood_out")


def run_study(
    marts: Marts,
    specs: Sequence[Spec],
    *,
    permutations: int | None = None,
    seed: int | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
    run_units: RunUnits = run_here,
) -> SimpleNamespace:
    """Estimate every spec; one that lacks series, ties, pilots or never-treated cities becomes a
    row of
    ``not_run``.

    Parameters
    ----------
    marts : Marts
        Where it holds those without the effect, every spec gets its truth: its own estimator on the
        difference of the two outcomes, on the factual sample.
    specs : sequence of Spec
        Of any analysis; which one says how it is estimated (`units.KIND_OF`).
    permutations, seed : int, optional
        The most draws a spec may take, and the seed of all.
    on_progress : callable, optional
        Called with how many specs are done, how many there are, and what was done last.
    run_units : callable, optional
        Where the units of the study are run; default is one after another in this process.

    Returns
    -------
    SimpleNamespace
        A frame for each table of `tables.COLUMNS` but ``claim``, by its name; ``truth`` and
        ``coverage`` are of simulated data. Rows in order of the specs, the same bytes wherever the
        units were run.

    Raises
    ------
    StudyError
        Naming the specs at which an estimator failed.
    """
    specs = tuple(_with_settings(spec, permutations, seed) for spec in specs)
    # where pair-years are too many to hold, one outcome of a sample is made at a time
    by_outcome = marts.years is not None
    units = study_units(specs, by_outcome=by_outcome)
    n_specs = sum(len(unit.specs) for unit in units)
    found: dict[Unit, Tables] = {}

    def on_done(unit: Unit, rows: Tables) -> None:
        found[unit] = rows
        if on_progress:
            on_progress(sum(len(unit.specs) for unit in found), n_specs, unit.name)

    run_units(marts, units, on_done)
    rows = _in_order(found, units, specs)
    adjusted = benjamini_hochberg([row["p_value"] for row in rows["channel"]])
    rows["channel"] = [
        {**row, "p_value_bh": p} for row, p in zip(rows["channel"], adjusted, strict=True)
    ]
    curve = chain.from_iterable(unit.specs for unit in units if unit.kind == "curve")
    rows["not_run"] = _share_reasons(list(curve), rows["not_run"])
    frames = {name: typed(rows[name], COLUMNS[name]) for name in rows if name != "estimate"}
    frames["estimate"] = correct_within_families(typed(rows["estimate"], ESTIMATE_COLUMNS))
    frames["stood_out"] = typed(stood_out_rows(frames), COLUMNS["stood_out"])
    known = (frames[name] for name in ("estimate", "primary", "channel", "truth"))
    return SimpleNamespace(**frames, coverage=build_coverage(*known))


def _with_settings(spec: Spec, permutations: int | None, seed: int | None) -> Spec:
    draws = spec.permutations if permutations is None else min(permutations, spec.permutations)
    return dataclasses.replace(spec, permutations=draws, seed=spec.seed if seed is None else seed)


def _in_order(found: dict[Unit, Tables], units: Sequence[Unit], specs: Sequence[Spec]) -> Tables:
    """Return rows by table whoever was done first: by kind, of specs that share units in the order
    of the specs, else of the units.
    """
    place = {spec.spec_id: k for k, spec in enumerate(specs)}
    tables: Tables = {name: [] for name in COLUMNS if name not in LAST}
    for kind in KINDS:
        own = [found[unit] for unit in units if unit.kind == kind]
        for name in dict.fromkeys(chain.from_iterable(own)):
            rows = list(chain.from_iterable(of_unit.get(name, ()) for of_unit in own))
            # others are a unit each, whose rows have an order of their own
            if kind in ("group", "curve"):
                rows.sort(key=lambda row: place.get(row["spec_id"], 0))
            tables[name] += rows
    return tables


def _share_reasons(specs: Sequence[Spec], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of ``not_run``; a reason that all specs of the curve on an outcome share is one
    row.
    """
    reasons = {row["spec_id"]: row["reason"] for row in rows}
    for outcome in dict.fromkeys(spec.outcome for spec in specs):
        first, *others = (spec.spec_id for spec in specs if spec.outcome == outcome)
        if len({reasons.get(spec_id) for spec_id in (first, *others)}) == 1:
            every = f"{ANALYSIS}.{outcome}.every"
            rows = [
                {**row, "spec_id": every if row["spec_id"] == first else row["spec_id"]}
                for row in rows
                if row["spec_id"] not in others
            ]
    return rows
