"""Pseudo-pilots on the real panel, whose effect is zero: at random, like the real list, as whole
provinces and as two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.draws import keep
from benchmarks.simulation_study.economies import YEARS
from benchmarks.simulation_study.run import placebo_rows

# One row per city and year of the window, for cities with unbroken official growth.
GROWTH = """
select city_id, province_id, coalesce(treated_year, 0) as treated_year, year, growth_official_pct
from marts.fct_city_year inner join marts.dim_city using (city_id)
where year between ? and ? and growth_official_pct is not null
qualify count(*) over (partition by city_id) = ? order by city_id, year
"""
# cities of a province that can be one of two
LARGE = 5
LAYOUTS = {
    "at_random": "anywhere",
    "like_the_real_list": "as many in each province as really were",
    "whole_provinces": "whole provinces",
    "two_provinces": "two whole provinces",
}


def run_placebos(
    database: Path,
    folder: Path,
    *,
    n_draws: int,
    permutations: int,
    say: Callable[[str], None] = print,
) -> None:
    """One CSV a layout; a layout made from the same database and numbers is not run again.

    Parameters
    ----------
    database : Path
        A published ``citysync.duckdb`` made from delivered files.
    folder : Path
    n_draws, permutations : int
        Layouts, and permutation draws on each.
    say : callable
    """
    growth, province, cohort = read_growth(database)
    made_with = f"{n_draws} {permutations} {pd.util.hash_array(growth.ravel()).sum()}"
    for layout, where in LAYOUTS.items():
        assign = assigner(layout, province, cohort)
        keep(
            folder / f"placebo_{layout}.csv",
            made_with,
            partial(placebo_rows, growth, province, assign, n_draws, permutations),
            partial(say, f"placebo pilots on the real panel, {where}: {n_draws} draws"),
        )


def read_growth(database: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Growth (N, T), province (N,) and the real first treated years (N,) of the cities without a
    gap.
    """
    with duckdb.connect(str(database), read_only=True) as con:
        frame = con.execute(GROWTH, [int(YEARS[0]), int(YEARS[-1]), len(YEARS)]).df()
    wide = frame.pivot(index="city_id", columns="year", values="growth_official_pct")
    cities = frame.drop_duplicates("city_id").set_index("city_id").loc[wide.index]
    cohort = np.where(cities["treated_year"] <= YEARS[-1], cities["treated_year"], 0).astype(
        np.int64
    )
    return wide.to_numpy(dtype=float), cities["province_id"].to_numpy(dtype=np.int64), cohort


def assigner(
    layout: str, province: np.ndarray, cohort: np.ndarray
) -> Callable[[np.random.Generator], np.ndarray]:
    """A function from a generator to pseudo-admissions (N,), with the real numbers of each year.

    Whole provinces: about as many in all; two provinces: as many as they have.
    """
    years = np.sort(cohort[cohort > 0])

    def at_random(rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(cohort)

    def like_the_real_list(rng: np.random.Generator) -> np.ndarray:
        drawn = cohort.copy()
        for code in np.unique(province):
            inside = np.flatnonzero(province == code)
            drawn[inside] = cohort[rng.permutation(inside)]
        return drawn

    def whole_provinces(rng: np.random.Generator) -> np.ndarray:
        drawn, left = np.zeros_like(cohort), len(years)
        for code in rng.permutation(np.unique(province)):
            if left <= 0:
                break
            inside = np.flatnonzero(province == code)
            drawn[inside] = rng.choice(years)
            left -= len(inside)
        return drawn

    def two_provinces(rng: np.random.Generator) -> np.ndarray:
        names, size = np.unique(province, return_counts=True)
        drawn = np.zeros_like(cohort)
        for code in rng.choice(names[size >= LARGE], 2, replace=False):
            drawn[province == code] = rng.choice(years)
        return drawn

    return {
        draw.__name__: draw
        for draw in (at_random, like_the_real_list, whole_provinces, two_provinces)
    }[layout]
