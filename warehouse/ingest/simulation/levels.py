"""Levels of a simulated economy: what statistics would publish about its cities.

Numbers and names only, no I/O.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Gross domestic product of the year before the first (100 million yuan) by administrative rank,
#: medians, stylised after 2003.
INITIAL_GDP_CNY_100M = {4: 3000.0, 3: 1200.0, 2: 500.0, 1: 200.0}
#: Log standard deviation of that start; the large cities are more alike than the others.
SPREAD_OF_START = {4: 0.25, 3: 0.3, 2: 0.4, 1: 0.7}
#: Years whose first release a later economic census or final account revised.
REVISED_YEARS = (2004, 2008, 2013, 2018, 2019, 2020)
#: National consumer price inflation, per cent, stylised after the published index.
NATIONAL_INFLATION_PCT = {
    2003: 1.2,
    2004: 3.9,
    2005: 1.8,
    2006: 1.5,
    2007: 4.8,
    2008: 5.9,
    2009: -0.7,
    2010: 3.3,
    2011: 5.4,
    2012: 2.6,
    2013: 2.6,
    2014: 2.0,
    2015: 1.4,
    2016: 2.0,
    2017: 1.6,
    2018: 2.1,
    2019: 2.9,
    2020: 2.5,
    2021: 0.9,
}


def _inflation(
    province: np.ndarray, years: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, pd.DataFrame]:
    """Inflation of each city's province, log points times 100, and the published provincial index
    (one decimal).
    """
    provinces, number = np.unique(province, return_inverse=True)
    national = np.array([NATIONAL_INFLATION_PCT.get(int(year), 2.0) for year in years])
    index = np.round(100.0 + national + 0.5 * rng.standard_normal((len(provinces), len(years))), 1)
    keys = {"province_id": np.repeat(provinces, len(years)), "year": np.tile(years, len(provinces))}
    table = pd.DataFrame({**keys, "cpi_prev_year_100": index.ravel()})
    return 100.0 * np.log(index / 100.0)[number], table


def _smooth_walk(
    rng: np.random.Generator, start: np.ndarray, n_years: int, drift_pct: float, sd_pct: float
) -> np.ndarray:
    """Return levels that drift with small shocks (per cent per year), shape (n_cities, n_years)."""
    steps = (drift_pct + sd_pct * rng.standard_normal((len(start), n_years))) / 100.0
    steps[:, 0] = 0.0
    return start[:, None] * np.exp(np.cumsum(steps, axis=1))


def _sector_shares(rng: np.random.Generator, n_cities: int, n_years: int) -> np.ndarray:
    """Return shares of the three sectors, shape (3, n_cities, n_years): agriculture shrinks,
    services grow.
    """
    trend = np.linspace(0.0, 1.0, n_years)
    primary = np.clip(rng.normal(0.18, 0.07, n_cities), 0.01, 0.4)[:, None] * (1.0 - 0.4 * trend)
    tertiary = np.clip(rng.normal(0.36, 0.05, n_cities), 0.2, 0.6)[:, None] * (1.0 + 0.3 * trend)
    return np.stack([primary, 1.0 - primary - tertiary, tertiary])


def simulate_levels(
    *,
    growth_pct: np.ndarray,
    shadow_growth_pct: np.ndarray,
    roster: pd.DataFrame,
    years: np.ndarray,
    rng: np.random.Generator,
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, pd.DataFrame]:
    """Chain growth to levels and draw the other published figures.

    Parameters
    ----------
    growth_pct : ndarray, shape (n_cities, n_years)
        Real growth in log points times 100, with or without the effect.
    shadow_growth_pct : ndarray, shape (n_cities, n_years)
        Growth without the effect: money and wages follow it, so that the effect touches growth and
        gross domestic product only.
    roster : DataFrame
        Columns province_id, admin_rank; one row per city in the order of the arrays.
    years : ndarray of int
    rng : numpy.random.Generator
        The same state gives the same shocks, whatever the growth.

    Returns
    -------
    tables : dict of str to ndarray, each of shape (n_cities, n_years)
        By indicator id of the catalog, canonical units. Only gross domestic product and what is
        counted from it depend on the growth path.
    first_release : ndarray, shape (n_cities, n_years)
        Nominal gross domestic product as first released, before revisions.
    shadow : ndarray, shape (n_cities, n_years)
        Nominal gross domestic product on the growth path without the effect; not published.
    consumer_prices : DataFrame
        Columns province_id, year, cpi_prev_year_100.

    Notes
    -----
    Nominal GDP is the chained real level times a price level of its own: its growth less
    consumer price inflation correlates about 0.75 with real growth, as in published figures.
    """
    province, rank = roster["province_id"].to_numpy(), roster["admin_rank"].to_numpy()
    n_cities, n_years = growth_pct.shape
    inflation, consumer_prices = _inflation(province, years, rng)
    prices = np.cumsum(inflation + 3.0 * rng.standard_normal((n_cities, n_years)), axis=1) / 100.0
    spread = np.array([SPREAD_OF_START[int(k)] for k in rank])
    start = np.array([INITIAL_GDP_CNY_100M[int(k)] for k in rank]) * np.exp(
        spread * rng.standard_normal(n_cities)
    )
    revision = np.exp(
        0.01 * rng.standard_normal((n_cities, n_years)) * np.isin(years, REVISED_YEARS)
    )
    population = _smooth_walk(
        rng,
        60.0 + 20.0 * np.sqrt(start) * np.exp(0.2 * rng.standard_normal(n_cities)),
        n_years,
        0.4,
        0.4,
    )
    nominal = start[:, None] * np.exp(np.cumsum(growth_pct, axis=1) / 100.0 + prices)
    shadow = start[:, None] * np.exp(np.cumsum(shadow_growth_pct, axis=1) / 100.0 + prices)
    tables = {
        "gdp_nominal_cny_100m": nominal,
        "gdp_growth_official_pct": 100.0 * np.expm1(growth_pct / 100.0),
        "gdp_per_capita_cny": nominal / population * 10_000.0,
    }
    shares = _sector_shares(rng, n_cities, n_years)
    for sector, share in zip(("primary", "secondary", "tertiary"), shares, strict=True):
        tables[f"value_added_{sector}_cny_100m"] = nominal * share
    tables |= _people_and_money(shadow, population, rng)
    return tables, nominal * revision, shadow, consumer_prices


def _people_and_money(
    shadow_gdp: np.ndarray, population: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Population, money, employment and wages by indicator id; none depends on the effect."""
    n_cities, n_years = population.shape

    def spread(sd: float) -> np.ndarray:
        return np.exp(sd * rng.standard_normal(n_cities))[:, None] * np.exp(
            0.03 * rng.standard_normal((n_cities, n_years))
        )

    employed = 0.12 * population * spread(0.25)
    wage = _smooth_walk(
        rng, 13_000.0 * np.exp(0.15 * rng.standard_normal(n_cities)), n_years, 10.0, 2.0
    )
    area = np.repeat(np.exp(rng.normal(9.3, 0.6, n_cities))[:, None], n_years, axis=1)
    return {
        "population_resident_10k": population,
        "population_registered_10k": population
        * np.exp(0.08 * rng.standard_normal(n_cities))[:, None],
        "area_km2": area,
        "loans_cny_100m": 0.75 * shadow_gdp * spread(0.35),
        "deposits_cny_100m": 1.15 * shadow_gdp * spread(0.3),
        "fdi_usd_1m": 0.2 * shadow_gdp * spread(0.6),
        "employed_10k": employed,
        "employed_education_10k": 0.13 * employed * spread(0.15),
        "employed_information_10k": 0.012 * employed * spread(0.4),
        "wage_avg_cny": wage,
        "wage_bill_cny_10k": wage * employed,
    }
