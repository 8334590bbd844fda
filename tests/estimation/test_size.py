"""Rejections without an effect: the default line keeps its size where the conventional one does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from estimation.size_study import run_size_study
from warehouse.ingest.simulation import choose_cities, first_treated_years, simulate_economies

SEEDS = Path(__file__).parents[2] / "warehouse" / "seeds"
YEARS = np.arange(2010, 2020)
N_ECONOMIES, N_CITIES = 200, 120


def test_default_line_keeps_its_size(capsys) -> None:
    """200 economies of 120 cities, real approval dates, planted effect zero: the default rejects 2 to 9 % at nominal 5 %."""
    zones = pd.read_csv(SEEDS / "pilot_zones.csv")
    cities = choose_cities(pd.read_csv(SEEDS / "city_roster.csv"), zones, N_CITIES, 2003, 2021)
    province, cohort = cities["province_id"].to_numpy(), first_treated_years(cities["city_id"].to_numpy(), zones)

    def simulate(seed: int):
        economy = simulate_economies(
            province=province,
            region=cities["region"].to_numpy(),
            treated_year=cohort,
            years=YEARS,
            effect=0.0,
            rng=np.random.default_rng(seed),
        )
        return economy.growth_with_pct, province, cohort

    study = run_size_study(simulate, years=YEARS, n_economies=N_ECONOMIES)
    with capsys.disabled():
        print("\n" + study.sentence())
    assert 0.02 <= study.rejection_rates["default"] <= 0.09
    assert study.rejection_rates["conventional"] > 0.25
    assert abs(study.estimates.mean()) < 4 * study.estimates.std() / np.sqrt(N_ECONOMIES)
