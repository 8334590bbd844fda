"""A simulated economy: moments of growth near the measured ones, the planted effect, and what it
touches.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from warehouse.ingest.simulation.cities import first_treated_years
from warehouse.ingest.simulation.economy import (
    NO_EFFECT,
    PlantedEffect,
    SimulatedEconomy,
    national_cycle_pct,
    simulate_economies,
)

YEARS = np.arange(2003, 2024)


def simulate(
    cities: pd.DataFrame,
    zones: pd.DataFrame,
    seed: int,
    effect: PlantedEffect | None = None,
    intensity: np.ndarray | None = None,
) -> SimulatedEconomy:
    """Growth with and without the effect, by default that of the default landing."""
    return simulate_economies(
        province=cities.province_id.to_numpy(),
        region=cities.region.to_numpy(dtype=object).astype(str),
        treated_year=first_treated_years(cities.city_id.to_numpy(), zones),
        years=YEARS,
        effect=effect or PlantedEffect(),
        rng=np.random.default_rng(seed),
        intensity=intensity,
    )


@pytest.mark.parametrize(("fall", "rise"), [(0.6, 0.0), (0.0, 0.4), (0.85, 0.2)])
def test_both_channels_have_the_size_that_was_planted(seeds, lasting, fall, rise):
    """By brute force from growth alone, a loop over pilots: growth with the effect on growth
    without it and the national cycle.

    On a treated year growth with = systematic + own * root(1 - fall) + rise * cycle, growth without
    = systematic + own: the difference is (root(1 - fall) - 1) * own + rise * cycle, and own shocks
    have mean zero over many city-years.
    """
    economies = [
        simulate(lasting, seeds[1], seed, PlantedEffect(fall, rise, tools_share=0.0))
        for seed in range(20)
    ]
    quiet = [
        simulate(lasting, seeds[1], seed, PlantedEffect(0.75, 0.0, tools_share=0.0))
        for seed in range(20)
    ]
    cycle = national_cycle_pct(YEARS)
    own_with, own_without, slopes = [], [], []
    for economy, halved in zip(economies, quiet, strict=True):
        for i, t in np.argwhere(economy.is_treated):
            # variance less by three quarters halves the own shock: the difference is minus half of
            # it
            own = 2.0 * (economy.growth_without_pct[i, t] - halved.growth_with_pct[i, t])
            own_without.append(own)
            own_with.append(
                economy.growth_with_pct[i, t]
                - (economy.growth_without_pct[i, t] - own)
                - rise * cycle[t]
            )
        change = (economy.growth_with_pct - economy.growth_without_pct)[economy.is_treated]
        wave = np.broadcast_to(cycle, economy.is_treated.shape)[economy.is_treated]
        slopes.append((wave * change).sum() / (wave**2).sum())
    assert np.var(own_with) / np.var(own_without) - 1 == pytest.approx(-fall, abs=1e-9)
    assert np.mean(slopes) == pytest.approx(rise, abs=0.06 if fall else 1e-9)


def test_the_fall_grows_with_the_tools(seeds, lasting):
    """Half of the fall comes with the tools: twice the mean intensity gives the root of (1 - fall)
    cubed, none the root of 1 - fall.
    """
    for tools, power in ((0.0, 0.5), (1.0, 1.0), (2.0, 1.5)):
        economy = simulate(
            lasting, seeds[1], 1, PlantedEffect(0.84, 0.0), intensity=np.full(len(lasting), tools)
        )
        assert economy.own_variance_ratio[economy.is_treated] == pytest.approx(0.16**power)
        assert (economy.own_variance_ratio[~economy.is_treated] == 1).all()


def test_effect_touches_only_admitted_pilots(seeds, lasting):
    economy = simulate(lasting, seeds[1], 7)
    treated = first_treated_years(lasting.city_id.to_numpy(), seeds[1])[:, None]
    admitted = (treated > 0) & (treated <= YEARS)
    changed = economy.growth_with_pct != economy.growth_without_pct
    assert (changed == admitted).all()
    assert (
        simulate(lasting, seeds[1], 7, effect=NO_EFFECT).growth_with_pct
        == economy.growth_without_pct
    ).all()


def test_an_effect_that_no_economy_can_have_is_named():
    with pytest.raises(
        ValueError, match=r"own_variance_fall must lie between 0 and 0\.999; found 1\.5"
    ):
        PlantedEffect(own_variance_fall=1.5)
