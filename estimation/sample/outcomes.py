"""Pair outcomes on any window, from the city series of the marts: another window means new standard
scores (docs/methods, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..analyses.series import SERIES
from ..analyses.spec import SampleError
from ..measures.synchronization import MEASURES, ROUNDING, pair_outcome


@dataclass(frozen=True)
class CitySeries:
    """One series of the cities that are complete in a window.

    Attributes
    ----------
    city_ids : (N,) int array
        Ascending.
    years : (T,) int array
        The window's years from the first in which the series can exist.
    d : (N, T) float array
    """

    city_ids: np.ndarray
    years: np.ndarray
    d: np.ndarray


def split_outcome(outcome: str) -> tuple[str, str] | None:
    """Measure and series of an outcome's name; None where it is not made of a known measure and
    series.
    """
    for measure in sorted(MEASURES, key=len, reverse=True):
        series = outcome.removeprefix(f"{measure}_")
        if series != outcome and series in SERIES and SERIES[series].column:
            return measure, series
    return None


def build_series(city_years: pd.DataFrame, series: str, window: tuple[int, int]) -> CitySeries:
    """Cut one series to a window and to the cities complete in it.

    Parameters
    ----------
    city_years : DataFrame
        ``marts.fct_city_year``: city_id, year and the column of the series.
    series : str
        Of `analyses.series.SERIES`, with a column.
    window : (first year, last year)

    Returns
    -------
    CitySeries

    Raises
    ------
    SampleError
        If fewer than two years or two complete cities are left.
    """
    column = SERIES[series].column
    if column not in city_years:
        raise SampleError(f"needs the column {column} of marts.fct_city_year, which is not there")
    wide = city_years.pivot(index="city_id", columns="year", values=column).astype(float)
    wide = wide.reindex(
        columns=range(int(wide.columns.min()), int(wide.columns.max()) + 1)
    ).sort_index()
    if SERIES[series].as_change:
        wide = 100 * wide.diff(axis=1)
    exists = wide.columns[wide.notna().any(axis=0)]
    years = [
        year
        for year in wide.columns
        if window[0] <= year <= window[1] and len(exists) and year >= exists[0]
    ]
    cut = wide[years].dropna()
    if len(years) < 2 or len(cut) < 2:
        needs = SERIES[series].needs
        found = len(cut) if years else 0
        raise SampleError(
            f"needs {needs} without gaps from {window[0]} to {window[1]} for at least two cities, "
            f"found {found} of them"
        )
    return CitySeries(
        cut.index.to_numpy(dtype=np.int64), np.array(years, dtype=np.int64), cut.to_numpy()
    )


def moving(found: CitySeries) -> CitySeries:
    """Without cities whose series never moves, which have no standard scores."""
    moves = ((found.d - found.d.mean(axis=1, keepdims=True)) ** 2).mean(axis=1) > ROUNDING
    return CitySeries(found.city_ids[moves], found.years, found.d[moves])


def build_synchronization(
    city_years: pd.DataFrame, outcomes: tuple[str, ...], window: tuple[int, int]
) -> pd.DataFrame:
    """Return outcomes of all pairs on a window, in the form of ``marts.fct_pair_synchronization``.

    Parameters
    ----------
    city_years : DataFrame
    outcomes : tuple of str
        ``<measure>_<series>``, all of one series.
    window : (first year, last year)

    Returns
    -------
    DataFrame
        city_i_id, city_j_id, year and the outcomes, in order of the keys.

    Raises
    ------
    SampleError
        If an outcome cannot be made from city series, or the series is missing.
    """
    parts = [split_outcome(outcome) for outcome in outcomes]
    unknown = [outcome for outcome, part in zip(outcomes, parts, strict=True) if part is None]
    if unknown:
        raise SampleError(
            f"{unknown[0]} cannot be recomputed from city series; it exists on the study window "
            "only"
        )
    found = build_series(city_years, parts[0][1], window)
    left, right = np.triu_indices(len(found.city_ids), 1)
    values = {
        outcome: pair_outcome(measure, found.d, left, right).ravel()
        for outcome, (measure, _) in zip(outcomes, parts, strict=True)
    }
    n_years = len(found.years)
    return pd.DataFrame(
        {
            "city_i_id": np.repeat(found.city_ids[left], n_years),
            "city_j_id": np.repeat(found.city_ids[right], n_years),
            "year": np.tile(found.years, len(left)),
            **values,
        }
    )
