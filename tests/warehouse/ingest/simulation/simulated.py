"""A simulated economy of given cities over the years of the simulated landing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from warehouse.ingest.simulation.cities import first_treated_years
from warehouse.ingest.simulation.economy import PlantedEffect, SimulatedEconomy, simulate_economies

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
