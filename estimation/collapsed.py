"""Two-way effects on pair-years that stay in the database: one scan for the sums, one for the pairs' influence.

For tie masks, controls and missing years, which the closed form over all pairs does not cover. Python sees sums by cohort and year and by
city, never a pair. Sums are taken on whole numbers (values times a power of two), so the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimation.collapsed_sql import InfluenceTotals, NotBalanced, PairTable, Sums, read_sums, sum_influence
from estimation.methods.collapsed import CollapsedSolution, solve_collapsed
from estimation.methods.designs import DESIGNS, Design
from estimation.methods.inference import city_variance, score_variance
from estimation.methods.results import NotEstimable

__all__ = ["CollapsedFit", "PairTable", "fit_collapsed"]


@dataclass(frozen=True)
class CollapsedFit:
    """Coefficients, treatment first, then controls, and their deterministic variances; C coefficients.

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


def fit_collapsed(
    con: Any,
    table: PairTable,
    *,
    estimator: str = "twfe",
    controls: Sequence[str] = (),
    city_cohort: dict[Any, int] | None = None,
) -> CollapsedFit:
    """Fit a two-way estimator on pair-years in a DuckDB database.

    Parameters
    ----------
    con : duckdb connection
        Its ``memory_limit`` holds; what does not fit goes to its temporary folder.
    table : PairTable
        Where the pair-years are and which of them count.
    estimator : str
        `twfe` or `event_study`.
    controls : sequence of str
        Columns that vary within pairs.
    city_cohort : dict, optional
        First treated year of every city by id (0 = never), for the `city` line and the number of pilots.

    Returns
    -------
    CollapsedFit
        Equal to `estimation.fit` on the same rows to 1e-9.

    Raises
    ------
    NotEstimable
        There are no rows, no treated or no untreated years, or a coefficient is not identified.
    ValueError
        The estimator is unknown, a pair has a year twice, or a column is missing.
    """
    if estimator not in DESIGNS:
        raise ValueError(f"estimator {estimator!r} has no collapsed form: expected one of {', '.join(DESIGNS)}")
    try:
        sums, design, solution, totals = _solve(con, table, estimator, tuple(controls), may_be_balanced=not controls)
    except NotBalanced:
        # as many rows as pairs times years, yet not every pair in every year
        sums, design, solution, totals = _solve(con, table, estimator, (), may_be_balanced=False)
    x = design.x[:, :, solution.chosen]
    pilots = None if city_cohort is None else _count_pilots(sums.group_years, x, totals.city_ids, city_cohort, len(controls))
    score = score_variance(totals.city_sums)
    return CollapsedFit(
        terms=tuple((design.term, None, design.event_times[c]) for c in solution.chosen) + tuple((name, None, None) for name in controls),
        estimate=solution.estimate,
        conventional=totals.squares,
        dyadic=score - totals.squares,
        score=score,
        city=None if pilots is None else _city_variance(totals.city_sums, totals.city_ids, city_cohort, sums.years, pilots),
        n_pilots=pilots,
        n_obs=sums.n_rows,
        n_pairs=totals.n_pairs,
        n_cities=len(totals.city_ids),
    )


def _solve(
    con: Any, table: PairTable, estimator: str, controls: tuple[str, ...], *, may_be_balanced: bool
) -> tuple[Sums, Design, CollapsedSolution, InfluenceTotals]:
    sums = read_sums(con, table, controls, may_be_balanced=may_be_balanced)
    if len(sums.group_years) == 0:
        raise NotEstimable(f"{table.relation}: no row of a treated pair; cohort_year must hold the first treated year of a pair")
    design = DESIGNS[estimator](sums.group_years, sums.years)
    solution = solve_collapsed(sums.cohorts, design.x, [*design.labels, *controls])
    return sums, design, solution, sum_influence(con, table, controls, sums, solution)


def _count_pilots(group_years, x, city_ids, city_cohort, n_controls: int) -> np.ndarray:
    """Pilots by coefficient: those of the cohorts with a year in its cells, all of them for a control."""
    cohort = np.array([city_cohort[city] for city in city_ids])
    by_group = np.array([(cohort == year).sum() for year in group_years])
    held = (x[1:] != 0).any(axis=1)
    return np.concatenate([(by_group[:, None] * held).sum(axis=0), np.full(n_controls, by_group.sum())]).astype(np.int64)


def _city_variance(city_sums, city_ids, city_cohort, years, pilots: np.ndarray) -> np.ndarray:
    cohort = np.array([city_cohort[city] for city in city_ids])
    is_pilot = (cohort > 0) & (cohort <= years[-1])
    return city_variance(city_sums, is_pilot, ~is_pilot, pilots)
