"""Rejections without an effect: the default line keeps its size where the conventional one does
not.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.simulation_study.economies import Economy
from benchmarks.simulation_study.grid import Cell, Setting
from benchmarks.simulation_study.run import draw_rows
from benchmarks.simulation_study.summary import line_rows, rejection
from warehouse.ingest.simulation.cities import choose_cities, first_treated_years
from warehouse.ingest.simulation.economy import NO_EFFECT, simulate_economies

SEEDS = Path(__file__).parents[3] / "warehouse" / "seeds"
YEARS = np.arange(2010, 2020)
N_ECONOMIES, N_CITIES = 200, 120


def test_default_line_keeps_its_size() -> None:
    """200 economies of the simulated landing's kind, planted effect zero: the default rejects 2 to
    9 % at nominal 5 %.
    """
    zones = pd.read_csv(SEEDS / "pilot_zones.csv")
    cities = choose_cities(pd.read_csv(SEEDS / "city_roster.csv"), zones, N_CITIES, 2003, 2021)
    province, cohort = (
        cities["province_id"].to_numpy(),
        first_treated_years(cities["city_id"].to_numpy(), zones),
    )
    cohort = np.where(cohort <= YEARS[-1], cohort, 0)
    region, cell = (
        cities["region"].to_numpy(),
        Cell(Setting("landing", "", N_CITIES), "twfe", N_ECONOMIES),
    )

    def rows_of(seed: int) -> list[dict]:
        rng = np.random.default_rng(seed)
        made = simulate_economies(
            province=province,
            region=region,
            treated_year=cohort,
            years=YEARS,
            effect=NO_EFFECT,
            rng=rng,
        )
        return draw_rows(
            cell, Economy(made.growth_with_pct, made.growth_without_pct, province, cohort), seed
        )

    draws = pd.DataFrame([row for seed in range(1, N_ECONOMIES + 1) for row in rows_of(seed)])
    shares = {
        line: rejection(line_rows(draws, line))
        for line in ("default", "conventional", "dyadic", "city")
    }
    assert 0.02 <= shares["default"] <= 0.09
    assert shares["conventional"] > 0.25
    estimates = line_rows(draws, "default")["estimate"]
    assert abs(estimates.mean()) < 4 * estimates.std() / np.sqrt(N_ECONOMIES)
