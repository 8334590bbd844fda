"""Panels of the study's shape, from a seed."""

from __future__ import annotations

import numpy as np

from estimation.panel.pair_panel import PairPanel

YEARS = np.arange(2010, 2020)


def random_panel(n_cities: int, seed: int = 7) -> PairPanel:
    """`cm` of every pair of cities; a fifth of the cities are pilots of 2015, 2016 or 2019;
    provinces of about ten cities.
    """
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((n_cities, len(YEARS))) + 0.6 * rng.standard_normal(len(YEARS))
    z = (shocks - shocks.mean(axis=1, keepdims=True)) / shocks.std(axis=1, keepdims=True)
    city_i, city_j = np.triu_indices(n_cities, 1)
    cohort = np.where(rng.random(n_cities) < 0.2, rng.choice([2015, 2016, 2019], n_cities), 0)
    return PairPanel(
        city_i=city_i,
        city_j=city_j,
        years=YEARS,
        y=1 - (z[city_i] - z[city_j]) ** 2 / 2,
        city_cohort=cohort,
        province=np.arange(n_cities) // 10,
        tie=rng.lognormal(size=len(city_i)),
    )
