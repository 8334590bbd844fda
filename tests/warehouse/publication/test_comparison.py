"""The largest difference of two tables: what is found, and what is no matter of rounding."""

from pathlib import Path

import duckdb
import pytest

from tests.comparison import compare_publications, compare_relations
from tests.warehouse.publication.small import CREATE_SCHEMAS, put_out, run_of

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


def test_publications_are_compared_row_by_row_in_whatever_order_they_lie(tmp_path: Path) -> None:
    """Also where only numbers tell rows apart, and these differ by rounding."""
    values = (
        "select 'a' as word, (i % 5) * (1 + {0} * (20 - i)) as x, i / 1 as y from range(20) r(i)"
    )
    for name, error in (("one", "0e0"), ("same", "1e-15"), ("other", "1e-10")):
        table = f"create table marts.things as {values.format(error)}"
        put_out(tmp_path / name, run_of(1), f"{CREATE_SCHEMAS}{table}")
    one, same, other = (tmp_path / name / "published" for name in ("one", "same", "other"))
    assert compare_publications(one, same)["marts.things"]["max_difference"] < 1e-12
    found = compare_publications(one, other)["marts.things"]
    assert 1e-10 < found["max_difference"] < 1e-8 and found["column"] == "x"
