"""Economies whose admissions are selected, and pseudo-admissions on delivered growth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

SEEDS = Path(__file__).resolve().parents[2] / "warehouse" / "seeds"
SIMULATED_CITIES = 332
COHORTS = (2015, 2016, 2019)
COHORT_SIZES = (1, 12, 21)
N_PILOTS = sum(COHORT_SIZES)
YEARS = np.arange(2010, 2020)
# The list to 2023, for designs of fourteen years.
LONG_YEARS = np.arange(2010, 2024)
LONG_COHORTS = (2015, 2016, 2019, 2020, 2022, 2023)
LONG_SIZES = (1, 12, 21, 66, 26, 31)
KM = 6371.0088


@dataclass(frozen=True)
class Panel:
    """Growth of cities with pseudo-admissions.

    Attributes
    ----------
    growth : (N, T) float array
    years : (T,) int array
    cohort : (N,) int array
        First treated year, 0 = never.
    block : (N,) int array
    size : (N,) float array
        Standardised.
    coastal : (N,) float array or None
        1 for a city on the coast; None where no covariates are used.
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    size: np.ndarray
    coastal: np.ndarray | None = None


@cache
def simulated_cities() -> pd.DataFrame:
    """332 cities of the roster, the same each time, with their blocks: provinces from 0."""
    roster = pd.read_csv(SEEDS / "city_roster.csv").sort_values("city_id", ignore_index=True)
    rng = np.random.default_rng(SIMULATED_CITIES)
    cities = roster.iloc[np.sort(rng.choice(len(roster), SIMULATED_CITIES, replace=False))]
    return cities.assign(block=np.unique(cities["province_id"], return_inverse=True)[1])


def choose(
    log_weight: np.ndarray, rng: np.random.Generator, n_pilots: int = N_PILOTS
) -> np.ndarray:
    """Pilots drawn one after the other without replacement, with weights exp(log_weight) (maxima of
    Gumbel variables).
    """
    return np.argsort(-(log_weight + rng.gumbel(size=len(log_weight))), kind="stable")[:n_pilots]


def admit(
    pilots: np.ndarray,
    n_cities: int,
    rng: np.random.Generator,
    back: int = 0,
    *,
    cohorts: tuple[int, ...] = COHORTS,
    sizes: tuple[int, ...] = COHORT_SIZES,
) -> np.ndarray:
    """Cohorts of the real sizes dealt to the pilots at random, `back` years earlier than the real
    ones; (N,) ints.
    """
    cohort = np.zeros(n_cities, dtype=np.int64)
    dealt = rng.permutation(np.repeat(np.array(cohorts) - back, sizes))
    cohort[pilots] = dealt[: len(pilots)]
    return cohort


def _own(
    rng: np.random.Generator,
    block: np.ndarray,
    years: np.ndarray,
    share: float = 0.3,
    rho: float = 0.0,
) -> np.ndarray:
    """Own shocks of variance one, `share` of it the province's, first-order autocorrelation rho."""
    common, own = (
        persistent(rng.normal(size=(n, len(years))), rho)
        for n in (int(block.max()) + 1, len(block))
    )
    return np.sqrt(share) * common[block] + np.sqrt(1 - share) * own


def persistent(paths: np.ndarray, rho: float) -> np.ndarray:
    """Independent shocks (N, T) of variance one, made first-order autoregressive in place."""
    for t in range(1, paths.shape[1]):
        paths[:, t] = rho * paths[:, t - 1] + np.sqrt(1 - rho**2) * paths[:, t]
    return paths


def _national(
    loadings: list[np.ndarray], rng: np.random.Generator, years: np.ndarray, rho: float = 0.0
) -> np.ndarray:
    return sum(
        np.multiply.outer(loading, persistent(rng.normal(size=(1, len(years))), rho)[0])
        for loading in loadings
    )


def _calmer(
    block: np.ndarray, size: np.ndarray, rng: np.random.Generator, years: np.ndarray
) -> np.ndarray:
    own = _own(rng, block, years) * np.exp(-0.35 * size)[:, None]
    return _national([np.ones(len(size))], rng, years) + own


def _factors(
    block: np.ndarray,
    size: np.ndarray,
    rng: np.random.Generator,
    years: np.ndarray,
    *,
    levels: tuple[float, ...],
) -> np.ndarray:
    national = _national([level + 0.25 * size for level in levels], rng, years)
    return national + _own(rng, block, years)


def _persistent_factors(
    block: np.ndarray, size: np.ndarray, rng: np.random.Generator, years: np.ndarray
) -> np.ndarray:
    own = _own(rng, block, years, rho=0.6) * np.exp(-0.35 * size)[:, None]
    return _national([1 + 0.25 * size, 0.5 + 0.25 * size], rng, years, 0.6) + own


def _calming(
    block: np.ndarray,
    size: np.ndarray,
    rng: np.random.Generator,
    years: np.ndarray,
    *,
    depth: float,
) -> np.ndarray:
    done = 1 / (1 + np.exp(-(years[None, :] - (2015 - 1.5 * size[:, None]))))
    national = _national([np.ones(len(size))], rng, years)
    return national + _own(rng, block, years) * (1 - depth * done)


