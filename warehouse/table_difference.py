"""The largest difference between two tables that should be equal up to rounding: two engines, or
two publications, of the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from warehouse.sql_text import quote

FLOATING = ("DOUBLE", "FLOAT")


def compare_relations(
    con: duckdb.DuckDBPyConnection, first: str, second: str, keys: Sequence[str]
) -> dict[str, Any]:
    """Rows and the largest difference of two relations; or what differs beyond numbers.

    Parameters
    ----------
    con : duckdb connection
    first, second : str
        Names or expressions of relations, SQL of this code.
    keys : sequence of str
        Columns that name a row in both.

    Returns
    -------
    dict
        `rows`, `max_difference` (relative to the first value where that is above 1, absolute below)
        and `column`, where it is; or `fault` alone, a sentence: other columns, other rows, or
        values that are no numbers and differ.
    """
    kinds = {row[0]: row[1] for row in con.execute(f"describe select * from {first}").fetchall()}
    theirs = [row[0] for row in con.execute(f"describe select * from {second}").fetchall()]
    if sorted(kinds) != sorted(theirs):
        return {"fault": f"columns differ: {sorted(set(kinds) ^ set(theirs))}"}
    rows = [
        con.execute(f"select count(*) from {source}").fetchone()[0] for source in (first, second)
    ]
    numbers = [column for column, kind in kinds.items() if kind in FLOATING and column not in keys]
    others = [column for column in kinds if column not in (*numbers, *keys)]
    # an infinity, or what is no number, is equal to itself alone
    gaps = [_largest_gap(f"a.{c}", f"b.{c}") for c in map(quote, numbers)]
    faults = [
        f"count(*) filter (where (a.{c} is null) <> (b.{c} is null))" for c in map(quote, numbers)
    ]
    faults += [f"count(*) filter (where a.{c} is distinct from b.{c})" for c in map(quote, others)]
    joined = (
        f"{first} as a inner join {second} as b on "
        f"{' and '.join(f'a.{c} is not distinct from b.{c}' for c in map(quote, keys))}"
    )
    common, *found = con.execute(
        f"select {', '.join(['count(*)', *gaps, *faults])} from {joined}"
    ).fetchone()
    differing = [
        f"{count:,} values of {name}"
        for name, count in zip([*numbers, *others], found[len(numbers) :], strict=True)
        if count
    ]
    if len({*rows, common}) > 1:
        return {"fault": f"{rows[0]:,} and {rows[1]:,} rows, {common:,} in common"}
    if differing:
        return {"fault": f"not of the same kind, or null in one of them: {', '.join(differing)}"}
    largest = max(zip(found[: len(numbers)], numbers, strict=True), default=(0.0, ""))
    return {"rows": rows[0], "max_difference": float(largest[0]), "column": largest[1]}


def _largest_gap(a: str, b: str) -> str:
    """SQL of the largest difference of two columns; infinite where one of the two is not finite and
    the other is not the same.
    """
    gap = f"abs({a} - {b}) / greatest(1, abs({a}))"
    return (
        f"coalesce(max(case when {a} is distinct from {b} then case when isfinite({gap}) then "
        f"{gap} else 'inf'::double end end), 0)"
    )
