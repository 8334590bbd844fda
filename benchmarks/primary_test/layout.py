"""Places of cities and the layout of the real list, from the seeds; growth from a published
database, with the real admissions dealt again before anything is computed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from estimation.primary.redeal import deal

SEEDS = Path(__file__).resolve().parents[2] / "warehouse" / "seeds"
SIMULATED_CITIES = 332
SECOND_HALF = 7
QUERY = (
    "select city_id, year, {column} as value from marts.fct_city_year where {column} is not null "
    "order by city_id, year"
)
DATES = "select distinct city_id, treated_year from marts.dim_city"
BEFORE = 5
SHUFFLED = 20261127


@dataclass(frozen=True, eq=False)
class Cities:
    """Cities of the roster.

    Attributes
    ----------
    city_id, province_id : (N,) int arrays
    lon, lat : (N,) float arrays
    coastal : (N,) bool array
    """

    city_id: np.ndarray
    province_id: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    coastal: np.ndarray

    @property
    def block(self) -> np.ndarray:
        """Province of each city, from 0."""
        return np.unique(self.province_id, return_inverse=True)[1]

    def take(self, rows: np.ndarray) -> Cities:
        """Some of the cities."""
        return Cities(
            *(
                getattr(self, name)[rows]
                for name in ("city_id", "province_id", "lon", "lat", "coastal")
            )
        )


def read_cities() -> Cities:
    """Every city of the roster, by id."""
    with (SEEDS / "city_roster.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["city_id"]))
    return Cities(
        np.array([int(row["city_id"]) for row in rows]),
        np.array([int(row["province_id"]) for row in rows]),
        np.array([float(row["lon_deg"]) for row in rows]),
        np.array([float(row["lat_deg"]) for row in rows]),
        np.array([row["is_coastal"] == "true" for row in rows]),
    )


def simulated_cities() -> Cities:
    """332 cities of the roster, the same each time."""
    cities = read_cities()
    chosen = np.random.default_rng(SIMULATED_CITIES).choice(
        len(cities.city_id), SIMULATED_CITIES, replace=False
    )
    return cities.take(np.sort(chosen))


def read_layout() -> dict[tuple[int, int], int]:
    """Pilots of each province and first treated year on the real list: numbers alone, no city.

    Whole prefectures; a zone approved in July to December counts from the next year.
    """
    counts: dict[tuple[int, int], int] = {}
    with (SEEDS / "pilot_zones.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["is_whole_prefecture"] != "true":
                continue
            year, month = int(row["approval_date"][:4]), int(row["approval_date"][5:7])
            key = (int(row["city_id"]) // 10000 * 10000, year + (month >= SECOND_HALF))
            counts[key] = counts.get(key, 0) + 1
    return counts


@dataclass(frozen=True)
class Delivered:
    """Growth of the cities that are complete in a window.

    Attributes
    ----------
    growth : (N, T) float array
    years : (T,) int array
    province_id : (N,) int array
    size : (N,) float array
        Standardised log of mean nominal GDP in the five years before the window.
    cohort : (N,) int array
        First treated years of the province's cities, dealt to them anew; 0 = never in the window.
    """

    growth: np.ndarray
    years: np.ndarray
    province_id: np.ndarray
    size: np.ndarray
    cohort: np.ndarray


def read_delivered(
    database: Path, first: int, last: int, column: str = "growth_official_pct"
) -> Delivered:
    """Growth of a window from a published warehouse.

    Parameters
    ----------
    database : Path
    first, last : int
    column : str
        Of `marts.fct_city_year`.
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        growth = _wide(connection, column, first, last)
        gdp = _wide(connection, "gdp_nominal_cny_100m", first - BEFORE, first - 1)
        dates = dict(connection.execute(DATES).fetchall())
    ids = sorted(city for city, row in growth.items() if np.isfinite(row).all())
    known = np.array([np.nanmean(gdp[city]) if city in gdp else np.nan for city in ids])
    size = np.log(np.where(np.isfinite(known), known, np.nanmin(known)))
    provinces = np.array(ids) // 10000 * 10000
    block = np.unique(provinces, return_inverse=True)[1]
    cohort = np.array([dates.get(city) or 0 for city in ids])[deal(block, 20, SHUFFLED)[1]]
    return Delivered(
        np.array([growth[city] for city in ids]),
        np.arange(first, last + 1),
        provinces,
        (size - size.mean()) / size.std(),
        np.where(cohort <= last, cohort, 0),
    )


def _wide(
    connection: duckdb.DuckDBPyConnection, column: str, first: int, last: int
) -> dict[int, np.ndarray]:
    rows: dict[int, np.ndarray] = {}
    for city, year, value in connection.execute(QUERY.format(column=column)).fetchall():
        if first <= year <= last:
            rows.setdefault(city, np.full(last - first + 1, np.nan))[year - first] = value
    return rows
