"""The collapsed path's sums taken by Spark: three scans, nothing but sums by cohort, pattern and
city comes back.

The same numbers as `out_of_core.duckdb_sums` for panels without controls. Sums are of whole numbers
(doubles below 2^53, decimals of 38 digits), so they do not depend on how Spark cuts the rows.
Imports no database: it runs where pyspark, numpy and scipy are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .solve import CollapsedSolution
from .sums import (
    PAIR_BITS,
    CellSums,
    CollapsedFit,
    InfluenceTotals,
    PairTable,
    Sums,
    arrange_cells,
    assemble_fit,
    combine_sums,
    group_of,
    observed_years,
    require_collapsed_form,
    scale_to_bits,
    solve_sums,
)

# 10^8 rows of whole numbers of 2^60, or of squares of 2^88, stay below 10^38
TOTAL_BITS, SQUARE_BITS = 60, 44


def fit_collapsed_on_spark(
    session: Any,
    table: PairTable,
    *,
    estimator: str = "twfe",
    city_cohort: dict[Any, int] | None = None,
) -> CollapsedFit:
    """Fit a two-way estimator on pair-years in Spark.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    table : PairTable
        `relation` is a table or view of the session; SQL of this code, in Spark's spelling.
    estimator : str
        `twfe` or `event_study`.
    city_cohort : dict, optional
        First treated year of every city by id (0 = never), for the `city` line and the number of
        pilots.

    Returns
    -------
    CollapsedFit
        Equal to `estimation.out_of_core.fit.fit_collapsed` on the same rows to 1e-9.

    Raises
    ------
    NotEstimable, ValueError
        As `fit_collapsed`.
    """
    require_collapsed_form(estimator)
    rows = (
        "(select city_i_id, city_j_id, `year`, coalesce(cohort_year, 0) as cohort, "
        f"cast({_quote(table.outcome)} as double) as y "
        f"from {table.relation} where ({table.where}) and {_quote(table.outcome)} is not null) as r"
    )
    cells = _read_cells(session, table, rows)
    sums = combine_sums(cells, _read_patterns(session, rows, cells), is_balanced=False)
    design, solution = solve_sums(table, sums, estimator)
    return assemble_fit(
        sums, design, solution, _sum_influence(session, rows, sums, solution), (), city_cohort
    )


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _whole(expression: str, scale: float) -> str:
    """SQL of the sum of an expression times a scale, exact in any order."""
    return f"sum(cast(cast(({expression}) * {scale!r} as bigint) as decimal(38, 0)))"


def _whole_in_pair(expression: str, largest: float) -> str:
    """SQL of a sum over a pair's years, exact on whole numbers in a double."""
    scale = scale_to_bits(largest, PAIR_BITS)
    return f"sum(rint(({expression}) * {scale!r})) / {scale!r}"


def _read_cells(session: Any, table: PairTable, rows: str) -> CellSums:
    largest = session.sql(f"select max(abs(y)) from {rows}").first()[0]
    scale = scale_to_bits(float(largest or 0.0), TOTAL_BITS)
    query = (
        f"select cohort, `year`, count(*), {_whole('y', scale)}, max(abs(y)) from {rows} group by "
        "cohort, `year` order by cohort, `year`"
    )
    return arrange_cells(table, [tuple(row) for row in session.sql(query).collect()], [scale])


def _read_patterns(session: Any, rows: str, cells: CellSums) -> tuple:
    """Pairs by cohort and pattern of observed years."""
    first, largest = int(cells.years[0]), cells.largest[0]
    by_pair = (
        "(select city_i_id, city_j_id, min(cohort) as cohort, max(cohort) as last_cohort, "
        "count(*) as n, "
        f"sum(shiftleft(cast(1 as bigint), cast(`year` - {first} as int))) as bits, "
        f"{_whole_in_pair('y', largest)} as s "
        f"from {rows} group by city_i_id, city_j_id) as p"
    )
    scale = scale_to_bits(largest, TOTAL_BITS)
    query = (
        f"select cohort, bits, count(*), {_whole('s / n', scale)}, count_if(bit_count(bits) <> n "
        "or cohort <> last_cohort) "
        f"from {by_pair} group by cohort, bits order by cohort, bits"
    )
    found = [tuple(row) for row in session.sql(query).collect()]
    if any(row[4] for row in found):
        raise ValueError(
            "expected one row for a pair in a year and one cohort year for a pair; found a pair "
            "with a year or a cohort twice"
        )
    return (
        np.array([group_of(cells.group_years, row[0]) for row in found]),
        observed_years([row[1] for row in found], cells.years),
        np.array([float(row[2]) for row in found]),
        np.array([float(row[3]) / scale for row in found]),
        np.zeros((len(found), 0)),
        np.zeros((0, 0)),
        np.zeros(0),
    )


