"""The draws of a cell: one row per draw, line and coefficient."""

from __future__ import annotations

from benchmarks.simulation_study.all_pairs import rows_of, rows_of_fit, sample_of
from benchmarks.simulation_study.economies import (
    YEARS,
    Economy,
    draw_economy,
    pair_panel,
)
from benchmarks.simulation_study.grid import LINES, Cell
from benchmarks.simulation_study.truth import own_effect
from estimation.fit import fit_panel
from estimation.panel.pair_panel import PairPanel
from estimation.results import NotEstimable


def draw_chunk(cell: Cell, seeds: range) -> list[dict]:
    """Rows of some draws of a cell: seed, term, event_time, vcov, is_default, estimate, std_error,
    ci_low, ci_high, p_value, n_provinces, truth (`own_effect`).
    """
    return [
        row for seed in seeds for row in draw_rows(cell, draw_economy(cell.setting, seed), seed)
    ]


def draw_rows(cell: Cell, economy: Economy, seed: int) -> list[dict]:
    """Every line of every coefficient on one economy, with the estimator's overall effect in that
    sample.
    """
    truth = own_effect(economy, cell.estimator) if cell.setting.convergence else 0.0
    if cell.estimator == "twfe":
        rows = closed_form_rows(economy, seed, cell.permutations)
    else:
        panel = pair_panel([economy.growth], economy.province, economy.cohort)
        rows = fit_rows(panel, cell.estimator, LINES, 0, seed)
    return [row | {"truth": truth} for row in rows]


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
    return rows_of_fit(fit, seed)
