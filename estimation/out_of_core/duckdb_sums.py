"""The collapsed path's SQL: sums by cohort, year and pattern of observed years, and the influence
of each pair added up by city.

Whole numbers in doubles (below 2^53) and in 128-bit integers add up to the same bits in any order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from .solve import CollapsedSolution
from .sums import (
    PAIR_BITS,
    CellSums,
    InfluenceTotals,
    NotBalanced,
    PairTable,
    Sums,
    arrange_cells,
    combine_sums,
    group_of,
    observed_years,
    scale_to_bits,
)

# a value of the sample becomes 2^36, so that one 10^8 times as large still fits 64 bits
SAMPLE_BITS, SAMPLE_ROWS = 36, 10_000
# pairs numbered below 2^24: one array of sums instead of a hash table
DENSE_BITS = 24


def quote(name: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _rows(table: PairTable, controls: tuple[str, ...]) -> str:
    """The rows that count, columns renamed y and q0, q1, ..."""
    named = [(table.outcome, "y"), *((name, f"q{k}") for k, name in enumerate(controls))]
    columns = ", ".join(f"cast({quote(column)} as double) as {name}" for column, name in named)
    present = " and ".join(f"{quote(column)} is not null" for column, _ in named)
    return (
        f'(select city_i_id, city_j_id, "year", cohort_year as cohort, {columns} from '
        f"{table.relation} where ({table.where}) and {present})"
    )


def read_sums(
    con: Any, table: PairTable, controls: tuple[str, ...], *, may_be_balanced: bool
) -> Sums:
    """One scan by cohort and year; a second by pair where there are controls or missing years.

    Raises
    ------
    ValueError
        No row counts, there are more than 50 years, a pair has a year twice, or pairs of two pilots
        are among them.
    """
    rows, names = _rows(table, controls), _names(controls)
    cells = arrange_cells(table, *_read_cells(con, rows, names))
    is_balanced = may_be_balanced and bool((cells.counts == cells.counts[:, :1]).all())
    patterns = _balanced_patterns(cells) if is_balanced else _read_patterns(con, rows, cells)
    return combine_sums(cells, patterns, is_balanced=is_balanced)


def _names(controls: tuple[str, ...]) -> list[str]:
    return ["y", *(f"q{k}" for k in range(len(controls)))]


def _read_cells(con: Any, rows: str, names: list[str]) -> tuple[list, list[float]]:
    """Counts, whole-number sums and largest values by cohort and year; scales from a sample, from
    all rows where it is no guide.
    """
    largest = ", ".join(f"max(abs({name}))" for name in names)
    known = _largest_without_a_scan(con, rows, names) or largest
    for source in (f"(from {rows} limit {SAMPLE_ROWS})", rows):
        scales = [
            scale_to_bits(value or 0.0, SAMPLE_BITS)
            for value in con.execute(f"select {largest} from {source}").fetchone()
        ]
        wholes = ", ".join(
            f"sum(cast({name} * {scale!r} as bigint))"
            for name, scale in zip(names, scales, strict=True)
        )
        try:
            query = (
                f'select cohort, "year", count(*), {wholes}, {known} from {rows} group by all '
                "order by all"
            )
            with _sums_in_arrays(con):
                return con.execute(query).fetchall(), scales
        except duckdb.ConversionException:
            if source == rows:
                raise
    raise AssertionError("unreachable")


def _largest_without_a_scan(con: Any, rows: str, names: list[str]) -> str | None:
    """SQL of the largest absolute values where DuckDB knows them from a table's statistics, which
    spares a sixth of the scan.
    """
    query = f"select {', '.join(f'min({name}), max({name})' for name in names)} from {rows}"
    plan = json.loads(con.execute(f"explain (format json) {query}").fetchone()[1])
    if plan[0]["name"] != "COLUMN_DATA_SCAN":
        return None
    found = con.execute(query).fetchone()
    if None in found:
        return None
    return ", ".join(
        f"'{max(abs(low), abs(high))!r}'::double"
        for low, high in zip(found[::2], found[1::2], strict=True)
    )


def _balanced_patterns(cells: CellSums) -> tuple:
    counts, outcome = cells.counts, cells.sums[:, :, 0]
    group = np.flatnonzero(counts[:, 0] > 0)
    n_years = counts.shape[1]
    full = np.ones((len(group), n_years), dtype=bool)
    return (
        group,
        full,
        counts[group, 0],
        outcome[group].sum(axis=1) / n_years,
        np.zeros((len(group), 0)),
        np.zeros((0, 0)),
        np.zeros(0),
    )


def _whole_sum(expression: str, largest: float, bits: int = PAIR_BITS) -> str:
    """SQL of a sum of at most a pair's years, exact on whole numbers in a double."""
    scale = scale_to_bits(largest, bits)
    return f"sum(round(({expression}) * {scale!r})) / {scale!r}"


