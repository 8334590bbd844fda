"""Levels of a simulated economy agree with its growth."""

from __future__ import annotations

import numpy as np

from tests.warehouse.ingest.simulation.simulated import YEARS, simulate
from warehouse.ingest.simulation.levels import simulate_levels


def test_deflated_growth_follows_official_growth(seeds, lasting):
    """Growth of nominal output less provincial inflation correlates with published growth as in the
    real files (0.74).
    """
    growth = simulate(lasting, seeds[1], 3).growth_without_pct
    levels = simulate_levels(
        growth_pct=growth,
        shadow_growth_pct=growth,
        roster=lasting,
        years=YEARS,
        rng=np.random.default_rng(3),
    )
    index = levels.consumer_prices.pivot_table(
        index="province_id", columns="year", values="cpi_prev_year_100"
    )
    inflation = 100 * np.log(index.loc[lasting.province_id.to_numpy()].to_numpy() / 100)
    deflated = (
        100 * np.diff(np.log(levels.tables["gdp_nominal_cny_100m"]), axis=1) - inflation[:, 1:]
    )
    assert 0.65 < np.corrcoef(deflated.ravel(), growth[:, 1:].ravel())[0, 1] < 0.85
