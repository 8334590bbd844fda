"""The map: government seats on a plane, by an equal-area projection of the roster's coordinates; no boundary is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .data import ReportData

WIDTH = 860
MARGIN = 14
# standard parallels and centre usual for maps of China
PARALLELS_DEG, CENTRE_DEG = (25.0, 47.0), (105.0, 35.0)
LANDMARKS = (110000, 310000, 440100, 510100, 650100, 230100, 530100)


def project(lon_deg: np.ndarray, lat_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Albers' equal-area conic projection on the unit sphere; y grows to the south.

    Parameters
    ----------
    lon_deg, lat_deg : (n,) degrees

    Returns
    -------
    x, y : (n,) in radii of the sphere
    """
    lon, lat = np.deg2rad(lon_deg), np.deg2rad(lat_deg)
    first, second, lon0, lat0 = np.deg2rad([*PARALLELS_DEG, *CENTRE_DEG])
    n = (np.sin(first) + np.sin(second)) / 2
    c = np.cos(first) ** 2 + 2 * n * np.sin(first)
    rho, rho0 = np.sqrt(c - 2 * n * np.sin(lat)) / n, np.sqrt(c - 2 * n * np.sin(lat0)) / n
    return rho * np.sin(n * (lon - lon0)), rho * np.cos(n * (lon - lon0)) - rho0


def build_map(data: ReportData, batches: list[dict[str, str]]) -> dict[str, Any]:
    """Points in the order of the cities, years of approval and legend; `points` is empty without cities."""
    cities = data["cities"]
    if cities.empty:
        return {"points": [], "years": [], "legend": [], "landmarks": [], "width": WIDTH, "height": WIDTH, "alt": ""}
    x, y = project(cities["lon_deg"].to_numpy(dtype=float), cities["lat_deg"].to_numpy(dtype=float))
    scale = (WIDTH - 2 * MARGIN) / max(float(np.ptp(x)), 1e-9)
    x, y = MARGIN + (x - x.min()) * scale, MARGIN + (y - y.min()) * scale
    points = [
        {
            "x": round(float(px), 1),
            "y": round(float(py), 1),
            "en": row.city_name_en,
            "zh": row.city_name_zh,
            "batch": None if pd.isna(row.batch) else int(row.batch),
        }
        for row, px, py in zip(cities.itertuples(), x, y, strict=True)
    ]
    ids = cities["city_id"].tolist()
    years = pd.to_datetime(data["batches"]["approval_date"]).dt.year
    first = [] if years.empty else [int(years.min()) - 1]
    return {
        "points": points,
        "landmarks": [points[ids.index(city)] for city in LANDMARKS if city in ids],
        "years": first + sorted({int(year) for year in years}),
        "legend": batches,
        "width": WIDTH,
        "height": round(float(y.max()) + MARGIN),
        "alt": alt_text(data),
    }


def alt_text(data: ReportData) -> str:
    """What the map shows, in one sentence."""
    cities = data["cities"]
    n_zone, n_inside = int(cities["batch"].notna().sum()), int(cities["is_in_sample"].astype(bool).sum())
    return f"Map of {len(cities)} cities by their seats; {n_zone} have a whole-prefecture zone, {n_inside} are in the headline sample."


def map_data(data: ReportData) -> dict[str, Any]:
    """What the map's script needs of the cities and batches."""
    cities = data["cities"]
    years = {int(row.batch): pd.Timestamp(row.approval_date).year for row in data["batches"].itertuples()}
    return {
        "ids": [int(code) for code in cities["city_id"]],
        "en": cities["city_name_en"].tolist(),
        "zh": cities["city_name_zh"].tolist(),
        "province_en": cities["province_name_en"].tolist(),
        "province_zh": cities["province_name_zh"].tolist(),
        "batch": [None if pd.isna(batch) else int(batch) for batch in cities["batch"]],
        "batch_year": {str(batch): year for batch, year in years.items()},
    }