def _read_patterns(con: Any, rows: str, cells: CellSums) -> tuple:
    """Pairs by cohort and pattern of observed years, and the controls' cross products
    within pairs.
    """
    years, group_years, largest = cells.years, cells.group_years, cells.largest
    names = ["y", *(f"q{k}" for k in range(len(largest) - 1))]
    size, n_controls, first = (
        dict(zip(names, largest, strict=True)),
        len(largest) - 1,
        int(years[0]),
    )
    products = [(f"q{k}", other) for k in range(n_controls) for other in (*names[1 : k + 2], "y")]
    sums = [f"{_whole_sum(name, size[name])} as s_{name}" for name in names]
    sums += [f"{_whole_sum(f'{a} * {b}', size[a] * size[b])} as s_{a}_{b}" for a, b in products]
    con.execute(
        "create or replace temp table collapsed_pairs as select "
        "min(coalesce(cohort, 0)) as cohort, max(coalesce(cohort, 0)) as last_cohort, count(*) as "
        "n, "
        f'cast(sum(pow(2, "year" - {first})) as bigint) as bits, {", ".join(sums)} from {rows} '
        "group by city_i_id, city_j_id"
    )
    if con.execute(
        "select count(*) from collapsed_pairs where bit_count(bits) <> n or cohort <> last_cohort"
    ).fetchone()[0]:
        raise ValueError(
            "expected one row for a pair in a year and one cohort year for a pair; found a pair "
            "with a year or a cohort twice"
        )
    means = [f"s_{name} / n" for name in names]
    within = [f"s_{a}_{b} - s_{a} * s_{b} / n" for a, b in products]
    found = con.execute(
        "select cohort, bits, count(*), "
        f"{', '.join(_whole_totals(con, 'collapsed_pairs', means + within))} "
        "from collapsed_pairs group by all order by all"
    ).fetchall()
    values = np.array([row[3:] for row in found], dtype=np.float64)
    gram, moment = np.zeros((n_controls, n_controls)), np.zeros(n_controls)
    for (a, b), total in zip(products, values[:, len(names) :].sum(axis=0), strict=True):
        if b == "y":
            moment[int(a[1:])] = total
        else:
            gram[int(a[1:]), int(b[1:])] = gram[int(b[1:]), int(a[1:])] = total
    group = np.array([group_of(group_years, row[0]) for row in found])
    seen = observed_years([row[1] for row in found], years)
    return (
        group,
        seen,
        np.array([float(row[2]) for row in found]),
        values[:, 0],
        values[:, 1 : len(names)],
        gram,
        moment,
    )


def _whole_totals(con: Any, relation: str, expressions: list[str]) -> list[str]:
    """SQL of sums of expressions over any number of rows, exact on whole numbers of 128 bits."""
    largest = con.execute(
        f"select {', '.join(f'max(abs({e}))' for e in expressions)} from {relation}"
    ).fetchone()
    scales = [scale_to_bits(value or 0.0, 50) for value in largest]
    return [
        f"cast(sum(cast(({e}) * {scale!r} as bigint)) as double) / {scale!r}"
        for e, scale in zip(expressions, scales, strict=True)
    ]


