"""Economies without effect whose admissions are selected: how often each printed quantity rejects,
and how often each warning is given.

The designs are those of `benchmarks.primary_test`, beside three settings of this study that are
some warning's null or alternative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.primary_test import designs, race
from benchmarks.primary_test.designs import Panel
from benchmarks.simulation_study import grid
from benchmarks.simulation_study.all_pairs import rows_of, sample_of
from benchmarks.simulation_study.economies import draw_economy
from estimation.inference.diagnostics.pilot_level import level_of_means
from estimation.inference.diagnostics.warnings import LEVEL, MAX_ERROR_RATIO
from estimation.measures.synchronization import standardise

DRAWS, PERMUTATIONS = 400, 199
PARTS = ("cm", "comove", "dispersion")
# settings of the simulation study that are the null or the alternative of a warning
SETTINGS, N_CITIES = ("province", "loadings"), 254
# pseudo-admissions at random, of which one layout is enough as a null here, and other blocks;
# docs/evidence/primary-test.md has the others
WITHOUT_SELECTION = (
    "anywhere 2010-2019",
    "layout 2010-2021",
    "layout 2010-2023",
    "layout 2010-2019, deflated",
    "layout 2010-2021, deflated",
    "coast, blocks of province and coast",
)
# of the fit over all pairs, those that depend on chance
WARNINGS = {
    "pilot_level": "pilots of another kind",
    "shared": "the city line is too narrow",
}


@cache
def designs_of(database: Path | None) -> dict[str, tuple[str, Callable[[int], Panel]]]:
    """Designs of the primary test without imposed effect, then settings of this study, by the name
    of their file; those on delivered growth where there is a published ``citysync.duckdb`` of it.
    """
    found = {}
    for cell in race.cells_of(database).values():
        falls = cell.design.startswith(race.DRIFTS[2])
        if not cell.imposed and not falls and cell.design not in WITHOUT_SELECTION:
            name = cell.name.replace(" ", "_").replace(",", "")
            found[name] = cell.name, partial(_of_cell, cell)
    for kind in grid.KINDS:
        if kind.name in SETTINGS:
            setting = replace(kind, n_cities=N_CITIES)
            label = f"{kind.label}, {N_CITIES} cities"
            found[f"{kind.name}_{N_CITIES}"] = label, partial(_of_setting, setting)
    return found


def _of_cell(cell: race.Cell, seed: int) -> Panel:
    return cell.draw(np.random.default_rng([seed, cell.number]))


def _of_setting(setting: grid.Setting, seed: int) -> Panel:
    economy = draw_economy(setting, seed)
    size = np.zeros(len(economy.cohort))
    return Panel(economy.growth, designs.YEARS, economy.cohort, economy.province, size)


def draw_chunk(database: Path | None, name: str, seeds: range) -> list[dict]:
    """One row a draw of a design."""
    _, draw = designs_of(database)[name]
    return [{"seed": seed, **judge(draw(seed), seed)} for seed in seeds]


def judge(panel: Panel, seed: int) -> dict[str, float | bool | None]:
    """Every p of one economy, and whether each warning is given.

    Returns
    -------
    dict
        p of the default line by part, ``permutation`` of `cm`, and ``warns <warning>``.
    """
    complete = np.isfinite(panel.growth).all(axis=1)
    growth, cohort = panel.growth[complete], panel.cohort[complete]
    block = np.unique(panel.block[complete], return_inverse=True)[1].reshape(-1)
    found = {}
    for part in PARTS:
        sample = sample_of(growth, panel.years, cohort, block, part)
        rows = rows_of(sample, seed, PERMUTATIONS)
        found[part] = next(row["p_value"] for row in rows if row["is_default"])
        if part == "cm":
            by_line = {row["vcov"]: row for row in rows}
            found["permutation"] = by_line["permutation"]["p_value"]
            wide, narrow = (by_line[line]["std_error"] for line in ("province_jackknife", "city"))
            found["warns shared"] = bool(wide and narrow and wide > MAX_ERROR_RATIO * narrow)
    level = level_of_means(
        never_pilot_means(standardise(growth), cohort == 0), panel.years, cohort, block
    )
    return found | {"warns pilot_level": level is not None and level.p_value < LEVEL}


def never_pilot_means(z: np.ndarray, never: np.ndarray) -> np.ndarray:
    """Mean `cm` of each city and year over its never-pilot partners, (N, T): what `pilot_level`
    takes of all pairs.
    """
    count = never.sum() - never[:, None]
    square = (z[never] ** 2).sum(axis=0) + never.sum() * z**2 - 2 * z * z[never].sum(axis=0)
    return 1 - square / (2 * count)
