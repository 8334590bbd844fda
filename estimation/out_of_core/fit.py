"""Two-way effects on pair-years that stay in the database: one scan for the sums, one for the
pairs' influence.

For tie masks, controls and missing years, which the closed form over all pairs does not cover.
Python sees sums by cohort and year and by city, never a pair. Sums are taken on whole numbers
(values times a power of two), so the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..linear.treatment_regressors import Design
from .duckdb_sums import read_sums, sum_influence
from .solve import CollapsedSolution
from .sums import (
    CollapsedFit,
    InfluenceTotals,
    NotBalanced,
    PairTable,
    Sums,
    assemble_fit,
    require_collapsed_form,
    solve_sums,
)

__all__ = ["CollapsedFit", "PairTable", "fit_collapsed"]


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
        First treated year of every city by id (0 = never), for the `city` line and the number of
        pilots.

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
    require_collapsed_form(estimator)
    wanted = tuple(controls)
    try:
        found = _solve(con, table, estimator, wanted, may_be_balanced=not wanted)
    except NotBalanced:
        # as many rows as pairs times years, yet not every pair in every year
        found = _solve(con, table, estimator, wanted, may_be_balanced=False)
    return assemble_fit(*found, wanted, city_cohort)


def _solve(
    con: Any, table: PairTable, estimator: str, controls: tuple[str, ...], *, may_be_balanced: bool
) -> tuple[Sums, Design, CollapsedSolution, InfluenceTotals]:
    sums = read_sums(con, table, controls, may_be_balanced=may_be_balanced)
    design, solution = solve_sums(table, sums, estimator, controls)
    return sums, design, solution, sum_influence(con, table, controls, sums, solution)