def sum_influence(
    con: Any, table: PairTable, controls: tuple[str, ...], sums: Sums, solution: CollapsedSolution
) -> InfluenceTotals:
    """One scan for the influence of each pair on each coefficient, then sums by city; the pairs
    stay in a temporary table.

    Raises
    ------
    NotBalanced
        The panel was taken for balanced and is not.
    """
    own = (
        solution.own - solution.own.mean(axis=1, keepdims=True)
        if sums.is_balanced
        else solution.own
    )
    _write_weights(con, sums, own, solution.fitted)
    rows, n_terms = _rows(table, controls), len(solution.estimate)
    joined = f"{rows} as r inner join collapsed_weights as w on {_cell_key('r', sums)} = w.cell"
    if sums.is_balanced:
        columns = ["bit_or(w.bit) as bits", *_balanced_columns(sums, own, solution)]
        _sum_by_pair(con, joined, columns, _dense_ids(con, table) if n_terms == 1 else None)
        low, high, pairs = con.execute(
            "select min(bits), max(bits), count(*) from collapsed_influence"
        ).fetchone()
        if not (low == high == 2 ** len(sums.years) - 1 and pairs * len(sums.years) == sums.n_rows):
            raise NotBalanced
    else:
        parts = ", ".join(f"ae{k} - a{k} * e / n as psi{k}" for k in range(n_terms))
        con.execute(
            "create or replace temp table collapsed_influence as select city_i_id, city_j_id, "
            f"{parts} from ("
            f"select city_i_id, city_j_id, {', '.join(_general_columns(sums, own, solution))} "
            f"from {joined} "
            "group by city_i_id, city_j_id having count(*) > 1)"
        )
    return _add_up(con, n_terms)


def _cell_key(alias: str, sums: Sums) -> str:
    """One small whole number for cohort and year:

    DuckDB then looks the weights up in an array, which costs a third of a hash join.
    """
    first, span = _cell_base(sums)
    return f'cast(coalesce({alias}.cohort, 0) * {span} + ({alias}."year" - {first}) as integer)'


def _cell_base(sums: Sums) -> tuple[int, int]:
    """First year, and years from the first to the last."""
    first, last = int(sums.years[0]), int(sums.years[-1])
    return first, last - first + 1


def _write_weights(con: Any, sums: Sums, own: np.ndarray, fitted: np.ndarray) -> None:
    """A small table of the solved weights by delivered cohort and year; `bit` has one bit for each
    year.
    """
    cohorts, n_years = np.array(sums.delivered_cohorts, dtype=np.int64), len(sums.years)
    first, span = _cell_base(sums)
    groups = np.array([group_of(sums.group_years, cohort) for cohort in sums.delivered_cohorts])
    columns = {
        "cell": (cohorts[:, None] * span + (sums.years - first)[None]).ravel().astype(np.int32),
        "bit": np.tile(2 ** np.arange(n_years), len(cohorts)).astype(
            np.int32 if n_years < 31 else np.int64
        ),
        "f": fitted[groups].ravel(),
        **{f"a{k}": np.ascontiguousarray(own[groups, :, k]).ravel() for k in range(own.shape[2])},
        **{f"af{k}": (own[groups, :, k] * fitted[groups]).ravel() for k in range(own.shape[2])},
    }
    con.register("collapsed_incoming", columns)
    con.execute(
        "create or replace temp table collapsed_weights as select * from collapsed_incoming"
    )
    con.unregister("collapsed_incoming")


def _balanced_columns(sums: Sums, own: np.ndarray, solution: CollapsedSolution) -> list[str]:
    residual = sums.largest[0] + np.abs(solution.fitted).max()
    return [
        f"{_whole_sum(f'y * w.a{k} - w.af{k}', residual * np.abs(own[:, :, k]).max())} as psi{k}"
        for k in range(own.shape[2])
    ]


def _general_columns(sums: Sums, own: np.ndarray, solution: CollapsedSolution) -> list[str]:
    slopes, by_control, of_controls = (
        solution.slopes,
        solution.by_control,
        np.array(sums.largest[1:]),
    )
    e = " ".join(["y - w.f", *(f"- ({float(slope)!r}) * q{j}" for j, slope in enumerate(slopes))])
    e_size = sums.largest[0] + np.abs(solution.fitted).max() + float(np.abs(slopes) @ of_controls)
    columns = ["count(*) as n", f"{_whole_sum(e, e_size)} as e"]
    for k in range(own.shape[2]):
        a = " ".join(
            [f"w.a{k}", *(f"+ ({float(b)!r}) * q{j}" for j, b in enumerate(by_control[:, k]))]
        )
        a_size = np.abs(own[:, :, k]).max() + float(np.abs(by_control[:, k]) @ of_controls)
        columns += [
            f"{_whole_sum(a, a_size)} as a{k}",
            f"{_whole_sum(f'({a}) * ({e})', a_size * e_size)} as ae{k}",
        ]
    return columns


