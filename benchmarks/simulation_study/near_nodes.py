"""Dyads whose cities are near one another, where shocks reach 1,000 km: what lines made for such
dependence reject without an effect.

After Hounyo, Lin and Song (2026, arXiv 2605.28349): a jackknife that deletes blocks of neighbouring
nodes with every dyad touching them, and a variance that keeps the covariances of dyads with near
endpoints. Two-way fits of `cm` over all pairs in the design `coast` of
`benchmarks/primary_test/designs.py`, beside the lines that ship and the primary test.

`python -m benchmarks.simulation_study.near_nodes` prints one JSON object every 50 draws;
docs/evidence/simulation-study.md quotes it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

import numpy as np
from scipy.special import stdtr

from benchmarks.primary_test.designs import KM, Panel, draw_selected
from benchmarks.primary_test.layout import Cities, simulated_cities
from benchmarks.simulation_study.all_pairs import fit_of, sample_of
from benchmarks.simulation_study.economies import Economy
from benchmarks.simulation_study.run import closed_form_rows
from estimation.primary.fit import fit_primary
from estimation.results import NotEstimable

# Cities of a moving block along the order from north to south, and radii of blocks around a city.
LENGTHS, RADII_KM = (10, 20, 40), (300, 600)
# Every so many cities start a block, or are the middle of one.
STEP = 4
REACH_KM = 1000.0
PERMUTATIONS = 199
REPORT_EVERY = 50


def distances(cities: Cities) -> np.ndarray:
    """Great circles between cities in km; shape (N, N)."""
    lat, lon = np.radians(cities.lat), np.radians(cities.lon)
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return 2 * KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def moving_blocks(cities: Cities, length: int) -> list[np.ndarray]:
    """Members (N,) bool of the blocks of so many cities that follow one another from north to
    south.
    """
    order = np.argsort(-cities.lat, kind="stable")
    return [
        np.isin(np.arange(len(order)), order[start : start + length])
        for start in range(0, len(order) - length + 1, STEP)
    ]


def discs(cities: Cities, radius_km: float) -> list[np.ndarray]:
    """Members (N,) bool of the blocks of all cities within so many km of a city."""
    return [row <= radius_km for row in distances(cities)[::STEP]]


def block_jackknife(fit_without: Iterable[tuple[int, float]], estimate: float, n: int) -> float:
    """Variance from refits without blocks that overlap: mean of (N - l)^2 / (N l) times the squared
    deviation, l the size of a block.
    """
    return float(
        np.mean(
            [
                (n - size) ** 2 / (n * size) * (without - estimate) ** 2
                for size, without in fit_without
            ]
        )
    )


def near_variance(city_sums: np.ndarray, distance: np.ndarray) -> float:
    """Covariances of city sums, weighted by 1 - distance / 1,000 km (Bartlett)."""
    weight = np.maximum(1 - distance / REACH_KM, 0)
    return float(np.einsum("i,ij,j->", city_sums, weight, city_sums))


def _without(panel: Panel, blocks: list[np.ndarray]) -> list[tuple[int, float]]:
    found = []
    for block in blocks:
        rest = ~block
        try:
            fit = fit_of(sample_of(panel.growth[rest], panel.years, panel.cohort[rest]))
        except NotEstimable:
            continue
        found.append((int(block.sum()), float(fit.estimate[0])))
    return found


def p_values(panel: Panel, cities: Cities, seed: int) -> dict[str, float]:
    """p of every line on one economy."""
    rows = closed_form_rows(
        Economy(panel.growth, panel.growth, panel.block, panel.cohort), seed, PERMUTATIONS
    )
    found = {row["vcov"]: row["p_value"] for row in rows} | {
        "default": next(row["p_value"] for row in rows if row["is_default"])
    }
    found["primary test"] = fit_primary(
        panel.growth, panel.years, panel.cohort, panel.block, permutations=PERMUTATIONS, seed=seed
    ).p_value
    n = len(panel.cohort)
    fit = fit_of(sample_of(panel.growth, panel.years, panel.cohort))
    b, df = float(fit.estimate[0]), int(fit.n_pilots[0]) - 1
    variances = {
        f"near nodes, Bartlett to {REACH_KM:.0f} km": near_variance(
            fit.city_sums[:, 0], distances(cities)
        )
    }
    for length in LENGTHS:
        variances[f"block jackknife, {length} cities"] = block_jackknife(
            _without(panel, moving_blocks(cities, length)), b, n
        )
    for radius in RADII_KM:
        variances[f"block jackknife, {radius} km"] = block_jackknife(
            _without(panel, discs(cities, radius)), b, n
        )
    return found | {
        name: float(2 * stdtr(df, -abs(b) / np.sqrt(v))) if v > 0 else 1.0
        for name, v in variances.items()
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation_study.near_nodes", description=__doc__
    )
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--design", default="coast", help="of benchmarks/primary_test/designs.py")
    chosen = parser.parse_args()
    cities = simulated_cities()
    rows: list[dict[str, float]] = []
    for seed in range(chosen.draws):
        rows.append(
            p_values(
                draw_selected(chosen.design, cities, np.random.default_rng([seed, 53])),
                cities,
                seed,
            )
        )
        if len(rows) % REPORT_EVERY == 0 or len(rows) == chosen.draws:
            share = {
                line: round(100 * float(np.mean([row[line] < 0.05 for row in rows])), 1)
                for line in rows[0]
            }
            print(
                json.dumps({"design": chosen.design, "draws": len(rows), "rejects": share}),
                flush=True,
            )


if __name__ == "__main__":
    main()
