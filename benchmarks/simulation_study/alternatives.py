"""What else was tried for the default's degrees of freedom: figures that
docs/evidence/simulation-study.md quotes.

`python -m benchmarks.simulation_study.alternatives` prints one JSON object a cell, with a
publication of delivered files in CITYSYNC_HOME also one a layout of pseudo-pilots; two-way fits of
`cm` over all pairs alone.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from benchmarks.simulation_study.all_pairs import city_weights, fit_of, sample_of
from benchmarks.simulation_study.economies import YEARS, Economy, Setting, draw_economy
from benchmarks.simulation_study.grid import KINDS, SIZES
from benchmarks.simulation_study.placebo import LAYOUTS, assigner, read_growth
from estimation.influence.influence_fit import InfluenceFit

RULES = (
    "by design",
    "provinces - 1",
    "provinces with pilots - 1",
    "Satterthwaite",
    "effective number of provinces",
)
CHUNK = 25


def satterthwaite_df(cohort: np.ndarray, province: np.ndarray) -> float:
    """(sum v_r)^2 / sum v_r^2, v_r the squares of the city weights added up over a province
    (Satterthwaite 1946, independent shocks).
    """
    n = len(cohort)
    # the weights depend on the design alone
    sample = sample_of(np.tile(np.arange(len(YEARS)) % 2.0, (n, 1)), YEARS, cohort, province)
    by_city = (city_weights(sample) ** 2).sum(axis=1)
    variance = np.bincount(np.unique(province, return_inverse=True)[1], by_city)
    return float(variance.sum() ** 2 / (variance**2).sum())


def errors_of(economy: Economy) -> tuple[float, ...]:
    """Estimate less the effect in the sample, jackknife variance, then degrees of freedom by each
    rule.
    """
    fit, without = _fit(economy, economy.growth), _fit(economy, economy.growth_without)
    shares = fit.provinces.shares(fit.estimate)[:, 0]
    dfs = (
        fit.provinces.df[0],
        len(shares) - 1,
        len(np.unique(economy.province[economy.cohort > 0])) - 1,
        satterthwaite_df(economy.cohort, economy.province),
        1 / (shares**2).sum(),
    )
    return (without.estimate[0], fit.provinces.variance(fit.estimate)[0], *dfs)


def _draw_errors(setting: Setting, seeds: range) -> list[tuple[float, ...]]:
    return [errors_of(draw_economy(setting, seed)) for seed in seeds]


def _placebo_errors(
    growth: np.ndarray, province: np.ndarray, cohort: np.ndarray, layout: str, seeds: range
) -> list[tuple[float, ...]]:
    draw = assigner(layout, province, cohort)
    return [
        errors_of(Economy(growth, growth, province, draw(np.random.default_rng([seed, 7]))))
        for seed in seeds
    ]


def _fit(economy: Economy, growth: np.ndarray) -> InfluenceFit:
    return fit_of(sample_of(growth, YEARS, economy.cohort, economy.province))


def missed(errors: np.ndarray, variance: np.ndarray, df: np.ndarray) -> float:
    """Per cent of 95 % intervals that do not hold the truth; one without degrees of freedom holds
    everything.
    """
    return round(
        float(
            100
            * (
                (np.abs(errors) > stdtrit(np.maximum(df, 1e-9), 0.975) * np.sqrt(variance))
                & (df > 0)
            ).mean()
        ),
        1,
    )


def study(n_draws: int, processes: int, database: Path | None = None) -> Iterator[dict]:
    """One line per cell: per cent of intervals that miss the sample's own effect under each rule,
    and the rules' degrees of freedom.
    """
    runs = [
        (setting.name, n_cities, partial(_draw_errors, setting))
        for n_cities in SIZES
        for setting in (replace(kind, n_cities=n_cities) for kind in KINDS)
    ]
    if database is not None:
        panel = read_growth(database)
        runs += [
            (f"real panel, {where}", len(panel[0]), partial(_placebo_errors, *panel, layout))
            for layout, where in LAYOUTS.items()
        ]
    chunks = [range(start, min(start + CHUNK, n_draws)) for start in range(0, n_draws, CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        for name, n_cities, run in runs:
            errors, variance, *dfs = np.concatenate(list(pool.map(run, chunks))).T
            yield {
                "economies": name,
                "n_cities": n_cities,
                "draws": n_draws,
                "missed": {
                    rule: missed(errors, variance, df) for rule, df in zip(RULES, dfs, strict=True)
                },
                "median_df": {
                    rule: round(float(np.median(df)), 1)
                    for rule, df in zip(RULES, dfs, strict=True)
                },
            }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation_study.alternatives", description=__doc__
    )
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    database = Path(os.environ.get("CITYSYNC_HOME", "data")) / "published" / "citysync.duckdb"
    for line in study(chosen.draws, chosen.processes, database if database.exists() else None):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
