"""The seeds, and the cities that last over the simulated years."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

SEEDS = Path(__file__).resolve().parents[4] / "warehouse" / "seeds"


@pytest.fixture(scope="module")
def seeds() -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_csv(SEEDS / "city_roster.csv"), pd.read_csv(SEEDS / "pilot_zones.csv")


@pytest.fixture(scope="module")
def lasting(seeds) -> pd.DataFrame:
    roster = seeds[0]
    return roster[(roster.valid_from_year <= 2003) & roster.valid_to_year.isna()].reset_index(
        drop=True
    )
