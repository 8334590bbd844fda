"""Whole sources that the benchmark of harm puts beside a landing: bad ones with one fault each, and
sound ones.

A change takes the right values (columns indicator_id, city_id, year, value) and a random generator
and returns the lines of a source. Rates are in per cent, and change in points where levels change
by a share of themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

GDP, POPULATION, FDI = "gdp_nominal_cny_100m", "population_registered_10k", "fdi_usd_1m"
LOANS, WAGE = "loans_cny_100m", "wage_avg_cny"
GROWTH = "gdp_growth_official_pct"
# two indicators with several independent sources, one whose three sources are one family, two with
# a single source, and the rate whose level is the first
LEVELS = (GDP, POPULATION, FDI, LOANS, WAGE)
INDICATORS = (*LEVELS, GROWTH)
CELL = ["indicator_id", "city_id", "year"]
CITY_YEAR = ["city_id", "year"]

Frame = pd.DataFrame
Change = Callable[[Frame, np.random.Generator], Frame]


@dataclass(frozen=True)
class Planting:
    """A source to add.

    Attributes
    ----------
    name : what is wrong with it, or how a sound one differs.
    change : makes its lines of the right values.
    copies : 2 gives it a twin of the same figures.
    known : the source of `source_priority` of which it is the newest edition; None for a source
        that nobody knows.
    """

    name: str
    change: Change
    copies: int = 1
    known: str | None = None


def years_late(
    lines: Frame,
    rng: np.random.Generator,
    indicators: Sequence[str] = INDICATORS,
    since: int = 0,
    noise: float = 0.0,
) -> Frame:
    """Every figure stands under the year after its own."""
    late = lines["indicator_id"].isin(indicators) & (lines["year"] + 1 >= since)
    moved = lines[late].assign(year=lines["year"] + 1)
    stays = lines[~late | (lines["year"] < since)]
    return with_noise(pd.concat([stays, moved]).drop_duplicates(CELL), rng, noise)


def rows_off(
    lines: Frame,
    rng: np.random.Generator,
    indicators: Sequence[str] = INDICATORS,
    years: Sequence[int] = (),
    provinces: Sequence[int] = (),
) -> Frame:
    """Each city has the figure of the next one by code; in some years or provinces, or
    everywhere.
    """
    off = lines["indicator_id"].isin(indicators)
    off &= lines["year"].isin(years) if years else True
    off &= (lines["city_id"] // 10000).isin(provinces) if provinces else True
    ordered = lines.sort_values([*CELL[:1], "year", "city_id"])
    following = ordered.groupby(["indicator_id", "year"])["value"].shift(-1)
    value = lines["value"].where(~off, following.reindex(lines.index))
    return lines.assign(value=value).dropna(subset="value")


def provinces_exchanged(
    lines: Frame, rng: np.random.Generator, provinces: Sequence[int], years: Sequence[int]
) -> Frame:
    """The cities of two provinces, in the order of their codes, have each other's figures."""
    here, there = (
        np.sort(lines.loc[lines["city_id"] // 10000 == province, "city_id"].unique())
        for province in provinces
    )
    n = min(len(here), len(there))
    giver = dict(zip([*here[:n], *there[:n]], [*there[:n], *here[:n]], strict=True))
    off = lines["year"].isin(years) & lines["city_id"].isin(giver)
    cells = lines[off].assign(city_id=lines["city_id"].map(giver))[CELL]
    theirs = cells.merge(lines, on=CELL, how="left")["value"].to_numpy()
    value = lines["value"].copy()
    value[off] = theirs
    return lines.assign(value=value).dropna(subset="value")


def times(
    lines: Frame,
    rng: np.random.Generator,
    factor: float,
    since: int = 0,
    until: int = 9999,
    provinces: Sequence[int] = (),
    rate_factor: float = 1.0,
) -> Frame:
    """Levels of a span of years, or of some provinces, in another unit, and rates times
    ``rate_factor``.
    """
    off = lines["year"].between(since, until)
    off &= (lines["city_id"] // 10000).isin(provinces) if provinces else True
    by = np.where(lines["indicator_id"] == GROWTH, rate_factor, factor)
    return lines.assign(value=lines["value"].where(~off, lines["value"] * by))


def city_proper(lines: Frame, rng: np.random.Generator, every: int) -> Frame:
    """One in ``every`` of the cities without its counties, each by a share of its own; its growth
    is off by some points.
    """
    cities = np.sort(lines["city_id"].unique())
    chosen = set(cities[rng.permutation(len(cities)) % every == 0])
    share = dict(zip(cities, rng.uniform(0.25, 0.75, len(cities)), strict=True))
    off = lines["city_id"].isin(chosen)
    part = lines["value"] * lines["city_id"].map(share)
    faster = (lines["value"] + rng.normal(0, 3, len(lines))).round(1)
    part = part.where(lines["indicator_id"] != GROWTH, faster)
    return lines.assign(value=lines["value"].where(~off, part))


def resident_for_registered(lines: Frame, rng: np.random.Generator, since: int) -> Frame:
    """Persons living there in place of persons registered, from a year on."""
    share = dict(zip(lines["city_id"].unique(), rng.normal(0, 0.12, 1000), strict=False))
    off = (lines["indicator_id"] == POPULATION) & (lines["year"] >= since)
    return lines.assign(
        value=lines["value"].where(~off, lines["value"] * np.exp(lines["city_id"].map(share)))
    )


def with_faults(lines: Frame, rng: np.random.Generator, share: float, size: float) -> Frame:
    """A share of the cells wrong by itself, up or down: levels by 0.1 to ``size`` log points, rates
    by one to ten times ``size`` points.
    """
    off = rng.random(len(lines)) < share
    sign = np.where(rng.random(len(lines)) < 0.5, -1, 1)
    moved = moved_by(lines, sign * rng.uniform(0.1, size, len(off)), points=10)
    return lines.assign(value=lines["value"].where(~off, moved))


def repeated(lines: Frame, rng: np.random.Generator, years: Sequence[int]) -> Frame:
    """Some years hold the figures of the year before once more."""
    before = lines.assign(year=lines["year"] + 1)
    before = before[before["year"].isin(years)]
    return pd.concat([before, lines]).drop_duplicates(CELL)


def rates_of_other_kinds(lines: Frame, rng: np.random.Generator, first_year: int) -> Frame:
    """Rates of six years, one fault each: growth at current prices, an index, a fraction, without
    its sign, the mean of five years, and times 1.15.
    """
    levels = lines[lines["indicator_id"] == GDP].set_index(CITY_YEAR)["value"]
    before = levels.copy()
    before.index = before.index.set_levels(before.index.levels[1] + 1, level=1)
    at_prices = (100 * (levels / before - 1)).round(2).dropna()
    rates = lines[lines["indicator_id"] == GROWTH].set_index(CITY_YEAR)["value"]
    table = rates.unstack("year")
    five_years = table.T.rolling(5, min_periods=5).mean().T.stack().round(1)
    wrong = [
        at_prices,
        100 + rates,
        rates / 100,
        rates.abs(),
        five_years,
        (1.15 * rates).round(1),
    ]
    made = []
    for number, values in enumerate(wrong):
        year = values[values.index.get_level_values("year") == first_year + number]
        made.append(year.rename("value").reset_index().assign(indicator_id=GROWTH))
    changed = pd.concat(made).dropna()
    is_changed = (lines["indicator_id"] == GROWTH) & lines["year"].isin(changed["year"])
    return pd.concat([lines[~is_changed], changed])


def with_noise(lines: Frame, rng: np.random.Generator, size: float) -> Frame:
    """Every value moved by itself, in log points, as another vintage: by at most twice the size."""
    return lines.assign(
        value=moved_by(lines, size * np.clip(rng.normal(0, 1, len(lines)), -2, 2), points=25)
    )


def moved_by(lines: Frame, size: np.ndarray, points: float) -> pd.Series:
    """Levels moved by ``size`` log points, rates by ``points`` times as many points."""
    levels = lines["value"] * np.exp(size)
    rates = (lines["value"] + points * size).round(2)
    return levels.where(lines["indicator_id"] != GROWTH, rates)


def part_of(
    lines: Frame,
    rng: np.random.Generator,
    indicators: Sequence[str] = INDICATORS,
    since: int = 0,
    share: float = 1.0,
    noise: float = 0.0,
    digits: int = 10,
) -> Frame:
    """A sound source that holds some indicators, years and cities, rounded as it likes."""
    cities = np.sort(lines["city_id"].unique())
    chosen = set(cities[rng.random(len(cities)) <= share])
    kept = lines[
        lines["indicator_id"].isin(indicators)
        & (lines["year"] >= since)
        & lines["city_id"].isin(chosen)
    ]
    kept = with_noise(kept, rng, noise)
    return kept.assign(value=kept["value"].map(lambda v: float(f"{v:.{digits}g}")))


def of_one_growth(lines: Frame, rng: np.random.Generator, change: Change) -> Frame:
    """A source of rates of growth alone."""
    return change(lines[lines["indicator_id"] == GROWTH], rng)


# Of what a seed knows: the source that comes before all others, one with a place among the first,
# and a yearbook.
FIRST, MAIN, YEARBOOK = "tidy", "csmar_region", "yearbook_merged"
_five_per_cent = partial(with_faults, share=0.05, size=0.7)
BAD = (
    Planting("product a year late", partial(years_late, indicators=[GDP]), known=FIRST),
    Planting(
        "product a year late, another vintage", partial(years_late, indicators=[GDP], noise=0.004)
    ),
    Planting("growth a year late", partial(of_one_growth, change=years_late), known=FIRST),
    Planting("everything a year late", years_late, known=YEARBOOK),
    Planting("a year late from 2010 on", partial(years_late, since=2010), known=MAIN),
    Planting(
        "investment from abroad a row off in 2008",
        partial(rows_off, indicators=[FDI], years=[2008]),
    ),
    Planting(
        "everything a row off in 2008 and 2010", partial(rows_off, years=[2008, 2010]), known=MAIN
    ),
    Planting("a row off in all years", rows_off),
    Planting(
        "two provinces a row off in 2012",
        partial(rows_off, years=[2012], provinces=[37, 44]),
        known=FIRST,
    ),
    Planting(
        "two provinces exchanged in 2012",
        partial(provinces_exchanged, years=[2012], provinces=[37, 44]),
    ),
    Planting("tenfold", partial(times, factor=10.0, rate_factor=10.0)),
    Planting("in US dollars from 2012 on", partial(times, factor=0.15, since=2012), known=YEARBOOK),
    Planting(
        "a ten-thousandth, and rates a hundredth, in one year",
        partial(times, factor=1e-4, rate_factor=0.01, since=2009, until=2009),
    ),
    Planting(
        "three provinces a tenth", partial(times, factor=0.1, provinces=[23, 41, 51]), known=MAIN
    ),
    Planting("city proper for a third of the cities", partial(city_proper, every=3)),
    Planting("resident for registered from 2010 on", partial(resident_for_registered, since=2010)),
    Planting("growth of six other kinds", partial(rates_of_other_kinds, first_year=2008), 1, FIRST),
    Planting("two copies with the same 5 per cent wrong", _five_per_cent, 2),
    Planting("copy with a third of cells wrong", partial(with_faults, share=0.33, size=0.7)),
    Planting(
        "edition that repeats 2007 and 2013", partial(repeated, years=[2007, 2013]), known=MAIN
    ),
)
SOUND = tuple(
    Planting(name, partial(part_of, **how))
    for name, how in {
        "the same digits": {},
        "three digits": {"digits": 3},
        "four digits": {"digits": 4},
        "another vintage, 0.1 per cent": {"noise": 0.001},
        "another vintage, 0.2 per cent": {"noise": 0.002},
        "another vintage, 0.3 per cent": {"noise": 0.003},
        "since 2000": {"since": 2000},
        "since 2005": {"since": 2005},
        "since 2010": {"since": 2010},
        "since 2010, another vintage": {"since": 2010, "noise": 0.002},
        "half of the cities": {"share": 0.5},
        "half of the cities, another vintage": {"share": 0.5, "noise": 0.002},
        "a quarter of the cities": {"share": 0.25},
        "product alone": {"indicators": [GDP]},
        "population alone": {"indicators": [POPULATION]},
        "investment from abroad alone": {"indicators": [FDI]},
        "growth alone": {"indicators": [GROWTH]},
        "wages alone": {"indicators": [WAGE]},
        "loans and wages, four digits": {"indicators": [LOANS, WAGE], "digits": 4},
        "product and population since 2005": {"indicators": [GDP, POPULATION], "since": 2005},
    }.items()
)
