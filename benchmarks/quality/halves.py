"""Thresholds chosen on one half of the years and measured on the other: `citysync bench-halves
--landing path`.

Defects are injected as in the benchmark. Each group of thresholds is scaled alone; the factor is
chosen on events and values of even years by `choose_factor` and then judged on those of odd years,
beside the thresholds as shipped. One JSON line a group.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.quality.kinds import KINDS
from benchmarks.quality.landings import Clean, load_roster, prepare, read_clean_landing
from benchmarks.quality.options import SOURCES, common_parser, landings_asked
from benchmarks.quality.plan import Event, inject, plan_events
from benchmarks.quality.score import false_blocks, score_run
from benchmarks.quality.warehouse import Bench, read_graded, read_rejected

SEED = 20162
FACTORS = (0.6, 0.8, 1.0, 1.25, 1.6)
MOST_FALSE, MOST_RESTATED, MOST_QUARANTINED = 0.005, 0.01, 0.02
DEFECTS = [kind.name for kind in KINDS if kind.is_defect]


@dataclass(frozen=True)
class Group:
    """Thresholds that are scaled together, and the grade they decide on:

    `blocked` or `flagged` (blocked or quarantined).
    """

    name: str
    thresholds: tuple[str, ...]
    grade: str = "blocked"


GROUPS = (
    Group("spike, no witness", ("spike.block",)),
    Group("spike, a witness", ("spike.source",)),
    Group("end of a series", ("series_end.source",)),
    Group("power of ten", ("unit_factor.spike",)),
    Group("row shift", ("row_shift.fit",)),
    Group("swap", ("swap.fit",)),
    Group("another's figure", ("match.left_share",)),
    Group("spike, quarantine", ("spike.quarantine",), "flagged"),
)


def measure_factors(bench: Bench, clean: Clean, n_runs: int) -> Iterator[dict[str, object]]:
    """Per group, factor, run and half: cells of defects found, of restatements blocked, false
    blocks and quarantines among clean values.
    """
    cities = load_roster()
    for run in range(n_runs):
        events = plan_events(
            clean.targets, cities, np.random.default_rng([SEED, run, len(clean.name)])
        )
        build = bench.build("injected", inject(clean.raw, events), clean.input_file)
        shipped = count_halves(events, clean, build)
        for group in GROUPS:
            for factor in FACTORS:
                counts = shipped
                if factor != 1:
                    counts = count_halves(
                        events, clean, bench.regrade(build, dict.fromkeys(group.thresholds, factor))
                    )
                for half, numbers in counts.items():
                    yield {
                        "group": group.name,
                        "factor": factor,
                        "run": run,
                        "half": half,
                        **numbers,
                    }


def count_halves(events: Sequence[Event], clean: Clean, build: Path) -> dict[str, dict[str, int]]:
    """Counts of a graded build by half of the years: even and odd."""
    graded, rejected = read_graded(build, objected_only=True), read_rejected(build)
    scored = score_run(events, clean.keys, clean.graded, graded, rejected)
    false = false_blocks(events, clean.keys, clean.graded, graded)
    touched = {clean.keys[line] for event in events for line in event.new_value}
    untouched = clean.graded[
        ~clean.graded["key"].isin(touched)
        & clean.graded["indicator_id"].isin({t.name for t in clean.targets})
    ]
    quarantined = untouched[
        untouched["key"].isin(set(graded.loc[graded["quality_flag"] == "quarantined", "key"]))
    ]
    found = {}
    for half, rest in (("even", 0), ("odd", 1)):
        here = scored[scored["year"] % 2 == rest]
        defects, restated = here[here["kind"].isin(DEFECTS)], here[~here["kind"].isin(DEFECTS)]
        found[half] = {
            "cells": int(defects["n_cells"].sum()),
            "blocked": int(defects["n_blocked"].sum()),
            "flagged": int(defects["n_flagged"].sum()),
            "restated": int(restated["n_cells"].sum()),
            "restated_blocked": int(restated["n_blocked"].sum()),
            "clean": int((untouched["year"] % 2 == rest).sum()),
            "false": int((false["year"] % 2 == rest).sum()),
            "quarantined": int((quarantined["year"] % 2 == rest).sum()),
        }
    return found


def choose_factor(even: pd.DataFrame, grade: str) -> float:
    """Factor with the most cells found on even years among those within the limits; of equals the
    one nearest to 1.

    Parameters
    ----------
    even : data frame indexed by factor
        Sums of the counts of ``count_halves`` on even years.
    grade : str
        ``blocked`` or ``flagged``.

    Returns
    -------
    float
        1 where no factor keeps within the limits.
    """
    within = even[is_within_limits(even)]
    if within.empty:
        return 1.0
    best = within[within[grade] == within[grade].max()]
    return float(min(best.index, key=lambda factor: (abs(np.log(factor)), factor)))


def is_within_limits(counts: pd.DataFrame) -> pd.Series:
    """Whether few enough clean and restated values are blocked, and few enough clean ones
    quarantined.
    """
    return (
        (counts["false"] <= MOST_FALSE * counts["clean"])
        & (counts["restated_blocked"] <= MOST_RESTATED * counts["restated"])
        & (counts["quarantined"] <= MOST_QUARANTINED * counts["clean"])
    )


def judge_groups(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per group: factor chosen on even years; recall and precision on odd years with it and
    as shipped.
    """
    sums = counts.drop(columns="run").groupby(["group", "half", "factor"]).sum()
    rows = []
    for group in GROUPS:
        even, odd = sums.loc[(group.name, "even")], sums.loc[(group.name, "odd")]
        chosen = choose_factor(even, group.grade)
        row = {
            "group": group.name,
            "thresholds": ", ".join(group.thresholds),
            "grade": group.grade,
            "chosen": chosen,
        }
        for label, factor in (("chosen", chosen), ("shipped", 1.0)):
            cells = odd.loc[factor]
            row |= {
                f"{label}_odd_recall": cells[group.grade] / cells["cells"],
                f"{label}_odd_precision": cells["blocked"]
                / max(cells["blocked"] + cells["false"], 1),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> int:
    """Measure; the exit code is 0 whatever the figures are."""
    chosen = common_parser("python -m benchmarks.quality.halves", __doc__, runs=2).parse_args()
    for name in landings_asked(chosen):
        with tempfile.TemporaryDirectory() as scratch:
            bench = Bench(Path(scratch))
            landing = read_clean_landing(bench, name, chosen.landing)
            for n_sources in SOURCES:
                clean = prepare(bench, landing, n_sources)
                judged = judge_groups(pd.DataFrame(measure_factors(bench, clean, chosen.runs)))
                for row in judged.to_dict("records"):
                    print(json.dumps({"landing": name, "sources": n_sources, **row}), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