@cache
def _shared_by_distance() -> np.ndarray:
    """Root of the correlation exp(-distance / 1,000 km) of cities."""
    lat, lon = np.radians(simulated_cities()[["lat_deg", "lon_deg"]].to_numpy()).T
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    correlation = np.exp(-2 * KM * np.arcsin(np.sqrt(half)) / 1000)
    return np.linalg.cholesky(correlation + 1e-9 * np.eye(len(lat)))


def _coast(
    block: np.ndarray, size: np.ndarray, rng: np.random.Generator, years: np.ndarray
) -> np.ndarray:
    return _national([np.ones(len(size))], rng, years) + np.einsum(
        "ij,jt->it", _shared_by_distance(), rng.normal(size=(len(size), len(years)))
    )


def _wandering(
    block: np.ndarray, size: np.ndarray, rng: np.random.Generator, years: np.ndarray
) -> np.ndarray:
    walk = np.cumsum(0.15 * rng.normal(size=(len(size), len(years))), axis=1)
    loading = 1 + 0.25 * size[:, None] + walk
    return loading * rng.normal(size=len(years)) + _own(rng, block, years)


def _late_entry(
    block: np.ndarray, size: np.ndarray, rng: np.random.Generator, years: np.ndarray
) -> np.ndarray:
    growth = _plain(block, size, rng, years)
    late = np.argsort(size - rng.gumbel(size=len(size)), kind="stable")[: len(size) // 5]
    growth[late, :3] = np.nan
    return growth


def _plain(
    block: np.ndarray,
    size: np.ndarray,
    rng: np.random.Generator,
    years: np.ndarray,
    *,
    share: float = 0.3,
    rho: float = 0.0,
) -> np.ndarray:
    return _national([np.ones(len(size))], rng, years) + _own(rng, block, years, share, rho)


# per cent a year by which the pilots' own standard deviation falls
SLOPES = (1, 2, 3, 5)
SPREAD = np.arange(2013, 2019)
# how growth is drawn; log-weight of admission per standard deviation of size
SELECTION = {
    "calmer": (_calmer, 2.0),
    "two_factors": (partial(_factors, levels=(1.0, 0.5)), 2.0),
    "three_factors": (partial(_factors, levels=(1.0, 0.5, 0.5)), 4.0),
    "calming_earlier": (partial(_calming, depth=0.5), 2.0),
    "calming_strongly": (partial(_calming, depth=0.7), 2.0),
    "provincial": (partial(_plain, share=0.7, rho=0.5), 0.0),
    "coast": (_coast, 0.0),
    "wandering": (_wandering, 2.0),
    "late_entry": (_late_entry, 2.0),
    "calmer, two factors, persistence 0.6": (_persistent_factors, 2.0),
    "the same, cohorts 2013-2018": (_persistent_factors, 2.0),
    **{f"own deviation falls {k} % a year": (_plain, 0.0) for k in SLOPES},
}
# Designs of fourteen years with the list to 2023, which are those of the adjusted statistic's race.
LONG = ", 14 years"
LONG_SELECTION = {
    f"coast{LONG}": (_coast, 0.0),
    f"two_factors{LONG}": (partial(_factors, levels=(1.0, 0.5)), 2.0),
    f"calmer, two factors, persistence 0.6{LONG}": (_persistent_factors, 2.0),
}
# Admission is this much likelier on the coast, in logs, where the coast cannot hold all pilots.
COASTAL_PULL = 3.0


def draw_selected(name: str, rng: np.random.Generator) -> Panel:
    """One economy without effect whose admissions are selected (docs/methods, section 18.11)."""
    cities = simulated_cities()
    block = cities["block"].to_numpy()
    coastal = cities["is_coastal"].to_numpy(dtype=float)
    size = rng.normal(size=len(block))
    if name in LONG_SELECTION:
        draw, pull = LONG_SELECTION[name]
        growth = draw(block, size, rng, LONG_YEARS)
        weight = pull * size + COASTAL_PULL * coastal * name.startswith("coast")
        pilots = choose(weight, rng, sum(LONG_SIZES))
        cohort = admit(pilots, len(block), rng, cohorts=LONG_COHORTS, sizes=LONG_SIZES)
        return Panel(growth, LONG_YEARS, cohort, block, size, coastal)
    draw, pull = SELECTION[name]
    growth = draw(block, size, rng, YEARS)
    weight = pull * size
    if name.startswith("coast"):
        weight = np.where(cities["is_coastal"], weight, -np.inf)
    cohort = admit(choose(weight, rng), len(block), rng)
    if name == "the same, cohorts 2013-2018":
        cohort = np.where(cohort > 0, rng.choice(SPREAD, len(cohort)), 0)
    if name.startswith("own deviation falls"):
        fall = int(name.split()[3]) / 100 * (YEARS - YEARS[0])
        national = _national([np.ones(len(size))], rng, YEARS)
        own = _own(rng, block, YEARS)
        growth = national + own * np.where(cohort[:, None] > 0, 1 - fall, 1.0)
    return Panel(growth, YEARS, cohort, block, size, coastal)