@dataclass(frozen=True)
class _DenseIds:
    """Ids of both sides that are small whole numbers: the first of each and how many the second
    side spans.
    """

    first_i: int
    first_j: int
    span_j: int


def _dense_ids(con: Any, table: PairTable) -> _DenseIds | None:
    """Where every pair has its own number below 2^24; DuckDB knows the least and greatest id of a
    table without reading it.
    """
    found = con.execute(
        "select typeof(min(city_i_id)), typeof(min(city_j_id)), min(city_i_id), max(city_i_id), "
        "min(city_j_id), max(city_j_id) "
        f"from {table.relation}"
    ).fetchone()
    if any(kind not in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT") for kind in found[:2]):
        return None
    first_i, last_i, first_j, last_j = found[2:]
    span_j = last_j - first_j + 1
    return (
        _DenseIds(first_i, first_j, span_j)
        if (last_i - first_i + 1) * span_j <= 2**DENSE_BITS
        else None
    )


def _sum_by_pair(con: Any, joined: str, columns: list[str], dense: _DenseIds | None) -> None:
    """Sums by pair into the temporary table.

    With dense ids the pair is one whole number and DuckDB keeps the sums in an array (its perfect
    hash aggregate), which takes a quarter less time than an array by two ids and half that of a
    hash table.
    """
    target, sums = "create or replace temp table collapsed_influence as select", ", ".join(columns)
    if dense is None:
        con.execute(
            f"{target} city_i_id, city_j_id, {sums} from {joined} group by city_i_id, city_j_id"
        )
        return
    number = (
        f"cast((city_i_id - {dense.first_i}) * {dense.span_j} + (city_j_id - {dense.first_j}) as "
        "integer)"
    )
    ids = (
        f"pair // {dense.span_j} + {dense.first_i} as city_i_id, pair % {dense.span_j} + "
        f"{dense.first_j} as city_j_id"
    )
    with _sums_in_arrays(con):
        con.execute(
            f"{target} {ids}, * exclude (pair) from (select {number} as pair, {sums} from "
            f"{joined} group by pair)"
        )


@contextmanager
def _sums_in_arrays(con: Any) -> Iterator[None]:
    """DuckDB keeps sums by whole numbers in an array, not in a hash table, where the numbers' known
    ranges take up to `DENSE_BITS`.
    """
    before = con.execute("select current_setting('perfect_ht_threshold')").fetchone()[0]
    con.execute(f"set perfect_ht_threshold = {DENSE_BITS}")
    try:
        yield
    finally:
        con.execute(f"set perfect_ht_threshold = {int(before)}")


def _add_up(con: Any, n_terms: int) -> InfluenceTotals:
    """Squares over pairs and sums by city of the influences, as whole numbers."""
    names = [f"psi{k}" for k in range(n_terms)]
    largest = con.execute(
        f"select {', '.join(f'max(abs({name}))' for name in names)}, count(*) from "
        "collapsed_influence"
    ).fetchone()
    scales = [scale_to_bits(value or 0.0, 50) for value in largest[:-1]]
    wholes = [
        f"cast({name} * {scale!r} as bigint)" for name, scale in zip(names, scales, strict=True)
    ]
    squares = ", ".join(f"sum(cast({whole} as hugeint) * {whole})" for whole in wholes)
    found = con.execute(f"select {squares} from collapsed_influence").fetchone()
    sums = ", ".join(f"sum({whole}) as s{k}" for k, whole in enumerate(wholes))
    totals = ", ".join(f"sum(s{k})" for k in range(n_terms))
    by_city = con.execute(
        f"select city, {totals} from (select city_i_id as city, {sums} from collapsed_influence "
        "group by 1 "
        f"union all select city_j_id, {sums} from collapsed_influence group by 1) group by 1 "
        "order by 1"
    ).fetchall()
    con.execute("drop table collapsed_influence")
    scale = np.array(scales)
    city_sums = np.array([[float(value) for value in row[1:]] for row in by_city]) / scale
    return InfluenceTotals(
        np.array([float(value) for value in found]) / scale**2,
        city_sums,
        [row[0] for row in by_city],
        largest[-1],
    )
