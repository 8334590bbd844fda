"""The study in units that depend on no other: what a process of its own can estimate, and what may
be kept from one run to the next.

A unit's rows depend on the marts, its specs and its settings alone, so they are the same bytes
whoever runs it and in whatever order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import pandas as pd

from ..analyses import leave_out, primary, radiation, specification_curve
from ..analyses.rules import TIE_RULES
from ..analyses.spec import SampleError, Spec
from ..analyses.without_p import why_no_p
from ..fit_panel import fit_outcomes
from ..options import Options
from ..results import FitResult, NotRun
from ..sample.build import StudySample, build_group_sample, hash_sample
from ..sample.marts import Marts
from .curve_test import run_curve_test
from .estimate import fit_group, group_specs
from .planted import truths_of_group
from .primary import run_primary_spec
from .radiation import run_radiation
from .second_implementation import differences
from .specification_curve import run_curve
from .tables import Tables, not_run
from .withhold import withhold

#: Called with a unit and its rows when it is done.
Done = Callable[["Unit", Tables], None]
#: Runs units in any order: `run_here`, or processes.
RunUnits = Callable[[Marts, Sequence["Unit"], Done], None]


class StudyError(RuntimeError):
    """A unit of the study failed; the message names its specs and the error, which is its cause."""


@dataclass(frozen=True, eq=False)
class Unit:
    """Some specs that are estimated together.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    specs : tuple of Spec
    """

    kind: str
    specs: tuple[Spec, ...]

    @property
    def name(self) -> str:
        """Its first spec, and how many others."""
        more = f" and {len(self.specs) - 1} more" if len(self.specs) > 1 else ""
        return f"{self.specs[0].spec_id}{more}"

    @property
    def weight(self) -> float:
        """What it costs beside others, roughly: the longest are begun first, so that no process
        waits for the last one long.
        """
        return KINDS[self.kind][1](self)

    def run(self, marts: Marts) -> Tables:
        """Its rows by table.

        Raises
        ------
        StudyError
            With what went wrong as its cause.
        """
        try:
            return KINDS[self.kind][0](marts, self.specs)
        except Exception as error:
            raise StudyError(f"{self.name}: {type(error).__name__}: {error}") from error


def run_here(marts: Marts, units: Iterable[Unit], on_done: Done) -> None:
    """Run units one after another in this process."""
    for unit in units:
        on_done(unit, unit.run(marts))


def study_units(specs: Sequence[Spec], *, by_outcome: bool = False) -> list[Unit]:
    """Return units of a study, kind by kind in order of the specs."""
    of_kind: dict[str, list[Spec]] = {kind: [] for kind in KINDS}
    for spec in specs:
        of_kind[KIND_OF.get(spec.analysis, "group")].append(spec)
    groups, cities, curve, windows = of_kind.values()
    return [
        *(Unit("group", tuple(group)) for group in group_specs(groups, by_outcome=by_outcome)),
        *([Unit("curve", tuple(curve))] if curve else []),
        *(Unit("city", (spec,)) for spec in cities),
        *(Unit("primary", (spec,)) for spec in windows),
    ]


def _run_group(marts: Marts, specs: Sequence[Spec]) -> Tables:
    group = list(specs)
    try:
        sample = build_group_sample(marts, group)
    except SampleError as error:
        return {"not_run": not_run(group, str(error))}
    names = _place_names(marts.cities)
    panel_hash = cache(partial(hash_sample, sample))
    rows: Tables = {"estimate": [], "diagnostic": [], "not_run": [], "warning": []}
    drawn = {"vcov": group[0].vcov, "permutations": group[0].permutations}
    for spec, result in fit_group(marts, sample, group, **drawn):
        for table, found in _rows_of(spec, sample, result, names, panel_hash).items():
            rows[table] += found
    rows["diagnostic"] += differences(sample, group, rows["estimate"])
    if marts.without is not None:
        rows["truth"] = truths_of_group(marts, sample, group)
    return rows


def _run_curve(marts: Marts, specs: Sequence[Spec]) -> Tables:
    """Return the curve, and its joint test over the specs that could be estimated."""
    if marts.study_window is None:
        return {"not_run": not_run(specs, "needs pairs of cities in a study window")}
    rows = run_curve(marts, specs)
    done = {row["spec_id"] for row in rows["specification"]}
    rows["curve_test"] = run_curve_test(marts, [spec for spec in specs if spec.spec_id in done])
    return rows


def _draws(unit: Unit) -> float:
    outcomes = len({spec.outcome for spec in unit.specs})
    return max(spec.permutations for spec in unit.specs) * (outcomes + len(unit.specs))


#: How a kind is run, and its weight relative to others, in the order of a table's rows.
KINDS: dict[str, tuple[Callable[[Marts, Sequence[Spec]], Tables], Callable[[Unit], float]]] = {
    "group": (_run_group, _draws),
    "city": (run_radiation, lambda unit: 1e3),
    "curve": (_run_curve, lambda unit: 200.0 * len(unit.specs)),
    "primary": (run_primary_spec, lambda unit: 1e5),
}
#: The kind of an analysis; any other shares samples in groups.
KIND_OF = {
    specification_curve.ANALYSIS: "curve",
    radiation.ANALYSIS: "city",
    primary.ANALYSIS: "primary",
}


def _place_names(cities: pd.DataFrame) -> dict[str, str]:
    """English names of provinces and cities by 'province <id>' and 'city <id>', where the frame has
    them.
    """
    names = {}
    for level in ("province", "city"):
        if f"{level}_name_en" in cities:
            ids = level + " " + cities[f"{level}_id"].astype(str)
            names |= dict(zip(ids, cities[f"{level}_name_en"], strict=True))
    return names


def _with_names(text: str, names: dict[str, str]) -> str:
    """Return a warning with the name of every province and city after its id."""
    return re.sub(
        r"(?:province|city) \d{6}\b",
        lambda found: f"{found[0]} ({names[found[0]]})" if found[0] in names else found[0],
        text,
    )


def _rows_of(
    spec: Spec,
    sample: StudySample,
    result: FitResult | NotRun,
    names: dict[str, str],
    panel_hash: Callable[[int], str],
) -> Tables:
    if isinstance(result, NotRun):
        return {"not_run": not_run([spec], result.reason)}
    result = withhold(result, spec.outcome)
    common = {
        **{
            name: getattr(spec, name)
            for name in (
                "spec_id",
                "analysis",
                "estimator",
                "outcome",
                "treatment_rule",
                "tie_rule",
            )
        },
        "p_value_withheld_reason": why_no_p(spec.outcome),
        **{name: getattr(result, name) for name in ("n_obs", "n_pairs", "n_cities")},
        "panel_hash": panel_hash(sample.outcomes.index(spec.outcome)),
    }
    diagnostics = [(f"sample_{name}", None, value) for name, value in sample.counts.items()]
    diagnostics += result.diagnostics
    if spec.spec_id in leave_out.TABLES:
        diagnostics += _leave_out_rows(spec, sample)
    return {
        "estimate": [{**common, **vars(estimate)} for estimate in result.estimates],
        "diagnostic": [
            {"spec_id": spec.spec_id, "diagnostic": d, "term": t, "value": v}
            for d, t, v in diagnostics
        ],
        "warning": [
            {"spec_id": spec.spec_id, "warning": _with_names(text, names)}
            for text in result.warnings
        ],
    }


def _leave_out_rows(spec: Spec, sample: StudySample) -> list[tuple[str, str, float]]:
    """Return estimates without each city and each province; the tie mask stays."""
    key = ("twfe", sample.outcomes.index(spec.outcome))
    quantile = TIE_RULES[spec.tie_rule].quantile
    options = Options(("city",), 0, tie_quantile=quantile, keep_parts=True)
    given = {"control_names": spec.controls, "only": {key}, "options": options}
    parts = fit_outcomes(sample.panel, estimators=key[:1], **given)[key].parts
    rows = []
    for part, without in (("city", parts.without_city), ("province", parts.without_block)):
        for block, estimate in zip(*without.get("treated", ((), ())), strict=True):
            rows.append((f"leave_out_{part}", str(block), float(estimate)))
    return rows
