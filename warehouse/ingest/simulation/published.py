"""What a simulated landing delivers, as tables in memory: one set of shocks, figures with and
without the planted effect. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.ingest.simulation.cities import choose_cities, first_treated_years
from warehouse.ingest.simulation.economy import PlantedEffect, SimulatedEconomy, simulate_economies
from warehouse.ingest.simulation.levels import simulate_levels
from warehouse.ingest.simulation.policy_texts import draw_policy_tools, effective_intensity
from warehouse.ingest.simulation.wider_series import simulate_wider_series

#: The date of the first admission, fixed before any draw was looked at: a seed chosen for a pretty
#: result would make the default run a staged one. How often the page says 'found', and whether
#: intervals cover, was measured over other seeds (docs/evidence/simulated-landing.md).
DEFAULT_SEED = 20150307
FIRST_YEAR, LAST_YEAR = 2003, 2023
MISSING_SHARE = 0.02
#: Indicators that a study cannot do without: gaps only in a few cities. Real output has its gaps
#: where growth has them.
CORE = frozenset({"gdp_nominal_cny_100m", "gdp_growth_official_pct", "gdp_first_release"})
N_CITIES_WITH_GAPS = 15


@dataclass(frozen=True)
class Published:
    """Figures as delivered.

    Attributes
    ----------
    roster : DataFrame
        One row per city.
    years : ndarray of int
    tables : dict of str to ndarray, each of shape (n_cities, n_years)
        By indicator, canonical units, NaN = not delivered; growth not yet rounded.
    first_release : ndarray, shape (n_cities, n_years)
        Nominal output before revisions.
    consumer_prices : DataFrame
        Columns province_id, year, cpi_prev_year_100.
    """

    roster: pd.DataFrame
    years: np.ndarray
    tables: dict[str, np.ndarray]
    first_release: np.ndarray
    consumer_prices: pd.DataFrame


@dataclass(frozen=True)
class SimulatedStatistics:
    """One economy, the tools in its zones' plans, and its figures with and without the effect."""

    economy: SimulatedEconomy
    tools: pd.DataFrame
    with_effect: Published
    without_effect: Published


def simulate_statistics(
    *,
    roster: pd.DataFrame,
    pilot_zones: pd.DataFrame,
    n_cities: int | None = None,
) -> SimulatedStatistics:
    """Draw an economy and what is published about it; the same arguments give the same figures.

    Parameters
    ----------
    roster, pilot_zones : DataFrame
        The seeds city_roster and pilot_zones.
    n_cities : int, optional
        None for every city of the span, else an even choice (see `choose_cities`).
    """
    effect = PlantedEffect()
    cities = choose_cities(roster, pilot_zones, n_cities, FIRST_YEAR, LAST_YEAR)
    years, city_id = np.arange(FIRST_YEAR, LAST_YEAR + 1), cities["city_id"].to_numpy()
    shocks, levels_seed, gaps_seed, wider_seed, wider_gaps = np.random.SeedSequence(
        DEFAULT_SEED
    ).spawn(5)
    # a landing is delivered the year after its last one, with the texts of zones approved by then
    tools = draw_policy_tools(pilot_zones, DEFAULT_SEED, LAST_YEAR + 1)
    economy = simulate_economies(
        province=cities["province_id"].to_numpy(),
        region=cities["region"].to_numpy(dtype=object).astype(str),
        treated_year=first_treated_years(city_id, pilot_zones),
        years=years,
        effect=effect,
        rng=np.random.default_rng(shocks),
        intensity=effective_intensity(city_id, tools),
    )
    found = []
    for growth, treated in (
        (economy.growth_with_pct, economy.is_treated),
        (economy.growth_without_pct, np.zeros_like(economy.is_treated)),
    ):
        tables, first_release, shadow, consumer_prices = simulate_levels(
            growth_pct=growth,
            shadow_growth_pct=economy.growth_without_pct,
            roster=cities,
            years=years,
            rng=np.random.default_rng(levels_seed),
        )
        wider = simulate_wider_series(
            growth_pct=growth,
            tables=tables,
            shadow_gdp_cny_100m=shadow,
            is_treated=treated,
            effect=effect,
            roster=cities,
            rng=np.random.default_rng(wider_seed),
        )
        found.append(
            _publish(
                cities,
                years,
                tables,
                wider,
                first_release,
                consumer_prices,
                np.random.default_rng(gaps_seed),
                np.random.default_rng(wider_gaps),
            )
        )
    return SimulatedStatistics(economy, tools, *found)


def _publish(
    cities: pd.DataFrame,
    years: np.ndarray,
    core: dict[str, np.ndarray],
    wider: dict[str, np.ndarray],
    first_release: np.ndarray,
    consumer_prices: pd.DataFrame,
    rng: np.random.Generator,
    wider_rng: np.random.Generator,
) -> Published:
    """Blank what is not delivered: about 2 % at random, gaps of the core series in a few cities,
    years outside a city's life.
    """
    exists = (years >= cities["valid_from_year"].to_numpy()[:, None]) & (
        years <= cities["valid_to_year"].fillna(9999).to_numpy()[:, None]
    )
    with_gaps = np.zeros(len(cities), dtype=bool)
    with_gaps[rng.permutation(len(cities))[: min(N_CITIES_WITH_GAPS, len(cities) // 10)]] = True
    tables = {}
    for indicator, table in sorted({**core, "gdp_first_release": first_release}.items()):
        missing = rng.random(table.shape) < (0.15 if indicator in CORE else MISSING_SHARE)
        if indicator in CORE:
            missing &= with_gaps[:, None]
        tables[indicator] = np.where(exists & ~missing, table, np.nan)
    # by name from one generator: a new series changes the gaps of all that follow it
    for indicator, table in sorted(wider.items()):
        tables[indicator] = np.where(
            exists & (wider_rng.random(table.shape) >= MISSING_SHARE), table, np.nan
        )
    # a real level replaces growth that was not published, which would close the gaps of growth
    tables["gdp_real_cny_100m"] = np.where(
        np.isnan(tables["gdp_growth_official_pct"]), np.nan, wider["gdp_real_cny_100m"]
    )
    return Published(cities, years, tables, first_release, consumer_prices)
