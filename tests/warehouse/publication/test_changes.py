"""What a publication changed against the one before, on small tables written here."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.publication.changes import change_lines, compare

OBSERVATION = (
    "source_id text, indicator_id text, place_level text, city_id int, year int, value double, edition_year int, "
    "file_name text, row_no int, col_no int, quality_flag text, is_current boolean"
)
ESTIMATE = (
    "spec_id text, term text, cohort_year int, event_time int, vcov text, is_default boolean, estimate double, "
    "std_error double, p_value double, n_obs int, n_cities int, n_pilots int"
)
HEADLINE = "baseline.cm_growth_official.headline"


@pytest.fixture
def con():
    """A build (`memory`) and a publication before it (`previous`)."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as previous")
        for catalog in ("memory", "previous"):
            for schema, table, columns in (("marts", "fct_indicator_observation", OBSERVATION), ("estimates", "estimate", ESTIMATE)):
                connection.execute(f"create schema {catalog}.{schema}; create table {catalog}.{schema}.{table}({columns})")
            connection.execute(f"create schema {catalog}.meta; create table {catalog}.meta.run as select 'old' as run_id")
        yield connection


def deliver(con: duckdb.DuckDBPyConnection, catalog: str, rows: list[tuple]) -> None:
    """Rows of (city, year, value, edition, flag, is_current)."""
    for row in rows:
        con.execute(
            f"insert into {catalog}.marts.fct_indicator_observation values ('a', 'g', 'city', ?, ?, ?, ?, 'f', 1, 1, ?, ?)", list(row)
        )


def estimate(con: duckdb.DuckDBPyConnection, catalog: str, spec_id: str, value: float) -> None:
    row = [spec_id, value]
    con.execute(f"insert into {catalog}.estimates.estimate values (?, 'treated', null, null, 'city', true, ?, 0.5, 0.2, 10, 5, 2)", row)


def test_new_revised_vanished_and_current_values_are_counted(con) -> None:
    deliver(con, "previous", [(1, 2010, 100.0, 2018, "ok", True), (2, 2010, 50.0, 2018, "ok", True), (3, 2010, 7.0, 2018, "ok", True)])
    new = [(1, 2010, 100.0, 2018, "ok", False), (1, 2010, 110.0, 2019, "ok", True), (2, 2010, 50.0, 2019, "ok", True)]
    # a blocked value of a newer edition does not speak for its source
    deliver(con, "memory", [*new, (4, 2010, 9.0, 2019, "ok", True), (2, 2010, 5e6, 2020, "blocked", False)])
    compare(con, "previous")
    counts = "previous_run_id, n_before, n_now, n_new, n_vanished, n_revised, n_current_changed, round(median_relative_revision, 9)"
    assert con.execute(f"select {counts} from meta.publication_change").fetchall() == [("old", 3, 3, 1, 1, 1, 3, 0.1)]
    assert "  a: 1 new, 1 revised, 1 gone; 3 current values changed" in change_lines(con)


def test_estimates_that_moved_came_or_went_are_listed(con) -> None:
    for catalog, rows in (("previous", {HEADLINE: 1.0, "gone": 2.0, "same": 3.0}), ("memory", {HEADLINE: 1.5, "came": 4.0, "same": 3.0})):
        for spec_id, value in rows.items():
            estimate(con, catalog, spec_id, value)
    compare(con, "previous")
    found = con.execute(
        "select spec_id, old_estimate, new_estimate, difference_in_old_errors from meta.estimate_change order by 1"
    ).fetchall()
    assert found == [(HEADLINE, 1.0, 1.5, 1.0), ("came", None, 4.0, None), ("gone", 2.0, None, None)]
    assert f"  {HEADLINE}: 1.0000 -> 1.5000 (+1.00 old standard errors)" in change_lines(con)


def test_a_first_publication_has_both_tables_empty(con) -> None:
    deliver(con, "memory", [(1, 2010, 100.0, 2018, "ok", True)])
    compare(con, None)
    assert con.execute("select (select count(*) from meta.publication_change), (select count(*) from meta.estimate_change)").fetchone() == (
        0,
        0,
    )
    assert change_lines(con) == []
