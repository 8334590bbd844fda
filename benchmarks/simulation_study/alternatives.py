"""What was tried instead of the default's degrees of freedom, and coverage of the expected effect: figures that docs/methods.md quotes.

`python -m benchmarks.simulation_study.alternatives` prints one JSON object a cell; two-way fits of `cm` over all pairs alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import stdtrit

from benchmarks.simulation_study.economies import YEARS, Economy, Setting, draw_economy, standardise
from benchmarks.simulation_study.grid import KINDS, SIZES
from estimation.methods.pair_algebra import CityPanel, PairFit, fit_all_pairs

RULES = ("provinces - 1", "provinces with pilots - 1", "Satterthwaite by design", "effective number of provinces")
CHUNK = 25


def city_weights(cohort: np.ndarray) -> np.ndarray:
    """Two-way demeaned treatment, added up over each city's pairs (pairs of two pilots are no part of the sample); shape (N, T)."""
    years = np.unique(cohort[cohort > 0])
    n_never, n_admitted = (cohort == 0).sum(), np.array([(cohort == year).sum() for year in years])
    n_pairs = np.array([n_never * (n_never - 1) / 2, *(n_never * n_admitted)])
    treated = np.vstack([np.zeros(len(YEARS)), *(year <= YEARS for year in years)]).astype(np.float64)
    by_year = n_pairs @ treated / n_pairs.sum()
    weights = treated - treated.mean(axis=1, keepdims=True) - by_year + by_year.mean()
    found = np.tile(n_admitted @ weights[1:] + (n_never - 1) * weights[0], (len(cohort), 1))
    for year, weight in zip(years, weights[1:], strict=True):
        found[cohort == year] = n_never * weight
    return found


def design_df(cohort: np.ndarray, province: np.ndarray) -> float:
    """(sum v_r)^2 / sum v_r^2, v_r the squares of the city weights added up over a province (Satterthwaite 1946, independent shocks)."""
    variance = np.bincount(np.unique(province, return_inverse=True)[1], (city_weights(cohort) ** 2).sum(axis=1))
    return float(variance.sum() ** 2 / (variance**2).sum())


def draw_errors(setting: Setting, n_redraws: int, seeds: range) -> np.ndarray:
    """Per seed: estimate, its sample's own truth, the expected truth (NaN without redraws), jackknife variance, then a df for each rule."""
    rows = []
    for seed in seeds:
        economy = draw_economy(setting, seed)
        fit = _fit(economy, economy.growth, refits=True)
        expected = [_truth(draw_economy(setting, seed, redraw)) for redraw in range(1, n_redraws + 1)]
        shares = fit.provinces.shares(fit.estimate)[:, 0]
        dfs = (
            len(shares) - 1,
            len(np.unique(economy.province[economy.cohort > 0])) - 1,
            design_df(economy.cohort, economy.province),
            1 / (shares**2).sum(),
        )
        truths = (_truth(economy), np.mean(expected) if expected else np.nan)
        rows.append((fit.estimate[0], *truths, fit.provinces.variance(fit.estimate)[0], *dfs))
    return np.array(rows)


def _fit(economy: Economy, growth: np.ndarray, *, refits: bool = False) -> PairFit:
    return fit_all_pairs(CityPanel(standardise(growth), YEARS, economy.cohort, economy.province), refits=refits)


def _truth(economy: Economy) -> float:
    return float(_fit(economy, economy.growth).estimate[0] - _fit(economy, economy.growth_without).estimate[0])


def missed(errors: np.ndarray, variance: np.ndarray, df: np.ndarray) -> float:
    """Per cent of 95 % intervals that do not hold the truth; one without degrees of freedom holds everything."""
    return round(float(100 * ((np.abs(errors) > stdtrit(np.maximum(df, 1e-9), 0.975) * np.sqrt(variance)) & (df > 0)).mean()), 1)


def study(n_draws: int, n_redraws: int, processes: int) -> Iterator[dict]:
    """One line a cell: per cent of intervals that miss the truth under each rule; with an effect also the expected and the mean truth."""
    with ProcessPoolExecutor(processes) as pool:
        for n_cities in SIZES:
            for setting in (replace(kind, n_cities=n_cities) for kind in KINDS):
                chunks = [range(start, min(start + CHUNK, n_draws)) for start in range(0, n_draws, CHUNK)]
                run = partial(draw_errors, setting, n_redraws if setting.convergence else 0)
                estimate, own, expected, variance, *dfs = np.concatenate(list(pool.map(run, chunks))).T
                truths = {"own": own} | ({"expected": expected, "mean": own.mean()} if setting.convergence and n_redraws else {})
                for name, truth in truths.items():
                    yield {
                        "economies": setting.name,
                        "n_cities": n_cities,
                        "draws": n_draws,
                        "truth": name,
                        "missed": {rule: missed(estimate - truth, variance, df) for rule, df in zip(RULES, dfs, strict=True)},
                        "median_df": {rule: round(float(np.median(df)), 1) for rule, df in zip(RULES, dfs, strict=True)},
                    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation_study.alternatives", description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--redraws", type=int, default=30, help="of local shocks for the expected effect")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    for line in study(chosen.draws, chosen.redraws, chosen.processes):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
