"""`python -m benchmarks.quality`: inject, build, score; one JSON line a row of the table, and the
tables into the documentation and the CSV files next to it.

`python -m benchmarks.quality --runs 10 --landing path --docs docs/evidence/quality-injection.md`
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.quality import harm
from benchmarks.quality.landings import (
    SETTINGS,
    Landing,
    build_targets,
    load_roster,
    read_clean_landing,
    read_raw,
    restrict,
)
from benchmarks.quality.plan import inject, plan_events
from benchmarks.quality.score import score_run, summarise
from benchmarks.quality.table import write_between, write_csv, write_document
from benchmarks.quality.warehouse import (
    Bench,
    cell_keys,
    read_graded,
    read_rejected,
    read_thin_years,
)

SEED = 20161
SOURCES = ("two", "one")
# Runs that a group of large kinds gets for itself, with two sources: as many as make some events of
# each. With one source nothing is asked of most, and one run shows them.
GROUPS = {
    "table_unit": 1,
    "dropped_block": 1,
    "column_shift": 2,
    "codes_shift": 4,
    "table_years": 2,
    "rate_tables": 3,
}


def measure(bench: Bench, landing: Landing, n_sources: str, n_runs: int) -> pd.DataFrame:
    """Every event of `n_runs` mixed runs, and of the runs that large kinds have for themselves, in
    a clean landing with two sources of each indicator, or with one.
    """
    setting = SETTINGS[landing.name]
    raw = restrict(landing.raw, setting, n_sources)
    keys = cell_keys(raw)
    clean = read_graded(bench.build("clean", raw, landing.input_file))
    targets = build_targets(setting, n_sources, clean, keys, raw)
    cities = load_roster()
    plans = [""] * n_runs
    for group, n in GROUPS.items():
        plans += [group] * (n if n_sources == "two" else 1)
    scored = []
    for number, group in enumerate(plans):
        rng = np.random.default_rng([SEED, number, len(landing.name), len(n_sources)])
        events = plan_events(targets, cities, rng, group=group)
        started = time.monotonic()
        build = bench.build("injected", inject(raw, events), landing.input_file)
        graded, rejected = read_graded(build, objected_only=True), read_rejected(build)
        scored.append(
            score_run(events, keys, clean, graded, rejected, read_thin_years(build)).assign(
                run=number
            )
        )
        print(
            f"# {landing.name}, {n_sources}: run {number + 1} of {len(plans)}, {len(events)} "
            f"events, {time.monotonic() - started:.0f} s",
            flush=True,
        )
    return pd.concat(scored, ignore_index=True).assign(landing=landing.name, sources=n_sources)


def main() -> int:
    """Run the benchmark; the exit code is 0 whatever the figures are: they are reported, not
    compared with a goal here.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=10, help="mixed runs for each landing and number of sources"
    )
    parser.add_argument(
        "--landing",
        type=Path,
        help="folder of delivered files, measured beside the simulated landing",
    )
    parser.add_argument("--docs", type=Path, help="document to write the tables into")
    parser.add_argument("--events", type=Path, help="write every event as CSV")
    chosen = parser.parse_args()
    names = ["simulated"]
    if chosen.landing:
        names.append("real")
    found, shares, harmed = [], {}, None
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch))
        for name in names:
            landing = read_clean_landing(bench, name, chosen.landing)
            shares[name] = landing.shares
            if name == "real":
                raw, files = read_raw("real", chosen.landing, bench.home.root)
                harmed = harm.measure(bench, raw, files)
            for n_sources in SOURCES:
                found.append(measure(bench, landing, n_sources, chosen.runs))
    events = pd.concat(found, ignore_index=True)
    summary = summarise(events)
    for row in summary.to_dict("records"):
        print(
            json.dumps({key: None if pd.isna(value) else value for key, value in row.items()}),
            flush=True,
        )
    for name, stages in shares.items():
        for stage, numbers in stages.items():
            print(json.dumps({"clean": name, "stage": stage, **numbers}), flush=True)
    if chosen.events:
        events.to_csv(chosen.events, index=False)
    if chosen.docs:
        write_document(chosen.docs, summary, shares, chosen.runs)
        if harmed is not None:
            write_between(chosen.docs, "harm", harm.sentences(harmed))
            write_csv(chosen.docs.with_name("quality-harm.csv"), harm.table(harmed))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
