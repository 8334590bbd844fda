"""Growth from a published database, with the real admissions dealt again before anything is
computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from estimation.primary.city_panel import build_panel
from estimation.primary.fitted_order import fit_order
from estimation.primary.redeal import deal

from .designs import Panel

QUERY = (
    "select city_id, year, {column} as value from marts.fct_city_year "
    "where {column} is not null and year between ? and ?"
)
DATES = "select distinct city_id, treated_year from marts.dim_city"
COASTAL = "select distinct city_id, is_coastal from marts.dim_city"
EXPORT_SHARE = """
select city_id, avg(value / gdp_nominal_cny_100m) as share
from marts.fct_indicator_observation join marts.fct_city_year using (city_id, year)
where indicator_id = 'exports_cny_100m' and is_current and gdp_nominal_cny_100m > 0
group by city_id
"""
BEFORE = 5
SHUFFLED = 20261127


@dataclass(frozen=True)
class _Cities:
    """Cities that are complete in a window: ids, growth (N, T), real first treated years (0 = none
    by its end), blocks, standardised size and coast, (N,) each.
    """

    ids: np.ndarray
    growth: np.ndarray
    cohort: np.ndarray
    block: np.ndarray
    size: np.ndarray
    coastal: np.ndarray


@cache
def read_delivered(
    database: Path, first: int, last: int, column: str = "growth_official_pct"
) -> Panel:
    """Growth of the cities that are complete in a window, from a published warehouse, with the
    first treated years of each province dealt to its cities anew; size is the standardised log of
    mean nominal GDP in the five years before the window.

    Parameters
    ----------
    database : Path
    first, last : int
    column : str
        Of `marts.fct_city_year`.
    """
    cities = _read_cities(database, first, last, column)
    cohort = cities.cohort[deal(cities.block, 20, SHUFFLED)[1]]
    return Panel(
        cities.growth,
        np.arange(first, last + 1),
        np.where(cohort <= last, cohort, 0),
        cities.block,
        cities.size,
        cities.coastal,
    )


@cache
def order_score(database: Path, first: int, last: int) -> np.ndarray:
    """X'theta (N,) of the order in which cities were really admitted, for pseudo-admissions that
    follow it; no growth enters but for which cities are complete.
    """
    cities = _read_cities(database, first, last, "growth_official_pct")
    cohort = np.where(cities.cohort <= last, cities.cohort, 0)
    years = np.arange(first, last + 1)
    panel = build_panel(cities.growth, years, cohort, cities.block)
    return fit_order(panel, np.column_stack([cities.size, cities.size**2, cities.coastal]))


@cache
def read_before(database: Path, first: int, last: int) -> np.ndarray:
    """Mean growth in the five years before a window of its complete cities, standardised, (N,)."""
    ids = _read_cities(database, first, last, "growth_official_pct").ids
    with duckdb.connect(str(database), read_only=True) as connection:
        growth = _wide(connection, "growth_official_pct", first - BEFORE, first - 1)
    return _standardised(growth.mean(axis=1).reindex(ids))


@cache
def read_export_share(database: Path, first: int, last: int) -> np.ndarray:
    """Mean exports over product in the years with both, of a window's complete cities,
    standardised, (N,).
    """
    ids = _read_cities(database, first, last, "growth_official_pct").ids
    with duckdb.connect(str(database), read_only=True) as connection:
        share = connection.execute(EXPORT_SHARE).df().set_index("city_id")["share"]
    return _standardised(share.reindex(ids))


def _standardised(values: pd.Series) -> np.ndarray:
    """Cities without a value take the median."""
    known = values.fillna(values.median()).to_numpy(dtype=float)
    return (known - known.mean()) / known.std()


def _read_cities(database: Path, first: int, last: int, column: str) -> _Cities:
    with duckdb.connect(str(database), read_only=True) as connection:
        growth = _wide(connection, column, first, last).dropna()
        gdp = _wide(connection, "gdp_nominal_cny_100m", first - BEFORE, first - 1)
        dates = dict(connection.execute(DATES).fetchall())
        coastal = connection.execute(COASTAL).df().set_index("city_id")["is_coastal"]
    ids = growth.index.to_numpy()
    known = np.nanmean(gdp.reindex(ids).to_numpy(), axis=1)
    size = np.log(np.where(np.isfinite(known), known, np.nanmin(known)))
    return _Cities(
        ids,
        growth.to_numpy(),
        np.array([dates.get(city) or 0 for city in ids]),
        np.unique(ids // 10000, return_inverse=True)[1],
        (size - size.mean()) / size.std(),
        coastal.reindex(ids).to_numpy(dtype=float),
    )


def _wide(
    connection: duckdb.DuckDBPyConnection, column: str, first: int, last: int
) -> pd.DataFrame:
    rows = connection.execute(QUERY.format(column=column), [first, last]).df()
    wide = rows.pivot(index="city_id", columns="year", values="value")
    return wide.reindex(columns=range(first, last + 1))
