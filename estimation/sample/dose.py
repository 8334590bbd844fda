"""How richly a pilot's policy texts are written, as a dose of its treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.spec import SampleError

# Fewer pilots with texts would make the slope a line through a handful of zones.
MINIMUM_PILOTS = 10


def build_dose(
    zones: pd.DataFrame | None,
    column: str,
    city_ids: np.ndarray,
    city_cohort: np.ndarray,
    years: np.ndarray,
) -> np.ndarray:
    """Standardised dose of every city and year, zero before admission and for never-pilots.

    Parameters
    ----------
    zones : DataFrame or None
        ``marts.fct_policy_zone`` by city and year: city_id, year and the column.
    column : str
    city_ids, city_cohort : (N,) int arrays
        Cohort 0 = never.
    years : (T,) int array

    Returns
    -------
    (N, T) float array
        Less the mean and over the standard deviation of the treated city-years with texts; a
        treated city-year without any takes the mean.

    Raises
    ------
    SampleError
        If the pilots with texts in a treated year have fewer than 10 different doses.
    """
    table = np.full((city_ids.size, years.size), np.nan)
    if zones is not None and column in zones and len(zones):
        wide = zones.groupby(["city_id", "year"])[column].max().unstack()
        table = wide.reindex(index=city_ids, columns=years).to_numpy(dtype=float, na_value=np.nan)
    treated = (city_cohort > 0)[:, None] & (years[None, :] >= city_cohort[:, None])
    known = treated & np.isfinite(table)
    # a reply of the State Council speaks for a whole batch: zones that share their only text share
    # their dose
    own = [float(table[i, known[i]].mean()) for i in np.flatnonzero(known.any(axis=1))]
    n_different = np.unique(np.round(own, 9)).size
    if n_different < MINIMUM_PILOTS:
        raise SampleError(
            f"needs policy texts in which at least {MINIMUM_PILOTS} pilots of the sample differ "
            f"in {column}, "
            f"found {n_different} different values among the {len(own)} pilots with texts"
        )
    spread = table[known].std()
    return np.where(known, (table - table[known].mean()) / spread, 0.0)
