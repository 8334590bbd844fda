"""A whole refresh against its floor: merely loading the files, and one closed-form fit for each
spec.

A refresh of the default simulated landing runs as a person would start it, in a new home with the
loops compiled. The floor is measured after it on the same machine: the files of both landings by
the bare readers (python-calamine, the CSV reader), and for each spec the two-way coefficient of all
pairs in closed form.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from python_calamine import CalamineWorkbook

from benchmarks.measure import seconds_of
from estimation.analyses.catalog import all_specs
from estimation.analyses.specification_curve import SPECS as CURVE
from estimation.engines.all_pairs import sum_all_pairs
from estimation.engines.interface import Units
from estimation.engines.regressors import twfe_design
from estimation.estimators.two_way import fit_least_squares
from estimation.sample.marts import read_marts
from estimation.study.windows import city_window

REPO = Path(__file__).resolve().parent.parent


def bench_whole_refresh(home: Path) -> dict[str, Any]:
    """Seconds of a refresh in a new home, of the parts of its floor, and their ratio.

    Parameters
    ----------
    home : Path
        A folder that does not exist yet.
    """
    env = {
        **os.environ,
        "CITYSYNC_HOME": str(home),
        "NUMBA_CACHE_DIR": str(home / "cache" / "numba"),
        "FORCE": "1",
    }
    _start(env, "estimation", "compile")
    before = _of_children()
    seconds = seconds_of(lambda: _start(env, "orchestration", "refresh"))
    processor = _of_children() - before
    files = sorted(
        path for path in (home / "simulated").rglob("*") if path.suffix in (".xlsx", ".csv")
    )
    with duckdb.connect(str(home / "build" / "citysync.duckdb"), read_only=True) as con:
        marts = read_marts(con, all_specs())
    floor = {
        "loading": seconds_of(lambda: sum(load_barely(path) for path in files)),
        "fits": closed_form_fits(marts),
    }
    total = sum(floor.values())
    return {
        "name": "whole_refresh",
        "n_cities": len(marts.cities),
        "rows": len(marts.synchronization),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(processor, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1),
        "floor_seconds": {name: round(part, 2) for name, part in floor.items()},
        "ratio_to_floor": round(seconds / total, 2),
    }


def _of_children() -> float:
    """Processor seconds of the processes that this one started and that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def load_barely(path: Path) -> int:
    """Cells of a file as its bare reader loads them: every sheet, no meaning given to any cell."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return sum(map(len, csv.reader(file)))
    workbook = CalamineWorkbook.from_path(str(path))
    return sum(
        len(row)
        for name in workbook.sheet_names
        for row in workbook.get_sheet_by_name(name).to_python()
    )


def _start(env: dict[str, str], *words: str) -> None:
    """Run a command of our own."""
    command = [sys.executable, "-m", *words]
    subprocess.run(command, cwd=REPO, env=env, check=True, stdout=subprocess.DEVNULL)


def closed_form_fits(marts: Any) -> float:
    """Seconds of one two-way fit over all pairs of the headline's cities for each spec of the
    study.
    """
    (spec,) = [
        spec for spec in all_specs() if spec.spec_id == "baseline.cm_growth_official.headline"
    ]
    cities = city_window(marts, replace(spec, window=marts.study_window))
    units = Units(np.arange(len(cities.growth)), cities.years, cities.cohort, cities.block)

    def fit_all() -> None:
        for _ in range(len(all_specs()) + len(CURVE)):
            sample = sum_all_pairs(cities.growth, "cm", units)
            design = twfe_design(sample.group_years, sample.panel.years)
            fit_least_squares(sample, sample.statistics, design, ())

    return seconds_of(fit_all)
