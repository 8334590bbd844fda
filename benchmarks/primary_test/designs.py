"""Economies whose admissions are selected, pseudo-admissions on delivered growth, and effects
imposed on them. Numbers only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .layout import Cities

COHORTS = (2015, 2016, 2019)
COHORT_SIZES = (1, 12, 21)
N_PILOTS = sum(COHORT_SIZES)
YEARS = np.arange(2010, 2020)
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
    """

    growth: np.ndarray
    years: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    size: np.ndarray


def choose(log_weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pilots drawn one after the other without replacement, with weights exp(log_weight) (maxima of
    Gumbel variables).
    """
    return np.argsort(-(log_weight + rng.gumbel(size=len(log_weight))), kind="stable")[:N_PILOTS]


def admit(pilots: np.ndarray, n_cities: int, rng: np.random.Generator, back: int = 0) -> np.ndarray:
    """Cohorts of the real sizes dealt to the pilots at random, `back` years earlier than the real
    ones; (N,) ints.
    """
    cohort = np.zeros(n_cities, dtype=np.int64)
    cohort[pilots] = rng.permutation(np.repeat(np.array(COHORTS) - back, COHORT_SIZES))[
        : len(pilots)
    ]
    return cohort


def admit_layout(
    province: np.ndarray,
    counts: dict[tuple[int, int], int],
    last_year: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """As many pseudo-pilots in each province and cohort as the list has until `last_year`, drawn
    among the province's cities; (N,) ints.
    """
    cohort = np.zeros(len(province), dtype=np.int64)
    for name in np.unique(province):
        years = [
            year
            for (place, year), n in sorted(counts.items())
            if place == name and year <= last_year
            for _ in range(n)
        ]
        drawn = rng.permutation(np.flatnonzero(province == name))[: len(years)]
        cohort[drawn] = years[: len(drawn)]
    return cohort


def _own(
    rng: np.random.Generator, block: np.ndarray, share: float = 0.3, rho: float = 0.0
) -> np.ndarray:
    """Own shocks of variance one, `share` of it the province's, first-order autocorrelation rho."""
    paths = []
    for n in (int(block.max()) + 1, len(block)):
        x = rng.normal(size=(n, len(YEARS)))
        for t in range(1, len(YEARS)):
            x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * x[:, t]
        paths.append(x)
    return np.sqrt(share) * paths[0][block] + np.sqrt(1 - share) * paths[1]


def _national(loadings: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return sum(np.multiply.outer(loading, rng.normal(size=len(YEARS))) for loading in loadings)


def _calmer(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    own = _own(rng, cities.block) * np.exp(-0.35 * size)[:, None]
    return _national([np.ones(len(size))], rng) + own


def _factors(
    first: float, others: tuple[float, ...]
) -> Callable[[Cities, np.ndarray, np.random.Generator], np.ndarray]:
    def draw(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _national([level + 0.25 * size for level in (first, *others)], rng) + _own(
            rng, cities.block
        )

    return draw


def _calming(
    depth: float, steepness: float
) -> Callable[[Cities, np.ndarray, np.random.Generator], np.ndarray]:
    def draw(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        done = 1 / (1 + np.exp(-(YEARS[None, :] - (2015 - steepness * size[:, None]))))
        return _national([np.ones(len(size))], rng) + _own(rng, cities.block) * (1 - depth * done)

    return draw


def _provincial(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _national([np.ones(len(size))], rng) + _own(rng, cities.block, 0.7, 0.5)


def _coast(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    lat, lon = np.radians(cities.lat), np.radians(cities.lon)
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    correlation = np.exp(-2 * KM * np.arcsin(np.sqrt(half)) / 1000)
    root = np.linalg.cholesky(correlation + 1e-9 * np.eye(len(lat)))
    return _national([np.ones(len(size))], rng) + np.einsum(
        "ij,jt->it", root, rng.normal(size=(len(lat), len(YEARS)))
    )


def _wandering(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    walk = np.cumsum(0.15 * rng.normal(size=(len(size), len(YEARS))), axis=1)
    return (1 + 0.25 * size[:, None] + walk) * rng.normal(size=len(YEARS)) + _own(rng, cities.block)


def _late_entry(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    growth = _national([np.ones(len(size))], rng) + _own(rng, cities.block)
    late = np.argsort(size - rng.gumbel(size=len(size)), kind="stable")[: len(size) // 5]
    growth[late, :3] = np.nan
    return growth


def _plain(cities: Cities, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _national([np.ones(len(size))], rng) + _own(rng, cities.block)


# how growth is drawn; log-weight of admission per standard deviation of size
SELECTION = {
    "calmer": (_calmer, 2.0),
    "two_factors": (_factors(1.0, (0.5,)), 2.0),
    "three_factors": (_factors(1.0, (0.5, 0.5)), 4.0),
    "calming_earlier": (_calming(0.5, 1.5), 2.0),
    "calming_strongly": (_calming(0.7, 1.5), 2.0),
    "provincial": (_provincial, 0.0),
    "coast": (_coast, 0.0),
    "wandering": (_wandering, 2.0),
    "late_entry": (_late_entry, 2.0),
    "whole_provinces": (_plain, 0.0),
}


def draw_selected(name: str, cities: Cities, rng: np.random.Generator) -> Panel:
    """One economy without effect whose admissions are selected; docs/evidence/primary-test.md has
    the formulas.
    """
    draw, pull = SELECTION[name]
    size = rng.normal(size=len(cities.block))
    growth, block = draw(cities, size, rng), cities.block
    weight = pull * size
    if name == "coast":
        weight = np.where(cities.coastal, weight, -np.inf)
    if name == "whole_provinces":
        pilots = _whole_provinces(block, rng)
        cohort = np.zeros(len(block), dtype=np.int64)
        cohort[pilots] = rng.choice(np.repeat(COHORTS, COHORT_SIZES), len(pilots))
    else:
        cohort = admit(choose(weight, rng), len(block), rng)
    return Panel(growth, YEARS, cohort, block, size)


def _whole_provinces(block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All cities of provinces drawn at random until there are as many pilots as on the list."""
    rank = np.argsort(rng.permutation(int(block.max()) + 1), kind="stable")[block]
    last = np.sort(rank)[N_PILOTS - 1]
    return np.flatnonzero(rank <= last)


def impose(panel: Panel, kind: str) -> Panel:
    """Growth of the pseudo-pilots with an imposed effect.

    ``S-60``: own shock times sqrt(0.4) from admission on, the loading from untreated years.
    ``W-60``: the same, the loading from the whole window. ``L-50``: loading on the detrended cycle
    times 1.5.
    """
    growth, years, never = panel.growth.copy(), panel.years, panel.cohort == 0
    share, time = float(kind[2:]) / 100, years - years.mean()
    for i in np.flatnonzero(~never):
        f, d = panel.growth[never & (panel.block != panel.block[i])].mean(axis=0), panel.growth[i]
        after = years >= panel.cohort[i]
        if kind[0] == "L":
            f, d = (x - x.mean() - time * (x @ time) / (time @ time) for x in (f, d))
        fitted = ~after if kind[0] != "W" else np.ones(len(years), dtype=bool)
        fc, dc = f - f[fitted].mean(), d - d[fitted].mean()
        loading = (fc[fitted] @ dc[fitted]) / (fc[fitted] @ fc[fitted])
        if kind[0] == "L":
            growth[i, after] += share * loading * f[after]
        else:
            growth[i, after] += (np.sqrt(1 - share) - 1) * (dc - loading * fc)[after]
    return replace(panel, growth=growth)
