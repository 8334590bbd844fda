"""What a publication changed against the one before, on small tables written here."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.change_sentences import change_sentences
from warehouse.database import open_build
from warehouse.publication import change_queries
from warehouse.publication.change_tables import (
    TABLES,
    Compared,
    compare,
    write_changes,
)

OBSERVATION = (
    "source_id text, city_id int, year int, value double, edition_year int, quality_flag text, "
    "is_current boolean, quality_rule text, indicator_id text default 'g', "
    "place_level text default 'city', file_name text default 'f', row_no int default 1, "
    "col_no int default 1"
)
ESTIMATE = (
    "spec_id text, estimate double, term text default 'treated', cohort_year int, event_time int, "
    "vcov text default 'city', is_default boolean default true, std_error double default 0.5, "
    "p_value double default 0.2, p_value_family double, n_obs int default 10, "
    "n_cities int default 5, n_pilots int default 2"
)
PRIMARY = (
    "spec_id text, estimate double, p_value_family double, n_cities int, n_pilots int, "
    "verdict text, first_year int, last_year int"
)
NEWEST = "primary.cm_growth_official.newest"
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
                create table marts.dim_city as select 4 as city_id, 'Fuyang' as city_name_en;
                create table meta.movement as select null::text as spec_id,
                    null::double as change_in_deviations, 2019 as old_last_year limit 0;
                create table meta.check_change as select null::text as check_id,
                    null::text as known_since, 0 as n_new_rows, null::text as first_new_row limit 0;
                create table meta.promise as select null::text as status, null::text as written_by,
                    null::text as spec_id, null::text as rule_name, null::text as what_changed
                    limit 0;
                create table marts.dim_indicator as
                    select 'g' as indicator_id, 0.00005 as revision_tolerance;
                create table meta.run as
                    select 'old' as run_id, 'old' as previous_run_id,
                        cast(null as varchar) as not_compared"""
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
        [
            "a: 1 new, 1 revised (half of them by at most 10.00%), 1 gone.",
            "Places: 1 are new (Fuyang), 1 were lost (city 3).",
            "the most by 10.00%: g of city 1 in 2010, 100 before, 110 now (+10.00%).",
            "1 values in use were lost, with nothing in their place (meta.value_change): "
            "g of city 3 in 2010, 7 before, none now (value gone).",
        ],
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
        ["b is no longer in the landing, with its 1 values."],
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
            "Values that did not change and are no longer blocked: 1 by spike",
            "  warning: 1 values of a, g, that spike blocked are no longer blocked",
            "1 of them are in use now, first city 1 2010; copy is new",
        ],
    ),
    "a flag newly set is listed without a warning": (
        [("a", 1, 2010, 900.0, None, "ok", True, None)],
        [("a", 1, 2010, 900.0, None, "blocked", False, "outvoted")],
        {
            OF_FLAGS.format("n_ceased_current"): [("set", "a", "outvoted", 1)],
            OF_CURRENT: [("nothing left after a block", 1)],
        },
        [
            "Values that did not change and are blocked now: 1 by outvoted",
            "g of city 1 in 2010, 900 before, none now (blocked by outvoted)",
        ],
    ),
    "a flag on a new value is listed with its rule": (
        [("a", 1, 2010, 900.0, None, "ok", True, None)],
        [
            ("a", 1, 2010, 900.0, None, "ok", True, None),
            ("a", 1, 2011, 90.0, None, "warned", True, "leap"),
            ("a", 1, 2012, 9.0, None, "blocked", False, "spike"),
        ],
        {
            OF_FLAGS.format("quality_flag, n_values") + " order by 3": [
                ("came", "a", "leap", "warned", 1),
                ("came", "a", "spike", "blocked", 1),
            ],
        },
        ["New and revised values that are flagged: 1 blocked by spike, 1 warned by leap"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_changes_of_values_are_counted_and_said(con, case: str) -> None:
    before, now, tables, lines = CASES[case]
    deliver(con, before, now)
    compare(con, "previous")
    assert {query: con.execute(query).fetchall() for query in tables} == tables
    said = "\n".join(change_sentences(con))
    assert [line for line in lines if line not in said] == []
    assert ("warning:" in said) == ("warning:" in "".join(lines))


def test_estimates_that_moved_came_or_went_are_listed(con) -> None:
    for catalog, rows in (
        ("previous", {HEADLINE: 1.0, "gone": 2.0, "same": 3.0}),
        ("memory", {HEADLINE: 1.5, "came": 4.0, "same": 3.0}),
    ):
        insert(con, f"{catalog}.estimates.estimate", "spec_id, estimate", [*rows.items()])
        verdict = "found" if catalog == "memory" else "not_identified"
        con.execute(
            f"insert into {catalog}.estimates.primary values ('{NEWEST}', 7, 0.5, 5, 2, "
            f"'{verdict}', 2010, 2020)"
        )
    compare(con, "previous")
    found = con.execute(
        "select spec_id, old_estimate, new_estimate, difference_in_old_errors from "
        "meta.estimate_change order by 1"
    ).fetchall()
    assert found == [
        (HEADLINE, 1.0, 1.5, 1.0),
        ("came", None, 4.0, None),
        ("gone", 2.0, None, None),
        (NEWEST, 7.0, 7.0, None),
    ]
    con.execute(f"insert into meta.movement values ('{NEWEST}', -1.25, 2019)")
    said = "\n".join(change_sentences(con))
    assert "in 2010-2020: a change was found, before it was: the data cannot tell" in said
    assert "was +7.0000 and is +7.0000, p 0.5000; it moved 1.2 times as far" in said


ONE = ("a", 1, 2010, 100.0, 2018, "ok", True, None)


def write_two(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """A publication and a build below a folder, which differ in one value; the build has no run
    yet.
    """
    con.execute("drop table memory.meta.run")
    deliver(con, [ONE], [("a", 1, 2010, 200.0, 2018, "ok", True, None)])
    for catalog, name in (("previous", "published"), ("memory", "build")):
        (folder / name).mkdir()
        con.execute(f"attach '{folder / name / 'citysync.duckdb'}' as {name}")
        # as a publication is written: tables without the defaults of this test's own
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ?", [catalog]
        ).fetchall()
        for schema, table in tables:
            con.execute(f"create schema if not exists {name}.{schema}")
            con.execute(f"create table {name}.{schema}.{table} as from {catalog}.{schema}.{table}")
        con.execute(f"detach {name}")
    manifest = folder / "published" / "manifest.json"
    manifest.write_text('{"is_simulated": false}', encoding="utf-8")


def counts_of(build: Path) -> list[int]:
    with open_build(build, read_only=True) as con:
        return [con.execute(f"select count(*) from {table}").fetchone()[0] for table in TABLES]


@pytest.mark.parametrize(
    ("published", "simulated", "found"),
    [
        ("published", False, Compared(previous_run_id="old")),
        ("published", True, Compared()),
        ("none", False, Compared()),
    ],
)
def test_a_build_is_compared_with_the_publication_of_its_kind(
    con, tmp_path: Path, published: str, simulated: bool, found: Compared
) -> None:
    write_two(con, tmp_path)
    assert write_changes(tmp_path / published, tmp_path / "build", simulated) == found
    assert (sum(counts_of(tmp_path / "build")) > 0) == (found.previous_run_id is not None)


def change(statement: str) -> Callable[[Path], object]:
    """Return what changes the database of a publication by a statement."""

    def work(published: Path) -> None:
        with duckdb.connect(str(published / "citysync.duckdb")) as con:
            con.execute(statement)

    return work


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "manifest"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "manifest"),
        (lambda folder: (folder / "manifest.json").write_text('{"is_simulated": 0}'), "manifest"),
        (lambda folder: (folder / "citysync.duckdb").unlink(), "citysync.duckdb"),
        (change("delete from meta.run"), "meta.run has 0 rows"),
        (change("alter table marts.fct_indicator_observation alter value type text"), ""),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json"),
        (lambda folder: (folder / "citysync.duckdb").write_bytes(b"x" * 9000), "citysync.duckdb"),
        (change("alter table estimates.primary drop column p_value_family"), "p_value_family"),
    ],
)
def test_a_publication_that_cannot_be_compared_with_is_reported_with_the_reason(
    con, tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    write_two(con, tmp_path)
    damage(tmp_path / "published")
    found = write_changes(tmp_path / "published", tmp_path / "build", simulated=False)
    assert found.previous_run_id is None and reason in found.not_compared
    assert sum(counts_of(tmp_path / "build")) == 0
    with open_build(tmp_path / "build") as build:
        build.execute(
            "create or replace table meta.run as select null as previous_run_id, ? as not_compared",
            [found.not_compared],
        )
        (line,) = change_sentences(build)
    assert reason in line


def test_a_query_that_is_wrong_on_the_build_itself_ends_the_run(
    con, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_two(con, tmp_path)
    monkeypatch.setattr(
        change_queries, "BEST", "select no_such_column from {catalog}.estimates.primary"
    )
    with pytest.raises(duckdb.BinderException, match="no_such_column"):
        write_changes(tmp_path / "published", tmp_path / "build", simulated=False)
