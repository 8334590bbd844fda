"""The cities of a simulated landing and the years of their admission, from the seeds. No I/O."""

from __future__ import annotations

import numpy as np
import pandas as pd


def first_treated_years(city_id: np.ndarray, pilot_zones: pd.DataFrame) -> np.ndarray:
    """Return the first treated year of each city under `second_half_next_year`, 0 for never; zones
    of whole prefectures only.

    Parameters
    ----------
    city_id : ndarray of int, shape (n_cities,)
    pilot_zones : DataFrame
        Columns city_id, approval_date, is_whole_prefecture (seed pilot_zones).

    Returns
    -------
    ndarray of int, shape (n_cities,)
    """
    zones = pilot_zones[pilot_zones["is_whole_prefecture"].astype(str).str.lower() == "true"]
    dates = pd.to_datetime(zones["approval_date"])
    first = (dates.dt.year + (dates.dt.month > 6)).groupby(zones["city_id"].to_numpy()).min()
    return pd.Series(city_id).map(first).fillna(0).to_numpy().astype(int)


def choose_cities(
    roster: pd.DataFrame,
    pilot_zones: pd.DataFrame,
    n_cities: int | None,
    first_year: int,
    last_year: int,
) -> pd.DataFrame:
    """Return cities of the simulated landing: all that publish statistics in the span, or an even
    choice that keeps pilots.

    Parameters
    ----------
    roster, pilot_zones : DataFrame
        The seeds city_roster and pilot_zones.
    n_cities : int or None
        None for all; else this many, about a third of them admitted by 2019 (all if fewer), evenly
        along the codes.
    first_year, last_year : int

    Returns
    -------
    DataFrame
        Rows of the roster, sorted by city_id.

    Raises
    ------
    ValueError
        If `n_cities` is below 2 or above the number of cities.
    """
    ends = roster["valid_to_year"].fillna(9999)
    # Sansha publishes no accounts of its own
    valid = roster[
        (roster["valid_from_year"] <= last_year)
        & (ends >= first_year)
        & (roster["city_id"] != 460300)
    ].sort_values("city_id")
    if n_cities is None:
        return valid.reset_index(drop=True)
    lasting = valid[
        (valid["valid_from_year"] <= first_year)
        & (valid["valid_to_year"].fillna(9999) >= last_year)
    ]
    if not 2 <= n_cities <= len(lasting):
        raise ValueError(
            f"n_cities must lie between 2 and {len(lasting)}; found {n_cities}; choose a number "
            "in that range or none for all"
        )
    treated = first_treated_years(lasting["city_id"].to_numpy(), pilot_zones)
    early = (treated > 0) & (treated <= 2019)
    n_early = min(int(early.sum()), n_cities // 3)
    rows = np.sort(
        np.concatenate(
            [
                _evenly(np.flatnonzero(early), n_early),
                _evenly(np.flatnonzero(~early), n_cities - n_early),
            ]
        )
    )
    return lasting.iloc[rows].reset_index(drop=True)


def _evenly(positions: np.ndarray, n: int) -> np.ndarray:
    """n of the positions, evenly spaced."""
    return positions[(np.arange(n) * len(positions)) // max(n, 1)]
