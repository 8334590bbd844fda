"""Where the columns of a table come from, as the UI shows it: traced in SQL, and kept with the
tables of a refresh.
"""

from __future__ import annotations

import dagster as dg
import duckdb
import pytest

from orchestration.dagster_ui import column_lineage
from orchestration.dagster_ui.column_lineage import describe_lineage, read_columns, trace_columns
from tests.orchestration.conftest import Run

SQL = """
with city as (
    select * from "another"."seeds"."city"
),

growth as (
    select city_id, "year", 100 * (gdp / lag(gdp) over (partition by city_id
        order by "year") - 1) as growth_pct from build.marts.fct_gdp
),

long as (
    select * from growth unpivot (d for series in (growth_pct))
),

final as (
    select
        long.city_id, city.* exclude (city_id), long.d, long.series,
        if(city.name is null, 'x', 'y') as kind, 1 as one, count(*) over () as n
    from long left join city using (city_id)
)

select * from final
"""


@pytest.fixture
def known():
    with duckdb.connect() as con:
        con.execute(
            "create schema seeds; create table seeds.city (city_id integer, name varchar, zone "
            "varchar)"
        )
        con.execute(
            "create schema marts; create view marts.fct_gdp as select 1 as city_id, 2010 as "
            '"year", 1.0 as gdp'
        )
        yield read_columns(con)


def test_columns_are_traced_through_tables_stars_windows_and_unpivots(known) -> None:
    columns = ["city_id", "name", "zone", "d", "kind", "one", "n"]
    of_gdp = [
        ("marts", "fct_gdp", "city_id"),
        ("marts", "fct_gdp", "gdp"),
        ("marts", "fct_gdp", "year"),
    ]
    assert trace_columns(SQL, columns, known) == {
        "city_id": [("marts", "fct_gdp", "city_id")],
        "name": [("seeds", "city", "name")],
        "zone": [("seeds", "city", "zone")],
        "d": of_gdp,
        "kind": [("seeds", "city", "name")],
        "one": [],
        "n": [],
    }
    shown = describe_lineage(SQL, columns, known)["dagster/column_lineage"]
    assert shown.deps_by_column["name"] == [
        dg.TableColumnDep(dg.AssetKey(["seeds", "city"]), "name")
    ]
    assert set(shown.deps_by_column) == {"city_id", "name", "zone", "d", "kind"}


@pytest.mark.parametrize(
    "sql",
    ["", "def model(dbt, session): ...", "select gone from nowhere.at_all", "select 1 as name"],
)
def test_what_cannot_be_traced_has_no_lineage(sql, known) -> None:
    assert describe_lineage(sql, ["name"], known) == {}


def test_what_was_traced_is_kept_until_the_sql_or_a_table_that_it_names_is_another(
    known, tmp_path, monkeypatch
) -> None:
    traced = []

    def trace(*question):
        traced.append(question)
        return trace_columns(*question)

    monkeypatch.setattr(column_lineage, "trace_columns", trace)
    kept, columns = tmp_path / "cache" / "marts.x.json", ["city_id", "name", "d"]

    def shown(sql=SQL, tables=known):
        return describe_lineage(sql, columns, tables, kept)

    first = shown()
    assert shown() == first == describe_lineage(SQL, columns, known) and len(traced) == 2
    # a table that the SQL does not name is no reason, another column of one that it names is
    beside = {**known, "other": {"unknown": {"x": "INTEGER"}}}
    assert shown(tables=beside) == first and len(traced) == 2
    wider = {**known, "seeds": {"city": {**known["seeds"]["city"], "more": "INTEGER"}}}
    shown(tables=wider)
    changed = shown(SQL.replace("city.* exclude (city_id)", "long.growth_pct as name"))
    assert len(traced) == 4 and changed != first
    kept.write_text('{"question": ', encoding="utf-8")
    assert shown() == first and len(traced) == 5


def test_every_mart_of_a_refresh_shows_where_its_columns_come_from(simulated: Run) -> None:
    key = dg.AssetKey(["marts", "panel_pair_year"])
    with dg.DagsterInstance.from_config(str(simulated.home / "dagster")) as instance:
        keys = [key for key in instance.all_asset_keys() if key.path[0] == "marts"]
        latest = {
            key: instance.get_latest_materialization_event(key).asset_materialization.metadata
            for key in keys
        }
    assert key in latest and all(
        "dagster/column_lineage" in metadata for metadata in latest.values()
    )
    by_column = latest[key]["dagster/column_lineage"].lineage.deps_by_column
    assert by_column["cm_hp"] == [
        dg.TableColumnDep(dg.AssetKey(["marts", "fct_pair_synchronization"]), "cm_hp")
    ]
    assert {dep.asset_key.path[-1] for dep in by_column["is_treated"]} == {
        "fct_city_pair",
        "fct_pair_synchronization",
    }
    assert all(
        dep.asset_key.path[0] in ("marts", "intermediate", "staging", "seeds")
        for deps in by_column.values()
        for dep in deps
    )
