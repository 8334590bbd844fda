"""Exposure rules on the marts: who may be admitted, and whom an admission reaches."""

from __future__ import annotations

import numpy as np

from ..analyses.spec import SampleError
from ..primary.exposure import Admitted, Ring, Tied
from ..sample.exposure import TREATED_YEAR, reach_of
from ..sample.marts import Marts


def exposure_of(
    marts: Marts, rule: str, observed: np.ndarray, last_year: int
) -> tuple[Admitted, Ring | Tied]:
    """What `primary.exposure.fit_exposure` asks for besides the outcome.

    Parameters
    ----------
    marts : Marts
    rule : str
        A key of `EXPOSURE_RULES`.
    observed : (N,) int array
        Ids of the cities with an outcome, ascending.
    last_year : int
        Of the window: cities first treated by then are its pilots, with an outcome or without.

    Raises
    ------
    SampleError
        Where the pairs lack distances or ties.
    """
    if marts.pairs.empty:
        raise SampleError("needs pairs of cities with distances and ties, found none")
    cities = marts.cities.sort_values("city_id")
    cities = cities[
        cities["city_id"].isin({*marts.pairs["city_i_id"], *marts.pairs["city_j_id"], *observed})
    ]
    ids = cities["city_id"].to_numpy(dtype=np.int64)
    own = np.searchsorted(ids, observed)
    year = cities[TREATED_YEAR].to_numpy(dtype=float, na_value=np.inf)
    cohort = np.where(year <= last_year, year, 0).astype(np.int64)
    admitted = Admitted(cohort, cities["province_id"].to_numpy(dtype=np.int64), own)
    return admitted, reach_of(rule, ids, marts.pairs, own)
