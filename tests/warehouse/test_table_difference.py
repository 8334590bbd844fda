"""The largest difference of two tables: what is found, and what is no matter of rounding."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.table_difference import compare_relations

FIRST = "(select k, cast(k as double) as v, 'a' as t from range(4) as r(k))"


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (FIRST, 0.0),
        ("(select k, k * (1 + 1e-15) as v, 'a' as t from range(4) as r(k))", 1e-15),
        ("(select k, k + 1e-9 as v, 'a' as t from range(4) as r(k))", 1e-9),
        (
            "(select k, nullif(cast(k as double), 2) as v, 'a' as t from range(4) as r(k))",
            "1 values of v",
        ),
        (
            (
                "(select k, case when k = 2 then 'nan'::double else k end as v, 'a' as t from "
                "range(4) as r(k))"
            ),
            float("inf"),
        ),
        ("(select k, cast(k as double) as v, 'b' as t from range(4) as r(k))", "4 values of t"),
        (
            "(select k, cast(k as double) as v, 'a' as t from range(3) as r(k))",
            "4 and 3 rows, 3 in common",
        ),
        ("(select k, cast(k as double) as w, 'a' as t from range(4) as r(k))", "columns differ"),
    ],
)
def test_a_difference_is_found(second: str, expected: float | str) -> None:
    with duckdb.connect() as con:
        found = compare_relations(con, FIRST, second, ["k"])
    if isinstance(expected, str):
        assert expected in found["fault"]
    else:
        assert found["max_difference"] == pytest.approx(expected, rel=0.6, abs=0.0)
