"""What the gates of the publication before found."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.gates.standing import read_standing


def test_failing_rows_of_the_publication_before_are_read_where_there_are_any(
    tmp_path: Path,
) -> None:
    assert read_standing(tmp_path) is None
    with duckdb.connect(str(tmp_path / "citysync.duckdb")) as con:
        con.execute("create schema quality")
    assert read_standing(tmp_path) is None
    with duckdb.connect(str(tmp_path / "citysync.duckdb")) as con:
        con.execute(
            "create table quality.expectation_row as select 'marts' as stage, 'c' as check_id, "
            "'city_id=1' as failing_row"
        )
    assert read_standing(tmp_path) == {("marts", "c", "city_id=1")}
