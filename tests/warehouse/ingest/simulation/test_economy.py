"""A simulated economy: moments of growth near the measured ones, the planted effect, and what it touches."""

from __future__ import annotations

import numpy as np
import pytest

from tests.warehouse.ingest.simulation.simulated import YEARS, simulate
from warehouse.ingest.simulation.economy import simulate_economies
from warehouse.ingest.simulation.landing import first_treated_years

WINDOW = (YEARS >= 2010) & (YEARS <= 2019)


def standardised(growth: np.ndarray) -> np.ndarray:
    window = growth[:, WINDOW]
    return (window - window.mean(axis=1, keepdims=True)) / window.std(axis=1, keepdims=True)


def moments(growth: np.ndarray, province: np.ndarray) -> dict[str, float]:
    z = standardised(growth)
    above = np.triu_indices(len(z), 1)
    residual = z - z.mean(axis=0)
    same = (province[:, None] == province)[above]
    both_ways = growth[:, WINDOW] - growth[:, WINDOW].mean(axis=1, keepdims=True)
    return {
        "sd_within_city": growth[:, WINDOW].std(axis=1).mean(),
        "pair_correlation": np.corrcoef(z)[above].mean(),
        "province_correlation": np.corrcoef(residual)[above][same].mean(),
        "sd_net_of_years": (both_ways - both_ways.mean(axis=0)).std(),
    }


@pytest.mark.parametrize(
    ("moment", "low", "high"),  # the two measured values of each moment, widened by a tenth
    [
        ("sd_within_city", 2.77 * 0.9, 3.23 * 1.1),
        ("pair_correlation", 0.72 * 0.9, 0.75 * 1.1),
        ("province_correlation", 0.35 * 0.9, 0.44 * 1.1),
        ("sd_net_of_years", 1.95 * 0.9, 2.37 * 1.1),
    ],
)
def test_simulated_moments_are_near_the_measured_ones(seeds, lasting, moment, low, high):
    draws = [moments(simulate(lasting, seeds[1], seed).growth_without_pct, lasting.province_id.to_numpy())[moment] for seed in range(10)]
    assert low < np.mean(draws) < high


def two_way(table: np.ndarray) -> np.ndarray:
    return table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()


def test_effect_raises_synchronization_through_comovement(seeds, lasting):
    """Least squares with pair and year effects on one-pilot and no-pilot pairs: gain in cm and in co-movement, mean of ten draws."""
    treated = first_treated_years(lasting.city_id.to_numpy(), seeds[1])
    treated = np.where(treated > 2019, 0, treated)
    i, j = np.triu_indices(len(treated), 1)
    kept = (treated[i] == 0) | (treated[j] == 0)
    i, j = i[kept], j[kept]
    start = (treated[i] + treated[j])[:, None]
    dummy = two_way(((start > 0) & (YEARS[WINDOW] >= start)).astype(float))
    gains = []
    for seed in range(10):
        economy = simulate(lasting, seeds[1], seed)
        z_with, z_without = standardised(economy.growth_with_pct), standardised(economy.growth_without_pct)
        cm = (z_without[i] - z_without[j]) ** 2 / 2 - (z_with[i] - z_with[j]) ** 2 / 2
        comove = z_with[i] * z_with[j] - z_without[i] * z_without[j]
        gains.append([(dummy * gain).sum() / (dummy**2).sum() for gain in (cm, comove)])
    cm, comove = np.mean(gains, axis=0)
    assert 0.05 < cm < 0.3
    assert comove > 0.75 * cm


def test_effect_touches_only_admitted_pilots(seeds, lasting):
    economy = simulate(lasting, seeds[1], 7)
    treated = first_treated_years(lasting.city_id.to_numpy(), seeds[1])[:, None]
    admitted = (treated > 0) & (treated <= YEARS)
    changed = economy.growth_with_pct != economy.growth_without_pct
    assert (changed == admitted).all()
    assert (simulate(lasting, seeds[1], 7, effect=0.0).growth_with_pct == economy.growth_without_pct).all()


@pytest.mark.parametrize(
    ("effect", "years", "message"),
    [(1.5, YEARS, "effect must lie between 0 and 1; found 1.5"), (0.5, np.arange(1990, 2000), "years must lie between 2001 and 2023")],
)
def test_bad_arguments_are_named(lasting, effect, years, message):
    labels = lasting.province_id.to_numpy()
    zeros = np.zeros(len(labels), dtype=int)
    with pytest.raises(ValueError, match=message):
        simulate_economies(province=labels, region=labels, treated_year=zeros, years=years, effect=effect, rng=np.random.default_rng(1))
