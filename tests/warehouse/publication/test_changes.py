"""What a publication changed against the one before, on small tables written here."""

from pathlib import Path

import duckdb
import pytest

from warehouse.build_database import open_build
from warehouse.publication.changes import TABLES, change_lines, compare, write_changes

OBSERVATION = (
    "source_id text, indicator_id text, place_level text, city_id int, year int, value double, "
    "edition_year int, "
    "file_name text, row_no int, col_no int, quality_flag text, is_current boolean, quality_rule "
    "text"
)
ESTIMATE = (
    "spec_id text, term text, cohort_year int, event_time int, vcov text, is_default boolean, "
    "estimate double, "
    "std_error double, p_value double, n_obs int, n_cities int, n_pilots int"
)
PRIMARY = "spec_id text, estimate double, p_value_family double, n_cities int, n_pilots int"
HEADLINE = "baseline.cm_growth_official.headline"


@pytest.fixture
def con():
    """A build (`memory`) and a publication before it (`previous`)."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as previous")
        for catalog in ("memory", "previous"):
            for schema, table, columns in (
                ("marts", "fct_indicator_observation", OBSERVATION),
                ("estimates", "estimate", ESTIMATE),
                ("estimates", "primary", PRIMARY),
            ):
                connection.execute(
                    f"create schema if not exists {catalog}.{schema}; create table "
                    f"{catalog}.{schema}.{table}({columns})"
                )
            connection.execute(
                f"create table {catalog}.marts.dim_indicator as select 'g' as indicator_id, "
                "0.00005 as revision_tolerance"
            )
            connection.execute(
                f"create schema {catalog}.meta; create table {catalog}.meta.run as select 'old' "
                "as run_id"
            )
        yield connection


def deliver(
    con: duckdb.DuckDBPyConnection,
    catalog: str,
    rows: list[tuple],
    source: str = "a",
    rule: str | None = None,
) -> None:
    """Rows of (city, year, value, edition, flag, is_current)."""
    for row in rows:
        con.execute(
            (
                f"insert into {catalog}.marts.fct_indicator_observation values (?, 'g', 'city', "
                "?, ?, "
                "?, ?, 'f', 1, 1, ?, ?, ?)"
            ),
            [source, *row, rule],
        )


def estimate(con: duckdb.DuckDBPyConnection, catalog: str, spec_id: str, value: float) -> None:
    row = [spec_id, value]
    con.execute(
        (
            f"insert into {catalog}.estimates.estimate values (?, 'treated', null, null, 'city', "
            "true, ?, 0.5, 0.2, 10, 5, 2)"
        ),
        row,
    )


def test_new_revised_vanished_and_current_values_are_counted(con) -> None:
    deliver(
        con,
        "previous",
        [
            (1, 2010, 100.0, 2018, "ok", True),
            (2, 2010, 50.0, 2018, "ok", True),
            (3, 2010, 7.0, 2018, "ok", True),
        ],
    )
    new = [
        (1, 2010, 100.0, 2018, "ok", False),
        (1, 2010, 110.0, 2019, "ok", True),
        (2, 2010, 50.0, 2019, "ok", True),
    ]
    # a blocked value of a newer edition does not speak for its source
    deliver(
        con,
        "memory",
        [*new, (4, 2010, 9.0, 2019, "ok", True), (2, 2010, 5e6, 2020, "blocked", False)],
    )
    compare(con, "previous")
    counts = (
        "previous_run_id, n_before, n_now, n_new, n_vanished, n_revised, n_current_changed, "
        "round(median_relative_revision, 9)"
    )
    assert con.execute(f"select {counts} from meta.publication_change").fetchall() == [
        ("old", 3, 3, 1, 1, 1, 3, 0.1)
    ]
    assert "  a: 1 new, 1 revised, 1 gone; 3 current values changed" in change_lines(con)


def test_estimates_that_moved_came_or_went_are_listed(con) -> None:
    for catalog, rows in (
        ("previous", {HEADLINE: 1.0, "gone": 2.0, "same": 3.0}),
        ("memory", {HEADLINE: 1.5, "came": 4.0, "same": 3.0}),
    ):
        for spec_id, value in rows.items():
            estimate(con, catalog, spec_id, value)
        con.execute(f"insert into {catalog}.estimates.primary values ('primary.x', 7, 0.5, 5, 2)")
    compare(con, "previous")
    found = con.execute(
        "select spec_id, old_estimate, new_estimate, difference_in_old_errors from "
        "meta.estimate_change order by 1"
    ).fetchall()
    assert found == [
        (HEADLINE, 1.0, 1.5, 1.0),
        ("came", None, 4.0, None),
        ("gone", 2.0, None, None),
        ("primary.x", 7.0, 7.0, None),
    ]
    assert f"  {HEADLINE}: 1.0000 -> 1.5000 (+1.00 old standard errors)" in change_lines(con)


def test_a_first_publication_has_every_table_empty(con) -> None:
    deliver(con, "memory", [(1, 2010, 100.0, 2018, "ok", True)])
    compare(con, None)
    assert [con.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES] == [
        0
    ] * len(TABLES)
    assert change_lines(con) == []


@pytest.mark.parametrize(
    ("simulated", "is_damaged", "n_changed"),
    [(False, False, 1), (True, False, 0), (False, True, 0)],
)
def test_a_build_is_compared_with_a_publication_of_its_kind_that_can_be_read(
    con, tmp_path: Path, simulated: bool, is_damaged: bool, n_changed: int
) -> None:
    deliver(con, "previous", [(1, 2010, 100.0, 2018, "ok", True)])
    deliver(con, "memory", [(1, 2010, 200.0, 2018, "ok", True)])
    for catalog, name in (("previous", "published"), ("memory", "build")):
        (tmp_path / name).mkdir()
        con.execute(f"attach '{tmp_path / name / 'citysync.duckdb'}' as {name}")
        con.execute(f"copy from database {catalog} to {name}; detach {name}")
    manifest = '{"is_simulated": false}' if not is_damaged else "{"
    (tmp_path / "published" / "manifest.json").write_text(manifest, encoding="utf-8")
    write_changes(tmp_path / "published", tmp_path / "build", simulated)
    with open_build(tmp_path / "build", read_only=True) as build:
        found = build.execute("select count(*) from meta.current_change").fetchone()
    assert found == (n_changed,)


def test_rounding_is_no_revision(con) -> None:
    deliver(
        con,
        "previous",
        [
            (1, 2010, 0.3, None, "ok", True),
            (2, 2010, 44.9, None, "ok", True),
            (3, 2010, 44.9, None, "ok", True),
        ],
    )
    deliver(
        con,
        "memory",
        [
            (1, 2010, 0.1 + 0.2, None, "ok", True),
            (2, 2010, 44.90004, None, "ok", True),
            (3, 2010, 45.0, None, "ok", True),
        ],
    )
    compare(con, "previous")
    assert con.execute(
        "select n_revised, n_current_changed from meta.publication_change"
    ).fetchall() == [(1, 1)]
    assert con.execute("select reason, n_values from meta.current_change").fetchall() == [
        ("revised", 1)
    ]


def test_a_removed_source_is_the_cause_of_its_values_going(con) -> None:
    deliver(con, "previous", [(1, 2010, 100.0, None, "ok", True)], source="b")
    for catalog, current in (("previous", False), ("memory", True)):
        deliver(con, catalog, [(1, 2010, 104.0, None, "ok", current)])
    compare(con, "previous")
    assert con.execute(
        "select source_id, source_change from meta.publication_change order by 1"
    ).fetchall() == [
        ("a", "kept"),
        ("b", "removed"),
    ]
    found = con.execute(
        "select old_source_id, new_source_id, reason, round(median_relative_change, 6) from "
        "meta.current_change"
    ).fetchall()
    assert found == [("b", "a", "source removed", 0.04)]
    assert (
        "  b: removed from the landing with its 1 values; 1 current values changed"
        in change_lines(con)
    )


def test_a_block_that_falls_beside_a_new_source_is_a_warning(con) -> None:
    deliver(con, "previous", [(1, 2010, 900.0, None, "blocked", False)], rule="spike")
    deliver(con, "previous", [(1, 2010, 100.0, None, "ok", True)], source="b")
    deliver(con, "memory", [(1, 2010, 900.0, None, "ok", True)])
    deliver(con, "memory", [(1, 2010, 100.0, None, "ok", False)], source="b")
    deliver(con, "memory", [(1, 2010, 901.0, None, "ok", False)], source="copy")
    compare(con, "previous")
    columns = (
        "change, source_id, quality_rule, n_values, n_became_current, first_value, new_source_ids"
    )
    assert con.execute(f"select {columns} from meta.flag_change").fetchall() == [
        ("lifted", "a", "spike", 1, 1, "city 1 2010", "copy")
    ]
    assert con.execute("select reason from meta.current_change").fetchall() == [("block lifted",)]
    lines = change_lines(con)
    assert "  flags: 1 blocks lifted, 0 newly set (meta.flag_change)" in lines
    warning = next(
        line
        for line in lines
        if line.startswith("  warning: 1 values of a, g, that spike blocked are no longer blocked")
    )
    assert "1 of them are current now, first city 1 2010; new beside them: copy" in warning


def test_a_flag_newly_set_is_listed_without_a_warning(con) -> None:
    deliver(con, "previous", [(1, 2010, 900.0, None, "ok", True)])
    deliver(con, "memory", [(1, 2010, 900.0, None, "blocked", False)], rule="outvoted")
    compare(con, "previous")
    assert con.execute(
        "select change, quality_rule, n_ceased_current from meta.flag_change"
    ).fetchall() == [("set", "outvoted", 1)]
    assert con.execute("select reason from meta.current_change").fetchall() == [
        ("nothing left after a block",)
    ]
    assert not [line for line in change_lines(con) if "warning" in line]
