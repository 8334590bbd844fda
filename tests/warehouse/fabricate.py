"""Fabricated raw Parquet files in the shape of the raw interface: a small, made-up landing that dbt
can be built on.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.ingest.place_names import read_seed

RAW_TYPES = {
    "source_id": "string",
    "edition_year": "Int32",
    "file_name": "string",
    "sheet_name": "string",
    "cell_ref": "string",
    "row_no": "Int32",
    "col_no": "Int32",
    "place_level": "string",
    "place_code_text": "string",
    "place_text": "string",
    "year_text": "string",
    "year": "Int32",
    "indicator_id": "string",
    "unit_text": "string",
    "raw_text": "string",
    "value": "Float64",
    "reason": "string",
    "detail": "string",
    "observation_note": "string",
    "place_within_text": "string",
}


def cities_of(*provinces: int) -> list[int]:
    """Codes of the cities of today in these provinces, in the roster's order."""
    roster = [city for city in read_seed("city_roster") if not city["valid_to_year"]]
    return [int(city["city_id"]) for city in roster if int(city["province_id"]) in provinces]


def raw_row(
    source_id: str,
    place: str,
    year: int | None,
    indicator_id: str,
    value: float | None,
    **more: object,
) -> dict[str, object]:
    """One raw line; the place is a code if it is numeric, else a name."""
    is_code = place.isdigit()
    row = {
        "source_id": source_id,
        "file_name": "observations.csv",
        "place_level": None if source_id == "tidy" else "city",
        "place_code_text": place if is_code else None,
        "place_text": None if is_code else place,
        "year_text": None if year is None else str(year),
        "year": year,
        "indicator_id": indicator_id,
        "raw_text": None if value is None else repr(value),
        "value": value,
    }
    return row | more


def write_raw(build: Path, rows: list[dict[str, object]]) -> None:
    """Write rows as one raw Parquet file a source and the list of input files beside them."""
    (build / "raw").mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows, columns=list(RAW_TYPES)).astype(RAW_TYPES)
    for nth, (source_id, group) in enumerate(frame.groupby("source_id", sort=True)):
        part = group.copy()
        part["row_no"] = part["row_no"].fillna(
            pd.Series(np.arange(2, len(part) + 2), index=part.index)
        )
        part["col_no"] = part["col_no"].fillna(4)
        part["cell_ref"] = part["cell_ref"].fillna("D" + part["row_no"].astype("string"))
        part.to_parquet(build / "raw" / f"{nth}_{source_id}.parquet", index=False)
    input_file = {
        "path": "tidy/observations.csv",
        "source_id": "tidy",
        "edition_year": pd.NA,
        "sha256": "0" * 64,
        "bytes": 1,
        "status": "taken",
        "note": "",
        "n_observations": len(rows),
        "n_rejected": 0,
        "raw_path": "",
    }
    pd.DataFrame([input_file]).astype({"edition_year": "Int32"}).to_parquet(
        build / "input_file.parquet", index=False
    )


def fabricate_economies(
    n_cities: int = 30, first_year: int = 2003, last_year: int = 2021, seed: int = 1
) -> list[dict[str, object]]:
    """Raw rows of made-up cities from the roster: growth, nominal GDP in two sources, prices,
    population, area, finance, employment.
    """
    rng = np.random.default_rng(seed)
    roster = [city for city in read_seed("city_roster") if not city["valid_to_year"]]
    step = max(1, len(roster) // n_cities)
    cities = roster[::step][:n_cities]
    years = np.arange(first_year, last_year + 1)
    national = rng.normal(0, 1.5, years.size) + np.linspace(12, 6, years.size)
    rows: list[dict[str, object]] = []
    for province_id in sorted({city["province_id"] for city in cities}):
        for year, value in zip(years, 102 + rng.normal(0, 1, years.size), strict=True):
            rows.append(
                raw_row("tidy", province_id, int(year), "cpi_prev_year_100", round(float(value), 2))
            )
    for nth, city in enumerate(cities):
        rows += _fabricate_city(rng, nth, city, years, national)
    return rows


def _fabricate_city(
    rng, nth: int, city: dict[str, str], years: np.ndarray, national: np.ndarray
) -> list[dict[str, object]]:
    growth = np.round(national * rng.uniform(0.6, 1.4) + rng.normal(0, 1.5, years.size), 1)
    nominal = 100 * rng.uniform(1, 30) * np.cumprod(1 + (growth + 2) / 100)
    population = 100 * rng.uniform(1, 9) * np.cumprod(np.full(years.size, 1.004))
    columns = {
        "gdp_growth_official_pct": growth,
        "gdp_nominal_cny_100m": np.round(nominal, 2),
        "population_registered_10k" if nth % 5 == 4 else "population_resident_10k": np.round(
            population, 2
        ),
        "area_km2": np.full(years.size, round(rng.uniform(1500, 40000), 1)),
        "loans_cny_100m": np.round(nominal * rng.uniform(0.6, 1.5), 2),
        "deposits_cny_100m": np.round(nominal * rng.uniform(0.9, 2), 2),
        "gdp_share_tertiary_pct": np.round(rng.uniform(30, 60, years.size), 2),
        "gdp_per_capita_cny": np.round(nominal / population * 10000),
        "wage_avg_cny": np.round(
            20000 * np.cumprod(np.full(years.size, 1.08)) * rng.uniform(0.8, 1.3)
        ),
        "employed_education_10k": np.round(population * 0.012, 3),
        "employed_information_10k": np.round(population * 0.002, 3),
    }
    rows = [
        raw_row("csmar_region", city["city_id"], int(year), indicator_id, float(value))
        for indicator_id, values in columns.items()
        for year, value in zip(years, values, strict=True)
    ]
    return rows + [
        raw_row(
            "finance_loans",
            city["city_name_zh"],
            int(year),
            "gdp_nominal_cny_100m",
            float(value),
            unit_text="万元",
        )
        for year, value in zip(years, np.round(nominal * 1.01 * 10000), strict=True)
    ]
