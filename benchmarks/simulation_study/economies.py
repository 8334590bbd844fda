"""Simulated city economies with a known effect of admission, and their city-pair panels.

Numbers only, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.primary_test.designs import persistent, whole_provinces
from estimation.measures.synchronization import pair_outcome
from estimation.panel.pair_panel import PairPanel

YEARS = np.arange(2010, 2020)

# Prefecture-level units by province, municipalities first (GB/T 2260 as of 2020): provinces of a
# simulated sample have sizes like these.
PROVINCE_SIZES = (
    1,
    1,
    1,
    1,
    11,
    11,
    12,
    14,
    9,
    13,
    13,
    11,
    16,
    9,
    11,
    16,
    17,
    13,
    14,
    21,
    14,
    4,
    21,
    9,
    16,
    7,
    10,
    14,
    8,
    5,
    14,
)


@dataclass(frozen=True)
class Setting:
    """One kind of economy.

    Attributes
    ----------
    name, label : str
    n_cities : int
    pilot_share : float
        Pilots over cities; `n_pilots` overrides it.
    n_pilots : int or None
    cohorts : tuple of (int, float)
        Admission years and their shares of the pilots. A share of 0 is a cohort of one city.
    layout : str
        ``random``: pilots anywhere; ``whole_provinces``: all cities of provinces drawn at random
        until there are enough.
    province_share : float
        Share of a city's variance that its province has in common.
    loadings : tuple of float
        Loading on a national factor of pilots and of the others, in standard deviations of the
        city's own part.
    persistence : float
        First-order autocorrelation of every shock.
    degrees_of_freedom : float or None
        Of t-distributed shocks; None for normal ones.
    convergence : float
        After admission this share of a pilot's variance comes from the national factor (0: no
        effect).
    """

    name: str
    label: str
    n_cities: int
    pilot_share: float = 0.22
    n_pilots: int | None = None
    cohorts: tuple[tuple[int, float], ...] = ((2016, 0.4), (2019, 0.6))
    layout: str = "random"
    province_share: float = 0.0
    loadings: tuple[float, float] = (0.5, 0.5)
    persistence: float = 0.0
    degrees_of_freedom: float | None = None
    convergence: float = 0.0


@dataclass(frozen=True)
class Economy:
    """Growth with and without the effect, from the same shocks.

    Attributes
    ----------
    growth, growth_without : (N, T) float arrays
    province, cohort : (N,) int arrays
        Province and first treated year (0 = never).
    """

    growth: np.ndarray
    growth_without: np.ndarray
    province: np.ndarray
    cohort: np.ndarray


def draw_economy(setting: Setting, seed: int) -> Economy:
    """Draw one economy; pilots are drawn anew each time, provinces are fixed by the number of
    cities.
    """
    rng = np.random.default_rng([seed, setting.n_cities])
    province = provinces(setting.n_cities)
    cohort = draw_cohorts(setting, province, rng)
    n_years = len(YEARS)
    factor = _shocks(rng, (1, n_years), setting)
    common = _shocks(rng, (province.max() + 1, n_years), setting)[province]
    own = _shocks(rng, (setting.n_cities, n_years), setting)
    local = np.sqrt(setting.province_share) * common + np.sqrt(1 - setting.province_share) * own
    loading = np.where(cohort > 0, *setting.loadings)[:, None]
    without = loading * factor + local
    treated = (cohort[:, None] > 0) & (YEARS[None, :] >= cohort[:, None])
    share = setting.convergence
    converged = loading * factor + np.sqrt(1 - share) * local + np.sqrt(share) * factor
    return Economy(np.where(treated, converged, without), without, province, cohort)


def provinces(n_cities: int) -> np.ndarray:
    """Province of each city, (N,) ints: a sample of the real sizes, the same for every draw."""
    everyone = np.repeat(np.arange(len(PROVINCE_SIZES)), PROVINCE_SIZES)
    chosen = np.sort(np.random.default_rng(n_cities).choice(everyone, n_cities, replace=False))
    return np.unique(chosen, return_inverse=True)[1]


def draw_cohorts(setting: Setting, province: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """First treated year of each city, (N,) ints, 0 = never."""
    n_cities = len(province)
    n_pilots = setting.n_pilots or round(setting.pilot_share * n_cities)
    if setting.layout == "whole_provinces":
        pilots = whole_provinces(province, n_pilots, rng)
    else:
        pilots = rng.choice(n_cities, n_pilots, replace=False)
    years = _years_of(setting, len(pilots))
    cohort = np.zeros(n_cities, dtype=np.int64)
    cohort[pilots] = years if setting.layout == "whole_provinces" else rng.permutation(years)
    return cohort


def _years_of(setting: Setting, n_pilots: int) -> np.ndarray:
    single = [year for year, share in setting.cohorts if share == 0]
    rest = [(year, share) for year, share in setting.cohorts if share > 0]
    bounds = np.cumsum([share for _, share in rest])
    place = (np.arange(n_pilots - len(single)) + 0.5) / (n_pilots - len(single)) * bounds[-1]
    years = np.array([year for year, _ in rest])[np.searchsorted(bounds, place)]
    return np.concatenate([np.array(single, dtype=np.int64), years])


def _shocks(rng: np.random.Generator, shape: tuple[int, int], setting: Setting) -> np.ndarray:
    """Shocks of variance one, with the setting's tails and persistence."""
    df = setting.degrees_of_freedom
    draws = (
        rng.normal(size=shape)
        if df is None
        else rng.standard_t(df, size=shape) * np.sqrt((df - 2) / df)
    )
    return persistent(draws, setting.persistence)


def pair_panel(series: list[np.ndarray], province: np.ndarray, cohort: np.ndarray) -> PairPanel:
    """All pairs, one `cm` outcome a series of growth (N, T)."""
    city_i, city_j = np.triu_indices(len(province), 1)
    y = np.stack([pair_outcome("cm", growth, city_i, city_j) for growth in series])
    return PairPanel(
        city_i=city_i, city_j=city_j, years=YEARS, y=y, city_cohort=cohort, province=province
    )
