"""Pseudo-pilots on the real panel, whose effect is zero: at random, like the real list, as whole
provinces and as two of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.primary_test.designs import Panel
from benchmarks.primary_test.layout import read_delivered
from benchmarks.primary_test.race import STUDY, deal_like_the_list
from benchmarks.simulation_study.economies import Economy
from benchmarks.simulation_study.grid import PERMUTATIONS
from benchmarks.simulation_study.run import closed_form_rows

DRAWS = 2000
# cities of a province that can be one of two
LARGE = 5


def draw_chunk(database: Path, layout: str, seeds: range) -> list[dict]:
    """Two-way fits on growth of the study window under pseudo-admissions, one row per draw and
    line; their effect is zero.
    """
    panel = read_delivered(database, *STUDY)
    rows = []
    for seed in seeds:
        cohort = LAYOUTS[layout][1](panel, np.random.default_rng([seed, 7]))
        economy = Economy(panel.growth, panel.growth, panel.block, cohort)
        rows += closed_form_rows(economy, seed, PERMUTATIONS)
    return rows


def _whole_provinces(panel: Panel, rng: np.random.Generator) -> np.ndarray:
    """About as many pilots as there are."""
    years = np.sort(panel.cohort[panel.cohort > 0])
    drawn, left = np.zeros_like(panel.cohort), len(years)
    for block in rng.permutation(np.unique(panel.block)):
        if left <= 0:
            break
        drawn[panel.block == block] = rng.choice(years)
        left -= (panel.block == block).sum()
    return drawn


def _two_provinces(panel: Panel, rng: np.random.Generator) -> np.ndarray:
    """As many pilots as two provinces have cities."""
    blocks, size = np.unique(panel.block, return_counts=True)
    drawn = np.zeros_like(panel.cohort)
    for block in rng.choice(blocks[size >= LARGE], 2, replace=False):
        drawn[panel.block == block] = rng.choice(panel.cohort[panel.cohort > 0])
    return drawn


# name of the file, row of the table, pseudo-admissions (N,) with the real numbers of each year
LAYOUTS = {
    "at_random": ("anywhere", lambda panel, rng: rng.permutation(panel.cohort)),
    "like_the_real_list": (
        "as many in each province as really were",
        lambda panel, rng: deal_like_the_list(panel.cohort, panel.block, rng),
    ),
    "whole_provinces": ("whole provinces", _whole_provinces),
    "two_provinces": ("two whole provinces", _two_provinces),
}
