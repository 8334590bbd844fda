"""What zones did to their own city: the design of the primary test on outcomes of cities."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..analyses.own_outcomes import ALL, NOT_YET, OTHERS, OUTCOMES, TRADE, OwnOutcome
from ..analyses.primary import FIRST_YEAR
from ..analyses.spec import Spec
from ..defaults import LEAST_SHARE, LEVEL
from ..primary.city_panel import CityPanel, build_panel
from ..primary.detectable import detectable
from ..primary.fitted_order import permute_by_keys
from ..primary.p_values import family_p
from ..primary.permutation import Draws
from ..primary.within_block import WithinBlockResult, outcome_draws, within_block_result
from ..sample.cities import build_sample_cities
from ..sample.marts import Marts
from .tables import COLUMNS, Rows

# A logarithm needs no more than a year before to compare with.
YEARS_BEFORE = 1
NUMBERS = ("estimate", "ci_low", "ci_high", "p_value")
COUNTS = ("n_cities", "n_pilots", "n_blocks")
EXCLUDED = {ALL: (), NOT_YET: ("never_admitted",)}


@dataclass(frozen=True)
class _Tested:
    """One outcome in one comparison: its panel, its draws (none where there is no verdict) and what
    they say.
    """

    outcome: OwnOutcome
    panel: CityPanel
    draws: Draws | None
    result: WithinBlockResult


def own_outcome_rows(
    marts: Marts,
    spec: Spec,
    settings: dict[str, int],
    comparisons: Sequence[str] = tuple(EXCLUDED),
    left_out: Collection[int] = (),
) -> Rows:
    """Return rows of ``estimates.own_outcome``; an outcome that cannot be run has its reason.

    Parameters
    ----------
    marts : Marts
    spec : Spec
        Whose rule of treatment dates the cities.
    settings : dict
        permutations and seed.
    comparisons : sequence of str
        Keys of `EXCLUDED`.
    left_out : collection of int
        Cities that are neither treated nor compared with.
    """
    rows: Rows = []
    keys = _keys(marts, settings)
    for comparison in comparisons:
        of_comparison = dataclasses.replace(spec, excluded=EXCLUDED[comparison])
        found, missing = [], []
        for outcome in OUTCOMES:
            values = values_of(marts, outcome)
            if values.empty:
                named = ", ".join(outcome.indicators) or outcome.column
                missing.append((outcome, f"Not run: no source delivers {named}."))
            else:
                values = values[~values.index.isin(list(left_out))]
                found.append(_test(marts, of_comparison, outcome, values, keys))
        for family in (TRADE, OTHERS):
            rows += _family_rows(spec, comparison, [t for t in found if t.outcome.family == family])
        rows += [_row(spec, comparison, *one) for one in missing]
    return rows


def values_of(marts: Marts, outcome: OwnOutcome) -> pd.DataFrame:
    """Return values of an outcome, a row a city and a column a year of its window; empty without
    any.

    The window ends in the last year in which at least 80 % as many cities have a value as in the
    year with the most, and goes back, in one run of such years, to 2010 at most.
    """
    if outcome.column:
        if outcome.column not in marts.city_years:
            return pd.DataFrame()
        columns = marts.city_years[["city_id", "year", outcome.column]]
        return _window(columns.rename(columns={outcome.column: "value"}))
    if marts.indicators is None:
        return pd.DataFrame()
    parts = []
    for indicator in outcome.indicators:
        own = marts.indicators[marts.indicators["indicator_id"] == indicator]
        if own.empty:
            return pd.DataFrame()
        counts = own.groupby("source_id")["value"].count()
        own = own[own["source_id"] == counts.idxmax()]
        parts.append(own.set_index(["city_id", "year"])["value"])
    total = sum(parts)
    values = np.log(total.where(total > 0))
    return _window(values.rename("value").reset_index())


def _window(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["year"] >= FIRST_YEAR].dropna(subset=["value"])
    if rows.empty:
        return pd.DataFrame()
    wide = rows.pivot(index="city_id", columns="year", values="value").sort_index()
    counts = wide.notna().sum()
    enough = counts[counts >= LEAST_SHARE * counts.max()].index.tolist()
    years = [enough[-1]]
    while years[0] - 1 in enough:
        years.insert(0, years[0] - 1)
    return wide[years].astype(float)


def _test(
    marts: Marts, spec: Spec, outcome: OwnOutcome, values: pd.DataFrame, keys: pd.DataFrame
) -> _Tested:
    """Return the test of one outcome; cities that are treated throughout its window say nothing and
    are left out.
    """
    years = np.array(values.columns, dtype=np.int64)
    complete = values.dropna()
    complete = complete[complete.index.isin(keys.columns)]
    members = build_sample_cities(marts.cities, complete.index.to_numpy(), spec, int(years[-1]))
    cohort = members["cohort"].to_numpy()
    members = members[(cohort == 0) | (cohort > years[0])]
    ids = members["city_id"].to_numpy()
    panel = build_panel(
        complete.loc[ids].to_numpy(),
        years,
        members["cohort"].to_numpy(),
        members["province_id"].to_numpy(),
    )
    permuted = permute_by_keys(panel, keys[ids[panel.kept]].to_numpy())
    draws = outcome_draws(panel, permuted, least_years=YEARS_BEFORE)
    result = within_block_result(panel, draws, panel.remarks, least_years=YEARS_BEFORE)
    return _Tested(outcome, panel, draws, result)


def _keys(marts: Marts, settings: dict[str, int]) -> pd.DataFrame:
    """Return keys of all cities in every draw, a column a city, which permute all outcomes."""
    ids = np.unique(marts.cities["city_id"].to_numpy(dtype=np.int64))
    generator = np.random.Generator(np.random.PCG64([settings["seed"], 4]))
    return pd.DataFrame(generator.uniform(size=(settings["permutations"], len(ids))), columns=ids)


def _family_rows(spec: Spec, comparison: str, members: Sequence[_Tested]) -> Rows:
    """Return rows of one family: p corrected by step-down of the largest statistic."""
    testable = [one for one in members if one.result.p_value is not None]
    corrected: list[float] = []
    if testable:
        corrected = family_p(np.array([one.draws.statistic() for one in testable]))
    of_outcome = {one.outcome.name: p for one, p in zip(testable, corrected, strict=True)}
    sizes = {
        one.outcome.name: np.abs(one.draws.statistic(one.draws.estimate[0])) for one in testable
    }
    rows = []
    for one in members:
        name, result = one.outcome.name, one.result
        row = _row(spec, comparison, one.outcome) | {
            "first_year": int(one.panel.years[0]),
            "last_year": int(one.panel.years[-1]),
            **{column: getattr(result, column) for column in (*NUMBERS, *COUNTS, "reason")},
        }
        if name in of_outcome:
            others = [size for other, size in sizes.items() if other != name]
            alone = np.zeros(len(one.draws.estimate))
            largest = np.max(others, axis=0) if others else alone
            row["p_value_family"] = of_outcome[name]
            row["is_found"] = of_outcome[name] < LEVEL
            row["family_size"] = len(testable)
            row["minimum_detectable_effect"] = _either_sign(one.draws, alone)
            row["minimum_detectable_family"] = _either_sign(one.draws, largest)
        rows.append(row)
    return rows


def _either_sign(draws: Draws, others: np.ndarray) -> float | None:
    """Return the larger of the smallest rise and the smallest fall that are found in 80 %."""
    sizes = [detectable(draws, others, sign) for sign in (1, -1)]
    if None in sizes:
        return None
    return max(sizes)


def _row(spec: Spec, comparison: str, outcome: OwnOutcome, reason: str = "") -> dict[str, Any]:
    given = {
        "spec_id": spec.spec_id,
        "outcome": outcome.name,
        "comparison": comparison,
        "unit": outcome.unit,
        "family": outcome.family,
        "is_found": False,
        "reason": reason,
    }
    return {column: given.get(column) for column in COLUMNS["own_outcome"]}