def _sum_influence(
    session: Any, rows: str, sums: Sums, solution: CollapsedSolution
) -> InfluenceTotals:
    """Influence of each pair on each coefficient, kept by Spark while it adds them up by city."""
    n_terms = len(solution.estimate)
    _register_weights(session, sums, solution)
    e_size = sums.largest[0] + np.abs(solution.fitted).max()
    columns = ["count(*) as n", f"{_whole_in_pair('r.y - w.f', e_size)} as e"]
    for k in range(n_terms):
        a_size = np.abs(solution.own[:, :, k]).max()
        columns.append(f"{_whole_in_pair(f'w.a{k}', a_size)} as a{k}")
        columns.append(f"{_whole_in_pair(f'w.a{k} * (r.y - w.f)', a_size * e_size)} as ae{k}")
    influence = session.sql(
        "select city_i_id, city_j_id, "
        f"{', '.join(f'ae{k} - a{k} * e / n as psi{k}' for k in range(n_terms))} from ("
        f"select city_i_id, city_j_id, {', '.join(columns)} from {rows} "
        "inner join collapsed_weights as w on r.cohort = w.cohort and r.`year` = w.`year` "
        "group by city_i_id, city_j_id having count(*) > 1)"
    ).persist()
    influence.createOrReplaceTempView("collapsed_influence")
    try:
        return _add_up(session, n_terms)
    finally:
        influence.unpersist()
        session.catalog.dropTempView("collapsed_influence")
        session.catalog.dropTempView("collapsed_weights")


def _register_weights(session: Any, sums: Sums, solution: CollapsedSolution) -> None:
    """A small view of the solved weights by delivered cohort and year."""
    records = []
    for cohort in sums.delivered_cohorts:
        group = group_of(sums.group_years, cohort)
        for t, year in enumerate(sums.years):
            records.append(
                (
                    int(cohort),
                    int(year),
                    float(solution.fitted[group, t]),
                    *map(float, solution.own[group, t]),
                )
            )
    names = ["cohort", "year", "f", *(f"a{k}" for k in range(solution.own.shape[2]))]
    schema = ", ".join(
        f"`{name}` {'int' if name in ('cohort', 'year') else 'double'}" for name in names
    )
    session.createDataFrame(records, schema).createOrReplaceTempView("collapsed_weights")


def _add_up(session: Any, n_terms: int) -> InfluenceTotals:
    """Squares over pairs and sums by city, as whole numbers."""
    names = [f"psi{k}" for k in range(n_terms)]
    *largest, n_pairs = session.sql(
        f"select {', '.join(f'max(abs({name}))' for name in names)}, count(*) from "
        "collapsed_influence"
    ).first()
    scales = [scale_to_bits(float(value or 0.0), SQUARE_BITS) for value in largest]
    wholes = [
        f"cast(cast({name} * {scale!r} as bigint) as decimal(19, 0))"
        for name, scale in zip(names, scales, strict=True)
    ]
    squares = session.sql(
        f"select {', '.join(f'sum({whole} * {whole})' for whole in wholes)} from "
        "collapsed_influence"
    ).first()
    sums = ", ".join(f"sum({whole}) as s{k}" for k, whole in enumerate(wholes))
    by_city = session.sql(
        f"select city, {', '.join(f'sum(s{k})' for k in range(n_terms))} from ("
        f"select city_i_id as city, {sums} from collapsed_influence group by city_i_id "
        f"union all select city_j_id as city, {sums} from collapsed_influence group by city_j_id) "
        "group by city order by city"
    ).collect()
    scale = np.array(scales)
    city_sums = np.array([[float(value) for value in row[1:]] for row in by_city]) / scale
    return InfluenceTotals(
        np.array([float(value) for value in squares]) / scale**2,
        city_sums,
        [row[0] for row in by_city],
        int(n_pairs),
    )
