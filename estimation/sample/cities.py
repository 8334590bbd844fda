"""The cities of a sample: province, first treated year, groups of the shuffle, exposure
(docs/methods, section 5), and how richly a pilot's policy texts are written, as a dose of its
treatment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analyses.rules import CONTROL_GROUPS, DATING_RULES
from ..analyses.spec import SampleError, Spec
from ..defaults import TIE_FIRST_YEAR, TIE_LAST_YEAR
from ..panel.pair_panel import NEVER
from .exposure import excluded_cities

CALENDAR = "_calendar_year"
# Fewer pilots with texts would make the slope a line through a handful of zones.
MINIMUM_PILOTS = 10


def build_sample_cities(
    cities: pd.DataFrame, members: np.ndarray, spec: Spec, last_year: int
) -> pd.DataFrame:
    """Members in order of city_id, without those that the control group or the exclusions of the
    spec leave out.

    Parameters
    ----------
    cities : DataFrame
        ``marts.dim_city``.
    members : (N,) int array
        Ids in ascending order.
    spec : Spec
    last_year : int
        Of the window.

    Returns
    -------
    DataFrame
        city_id, province_id, cohort (first treated year inside the window, 0 = never in it),
        is_second_half (approved in July to December), gdp.

    Raises
    ------
    SampleError
        If the cities do not say who belongs to a group that the spec leaves out.
    """
    # a few columns at these rows; to choose the rows of all columns takes ten times as long
    ids, first = np.unique(cities["city_id"].to_numpy(dtype=np.int64), return_index=True)
    rows, rule = pd.Series(first, ids).loc[members].to_numpy(), DATING_RULES[spec.treatment_rule]
    treated, is_second_half = (of_all[rows] for of_all in _treated_years(cities, rule.column))
    treated = treated - rule.years_earlier
    in_window = np.isfinite(treated) & (treated <= last_year)
    gap = np.where(in_window, np.inf, np.nan_to_num(treated - last_year, nan=np.inf))
    gdp = cities["gdp_mean_cny_100m"].to_numpy(dtype=float, na_value=np.nan)
    sample_cities = pd.DataFrame(
        {
            "city_id": members,
            "province_id": cities["province_id"].to_numpy(dtype=np.int64)[rows],
            "cohort": np.where(in_window, np.nan_to_num(treated), NEVER).astype(np.int64),
            "is_second_half": is_second_half,
            "gdp": gdp[rows],
        }
    )
    is_excluded = _is_excluded(cities, spec, last_year)[rows]
    is_kept = (gap > CONTROL_GROUPS[spec.control_group]) & ~is_excluded
    return sample_cities[is_kept].reset_index(drop=True)


def _is_excluded(cities: pd.DataFrame, spec: Spec, last_year: int) -> np.ndarray:
    """Return cities of a group that the spec leaves out; shape (N,) bool."""
    excluded = np.zeros(len(cities), dtype=bool)
    for group in spec.excluded:
        try:
            excluded |= excluded_cities(cities, group, last_year)
        except KeyError as error:
            raise SampleError(
                f"needs the column {error.args[0]} of the cities to leave out {group}, which is "
                "not there"
            ) from error
    return excluded


def _treated_years(cities: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the first treated year under a rule (N,), NaN = never, and whether the approval came
    in July to December.
    """
    names = (column.removesuffix(CALENDAR), column.removesuffix(CALENDAR) + CALENDAR)
    # the rules by half-year and by calendar year differ exactly for approvals of July to December
    next_year, same_year = (cities[name].to_numpy(dtype=float, na_value=np.nan) for name in names)
    return (same_year if column.endswith(CALENDAR) else next_year), np.isfinite(next_year) & (
        next_year != same_year
    )


def build_strata(sample_cities: pd.DataFrame, spec: Spec) -> np.ndarray | None:
    """Return province by tercile of GDP over the sample's cities; a city without GDP stands with
    those of its province that lack it too.
    """
    if spec.shuffle != "province_gdp_tercile":
        return None
    gdp = sample_cities["gdp"]
    if gdp.notna().sum() < 3:
        raise SampleError(
            f"needs gdp_nominal_cny_100m of {TIE_FIRST_YEAR}-{TIE_LAST_YEAR} to shuffle admission "
            "years within terciles of GDP"
        )
    tercile = (gdp.rank(method="min") - 1) * 3 // gdp.notna().sum()
    return (sample_cities["province_id"] * 10 + tercile.fillna(9)).to_numpy(dtype=np.int64)


def share_short_exposure(
    sample_cities: pd.DataFrame,
    sides: tuple[np.ndarray, np.ndarray],
    treated: np.ndarray,
    years: np.ndarray,
    rule: str,
) -> float:
    """Of the treated pair-years of the given pairs (positions), those in the approval year of a
    second-half approval.
    """
    is_calendar = DATING_RULES[rule].column.endswith(CALENDAR)
    cohort, late = (
        sample_cities["cohort"].to_numpy(),
        sample_cities["is_second_half"].to_numpy() & is_calendar,
    )
    pilot = np.where(cohort[sides[0][treated]] > NEVER, sides[0][treated], sides[1][treated])
    n_treated = (years[None, :] >= cohort[pilot][:, None]).sum()
    n_short = (late[pilot][:, None] & (years[None, :] == cohort[pilot][:, None])).sum()
    return float(n_short / n_treated) if n_treated else 0.0


def build_dose(
    zones: pd.DataFrame | None,
    column: str,
    city_ids: np.ndarray,
    city_cohort: np.ndarray,
    years: np.ndarray,
) -> np.ndarray:
    """Return standardised dose of every city and year, zero before admission and for never-treated
    cities.

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
            f"needs policy texts in which at least {MINIMUM_PILOTS} pilots of the sample differ in "
            f"{column}, found {n_different} different values among the {len(own)} pilots with texts"
        )
    spread = table[known].std()
    return np.where(known, (table - table[known].mean()) / spread, 0.0)
