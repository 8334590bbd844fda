"""The largest difference of two publications: what is found, and what is no matter of rounding."""

from pathlib import Path

import duckdb
import pytest

from tests.comparison import compare_publications

#: Only numbers tell its rows apart.
THINGS = "select 'a' as word, (i % 5) * (1 + {} * (20 - i)) as x, i / 1 as y from range(20) r(i)"
ONE = THINGS.format("0e0")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (f"{ONE} order by random()", 0.0),
        (THINGS.format("1e-15"), 1e-14),
        (THINGS.format("1e-10"), 1e-9),
        (ONE.replace("i / 1", "nullif(i / 1, 2)"), float("inf")),
        (ONE.replace("i / 1", "if(i = 2, 'nan'::double, i / 1)"), float("inf")),
        (ONE.replace("'a'", "'b'"), "values differ: ['word']"),
        (ONE.replace("20) r", "19) r"), "columns or rows differ: (20, 3), (19, 3)"),
        (ONE.replace("as y", "as z"), "columns or rows differ"),
    ],
)
def test_a_difference_is_found(tmp_path: Path, other: str, expected: float | str) -> None:
    for name, rows in (("one", ONE), ("two", other)):
        (tmp_path / name / "parquet/marts").mkdir(parents=True)
        duckdb.execute(f"copy ({rows}) to '{tmp_path / name}/parquet/marts/things.parquet'")
    found = compare_publications(tmp_path / "one", tmp_path / "two")
    of_things = found["parquet/marts/things.parquet"]
    if isinstance(expected, str):
        assert of_things.startswith(expected)
    else:
        assert expected / 10 <= of_things <= 10 * expected
