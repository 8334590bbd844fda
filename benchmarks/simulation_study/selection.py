"""Economies without effect whose admissions are selected: how often each printed quantity rejects,
and how often each warning is given.

The designs are those of `benchmarks.primary_test`, beside three settings of this study that are
some warning's null or alternative.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.draws import in_processes, keep
from benchmarks.primary_test import designs, race
from benchmarks.primary_test.designs import Panel
from benchmarks.simulation_study import grid
from benchmarks.simulation_study.all_pairs import fit_of, rows_of, sample_of
from benchmarks.simulation_study.economies import draw_economy
from estimation.engines.interface import SummedSample
from estimation.inference.diagnostics.coefficients import most_influential
from estimation.inference.diagnostics.pilot_level import level_of_means
from estimation.inference.diagnostics.warnings import FEW_DEGREES, LEVEL, MAX_ERROR_RATIO
from estimation.inference.intervals import infer
from estimation.measures.synchronization import standardise

PARTS = ("cm", "comove", "dispersion")
# settings of the simulation study that are the null or the alternative of a warning: name, cities
SETTINGS = (("independent", 254), ("province", 254), ("loadings", 254), ("few_pilots", 254))
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
# of the fit over all pairs
WARNINGS = {
    "pilot_level": "pilots of another kind",
    "shared": "the city line is too narrow",
    "province": "one province moves b by an error",
    "city": "one city moves b by an error",
    "degrees": "few degrees of freedom",
    "dyadic": "dyadic variance not positive",
}


@dataclass(frozen=True)
class Design:
    """A design of selection.

    Attributes
    ----------
    name : str
        File name of its results.
    label : str
        Row of the table.
    draw : callable
        From a seed to a panel without effect.
    """

    name: str
    label: str
    draw: Callable[[int], Panel]


def selected(database: Path | None) -> Iterator[Design]:
    """Designs of the primary test without imposed effect, then settings of this study."""
    for cell in race.cells(database):
        falls = cell.design.startswith(race.DRIFTS[2])
        if not cell.imposed and not falls and cell.design not in WITHOUT_SELECTION:
            yield Design(
                cell.name.replace(" ", "_").replace(",", ""), cell.name, partial(_from_cell, cell)
            )
    for kind in grid.KINDS:
        for name, n_cities in SETTINGS:
            if kind.name == name:
                setting = replace(kind, n_cities=n_cities)
                yield Design(
                    f"{name}_{n_cities}",
                    f"{kind.label}, {n_cities} cities",
                    partial(_from_setting, setting),
                )


def _from_cell(cell: race.Cell, seed: int) -> Panel:
    return cell.draw(np.random.default_rng([seed, cell.number]))


def _from_setting(setting, seed: int) -> Panel:
    economy = draw_economy(setting, seed)
    return Panel(
        economy.growth,
        designs.YEARS,
        economy.cohort,
        economy.province,
        np.zeros(len(economy.cohort)),
    )


@cache
def _by_name(database: Path | None) -> dict[str, Design]:
    return {design.name: design for design in selected(database)}


def run_selection(
    database: Path | None,
    folder: Path,
    *,
    n_draws: int,
    permutations: int,
    processes: int = 1,
    say: Callable[[str], None] = print,
) -> None:
    """One CSV a design, one row a draw; a design made with the same numbers, code and panel is not
    run again.

    Parameters
    ----------
    database : Path or None
        A published ``citysync.duckdb`` made from delivered files; None leaves its designs out.
    folder : Path
    n_draws, permutations, processes : int
    say : callable
        Gets a line a design.
    """
    code = inspect.getsource(designs) + inspect.getsource(race)
    made_with = f"{n_draws} {permutations} {hashlib.sha256(code.encode()).hexdigest()}"

    def draw(position: int, design: Design) -> pd.DataFrame:
        chunk = partial(_draw_chunk, database, design.name, permutations)
        drawn = in_processes(chunk, range(n_draws), processes)
        return drawn.assign(design=design.label, position=position)

    for position, design in enumerate(_by_name(database).values()):
        keep(
            folder / f"selection_{design.name}.csv",
            made_with,
            partial(draw, position, design),
            partial(say, f"selection, {design.label}: {n_draws} draws"),
        )


def _draw_chunk(database: Path | None, name: str, permutations: int, seeds: range) -> list[dict]:
    design = _by_name(database)[name]
    return [{"seed": seed, **judge(design.draw(seed), seed, permutations)} for seed in seeds]


def judge(panel: Panel, seed: int, permutations: int) -> dict[str, float | bool | None]:
    """Every p of one economy, and whether each warning is given.

    Returns
    -------
    dict
        ``<part> default`` and ``<part> permutation`` (None for a default that is the permutation
        itself), and ``warns <warning>``.
    """
    complete = np.isfinite(panel.growth).all(axis=1)
    growth, cohort = panel.growth[complete], panel.cohort[complete]
    block = np.unique(panel.block[complete], return_inverse=True)[1].reshape(-1)
    found = {}
    for part in PARTS:
        sample = sample_of(growth, panel.years, cohort, block, part)
        rows = rows_of(sample, seed, permutations)
        default = next(row for row in rows if row["is_default"])
        found[f"{part} default"] = None if default["vcov"] == "permutation" else default["p_value"]
        found[f"{part} permutation"] = next(
            row["p_value"] for row in rows if row["vcov"] == "permutation"
        )
        if part == "cm":
            found |= _warnings_of_fit(sample, default)
    level = level_of_means(
        never_pilot_means(standardise(growth), cohort == 0), panel.years, cohort, block
    )
    return found | {"warns pilot_level": level is not None and level.p_value < LEVEL}


def _warnings_of_fit(sample: SummedSample, default: dict) -> dict[str, bool]:
    """The warnings of a two-way fit whose firing is a matter of chance
    (`estimation.inference.diagnostics.warnings`).
    """
    fit = fit_of(sample)
    error, variance = default["std_error"], infer(sample, fit, None).variances
    moved = {}
    for name, refits in (("province", fit.provinces), ("city", fit.cities)):
        worst = most_influential(refits, fit.estimate, 0)
        moved[f"warns {name}"] = bool(
            error is not None and worst and abs(worst.estimate_without - fit.estimate[0]) > error
        )
    return {
        "warns shared": bool(
            variance["province_jackknife"][0] > MAX_ERROR_RATIO**2 * variance["city"][0]
        ),
        **moved,
        "warns degrees": bool(
            default["vcov"] == "province_jackknife" and fit.provinces.df[0] < FEW_DEGREES
        ),
        "warns dyadic": bool(variance["dyadic"][0] <= 0),
    }


def never_pilot_means(z: np.ndarray, never: np.ndarray) -> np.ndarray:
    """Mean `cm` of each city and year over its never-pilot partners, (N, T): what `pilot_level`
    takes of all pairs.
    """
    count = never.sum() - never[:, None]
    square = (z[never] ** 2).sum(axis=0) + never.sum() * z**2 - 2 * z * z[never].sum(axis=0)
    return 1 - square / (2 * count)
