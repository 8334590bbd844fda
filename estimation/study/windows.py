"""Windows of the primary test, by rule, and the cities that are complete in them."""

from __future__ import annotations

import numpy as np

from ..analyses.primary import BASE_YEAR, FIRST_YEAR, LEAST_SHARE, LEFT_OUT, STUDY_WINDOW
from ..analyses.series import SERIES
from ..analyses.spec import SampleError, Spec
from ..primary.fit import Window
from ..sample.cities import build_sample_cities
from ..sample.marts import Marts
from ..sample.outcomes import build_series


def window_of(marts: Marts, spec: Spec) -> tuple[int, int]:
    """First and last year of a spec: its own, the study window, or the newest.

    The newest ends in the last year in which at least 80 % of the cities with growth in 2019 have
    it; without 2019, of those with growth in the last delivered year of the study window.

    Raises
    ------
    SampleError
        Without a study window, or without growth in it.
    """
    if marts.study_window is None:
        raise SampleError("needs a study window with pairs, found none")
    if marts.city_years is None:
        raise SampleError("needs marts.fct_city_year, which is not there")
    if spec.window or spec.variant == STUDY_WINDOW:
        return spec.window or marts.study_window
    column = SERIES[spec.series].column
    if column not in marts.city_years:
        raise SampleError(f"needs the column {column} of marts.fct_city_year, which is not there")
    known = marts.city_years.dropna(subset=[column])
    cities = known.groupby("year")["city_id"].agg(set)
    first, last = marts.study_window
    delivered = [year for year in cities.index if first <= year <= last]
    if BASE_YEAR not in cities.index and not delivered:
        raise SampleError(f"needs {spec.series} from {first} to {last}, found none")
    base = BASE_YEAR if BASE_YEAR in cities.index else max(delivered)
    enough = LEAST_SHARE * len(cities[base])
    return FIRST_YEAR, max(
        int(year) for year in cities.index if len(cities[year] & cities[base]) >= enough
    )


def city_window(marts: Marts, spec: Spec) -> Window:
    """Cities complete in the spec's window, dated by its treatment rule.

    Raises
    ------
    SampleError
        If the series, the window or the years of the treatment rule are missing.
    """
    window = window_of(marts, spec)
    found, last = build_series(marts.city_years, spec.series, window), window[1]
    if found.years[-1] < last:
        raise SampleError(
            f"needs {spec.series} to {last}: the last year with values is {found.years[-1]}"
        )
    members = build_sample_cities(marts.cities, found.city_ids, spec, last)
    rows = np.searchsorted(found.city_ids, members["city_id"].to_numpy())
    kept = ~np.isin(found.years, LEFT_OUT.get(spec.variant, ()))
    return Window(
        found.d[rows][:, kept],
        found.years[kept],
        members["cohort"].to_numpy(),
        members["province_id"].to_numpy(),
        members["city_id"].to_numpy(),
    )
