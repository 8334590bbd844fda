"""What the collapsed paths share, whichever engine takes the sums: the sums themselves, and the fit
made of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..inference.variances import city_variance, score_variance
from ..linear.treatment_regressors import DESIGNS, Design
from ..results import NotEstimable
from .solve import CohortSums, CollapsedSolution, solve_collapsed

MAX_YEARS = 50
# bits of a value in a pair's sum; with at most 2^6 years the sum stays below 2^53
PAIR_BITS = 44


@dataclass(frozen=True)
class PairTable:
    """Pair-years in a database.

    Attributes
    ----------
    relation : str
        SQL of a table, view or `read_parquet(...)` with ``city_i_id, city_j_id, year, cohort_year``
        (null or 0 = never); SQL of this code, never of a file.
    outcome : str
        Column; rows where it or a control is null do not count.
    where : str
        SQL of this code: the sample, for example a tie mask; pairs of two pilots must not be in it.
    """

    relation: str
    outcome: str
    where: str = "true"


class NotBalanced(Exception):
    """Rows are as many as pairs times years, but some pair lacks a year or has one twice."""


@dataclass(frozen=True)
class Sums:
    """Sums of a panel, its years, its cohort years as delivered and within the years, and its rows
    in pairs of two years or more.

    ``largest`` holds the largest absolute value of the outcome and of each control.
    """

    cohorts: CohortSums
    years: np.ndarray
    delivered_cohorts: tuple[int, ...]
    group_years: np.ndarray
    n_rows: int
    is_balanced: bool
    largest: tuple[float, ...]


@dataclass(frozen=True)
class InfluenceTotals:
    """Sum of squared influences (C,), and sums by city (N, C) in the order of the ids."""

    squares: np.ndarray
    city_sums: np.ndarray
    city_ids: list
    n_pairs: int


@dataclass(frozen=True)
class CellSums:
    """Counts (G + 1, T) and sums (G + 1, T, V) of V columns by cohort group and year; the largest
    absolute value of each column.
    """

    years: np.ndarray
    delivered_cohorts: tuple[int, ...]
    group_years: np.ndarray
    counts: np.ndarray
    sums: np.ndarray
    largest: tuple[float, ...]


@dataclass(frozen=True)
class CollapsedFit:
    """Coefficients, treatment first, then controls, and their deterministic variances; C
    coefficients.

    Attributes
    ----------
    terms : tuple of (term, cohort_year, event_time), length C
    estimate, conventional, dyadic, score : (C,) float arrays
        Variances; ``score`` is the sum of squared city sums.
    city : (C,) float array or None
        With the factors of pilots and never-pilots; None without the cities' cohorts.
    n_pilots : (C,) int array or None
        Pilots of the cohorts in each coefficient's cells; None without the cities' cohorts.
    n_obs, n_pairs, n_cities : int
    """

    terms: tuple[tuple[str, int | None, int | None], ...]
    estimate: np.ndarray
    conventional: np.ndarray
    dyadic: np.ndarray
    score: np.ndarray
    city: np.ndarray | None
    n_pilots: np.ndarray | None
    n_obs: int
    n_pairs: int
    n_cities: int


def scale_to_bits(largest: float, bits: int) -> float:
    """Power of two that takes the largest value to about 2^bits."""
    return (
        2.0 ** (bits - math.ceil(math.log2(largest)))
        if largest > 0 and math.isfinite(largest)
        else 1.0
    )


def group_of(group_years: np.ndarray, cohort: int) -> int:
    """Position of a cohort among the groups, 0 for never within the years."""
    return int(np.searchsorted(group_years, cohort)) + 1 if cohort in group_years else 0


def arrange_cells(table: PairTable, cells: Sequence[tuple], scales: Sequence[float]) -> CellSums:
    """Rows (cohort or null, year, count, sum of each column times its scale, largest value of each)
    as arrays.

    Raises
    ------
    ValueError
        There is no row, there are more than 50 years, or pairs of two pilots are among them.
    """
    if not cells:
        raise ValueError(f"{table.relation}: no row with {table.outcome} under {table.where}")
    cells = [(row[0] or 0, *row[1:]) for row in cells]  # a cohort may be null or 0 for never
    years, delivered = np.unique([row[1] for row in cells]), np.unique([row[0] for row in cells])
    if len(years) > MAX_YEARS or delivered[0] < 0:
        raise ValueError(
            f"{table.relation}: expected at most {MAX_YEARS} years and no pair of two pilots "
            "(cohort_year -1); "
            f"found {len(years)} years and cohort years from {delivered[0]}; state the sample in "
            "`where`"
        )
    group_years, n = delivered[(delivered > 0) & (delivered <= years[-1])], len(scales)
    counts, sums = (
        np.zeros((len(group_years) + 1, len(years))),
        np.zeros((len(group_years) + 1, len(years), n)),
    )
    for cohort, year, count, *values in cells:
        at = group_of(group_years, cohort), int(np.searchsorted(years, year))
        counts[at] += count
        sums[at] += [float(value) / scale for value, scale in zip(values[:n], scales, strict=True)]
    largest = tuple(float(max(row[3 + n + k] for row in cells)) for k in range(n))
    return CellSums(years, tuple(delivered.tolist()), group_years, counts, sums, largest)


def combine_sums(cells: CellSums, patterns: tuple, *, is_balanced: bool) -> Sums:
    """Sums of a panel from its cells and from its pairs by pattern (the last seven fields of
    `CohortSums`).
    """
    cohorts = CohortSums(cells.sums[:, :, 0], cells.sums[:, :, 1:], *patterns)
    length = cohorts.pattern_years.sum(axis=1)
    n_rows = int((cohorts.pattern_pairs * length)[length > 1].sum())
    return Sums(
        cohorts,
        cells.years,
        cells.delivered_cohorts,
        cells.group_years,
        n_rows,
        is_balanced,
        cells.largest,
    )


def observed_years(bits: Sequence[int], years: np.ndarray) -> np.ndarray:
    """Which years a pattern holds, from its bits (the first year is bit 0); (M, T) bool."""
    return np.array(
        [[pattern >> int(year - years[0]) & 1 == 1 for year in years] for pattern in bits]
    )


def require_collapsed_form(estimator: str) -> None:
    """Refuse an estimator before anything is read.

    Raises
    ------
    ValueError
        The estimator has no collapsed form.
    """
    if estimator not in DESIGNS:
        raise ValueError(
            f"estimator {estimator!r} has no collapsed form: expected one of {', '.join(DESIGNS)}"
        )


def solve_sums(
    table: PairTable, sums: Sums, estimator: str, controls: Sequence[str] = ()
) -> tuple[Design, CollapsedSolution]:
    """Regressors of an estimator and its solution.

    Raises
    ------
    NotEstimable
        No row is of a treated pair, or a coefficient is not identified.
    """
    if len(sums.group_years) == 0:
        raise NotEstimable(
            f"{table.relation}: no row of a treated pair; cohort_year must hold the first treated "
            "year of a pair"
        )
    design = DESIGNS[estimator](sums.group_years, sums.years)
    return design, solve_collapsed(sums.cohorts, design.x, [*design.labels, *controls])


def assemble_fit(
    sums: Sums,
    design: Design,
    solution: CollapsedSolution,
    totals: InfluenceTotals,
    controls: Sequence[str] = (),
    city_cohort: dict[Any, int] | None = None,
) -> CollapsedFit:
    """Coefficients and variances; without the cities' cohorts no `city` line and no number of
    pilots.
    """
    x = design.x[:, :, solution.chosen]
    pilots = (
        None
        if city_cohort is None
        else _count_pilots(sums.group_years, x, totals.city_ids, city_cohort, len(controls))
    )
    score = score_variance(totals.city_sums)
    return CollapsedFit(
        terms=tuple((design.term, None, design.event_times[c]) for c in solution.chosen)
        + tuple((name, None, None) for name in controls),
        estimate=solution.estimate,
        conventional=totals.squares,
        dyadic=score - totals.squares,
        score=score,
        city=None
        if pilots is None
        else _city_variance(totals.city_sums, totals.city_ids, city_cohort, sums.years, pilots),
        n_pilots=pilots,
        n_obs=sums.n_rows,
        n_pairs=totals.n_pairs,
        n_cities=len(totals.city_ids),
    )


def _count_pilots(group_years, x, city_ids, city_cohort, n_controls: int) -> np.ndarray:
    """Pilots by coefficient: those of the cohorts with a year in its cells, all of them for a
    control.
    """
    cohort = np.array([city_cohort[city] for city in city_ids])
    by_group = np.array([(cohort == year).sum() for year in group_years])
    held = (x[1:] != 0).any(axis=1)
    return np.concatenate(
        [(by_group[:, None] * held).sum(axis=0), np.full(n_controls, by_group.sum())]
    ).astype(np.int64)


def _city_variance(city_sums, city_ids, city_cohort, years, pilots: np.ndarray) -> np.ndarray:
    cohort = np.array([city_cohort[city] for city in city_ids])
    is_pilot = (cohort > 0) & (cohort <= years[-1])
    return city_variance(city_sums, is_pilot, ~is_pilot, pilots)
