"""Run every spec on the marts: one sample and one pass of draws for specs that share them; frames as the contract's `estimates` tables."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..analyses import leave_out
from ..analyses.catalog import all_specs
from ..analyses.rules import TIE_RULES
from ..analyses.spec import Spec
from ..analyses.without_p import why_no_p
from ..estimators.two_way import leave_one_out
from ..results import FitResult, NotRun
from ..sample.build import StudySample, hash_sample
from ..sample.marts import Marts, read_frames
from . import second_implementation
from .curve_test import DRAWS, SEED, run_curve_test
from .estimate import estimate_group, group_specs
from .multiplicity import adjusted_rows
from .primary import run_primary
from .radiation import run_radiation
from .specification_curve import run_curve
from .tables import (
    CURVE_TEST_COLUMNS,
    DIAGNOSTIC_COLUMNS,
    ESTIMATE_COLUMNS,
    NOT_RUN_COLUMNS,
    SPECIFICATION_COLUMNS,
    WARNING_COLUMNS,
    typed,
)
from .withhold import withhold


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
    channel: pd.DataFrame
    power: pd.DataFrame
    placebo: pd.DataFrame


def read_marts(con: Any, specs: Sequence[Spec] | None = None) -> Marts:
    """Read what the specs need from a duckdb connection; default is every spec of the analyses. See `marts.read_frames`."""
    return read_frames(con, all_specs() if specs is None else specs)


def run_study(
    marts: Marts,
    specs: Sequence[Spec] | None = None,
    *,
    curve: Sequence[Spec] = (),
    primary: Sequence[Spec] = (),
    radiation: Sequence[Spec] = (),
    permutations: int | None = None,
    seed: int | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> StudyResult:
    """Estimate every spec; one that lacks series, ties, pilots or never-pilots becomes a row of ``not_run``.

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
        Called with one line before each group of specs.

    Returns
    -------
    StudyResult
        Rows in order of the specs.
    """
    specs = tuple(_with_settings(spec, permutations, seed) for spec in (all_specs() if specs is None else specs))
    rows: dict[str, dict[str, list]] = {spec.spec_id: {"estimate": [], "diagnostic": [], "not_run": [], "warning": []} for spec in specs}
    names = _place_names(marts.cities)
    done = 0
    for group in group_specs(specs):
        if on_progress:
            on_progress(f"specs {done + 1}-{done + len(group)} of {len(specs)}: {_sample_name(group[0])}")
        for spec, sample, result in estimate_group(marts, group):
            rows[spec.spec_id] = _rows_of(spec, sample, result, names)
        done += len(group)
    curve_rows = _run_curve(marts, curve, permutations, seed, on_progress)
    city_rows = run_radiation(marts, radiation, permutations, seed)
    tested = run_primary(marts, primary, permutations=permutations, seed=seed, on_progress=on_progress if primary else None)
    estimate = _frame(rows, "estimate", ESTIMATE_COLUMNS, city_rows, curve_rows)
    again = second_implementation.differences(marts, specs, estimate)
    return StudyResult(
        estimate=estimate,
        diagnostic=_frame(rows, "diagnostic", DIAGNOSTIC_COLUMNS, city_rows, {"diagnostic": [*adjusted_rows(estimate), *again]}),
        not_run=_frame(rows, "not_run", NOT_RUN_COLUMNS, city_rows, curve_rows, {"not_run": tested.not_run}),
        warning=_frame(rows, "warning", WARNING_COLUMNS, city_rows, {"warning": tested.warning}),
        specification=typed(curve_rows["specification"], SPECIFICATION_COLUMNS),
        curve_test=typed(curve_rows["curve_test"], CURVE_TEST_COLUMNS),
        **{name: getattr(tested, name) for name in ("primary", "channel", "power", "placebo")},
    )


def _with_settings(spec: Spec, permutations: int | None, seed: int | None) -> Spec:
    draws = spec.permutations if permutations is None else min(permutations, spec.permutations)
    return dataclasses.replace(spec, permutations=draws, seed=spec.seed if seed is None else seed)


def _sample_name(spec: Spec) -> str:
    window = "" if spec.window is None else f", {spec.window[0]}-{spec.window[1]}"
    controls = "" if spec.control_group == "never_in_window" else f", controls {spec.control_group}"
    controls += f", without {', '.join(spec.excluded)}" if spec.excluded else ""
    controls += f", given {', '.join(spec.controls)}" if spec.controls else ""
    return f"{spec.series}{window}, ties {spec.tie_rule}, treated by {spec.treatment_rule}{controls}, shuffled by {spec.shuffle}"


def _place_names(cities: pd.DataFrame) -> dict[str, str]:
    """English names of provinces and cities by 'province <id>' and 'city <id>', where the frame has them."""
    return {
        f"{level} {row_id}": name
        for level in ("province", "city")
        if f"{level}_name_en" in cities
        for row_id, name in zip(cities[f"{level}_id"], cities[f"{level}_name_en"], strict=True)
    }


def _with_names(text: str, names: dict[str, str]) -> str:
    """A warning with the name of every province and city after its id."""
    return re.sub(r"(?:province|city) \d{6}\b", lambda found: f"{found[0]} ({names[found[0]]})" if found[0] in names else found[0], text)


def _rows_of(spec: Spec, sample: StudySample | None, result: FitResult | NotRun, names: dict[str, str]) -> dict[str, list]:
    if isinstance(result, NotRun):
        return {"estimate": [], "diagnostic": [], "warning": [], "not_run": [_not_run(spec, result.reason)]}
    result = withhold(result, spec.outcome)
    common = {
        **{name: getattr(spec, name) for name in ("spec_id", "analysis", "estimator", "outcome", "treatment_rule", "tie_rule")},
        "p_value_withheld_reason": why_no_p(spec.outcome),
        **{name: getattr(result, name) for name in ("n_obs", "n_pairs", "n_cities")},
        "panel_hash": hash_sample(sample, sample.outcomes.index(spec.outcome)),
    }
    sample_counts = {name: value for name, value in dataclasses.asdict(sample.description).items() if name != "dropped_city_ids"}
    diagnostics = [(f"sample_{name}", None, value) for name, value in sample_counts.items()]
    diagnostics += [("sample_n_cities_dropped", None, len(sample.description.dropped_city_ids)), *result.diagnostics]
    if spec.spec_id in leave_out.TABLES:
        diagnostics += _leave_out_rows(spec, sample)
    return {
        "estimate": [{**common, **_estimate_row(estimate)} for estimate in result.estimates],
        "diagnostic": [{"spec_id": spec.spec_id, "diagnostic": d, "term": t, "value": v} for d, t, v in diagnostics],
        "warning": [{"spec_id": spec.spec_id, "warning": _with_names(text, names)} for text in result.warnings],
        "not_run": [],
    }


def _leave_out_rows(spec: Spec, sample: StudySample) -> list[tuple[str, str, float]]:
    found = leave_one_out(sample.panel, sample.outcomes.index(spec.outcome), TIE_RULES[spec.tie_rule].quantile)
    return [
        (f"leave_out_{part}", str(block), float(estimate))
        for part, refits in found.items()
        for block, estimate in zip(refits.blocks, refits.estimates[:, 0], strict=True)
    ]


def _estimate_row(estimate: Any) -> dict[str, Any]:
    names = ("term", "cohort_year", "event_time", "vcov", "is_default", "estimate", "std_error", "ci_low", "ci_high", "p_value", "n_pilots")
    return {name: getattr(estimate, name) for name in names}


def _not_run(spec: Spec, reason: str) -> dict[str, str]:
    return {"spec_id": spec.spec_id, "analysis": spec.analysis, "reason": reason}


def _frame(rows: dict[str, dict[str, list]], table: str, columns: dict[str, str], *more: dict[str, list]) -> pd.DataFrame:
    return typed([row for tables in (*rows.values(), *more) for row in tables[table]], columns)


def _run_curve(
    marts: Marts, specs: Sequence[Spec], permutations: int | None, seed: int | None, on_progress: Callable[[str], None] | None
) -> dict[str, list]:
    """Rows of the specification curve by table; a reason that all specs of an outcome share is one row."""
    years = marts.synchronization["year"]
    if not specs or marts.city_years is None or years.empty:
        reason = "needs pairs of cities in a study window"
        not_run = _curve_reasons(specs, {spec.spec_id: reason for spec in specs})
        return {"estimate": [], "specification": [], "curve_test": [], "not_run": not_run}
    frames, window = (marts.cities, marts.pairs, marts.city_years), (int(years.min()), int(years.max()))
    found = run_curve(*frames, specs, window, on_progress)
    done = {row["spec_id"] for row in found.specification}
    draws = DRAWS if permutations is None else min(permutations, DRAWS)
    test = run_curve_test(
        *frames,
        [spec for spec in specs if spec.spec_id in done],
        window,
        draws=draws,
        seed=SEED if seed is None else seed,
        on_progress=on_progress,
    )
    tables = {"estimate": found.estimate, "specification": found.specification, "curve_test": test}
    return tables | {"not_run": _curve_reasons(specs, found.reasons)}


def _curve_reasons(specs: Sequence[Spec], reasons: dict[str, str]) -> list[dict[str, str]]:
    by_outcome: dict[str, list[Spec]] = {}
    for spec in specs:
        by_outcome.setdefault(spec.outcome, []).append(spec)
    rows = []
    for outcome, members in by_outcome.items():
        lacking = [spec for spec in members if spec.spec_id in reasons]
        if len(lacking) == len(members) and len({reasons[spec.spec_id] for spec in lacking}) == 1:
            lead = members[0]
            rows.append({"spec_id": f"{lead.analysis}.{outcome}.every", "analysis": lead.analysis, "reason": reasons[lead.spec_id]})
        else:
            rows += [_not_run(spec, reasons[spec.spec_id]) for spec in lacking]
    return rows
