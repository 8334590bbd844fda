"""Run the checks of the primary test, which do not change its verdict: the same test on other
cities, years, dates and series, placebos in time and space, the drift that would turn it, and
whether pilots were chosen by their growth: that of the years before any zone, pilots against the
never-treated cities of their province.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.primary import (
    ADJUSTED,
    BASE_YEAR,
    BESIDE,
    LAST_YEAR_BEFORE_ZONES,
    PLACEBO_EXPOSURES,
    PLACEBO_SHIFTS,
)
from ..analyses.spec import SampleError, Spec
from ..primary.adjusted_fit import (
    AdjustedResult,
    adjusted_statistics,
    fit_adjusted,
    permute_adjusted,
)
from ..primary.city_panel import build_panel
from ..primary.exposure import fit_exposure
from ..primary.fit_primary import PrimaryResult, fit_window
from ..primary.measure import reference, standardise, synchronization
from ..primary.p_values import rank_p
from ..primary.permutation import needed_draws
from ..primary.selection import selection_rows
from ..sample.exposure import exposure_of
from ..sample.marts import Marts
from ..sample.outcomes import build_series
from .tables import COLUMNS, Rows
from .windows import Window, city_window, joint_p, joint_statistics, less_trend

Settings = dict[str, int]
NUMBERS = ("first_year", "last_year", "estimate", "ci_low", "ci_high", "p_value")
COUNTS = ("n_cities", "n_pilots")
# of the checks by another statistic
KIND = "statistic"
# These permute the admissions of the headline's cities, or of whole provinces of them, so that one
# draw moves them all.
PERMUTED_ALIKE = ("headline", "dates", "years", "measure", "province")


def check_rows(
    marts: Marts, spec: Spec, result: PrimaryResult, placebos: Rows, settings: Settings
) -> Rows:
    """Return the primary test under every check of a window, growth and cycle, and the drift that
    would turn its verdict.

    Parameters
    ----------
    marts : Marts
    spec : Spec
    result : PrimaryResult
        Of the headline.
    placebos : list of dict
        Its rows of ``estimates.placebo``.
    settings : dict
        permutations and seed of each check.

    Returns
    -------
    list of dict
        Columns of ``estimates.check``; a check that cannot be run has its reason. ``joint_p_value``
        is that of the largest statistic over both series of all checks that are permuted alike.
    """
    rows, alike = [], []
    for kind, name, window in _variants(marts, spec):
        if isinstance(window, str):
            rows.append(_check_row(spec, kind, name, "growth", None, window))
            continue
        found = result if kind == "headline" else fit_window(window, **settings)
        for series, one in (("growth", found), ("cycle", found.cycle)):
            if one is not None:
                rows.append(_check_row(spec, kind, name, series, one, one.reason))
        if kind in PERMUTED_ALIKE and found.p_value is not None:
            alike += [window, less_trend(window)]
    joint = joint_p(alike, **settings)
    for row in rows:
        row["joint_p_value"] = joint if row["check"] in PERMUTED_ALIKE else None
    rows += adjusted_rows(marts, spec, city_window(marts, spec), settings)
    return rows + _drift_rows(spec, result, placebos)


def _variants(marts: Marts, spec: Spec) -> Iterator[tuple[str, str, Window | str]]:
    """Kind and name of each check with its window, or why there is none."""
    headline = city_window(marts, spec)
    yield "headline", spec.variant, headline
    yield "measure", "capped", dataclasses.replace(headline, capped=True)
    # a province whose cities were all admitted at once, or never, says nothing
    dates = pd.Series(headline.cohort).groupby(headline.block).transform("nunique").to_numpy()
    pilots = headline.city_ids[(headline.cohort > 0) & (dates > 1)]
    groups = marts.cities.set_index("city_id").loc[pilots]
    beside = list(BESIDE)
    for kind, column in (("batch", "batch"), ("province", "province_id")):
        for group in sorted(groups[column].dropna().astype(int).unique().tolist()):
            other = dataclasses.replace(spec, excluded=(f"{kind}_{group}",))
            beside.append((kind, str(group), other))
    for kind, name, other in beside:
        try:
            yield kind, name, city_window(marts, other)
        except SampleError as error:
            yield kind, name, f"Not run: {error}."


def _check_row(
    spec: Spec, kind: str, name: str, series: str, one: PrimaryResult | None, reason: str
) -> dict[str, Any]:
    given = {} if one is None else vars(one)
    named = {"spec_id": spec.spec_id, "check": kind, "name": name, "series": series}
    return {**{column: given.get(column) for column in COLUMNS["check"]}, **named, "reason": reason}


def _drift_rows(spec: Spec, result: PrimaryResult, placebos: Rows) -> Rows:
    """Return how far pilots would have had to drift from their peers, without any admission, for
    the interval of growth to leave zero out once the drift is taken out; and that over the largest
    placebo in time.
    """
    placebo = [abs(row["estimate"]) for row in placebos if row["placebo"] == "time"]
    rows = []
    for name, drift in (("hides_a_rise", result.ci_low), ("hides_a_fall", result.ci_high)):
        row = _check_row(spec, "drift", name, "growth", None, "")
        relative = None if drift is None or not placebo else abs(drift) / max(placebo)
        rows.append({**row, "estimate": drift, "relative_magnitude": relative})
    return rows


@dataclasses.dataclass(frozen=True)
class Looks:
    """The windows of all refreshes since the base year together, on the cities of the newest.

    Attributes
    ----------
    p_value : float or None
        Of the largest statistic over the windows.
    correlation : float or None
        Of the statistic of the newest window with that of the one before, over draws.
    share : float or None
        Of the level of 5 % that all looks spend together, what the newest spends: draws whose
        largest statistic is among the 5 % and whose earlier ones are below all of these.
    """

    p_value: float | None = None
    correlation: float | None = None
    share: float | None = None


def joint_over_refreshes(window: Window, is_cycle: bool, settings: Settings) -> Looks:
    """Return what all looks since the base year say together, and nothing where one gives no
    verdict.
    """
    windows = []
    for last in window.years[window.years >= BASE_YEAR].tolist():
        inside = window.years <= last
        one = dataclasses.replace(
            window, growth=window.growth[:, inside], years=window.years[inside]
        )
        windows.append(less_trend(one) if is_cycle else one)
    statistics = joint_statistics(windows, **settings)
    if statistics is None:
        return Looks()
    last = statistics[-2:, 1:]
    last = last[:, np.isfinite(last).all(axis=0)]
    correlation = float(np.corrcoef(last)[0, 1]) if len(statistics) > 1 else None
    sizes = np.abs(statistics)
    largest = np.sort(sizes.max(axis=0))
    # the smallest of the 5 % of draws that are rejected
    critical = largest[len(largest) - needed_draws(len(largest)) + 1]
    earlier = sizes[:-1].max(axis=0, initial=0.0)
    share = float(((sizes[-1] >= critical) & (earlier < critical)).mean())
    return Looks(rank_p(sizes.max(axis=0)), correlation, share)


def adjusted_rows(marts: Marts, spec: Spec, window: Window, settings: Settings) -> Rows:
    """Return rows of ``estimates.check`` by the adjusted statistic, whose reason says when it was
    chosen.
    """
    try:
        found = fit_adjusted_window(marts, window, settings)
    except SampleError as error:
        return [_check_row(spec, KIND, ADJUSTED.name, "growth", None, f"Not run: {error}.")]
    said = f"Chosen on {ADJUSTED.committed_on} on pseudo-admissions, with this window seen."
    rows = []
    for series, one in (("growth", found), ("cycle", found.cycle)):
        if one is None:
            continue
        reason = said
        if one.variation_left is not None:
            reason += (
                f" Covariates leave {100 * one.variation_left:.0f} % of the variation of treatment,"
                f" and {one.n_negative} of {one.n_treated_years} treated city-years have a negative"
                f" weight, together {100 * one.weight_negative:.0f} %."
            )
        reason = f"{reason} {one.reason}".strip()
        rows.append(_check_row(spec, KIND, ADJUSTED.name, series, one, reason))
    return rows


def fit_adjusted_window(marts: Marts, window: Window, settings: Settings) -> AdjustedResult:
    """Return the adjusted statistic on a window.

    Raises
    ------
    SampleError
        Without product of the years before the window.
    """
    given = (window.growth, window.years, window.cohort, window.block)
    covariates = size_and_coast(marts, window)
    return fit_adjusted(*given, covariates, dealing=ADJUSTED.dealing, **settings)


def adjusted_over_refreshes(
    marts: Marts, window: Window, settings: Settings
) -> tuple[float | None, float | None]:
    """Return the p of the largest adjusted statistic over the windows of all refreshes since the
    base year, of growth and of its cycle; each draw moves all windows alike. None where a window
    gives no verdict.
    """
    covariates = size_and_coast(marts, window)
    known = np.isfinite(covariates).all(axis=1)
    given = (window.cohort[known], window.block[known])
    newest = build_panel(window.growth[known], window.years, *given)
    permuted, found = None, []
    for last in window.years[window.years >= BASE_YEAR].tolist():
        inside = window.years <= last
        panel = build_panel(window.growth[known][:, inside], window.years[inside], *given)
        if not np.array_equal(panel.kept, newest.kept):
            return None, None
        x = covariates[known][panel.kept]
        if permuted is None:
            permuted = permute_adjusted(newest, x, ADJUSTED.dealing, settings)
        both = adjusted_statistics(panel, x, permuted)
        if both is None:
            return None, None
        found.append(both)
    growth, in_cycle = (np.max(sizes, axis=0) for sizes in zip(*found, strict=True))
    return rank_p(growth), rank_p(in_cycle)


def size_and_coast(marts: Marts, window: Window) -> np.ndarray:
    """Log product (mean of the years before the window), its square, and the coast, of the cities
    of a window (N, 3); NaN where a city has no product in these years.

    Raises
    ------
    SampleError
        Where no city has any.
    """
    product = "gdp_nominal_cny_100m"
    first = int(window.years[0])
    before = range(first - ADJUSTED.years_before, first)
    rows = marts.city_years[marts.city_years["year"].isin(before)]
    if product not in rows or rows[product].notna().sum() == 0:
        raise SampleError(f"needs {product} of {before[0]} to {before[-1]}")
    if "is_coastal" not in marts.cities:
        raise SampleError("needs is_coastal of marts.dim_city")
    mean = rows.groupby("city_id")[product].mean().reindex(window.city_ids)
    size = np.log(mean.to_numpy(dtype=float))
    size = size - np.nanmean(size)
    cities = marts.cities.drop_duplicates("city_id").set_index("city_id")
    coast = cities["is_coastal"].reindex(window.city_ids).to_numpy(dtype=float)
    return np.column_stack([size, size**2, coast])


def placebos_in_time(marts: Marts, spec: Spec, real: Window, settings: Settings) -> Rows:
    """Return the real admissions moved back by 3 to 10 years, each in a window of its own that ends
    before the first zone, and tested jointly.
    """
    first, last, windows = int(real.years[0]), int(real.years[-1]), []
    for shift in PLACEBO_SHIFTS:
        years = (first - shift, min(last - shift, LAST_YEAR_BEFORE_ZONES))
        try:
            found = build_series(marts.city_years, spec.series, years)
        except SampleError:
            continue
        inside = np.isin(found.city_ids, real.city_ids)
        if found.years[0] > years[0] or found.years[-1] < years[1] or not inside.any():
            continue
        ids = found.city_ids[inside]
        own = np.searchsorted(real.city_ids, ids)
        cohort = np.where(real.cohort[own] > 0, real.cohort[own] - shift, 0)
        cohort = np.where(cohort > years[1], 0, cohort)
        windows.append(
            (
                f"{shift} years back",
                Window(found.d[inside], found.years, cohort, real.block[own], ids),
            )
        )
    return _placebo_rows(spec, "time", windows, settings)


def placebos_in_space(marts: Marts, spec: Spec, real: Window, settings: Settings) -> Rows:
    """Never-treated cities near or tied to a pilot: their own admission cannot have moved them.

    The measure is that of the real admissions, held in all draws; admissions are permuted and
    exposure is computed anew. The p of the largest statistic over all rules tests them jointly:
    they take the same draws.
    """
    z, block = standardise(real.growth), np.unique(real.block, return_inverse=True)[1]
    y = synchronization(z, *reference(z, real.cohort == 0, block))
    rows, statistics = [], []
    for rule in PLACEBO_EXPOSURES:
        try:
            given = exposure_of(marts.cities, marts.pairs, rule, real.city_ids, int(real.years[-1]))
        except SampleError:
            continue
        result, draws = fit_exposure(y, real.years, *given, **settings)
        if draws is not None:
            statistics.append(np.abs(draws.statistic()))
            numbers = {name: getattr(result, name) for name in (*NUMBERS[2:], *COUNTS)}
            years = {"first_year": int(real.years[0]), "last_year": int(real.years[-1])}
            rows.append(
                {"spec_id": spec.spec_id, "placebo": "space", "name": rule, **years, **numbers}
            )
    joint = rank_p(np.max(statistics, axis=0)) if statistics else None
    return [{**row, "joint_p_value": joint} for row in rows]


def placebo_of_later(marts: Marts, spec: Spec, real: Window, settings: Settings) -> Rows:
    """Return cities admitted after the window as if they had been admitted in the median first year
    of the pilots, against those never admitted, pilots left out: what the choice of cities alone
    does.
    """
    dates = marts.cities.set_index("city_id")["treated_year"].loc[real.city_ids]
    later = dates.to_numpy(dtype=float, na_value=np.nan) > real.years[-1]
    rows = real.cohort == 0
    cohort = np.where(later, int(np.median(real.cohort[~rows])), 0)
    window = Window(
        real.growth[rows], real.years, cohort[rows], real.block[rows], real.city_ids[rows]
    )
    return _placebo_rows(spec, "later", [("admitted_later", window)], settings)


def _placebo_rows(
    spec: Spec, kind: str, windows: list[tuple[str, Window]], settings: Settings
) -> Rows:
    """Return a row for each window with a verdict, with the p of the largest statistic over all of
    them.
    """
    rows, tested = [], []
    for name, window in windows:
        result = fit_window(window, **settings)
        if result.p_value is not None:
            tested.append(window)
            numbers = {number: getattr(result, number) for number in (*NUMBERS, *COUNTS)}
            rows.append({"spec_id": spec.spec_id, "placebo": kind, "name": name, **numbers})
    joint = joint_p(tested, **settings)
    return [{**row, "joint_p_value": joint} for row in rows]


def selection(spec: Spec, window: Window, settings: Settings) -> Rows:
    """Return the growth of pilots and of their peers in the province in the years before any zone:
    what selection on growth would show.
    """
    block = np.unique(window.block, return_inverse=True)[1]
    given = (window.growth, window.years, window.cohort, block)
    common = {
        "spec_id": spec.spec_id,
        "n_cities": len(window.cohort),
        "n_pilots": int((window.cohort > 0).sum()),
    }
    return [{**common, **row} for row in selection_rows(*given, **settings)]
