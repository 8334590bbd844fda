"""Measure how often `cs.primary` rejects on panels with gaps where treatment does nothing; print a
line a design (docs/evidence/primary-test.md).

    python -m benchmarks.primary_gaps --samples 1000
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import citysync as cs
import numpy as np
import pandas as pd

N_BLOCKS, OF_BLOCK, N_YEARS = 16, 8, 10
# of a shock that is left a year later
PERSISTENCE = 0.5
PERMUTATIONS = 199
LEVEL = 0.05


def persistent(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return shocks (n, N_YEARS) of variance one, each year's in part that of the year before."""
    shocks = rng.standard_normal((n, N_YEARS))
    for year in range(1, N_YEARS):
        new = shocks[:, year] * np.sqrt(1 - PERSISTENCE**2)
        shocks[:, year] = PERSISTENCE * shocks[:, year - 1] + new
    return shocks


def sample(rng: np.random.Generator) -> pd.DataFrame:
    """Return a panel of units that follow one common shock, each with a loading of its own, shocks
    of their block and their own. In every block three of eight units are treated, from the fifth to
    the ninth year on.
    """
    n = N_BLOCKS * OF_BLOCK
    block = np.repeat(np.arange(N_BLOCKS), OF_BLOCK)
    loading = rng.uniform(0.5, 1.5, n)
    common = loading[:, None] * persistent(rng, 1)
    growth = common + persistent(rng, N_BLOCKS)[block] + persistent(rng, n)
    start = np.full(n, np.nan)
    for one in range(N_BLOCKS):
        treated = one * OF_BLOCK + rng.choice(OF_BLOCK, 3, replace=False)
        start[treated] = rng.integers(5, 10, 3)
    unit, year = np.indices(growth.shape).reshape(2, -1)
    columns = {"unit": unit, "year": year + 1, "growth": growth.ravel()}
    return pd.DataFrame(columns | {"start": start[unit], "block": block[unit]})


def at_random(share: float) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that marks a share of cells as missing, each apart from the others."""
    return lambda rng: rng.random((N_BLOCKS * OF_BLOCK, N_YEARS)) < share


def in_spells(share: float) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that marks two years in a row of some units as missing, in all a share of
    the cells.
    """

    def mark(rng: np.random.Generator) -> np.ndarray:
        missing = np.zeros((N_BLOCKS * OF_BLOCK, N_YEARS), bool)
        for unit in np.flatnonzero(rng.random(len(missing)) < share * N_YEARS / 2):
            first = rng.integers(N_YEARS - 1)
            missing[unit, first : first + 2] = True
        return missing

    return mark


def of_blocks(share: float) -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that marks two years in a row of whole blocks as missing."""

    def mark(rng: np.random.Generator) -> np.ndarray:
        missing = np.zeros((N_BLOCKS, N_YEARS), bool)
        for block in np.flatnonzero(rng.random(N_BLOCKS) < share * N_YEARS / 2):
            first = rng.integers(N_YEARS - 1)
            missing[block, first : first + 2] = True
        return np.repeat(missing, OF_BLOCK, axis=0)

    return mark


DESIGNS = {
    "no gaps": at_random(0.0),
    "3 % at random": at_random(0.03),
    "10 % at random": at_random(0.10),
    "3 % in spells": in_spells(0.03),
    "10 % in spells": in_spells(0.10),
    "10 % of whole blocks": of_blocks(0.10),
}


def rejections(design: str, seed: int) -> tuple[bool, bool]:
    """Return whether the p of growth, and that of both series, is below the level in one sample."""
    rng = np.random.default_rng([list(DESIGNS).index(design), seed])
    panel = sample(rng)
    panel.loc[DESIGNS[design](rng).ravel(), "growth"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = cs.primary(
            panel,
            unit="unit",
            cohort="start",
            block="block",
            permutations=PERMUTATIONS,
            seed=seed,
        )
    return fit.result.p_value < LEVEL, fit.result.p_value_family < LEVEL


def main() -> None:
    """Print the rates of every design."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(";")[0])
    parser.add_argument("--samples", type=int, default=1000)
    n = parser.parse_args().samples
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for design in DESIGNS:
            found = np.array(list(pool.map(rejections, [design] * n, range(n), chunksize=10)))
            growth, both = 100 * found.mean(axis=0)
            print(f"{design}: growth {growth:.1f} %, both series {both:.1f} %", flush=True)


if __name__ == "__main__":
    main()
