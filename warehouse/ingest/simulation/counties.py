"""Counties of a simulated landing: places below the seed's prefectures and their zones, as a
landing's roster brings them. No I/O.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: About as many as mainland China has counties, districts and county-level cities.
COUNTIES = 2_850
#: What a simulated landing has unless it is told otherwise: the study holds pair-years in memory,
#: and these are 1.8 million over ten years.
DEFAULT_PLACES = 600
# counties lie in a ring round the seat of their prefecture, in degrees
RADIUS_LON, RADIUS_LAT = 0.25, 0.2


def county_roster(roster: pd.DataFrame, n_places: int = COUNTIES) -> pd.DataFrame:
    """Return simulated counties, spread over the prefectures as evenly as their number allows.

    Parameters
    ----------
    roster : DataFrame
        The seed city_roster.
    n_places : int
        At most 99 for each prefecture.

    Returns
    -------
    DataFrame
        Columns of the seed and `parent_id`, the prefecture; codes are the prefecture's with a
        number from 1 in the last two digits. Names say that they are simulated.

    Raises
    ------
    ValueError
        If there are too many or too few.
    """
    parents = roster.sort_values("city_id", ignore_index=True)
    # municipalities end in 0000 and have their counties below 0100
    first = parents["city_id"] + np.where(parents["city_id"] % 10_000 == 0, 100, 0)
    if not 2 <= n_places <= 99 * len(parents):
        raise ValueError(f"n_places must lie between 2 and {99 * len(parents)}; found {n_places}")
    rows = np.arange(n_places) * len(parents) // n_places
    size = np.bincount(rows, minlength=len(parents))
    number = np.concatenate([np.arange(1, n + 1) for n in size])
    angle = 2 * np.pi * number / size[rows]
    counties = parents.iloc[rows].reset_index(drop=True)
    return counties.assign(
        parent_id=counties["city_id"],
        city_id=first.to_numpy()[rows] + number,
        city_name_zh=[
            f"{name}模拟{n}县" for name, n in zip(counties["city_name_zh"], number, strict=True)
        ],
        city_name_en=[
            f"{name} Simulated County {n}"
            for name, n in zip(counties["city_name_en"], number, strict=True)
        ],
        admin_rank=1,
        lon_deg=(counties["lon_deg"] + RADIUS_LON * np.cos(angle)).round(4),
        lat_deg=(counties["lat_deg"] + RADIUS_LAT * np.sin(angle)).round(4),
    )


def county_zones(pilot_zones: pd.DataFrame, counties: pd.DataFrame) -> pd.DataFrame:
    """Return the seed's zones, each in the first county of its prefecture and treating the whole of
    it; none where a prefecture has no county.
    """
    first = counties.groupby("parent_id")["city_id"].min()
    zones = pilot_zones[pilot_zones["city_id"].isin(first.index)]
    return zones.assign(
        city_id=zones["city_id"].map(first).astype(int),
        is_whole_prefecture=True,
        evidence="simulated: a county of the prefecture",
    ).reset_index(drop=True)
