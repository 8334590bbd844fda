"""Run the cells: one row per draw, line and coefficient, kept in a file as each cell ends, so that
a study can be taken up again.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.draws import in_processes, keep
from benchmarks.simulation_study import economies
from benchmarks.simulation_study.all_pairs import rows_of, sample_of
from benchmarks.simulation_study.economies import (
    YEARS,
    Economy,
    draw_economy,
    pair_panel,
)
from benchmarks.simulation_study.grid import LINES, Cell
from benchmarks.simulation_study.truth import expected_effect, own_effect
from estimation.fit import fit_panel
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable


def run_cells(
    todo: list[Cell], folder: Path, *, processes: int = 1, say: Callable[[str], None] = print
) -> None:
    """Run what is not there yet.

    Parameters
    ----------
    todo : list of Cell
    folder : Path
        One CSV a cell and beside it the settings it was made with; a cell made with the same ones
        is not run again.
    processes : int
    say : callable
        Gets a line a cell.
    """
    for number, cell in enumerate(todo, start=1):
        line = f"cell {number} of {len(todo)}: {cell.name}, {cell.n_draws} draws"
        keep(
            folder / f"{cell.name}.csv",
            fingerprint(cell),
            partial(draw_cell, cell, processes),
            partial(say, line),
        )


def fingerprint(cell: Cell) -> str:
    """What a cell's rows depend on besides the estimators: its settings and the code that draws
    economies.
    """
    code = hashlib.sha256(inspect.getsource(economies).encode()).hexdigest()
    return json.dumps({"cell": repr(cell), "economies": code}, sort_keys=True)


def draw_cell(cell: Cell, processes: int = 1) -> pd.DataFrame:
    """All draws of a cell, in their order whatever the number of processes.

    Returns
    -------
    DataFrame
        seed, term, event_time, vcov, is_default, estimate, std_error, ci_low, ci_high, p_value,
        n_provinces, truth (`own_effect`), expected (`expected_effect`).
    """
    return in_processes(partial(_draw_chunk, cell), range(cell.n_draws), processes)


def _draw_chunk(cell: Cell, seeds: range) -> list[dict]:
    return [
        row for seed in seeds for row in draw_rows(cell, draw_economy(cell.setting, seed), seed)
    ]


def draw_rows(cell: Cell, economy: Economy, seed: int) -> list[dict]:
    """Every line of every coefficient on one economy, with the estimator's overall effect in that
    sample and the expected one.
    """
    truths = {"truth": 0.0, "expected": 0.0}
    if cell.setting.convergence:
        truths = {
            "truth": own_effect(economy, cell.estimator),
            "expected": expected_effect(cell.setting, seed, cell.estimator),
        }
    if cell.estimator == "twfe":
        rows = closed_form_rows(economy, seed, cell.permutations)
    else:
        panel = pair_panel([economy.growth], economy.province, economy.cohort)
        rows = fit_rows(panel, cell.estimator, LINES, 0, seed)
    return [row | truths for row in rows]


def closed_form_rows(economy: Economy, seed: int, permutations: int) -> list[dict]:
    """Every line of the two-way fit of `cm` over all pairs: the same numbers, at the cost of
    cities.
    """
    sample = sample_of(economy.growth, YEARS, economy.cohort, economy.province)
    return rows_of(sample, seed, permutations)


def fit_rows(
    panel: PairPanel, estimator: str, lines: tuple[str, ...], permutations: int, seed: int
) -> list[dict]:
    """Rows of one fit; none where the sample identifies nothing."""
    try:
        fit = fit_panel(
            panel, estimator=estimator, vcov=lines, permutations=permutations, seed=seed
        )
    except NotEstimable:
        return []
    names = (
        "term",
        "event_time",
        "vcov",
        "is_default",
        "estimate",
        "std_error",
        "ci_low",
        "ci_high",
        "p_value",
    )
    rows = [
        {"seed": seed, **{name: getattr(e, name) for name in names}}
        for e in fit.estimates
        if e.term != "group_time"
    ]
    n_provinces = next(
        value for name, _, value in fit.diagnostics if name == "jackknife_n_provinces"
    )
    rows = [row | {"n_provinces": n_provinces} for row in rows]
    leads = [value for name, _, value in fit.diagnostics if name == "joint_leads_p"]
    if leads:
        rows.append(
            {"seed": seed, "term": "leads", "vcov": "province_jackknife", "p_value": leads[0]}
        )
    return rows


def placebo_rows(
    growth: np.ndarray,
    province: np.ndarray,
    draw: Callable[[np.random.Generator], np.ndarray],
    n_draws: int,
    permutations: int,
) -> pd.DataFrame:
    """Two-way fits on one real panel under pseudo-admissions; their effect is zero.

    Parameters
    ----------
    growth : (N, T) float array
    province : (N,) int array
    draw : callable
        From a generator to first treated years (N,).
    n_draws, permutations : int
    """
    rows = []
    for seed in range(n_draws):
        cohort = draw(np.random.default_rng([seed, 7]))
        rows += closed_form_rows(Economy(growth, growth, province, cohort), seed, permutations)
    return pd.DataFrame(rows)
