"""What a publication changed against the one before, on small tables written here."""

from pathlib import Path

import duckdb
import pytest

from warehouse.build_database import open_build
from warehouse.publication.changes import TABLES, change_lines, compare, write_changes

OBSERVATION = (
    "source_id text, city_id int, year int, value double, edition_year int, quality_flag text, "
    "is_current boolean, quality_rule text, indicator_id text default 'g', "
    "place_level text default 'city', file_name text default 'f', row_no int default 1, "
    "col_no int default 1"
)
ESTIMATE = (
    "spec_id text, estimate double, term text default 'treated', cohort_year int, event_time int, "
    "vcov text default 'city', is_default boolean default true, std_error double default 0.5, "
    "p_value double default 0.2, n_obs int default 10, n_cities int default 5, "
    "n_pilots int default 2"
)
PRIMARY = "spec_id text, estimate double, p_value_family double, n_cities int, n_pilots int"
HEADLINE = "baseline.cm_growth_official.headline"


@pytest.fixture
def con():
    """A build (`memory`) and a publication before it (`previous`)."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as previous")
        for catalog in ("previous", "memory"):
            connection.execute(
                f"""use {catalog}; create schema marts; create schema estimates; create schema meta;
                create table marts.fct_indicator_observation({OBSERVATION});
                create table estimates.estimate({ESTIMATE});
                create table estimates.primary({PRIMARY});
                create table marts.dim_indicator as
                    select 'g' as indicator_id, 0.00005 as revision_tolerance;
                create table meta.run as select 'old' as run_id"""
            )
        yield connection


def insert(con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[tuple]) -> None:
    """Rows of a table, whose other columns have their defaults."""
    marks = ", ".join("?" for _ in columns.split(","))
    for row in rows:
        con.execute(f"insert into {table}({columns}) values ({marks})", row)


def deliver(con: duckdb.DuckDBPyConnection, before: list[tuple], now: list[tuple]) -> None:
    """Values as (source, city, year, value, edition, flag, is_current, rule)."""
    columns = (
        "source_id, city_id, year, value, edition_year, quality_flag, is_current, quality_rule"
    )
    for catalog, rows in (("previous", before), ("memory", now)):
        insert(con, f"{catalog}.marts.fct_indicator_observation", columns, rows)


OF_CHANGE = "select source_id, source_change, {} from meta.publication_change order by 1"
OF_FLAGS = "select change, source_id, quality_rule, {} from meta.flag_change"
OF_CURRENT = "select reason, n_values from meta.current_change"
#: Values before and now, what the tables say by query, and the lines of the summary.
CASES = {
    "new, revised, vanished and current values are counted": (
        [
            ("a", 1, 2010, 100.0, 2018, "ok", True, None),
            ("a", 2, 2010, 50.0, 2018, "ok", True, None),
            ("a", 3, 2010, 7.0, 2018, "ok", True, None),
        ],
        [
            ("a", 1, 2010, 100.0, 2018, "ok", False, None),
            ("a", 1, 2010, 110.0, 2019, "ok", True, None),
            ("a", 2, 2010, 50.0, 2019, "ok", True, None),
            ("a", 4, 2010, 9.0, 2019, "ok", True, None),
            # a blocked value of a newer edition does not speak for its source
            ("a", 2, 2010, 5e6, 2020, "blocked", False, None),
        ],
        {
            OF_CHANGE.format(
                "previous_run_id, n_before, n_now, n_new, n_vanished, n_revised, "
                "n_current_changed, round(median_relative_revision, 9)"
            ): [("a", "kept", "old", 3, 3, 1, 1, 1, 3, 0.1)]
        },
        ["  a: 1 new, 1 revised, 1 gone; 3 current values changed"],
    ),
    "rounding is no revision": (
        [
            ("a", 1, 2010, 0.3, None, "ok", True, None),
            ("a", 2, 2010, 44.9, None, "ok", True, None),
            ("a", 3, 2010, 44.9, None, "ok", True, None),
        ],
        [
            ("a", 1, 2010, 0.1 + 0.2, None, "ok", True, None),
            ("a", 2, 2010, 44.90004, None, "ok", True, None),
            ("a", 3, 2010, 45.0, None, "ok", True, None),
        ],
        {
            OF_CHANGE.format("n_revised, n_current_changed"): [("a", "kept", 1, 1)],
            OF_CURRENT: [("revised", 1)],
        },
        [],
    ),
    "a removed source is the cause of its values going": (
        [
            ("b", 1, 2010, 100.0, None, "ok", True, None),
            ("a", 1, 2010, 104.0, None, "ok", False, None),
        ],
        [("a", 1, 2010, 104.0, None, "ok", True, None)],
        {
            OF_CHANGE.format("n_now"): [("a", "kept", 1), ("b", "removed", 0)],
            "select old_source_id, new_source_id, reason, round(median_relative_change, 6) "
            "from meta.current_change": [("b", "a", "source removed", 0.04)],
        },
        ["  b: removed from the landing with its 1 values; 1 current values changed"],
    ),
    "a block that falls beside a new source is a warning": (
        [
            ("a", 1, 2010, 900.0, None, "blocked", False, "spike"),
            ("b", 1, 2010, 100.0, None, "ok", True, None),
        ],
        [
            ("a", 1, 2010, 900.0, None, "ok", True, None),
            ("b", 1, 2010, 100.0, None, "ok", False, None),
            ("copy", 1, 2010, 901.0, None, "ok", False, None),
        ],
        {
            OF_FLAGS.format("n_values, n_became_current, first_value, new_source_ids"): [
                ("lifted", "a", "spike", 1, 1, "city 1 2010", "copy")
            ],
            OF_CURRENT: [("block lifted", 1)],
        },
        [
            "  flags: 1 blocks lifted, 0 newly set (meta.flag_change)",
            "  warning: 1 values of a, g, that spike blocked are no longer blocked",
            "1 of them are current now, first city 1 2010; new beside them: copy",
        ],
    ),
    "a flag newly set is listed without a warning": (
        [("a", 1, 2010, 900.0, None, "ok", True, None)],
        [("a", 1, 2010, 900.0, None, "blocked", False, "outvoted")],
        {
            OF_FLAGS.format("n_ceased_current"): [("set", "a", "outvoted", 1)],
            OF_CURRENT: [("nothing left after a block", 1)],
        },
        ["  flags: 0 blocks lifted, 1 newly set (meta.flag_change)"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_changes_of_values_are_counted_and_said(con, case: str) -> None:
    before, now, tables, lines = CASES[case]
    deliver(con, before, now)
    compare(con, "previous")
    assert {query: con.execute(query).fetchall() for query in tables} == tables
    said = "\n".join(change_lines(con))
    assert [line for line in lines if line not in said] == []
    assert ("warning" in said) == ("warning" in "".join(lines))


def test_estimates_that_moved_came_or_went_are_listed(con) -> None:
    for catalog, rows in (
        ("previous", {HEADLINE: 1.0, "gone": 2.0, "same": 3.0}),
        ("memory", {HEADLINE: 1.5, "came": 4.0, "same": 3.0}),
    ):
        insert(con, f"{catalog}.estimates.estimate", "spec_id, estimate", [*rows.items()])
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


ONE = ("a", 1, 2010, 100.0, 2018, "ok", True, None)


@pytest.mark.parametrize(
    ("manifest", "simulated", "is_compared"),
    [
        ('{"is_simulated": false}', False, True),
        ('{"is_simulated": false}', True, False),
        ("{", False, False),
        # a first publication
        (None, False, False),
    ],
)
def test_a_build_is_compared_with_a_publication_of_its_kind_that_can_be_read(
    con, tmp_path: Path, manifest: str | None, simulated: bool, is_compared: bool
) -> None:
    deliver(con, [ONE], [("a", 1, 2010, 200.0, 2018, "ok", True, None)])
    for catalog, name in (("previous", "published"), ("memory", "build")):
        (tmp_path / name).mkdir()
        con.execute(f"attach '{tmp_path / name / 'citysync.duckdb'}' as {name}")
        con.execute(f"copy from database {catalog} to {name}; detach {name}")
    (tmp_path / "published" / "manifest.json").write_text(manifest or "", encoding="utf-8")
    write_changes(tmp_path / ("published" if manifest else "none"), tmp_path / "build", simulated)
    with open_build(tmp_path / "build", read_only=True) as build:
        counts = [build.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES]
        assert (sum(counts) > 0, change_lines(build) != []) == (is_compared, is_compared)
